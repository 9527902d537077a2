from __future__ import annotations

import asyncio
import base64
import errno
import hashlib
import os
import random
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from remote_store.conformance.fakes.s3 import AsyncFakeS3Port, FakeS3, FakeS3Port
from remote_store.core import (
    AsyncStore,
    BackendUnavailable,
    Capability,
    CapabilityNotSupported,
    ChecksumMismatch,
    LocalBackend,
    MemoryBackend,
    NotFound,
    PreconditionFailed,
    ResolutionPlan,
    Store,
    ThreadedBackend,
)
from remote_store.core import resumed_downloads as module
from remote_store.core.local import unfinished
from remote_store.core.resumed_downloads import identity
from remote_store.core.s3 import AsyncS3Backend, S3Backend, S3Options
from uploads import GET, HEAD, Reports

DATA = random.Random(5).randbytes(10_000)
BLOCK = 1000
Download = Callable[..., int]


class Stopped(BaseException):
    """What interrupts a download: no `Exception`, like `KeyboardInterrupt`."""


class FakeBackend(S3Backend):
    def __init__(self, s3: FakeS3) -> None:
        super().__init__("bucket", S3Options.build())
        self._s3 = s3

    def _connect(self) -> FakeS3Port:
        return FakeS3Port(self._s3)


class AsyncFakeBackend(AsyncS3Backend):
    def __init__(self, s3: FakeS3) -> None:
        super().__init__("bucket", S3Options.build())
        self._s3 = s3

    async def _connect(self) -> AsyncFakeS3Port:
        return AsyncFakeS3Port(self._s3)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SMALL", BLOCK)
    monkeypatch.setattr(module, "LARGE", BLOCK)
    monkeypatch.setattr("remote_store.core.aio.resumed_downloads.LARGE", BLOCK)


@pytest.fixture
def s3() -> Iterator[FakeS3]:
    server = FakeS3()
    server.put("a", DATA)
    yield server
    assert not server.open_bodies()


@pytest.fixture(params=["sync", "async"])
def download(request: pytest.FixtureRequest, s3: FakeS3) -> Download:
    """Downloads in a store of its own, as another process would."""

    async def in_loop(local: Path, **options: Any) -> int:
        async with AsyncStore(AsyncFakeBackend(s3)) as store:
            return await store.download("a", local, resume=True, **options)

    def blocking(local: Path, **options: Any) -> int:
        with Store(FakeBackend(s3)) as store:
            return store.download("a", local, resume=True, **options)

    return blocking if request.param == "sync" else lambda *args, **options: asyncio.run(in_loop(*args, **options))


def stopping(at: int) -> Callable[[int, int | None, int], None]:
    def progress(done: int, _total: int | None, _delta: int) -> None:
        if done >= at:
            raise Stopped

    return progress


def stop(download: Download, local: Path, at: int = 4000) -> BaseException:
    with pytest.raises(Stopped) as caught:
        download(local, progress=stopping(at))
    return caught.value


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def temporary(folder: Path) -> Path:
    return next(path for path in folder.iterdir() if path.name.startswith(".") and path.suffix != ".json")


def sent(s3: FakeS3) -> list[str]:
    """The operations, and the first byte of each range that was read."""
    shown = [(call.operation, call.params.get("Range", "").partition("-")[0]) for call in s3.calls]
    s3.calls.clear()
    return [f"{operation} {first}".strip() for operation, first in shown]


