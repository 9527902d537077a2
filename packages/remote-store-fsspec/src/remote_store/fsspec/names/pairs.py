"""Where the files of a copy, a download or an upload go."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from glob import has_magic
from itertools import takewhile
from pathlib import Path
from typing import Any

from fsspec.implementations.local import LocalFileSystem, make_path_posix

from remote_store.fsspec.names.entries import Entry

Entries = Mapping[str, Entry | None]
"""The files and folders that were named or found. An entry is `None` if it was not looked up."""


def placed(paths: Sequence[str], target: str, *, into: bool, flat: bool) -> list[str]:
    """The target of each path, as fsspec's `other_paths`, but also right for files in the root.

    Args:
        paths: Keys, or paths on the local disk.
        target: The file or folder to copy to.
        into: Whether the target is a folder that the paths are put into.
        flat: Put all files into the target under their last segment.
    """
    target = target.rstrip("/")
    if flat:
        return [_below(target, path.rpartition("/")[2]) for path in paths]
    base = _common(paths)
    if into:
        base = base[:-1]
    return [_below(target, "/".join(path.split("/")[len(base) :])) for path in paths]


def _common(paths: Sequence[str]) -> list[str]:
    """The segments that all paths begin with."""
    segments = [path.split("/") for path in paths]
    return [segment[0] for segment in takewhile(_is_same, zip(*segments, strict=False))]


def _is_same(segments: tuple[str, ...]) -> bool:
    return len(set(segments)) == 1


def _below(target: str, rest: str) -> str:
    return "/".join(part for part in (target, rest) if part)


def is_folder(entries: Entries, path: str) -> bool:
    """Whether a path is known to be a folder."""
    entry = entries.get(path)
    return entry is not None and entry["type"] == "directory"


def files_of(entries: Entries, source: Any, *, recursive: bool) -> list[str]:
    """The paths to copy. Folders count only in a recursive copy without a limit of depth."""
    if not isinstance(source, str) or recursive:
        return list(entries)
    return [path for path in entries if not is_folder(entries, path)]


def pairs_of(
    entries: Entries, source: Any, target: str | list[str], *, target_is_folder: bool, recursive: bool
) -> list[tuple[str, str]]:
    """Source and target of each file and folder to copy, by the rules of fsspec.

    Args:
        entries: What the source stands for.
        source: The source as given: one path or pattern, or several.
        target: Where to copy to. A list has a target for each entry.
        target_is_folder: Whether the target is a folder, or ends in a slash.
        recursive: Whether folders are copied, without a limit of depth.
    """
    paths = files_of(entries, source, recursive=recursive)
    if not paths:
        return []
    if not isinstance(target, str):
        return list(zip(paths, target, strict=True))
    single = isinstance(source, str)
    if single and has_magic(source) and source not in entries:
        into = len(paths) == 1
    else:
        into = single and target_is_folder and not source.endswith("/")
    return list(zip(paths, placed(paths, target, into=into, flat=not single), strict=True))


def check_apart(pairs: Sequence[tuple[str, str]], *, one_store: bool) -> None:
    """Refuse calls whose result depends on the order of their copies, which are made at once.

    Args:
        pairs: Source and target of each file.
        one_store: Whether sources and targets are in one store, so that a target can also be a source.

    Raises:
        ValueError: Two files have the same target, or a target is the source of another file.
    """
    sources: dict[str, str] = {}
    for source, target in pairs:
        other = sources.setdefault(target, source)
        if other != source:
            raise ValueError(
                f"{other!r} and {source!r} have the same target, {target!r}; give each a target of its own"
            )
    if one_store:
        for source, _ in pairs:
            if sources.get(source, source) != source:
                message = f"{source!r} is a source and also the target of {sources[source]!r}; make one call for each"
                raise ValueError(message)


def local_target(path: Any) -> tuple[str, bool]:
    """A path on the local disk with slashes, and whether it is a folder or ends in a slash."""
    text: str = make_path_posix(os.fspath(path))
    return text, text.endswith("/") or Path(text).is_dir()


def check_inside(root: str, pairs: Iterable[tuple[str, str]]) -> None:
    """Refuse keys that would be downloaded to outside the target.

    Raises:
        ValueError: A key has a `..` segment.
    """
    for source, target in pairs:
        rest = target.removeprefix(root)
        if ".." in rest.split("/") or (os.sep != "/" and os.sep in rest):
            message = f"the key {source!r} names a file outside {root!r}; download it alone, with get_file"
            raise ValueError(message)


def local_entries(path: Any, *, recursive: bool, maxdepth: int | None) -> dict[str, Entry | None]:
    """What paths on the local disk stand for. A pattern that is the name of a file is that name."""
    local = LocalFileSystem()
    names = [path] if isinstance(path, str | os.PathLike) else path
    found: dict[str, Entry | None] = {}
    for name in names:
        text = make_path_posix(os.fspath(name))
        if not os.path.lexists(text):
            paths = local.expand_path(text, recursive=recursive, maxdepth=maxdepth)
        else:
            whole = text.rstrip("/") or "/"
            inside = local.find(whole, maxdepth=maxdepth, withdirs=True) if recursive else []
            paths = sorted({whole, *inside})
        for each in paths:
            found[each] = {"name": each, "type": "directory" if Path(each).is_dir() else "file"}
    return found
