# Generated from conformance/src/remote_store/conformance/suite/aio/ways.py by tools/unasync.py; edit that.
"""Each way to write or to replace a file, and each way to ask for its facts."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from remote_store.conformance.checking.case import Case
from remote_store.conformance.checking.hostile import Unseekable
from remote_store.conformance.checking.width import is_near
from remote_store.core import Capability, FileInfo, Reader

ATOMIC, COPY, DELETE, MOVE = Capability.ATOMIC_WRITE, Capability.COPY, Capability.DELETE, Capability.MOVE
SWAP, UPLOADS = Capability.COMPARE_AND_SWAP, Capability.MULTIPART_UPLOADS
HEADER = b"a header"


class Way(NamedTuple):
    """A way to write a file, which may exist.

    Attributes:
        write: Writes it, and returns the result of the write, if there is one.
        needs: The capabilities that it needs.
    """

    write: Callable[[Case, str, bytes, dict[str, Any]], Any]
    needs: tuple[Capability, ...] = ()


def taking(case: Case) -> Any:
    """The backend of a case. Its class states no options, because a backend of contract 0.1 has none."""
    return case.backend


def _bytes(case: Case, path: str, content: bytes, options: dict[str, Any]) -> Any:
    return taking(case).write(path, content, overwrite=True, **options)


def _stream(case: Case, path: str, content: bytes, options: dict[str, Any]) -> Any:
    source = io.BytesIO(HEADER + content)
    source.seek(len(HEADER))
    return taking(case).write(path, source, overwrite=True, **options)


def _unseekable(case: Case, path: str, content: bytes, options: dict[str, Any]) -> Any:
    return taking(case).write(path, Unseekable(content, most=30_001), overwrite=True, **options)


def _chunks(case: Case, path: str, content: bytes, options: dict[str, Any]) -> Any:
    return taking(case).write(path, iter([content[:1], b"", content[1:]]), overwrite=True, **options)


def _created(case: Case, path: str, content: bytes, options: dict[str, Any]) -> Any:
    case.backend.delete(path, missing_ok=True)
    return taking(case).write(path, content, **options)


def _created_after_many(case: Case, path: str, content: bytes, options: dict[str, Any]) -> Any:
    errors = [outcome.error for outcome in case.backend.delete_many([path])]
    case.expect_equal(errors, [None], f"the errors of delete_many([{path!r}])")
    return taking(case).write(path, content, **options)


def _atomic(case: Case, path: str, content: bytes, options: dict[str, Any]) -> Any:
    return taking(case).write_atomic(path, content, overwrite=True, **options)


def _block(case: Case, path: str, content: bytes, options: dict[str, Any]) -> Any:
    with taking(case).open_atomic(path, overwrite=True, **options) as stream:
        stream.write(content[:1])
        stream.write(content[1:])


def _swap(case: Case, path: str, content: bytes, options: dict[str, Any]) -> Any:
    if not case.backend.is_file(path):
        case.backend.write(path, b"to be replaced")
    tag = (case.backend.get_file_info(path)).etag
    return taking(case).write(path, content, overwrite=True, if_match=tag, **options)


def _upload(case: Case, path: str, content: bytes, options: dict[str, Any]) -> Any:
    source = io.BytesIO(content)
    return taking(case).resume_upload(path, source, record={}, keep=len, overwrite=True, **options)


def _copy(case: Case, path: str, content: bytes, options: dict[str, Any]) -> Any:
    _bytes(case, case.path("source"), content, options)
    case.backend.copy(case.path("source"), path, overwrite=True)


def _copy_to_nothing(case: Case, path: str, content: bytes, options: dict[str, Any]) -> Any:
    case.backend.delete(path, missing_ok=True)
    _bytes(case, case.path("source"), content, options)
    case.backend.copy(case.path("source"), path)
    case.backend.write(case.path("source"), b"of a later source", overwrite=True)


def _move(case: Case, path: str, content: bytes, options: dict[str, Any]) -> Any:
    _bytes(case, case.path("moved"), content, options)
    case.backend.move(case.path("moved"), path, overwrite=True)


def _move_to_nothing(case: Case, path: str, content: bytes, options: dict[str, Any]) -> Any:
    case.backend.delete(path, missing_ok=True)
    _bytes(case, case.path("moved"), content, options)
    case.backend.move(case.path("moved"), path)


def _move_there_and_back(case: Case, path: str, content: bytes, options: dict[str, Any]) -> Any:
    _bytes(case, path, content, options)
    case.backend.move(path, case.path("elsewhere/moved"))
    case.backend.move(case.path("elsewhere/moved"), path)


WRITES = {
    "write": Way(_bytes),
    "write of a stream after its header": Way(_stream),
    "write of a stream that cannot seek": Way(_unseekable),
    "write of chunks": Way(_chunks),
    "delete and write": Way(_created, (DELETE,)),
    "delete_many and write": Way(_created_after_many, (DELETE,)),
    "write_atomic": Way(_atomic, (ATOMIC,)),
    "open_atomic": Way(_block, (ATOMIC,)),
    "write with if_match": Way(_swap, (SWAP,)),
    "resume_upload": Way(_upload, (UPLOADS,)),
}
COPIES = {
    "copy": Way(_copy, (COPY,)),
    "delete and copy": Way(_copy_to_nothing, (COPY, DELETE)),
}
MOVES = {
    "move": Way(_move, (MOVE,)),
    "delete and move": Way(_move_to_nothing, (MOVE, DELETE)),
    "move there and back": Way(_move_there_and_back, (MOVE,)),
}
WAYS = {**WRITES, **COPIES, **MOVES}


def able(case: Case, ways: Iterable[str]) -> list[str]:
    """Those of the ways whose capabilities the backend declares."""
    return [name for name in ways if case.backend.capabilities.issuperset(WAYS[name].needs)]


def told(case: Case, path: str) -> dict[str, FileInfo]:
    """What each call tells about a file; on a storage that is far, what a few of them tell."""
    backend, folder = case.backend, path.rpartition("/")[0]
    able = backend.capabilities
    calls: dict[str, Callable[[], Any]] = {}

    def listed(listing: Any) -> FileInfo:
        infos = [info for info in listing if info.path == path and isinstance(info, FileInfo)]
        case.expect_equal(len(infos), 1, f"the number of entries of {path!r} in a listing")
        found: FileInfo = infos[0]
        return found

    def opened(method: str) -> FileInfo | None:
        with getattr(backend, method)(path) as stream:
            info = stream.known_info if isinstance(stream, Reader) else getattr(stream, "info", None)
            return info if isinstance(info, FileInfo) else None

    if Capability.LIST in able:
        calls["list_files"] = lambda: listed(backend.list_files(folder))
        calls["list_files, recursive"] = lambda: listed(backend.list_files(case.folder, recursive=True))
        calls["iter_children"] = lambda: listed(backend.iter_children(folder))
    if Capability.GLOB in able:
        calls["glob"] = lambda: listed(backend.glob(f"{folder}/*"))
    if Capability.READ in able:
        calls["read"] = lambda: opened("read")
    if Capability.SEEKABLE_READ in able:
        calls["read_seekable"] = lambda: opened("read_seekable")
    chosen = list(calls) if is_near(case) else case.rng.sample(list(calls), min(2, len(calls)))
    found = {"get_file_info": backend.get_file_info(path)}
    for name in chosen:
        info = calls[name]()
        if info is not None:
            found[name] = info
    return found
