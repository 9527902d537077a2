"""User metadata and content types of local files, and file systems that cannot keep them."""

from __future__ import annotations

import errno
import os
import pickle
import string
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from remote_store.core import (
    AlreadyExists,
    Capability,
    CapabilityNotSupported,
    LocalBackend,
    MemoryBackend,
    PermissionDenied,
    RemoteStoreError,
    Store,
)
from remote_store.core.capabilities import CONTRACT_0_1
from remote_store.core.local import attributes, folder
from remote_store.core.local.attributes import (
    CONTENT_TYPE,
    EVERY,
    METADATA,
    NEED_ATTRIBUTES,
    can_be_kept,
    decoded,
    encoded,
)

pytestmark = pytest.mark.skipif(not can_be_kept(tempfile.gettempdir()), reason="the disk has no extended attributes")
GIVEN: dict[str, Any] = {
    "metadata": {"author": "ada", "empty": "", "sign": "a=b"},
    "content_type": "text/csv; charset=utf-8",
}
SIGNS = string.printable.strip()


@pytest.fixture(params=[True, False], ids=["by descriptor", "by path"])
def backend(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> LocalBackend:
    monkeypatch.setattr(folder, "BY_DESCRIPTOR", request.param)
    (tmp_path / "root").mkdir()
    return LocalBackend(tmp_path / "root")


@pytest.fixture
def root(backend: LocalBackend) -> Path:
    return backend.unwrap(Path)


def on_disk(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))


def kept(backend: LocalBackend, path: str) -> dict[str, Any]:
    info = backend.get_file_info(path)
    return {"metadata": info.metadata, "content_type": info.content_type}


def open_atomic(backend: LocalBackend, path: str, content: bytes, **options: Any) -> None:
    with backend.open_atomic(path, **options) as file:
        file.write(content)


WRITES: dict[str, Callable[..., object]] = {
    "write": LocalBackend.write,
    "write_atomic": LocalBackend.write_atomic,
    "open_atomic": open_atomic,
}
NOTHING = {"metadata": {}, "content_type": None}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_what_was_written_comes_back_and_an_overwrite_replaces_it(
    backend: LocalBackend, root: Path, write: Callable[..., object]
) -> None:
    assert Capability.USER_METADATA in backend.capabilities
    write(backend, "d/a", b"1", **GIVEN)
    assert kept(backend, "d/a") == GIVEN
    assert kept(LocalBackend(root), "d/a") == GIVEN
    write(backend, "d/a", b"2", overwrite=True, metadata={"new": "1"})
    assert kept(backend, "d/a") == {"metadata": {"new": "1"}, "content_type": None}
    write(backend, "d/a", b"3", overwrite=True)
    assert kept(backend, "d/a") == NOTHING
    assert os.listxattr(root / "d/a") == []
    assert on_disk(root) == ["d", "d/a"]


def test_the_result_of_a_write_has_the_metadata(backend: LocalBackend) -> None:
    assert backend.write("a", b"", **GIVEN).metadata == GIVEN["metadata"]
    assert backend.write("b", b"").metadata == {}


def test_every_value_that_the_contract_allows_is_kept(backend: LocalBackend) -> None:
    metadata = {"signs": SIGNS, "spaces": "a  b", "!#$%&'*+-.^_`|~0a": "x", "equals": "==", "escape": "\\n", "none": ""}
    backend.write("a", b"", metadata=metadata)
    assert backend.get_file_info("a").metadata == metadata


def most() -> dict[str, str]:
    """As many entries as the contract allows, and as many bytes."""
    names = [one + other for one in string.ascii_lowercase for other in string.ascii_lowercase + string.digits][:900]
    metadata = dict.fromkeys(names, "")
    metadata[names[0]] = "x" * (2048 - 2 * len(names))
    return metadata


def test_the_largest_metadata_of_the_contract_is_kept(backend: LocalBackend) -> None:
    metadata = most()
    content_type = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    backend.write("a", b"1", metadata=metadata, content_type=content_type)
    assert backend.get_file_info("a").metadata == metadata


TRANSFERS: dict[str, Callable[..., None]] = {"copy": LocalBackend.copy, "move": LocalBackend.move}


