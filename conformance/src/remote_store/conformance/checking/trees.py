# Generated from conformance/src/remote_store/conformance/checking/async_trees.py by tools/unasync.py; edit that.
"""Helpers of checks: filling a folder, and reading listings to their end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from remote_store.conformance.checking.case import Case
from remote_store.conformance.checking.hostile import FOREIGN_KEYS, KEYS
from remote_store.conformance.checking.width import deviates
from remote_store.core import Capability, FileInfo, FolderEntry

Entry = FileInfo | FolderEntry
STEPS = 2000
LONGEST = 255
"""Bytes of a segment that any storage takes whose profile states no limit."""


def fill(case: Case, *names: str, data: bytes = b"x") -> list[str]:
    """Write files into the case's folder, without the backend if it cannot write; return their sorted paths."""
    paths = sorted(map(case.path, names))
    for path in paths:
        if Capability.WRITE in case.backend.capabilities:
            case.backend.write(path, data, overwrite=True)
        else:
            case.oracle.raw_put(path, data)
    return paths


def fill_many(case: Case, names: Iterable[str]) -> list[str]:
    """The same for many empty files, without the backend if the harness can."""
    paths = sorted(map(case.path, names))
    oracle = case.harness.oracle
    if oracle is not None:
        oracle.raw_put_many(paths)
        return paths
    for path in paths:
        case.backend.write(path, b"", overwrite=True)
    return paths


def found(listing: Iterator[Entry]) -> list[str]:
    """The paths of a listing, sorted, with duplicates."""
    return sorted([entry.path for entry in listing])


def names(listing: Iterator[Entry]) -> list[str]:
    """The names of a listing, sorted."""
    return sorted([entry.name for entry in listing])


def taken(case: Case, listing: Iterator[Entry]) -> Entry:
    """The next entry of a listing; the check fails if there is none."""
    entry = next(listing, None)
    return entry if entry is not None else case.fail("the listing", "one more entry", "its end")


def walk(case: Case) -> list[str]:
    """The sorted files below the case's folder, found folder by folder; the check fails if the walk does not end."""
    pending, paths, steps = [case.folder], list[str](), 0
    while pending:
        steps += 1
        case.expect(steps <= STEPS, "a walk, folder by folder, ends", f"{len(pending):,} folders are left")
        for child in case.backend.iter_children(pending.pop()):
            if isinstance(child, FolderEntry):
                pending.append(child.path)
            else:
                paths.append(child.path)
    return sorted(paths)


def writable(case: Case) -> list[str]:
    """The hostile names, without those that the harness declares as deviations from a PATH rule."""
    return [KEYS[name] for name in KEYS if not deviates(case, "PATH", name)]


def without_odd(case: Case, names: Iterable[str]) -> list[str]:
    """The names that fit the profile, without those with a character of which a deviation from a PATH rule tells."""
    known = {character for key, text in KEYS.items() if deviates(case, "PATH", key) for character in text}
    odd = {character for character in known if not (character.isascii() and character.isalnum())} - {"/"}
    longest = case.profile.max_segment_bytes or case.profile.max_key_bytes or LONGEST
    fitting = [name for name in names if max(len(each.encode()) for each in name.split("/")) <= longest]
    return [name for name in dict.fromkeys(fitting) if not odd & set(name)]


def put_foreign(case: Case) -> list[str]:
    """Store keys as other tools write them, without the backend; return their sorted paths. Skips deviations too."""
    case.require_profile("the storage holds canonical keys only", case.profile.foreign_keys)
    keys = {**FOREIGN_KEYS, **KEYS}
    paths = sorted(case.path(keys[name]) for name in keys if not deviates(case, "PATH", name))
    for path in paths:
        case.oracle.raw_put(path, b"foreign")
    return paths
