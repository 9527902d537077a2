"""What a filesystem of fsspec can bring with it, and what the backend makes of it."""

from __future__ import annotations

import io
import tarfile
import zipfile
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from fsspec import AbstractFileSystem
from fsspec.implementations.dirfs import DirFileSystem
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem

from remote_store.core import (
    BackendUnavailable,
    Capability,
    CapabilityNotSupported,
    InvalidPath,
    NotFound,
    PreconditionFailed,
    Store,
)
from remote_store.fsspec import FsspecBackend

ODD = [
    "a::b",
    "memory:x",
    "s3:x",
    "dir::x",
    "zip::x",
    "~",
    "~root",
    "$HOME",
    "*",
    "[x]",
    "a?b",
    "line\n",
    " ",
    "%2F",
    "a\\b",
    "#x",
]


@pytest.fixture
def memory() -> MemoryFileSystem:
    return MemoryFileSystem(global_store=False, skip_instance_cache=True)


@pytest.fixture
def backend(memory: MemoryFileSystem) -> FsspecBackend:
    return FsspecBackend(memory, "/root")


def keys(backend: FsspecBackend, folder: str = "") -> list[str]:
    return sorted(file.path for file in backend.list_files(folder, recursive=True))


class Plain(AbstractFileSystem):
    """A filesystem in a dict with no more than it has to have: no copies, no folders, no times."""

    protocol = "plain"
    cachable = False

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.files: dict[str, bytes] = {}

    def info(self, path: str, **kwargs: Any) -> dict[str, Any]:
        path = path.strip("/")
        if path in self.files:
            return {"name": path, "size": len(self.files[path]), "type": "file"}
        if not path or any(name.startswith(f"{path}/") for name in self.files):
            return {"name": path, "size": 0, "type": "directory"}
        raise FileNotFoundError(path)

    def ls(self, path: str, detail: bool = True, **kwargs: Any) -> list[Any]:
        start = f"{path.strip('/')}/" if path.strip("/") else ""
        names = {start + name[len(start) :].partition("/")[0] for name in self.files if name.startswith(start)}
        return [self.info(name) for name in sorted(names)]

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **kwargs: Any) -> bytes:
        return self.files[path.strip("/")][start:end]

    def pipe_file(self, path: str, value: bytes, **kwargs: Any) -> None:
        self.files[path.strip("/")] = value

    def rm_file(self, path: str) -> None:
        del self.files[path.strip("/")]


