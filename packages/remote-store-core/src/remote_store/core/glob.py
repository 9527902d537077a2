"""Patterns of paths and names: which listing finds the candidates, and which candidate matches.

A pattern becomes a regular expression in which no choice is made twice: behind a star the first place where the text
up to the next star fits is taken for good (an atomic group), and so is the first place for the segments between two
`**`. Matching takes at most as many steps as the pattern's length times the path's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import NamedTuple

from remote_store.core.errors import InvalidPath
from remote_store.core.path import require_text

WILDCARD = re.compile(r"[*?\[]")
SPAN = "**"


class Piece(NamedTuple):
    """One element of a segment: a literal character, a wildcard for one character, or a star.

    Attributes:
        text: The character that it matches; `None` for a wildcard.
        expression: Matches one character; `None` for a star.
    """

    text: str | None
    expression: str | None


STAR = Piece(None, None)
ANY = Piece(None, "[^/]")


@dataclass(frozen=True, slots=True)
class GlobPattern:
    """A pattern, ready to be matched.

    Attributes:
        prefix: What every matching path begins with, as text.
        folder: The deepest folder that holds every match; `""` is the root.
        recursive: Whether a match can lie below a subfolder of `folder`.
        expression: Matches a whole path, from its beginning to its end.
    """

    prefix: str
    folder: str
    recursive: bool
    expression: re.Pattern[str]

    @classmethod
    def parse(cls, pattern: str, backend: str | None = None) -> GlobPattern:
        """Read a pattern.

        `*` and `?` match any characters and any one character but the slash, `[abc]`, `[a-c]` and `[!a-c]` one
        character of a set, and a segment `**` any number of segments. A `[` without its `]` is a literal.

        Raises:
            InvalidPath: The pattern is empty or absolute, has an empty, `.` or `..` segment, or a set has a range
                whose end comes before its start.
            TypeError: The pattern is not a string.
        """
        require_text(pattern, backend)
        segments = pattern.split("/")
        if any(segment in ("", ".", "..") for segment in segments):
            message = "a pattern is a path whose segments are neither empty nor '.' nor '..'"
            raise InvalidPath(message, path=pattern, backend=backend)
        parsed = [None if segment == SPAN else _pieces(segment, pattern, backend) for segment in segments]
        prefix = _literal_start(parsed)
        depth = prefix.count("/")
        folder = prefix.rpartition("/")[0]
        recursive = len(segments) - depth > 1 or segments[-1] == SPAN
        return cls(prefix, folder, recursive, re.compile(_path_expression(parsed), re.DOTALL))

    def matches(self, path: str) -> bool:
        """Whether the whole path matches."""
        return self.expression.match(path) is not None


def name_matcher(pattern: str, backend: str | None = None) -> Callable[[str], object]:
    """A function that says whether a name, the last segment of a path, matches; a slash matches nothing.

    Raises:
        InvalidPath: A set has a range whose end comes before its start.
        TypeError: The pattern is not a string.
    """
    require_text(pattern, backend)
    return re.compile(_segment_expression(_pieces(pattern, pattern, backend), r"\Z"), re.DOTALL).match


def _pieces(segment: str, pattern: str, backend: str | None) -> list[Piece]:
    pieces: list[Piece] = []
    at = 0
    while at < len(segment):
        character = segment[at]
        # The first member of a set may be the bracket that closes others.
        first = at + 1 + segment.startswith("!", at + 1)
        end = segment.find("]", first + 1) if character == "[" else -1
        at += 1
        if end > 0:
            members = _members(segment[first:end], pattern, backend)
            pieces.append(_set(members, negated=first > at))
            at = end + 1
        elif character == "*":
            pieces.append(STAR)
        else:
            pieces.append(ANY if character == "?" else Piece(character, re.escape(character)))
    return pieces


def _members(text: str, pattern: str, backend: str | None) -> list[tuple[str, str]]:
    members: list[tuple[str, str]] = []
    at = 0
    while at < len(text):
        low = high = text[at]
        at += 1
        if text.startswith("-", at) and at + 1 < len(text):
            high = text[at + 1]
            at += 2
        if high < low:
            message = f"the range {low + '-' + high!r} in a set ends before it begins; swap its ends"
            raise InvalidPath(message, path=pattern, backend=backend)
        members.append((low, high))
    return members


def _set(members: list[tuple[str, str]], *, negated: bool) -> Piece:
    (low, high), *others = members
    if low == high and not others and not negated:
        return Piece(low, re.escape(low))
    ranges = "".join(f"{re.escape(low)}-{re.escape(high)}" for low, high in members)
    return Piece(None, f"(?!/)[{'^' if negated else ''}{ranges}]")


def _literal_start(segments: list[list[Piece] | None]) -> str:
    texts: list[str] = []
    for pieces in segments:
        literal = list(takewhile(lambda piece: piece.text is not None, pieces or ()))
        texts.append("".join(piece.text or "" for piece in literal))
        if pieces is None or len(literal) < len(pieces):
            break
    return "/".join(texts)


def _path_expression(segments: list[list[Piece] | None]) -> str:
    """The segments up to the first `**`, between two of them, and behind the last one, each found in its turn."""
    whole_segments = "(?:[^/]*+/)*?"
    runs = list(_runs(segments))
    expression = ""
    for index, run in enumerate(runs):
        last = index == len(runs) - 1
        if last and index and not run:
            return expression
        ends = ["/"] * (len(run) - 1) + [r"\Z" if last else "/"]
        found = "".join(map(_segment_expression, run, ends))
        # Behind the last `**` only the end of the path can decide, so nothing is taken for good.
        expression += found if not index else whole_segments + found if last else f"(?>{whole_segments}{found})"
    return expression


def _runs(segments: list[list[Piece] | None]) -> Iterator[list[list[Piece]]]:
    run: list[list[Piece]] = []
    for pieces in segments:
        if pieces is None:
            yield run
            run = []
        else:
            run.append(pieces)
    yield run


def _segment_expression(pieces: list[Piece], end: str) -> str:
    """Matches a segment and what ends it, as one atom."""
    texts = [""]
    for piece in pieces:
        if piece.expression is None:
            texts.append("")
        else:
            texts[-1] += piece.expression
    first, *others = texts
    if not others:
        return f"{first}{end}"
    *middle, last = others
    found = "".join(f"(?>[^/]*?{text})" for text in middle if text)
    return f"(?>{first}{found}[^/]*{last}{end})"


GlobPattern.__module__ = "remote_store.core"
