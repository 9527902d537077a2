"""What the files that a filesystem opens have in common."""

from __future__ import annotations

import io
from typing import Any, Self


class StoreFile(io.BufferedIOBase):
    """A file of a store, opened by a filesystem.

    Attributes:
        fs: The filesystem.
        path: The key.
        mode: `rb`, `wb` or `xb`.
    """

    def __init__(self, fs: Any, path: str, mode: str) -> None:
        super().__init__()
        self.fs = fs
        self.path = path
        self.mode = mode

    @property
    def name(self) -> str:
        """The key."""
        return self.path

    @property
    def full_name(self) -> str:
        """The URL."""
        url: str = self.fs.unstrip_protocol(self.path)
        return url

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.path!r} {self.mode}{' closed' if self.closed else ''}>"

    def __enter__(self) -> Self:
        if self.closed:
            raise ValueError("I/O operation on closed file")
        return self
