"""Ranges of several files, grouped by file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

Range = tuple[int | None, int | None]


def is_plain_range(start: int | None, end: int | None) -> bool:
    """Whether start and end are offsets from the beginning, so that the size of the file need not be known."""
    return end is not None and (start or 0) >= 0 and end >= 0


@dataclass(frozen=True, slots=True)
class Ranges:
    """The ranges of a call of `cat_ranges`.

    Attributes:
        by_path: The ranges of each file.
        places: For each range, its file and its number there.
    """

    by_path: dict[str, list[Range]]
    places: list[tuple[str, int]]

    @classmethod
    def of(cls, paths: Any, starts: Any, ends: Any) -> Self:
        """Group the ranges.

        Raises:
            TypeError: `paths` is not a list.
            ValueError: The numbers of paths, starts and ends differ.
        """
        if not isinstance(paths, list):
            raise TypeError(f"paths must be a list, not {type(paths).__name__}")
        starts = list(starts) if isinstance(starts, Iterable) else [starts] * len(paths)
        ends = list(ends) if isinstance(ends, Iterable) else [ends] * len(paths)
        if not len(paths) == len(starts) == len(ends):
            raise ValueError(f"there are {len(paths)} paths, {len(starts)} starts and {len(ends)} ends")
        by_path: dict[str, list[Range]] = {}
        places = []
        for path, start, end in zip(paths, starts, ends, strict=True):
            asked = by_path.setdefault(path, [])
            places.append((path, len(asked)))
            asked.append((start, end))
        return cls(by_path, places)

    def collected(self, results: Sequence[Any]) -> list[Any]:
        """The bytes of each range, in order, or the exception of its file.

        Args:
            results: For each file, the bytes of its ranges, or an exception.
        """
        of_path = dict(zip(self.by_path, results, strict=True))
        return [
            of_path[path] if isinstance(of_path[path], Exception) else of_path[path][number]
            for path, number in self.places
        ]
