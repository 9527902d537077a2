"""Every operation of a backend, with the files that it needs, for checks of what operations leave behind."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

from remote_store.conformance.checking.async_trees import fill, found, taken
from remote_store.conformance.checking.async_usages import USAGES
from remote_store.conformance.checking.callers import Boom
from remote_store.conformance.checking.case import AsyncCase
from remote_store.conformance.checking.hostile import Failing, Unseekable
from remote_store.core import Capability, CapabilityNotSupported, NotFound

READ, WRITE, LIST = Capability.READ, Capability.WRITE, Capability.LIST
SIZE = 1_200_000
"""More than what is kept in memory at first."""
NEW = frozenset({"write", "write_atomic", "open_atomic", "user_metadata"})
FROM_ANOTHER = frozenset({"copy_to", "move_to"})
CHANGING = frozenset({"overwrite", "copy_from", "move_from", "delete", "delete_tolerant"}) | frozenset(
    {"delete_folder", "delete_folder_tolerant"}
)
OF_FOLDERS = frozenset(
    {"delete_folder", "delete_folder_tolerant", "get_folder_info", "list_files", "list_folders", "iter_children"}
)


class Unknown:
    """A type that `unwrap` of no backend supports."""


class AsyncOperation(NamedTuple):
    """One operation, ready to run.

    Attributes:
        name: Its name for messages.
        run: Runs it, and finishes what it began.
    """

    name: str
    run: Callable[[], Any]


async def operations(case: AsyncCase, folder: str) -> AsyncIterator[AsyncOperation]:
    """Every operation that the backend declares. The files that one needs are written before it is yielded.

    Args:
        case: The case.
        folder: A new folder of the case for the files.
    """
    declared = case.backend.capabilities
    await fill(case, f"{folder}/kept/file")
    for name, usage in USAGES.items():
        if usage.capability is None or usage.capability in declared:
            place = f"{folder}/{name if name in NEW | FROM_ANOTHER | CHANGING else 'kept'}"
            if name in FROM_ANOTHER | CHANGING:
                await fill(case, f"{place}/other" if name in FROM_ANOTHER else f"{place}/file")
            path = {"glob": f"{place}/*"}.get(name, place if name in OF_FOLDERS else f"{place}/file")
            yield AsyncOperation(name, partial(usage.run, case.backend, case.path(path), case.path(f"{place}/other")))
    for name, (needs, run) in MORE.items():
        if declared.issuperset(needs):
            yield AsyncOperation(name, partial(run, case, case.path(f"{folder}/kept")))


async def _read_a_part(case: AsyncCase, folder: str) -> None:
    async with await case.backend.read(f"{folder}/file") as stream:
        await stream.read(1)


async def _read_nothing(case: AsyncCase, folder: str) -> None:
    with suppress(NotFound):
        await case.backend.read_bytes(f"{folder}/missing")


async def _list_a_part(case: AsyncCase, folder: str) -> None:
    await taken(case, case.backend.list_files(folder))


async def _write_a_stream(case: AsyncCase, folder: str) -> None:
    source: Any = Unseekable(bytes(SIZE))
    await case.backend.write(f"{folder}/large", source)


async def _write_a_failing_stream(case: AsyncCase, folder: str) -> None:
    source: Any = Failing(SIZE, Boom())
    with suppress(Boom):
        await case.backend.write(f"{folder}/failed", source)


async def _open_atomic_and_fail(case: AsyncCase, folder: str) -> None:
    with suppress(Boom):
        async with case.backend.open_atomic(f"{folder}/failed") as stream:
            await stream.write(bytes(SIZE))
            raise Boom


async def _read_at_the_end(case: AsyncCase, folder: str) -> None:
    path = f"{folder}/file"
    for start, length in ((1_000, 10), (9, 1), (5, 0), (0, 0), (2**40, 1)):
        await case.backend.read_range(path, start, length)


async def _read_seekable_at_the_end(case: AsyncCase, folder: str) -> None:
    path = f"{folder}/file"
    await case.backend.read_ranges(path, [])
    await case.backend.read_ranges(path, [(1_000, 10), (0, 1), (0, 0)])
    async with await case.backend.read_seekable(path) as stream:
        for place in (1_000, 9, 0):
            await stream.seek(place)
            await stream.read(5)
            await stream.read(0)


async def _read_an_empty_file(case: AsyncCase, folder: str) -> None:
    path = f"{folder}/empty"
    await case.backend.write(path, b"", overwrite=True)
    await case.backend.read_bytes(path)
    await case.backend.read_range(path, 0, 5)
    async with await case.backend.read(path) as stream:
        await stream.read()
        await stream.read(1)


async def _list_nothing(case: AsyncCase, folder: str) -> None:
    nowhere = f"{folder}/nowhere"
    for listing in (
        case.backend.list_files(nowhere),
        case.backend.list_files(nowhere, recursive=True),
        case.backend.list_files(folder, recursive=True, max_depth=0),
        case.backend.list_folders(folder),
        case.backend.iter_children(nowhere),
    ):
        await found(listing)


async def _match_nothing(case: AsyncCase, folder: str) -> None:
    for pattern in (f"{folder}/*.none", f"{folder}/nowhere/**", f"{folder}/f"):
        await found(case.backend.glob(pattern))


async def _transfer_onto_itself(case: AsyncCase, folder: str, method: str) -> None:
    await getattr(case.backend, method)(f"{folder}/file", f"{folder}/file", overwrite=True)


async def _check_health(case: AsyncCase, folder: str) -> None:
    await case.backend.check_health()


async def _unwrap(case: AsyncCase, folder: str) -> None:
    with suppress(CapabilityNotSupported):
        case.backend.unwrap(Unknown)


async def _describe(case: AsyncCase, folder: str) -> None:
    case.backend.to_key(case.backend.native_path(folder))
    case.backend.resolve(folder)
    repr(case.backend)


async def _another_instance(case: AsyncCase, folder: str) -> None:
    if case.profile.shared:
        async with case.harness.make() as other:
            await other.exists(f"{folder}/file")


MORE: dict[str, tuple[tuple[Capability, ...], Callable[[AsyncCase, str], Any]]] = {
    "a read that ends early": ((READ,), _read_a_part),
    "a read of a missing file": ((READ,), _read_nothing),
    "a listing that ends early": ((LIST,), _list_a_part),
    "a write of a stream": ((WRITE,), _write_a_stream),
    "a write whose source fails": ((WRITE,), _write_a_failing_stream),
    "an open_atomic block that fails": ((Capability.ATOMIC_WRITE,), _open_atomic_and_fail),
    "ranges at the end and past it": ((READ,), _read_at_the_end),
    "seeks and several ranges to the end and past it": ((Capability.SEEKABLE_READ,), _read_seekable_at_the_end),
    "reads of an empty file": ((READ, WRITE), _read_an_empty_file),
    "listings of nothing": ((LIST,), _list_nothing),
    "globs without a match": ((Capability.GLOB,), _match_nothing),
    "a copy of a file onto itself": ((Capability.COPY,), partial(_transfer_onto_itself, method="copy")),
    "a move of a file onto itself": ((Capability.MOVE,), partial(_transfer_onto_itself, method="move")),
    "check_health": ((), _check_health),
    "unwrap": ((), _unwrap),
    "native_path, to_key, resolve and repr": ((), _describe),
    "an instance that is made, used and closed": ((), _another_instance),
}
"""Operations besides `USAGES`, by name: the capabilities that one needs, and what runs it in its folder."""
