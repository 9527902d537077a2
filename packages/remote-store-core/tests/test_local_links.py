"""Links of every kind under every operation, and files that are neither files nor folders."""

from __future__ import annotations

import os
import socket
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from remote_store.core import AlreadyExists, Backend, InvalidPath, LocalBackend, NotFound, Store
from remote_store.core.files import replacing
from remote_store.core.local import folder
from remote_store.core.local.folder import Folder

SECRET = b"outside"


@pytest.fixture(params=[True, False], ids=["by descriptor", "by path"])
def backend(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> LocalBackend:
    monkeypatch.setattr(folder, "BY_DESCRIPTOR", request.param)
    (tmp_path / "root").mkdir()
    return LocalBackend(tmp_path / "root")


@pytest.fixture
def root(backend: LocalBackend) -> Path:
    return backend.unwrap(Path)


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Path]:
    """A folder beside the root, which no operation may see or change."""
    folder = tmp_path / "outside"
    (folder / "sub").mkdir(parents=True)
    (folder / "secret").write_bytes(SECRET)
    (folder / "sub/secret").write_bytes(SECRET)
    yield folder
    left = sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
    assert left == ["secret", "sub", "sub/secret"]
    assert (folder / "secret").read_bytes() == (folder / "sub/secret").read_bytes() == SECRET


def open_and_write(backend: Backend, path: str) -> None:
    with backend.open_atomic(path, overwrite=True) as file:
        file.write(b"new")


def paths(listing: Any) -> list[str]:
    return sorted(entry.path for entry in listing)


def on_disk(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))


Operation = Callable[[LocalBackend, str], object]
READS: dict[str, Operation] = {
    "exists": lambda backend, path: backend.exists(path),
    "is_file": lambda backend, path: backend.is_file(path),
    "is_folder": lambda backend, path: backend.is_folder(path),
    "read": lambda backend, path: backend.read(path),
    "read_seekable": lambda backend, path: backend.read_seekable(path),
    "read_bytes": lambda backend, path: backend.read_bytes(path),
    "read_range": lambda backend, path: backend.read_range(path, 0, 1),
    "get_file_info": lambda backend, path: backend.get_file_info(path),
    "copy from": lambda backend, path: backend.copy(path, "taken"),
}
WRITES: dict[str, Operation] = {
    "write": lambda backend, path: backend.write(path, b"new", overwrite=True),
    "write_atomic": lambda backend, path: backend.write_atomic(path, b"new", overwrite=True),
    "open_atomic": open_and_write,
    "copy to": lambda backend, path: backend.copy("good", path, overwrite=True),
    "move to": lambda backend, path: backend.move("good", path, overwrite=True),
    "create": lambda backend, path: backend.write(path, b"new"),
}
REMOVALS: dict[str, Operation] = {
    "delete": lambda backend, path: backend.delete(path, missing_ok=True),
    "move from": lambda backend, path: backend.move(path, "taken"),
}
FOLDERS: dict[str, Operation] = {
    "list_files": lambda backend, path: list(backend.list_files(path, recursive=True)),
    "list_folders": lambda backend, path: list(backend.list_folders(path)),
    "iter_children": lambda backend, path: list(backend.iter_children(path)),
    "get_folder_info": lambda backend, path: backend.get_folder_info(path),
    "delete_folder": lambda backend, path: backend.delete_folder(path, recursive=True, missing_ok=True),
}