@pytest.mark.parametrize("transfer", TRANSFERS.values(), ids=TRANSFERS)
def test_a_copy_and_a_move_take_them_along(backend: LocalBackend, transfer: Callable[..., None]) -> None:
    backend.write("a", b"1", **GIVEN)
    backend.write("d/b", b"2", metadata={"old": "1"}, content_type="text/old")
    transfer(backend, "a", "d/b", overwrite=True)
    assert (backend.read_bytes("d/b"), kept(backend, "d/b")) == (b"1", GIVEN)
    backend.write("plain", b"3")
    transfer(backend, "plain", "d/b", overwrite=True)
    assert kept(backend, "d/b") == NOTHING


def test_a_move_to_another_file_system_takes_them_along(backend: LocalBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    replace = folder.Folder.replace

    def across(here: folder.Folder, name: str, target: folder.Folder, new: str) -> None:
        if name == "a":
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        replace(here, name, target, new)

    backend.write("a", b"1", **GIVEN)
    backend.write("b", b"2")
    monkeypatch.setattr(folder.Folder, "replace", across)
    backend.move("a", "b", overwrite=True)
    assert (backend.exists("a"), kept(backend, "b")) == (False, GIVEN)


def test_a_write_through_a_link_and_a_copy_of_one(backend: LocalBackend, root: Path) -> None:
    backend.write("a", b"1")
    (root / "link").symlink_to("a")
    backend.write("link", b"2", overwrite=True, **GIVEN)
    assert kept(backend, "a") == kept(backend, "link") == GIVEN
    backend.copy("link", "b")
    assert kept(backend, "b") == GIVEN


def test_a_download_is_a_plain_file_and_an_upload_takes_nothing(backend: LocalBackend, tmp_path: Path) -> None:
    store = Store(backend)
    store.write("a", b"1", **GIVEN)
    store.download("a", tmp_path / "got")
    assert os.listxattr(tmp_path / "got") == []
    os.setxattr(tmp_path / "got", CONTENT_TYPE, b"text/other")
    store.upload(tmp_path / "got", "b")
    assert kept(backend, "b") == NOTHING


def test_nothing_is_guessed_or_taken_from_other_tools(backend: LocalBackend, root: Path) -> None:
    (root / "page.html").write_bytes(b"<!doctype html><html></html>")
    os.setxattr(root / "page.html", "user.mime_type", b"text/html")
    os.setxattr(root / "page.html", "user.author", b"ada")
    assert kept(backend, "page.html") == NOTHING
    backend.copy("page.html", "copy.html")
    assert os.listxattr(root / "copy.html") == []


@pytest.mark.parametrize(
    "stored, metadata",
    [
        (b"Author=Ada", {"author": "Ada"}),
        ("a=é".encode(), {"a": "é"}),
        ("a=é".encode("latin-1"), {"a": "é"}),
        (b"a=1\nnonsense\n=x\nno name=3\nb=2\n", {"a": "1", "b": "2"}),
        (b"", {}),
        (b"\0\xff", {}),
    ],
)
def test_what_others_wrote_into_our_attributes_is_readable(
    backend: LocalBackend, root: Path, stored: bytes, metadata: dict[str, str]
) -> None:
    (root / "a").write_bytes(b"1")
    os.setxattr(root / "a", METADATA, stored)
    os.setxattr(root / "a", CONTENT_TYPE, b"")
    assert kept(backend, "a") == {"metadata": metadata, "content_type": None}
    backend.copy("a", "b")
    assert os.getxattr(root / "b", METADATA) == stored


@pytest.mark.parametrize(
    "stored, content_type",
    [
        (b"text/csv\n", "text/csv"),
        (b"text/html\r\nset-cookie: x", None),
        ("text/é".encode(), None),
        (b" \n", None),
        (b"\xff", None),
    ],
)
def test_a_content_type_of_others_is_one_that_a_header_can_carry(
    backend: LocalBackend, root: Path, stored: bytes, content_type: str | None
) -> None:
    (root / "a").write_bytes(b"1")
    os.setxattr(root / "a", CONTENT_TYPE, stored)
    assert backend.get_file_info("a").content_type == content_type


def test_listings_leave_them_out(backend: LocalBackend) -> None:
    backend.write("a", b"1", **GIVEN)
    (listed,) = backend.list_files("")
    assert (listed.metadata, listed.content_type) == (None, None)
    assert listed.etag == backend.get_file_info("a").etag


def test_the_attributes_survive_a_folder_that_goes_away_meanwhile(backend: LocalBackend, root: Path) -> None:
    backend.write("d/old", b"")
    with backend.open_atomic("d/a", **GIVEN) as file:
        file.write(b"12")
        backend.delete_folder("d", recursive=True)
    assert (backend.read_bytes("d/a"), kept(backend, "d/a")) == (b"12", GIVEN)
    assert on_disk(root) == ["d", "d/a"]


def test_a_pickled_backend_keeps_them_too(backend: LocalBackend) -> None:
    pickle.loads(pickle.dumps(backend)).write("a", b"1", **GIVEN)
    assert kept(backend, "a") == GIVEN


# What a file system cannot do.


def test_finding_out_leaves_nothing_behind(tmp_path: Path) -> None:
    before = tmp_path.stat()
    backend = LocalBackend(tmp_path)
    backend.close()
    assert Capability.USER_METADATA in backend.capabilities
    after = tmp_path.stat()
    assert on_disk(tmp_path) == []
    assert (before.st_mtime_ns, before.st_ctime_ns) == (after.st_mtime_ns, after.st_ctime_ns)
    assert os.listxattr(tmp_path) == []


def failing(monkeypatch: pytest.MonkeyPatch, code: int, *calls: str) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError(code, os.strerror(code))

    for call in calls:
        monkeypatch.setattr(attributes.os, call, fail)


def test_the_constructor_does_no_input_or_output_and_the_file_system_is_tested_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(attributes, "can_be_kept", lambda root: bool(asked.append(root)))
    backend = LocalBackend(tmp_path)
    assert asked == []
    assert LocalBackend.capabilities == EVERY > CONTRACT_0_1
    for _ in range(3):
        assert backend.capabilities == EVERY - NEED_ATTRIBUTES
        with pytest.raises(CapabilityNotSupported):
            backend.write("a", b"1", content_type="text/plain")
    assert asked == [str(tmp_path)]


@pytest.mark.parametrize("code", [errno.ENOTSUP, errno.ENOSYS, errno.EPERM])
@pytest.mark.parametrize("call", ["setxattr", "getxattr"])
def test_a_file_system_that_refuses_attributes_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, call: str
) -> None:
    failing(monkeypatch, code, call)
    if call == "getxattr":
        # As in a folder that cannot be written to, on NFS, and on most FUSE file systems.
        monkeypatch.setattr(attributes.os, "O_TMPFILE", os.O_DIRECTORY | os.O_WRONLY)
    assert not can_be_kept(str(tmp_path))
    assert on_disk(tmp_path) == []


