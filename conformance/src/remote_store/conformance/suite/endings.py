# Generated from conformance/src/remote_store/conformance/suite/aio/endings.py by tools/unasync.py; edit that.
"""Every way in which an operation can end without its result, for checks of what such an end leaves behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

from remote_store.conformance.checking.callers import Boom, Stop
from remote_store.conformance.checking.case import Case
from remote_store.conformance.checking.hostile import Failing
from remote_store.conformance.checking.trees import fill
from remote_store.conformance.checking.usages import (
    EXACT_USAGES,
    FILE_USAGES,
    FOLDER_USAGES,
    LISTINGS,
    TOLERANT_USAGES,
    Usage,
)
from remote_store.core import Capability, RemoteStoreError

READ, WRITE, LIST, ATOMIC = Capability.READ, Capability.WRITE, Capability.LIST, Capability.ATOMIC_WRITE
SIZES = (0, 5, 300_000, 1_200_000)
"""Bytes before the error: none, a few, and more than what is kept in memory at first."""
LARGE = 1_200_000
KEPT = ("file", "large", "other")
EXPECTED = (RemoteStoreError, ValueError, TypeError, Boom, Stop)
HARMFUL = frozenset({"delete", "delete_tolerant", "delete_folder", "delete_folder_tolerant", "move_from", "move_to"})
OF_ALL = frozenset({"get_folder_info", *LISTINGS})
"""What goes through a whole storage if it is asked for its root."""
REFUSING = {
    "write": "WRITE-006",
    "write_atomic": "WRITE-006",
    "open_atomic": "ATOM-005",
    "copy_to": "COPY-003",
    "copy_from": "COPY-003",
    "move_to": "COPY-016",
    "move_from": "COPY-016",
}
"""Calls that refuse to replace a file, each with the rule that says so."""
CREATES = {"write": WRITE, "write_atomic": ATOMIC}
STREAMS = {"read": READ, "read_seekable": Capability.SEEKABLE_READ}
LISTED: dict[str, tuple[Capability, dict[str, Any]]] = {
    "list_files": (LIST, {}),
    "list_files, recursive": (LIST, {"recursive": True}),
    "iter_children": (LIST, {}),
    "list_folders": (LIST, {}),
    "glob": (Capability.GLOB, {}),
}
TAKEN = {"before it begins": 0, "after its first entry": 1, "after its second entry": 2}


class Ending(NamedTuple):
    """One way to end.

    Attributes:
        name: The operation and its end, for messages.
        needs: The capability that it needs; `None` for no capability.
        attempt: Makes the call, which may raise one of `EXPECTED`.
    """

    name: str
    needs: Capability | None
    attempt: Callable[[], Any]

    def run(self) -> None:
        """Make the call, and forget its error."""
        with suppress(*EXPECTED):
            self.attempt()


def endings(case: Case, folder: str, most: int | None = None) -> list[Ending]:
    """The ends of the operations that the backend declares, after the files in their folder were written.

    None of them changes a file, if the backend keeps the contract.

    Args:
        case: The case.
        folder: A new folder of the case for the files.
        most: How many are drawn; `None` for all of them.
    """
    fill(case, f"{folder}/file", f"{folder}/other", f"{folder}/below/file")
    fill(case, f"{folder}/large", data=bytes(LARGE))
    place, declared = case.path(folder), case.backend.capabilities
    groups = (_missing, _existing, _of_the_wrong_kind, _malformed, _refused, _failing, _raising, _unread, _unlisted)
    able = [each for group in groups for each in group(case, place) if each.needs is None or each.needs in declared]
    return able if most is None or most >= len(able) else case.rng.sample(able, most)


def files_of(case: Case, folder: str) -> list[str]:
    """The files that `endings` writes, and that are there at every end."""
    return sorted(case.path(f"{folder}/{name}") for name in (*KEPT, "below/file"))


def _used(case: Case, rows: dict[str, Usage], end: str, path: str, other: str) -> Iterator[Ending]:
    for name, row in rows.items():
        yield Ending(f"{name} of {end}", row.capability, partial(row.run, case.backend, path, other))


def _missing(case: Case, place: str) -> Iterator[Ending]:
    rows = {**FILE_USAGES, **TOLERANT_USAGES, **FOLDER_USAGES, **LISTINGS}
    yield from _used(case, rows, "what is missing", f"{place}/missing", f"{place}/missing-too")
    rows = {name: EXACT_USAGES[name] for name in ("copy_to", "move_to")}
    yield from _used(case, rows, "what is missing", f"{place}/new", f"{place}/missing")


def _existing(case: Case, place: str) -> Iterator[Ending]:
    declared = case.deviations
    rows = {name: EXACT_USAGES[name] for name, rule in REFUSING.items() if rule not in declared}
    yield from _used(case, rows, "what exists", f"{place}/file", f"{place}/other")


def _of_the_wrong_kind(case: Case, place: str) -> Iterator[Ending]:
    yield from _used(case, FILE_USAGES, "a folder", f"{place}/below", f"{place}/new")
    yield from _used(case, {**FOLDER_USAGES, **LISTINGS}, "a file", f"{place}/file", f"{place}/new")
    if case.profile.rejects_file_ancestor:
        rows = {name: EXACT_USAGES[name] for name in ("write", "write_atomic", "open_atomic", "copy_to", "move_to")}
        yield from _used(case, rows, "a path below a file", f"{place}/file/new", f"{place}/other")


def _malformed(case: Case, place: str) -> Iterator[Ending]:
    yield from _used(case, EXACT_USAGES, "a malformed path", f"{place}/a\0b", f"{place}/other")
    rows = {name: EXACT_USAGES[name] for name in ("write", "write_atomic", "open_atomic", "copy_to", "move_to")}
    yield from _used(case, rows, "a path that is not canonical", f"{place}//new", f"{place}/other")
    rows = {name: row for name, row in EXACT_USAGES.items() if name not in HARMFUL | OF_ALL}
    yield from _used(case, rows, "the root", "", f"{place}/other")


def _refused(case: Case, place: str) -> Iterator[Ending]:
    backend, file, new = case.backend, f"{place}/file", f"{place}/new"
    ranges: tuple[tuple[Any, Any], ...] = ((-1, 1), (0, -1), ("0", 1), (0, None))
    for start, length in ranges:
        call: Callable[[], Any] = partial(backend.read_range, file, start, length)
        yield Ending(f"read_range of ({start!r}, {length!r})", READ, call)
    for method, needs in CREATES.items():
        write = getattr(backend, method)
        contents: dict[str, Any] = {"text": "text", "None": None, "an int": 3, "a list of text": ["text"]}
        for what, content in contents.items():
            yield Ending(f"{method} of {what}", needs, partial(write, new, content))
            yield Ending(f"{method} of {what} over a file", needs, partial(write, file, content, overwrite=True))
        options: tuple[dict[str, Any], ...] = ({"metadata": {"na me": "\n"}}, {"no_such_option": True})
        for given in options:
            yield Ending(f"{method} with {given}", needs, partial(write, new, b"x", **given))
    yield Ending("list_files with a depth of -1", LIST, partial(_listed, case, place, max_depth=-1))
    yield Ending("is_file of None", None, partial(backend.is_file, None))  # type: ignore[arg-type]


def _listed(case: Case, place: str, **options: Any) -> None:
    for _ in case.backend.list_files(place, **options):
        pass


def _failing(case: Case, place: str) -> Iterator[Ending]:
    for method, needs in CREATES.items():
        for size in SIZES:
            for error in (Boom, Stop):
                for kind, source in {"stream": _failing_stream, "iterable": _failing_iterable}.items():
                    for name, over in {"new": False, "file": True}.items():
                        what = f"{method} of a {kind} that raises {error.__name__} after {size:,} bytes, {over=}"
                        attempt = partial(_write, case, method, f"{place}/{name}", partial(source, size, error), over)
                        yield Ending(what, needs, attempt)


def _write(case: Case, method: str, path: str, source: Callable[[], Any], overwrite: bool) -> None:
    getattr(case.backend, method)(path, source(), overwrite=overwrite)


def _failing_stream(size: int, error: type[BaseException]) -> Any:
    return Failing(size, error("mine"))


def _failing_iterable(size: int, error: type[BaseException]) -> Iterator[bytes]:
    if size:
        yield bytes(size)
    raise error("mine")


def _raising(case: Case, place: str) -> Iterator[Ending]:
    for size in SIZES:
        for error in (Boom, Stop):
            for name, over in {"new": False, "file": True}.items():
                what = f"an open_atomic block that raises {error.__name__} after {size:,} bytes, {over=}"
                yield Ending(what, ATOMIC, partial(_raise, case, f"{place}/{name}", size, error, over))
        yield Ending(f"a read that raises after {size:,} bytes", READ, partial(_raise_in_a_read, case, place, size))


def _raise(case: Case, path: str, size: int, error: type[BaseException], overwrite: bool) -> None:
    with case.backend.open_atomic(path, overwrite=overwrite) as stream:
        if size:
            stream.write(bytes(size))
        raise error("mine")


def _raise_in_a_read(case: Case, place: str, size: int) -> None:
    with case.backend.read(f"{place}/large") as stream:
        stream.read(size)
        raise Boom("mine")


def _unread(case: Case, place: str) -> Iterator[Ending]:
    for method, needs in STREAMS.items():
        for size in (*SIZES, None):
            for name in ("file", "large"):
                what = f"{method} of the {name} that is closed after {'a seek' if size is None else f'{size:,} bytes'}"
                yield Ending(what, needs, partial(_close_early, case, method, f"{place}/{name}", size))


def _close_early(case: Case, method: str, path: str, size: int | None) -> None:
    stream: Any = getattr(case.backend, method)(path)
    if size:
        stream.read(size)
    elif size is None and stream.seekable():
        stream.seek(1)
    stream.close()
    stream.close()


def _unlisted(case: Case, place: str) -> Iterator[Ending]:
    for call, (needs, options) in LISTED.items():
        method = call.partition(",")[0]
        path = f"{place}/*" if method == "glob" else place
        for when, count in TAKEN.items():
            for closed in (True, False):
                what = f"{call} that is {'closed' if closed else 'dropped'} {when}"
                begin = partial(getattr(case.backend, method), path, **options)
                yield Ending(what, needs, partial(_stop, begin, count, closed=closed))


def _stop(begin: Callable[[], Any], count: int, *, closed: bool) -> None:
    listing = begin()
    for _ in range(count):
        next(listing, None)
    if closed and hasattr(listing, "close"):
        listing.close()