def chain(top: Path, count: int) -> str:
    """Make folders with long names in each other, and say the way to the last."""
    descriptor = os.open(top, os.O_RDONLY)
    for _ in range(count):
        os.mkdir("d" * 200, dir_fd=descriptor)
        below = os.open("d" * 200, os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = below
    os.close(descriptor)
    return "/".join(["d" * 200] * count)


def bad_links(root: Path, outside: Path) -> list[str]:
    """Make links that may not be followed; says the paths of them and through them."""
    (root / "to-file").symlink_to(outside / "secret")
    (root / "to-folder").symlink_to(outside)
    (root / "relative").symlink_to("../outside/secret")
    (root / "via").symlink_to("to-folder/sub")
    (root / "dots").symlink_to("good/../../outside/secret")
    (root / "dangling").symlink_to("nothing")
    (root / "dangling-absolute").symlink_to(root / "nothing/at/all")
    (root / "loop").symlink_to("pool")
    (root / "pool").symlink_to("loop")
    for number in range(60):
        (root / f"chain{number}").symlink_to(f"chain{number + 1}")
    (root / "chain60").symlink_to("good")
    # Each text is short enough for the system, what they make together is not.
    depth = 15 if folder.BY_DESCRIPTOR else 3
    way = chain(root, depth)
    (root / "long").symlink_to(way)
    (root / "long/longer").symlink_to(chain(root / way, depth - 1))
    (root / "long/longer/out").symlink_to(outside)
    return [
        "to-file",
        "to-folder/secret",
        "to-folder/new",
        "to-folder/new/deep",
        "to-folder/sub/secret",
        "relative",
        "via/secret",
        "dots",
        "dangling",
        "dangling/below",
        "dangling-absolute",
        "loop",
        "loop/below",
        "chain0",
        "long/longer/out/secret",
        "long/longer/out/new",
    ]


@pytest.mark.parametrize("name", [*READS, *WRITES, *REMOVALS, *FOLDERS])
def test_a_link_that_leads_out_or_nowhere_is_an_invalid_path(
    backend: LocalBackend, root: Path, outside: Path, name: str
) -> None:
    backend.write("good", b"good")
    operation = {**READS, **WRITES, **REMOVALS, **FOLDERS}[name]
    links = bad_links(root, outside)
    folders = ["to-folder", "via", "long/longer/out", "to-folder/sub", "dangling", "loop"]
    for path in folders if name in FOLDERS else links:
        with pytest.raises(InvalidPath) as raised:
            pytest.fail(f"{path}: {operation(backend, path)}")
        assert raised.value.path == path
        assert str(outside) not in str(raised.value)
    assert (root / "to-file").is_symlink()
    assert backend.read_bytes("good") == b"good"
    assert not backend.exists("taken")


def test_a_listing_shows_no_link_that_leads_out_or_nowhere(backend: LocalBackend, root: Path, outside: Path) -> None:
    backend.write("good", b"good")
    bad_links(root, outside)
    listed = [entry.path for entry in backend.iter_children("")]
    good = ["good", "d" * 200, "long", *(f"chain{number}" for number in range(21, 61))]
    assert sorted(listed) == sorted(good)
    assert all("secret" not in info.path for info in backend.list_files("", recursive=True))
    assert list(backend.glob("**/secret")) == list(backend.glob("*/*/secret")) == []
    assert [entry.path for entry in backend.iter_children("long/longer")] == []


def test_deleting_a_folder_deletes_links_and_not_what_they_name(
    backend: LocalBackend, root: Path, outside: Path
) -> None:
    (root / "d").mkdir()
    (root / "d/good").write_bytes(b"")
    bad_links(root / "d", outside)
    backend.delete_folder("d", recursive=True)
    assert list(root.iterdir()) == []


def test_a_link_in_the_root_is_the_file_that_it_names(backend: LocalBackend, root: Path, tmp_path: Path) -> None:
    backend.write("d/target", b"old")
    texts = {
        "relative": "d/target",
        "absolute": str(root / "d/target"),
        "dots": "d/../d/./target",
        "around": f"../{root.name}/d/target",
        "far": str(tmp_path / "back" / "d/target"),
        "chained": "relative",
    }
    (tmp_path / "back").symlink_to(root)
    for name, text in texts.items():
        (root / name).symlink_to(text)
    for number, name in enumerate(texts):
        new = b"new" * (number + 1)
        (root / "d/target").chmod(0o640)
        with pytest.raises(AlreadyExists):
            backend.write(name, b"")
        assert backend.write(name, new, overwrite=True).path == name
        assert (root / name).is_symlink()
        assert (root / "d/target").read_bytes() == new
        assert stat.S_IMODE((root / "d/target").stat().st_mode) == 0o640
        assert backend.get_file_info(name).etag == backend.get_file_info("d/target").etag
    assert sorted(info.path for info in backend.list_files("")) == sorted(texts)
    backend.write("other", b"other")
    backend.copy("other", "relative", overwrite=True)
    assert backend.read_bytes("d/target") == b"other"
    backend.move("other", "absolute", overwrite=True)
    assert (backend.read_bytes("d/target"), (root / "absolute").is_symlink()) == (b"other", True)
    for name in reversed(texts):
        backend.delete(name)
    assert backend.read_bytes("d/target") == b"other"
    assert sorted(path.name for path in root.iterdir()) == ["d"]


def test_a_link_to_a_folder_can_stand_in_a_path(backend: LocalBackend, root: Path) -> None:
    backend.write("d/e/a", b"1")
    (root / "folder").symlink_to("d/e")
    (root / "d/e/up").symlink_to("..")
    (root / "d/top").symlink_to(root)
    (root / "here").symlink_to(".")
    backend.write("folder/b", b"2")
    backend.write("folder/up/c", b"3")
    backend.write("folder/up/top/here/x/y", b"4")
    backend.move("folder/b", "here/folder/up/moved")
    assert sorted(info.path for info in backend.list_files("", recursive=True)) == ["d/c", "d/e/a", "d/moved", "x/y"]
    assert sorted(info.path for info in backend.list_files("folder", recursive=True)) == ["folder/a"]
    assert sorted(entry.path for entry in backend.list_folders("folder/up")) == ["folder/up/e", "folder/up/top"]
    assert backend.get_folder_info("here/d").file_count == 3
    backend.delete_folder("here/", recursive=True)
    assert not (root / "here").is_symlink()
    backend.delete("folder/up/top/x/y")
    assert not (root / "x").exists()
    assert sorted(info.path for info in backend.list_files("", recursive=True)) == ["d/c", "d/e/a", "d/moved"]


def test_a_file_is_not_moved_or_copied_onto_itself_by_another_way(backend: LocalBackend, root: Path) -> None:
    backend.write("d/a", b"1")
    (root / "link").symlink_to("d/a")
    (root / "folder").symlink_to("d")
    ways = ("d/a", "link", "folder/a")
    for src in ways:
        for dst in ways:
            backend.copy(src, dst, overwrite=True)
            backend.move(src, dst, overwrite=True)
            assert (root / "d/a").read_bytes() == b"1"
            assert (root / "link").is_symlink()
    os.link(root / "d/a", root / "hard")
    backend.move("d/a", "hard", overwrite=True)
    assert (backend.read_bytes("hard"), backend.exists("d")) == (b"1", False)


def test_a_download_follows_links_as_a_write_does(tmp_path: Path) -> None:
    def download(path: Path, content: bytes, *, overwrite: bool = True) -> None:
        with replacing(path, overwrite=overwrite) as file:
            file.write(content)

    (tmp_path / "d").mkdir()
    (tmp_path / "d/target").write_bytes(b"old")
    (tmp_path / "d/target").chmod(0o600)
    (tmp_path / "link").symlink_to("d/target")
    (tmp_path / "chained").symlink_to(tmp_path / "link")
    for number, name in enumerate(("link", "chained", "d/target")):
        download(tmp_path / name, bytes([number]))
        assert (tmp_path / "d/target").read_bytes() == bytes([number])
        assert stat.S_IMODE((tmp_path / "d/target").stat().st_mode) == 0o600
        with pytest.raises(FileExistsError):
            download(tmp_path / name, b"", overwrite=False)
    assert (tmp_path / "link").is_symlink()
    (tmp_path / "dangling").symlink_to("nothing")
    (tmp_path / "loop").symlink_to("loop")
    for name in ("dangling", "loop"):
        for overwrite in (True, False):
            with pytest.raises(OSError, match="link") as raised:
                download(tmp_path / name, b"", overwrite=overwrite)
            assert raised.value.filename == str(tmp_path / name)
        assert (tmp_path / name).is_symlink()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="pass the path of a file"):
        download(tmp_path / "pipe", b"")
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["chained", "d", "dangling", "link", "loop", "pipe"]
    assert [path.name for path in (tmp_path / "d").iterdir()] == ["target"]