def test_a_download_that_succeeds_leaves_nothing_beside_the_file(
    download: Download, s3: FakeS3, tmp_path: Path
) -> None:
    seen = Reports()
    assert download(tmp_path / "local", progress=seen) == len(DATA)
    assert (tmp_path / "local").read_bytes() == DATA
    assert names(tmp_path) == ["local"]
    assert sent(s3) == [GET]
    assert (seen[0], seen[-1]) == ((0, len(DATA), 0), (len(DATA), len(DATA), BLOCK))
    (tmp_path / "plain").touch()
    assert (tmp_path / "local").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_download_goes_on_where_the_last_one_stopped(download: Download, s3: FakeS3, tmp_path: Path) -> None:
    error = stop(download, tmp_path / "local")
    kept_in = f"4000 bytes are kept in {temporary(tmp_path).name!r} beside the local file"
    assert error.__notes__ == [f"{kept_in}; download again with resume=True to go on, or remove that file"]
    assert not (tmp_path / "local").exists()
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    sent(s3)
    seen = Reports()
    assert download(tmp_path / "local", progress=seen) == len(DATA)
    assert (tmp_path / "local").read_bytes() == DATA
    assert sent(s3) == [HEAD, *(f"{GET} bytes={first}" for first in range(4000, 10_000, BLOCK))]
    assert [report.done for report in seen] == list(range(4000, 10_001, BLOCK))
    assert (seen[0].delta, {report.total for report in seen}) == (0, {len(DATA)})
    assert names(tmp_path) == ["local"]


def test_a_complete_temporary_file_is_only_renamed(download: Download, s3: FakeS3, tmp_path: Path) -> None:
    stop(download, tmp_path / "local", at=len(DATA))
    sent(s3)
    download(tmp_path / "local")
    assert (sent(s3), (tmp_path / "local").read_bytes()) == ([HEAD], DATA)


def test_another_version_is_downloaded_anew(download: Download, s3: FakeS3, tmp_path: Path) -> None:
    stop(download, tmp_path / "local")
    s3.put("a", DATA[::-1])
    sent(s3)
    seen = Reports()
    assert download(tmp_path / "local", progress=seen) == len(DATA)
    assert (tmp_path / "local").read_bytes() == DATA[::-1]
    assert (seen[0].done, sent(s3)[0]) == (0, HEAD)
    assert names(tmp_path) == ["local"]


def test_a_file_that_changes_during_the_download_is_never_mixed(download: Download, s3: FakeS3, tmp_path: Path) -> None:
    stop(download, tmp_path / "local")

    def change(done: int, _total: int | None, _delta: int) -> None:
        if done == 6000:
            s3.put("a", DATA[::-1])

    with pytest.raises(PreconditionFailed):
        download(tmp_path / "local", progress=change)
    assert not (tmp_path / "local").exists()
    download(tmp_path / "local")
    assert (tmp_path / "local").read_bytes() == DATA[::-1]


@pytest.mark.parametrize("etag", ['W/"weak"', ""])
def test_without_a_strong_tag_nothing_is_kept(download: Download, s3: FakeS3, tmp_path: Path, etag: str) -> None:
    s3.put("a", DATA, etag=etag)
    s3.after = lambda _call, response: response.setdefault(  # type: ignore[attr-defined]
        "ResponseMetadata", {"HTTPHeaders": {"x-amz-id-2": "signed"}, "HTTPStatusCode": 200}
    )
    stop(download, tmp_path / "local")
    assert names(tmp_path) == []
    download(tmp_path / "local")
    assert (tmp_path / "local").read_bytes() == DATA


def test_a_tag_that_became_weak_is_not_trusted(download: Download, s3: FakeS3, tmp_path: Path) -> None:
    stop(download, tmp_path / "local")
    s3.put("a", DATA[::-1], etag=f"W/{s3.objects['a'].etag}")
    download(tmp_path / "local")
    assert (tmp_path / "local").read_bytes() == DATA[::-1]


def flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[1234] ^= 1
    file.write_bytes(data)


def cut(file: Path) -> None:
    os.truncate(file, 3999)


def by_link(file: Path) -> None:
    os.link(file, file.with_name("link"))


def for_others(file: Path) -> None:
    file.chmod(0o644)


def to_link(file: Path) -> None:
    file.rename(file.with_name("moved"))
    file.symlink_to("moved")


def to_pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


