"""A filesystem is opened by URL, in a configuration or by hand, and used by several processes."""

from __future__ import annotations

import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec import AbstractFileSystem
from fsspec.asyn import AsyncFileSystem
from fsspec.implementations.dirfs import DirFileSystem
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem
from fsspec.implementations.zip import ZipFileSystem

from remote_store.core import (
    BackendUnavailable,
    Capability,
    CapabilityNotSupported,
    ConfigError,
    Secret,
    Store,
    open_store,
)
from remote_store.fsspec import FsspecBackend


@pytest.fixture
def memory() -> MemoryFileSystem:
    return MemoryFileSystem(global_store=False, skip_instance_cache=True)


@pytest.fixture
def backend(memory: MemoryFileSystem) -> FsspecBackend:
    return FsspecBackend(memory, "/root")


class Async(AsyncFileSystem):
    protocol = "coroutines"
    cachable = False

    async def _info(self, path: str, **kwargs: Any) -> dict[str, Any]:
        return {"name": path, "size": 0, "type": "directory"}

    async def _ls(self, path: str, detail: bool = True, **kwargs: Any) -> list[Any]:
        return []


class Connection:
    is_closed = False

    def close(self) -> None:
        self.is_closed = True


class Connected(MemoryFileSystem):
    """A filesystem with a connection, as SFTP and FTP have one."""

    protocol = "sftp"
    cachable = False

    def __init__(self) -> None:
        super().__init__()
        self.client = Connection()


