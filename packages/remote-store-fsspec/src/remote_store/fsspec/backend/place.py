"""The folder of a filesystem in which a backend works, and the filesystem's names for its paths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from fsspec.implementations.local import LocalFileSystem

from remote_store.core import InvalidPath
from remote_store.fsspec.backend.errors import NAME
from remote_store.fsspec.backend.features import PAGES, protocols_of


@dataclass(frozen=True, slots=True)
class Place:
    """A folder of a filesystem.

    Attributes:
        root: The folder as the filesystem writes it, without a slash at its end.
        first: What a path begins with if the root is the whole filesystem: a slash, or nothing.
        url: The folder as a URL that ends in a slash.
        reserved: Beginnings of a path that the filesystem would cut off.
        has_links: A listing has the links of a web page, which may have a query.
    """

    root: str
    first: str
    url: str
    reserved: tuple[str, ...]
    has_links: bool

    @classmethod
    def of(cls, fs: Any, root: str) -> Self:
        """The place of a root. A relative folder of the local disk is resolved now, and not at each call."""
        if isinstance(fs, LocalFileSystem):
            root = fs.unstrip_protocol(root).partition("://")[2]
        root = root.rstrip("/")
        names = protocols_of(fs)
        url = fs.unstrip_protocol(root)
        return cls(
            root,
            "/" if fs.root_marker == "/" else "",
            url if url.endswith("/") else url + "/",
            tuple(name + sign for name in names for sign in ("://", "::", ":")),
            bool(PAGES.intersection(names)),
        )

    def native(self, path: str) -> str:
        """The filesystem's name of a path.

        Raises:
            InvalidPath: The filesystem would take the path for a URL.
        """
        if self.root:
            return f"{self.root}/{path}" if path else self.root
        if self.is_reserved(path):
            message = "the filesystem takes this path for a URL; use another name, or a root that is a folder"
            raise InvalidPath(message, path=path, backend=NAME)
        return self.first + path

    def is_reserved(self, path: str) -> bool:
        """Whether the filesystem would take the path for a URL, and cut off its beginning."""
        return not self.root and not self.first and path.startswith(self.reserved)

    def child(self, name: str, folder: str) -> str | None:
        """The name of an entry of a folder; `None` if a row of a listing is no entry, but the folder or below an entry.

        Args:
            name: What the row says.
            folder: The listed folder.
        """
        base, inside = self._bare(self.native(folder)), self._bare(name)
        if base and not f"{inside}/".startswith(f"{base}/"):
            # The filesystem writes the folder in another way.
            return inside.rpartition("/")[2]
        entry = inside.removeprefix(base).strip("/").removeprefix("./")
        is_link = self.has_links and ("?" in entry or "#" in entry)
        return None if entry in ("", ".", "..") or "/" in entry or is_link else entry

    def _bare(self, name: str) -> str:
        scheme = next((sign for sign in self.reserved if sign.endswith("://") and name.startswith(sign)), "")
        return name.removeprefix(scheme).strip("/")
