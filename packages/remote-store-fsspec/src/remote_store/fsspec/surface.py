"""What the filesystem and its async counterpart have in common, besides the operations."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from uuid import uuid4

from fsspec.spec import AbstractFileSystem

from remote_store.core import AsyncStore, Capability, CapabilityNotSupported, Store, require_canonical
from remote_store.fsspec.cache import ContentCache
from remote_store.fsspec.errors import already_there, translated
from remote_store.fsspec.files.dressing import TEXT_OPTIONS, binary_mode, dressed
from remote_store.fsspec.files.reading import ReadFile
from remote_store.fsspec.files.writing import WriteFile
from remote_store.fsspec.names.paths import PROTOCOL, PROTOCOLS, key_of, prefix_of, url_of
from remote_store.fsspec.staging import StagedWrite, Staging
from remote_store.fsspec.stores.sharing import digest_of, is_same, shared

BLOCK_SIZE = 1 << 20
IGNORED = ("cache_type", "cache_options", "size", "fill_cache", "autocommit")
"""Arguments of `open` that choose a cache of fsspec, which files of a store do not have."""


NOT_PICKLED = ("config", "loop", "name", "store")


class Surface(AbstractFileSystem):
    """URLs, opening, transactions, identity and pickling.

    Attributes:
        store: The store.
        copy_globs: Whether `cp` and `copy` expand patterns, as those of fsspec's base class do.
        cache: The content of small files, if the caller asked for a cache.
        staging: The transaction that is open, if there is one.
        url: The URL of the store, if the filesystem was made from one.
    """

    protocol = PROTOCOLS
    transaction_type = Staging
    # fsspec would hand out a filesystem whose store is closed, and confuse stores whose texts are the same.
    cachable = False

    store: Store | AsyncStore
    copy_globs: bool
    cache: ContentCache | None = None
    staging: Staging | None = None
    url: str | None = None

    @classmethod
    def _strip_protocol(cls, path: Any) -> Any:
        """The key in a URL, byte for byte."""
        return list(map(key_of, path)) if isinstance(path, list) else key_of(path)

    @staticmethod
    def _get_kwargs_from_urls(path: str) -> dict[str, Any]:
        """The URL of the store in the URL of a file."""
        url = url_of(path)
        return {} if url is None else {"url": url}

    def cache_of(self, size: int) -> ContentCache | None:
        """A cache of so many bytes, or none for 0.

        Raises:
            CapabilityNotSupported: The backend cannot compare ETags.
            ValueError: The size is negative.
        """
        if size < 0:
            raise ValueError(f"cache_bytes must not be negative, but is {size}")
        if size and not self.store.supports(Capability.CONDITIONAL_READ):
            message = (
                "cache_bytes needs the capability CONDITIONAL_READ, which this backend does not have; leave it out"
            )
            capability = Capability.CONDITIONAL_READ.value
            raise CapabilityNotSupported(message, capability=capability, backend=self.store.backend.name)
        return ContentCache(size) if size else None

    def invalidate_cache(self, path: str | None = None) -> None:
        """Forget what is cached of one file, or of all. Never needed, as the ETag is compared at each use."""
        super().invalidate_cache(path)
        if self.cache is not None:
            if path is None:
                self.cache.clear()
            else:
                self.cache.forget(key_of(path))

    def unstrip_protocol(self, name: str) -> str:
        """The URL of a key. It names the store if the filesystem was made from a URL, and else begins `remote-store://`."""
        return prefix_of(self.url) + key_of(name)

    @property
    def fsid(self) -> str:
        """The place of the store, such as bucket and prefix."""
        return f"{PROTOCOL}-{self.store.native_path()}"

    def open(
        self,
        path: str,
        mode: str = "rb",
        block_size: int | str | None = None,
        cache_options: Mapping[str, Any] | None = None,
        compression: str | None = None,
        **options: Any,
    ) -> Any:
        """Open a file.

        A file opened for reading reads one version: if the object is replaced meanwhile, reads raise
        `PreconditionFailed`. On S3: 1 request to open it, then 1 for reading it from start to end, or 1 for each range.

        A file opened for writing appears complete when it is closed. If its `with` block ends with an exception, or if
        nobody closes it, nothing is written. On S3: the requests of `Store.open_atomic`.

        Args:
            path: The key, or a URL.
            mode: `rb`, `wb`, `xb` (create), or `r`, `w`, `x` for text. Files cannot be appended to or updated.
            block_size: Bytes that a short read fetches after a seek; 1 MiB by default.
            cache_options: Not used: nothing is cached beside the last blocks.
            compression: Name of a codec, or `infer`.
            options: For text `encoding`, `errors` and `newline`. For reading `if_match` and `version_id`. For writing
                `metadata`, `content_type`, and the other options of `Store.open_atomic`.

        Raises:
            FileExistsError: The mode creates, and the file exists.
            FileNotFoundError: There is no such file.
            IsADirectoryError: The path is a folder.
            NotImplementedError: The mode appends or updates.
        """
        binary, text = binary_mode(mode)
        key = key_of(path)
        text_options = {name: options.pop(name) for name in TEXT_OPTIONS if name in options} if text else {}
        autocommit = options.get("autocommit", self.staging is None)
        options = {name: value for name, value in options.items() if name not in IGNORED}
        file: ReadFile | WriteFile
        if binary == "rb":
            size = block_size if isinstance(block_size, int) else BLOCK_SIZE
            file = self.open_to_read(key, max(1, size), options)
        else:
            file = self.open_to_write(key, binary, options, autocommit=autocommit)
            if not autocommit:
                self.transaction.files.append(file)
        return dressed(file, key, binary, text=text, compression=compression, options=text_options)

    def _open(self, path: str, mode: str = "rb", **options: Any) -> Any:
        """Open a binary file, for code that calls this hook of fsspec."""
        return self.open(path, mode, **options)

    @abstractmethod
    def open_to_read(self, key: str, block_size: int, options: Mapping[str, Any]) -> ReadFile:
        """Open a file to read."""

    @abstractmethod
    def open_to_write(self, key: str, mode: str, options: Mapping[str, Any], *, autocommit: bool) -> WriteFile:
        """Open a file to write."""

    def check_target(self, key: str, *, overwrite: bool) -> None:
        """Check the key of a file to write, for a file that the store does not open itself.

        Raises:
            FileExistsError: The file exists and is not to be replaced.
            InvalidPath: The key is not canonical.
            IsADirectoryError: The key is the root.
        """
        with translated():
            require_canonical(key, self.store.backend.name)
        if not overwrite and self.isfile(key):
            raise already_there(key)

    @abstractmethod
    def run(self, call: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        """Call a method of the store from blocking code."""

    def start_transaction(self) -> Staging:
        """Begin a transaction, which `end_transaction` ends. A `with fs.transaction` block does both."""
        if self.staging is None:
            super().start_transaction()
        transaction: Staging = self.transaction
        # It refuses to start twice, which would lose what was staged.
        transaction.start()
        return transaction

    def stage(self, write: Callable[[Any], Any], content: Any) -> None:
        """Keep back a write until the transaction ends."""
        self.transaction.files.append(StagedWrite(partial(self.run, write), content))

    def __reduce__(self) -> tuple[Any, ...]:
        """The URL and its settings, or the store, whose pickle is its configuration. A configuration may be a file."""
        options = {name: value for name, value in self.storage_options.items() if name not in NOT_PICKLED}
        if self.url is None:
            options["store"] = self.store
        return restored, (type(self), options)

    def __eq__(self, other: object) -> bool:
        """Whether the stores have the same configuration, and in memory the same files."""
        return isinstance(other, type(self)) and is_same(self.store, other.store)

    def __hash__(self) -> int:
        return hash((type(self), self.store.native_path()))

    def __dask_tokenize__(self) -> tuple[str, str]:
        return type(self).__qualname__, digest_of(self.store) or uuid4().hex


def restored(kind: type[Surface], options: dict[str, Any]) -> Surface:
    """Make the filesystem of a pickle. In a worker, those of one configuration share their connections."""
    if "store" in options and not options.get("asynchronous"):
        options = {**options, "store": shared(options["store"])}
    return kind(**options)
