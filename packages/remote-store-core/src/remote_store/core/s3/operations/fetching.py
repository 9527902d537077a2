"""Opens and reads objects: with one GET, or with several concurrent range requests if the object is large."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from remote_store.core.checksums import comparable, pieces, running
from remote_store.core.io.buffers import allocate
from remote_store.core.models import ContentDigest, FileInfo, NotModified
from remote_store.core.options import NOTHING
from remote_store.core.s3.operations import probes
from remote_store.core.s3.operations.bucket import READ_OPTIONS, Bucket
from remote_store.core.s3.operations.ranges import Group, grouped
from remote_store.core.s3.operations.reading import BLOCK, ReadPlan, damaged
from remote_store.core.s3.operations.steps import CloseBody, Drain, Fetch, Operation, Pause, Start, Wait
from remote_store.core.s3.protocol import models
from remote_store.core.s3.protocol.calls import Call, Fault
from remote_store.core.s3.protocol.fields import LARGEST_SIZE, bare
from remote_store.core.s3.protocol.options import MIB, S3Options
from remote_store.core.s3.protocol.parameters import of_read, quoted
from remote_store.core.s3.protocol.responses import Facts

UNIT = 8 * MIB
"""Bytes of one unit. Ranges are multiples of it, or of `part_size` if that is smaller."""

UNITS_WORTH_A_SPLIT = 4
"""Reads of at least this many units use concurrent ranges. One S3 connection yields about 50 to 90 MB/s."""

UNITS_OF_A_RANGE = 4
"""Units of the longest range. Longer ones save few requests, and the read would end with its slowest connection."""


READ_IN_SEQUENCE = 8 * MIB
"""After this many bytes read in sequence, ranges are fetched ahead."""

FAST_CONNECTION = 128 * MIB
"""Bytes a second above which one connection is enough; one to S3 carries 50 to 90 MB a second."""


@dataclass(frozen=True, slots=True)
class Opened:
    """An object that was opened for reading.

    Attributes:
        plan: The read, whose size and version are known.
        info: The object, from the response that opened it.
        body: The body that is open at the start of the object; `None` if the plan opens one later.
    """

    plan: ReadPlan
    info: FileInfo
    body: Any = None


def open_sequential(bucket: Bucket, key: str, options: Mapping[str, Any] = NOTHING) -> Operation[Opened]:
    """Open an object at its start: 1 GET, whose body is open, and 1 more if the response has no Content-Length."""
    plan = ReadPlan(_get_whole(bucket, key, options), bucket.options.retry)
    facts = yield from _open(bucket, key, plan, options)
    return Opened(plan, models.file_info(key, facts, plan.remaining), facts.body)


def open_random(bucket: Bucket, key: str, options: Mapping[str, Any] = NOTHING) -> Operation[Opened]:
    """Open an object for random access: 1 HEAD."""
    facts = yield from probes.require_file(bucket, key, checksum=True, options=options)
    size = yield from probes.size_of(bucket, key, facts, options)
    probes.refuse_marker(key, size)
    plan = ReadPlan(_get(bucket, key, options), bucket.options.retry, end=size, etag=facts.etag, total=size)
    return Opened(plan, models.file_info(key, facts, size))


def read_unless(bucket: Bucket, key: str, options: Mapping[str, Any]) -> Operation[bytes | NotModified]:
    """Read a whole object like `read_bytes`, unless it still is the version that `if_none_match` names."""
    try:
        return (yield from read_bytes(bucket, key, options))
    except Fault as fault:
        return probes.unmodified(key, options, fault)


def read_bytes(bucket: Bucket, key: str, options: Mapping[str, Any] = NOTHING) -> Operation[bytes]:
    """Read a whole object: 1 GET, and 1 more per range if it is large. The ranges are pinned to the first's version.

    2 more GETs if the response to the first has no Content-Length. If the response has a checksum of the whole object,
    the bytes are compared with it.

    Memory: the object, once.

    Raises:
        Fault: Among others, with status 304 if the object still is the version that `if_none_match` names.
    """
    plan = ReadPlan(_get_whole(bucket, key, options), bucket.options.retry)
    facts = yield from _open(bucket, key, plan, options)
    whole = yield from _read(bucket, plan, facts.body)
    if facts.digest is not None and not facts.partial:
        yield from _compare(whole, facts.digest)
    return whole


def _compare(whole: bytes, digest: ContentDigest) -> Operation[None]:
    expected = comparable(digest)
    if expected is None:
        return
    found = running(digest.algorithm)
    for number, piece in enumerate(pieces(whole)):
        if number:
            # Lets other tasks of the event loop run.
            yield Pause(0)
        found.update(piece)
    if found.digest() != expected:
        raise damaged(digest)


def read_range(
    bucket: Bucket, key: str, start: int, length: int, options: Mapping[str, Any] = NOTHING
) -> Operation[bytes]:
    """Read a range: 1 GET, and 1 more per part of a large range. The parts are pinned to the first's version.

    S3 refuses a range that begins at or past the end with 416 (S3 API Reference, GetObject); the result is then empty.
    """
    end = start + max(min(length, LARGEST_SIZE), 1)
    plan = ReadPlan(_get(bucket, key, options), bucket.options.retry, start=start, end=end)
    try:
        facts = yield from _open(bucket, key, plan, options)
    except Fault as fault:
        yield from _accept_no_bytes(bucket, key, fault)
        return b""
    if not length:
        yield CloseBody(facts.body)
        return b""
    return (yield from _read(bucket, plan, facts.body))


def read_ranges(
    bucket: Bucket, key: str, ranges: Sequence[tuple[int, int]], options: Mapping[str, Any] = NOTHING
) -> Operation[list[bytes]]:
    """Read ranges of one version: 1 GET per group. The first tells the version and the size, before the others begin.

    Memory: the result, and `max_concurrency` groups.
    """
    found = [b""] * len(ranges)
    groups = grouped(ranges)
    if not groups:
        return found
    plan = ReadPlan(_get(bucket, key, options), bucket.options.retry, start=groups[0].start, end=groups[0].end)
    try:
        facts = yield from _open(bucket, key, plan, options)
    except Fault as fault:
        yield from _accept_no_bytes(bucket, key, fault)
        return found
    parts = [Part(groups[0], plan, facts.body)]
    if len(groups) > 1:
        if plan.total is None:
            yield CloseBody(facts.body)
            parts[0].body, plan.total = None, (yield from probes.size_of(bucket, key, facts))
        inside = [group for group in groups[1:] if group.start < plan.total]
        parts += [Part(group, plan.between(group.start, min(group.end, plan.total))) for group in inside]
    for batch in _batches(bucket.options, parts):
        for part, content in zip(batch, (yield from _read_parts(bucket, batch)), strict=True):
            for place in part.group.members:
                start = ranges[place][0] - part.group.start
                found[place] = content[start : start + ranges[place][1]]
    return found


@dataclass(slots=True)
class Part:
    """A group of ranges to read.

    Attributes:
        group: The group.
        plan: Its bytes, pinned to the version.
        body: The body that is open at its start, if any.
    """

    group: Group
    plan: ReadPlan
    body: Any = None


def _batches(options: S3Options, parts: list[Part]) -> Iterator[list[Part]]:
    """The parts to read at once: as many as may be in flight, or one that is itself worth several requests."""
    batch: list[Part] = []
    for part in parts:
        alone = worth_a_split(options, part.plan, part.plan.remaining)
        if batch and (alone or len(batch) == options.max_concurrency):
            yield batch
            batch = []
        batch.append(part)
        if alone:
            yield batch
            batch = []
    if batch:
        yield batch


def _read_parts(bucket: Bucket, parts: list[Part]) -> Operation[list[bytes]]:
    first, *others = parts
    if not others:
        return [(yield from _read(bucket, first.plan, first.body))]
    body = first.body
    try:
        for part in others:
            yield Start(Fetch(part.plan), bucket.options.max_concurrency)
        body = None
        content: bytes = yield Fetch(first.plan, body=first.body)
        contents: list[bytes] = yield Wait()
    except BaseException:
        for part in parts:
            part.plan.stop()
        if body is not None:
            yield CloseBody(body)
        yield Drain()
        raise
    return [content, *contents]


def _accept_no_bytes(bucket: Bucket, key: str, fault: Fault) -> Operation[None]:
    """Raise the fault, unless it says that the range begins at or past the end of a file."""
    if fault.status != 416:
        raise fault
    if key.endswith("/"):
        yield from probes.refuse_marker_of(bucket, key, (yield from probes.require_file(bucket, key)))


def _get_whole(bucket: Bucket, key: str, options: Mapping[str, Any]) -> Call:
    call = _get(bucket, key, options)
    return replace(call, params={**call.params, "ChecksumMode": "ENABLED"})


def _get(bucket: Bucket, key: str, options: Mapping[str, Any]) -> Call:
    params = of_read(options)
    # Only the first request asks whether the object is new to the caller.
    params.pop("IfNoneMatch", None)
    return bucket.call("GetObject", READ_OPTIONS, Key=key, **params)


def _open(bucket: Bucket, key: str, plan: ReadPlan, options: Mapping[str, Any]) -> Operation[Facts]:
    call = plan.request()
    if "if_none_match" in options:
        call = replace(call, params={**call.params, "IfNoneMatch": quoted(options["if_none_match"])})
    try:
        response: Facts = yield call
    except Fault as fault:
        if fault.status == 416:
            raise
        raise (yield from probes.refused(bucket, key, fault, options)) from fault.__cause__
    try:
        _check_conditions(response, options)
    except Fault:
        yield CloseBody(response.body)
        raise
    if response.length is None and plan.end is None:
        # A body sent in chunks. Its size has to be known to tell how much is left after a break.
        yield CloseBody(response.body)
        probes.require_version(key, response, options)
        size = yield from probes.size_of(bucket, key, response, options)
        probes.refuse_marker(key, size)
        plan.measured(size, response.etag)
        return replace(response, body=None)
    try:
        probes.require_version(key, response, options)
        plan.opened(response)
        probes.refuse_marker(key, plan.end or 0)
    except BaseException:
        yield CloseBody(response.body)
        raise
    return response


def _check_conditions(response: Facts, options: Mapping[str, Any]) -> None:
    """Check the conditions against the response too, because a server may ignore them.

    Raises:
        Fault: The object is not the version that `if_match` names, or is the one that `if_none_match` names (304).
    """
    probes.check_version(response, options)
    if "if_none_match" in options and bare(response.etag) == options["if_none_match"]:
        raise Fault("304", 304, "the object still is the version that if_none_match names")


def _read(bucket: Bucket, plan: ReadPlan, body: Any) -> Operation[bytes]:
    if not worth_a_split(bucket.options, plan, plan.remaining):
        data: bytes = yield Fetch(plan, body=body)
        return data
    if body is not None:
        # Close at once: closing after a first range would waste a whole TCP window of bytes.
        yield CloseBody(body)
    whole, buffer = allocate(plan.remaining)
    yield from fill(bucket.options, plan, buffer)
    buffer.release()
    return whole.getvalue()


def worth_a_split(options: S3Options, plan: ReadPlan, size: int) -> bool:
    """Whether to fetch this many bytes as concurrent ranges. Needs a version to pin them to."""
    many = size >= UNITS_WORTH_A_SPLIT * _unit(options)
    return many and options.max_concurrency > 1 and plan.pin is not None


def block_worth_reading(options: S3Options, plan: ReadPlan) -> int:
    """Bytes to read at once: enough for all connections if the rest is worth a split, else one block."""
    if not worth_a_split(options, plan, plan.remaining):
        return BLOCK
    return _unit(options) * max(UNITS_WORTH_A_SPLIT, options.max_concurrency)


def worth_reading_ahead(options: S3Options, plan: ReadPlan, read: int, seconds: float) -> bool:
    """Whether to fetch ranges ahead after `read` bytes in sequence that one connection delivered in `seconds`."""
    is_slow = read < seconds * FAST_CONNECTION
    return read >= READ_IN_SEQUENCE and is_slow and worth_a_split(options, plan, plan.remaining)


def length_ahead(options: S3Options) -> int:
    """Bytes of each range that is fetched ahead.

    It is at most half a part, so `max_concurrency` ranges in flight and the one or two that the caller reads take less
    memory than `max_concurrency` parts.
    """
    return _unit(options) // 2


def range_length(options: S3Options, size: int) -> int:
    """Bytes of each range: the fewest requests that keep all connections busy."""
    unit = _unit(options)
    share = math.ceil(size / (unit * options.max_concurrency))
    return unit * min(share, UNITS_OF_A_RANGE)


def _unit(options: S3Options) -> int:
    return min(options.part_size, UNIT)


def fill(options: S3Options, plan: ReadPlan, buffer: memoryview) -> Operation[None]:
    """Fetch the next bytes of a plan into a buffer, as concurrent ranges."""
    length = range_length(options, len(buffer))
    parts: list[ReadPlan] = []
    try:
        for start in range(0, len(buffer), length):
            end = min(start + length, len(buffer))
            parts.append(plan.part(end - start))
            yield Start(Fetch(parts[-1], buffer[start:end]), options.max_concurrency)
            plan.position += end - start
        yield Wait()
    except BaseException:
        for part in parts:
            part.stop()
        yield Drain()
        raise
