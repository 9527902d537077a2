from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from remote_store.core import InvalidPath, RemotePath
from remote_store.core.path import require_canonical, require_file_path, require_text


@pytest.mark.parametrize(
    "typed, key",
    [
        ("a/b", "a/b"),
        ("/a//b/", "a/b"),
        ("./a/./b/.", "a/b"),
        ("a\\b", "a\\b"),
        ("...", "..."),
        (" a ", " a "),
        ("a\nb", "a\nb"),
        ("e\u0301", "e\u0301"),
    ],
)
def test_what_is_typed_becomes_a_key(typed: str, key: str) -> None:
    path = RemotePath(typed)
    assert path == key
    assert isinstance(path, str)


@pytest.mark.parametrize("typed", ["", ".", "/", "//", "./.", "..", "a/..", "a/../b", "a\0b", "\ud800"])
def test_what_names_nothing_is_refused(typed: str) -> None:
    with pytest.raises(InvalidPath) as raised:
        RemotePath(typed)
    assert raised.value.path == typed


@pytest.mark.parametrize("typed", [None, 1, b"a", ["a"]])
def test_a_path_is_text(typed: Any) -> None:
    with pytest.raises(TypeError):
        RemotePath(typed)


@pytest.mark.parametrize("key", ["a//b", "/a", "a/./b", "a/../b", "", "a/"])
def test_an_exact_key_stays_as_it_is(key: str) -> None:
    path = RemotePath.exact(key)
    assert RemotePath(path) is path
    assert path == key
    for copied in (pickle.loads(pickle.dumps(path)), copy.deepcopy(path)):
        assert copied == key
        assert type(copied) is RemotePath


@pytest.mark.parametrize(
    "key, name, parent, suffix",
    [
        ("a", "a", None, ""),
        ("a/b.tar.gz", "b.tar.gz", "a", ".gz"),
        ("a/b/.hidden", ".hidden", "a/b", ""),
        ("a/b.", "b.", "a", ""),
    ],
)
def test_parts(key: str, name: str, parent: str | None, suffix: str) -> None:
    path = RemotePath(key)
    assert (path.name, path.parent, path.suffix, path.parts) == (name, parent, suffix, tuple(key.split("/")))


def test_joining() -> None:
    joined = RemotePath("a") / "b//c"
    assert joined == "a/b/c"
    assert isinstance(joined, RemotePath)
    with pytest.raises(InvalidPath):
        RemotePath("a") / "../b"


def test_it_is_equal_to_its_text() -> None:
    assert {"a/b"} == {RemotePath("a/b")}


@pytest.mark.parametrize("check", [require_text, require_file_path, require_canonical])
@pytest.mark.parametrize("path", ["a\0", "\ud800"])
def test_no_operation_takes_what_can_be_no_key(check: Callable[[str], None], path: str) -> None:
    with pytest.raises(InvalidPath):
        check(path)


@pytest.mark.parametrize("path", ["a//b", "/a", "a/", "./a", "../a"])
def test_reading_takes_what_writing_does_not(path: str) -> None:
    require_file_path(path)
    with pytest.raises(InvalidPath):
        require_canonical(path)
    with pytest.raises(InvalidPath):
        require_canonical(RemotePath.exact(path))


def test_the_root_is_no_file() -> None:
    require_text("")
    for check in (require_file_path, require_canonical):
        with pytest.raises(InvalidPath):
            check("")