def test_a_root_that_cannot_be_written_to_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attributes.os, "O_TMPFILE", os.O_DIRECTORY | os.O_WRONLY)
    assert can_be_kept(str(tmp_path))
    failing(monkeypatch, errno.EACCES, "getxattr")
    assert can_be_kept(str(tmp_path))


def test_a_root_that_does_not_exist_is_like_its_nearest_parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    absent = tmp_path / "x/y"
    assert Capability.USER_METADATA in LocalBackend(absent).capabilities
    assert on_disk(tmp_path) == []
    failing(monkeypatch, errno.ENOTSUP, "setxattr")
    assert Capability.USER_METADATA not in LocalBackend(absent).capabilities


def test_a_platform_without_the_calls_has_no_attributes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for call in ("setxattr", "getxattr"):
        monkeypatch.delattr(attributes.os, call)
    expect_refusals(LocalBackend(tmp_path), tmp_path)


def expect_refusals(backend: LocalBackend, root: Path) -> None:
    """Check that a backend declares that it cannot keep metadata, and refuses it."""
    assert Capability.USER_METADATA not in backend.capabilities
    assert Capability.USER_METADATA in LocalBackend.capabilities
    backend.write("old", b"old")
    for write in WRITES.values():
        for given in ({"metadata": {"k": "v"}}, {"content_type": "text/plain"}):
            for path in ("d/a", "old"):
                with pytest.raises(CapabilityNotSupported, match="extended attributes") as raised:
                    write(backend, path, b"new", overwrite=True, **given)
                assert (raised.value.capability, raised.value.path) == ("user_metadata", path)
        with pytest.raises(ValueError, match="metadata"):
            write(backend, "a", b"", metadata={"K": "v"})
        assert (on_disk(root), backend.read_bytes("old")) == (["old"], b"old")
    assert backend.write("a", b"1", metadata={}, content_type=None).metadata is None
    assert kept(backend, "a") == {"metadata": None, "content_type": None}
    backend.copy("a", "b")
    backend.move("b", "c")
    assert kept(backend, "c") == {"metadata": None, "content_type": None}


