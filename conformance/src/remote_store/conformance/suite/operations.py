# Generated from conformance/src/remote_store/conformance/suite/aio/operations.py by tools/unasync.py; edit that.
"""Every operation of a backend, with the files that it needs, for checks of what operations leave behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

from remote_store.conformance.checking.callers import Boom
from remote_store.conformance.checking.case import Case
from remote_store.conformance.checking.hostile import Failing, Unseekable
from remote_store.conformance.checking.trees import fill, found, taken
from remote_store.conformance.checking.usages import USAGES
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


class Operation(NamedTuple):
    """One operation, ready to run.

    Attributes:
        name: Its name for messages.
        run: Runs it, and finishes what it began.
    """

    name: str
    run: Callable[[], Any]


def operations(case: Case, folder: str) -> Iterator[Operation]:
    """Every operation that the backend declares. The files that one needs are written before it is yielded.

    Args:
        case: The case.
        folder: A new folder of the case for the files.
    """
    declared = case.backend.capabilities
    fill(case, f"{folder}/kept/file")
    for name, usage in USAGES.items():
        if usage.capability is None or usage.capability in declared:
            place = f"{folder}/{name if name in NEW | FROM_ANOTHER | CHANGING else 'kept'}"
            if name in FROM_ANOTHER | CHANGING:
                fill(case, f"{place}/other" if name in FROM_ANOTHER else f"{place}/file")
            path = {"glob": f"{place}/*"}.get(name, place if name in OF_FOLDERS else f"{place}/file")
            yield Operation(name, partial(usage.run, case.backend, case.path(path), case.path(f"{place}/other")))
    for name, (needs, run) in MORE.items():
        if declared.issuperset(needs):
            yield Operation(name, partial(run, case, case.path(f"{folder}/kept")))


def _read_a_part(case: Case, folder: str) -> None:
    with case.backend.read(f"{folder}/file") as stream:
        stream.read(1)


def _read_nothing(case: Case, folder: str) -> None:
    with suppress(NotFound):
        case.backend.read_bytes(f"{folder}/missing")


def _list_a_part(case: Case, folder: str) -> None:
    taken(case, case.backend.list_files(folder))


def _write_a_stream(case: Case, folder: str) -> None:
    source: Any = Unseekable(bytes(SIZE))
    case.backend.write(f"{folder}/large", source)


def _write_a_failing_stream(case: Case, folder: str) -> None:
    source: Any = Failing(SIZE, Boom())
    with suppress(Boom):
        case.backend.write(f"{folder}/failed", source)


def _open_atomic_and_fail(case: Case, folder: str) -> None:
    with suppress(Boom):
        with case.backend.open_atomic(f"{folder}/failed") as stream:
            stream.write(bytes(SIZE))
            raise Boom


def _read_at_the_end(case: Case, folder: str) -> None:
    path = f"{folder}/file"
    for start, length in ((1_000, 10), (9, 1), (5, 0), (0, 0), (2**40, 1)):
        case.backend.read_range(path, start, length)


def _read_seekable_at_the_end(case: Case, folder: str) -> None:
    path = f"{folder}/file"
    case.backend.read_ranges(path, [])
    case.backend.read_ranges(path, [(1_000, 10), (0, 1), (0, 0)])
    with case.backend.read_seekable(path) as stream:
        for place in (1_000, 9, 0):
            stream.seek(place)
            stream.read(5)
            stream.read(0)


def _read_an_empty_file(case: Case, folder: str) -> None:
    path = f"{folder}/empty"
    case.backend.write(path, b"", overwrite=True)
    case.backend.read_bytes(path)
    case.backend.read_range(path, 0, 5)
    with case.backend.read(path) as stream:
        stream.read()
        stream.read(1)


def _list_nothing(case: Case, folder: str) -> None:
    nowhere = f"{folder}/nowhere"
    for listing in (
        case.backend.list_files(nowhere),
        case.backend.list_files(nowhere, recursive=True),
        case.backend.list_files(folder, recursive=True, max_depth=0),
        case.backend.list_folders(folder),
        case.backend.iter_children(nowhere),
    ):
        found(listing)


def _match_nothing(case: Case, folder: str) -> None:
    for pattern in (f"{folder}/*.none", f"{folder}/nowhere/**", f"{folder}/f"):
        found(case.backend.glob(pattern))


def _transfer_onto_itself(case: Case, folder: str, method: str) -> None:
    getattr(case.backend, method)(f"{folder}/file", f"{folder}/file", overwrite=True)


def _check_health(case: Case, folder: str) -> None:
    case.backend.check_health()


def _unwrap(case: Case, folder: str) -> None:
    with suppress(CapabilityNotSupported):
        case.backend.unwrap(Unknown)


def _describe(case: Case, folder: str) -> None:
    case.backend.to_key(case.backend.native_path(folder))
    case.backend.resolve(folder)
    repr(case.backend)


def _another_instance(case: Case, folder: str) -> None:
    if case.profile.shared:
        with case.harness.make() as other:
            other.exists(f"{folder}/file")


MORE: dict[str, tuple[tuple[Capability, ...], Callable[[Case, str], Any]]] = {
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
