"""Glob patterns for paths and names.

A pattern is compiled to a regular expression that does not backtrack over earlier choices. After a star, the first
match of the text up to the next star is kept (an atomic group). The same holds for the segments between two `**`.
Matching takes at most (length of the pattern) x (length of the path) steps.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import NamedTuple

from remote_store.core.errors import InvalidPath
from remote_store.core.home import public
from remote_store.core.path import require_text

WILDCARD = re.compile(r"[*?\[]")
SPAN = "**"


class Piece(NamedTuple):
    """One element of a pattern segment: a literal character, a wildcard for one character, or a star.

    Attributes:
        text: The literal character; `None` for a wildcard or a star.
        expression: Regular expression that matches one character; `None` for a star.
    """

    text: str | None
    expression: str | None


STAR = Piece(None, None)
ANY = Piece(None, "[^/]")


@public("remote_store.core")
@dataclass(frozen=True, slots=True)
class GlobPattern:
    """A compiled pattern.

    Attributes:
        prefix: The literal text that every matching path begins with.
        folder: The deepest folder that contains every match; `""` is the root.
        recursive: Whether a match can be in a subfolder of `folder`.
        expression: Regular expression that matches the whole path.
    """

    prefix: str
    folder: str
    recursive: bool
    expression: re.Pattern[str]

    @classmethod
    def parse(cls, pattern: str, backend: str | None = None) -> GlobPattern:
        """Compile a pattern.

        `*` matches any number of characters and `?` matches one; neither matches a slash. `[abc]`, `[a-c]` and
        `[!a-c]` match one character of a set. A segment `**` matches any number of segments. A `[` without a closing
        `]` is a literal.

        Raises:
            InvalidPath: The pattern is empty or absolute, has an empty, `.` or `..` segment, or has a set with a
                reversed range, such as `[z-a]`.
            TypeError: The pattern is not a string.
        """
        _require_text(pattern, backend)
        segments = pattern.split("/")
        if any(segment in ("", ".", "..") for segment in segments):
            message = "the pattern has an empty, '.' or '..' segment; remove the segment"
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
    """Return a function that matches a name (the last segment of a path) against a pattern.

    Raises:
        InvalidPath: The pattern contains a slash, so no name can match, or a set has a reversed range, such as `[z-a]`.
        TypeError: The pattern is not a string.
    """
    _require_text(pattern, backend)
    pieces = _pieces(pattern, pattern, backend)
    if "/" in pattern:
        message = f"the pattern {pattern!r} has a slash, and is matched with names only; for paths, use glob"
        raise InvalidPath(message, backend=backend)
    return re.compile(_segment_expression(pieces, r"\Z"), re.DOTALL).match


def _require_text(pattern: str, backend: str | None) -> None:
    if not isinstance(pattern, str):
        raise TypeError(f"a pattern must be a str, not {type(pattern).__name__}")
    require_text(pattern, backend)


def _pieces(segment: str, pattern: str, backend: str | None) -> list[Piece]:
    pieces: list[Piece] = []
    at = 0
    while at < len(segment):
        character = segment[at]
        # A `]` directly after the opening bracket is a member of the set.
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
            message = f"the range {low + '-' + high!r} in the pattern is reversed; write {high + '-' + low!r}"
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
    """Match in order the segments before the first `**`, those between two `**`, and those after the last `**`."""
    whole_segments = "(?:[^/]*+/)*?"
    runs = list(_runs(segments))
    expression = ""
    for index, run in enumerate(runs):
        last = index == len(runs) - 1
        if last and index and not run:
            return expression
        ends = ["/"] * (len(run) - 1) + [r"\Z" if last else "/"]
        found = "".join(map(_segment_expression, run, ends))
        # The segments after the last `**` must reach the end of the path, so this group may backtrack.
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
    """Match one segment and its end as one atomic group."""
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
