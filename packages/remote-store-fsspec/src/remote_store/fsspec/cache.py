"""A bounded cache of the content of small files, for a caller who asks for one."""

from __future__ import annotations

from typing import NamedTuple


class Kept(NamedTuple):
    """The content of one version of a file.

    Attributes:
        etag: The ETag of the version.
        content: Its bytes.
    """

    etag: str
    content: bytes


class ContentCache:
    """The content of the files that were read last. The service is asked for each use whether it is still current.

    It needs no lock: each step is atomic, and a lock could be held by another thread while the process forks.

    Args:
        size: Most bytes to keep. A file that is larger than a quarter of it is not kept.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._files: dict[str, Kept] = {}

    def of(self, key: str) -> Kept | None:
        """What is kept of a file."""
        kept = self._files.pop(key, None)
        if kept is not None:
            self._files[key] = kept
        return kept

    def keep(self, key: str, etag: str | None, content: bytes) -> None:
        """Keep the content of a version, and forget the files that were not used for the longest time."""
        self.forget(key)
        if etag is None or len(content) > self._size // 4:
            return
        self._files[key] = Kept(etag, content)
        while sum(len(kept.content) for kept in list(self._files.values())) > self._size:
            self._files.pop(next(iter(list(self._files))), None)

    def forget(self, key: str) -> None:
        """Forget a file."""
        self._files.pop(key, None)

    def clear(self) -> None:
        """Forget all files."""
        self._files.clear()
