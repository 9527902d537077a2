"""Groups the ranges of one object, so that neighbours share a request. It does no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from remote_store.core.s3.protocol.fields import LARGEST_SIZE
from remote_store.core.s3.protocol.options import MIB

GAP = MIB
"""Most bytes between two ranges of a group. Reading that many takes about as long as another request."""

LONGEST_GROUP = 4 * MIB
"""Most bytes of a group of several ranges, so that the groups in flight take little memory."""


@dataclass(slots=True)
class Group:
    """Ranges that are read by one request.

    Attributes:
        start: Offset of the first byte.
        end: Offset after the last byte.
        members: The places of its ranges among all ranges.
    """

    start: int
    end: int
    members: list[int] = field(default_factory=list)


def grouped(ranges: Sequence[tuple[int, int]]) -> list[Group]:
    """The groups of some ranges, each a start and a length, in the order of their starts. Empty ranges have none."""
    groups: list[Group] = []
    # Of two ranges with the same start the longer comes first, so that it holds the other.
    for place in sorted(range(len(ranges)), key=lambda place: (ranges[place][0], -ranges[place][1])):
        start, length = ranges[place]
        end = start + min(length, LARGEST_SIZE)
        if not length:
            continue
        last = groups[-1] if groups else None
        if last is None or start > last.end + GAP or (end > last.end and end - last.start > LONGEST_GROUP):
            last = Group(start, end)
            groups.append(last)
        last.end = max(last.end, end)
        last.members.append(place)
    return groups