SWAPPED = [*READS, *WRITES, *REMOVALS, "delete_folder", "list_files"]


@pytest.mark.parametrize("what", ["folder", "file"])
@pytest.mark.parametrize("name", SWAPPED)
def test_a_link_that_is_put_between_check_and_use_is_not_followed(
    tmp_path: Path, outside: Path, monkeypatch: pytest.MonkeyPatch, name: str, what: str
) -> None:
    root = tmp_path / "root"
    backend = LocalBackend(root, create=True)
    backend.write("d/secret", b"inside")
    backend.write("good", b"good")
    look = Folder.look
    swapped = {"folder": "d", "file": "secret"}[what]

    def looking(folder: Folder, entry: str) -> os.stat_result:
        facts = look(folder, entry)
        if entry == swapped and not stat.S_ISLNK(facts.st_mode):
            victim = root / "d" if what == "folder" else root / "d/secret"
            victim.rename(root / f"was{time.monotonic_ns()}")
            victim.symlink_to(outside if what == "folder" else outside / "secret")
        return facts

    monkeypatch.setattr(Folder, "look", looking)
    operation = {**READS, **WRITES, **REMOVALS, **FOLDERS}[name]
    got: object = None
    with suppress(InvalidPath, NotFound, AlreadyExists):
        got = operation(backend, "d" if name in FOLDERS else "d/secret")
    assert got not in (SECRET, SECRET[:1])
    if hasattr(got, "read"):
        with got:
            assert got.read() == b"inside"
    if isinstance(got, list):
        assert all(not info.path.startswith("d/sub") for info in got)
    with suppress(InvalidPath, NotFound):
        assert backend.read_bytes("taken") == b"inside"