class TestProcesses:
    def test_an_asynchronous_filesystem_is_refused(self) -> None:
        for fs in (Async(asynchronous=True), DirFileSystem("a", Async(asynchronous=True), asynchronous=True)):
            with pytest.raises(ConfigError, match="make it without asynchronous=True"):
                FsspecBackend(fs)

    def test_an_async_filesystem_blocks(self) -> None:
        backend = FsspecBackend(Async(), "root")
        assert list(backend.iter_children("")) == []
        assert not {Capability.COPY, Capability.MOVE} & backend.capabilities

    @pytest.mark.parametrize("make", [Async, Connected, lambda: DirFileSystem("a", Connected())])
    def test_what_a_fork_shares_is_not_used_in_the_child(
        self, make: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The parent and the child would read from one socket."""
        backend = FsspecBackend(make(), "root")
        again = FsspecBackend(make(), "root")
        monkeypatch.setattr(os, "getpid", lambda: -1)
        with pytest.raises(BackendUnavailable, match="make a new backend"):
            backend.exists("key")
        with pytest.raises(BackendUnavailable):
            again.write("key", b"")
        FsspecBackend(make(), "root").exists("key")

    def test_a_child_does_not_close_the_connection_of_its_parent(self, monkeypatch: pytest.MonkeyPatch) -> None:
        fsspec.register_implementation("connected", Connected, clobber=True)
        backend = FsspecBackend("connected")
        fs = backend.unwrap(Connected)
        monkeypatch.setattr(os, "getpid", lambda: -1)
        backend.close()
        assert not fs.client.is_closed

    def test_disks_and_memory_are_used_after_a_fork(
        self, memory: MemoryFileSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        places = [(memory, "/root"), (LocalFileSystem(), str(tmp_path)), (DirFileSystem("/dir", memory), "")]
        backends = [FsspecBackend(fs, root) for fs, root in places]
        monkeypatch.setattr(os, "getpid", lambda: -1)
        for backend in backends:
            backend.write("key", b"1")
            assert backend.read_bytes("key") == b"1"

    @pytest.mark.parametrize("attribute, protocol", [("client", "sftp"), ("client", "ssh"), ("ftp", "ftp")])
    def test_closing_closes_the_connection_of_a_filesystem_without_close(self, attribute: str, protocol: str) -> None:
        def connect(fs: Any) -> None:
            AbstractFileSystem.__init__(fs)
            setattr(fs, attribute, Connection())

        kind = type("Opened", (AbstractFileSystem,), {"__init__": connect, "protocol": protocol, "cachable": False})
        handed = kind()
        FsspecBackend(handed).close()
        assert not getattr(handed, attribute).is_closed
        fsspec.register_implementation(f"test-{protocol}", kind, clobber=True)
        with FsspecBackend(f"test-{protocol}") as backend:
            fs = backend.unwrap(AbstractFileSystem)
        assert getattr(fs, attribute).is_closed

    def test_a_pickle_sees_the_same_files(self, tmp_path: Path) -> None:
        backend = FsspecBackend(LocalFileSystem(), str(tmp_path), read_only=True)
        (tmp_path / "key").write_bytes(b"1")
        again = pickle.loads(pickle.dumps(backend))
        assert again.read_bytes("key") == b"1"
        assert again.capabilities == backend.capabilities

    def test_closing_closes_what_was_opened_here_only(self, tmp_path: Path) -> None:
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
            archive.writestr("key", "1")
        handed = ZipFileSystem(str(tmp_path / "a.zip"))
        FsspecBackend(handed).close()
        assert handed.cat_file("key") == b"1"
        own = FsspecBackend("zip", fo=str(tmp_path / "a.zip"))
        fs = own.unwrap(ZipFileSystem)
        own.close()
        own.close()
        assert fs.zip.fp is None
        with pytest.raises(BackendUnavailable, match="closed"):
            own.exists("key")


class TestOpening:
    def test_a_url_names_a_place(self, tmp_path: Path) -> None:
        folder = tmp_path / "a b"
        with Store.from_url(f"fsspec+file://{tmp_path}/a%20b") as store:
            store.write_text("key", "1")
        assert (folder / "key").read_text("utf-8") == "1"
        with Store.from_url("fsspec+memory://test-backend/place") as store:
            store.write_text("key", "1")
            assert MemoryFileSystem().cat_file("/test-backend/place/key") == b"1"
            store.delete("key")

    def test_a_configuration_names_a_filesystem(self, tmp_path: Path) -> None:
        table = {"type": "fsspec", "fs": "dir", "path": str(tmp_path), "target_protocol": "file"}
        config = {"backends": {"main": table}, "stores": {"main": {"backend": "main"}}}
        with open_store(config, "main") as store:
            store.write_text("key", "1")
        assert list(tmp_path.iterdir()) == [tmp_path / "key"]

    def test_a_secret_is_revealed_to_the_filesystem_only(self) -> None:
        seen: dict[str, Any] = {}

        class Locked(MemoryFileSystem):
            def __init__(self, password: str, **options: Any) -> None:
                super().__init__(**options)
                seen["password"] = password

        fsspec.register_implementation("locked", Locked, clobber=True)
        assert "hunter2" not in repr(FsspecBackend("locked", password=Secret("hunter2")))
        assert seen == {"password": "hunter2"}

    @pytest.mark.parametrize(
        "protocol, root",
        [
            ("https", "https://ada:hunter2@host/dir"),
            ("https", "https://hunter2@host"),
            ("sftp", "sftp://ada:hunter2@host/dir"),
            ("s3", "s3://ada:hunter2@bucket/dir"),
        ],
    )
    def test_a_root_with_a_secret_is_refused(self, protocol: str, root: str) -> None:
        class Named(AbstractFileSystem):
            cachable = False

            @classmethod
            def _strip_protocol(cls, path: str) -> str:
                return path

        fs = Named()
        fs.protocol = (protocol, "other")
        for arguments in ((fs, root), (DirFileSystem(root, fs), "")):
            with pytest.raises(ConfigError, match="user or a password") as caught:
                FsspecBackend(*arguments)
            assert "hunter2" not in str(caught.value)

    @pytest.mark.parametrize(
        "protocol, root",
        [("abfs", "abfs://container@account.dfs.core.windows.net/dir"), ("zip", "a@b/c"), ("file", "/x://a@b")],
    )
    def test_an_at_sign_is_no_secret(self, protocol: str, root: str) -> None:
        kind = type("Named", (AbstractFileSystem,), {"protocol": protocol, "cachable": False})
        assert "@" in repr(FsspecBackend(kind(), root))

    @pytest.mark.parametrize(
        "url, text",
        [
            ("fsspec://folder", "names no protocol"),
            ("fsspec+memory://a::b", "chains filesystems"),
            ("fsspec+nothing://a", "Protocol not known"),
            ("fsspec+zip://?password=1", "pass it as an argument"),
        ],
    )
    def test_a_wrong_url_says_what_is_wrong(self, url: str, text: str) -> None:
        with pytest.raises(ConfigError, match=text):
            Store.from_url(url)

    def test_a_wrong_argument_says_what_is_wrong(self, memory: MemoryFileSystem) -> None:
        with pytest.raises(TypeError, match="not PosixPath"):
            FsspecBackend(Path("/tmp"))  # type: ignore[arg-type]
        with pytest.raises(ConfigError, match="takes no options; make it with auto_mkdir"):
            FsspecBackend(memory, auto_mkdir=True)

    def test_the_filesystem_can_be_unwrapped(self, backend: FsspecBackend, memory: MemoryFileSystem) -> None:
        assert backend.unwrap(AbstractFileSystem) is backend.unwrap(MemoryFileSystem) is memory
        with pytest.raises(CapabilityNotSupported):
            backend.unwrap(LocalFileSystem)
