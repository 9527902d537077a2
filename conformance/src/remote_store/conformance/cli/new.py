"""Writes the project of a new backend from the templates in `project/`."""

from __future__ import annotations

import keyword
from collections.abc import Iterator
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template

from remote_store.conformance.cli.places import taken
from remote_store.conformance.contract.rulebook import ConfigurationError

ENDING = ".template"


def write_project(folder: Path, name: str, *, is_async: bool) -> list[Path]:
    """Write the project of a backend that keeps its files in a dict. Returns the paths of the files.

    Args:
        folder: Where to write; it is made if it does not exist.
        name: What the storage is called; the package is `NAME_store`. Empty for the name of the folder.
        is_async: Write an asynchronous backend.

    Raises:
        ConfigurationError: The name is taken or is not a Python name in lower case, the folder is not empty, or it
            cannot be written.
    """
    words = _words(name or folder.resolve().name.removesuffix("-store").replace("-", "_"), is_async=is_async)
    try:
        return _written(folder, words, "async" if is_async else "sync")
    except OSError as error:
        raise ConfigurationError(f"{folder} cannot be written: {error.strerror or error}") from error


def _written(folder: Path, words: dict[str, str], kind: str) -> list[Path]:
    if folder.exists() and not folder.is_dir():
        raise ConfigurationError(f"{folder} is a file; name a folder that is empty or does not exist")
    if folder.is_dir() and (there := next(folder.iterdir(), None)):
        raise ConfigurationError(
            f"{folder} is not empty: it contains {there.name!r}. Name a folder that is empty or does not exist"
        )
    written = []
    for part in ("common", kind):
        root = files("remote_store.conformance.cli") / "project" / part
        for path, template in _templates(root, Path()):
            target = folder / Path(*(words["package"] if step == "package" else step for step in path.parts))
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(Template(template).substitute(words), "utf-8")
            written.append(target)
    return sorted(written)


def _templates(folder: Traversable, path: Path) -> Iterator[tuple[Path, str]]:
    """The templates below a folder: the path of each without its ending, and its text."""
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _templates(entry, path / entry.name)
        elif entry.name.endswith(ENDING):
            yield path / entry.name.removesuffix(ENDING), entry.read_text("utf-8")


def _words(name: str, *, is_async: bool) -> dict[str, str]:
    """The words that stand in the templates.

    Raises:
        ConfigurationError: The name is taken or is not a Python name in lower case.
    """
    fits = name.isascii() and name.isidentifier() and name == name.lower() and not keyword.iskeyword(name)
    if not fits or name.startswith("_"):
        raise ConfigurationError(f"{name!r} is not a Python name in lower case; choose one, such as --name box")
    # Entry points are the schemes of URLs, which have no underscores.
    kind = name.replace("_", "-")
    if name == "remote" or kind in taken():
        raise ConfigurationError(f"{kind!r} is a name of remote-store or of an installed backend; choose another")
    return {
        "Name": "".join(word.capitalize() for word in name.split("_")),
        "core": ".".join([*version("remote-store-conformance").split(".")[:2], "0"]),
        "group": "async_backends" if is_async else "backends",
        "kind": kind,
        "package": f"{name}_store",
        "project": f"{kind}-store",
    }