class Counting(Plain):
    """Each look at a file brings another value of one fact."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self._looks = 0

    def info(self, path: str, **kwargs: Any) -> dict[str, Any]:
        self._looks -= 1
        return {**super().info(path), self._name: self._looks}


class TestPlaces:
    def test_a_key_is_a_name_and_no_pattern_or_url(self, memory: MemoryFileSystem, tmp_path: Path) -> None:
        places = [
            FsspecBackend(MemoryFileSystem(global_store=False, skip_instance_cache=True)),
            FsspecBackend(memory, "/root"),
            FsspecBackend(LocalFileSystem(), str(tmp_path)),
        ]
        for backend in places:
            for key in ODD:
                backend.write(key, key.encode())
                backend.copy(key, f"to/{key}")
                backend.move(f"to/{key}", f"moved/{key}")
                backend.delete(f"moved/{key}")
            assert keys(backend) == sorted(ODD)
            assert [backend.read_bytes(key) for key in ODD] == [key.encode() for key in ODD]

    def test_a_key_that_a_filesystem_would_cut_off_is_refused(self, tmp_path: Path) -> None:
        backend = FsspecBackend(DirFileSystem(str(tmp_path), LocalFileSystem()))
        backend.write("x", b"other")
        with pytest.raises(InvalidPath, match="takes this path for a URL"):
            backend.write("dir::x", b"")
        assert not backend.exists("dir::x")
        with pytest.raises(NotFound):
            backend.read_bytes("dir::x")
        assert backend.read_bytes("x") == b"other"

    @pytest.mark.parametrize("root", ["a", "/a", "/a/"])
    def test_a_root_is_no_prefix(self, memory: MemoryFileSystem, root: str) -> None:
        memory.pipe({"/ab/1": b"", "/a.txt": b"", "/a/2": b""})
        backend = FsspecBackend(memory, root)
        assert keys(backend) == ["2"]
        assert not backend.exists("b/1")
        backend.delete("2")
        assert memory.find("/") == ["/a.txt", "/ab/1"]

    def test_a_relative_root_is_resolved_once(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        backend = FsspecBackend(LocalFileSystem(), "some/where")
        monkeypatch.chdir("/")
        backend.write("key", b"1")
        assert (tmp_path / "some/where/key").read_bytes() == b"1"
        assert backend.native_path("key") == f"file://{tmp_path}/some/where/key"
        assert backend.to_key(backend.native_path("key")) == "key"

    def test_a_root_is_created_or_must_exist(self, tmp_path: Path) -> None:
        absent = str(tmp_path / "absent")
        FsspecBackend(LocalFileSystem(), absent).check_health()
        strict = FsspecBackend(LocalFileSystem(), absent, create=False)
        with pytest.raises(NotFound, match="root"):
            strict.check_health()
        with pytest.raises(NotFound, match="root"):
            strict.write("key", b"")
        assert list(tmp_path.iterdir()) == []
        FsspecBackend(LocalFileSystem(), absent).write("key", b"")
        strict.check_health()

    def test_a_root_that_is_a_file_is_no_root_unless_it_lists_others(self, memory: MemoryFileSystem) -> None:
        class Web(Plain):
            def info(self, path: str, **kwargs: Any) -> dict[str, Any]:
                return {**super().info(path), "type": "file"}

        memory.pipe_file("/root", b"")
        with pytest.raises(NotFound, match="root"):
            FsspecBackend(memory, "/root").check_health()
        web = Web()
        web.files["root/key"] = b"1"
        FsspecBackend(web, "root").check_health()

    def test_a_marker_in_a_listing_is_no_entry(self, memory: MemoryFileSystem, monkeypatch: pytest.MonkeyPatch) -> None:
        memory.pipe({"/root/a/a": b""})
        marker = {"name": "/root/a/", "size": 0, "type": "directory"}
        listed = memory.ls
        monkeypatch.setattr(memory, "ls", lambda path, **options: [marker, *listed(path, **options)])
        assert [entry.path for entry in FsspecBackend(memory, "/root").iter_children("a")] == ["a/a"]

    @pytest.mark.parametrize(
        "protocol, base", [("https", "https://host/dir"), ("plain", "root"), ("plain", "plain://root")]
    )
    def test_only_rows_directly_in_a_folder_are_its_entries(self, protocol: str, base: str) -> None:
        rows = ["a", "b/", "./c", "sub/deep.bin", "sub/deep/", "../up", ".././up", "/"]
        links = ["?C=N;O=D", "a?x=1", "#top"]

        class Page(Plain):
            def ls(self, path: str, detail: bool = True, **kwargs: Any) -> list[Any]:
                start = base.removeprefix("plain://")
                return [
                    {"name": f"{start}/{row}", "size": 1, "type": "directory" if row.endswith("/") else "file"}
                    for row in [*rows, *links]
                ]

            def info(self, path: str, **kwargs: Any) -> dict[str, Any]:
                return {"name": path, "size": 0, "type": "directory"}

        page = Page()
        page.protocol = protocol
        backend = FsspecBackend(page, base)
        found = {entry.name for entry in backend.iter_children("")}
        assert found == {"a", "b", "c", *([] if protocol == "https" else links)}


class TestFeatures:
    def test_a_filesystem_that_cannot_copy_declares_no_copies(self) -> None:
        backend = FsspecBackend(Plain(), "root")
        assert not {Capability.COPY, Capability.MOVE} & backend.capabilities
        backend.write("a/b", b"content")
        for call in (backend.copy, backend.move):
            with pytest.raises(CapabilityNotSupported, match="this filesystem of fsspec has no (copy|move)"):
                call("a/b", "c")
        assert backend.get_file_info("a/b").modified_at is None
        assert keys(backend) == ["a/b"]
        backend.delete("a/b")
        assert keys(backend) == []

    def test_what_a_filesystem_does_not_implement_is_named(self) -> None:
        class Half(MemoryFileSystem):
            def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **kwargs: Any) -> None:
                raise NotImplementedError

        with pytest.raises(CapabilityNotSupported, match="does not support this write") as caught:
            FsspecBackend(Half(), "/half").write("key", b"")
        assert caught.value.capability == "write"

    def test_read_only_is_declared(self, memory: MemoryFileSystem) -> None:
        memory.pipe_file("/root/key", b"content")
        backend = FsspecBackend(memory, "/root", read_only=True)
        assert not {Capability.WRITE, Capability.DELETE, Capability.COPY, Capability.MOVE} & backend.capabilities
        for call in (
            lambda: backend.write("new", b""),
            lambda: backend.delete("key"),
            lambda: backend.move("key", "new"),
        ):
            with pytest.raises(CapabilityNotSupported):
                call()
        assert backend.read_bytes("key") == b"content"

    def test_an_archive_is_read_only(self, tmp_path: Path) -> None:
        with zipfile.ZipFile(tmp_path / "files.zip", "w") as archive:
            archive.writestr("a/b.txt", "content")
            archive.writestr("top", "1")
        with tarfile.open(tmp_path / "files.tar", "w") as archive:
            for name, content in {"a/b.txt": b"content", "top": b"1"}.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        for kind in ("zip", "tar"):
            store = Store.from_url(f"fsspec+{kind}://?fo={tmp_path}/files.{kind}")
            assert sorted(file.path for file in store.list_files("", recursive=True)) == ["a/b.txt", "top"]
            assert [folder.path for folder in store.list_folders("")] == ["a"]
            assert store.read_bytes("a/b.txt") == b"content"
            assert store.read_range("a/b.txt", 2, 3) == b"nte"
            assert [file.path for file in store.glob("**/*.txt")] == ["a/b.txt"]
            with pytest.raises(CapabilityNotSupported):
                store.write("new", b"")
            with pytest.raises(NotFound):
                store.read_bytes("a/c")
            store.close()

    @pytest.mark.parametrize("names", [("zip", "a.zip"), ("tar", "a.tar")])
    def test_an_archive_that_is_not_there_is_not_found(self, names: tuple[str, str], tmp_path: Path) -> None:
        with pytest.raises(NotFound):
            Store.from_url(f"fsspec+{names[0]}://?fo={tmp_path}/{names[1]}")

    def test_a_size_that_is_not_known_is_found_out(self) -> None:
        class Sizeless(Plain):
            def info(self, path: str, **kwargs: Any) -> dict[str, Any]:
                return {**super().info(path), "size": None}

            def open(self, path: str, mode: str = "rb", **kwargs: Any) -> io.BytesIO:
                return io.BytesIO(self.files[path])

        backend = FsspecBackend(Sizeless(), "root")
        backend.write("key", b"0123456789")
        assert [file.size for file in backend.list_files("")] == [10]
        assert backend.get_folder_info("").total_size == 10
        assert (backend.read_bytes("key"), backend.read_range("key", 3, 4)) == (b"0123456789", b"3456")
        with backend.read("key") as file:
            assert (file.read(4), file.read()) == (b"0123", b"456789")

    @pytest.mark.parametrize("given", [slice(0, 10), None], ids=["ignored", "honoured"])
    def test_a_range_is_the_one_that_was_asked_for(self, given: slice | None) -> None:
        """A server of HTTP may ignore a range, and send the whole file."""

        class Ranges(Plain):
            def cat_file(self, path: str, start: int | None = None, end: int | None = None, **kwargs: Any) -> bytes:
                return self.files[path][given or slice(start, end)]

        content = b"0123456789"
        backend = FsspecBackend(Ranges(), "root")
        backend.write("key", content)
        for start in range(12):
            for length in (1, 5, 9, 10, 11, 100):
                assert backend.read_range("key", start, length) == content[start : start + length]
                with backend.read_seekable("key") as file:
                    file.seek(start)
                    assert file.read(length) == content[start : start + length]

    @pytest.mark.parametrize("given", [slice(0, 4), slice(5, None), slice(0, 0)], ids=str)
    def test_other_bytes_than_those_asked_for_are_an_error(self, given: slice) -> None:
        class Cut(Plain):
            def cat_file(self, path: str, start: int | None = None, end: int | None = None, **kwargs: Any) -> bytes:
                return self.files[path][given]

        backend = FsspecBackend(Cut(), "root")
        backend.write("key", b"0123456789")
        for call in (lambda: backend.read_bytes("key"), lambda: backend.read_range("key", 2, 3)):
            with pytest.raises(BackendUnavailable, match="returned"):
                call()

    def test_a_kept_listing_is_not_believed(self) -> None:
        class Keeping(Plain):
            def ls(self, path: str, detail: bool = True, **kwargs: Any) -> list[Any]:
                if path not in self.dircache:
                    self.dircache[path] = super().ls(path)
                return self.dircache[path]

            def info(self, path: str, **kwargs: Any) -> dict[str, Any]:
                key = f"info {path}"
                if key not in self.dircache:
                    self.dircache[key] = super().info(path)
                return self.dircache[key]

            def invalidate_cache(self, path: str | None = None) -> None:
                self.dircache.clear()

        fs = Keeping()
        backend = FsspecBackend(fs, "root")
        backend.write("a", b"1")
        assert keys(backend) == ["a"]
        fs.files |= {"root/a": b"22", "root/b": b""}
        assert {file.path: file.size for file in backend.list_files("")} == {"a": 2, "b": 0}
        assert backend.get_file_info("a").size == 2
        del fs.files["root/a"]
        assert not backend.exists("a")
        assert keys(backend) == ["b"]

    @pytest.mark.parametrize(
        "entry, moment",
        [
            ({"mtime": 86400.5}, "1970-01-02T00:00:00.500000+00:00"),
            ({"modify": "20261130120000"}, "2026-11-30T12:00:00+00:00"),
            (
                {"LastModified": datetime(2026, 11, 30, 12, tzinfo=timezone(timedelta(hours=1)))},
                "2026-11-30T11:00:00+00:00",
            ),
            ({"updated": "2026-11-30T12:00:00Z"}, "2026-11-30T12:00:00+00:00"),
            ({"modified": datetime(2026, 11, 30)}, "2026-11-30T00:00:00+00:00"),  # noqa: DTZ001 - as fsspec has it
            ({"modified": "yesterday", "created": 0}, "1970-01-01T00:00:00+00:00"),
        ],
        ids=str,
    )
    def test_a_time_is_found_under_each_name_and_in_each_format(self, entry: dict[str, Any], moment: str) -> None:
        class Timed(Plain):
            def info(self, path: str, **kwargs: Any) -> dict[str, Any]:
                return {**super().info(path), **entry}

        backend = FsspecBackend(Timed(), "root")
        backend.write("key", b"1")
        found = backend.get_file_info("key").modified_at
        assert found is not None
        assert found.isoformat() == moment

    @pytest.mark.parametrize(
        "name",
        [
            "url",
            "atime",
            "time",
            "accessTime",
            "name",
            "mimetype",
            "mode",
            "uid",
            "nlink",
            "owner",
            "expires",
            "islink",
        ],
    )
    def test_what_is_not_of_the_content_is_no_change(self, name: str) -> None:
        """Over HTTP, `info` has the URL at the end of a redirect, which may be signed anew each time."""
        backend = FsspecBackend(Counting(name), "root")
        backend.write("key", b"content")
        assert backend.read_bytes("key") == b"content"

    @pytest.mark.parametrize(
        "name",
        [
            "size",
            *("mtime", "created", "modify", "last_modified", "LastModified", "Last-Modified", "modificationTime"),
            *("ETag", "etag", "e_tag", "Content-MD5", "Digest", "md5Hash", "crc32c", "checksum", "sha"),
            *("version_id", "VersionId", "generation", "metageneration", "ino", "unique", "fileId", "id"),
        ],
    )
    def test_another_version_is_a_change(self, name: str) -> None:
        backend = FsspecBackend(Counting(name), "root")
        backend.write("key", b"")
        with pytest.raises(PreconditionFailed):
            backend.read_bytes("key")

    def test_a_change_during_a_read_is_noticed(self, memory: MemoryFileSystem, backend: FsspecBackend) -> None:
        backend.write("key", bytes(3 << 20))
        with backend.read("key") as file:
            file.read(10)
            backend.write("key", b"new", overwrite=True)
            with pytest.raises(PreconditionFailed):
                file.read()
