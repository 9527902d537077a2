"""What the methods of the local backend need: its root, its checks, and how a file is opened and committed."""

# `Path` would normalise keys, which must stay exact.
# ruff: noqa: PTH100
from __future__ import annotations

import errno
import io
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeAlias, TypeVar

from remote_store.core.backend import Backend
from remote_store.core.capabilities import Capability
from remote_store.core.conditions import require_match
from remote_store.core.errors import (
    BackendUnavailable,
    CapabilityNotSupported,
    InvalidPath,
    NotFound,
    RemoteStoreError,
)
from remote_store.core.events import Events, OnEvent
from remote_store.core.local.attributes import NO_ATTRIBUTES, Declared, encoded
from remote_store.core.local.finding import find_file, open_file
from remote_store.core.local.folder import Folder
from remote_store.core.local.locking import locked, stamp
from remote_store.core.local.names import require_file_name, require_new_name
from remote_store.core.local.resolving import Spot
from remote_store.core.local.root import Root
from remote_store.core.local.system import NoLocks, TypedFile, os_errors
from remote_store.core.local.tree import entity_tag
from remote_store.core.local.unfinished import Unfinished, takes_free_names
from remote_store.core.metadata import check_content_type, check_metadata
from remote_store.core.models import ResolutionPlan, WriteResult
from remote_store.core.observed import observed
from remote_store.core.options import NOTHING, supported

T = TypeVar("T")
BLOCK = 1 << 20
NEW_FILE = 0o666
NO_TIMES = "the file system does not keep times to the nanosecond, so versions cannot be compared; leave out if_match"
Check: TypeAlias = Callable[["os.stat_result | None"], None]
Writer: TypeAlias = "io.BufferedWriter[TypedFile]"


