"""Patterns as fsspec understands them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from glob import has_magic
from typing import Self

from fsspec.utils import glob_translate

from remote_store.fsspec.names.entries import Entry

WILDCARD = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern, and what to list to find its matches.

    Attributes:
        root: The folder that contains every match; without a wildcard, the whole path.
        prefix: What a name directly in the folder begins with.
        depth: Levels to list below the folder; `None` means all.
        expression: Matches a whole key; `None` without a wildcard.
        folders: Whether a folder is matched with a slash behind its key.
    """

    root: str
    prefix: str
    depth: int | None
    expression: re.Pattern[str] | None
    folders: bool

    @classmethod
    def parse(cls, key: str, maxdepth: int | None) -> Self:
        """Compile a pattern.

        Args:
            key: The pattern.
            maxdepth: Levels that a `**` may stand for; `None` means all.
        """
        if not has_magic(key):
            return cls(key, "", None, None, folders=False)
        start = WILDCARD.search(key)
        first = start.start() if start else len(key)
        folder, slash, prefix = key[:first].rpartition("/")
        rest = key[len(folder) + len(slash) :]
        depth: int | None = rest.removesuffix("/").count("/") + 1
        if "**" in rest:
            stars = rest[rest.find("**") :].count("/") + 1
            depth = None if maxdepth is None or depth is None else depth - stars + maxdepth
        expression = re.compile(glob_translate(key))
        return cls(folder + slash, prefix, depth, expression, folders=key.endswith(("/", "/**")))

    def matches(self, entry: Entry) -> bool:
        """Whether the key of a file or folder matches."""
        name: str = entry["name"]
        if self.folders and entry["type"] == "directory":
            name = f"{name}/"
        return self.expression is not None and self.expression.match(name) is not None