@pytest.mark.parametrize("damage", [flip, cut, by_link, for_others, to_link, to_pipe, Path.unlink])
@pytest.mark.parametrize("which", ["temporary", "record"])
def test_a_damaged_or_foreign_file_is_not_trusted(
    download: Download, s3: FakeS3, tmp_path: Path, damage: Callable[[Path], None], which: str
) -> None:
    stop(download, tmp_path / "local")
    file = temporary(tmp_path)
    if which == "record":
        file = file.with_name(f"{file.name}.json")
        damage = (lambda file: file.write_bytes(file.read_bytes()[:-9])) if damage in (flip, cut) else damage
    damage(file)
    seen = Reports()
    download(tmp_path / "local", progress=seen)
    assert (tmp_path / "local").read_bytes() == DATA
    assert seen[0].done == 0
    assert not [name for name in names(tmp_path) if name.startswith(".")]


def test_bytes_behind_the_last_whole_block_are_not_used(download: Download, s3: FakeS3, tmp_path: Path) -> None:
    stop(download, tmp_path / "local")
    with temporary(tmp_path).open("ab") as file:
        file.write(b"the first bytes of a block")
    seen = Reports()
    download(tmp_path / "local", progress=seen)
    assert (seen[0].done, (tmp_path / "local").read_bytes()) == (4000, DATA)


@pytest.mark.parametrize("document", [b"[]", b"{", b"", b'{"done": true}', b'{"done": -1}', b'{"done": "4000"}'])
def test_a_record_of_another_shape_proves_nothing(download: Download, tmp_path: Path, document: bytes) -> None:
    stop(download, tmp_path / "local")
    file = temporary(tmp_path)
    file.with_name(f"{file.name}.json").write_bytes(document)
    seen = Reports()
    download(tmp_path / "local", progress=seen)
    assert (seen[0].done, (tmp_path / "local").read_bytes()) == (0, DATA)


def test_each_target_and_each_source_has_its_own_bytes(s3: FakeS3, tmp_path: Path) -> None:
    s3.put("b", DATA[::-1], etag=s3.objects["a"].etag)
    with Store(FakeBackend(s3)) as store:
        for target in ("one", "two"):
            with pytest.raises(Stopped):
                store.download("a", tmp_path / target, resume=True, progress=stopping(4000))
        assert len(names(tmp_path)) == 4
        store.download("b", tmp_path / "one", resume=True)
        store.download("a", tmp_path / "two", resume=True)
    assert ((tmp_path / "one").read_bytes(), (tmp_path / "two").read_bytes()) == (DATA[::-1], DATA)


def test_a_store_that_is_scoped_otherwise_goes_on_too(s3: FakeS3, tmp_path: Path) -> None:
    s3.put("team/a", DATA)
    with pytest.raises(Stopped):
        Store(FakeBackend(s3)).download("team/a", tmp_path / "local", resume=True, progress=stopping(4000))
    seen = Reports()
    Store(FakeBackend(s3), "team").download("a", tmp_path / "local", resume=True, progress=seen)
    assert (seen[0].done, (tmp_path / "local").read_bytes()) == (4000, DATA)


def test_two_downloads_to_one_file_do_not_mix(download: Download, s3: FakeS3, tmp_path: Path) -> None:
    refused = []

    def second(done: int, _total: int | None, _delta: int) -> None:
        if done == 4000:
            with (
                pytest.raises(BlockingIOError, match="another call is downloading") as caught,
                Store(FakeBackend(s3)) as store,
            ):
                store.download("a", tmp_path / "local", resume=True)
            refused.append(caught.value.filename)

    download(tmp_path / "local", progress=second)
    assert refused == [str(tmp_path / "local")]
    assert (tmp_path / "local").read_bytes() == DATA
    assert names(tmp_path) == ["local"]


def test_a_name_that_is_taken_meanwhile_is_not_replaced_and_the_bytes_are_kept(
    download: Download, s3: FakeS3, tmp_path: Path
) -> None:
    def create(done: int, _total: int | None, _delta: int) -> None:
        if done == 4000:
            (tmp_path / "local").write_bytes(b"theirs")

    with pytest.raises(FileExistsError):
        download(tmp_path / "local", progress=create)
    assert (tmp_path / "local").read_bytes() == b"theirs"
    with pytest.raises(FileExistsError):
        download(tmp_path / "local")
    sent(s3)
    (tmp_path / "local").chmod(0o640)
    download(tmp_path / "local", overwrite=True)
    assert ((tmp_path / "local").read_bytes(), sent(s3)) == (DATA, [HEAD])
    assert (tmp_path / "local").stat().st_mode & 0o777 == 0o640


