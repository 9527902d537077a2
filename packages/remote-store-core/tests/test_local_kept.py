from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from remote_store.core.local import kept
from remote_store.core.local.folder import Folder
from remote_store.core.local.kept import Record, hidden_name, open_own
from remote_store.core.local.names import is_hidden
from remote_store.core.resumed_downloads import resuming


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_hidden_name_depends_on_all_that_it_is_about() -> None:
    made = {hidden_name("a", "b"), hidden_name("a", "b", ""), hidden_name("b", "b"), hidden_name("a", "\udcff")}
    assert len(made) == 4
    assert all(map(is_hidden, made))
    assert hidden_name("a", "b") == hidden_name("a", "b")


def test_a_record_is_used_by_one_call_at_a_time(tmp_path: Path) -> None:
    with Folder.at(str(tmp_path)) as folder:
        first = Record(folder, "record", "busy")
        first.write({"a": "b" * 100})
        first.write({"a": "c"})
        with pytest.raises(BlockingIOError, match="busy"):
            Record(folder, "record", "busy")
        first.close()
        second = Record(folder, "record", "busy")
        assert second.read() == {"a": "c"}
        second.remove()
        second.remove()
        second.close()
    assert names(tmp_path) == []


def test_a_file_system_without_locks_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(kept.fcntl, "flock", refuse)
    with Folder.at(str(tmp_path)) as folder, pytest.raises(OSError, match="No locks"):
        Record(folder, "record", "busy")


def test_a_folder_of_that_name_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with Folder.at(str(tmp_path)) as folder, pytest.raises(IsADirectoryError):
        open_own(folder, "taken")


def test_a_record_that_was_removed_before_it_was_locked_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, left = kept._lock, [2]

    def slow(descriptor: int, busy: str) -> None:
        if left[0]:
            left[0] -= 1
            next(tmp_path.glob(".*.json")).unlink()
        lock(descriptor, busy)

    monkeypatch.setattr(kept, "_lock", slow)
    with resuming(tmp_path / "local", "source", overwrite=False) as partial:
        partial.begin(None, 0)
    assert (names(tmp_path), left) == (["local"], [0])