class LocalBase(Backend):
    """The base class of the local backend.

    Args:
        root: The folder that is the root.
        create: Whether to create it when something is written.
        on_event: Called with a `RequestEvent` after each operation.

    Raises:
        TypeError: `root` is not a path, `create` is not a `bool`, or `on_event` is not a function of one argument.
        ValueError: `root` is empty.
    """

    name = "local"
    capabilities = Declared()

    def __init__(self, root: str | os.PathLike[str], *, create: bool = False, on_event: OnEvent | None = None) -> None:
        self._events = Events(LocalBase.name, on_event)
        text = os.fspath(root) if isinstance(root, os.PathLike) else root
        if not isinstance(text, str):
            raise TypeError(f"root must be a str or a path, not {type(text).__name__}")
        if not isinstance(create, bool):
            raise TypeError(f"create must be True or False, not {create!r}")
        if not text:
            raise ValueError("root is empty; pass '.' for the current folder")
        self._root, self._create = os.path.abspath(text), create
        self._keys = Root(self._root, self.name, create=create)
        self._closed = self._tried = False

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._root!r})"

    def native_path(self, key: str) -> str:
        return f"{self._root.rstrip('/')}/{key}" if key else self._root

    def to_key(self, path: str) -> str:
        base = self.native_path("/")[:-1]
        if path != self._root and not path.startswith(base):
            raise InvalidPath(f"the path does not begin with the root {self._root!r}", path=path, backend=self.name)
        return path[len(base) :]

    def resolve(self, key: str) -> ResolutionPlan:
        return ResolutionPlan("local", self.name, key, self.native_path(key), {"root": self._root})

    @observed()
    def check_health(self) -> None:
        self._check_open()
        with os_errors("", self.name), ExitStack() as opened:
            try:
                root = opened.enter_context(Folder.at(self._root))
            except (FileNotFoundError, NotADirectoryError) as error:
                if self._create and not os.path.lexists(self._root):
                    return
                message = "the root of the backend is not a folder; create it"
                raise NotFound(message, path="", backend=self.name) from error
            next(root.scan(), None)
            if not self._tried:
                # A read-only root is healthy.
                with suppress(OSError):
                    self._declare(one_wins=takes_free_names(root))

    def unwrap(self, kind: type[T]) -> T:
        """Return the native handle: the root as a `pathlib.Path`."""
        self._check_open()
        root = Path(self._root)
        if kind is not object and isinstance(root, kind):
            return root
        message = f"the backend has no {kind.__name__}; ask for pathlib.Path, the root"
        raise CapabilityNotSupported(message, capability="unwrap", backend=self.name)

    def close(self) -> None:
        self._closed = True

    def __enter__(self) -> Self:
        self._check_open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _asked(self, kind: type, path: str, options: Mapping[str, Any]) -> dict[str, Any]:
        """The options that were given, if this backend has the capabilities that they need."""
        return supported(kind, options, self.capabilities, path, self.name) if options else {}

    def _check_open(self) -> None:
        if self._closed:
            raise BackendUnavailable("the backend is closed; make a new one", backend=self.name)

    @property
    def _keeps_attributes(self) -> bool:
        return Capability.USER_METADATA in self.capabilities

    def _check_write(self, path: str, metadata: Mapping[str, str] | None, content_type: str | None) -> dict[str, bytes]:
        """The extended attributes to write."""
        self._check_open()
        require_new_name(path, self.name)
        check_content_type(content_type)
        attributes = encoded(check_metadata(metadata), content_type)
        if attributes and not self._keeps_attributes:
            message = f"{NO_ATTRIBUTES}; leave them out, or choose a root on a file system that does"
            raise CapabilityNotSupported(message, capability="user_metadata", path=path, backend=self.name)
        return attributes

    def _file(self, opened: ExitStack, path: str) -> Spot:
        self._check_open()
        require_file_name(path, self.name)
        return find_file(self._keys, opened, path, self.name)

    def _raw(self, path: str) -> TypedFile:
        with ExitStack() as opened:
            return TypedFile(open_file(self._file(opened, path), path, self.name), "r", path, self.name)

    @contextmanager
    def _unfinished(
        self, path: str, attributes: Mapping[str, bytes], *, overwrite: bool
    ) -> Iterator[tuple[Unfinished, Writer]]:
        with ExitStack() as opened:
            unfinished = self._keys.begin(opened, path, attributes, overwrite=overwrite)
            with os_errors(path, self.name):
                file = io.BufferedWriter(TypedFile(os.dup(unfinished.descriptor), "w", path, self.name))
            try:
                yield unfinished, file
            finally:
                with suppress(OSError, RemoteStoreError):
                    file.close()

    def _commit(
        self,
        path: str,
        unfinished: Unfinished,
        file: Writer,
        *,
        overwrite: bool,
        mode: int = NEW_FILE,
        asked: Mapping[str, Any] = NOTHING,
    ) -> WriteResult:
        file.close()
        if failure := file.raw.failure:
            raise failure
        self._check_open()

        def put(target: Spot, name: str) -> os.stat_result:
            here, check = target.position.here, self._check_of(path, asked)
            unfinished.renew(here)
            if not stamp(unfinished.descriptor) and check is not None:
                raise NoLocks(errno.ENOTSUP, NO_TIMES)
            lock = None if target.facts is None and check is None else locked(here, name, check)
            return unfinished.put(here, name, target.facts, mode=mode, lock=lock)

        facts = self._keys.place(path, put, overwrite=overwrite)
        self._declare(one_wins=unfinished.atomic)
        return WriteResult(path, facts.st_size, entity_tag(facts))

    def _check_of(self, path: str, asked: Mapping[str, Any]) -> Check | None:
        """What a lock on a file has to compare; `None` without `if_match`."""
        if "if_match" not in asked:
            return None
        return lambda facts: require_match(asked, None if facts is None else entity_tag(facts), path, self.name)

    def _check_of_source(self, path: str, asked: Mapping[str, Any]) -> Check | None:
        """The same for a file that a call deletes or moves: if it does not exist, nothing is found."""

        def check(facts: os.stat_result | None) -> None:
            if facts is None:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
            require_match(asked, entity_tag(facts), path, self.name)

        return check if "if_match" in asked else None

    def _require_version(self, path: str, asked: Mapping[str, Any]) -> None:
        """Compare the version of a file that is to be written, before its content is read."""
        if "if_match" in asked:
            with ExitStack() as opened:
                spot = self._keys.target(opened, path, overwrite=True)
                require_match(asked, None if spot.facts is None else entity_tag(spot.facts), path, self.name)

    def _declare(self, *, one_wins: bool) -> None:
        self._tried = True
        if not one_wins:
            self.capabilities = self.capabilities - {Capability.ATOMIC_CREATE}