def test_a_file_that_is_not_there_leaves_what_was_kept(download: Download, s3: FakeS3, tmp_path: Path) -> None:
    old = s3.objects.pop("a")
    with pytest.raises(NotFound):
        download(tmp_path / "local")
    assert names(tmp_path) == []
    s3.objects["a"] = old
    stop(download, tmp_path / "local")
    del s3.objects["a"]
    with pytest.raises(NotFound):
        download(tmp_path / "local")
    s3.objects["a"] = old
    seen = Reports()
    download(tmp_path / "local", progress=seen)
    assert (seen[0].done, (tmp_path / "local").read_bytes()) == (4000, DATA)


def test_a_full_disk_keeps_what_fits(
    download: Download, s3: FakeS3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int, data: Any) -> None:
        if os.fstat(descriptor).st_size + len(data) > 5500 and len(data) == BLOCK:
            os.write(descriptor, data[:500])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        unfinished.write_all(descriptor, data)

    with monkeypatch.context() as patch:
        patch.setattr(module, "write_all", full)
        with pytest.raises(OSError, match="No space left") as caught:
            download(tmp_path / "local")
    assert (caught.value.errno, "5000 bytes are kept" in caught.value.__notes__[0]) == (errno.ENOSPC, True)
    assert not (tmp_path / "local").exists()
    seen = Reports()
    download(tmp_path / "local", progress=seen)
    assert (seen[0].done, (tmp_path / "local").read_bytes()) == (5000, DATA)


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


SUMS = {
    "crc32": zlib.crc32(DATA).to_bytes(4),
    **{name: hashlib.new(name, DATA).digest() for name in ("md5", "sha1", "sha256", "sha512")},
}


@pytest.mark.parametrize("algorithm", SUMS)
def test_the_whole_file_is_checked_against_the_checksum_of_the_service(
    download: Download, s3: FakeS3, tmp_path: Path, algorithm: str
) -> None:
    name = f"Checksum{algorithm.upper()}"
    s3.put("a", DATA, described={name: b64(SUMS[algorithm]), "ChecksumType": "FULL_OBJECT"})
    stop(download, tmp_path / "local")
    download(tmp_path / "local")
    assert (tmp_path / "local").read_bytes() == DATA
    wrong = b64(bytes(len(SUMS[algorithm])))
    s3.put("a", DATA, described={name: wrong, "ChecksumType": "FULL_OBJECT"})
    for _ in range(2):
        with pytest.raises(ChecksumMismatch) as caught:
            download(tmp_path / "other")
        assert (caught.value.path, caught.value.retryable) == ("a", True)
        assert names(tmp_path) == ["local"]
    stop(download, tmp_path / "other")
    with pytest.raises(ChecksumMismatch, match="download it again"):
        download(tmp_path / "other")
    assert names(tmp_path) == ["local"]
    s3.put("a", DATA, described={name: wrong, "ChecksumType": "COMPOSITE"})
    download(tmp_path / "other")


def test_a_body_that_ends_early_keeps_what_came(s3: FakeS3, tmp_path: Path) -> None:
    class Short(MemoryBackend):
        breaks = True

        def read(self, path: str, **_: Any) -> Any:
            file: Any = super().read(path)
            readinto = file.readinto
            file.readinto = lambda buffer: readinto(buffer) if file.tell() < 4000 or not self.breaks else 0
            return file

    backend = Short()
    backend.write("a", DATA)
    with pytest.raises(BackendUnavailable, match="4000 of 10000 bytes arrived"):
        Store(backend).download("a", tmp_path / "local", resume=True)
    backend.breaks = False
    seen = Reports()
    Store(backend).download("a", tmp_path / "local", resume=True, progress=seen)
    assert (seen[0].done, (tmp_path / "local").read_bytes()) == (4000, DATA)