def test_nothing_escapes_while_somebody_swaps_a_folder_and_a_link(tmp_path: Path, outside: Path) -> None:
    root = tmp_path / "root"
    backend = LocalBackend(root, create=True)
    backend.write("d/sub/secret", b"inside")
    backend.write("good", b"good")
    ended = threading.Event()

    def swap() -> None:
        while not ended.is_set():
            try:
                (root / "d").rename(root / "aside")
                (root / "d").symlink_to(outside)
                (root / "d").unlink()
                (root / "aside").rename(root / "d")
            except OSError:
                (root / "d").mkdir(exist_ok=True)

    thread = threading.Thread(target=swap)
    thread.start()
    count, end = 0, time.monotonic() + 1
    try:
        while time.monotonic() < end:
            for operation in (*READS.values(), *WRITES.values(), FOLDERS["list_files"], FOLDERS["delete_folder"]):
                try:
                    got = operation(backend, "d/sub/secret" if count % 2 else "d/secret")
                except Exception as error:  # noqa: BLE001 - any refusal is right
                    got = error
                assert got not in (SECRET, SECRET[:1])
                if hasattr(got, "close"):
                    got.close()
                count += 1
    finally:
        ended.set()
        thread.join()
    assert count > 50


@pytest.mark.parametrize("kind", ["pipe", "socket", "device"])
def test_what_is_neither_file_nor_folder_is_refused_and_waited_for_by_nobody(
    backend: LocalBackend, root: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend.write("good", b"good")
    monkeypatch.chdir(root)
    with socket.socket(socket.AF_UNIX) as listening:
        if kind == "pipe":
            os.mkfifo("odd")
        elif kind == "socket":
            listening.bind("odd")
        else:
            try:
                os.mknod("odd", stat.S_IFCHR | 0o666, os.makedev(1, 3))
            except PermissionError:
                pytest.skip("only root makes devices")
        (root / "link").symlink_to("odd")
        for path in ("odd", "link"):
            assert (backend.exists(path), backend.is_file(path), backend.is_folder(path)) == (False, False, False)
            for name, operation in {**READS, **WRITES, **REMOVALS}.items():
                if name not in ("exists", "is_file", "is_folder"):
                    with pytest.raises(InvalidPath):
                        operation(backend, path)
            for name in ("get_folder_info", "delete_folder"):
                with pytest.raises(InvalidPath):
                    FOLDERS[name](backend, path)
            assert FOLDERS["list_files"](backend, path) == []
        assert [entry.path for entry in backend.iter_children("")] == ["good"]
        with pytest.raises(InvalidPath):
            backend.write("odd/below", b"")
        assert not stat.S_ISREG(Path("odd").stat().st_mode)


def test_a_pipe_that_is_put_between_check_and_use_is_not_waited_for(
    backend: LocalBackend, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = Folder.look

    def looking(folder: Folder, entry: str) -> os.stat_result:
        facts = look(folder, entry)
        if entry == "a" and stat.S_ISREG(facts.st_mode):
            (root / "a").unlink()
            os.mkfifo(root / "a")
        return facts

    backend.write("a", b"1")
    monkeypatch.setattr(Folder, "look", looking)
    with pytest.raises(InvalidPath):
        backend.read("a")


def test_a_child_store_is_a_view_and_not_a_boundary(backend: LocalBackend, root: Path) -> None:
    store = Store(backend)
    store.write("sibling/a", b"1")
    store.write("team/b", b"2")
    (root / "team/link").symlink_to("../sibling")
    assert store.child("team").read_bytes("link/a") == b"1"


def test_links_inside_the_root_are_followed(backend: LocalBackend, root: Path) -> None:
    backend.write("d/a", b"1")
    (root / "file").symlink_to("d/a")
    (root / "folder").symlink_to("d")
    (root / "d" / "loop").symlink_to(root)
    assert backend.read_bytes("file") == backend.read_bytes("folder/a") == b"1"
    assert paths(backend.list_files("", recursive=True)) == ["d/a", "file"]
    assert paths(backend.list_folders("")) == ["d", "folder"]
    backend.move("file", "e/file")
    assert (backend.read_bytes("e/file"), backend.exists("file")) == (b"1", False)
    backend.delete_folder("folder", recursive=True)
    assert backend.read_bytes("d/a") == b"1"
    backend.delete_folder("d", recursive=True)
    assert on_disk(root) == ["e", "e/file"]


def test_links_out_of_the_root_are_refused(backend: LocalBackend, root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"1")
    (root / "folder").symlink_to(outside)
    (root / "file").symlink_to(outside / "secret")
    for path in ("folder/secret", "file"):
        for operation in (backend.read, backend.exists, backend.delete, backend.get_file_info):
            with pytest.raises(InvalidPath):
                operation(path)
    for path in ("folder/new", "folder/new/deep"):
        with pytest.raises(InvalidPath):
            backend.write(path, b"")
    with pytest.raises(InvalidPath):
        backend.delete_folder("folder", recursive=True)
    assert paths(backend.list_files("", recursive=True)) == paths(backend.iter_children("")) == []
    assert on_disk(outside) == ["secret"]