def test_a_backend_that_cannot_keep_them_refuses_them(
    backend: LocalBackend, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, errno.ENOTSUP, "setxattr", "getxattr")
    expect_refusals(LocalBackend(root), root)


ON_RAMFS = """
import os, sys
sys.path.insert(0, os.path.dirname(sys.argv[1]))
from pathlib import Path
import pytest
from {module} import expect_refusals, mounted
from remote_store.core import LocalBackend
root = Path(sys.argv[2])
expect_refusals(LocalBackend(root / "below" / "ram"), root / "below" / "ram")
mounted(LocalBackend(root), root)
print("as expected")
"""


def mounted(backend: LocalBackend, root: Path) -> None:
    """Check a root whose file system keeps metadata, with a file system below it that does not."""
    assert Capability.USER_METADATA in backend.capabilities
    backend.write("a", b"1", **GIVEN)
    backend.write("plain", b"2")
    (root / "below/ram/old").write_bytes(b"old")
    calls: list[Callable[[], object]] = [
        lambda: backend.write("below/ram/old", b"new", overwrite=True, **GIVEN),
        lambda: backend.write("below/ram/d/new", b"new", **GIVEN),
        lambda: open_atomic(backend, "below/ram/old", b"new", overwrite=True, **GIVEN),
        lambda: backend.copy("a", "below/ram/old", overwrite=True),
        lambda: backend.move("a", "below/ram/old", overwrite=True),
    ]
    before = on_disk(root)
    for call in calls:
        with pytest.raises(CapabilityNotSupported, match="extended attributes"):
            call()
        assert (on_disk(root), backend.read_bytes("below/ram/old")) == (before, b"old")
    assert kept(backend, "a") == GIVEN
    assert kept(backend, "below/ram/old") == {"metadata": None, "content_type": None}
    backend.move("plain", "below/ram/old", overwrite=True)
    backend.copy("below/ram/old", "back")
    assert (backend.read_bytes("back"), kept(backend, "back")) == (b"2", NOTHING)


def test_a_real_file_system_without_attributes(tmp_path: Path) -> None:
    (tmp_path / "below/ram").mkdir(parents=True)
    code = ON_RAMFS.format(module=Path(__file__).stem)
    enter = ["unshare", "--map-root-user", "--mount", "sh", "-c", 'mount -t ramfs none "$0/below/ram" && exec "$@"']
    command = [*enter, str(tmp_path), sys.executable, "-c", code, __file__, str(tmp_path)]
    try:
        run = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("this system has no unshare")
    if "unshare:" in run.stderr or "mount:" in run.stderr:
        pytest.skip("this user may not mount a file system")
    assert (run.stdout, run.stderr) == ("as expected\n", "")


# Limits of a file system.


@contextmanager
def limited(monkeypatch: pytest.MonkeyPatch, code: int) -> Iterator[None]:
    setxattr = os.setxattr

    def limit(file: Any, name: str, value: bytes, *options: Any) -> None:
        if len(value) > 20:
            raise OSError(code, os.strerror(code))
        setxattr(file, name, value, *options)

    with monkeypatch.context() as patched:
        patched.setattr(attributes.os, "setxattr", limit)
        yield


def fill(backend: LocalBackend) -> list[Callable[[], object]]:
    """Calls that replace `old` and have more than a file system holds."""
    big: dict[str, Any] = {"metadata": {"k": "v" * 100}}
    backend.write("big", b"1", **big)
    return [
        lambda: backend.write("old", b"new", overwrite=True, **big),
        lambda: backend.write("d/new", b"new", content_type="text/" + "x" * 100),
        lambda: open_atomic(backend, "old", b"new", overwrite=True, **big),
        lambda: backend.copy("big", "old", overwrite=True),
        lambda: backend.copy("big", "d/new"),
    ]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.E2BIG, errno.EDQUOT, errno.ERANGE])