@pytest.mark.parametrize("kind", ["memory", "local", "threaded"])
def test_every_backend_that_can_seek_resumes(tmp_path: Path, kind: str) -> None:
    backend = MemoryBackend() if kind == "memory" else LocalBackend(tmp_path / "root", create=True)
    backend.write("a", DATA)
    seen = Reports()
    if kind == "threaded":

        async def both() -> None:
            store = AsyncStore(ThreadedBackend(backend))
            with pytest.raises(Stopped):
                await store.download("a", tmp_path / "local", resume=True, progress=stopping(4000))
            await store.download("a", tmp_path / "local", resume=True, progress=seen)

        asyncio.run(both())
    else:
        with pytest.raises(Stopped):
            Store(backend).download("a", tmp_path / "local", resume=True, progress=stopping(4000))
        Store(backend).download("a", tmp_path / "local", resume=True, progress=seen)
    assert (seen[0].done, (tmp_path / "local").read_bytes()) == (4000, DATA)


def test_a_backend_that_cannot_seek_refuses(tmp_path: Path) -> None:
    backend = MemoryBackend()
    backend.capabilities = backend.capabilities - {Capability.SEEKABLE_READ}
    backend.write("team/a", DATA)
    with pytest.raises(CapabilityNotSupported, match="SEEKABLE_READ") as caught:
        Store(backend, "team").download("a", tmp_path / "local", resume=True)
    assert (caught.value.path, names(tmp_path)) == ("a", [])


def test_links_are_followed_and_the_bytes_are_kept_beside_the_file(
    download: Download, s3: FakeS3, tmp_path: Path
) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("below/real")
    with pytest.raises(Stopped):
        download(tmp_path / "link", overwrite=True, progress=stopping(4000))
    assert (names(tmp_path), (tmp_path / "link").read_bytes()) == (["below", "link"], b"old")
    seen = Reports()
    download(tmp_path / "below" / "real", overwrite=True, progress=seen)
    assert (seen[0].done, (tmp_path / "link").read_bytes()) == (4000, DATA)


@pytest.mark.parametrize("where", ["", "none/local"])
def test_a_target_that_cannot_be_is_refused_before_any_request(
    download: Download, s3: FakeS3, tmp_path: Path, where: str
) -> None:
    with pytest.raises((IsADirectoryError, FileNotFoundError)):
        download(tmp_path / where)
    assert (s3.calls, names(tmp_path)) == ([], [])


def test_the_place_of_a_file_is_the_same_in_each_lane_and_shows_nothing() -> None:
    plan = ResolutionPlan("s3", "s3-boto3", "a", "bucket/a", {"bucket": "bucket", "region_name": "r"})
    assert identity(plan) == identity(replace(plan, backend="s3-pyarrow", key="x"))
    assert identity(plan) != identity(replace(plan, native_path="other/a"))
    assert "bucket" not in identity(plan)


KILLED = """
import os, signal, sys
from pathlib import Path
from remote_store.core import resumed_downloads, LocalBackend, Store
resumed_downloads.SMALL = resumed_downloads.LARGE = 1000
def kill(done, total, delta):
    if done >= 4500:
        os.kill(os.getpid(), signal.SIGKILL)
Store(LocalBackend(sys.argv[1])).download("a", sys.argv[2], resume=True, progress=kill)
"""


def test_a_killed_process_leaves_what_another_one_goes_on_with(tmp_path: Path) -> None:
    backend = LocalBackend(tmp_path / "root", create=True)
    backend.write("a", DATA)
    ended = subprocess.run([sys.executable, "-c", KILLED, tmp_path / "root", tmp_path / "local"], check=False)
    assert ended.returncode == -9
    seen = Reports()
    Store(backend).download("a", tmp_path / "local", resume=True, progress=seen)
    assert (seen[0].done, (tmp_path / "local").read_bytes()) == (5000, DATA)
    assert names(tmp_path) == ["local", "root"]
