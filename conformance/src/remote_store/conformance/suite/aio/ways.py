"""Each way to write or to replace a file, and each way to ask for its facts."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from remote_store.conformance.checking.case import AsyncCase
from remote_store.conformance.checking.hostile import Unseekable
from remote_store.conformance.checking.width import is_near
from remote_store.core import AsyncReader, Capability, FileInfo

ATOMIC, COPY, DELETE, MOVE = Capability.ATOMIC_WRITE, Capability.COPY, Capability.DELETE, Capability.MOVE
SWAP, UPLOADS = Capability.COMPARE_AND_SWAP, Capability.MULTIPART_UPLOADS
HEADER = b"a header"


class Way(NamedTuple):
    """A way to write a file, which may exist.

    Attributes:
        write: Writes it, and returns the result of the write, if there is one.
        needs: The capabilities that it needs.
    """

    write: Callable[[AsyncCase, str, bytes, dict[str, Any]], Any]
    needs: tuple[Capability, ...] = ()


def taking(case: AsyncCase) -> Any:
    """The backend of a case. Its class states no options, because a backend of contract 0.1 has none."""
    return case.backend


async def _bytes(case: AsyncCase, path: str, content: bytes, options: dict[str, Any]) -> Any:
    return await taking(case).write(path, content, overwrite=True, **options)


async def _stream(case: AsyncCase, path: str, content: bytes, options: dict[str, Any]) -> Any:
    source = io.BytesIO(HEADER + content)
    source.seek(len(HEADER))
    return await taking(case).write(path, source, overwrite=True, **options)


async def _unseekable(case: AsyncCase, path: str, content: bytes, options: dict[str, Any]) -> Any:
    return await taking(case).write(path, Unseekable(content, most=30_001), overwrite=True, **options)


async def _chunks(case: AsyncCase, path: str, content: bytes, options: dict[str, Any]) -> Any:
    return await taking(case).write(path, iter([content[:1], b"", content[1:]]), overwrite=True, **options)


async def _created(case: AsyncCase, path: str, content: bytes, options: dict[str, Any]) -> Any:
    await case.backend.delete(path, missing_ok=True)
    return await taking(case).write(path, content, **options)


async def _created_after_many(case: AsyncCase, path: str, content: bytes, options: dict[str, Any]) -> Any:
    errors = [outcome.error async for outcome in case.backend.delete_many([path])]
    case.expect_equal(errors, [None], f"the errors of delete_many([{path!r}])")
    return await taking(case).write(path, content, **options)


async def _atomic(case: AsyncCase, path: str, content: bytes, options: dict[str, Any]) -> Any:
    return await taking(case).write_atomic(path, content, overwrite=True, **options)


async def _block(case: AsyncCase, path: str, content: bytes, options: dict[str, Any]) -> Any:
    async with taking(case).open_atomic(path, overwrite=True, **options) as stream:
        await stream.write(content[:1])
        await stream.write(content[1:])


async def _swap(case: AsyncCase, path: str, content: bytes, options: dict[str, Any]) -> Any:
    if not await case.backend.is_file(path):
        await case.backend.write(path, b"to be replaced")
    tag = (await case.backend.get_file_info(path)).etag
    return await taking(case).write(path, content, overwrite=True, if_match=tag, **options)


async def _upload(case: AsyncCase, path: str, content: bytes, options: dict[str, Any]) -> Any:
    source = io.BytesIO(content)
    return await taking(case).resume_upload(path, source, record={}, keep=len, overwrite=True, **options)


async def _copy(case: AsyncCase, path: str, content: bytes, options: dict[str, Any]) -> Any:
    await _bytes(case, case.path("source"), content, options)
    await case.backend.copy(case.path("source"), path, overwrite=True)


async def _copy_to_nothing(case: AsyncCase, path: str, content: bytes, options: dict[str, Any]) -> Any:
    await case.backend.delete(path, missing_ok=True)
    await _bytes(case, case.path("source"), content, options)
    await case.backend.copy(case.path("source"), path)
    await case.backend.write(case.path("source"), b"of a later source", overwrite=True)


async def _move(case: AsyncCase, path: str, content: bytes, options: dict[str, Any]) -> Any:
    await _bytes(case, case.path("moved"), content, options)
    await case.backend.move(case.path("moved"), path, overwrite=True)


async def _move_to_nothing(case: AsyncCase, path: str, content: bytes, options: dict[str, Any]) -> Any:
    await case.backend.delete(path, missing_ok=True)
    await _bytes(case, case.path("moved"), content, options)
    await case.backend.move(case.path("moved"), path)


async def _move_there_and_back(case: AsyncCase, path: str, content: bytes, options: dict[str, Any]) -> Any:
    await _bytes(case, path, content, options)
    await case.backend.move(path, case.path("elsewhere/moved"))
    await case.backend.move(case.path("elsewhere/moved"), path)


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


def able(case: AsyncCase, ways: Iterable[str]) -> list[str]:
    """Those of the ways whose capabilities the backend declares."""
    return [name for name in ways if case.backend.capabilities.issuperset(WAYS[name].needs)]


async def told(case: AsyncCase, path: str) -> dict[str, FileInfo]:
    """What each call tells about a file; on a storage that is far, what a few of them tell."""
    backend, folder = case.backend, path.rpartition("/")[0]
    able = backend.capabilities
    calls: dict[str, Callable[[], Any]] = {}

    async def listed(listing: Any) -> FileInfo:
        infos = [info async for info in listing if info.path == path and isinstance(info, FileInfo)]
        case.expect_equal(len(infos), 1, f"the number of entries of {path!r} in a listing")
        found: FileInfo = infos[0]
        return found

    async def opened(method: str) -> FileInfo | None:
        async with await getattr(backend, method)(path) as stream:
            info = stream.known_info if isinstance(stream, AsyncReader) else getattr(stream, "info", None)
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
    found = {"get_file_info": await backend.get_file_info(path)}
    for name in chosen:
        info = await calls[name]()
        if info is not None:
            found[name] = info
    return found