def test_what_does_not_fit_is_refused_before_anything_is_replaced(
    backend: LocalBackend, root: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    backend.write("old", b"old", metadata={"a": "b"})
    for call in fill(backend):
        with pytest.raises(RemoteStoreError, match="no room for 1.. bytes") as raised, limited(monkeypatch, code):
            call()
        assert type(raised.value) is RemoteStoreError
        assert "shorten them, or free some space" in str(raised.value)
        assert on_disk(root) == ["big", "old"]
        assert (backend.read_bytes("old"), kept(backend, "old")["metadata"]) == (b"old", {"a": "b"})


def test_a_content_type_beyond_every_limit(backend: LocalBackend, root: Path) -> None:
    backend.write("a", b"old")
    with pytest.raises(RemoteStoreError, match="no room for 70,005 bytes") as raised:
        backend.write("a", b"new", overwrite=True, content_type="text/" + "x" * 70_000)
    assert isinstance(raised.value.__cause__, OSError)
    assert (on_disk(root), backend.read_bytes("a")) == (["a"], b"old")


def test_a_refused_write_reads_nothing_of_its_stream(backend: LocalBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    with open(__file__, "rb") as stream:  # noqa: PTH123
        with pytest.raises(RemoteStoreError), limited(monkeypatch, errno.ENOSPC):
            backend.write("a", stream, metadata={"k": "v" * 100})
        assert stream.tell() == 0


@pytest.mark.parametrize("code, error", [(errno.EIO, RemoteStoreError), (errno.EACCES, PermissionDenied)])
def test_another_failure_is_typed_and_leaves_nothing(
    backend: LocalBackend, root: Path, monkeypatch: pytest.MonkeyPatch, code: int, error: type[RemoteStoreError]
) -> None:
    failing(monkeypatch, code, "setxattr")
    with pytest.raises(error) as raised:
        backend.write("a", b"1", **GIVEN)
    assert type(raised.value) is error
    assert on_disk(root) == []


def test_a_failure_to_read_them_is_no_absence(backend: LocalBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    backend.write("a", b"1", **GIVEN)
    failing(monkeypatch, errno.EIO, "getxattr")
    for call in (lambda: backend.get_file_info("a"), lambda: backend.copy("a", "b")):
        with pytest.raises(RemoteStoreError, match="the disk or the file server failed"):
            call()
    assert not backend.exists("b")


READ_BY_OTHERS = """
import os, sys
from remote_store.core import LocalBackend
backend = LocalBackend(sys.argv[1])
if os.getuid() == 0:
    os.setgroups([]); os.setgid(54321); os.setuid(40001)
info = backend.get_file_info("a")
print(info.size, info.metadata, info.content_type)
"""


def test_a_file_that_may_not_be_read_still_has_its_other_facts() -> None:
    with tempfile.TemporaryDirectory(prefix="shared-") as shared:
        Path(shared).chmod(0o755)
        LocalBackend(shared).write("a", b"123", **GIVEN)
        (Path(shared) / "a").chmod(0o600 if os.getuid() == 0 else 0o000)
        run = subprocess.run(
            [sys.executable, "-c", READ_BY_OTHERS, shared], capture_output=True, text=True, check=False
        )
    assert (run.stdout, run.stderr) == ("3 None None\n", "")


def test_what_is_encoded_is_decoded() -> None:
    assert encoded({}, None) == {}
    assert decoded({}) == ({}, None)
    assert decoded(encoded(most(), "a/b")) == (most(), "a/b")


@pytest.mark.parametrize("make", [LocalBackend, lambda _: MemoryBackend()], ids=["local", "memory"])
def test_both_embedded_backends_say_the_same(make: Callable[[Path], Any], tmp_path: Path) -> None:
    backend = make(tmp_path)
    backend.write("a", b"1", **GIVEN)
    with pytest.raises(AlreadyExists):
        backend.write("a", b"2", metadata={"x": "y"})
    backend.copy("a", "b")
    assert kept(backend, "b") == GIVEN
