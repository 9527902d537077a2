"""Patterns of whole paths: which listing finds the candidates, and which candidate matches."""

from __future__ import annotations

import re
from dataclasses import dataclass

from remote_store.core.errors import InvalidPath
from remote_store.core.path import require_text

WILDCARD = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class GlobPattern:
    """A pattern, ready to be matched.

    Attributes:
        prefix: What every matching path begins with, as text.
        folder: The deepest folder that holds every match; `""` is the root.
        recursive: Whether a match can lie below a subfolder of `folder`.
        expression: Matches a whole path.
    """

    prefix: str
    folder: str
    recursive: bool
    expression: re.Pattern[str]

    @classmethod
    def parse(cls, pattern: str, backend: str | None = None) -> GlobPattern:
        """Read a pattern.

        Raises:
            InvalidPath: The pattern is empty or absolute, or has an empty, `.` or `..` segment.
            TypeError: The pattern is not a string.
        """
        require_text(pattern, backend)
        segments = pattern.split("/")
        if any(segment in ("", ".", "..") for segment in segments):
            message = "a pattern is a path whose segments are neither empty nor '.' nor '..'"
            raise InvalidPath(message, path=pattern, backend=backend)
        wild = WILDCARD.search(pattern)
        prefix = pattern[: wild.start()] if wild else pattern
        folder = prefix.rpartition("/")[0]
        below = pattern[len(folder) :].strip("/")
        return cls(prefix, folder, "/" in below or below == "**", re.compile(_expression(segments), re.DOTALL))

    def matches(self, path: str) -> bool:
        """Whether the whole path matches."""
        return self.expression.fullmatch(path) is not None


def _expression(segments: list[str]) -> str:
    parts = []
    for index, segment in enumerate(segments):
        last = index == len(segments) - 1
        if segment == "**":
            parts.append(".*" if last else "(?:.*/)?")
        else:
            parts.append(_segment(segment) + ("" if last else "/"))
    return "".join(parts)


def _segment(segment: str) -> str:
    pieces = re.split(r"(\*|\?|\[!?\]?[^\]]*\])", segment)
    return "".join(_piece(piece) for piece in pieces if piece)


def _piece(piece: str) -> str:
    if piece == "*":
        return "[^/]*"
    if piece == "?":
        return "[^/]"
    if len(piece) > 2 and piece.startswith("["):
        negated = piece[1] == "!"
        members = re.sub(r"([\\\[\]^])", r"\\\1", piece[2:-1] if negated else piece[1:-1])
        return f"(?!/)[{'^' if negated else ''}{members}]"
    return re.escape(piece)


GlobPattern.__module__ = "remote_store.core"
