"""What comes between a reader and its bytes: cuts, refusals, and an object that changes."""

from __future__ import annotations

import random
from typing import Any

import pytest

from remote_store.conformance.fakes.s3 import FakeS3
from remote_store.core import BackendUnavailable, PermissionDenied, PreconditionFailed, RetryPolicy
from remote_store.core.s3 import Call, Fault
from remote_store.core.s3.engine.reader import SEQUENTIAL_BLOCK

MIB = 1024 * 1024
DATA = random.Random(1).randbytes(3 * SEQUENTIAL_BLOCK + 123)  # as `opened` writes it
OPENERS = ["read", "read_seekable"]


@pytest.mark.parametrize("how", OPENERS)
@pytest.mark.parametrize("silent", [True, False])
def test_a_cut_at_any_offset_is_not_seen(how: str, silent: bool, s3: FakeS3, opened: Any) -> None:
    s3.silent_cuts = silent
    for cut in range(11):
        s3.cuts = [cut]
        file = opened(how, b"0123456789")
        assert file.read() == b"0123456789"
        assert file.read() == b""
        file.close()


@pytest.mark.parametrize("silent", [True, False])
def test_ten_cuts_in_a_large_object_are_not_seen(silent: bool, s3: FakeS3, opened: Any) -> None:
    data = random.Random(4).randbytes(4 * MIB)
    s3.silent_cuts = silent
    s3.cuts = [300_000 + number for number in range(10)]
    file = opened(data=data)
    pieces = []
    while piece := file.read(100_000):
        pieces.append(piece)
    assert b"".join(pieces) == data
    assert s3.operations() == ["GetObject"] * 11
    assert all(call.params["IfMatch"] == s3.objects["a"].etag for call in s3.calls[1:])


@pytest.mark.parametrize("how", OPENERS)
def test_a_read_that_gave_up_is_at_its_old_place_and_can_go_on(
    how: str, s3: FakeS3, open_lane: Any, opened: Any
) -> None:
    file = opened(how, b"0123456789", on=open_lane(retry=RetryPolicy(2)))
    file.seek(2)
    s3.cuts = [1] * 4
    if how == "read":
        file.seek(3)
    with pytest.raises(BackendUnavailable) as caught:
        file.read()
    assert (caught.value.path, caught.value.backend) == ("a", "s3")
    here = file.tell()
    assert here == (3 if how == "read" else 2)
    s3.cuts = []
    assert file.read() == b"0123456789"[here:]


def test_bytes_read_ahead_survive_a_read_that_failed(s3: FakeS3, open_lane: Any, opened: Any) -> None:
    file = opened(data=DATA, on=open_lane(retry=RetryPolicy(1)))
    assert file.read(10) == DATA[:10]
    s3.before = deny
    file.lane.done(file.raw._body.close())
    for act in (lambda: file.read(SEQUENTIAL_BLOCK - 1), lambda: file.readinto(bytearray(SEQUENTIAL_BLOCK))):
        with pytest.raises(PermissionDenied):
            act()
        assert file.tell() == 10
    assert file.read(5) == DATA[10:15]
    s3.before = None
    assert file.read() == DATA[15:]


def deny(_call: Call) -> None:
    raise Fault("AccessDenied", 403)


@pytest.mark.parametrize("how", OPENERS)
@pytest.mark.parametrize("size", [SEQUENTIAL_BLOCK, 2 * SEQUENTIAL_BLOCK, MIB])
def test_a_piece_that_failed_half_way_is_read_again_from_its_start(
    how: str, size: int, s3: FakeS3, open_lane: Any, opened: Any
) -> None:
    start = SEQUENTIAL_BLOCK + 1
    file = opened(how, DATA, on=open_lane(retry=RetryPolicy(2)))
    assert file.read(10) == DATA[:10]
    file.seek(start)
    s3.cuts = [1000, 0]
    with pytest.raises(BackendUnavailable):
        file.read(size)
    assert file.tell() == start
    assert not s3.open_bodies()
    assert file.read(size) == DATA[start : start + size]


@pytest.mark.parametrize("how", OPENERS)
def test_an_object_that_changed_is_never_mixed(how: str, s3: FakeS3, opened: Any) -> None:
    file = opened(how)
    file.read(10)
    s3.put("a", DATA[::-1])
    file.seek(2 * SEQUENTIAL_BLOCK)
    for _ in range(2):
        with pytest.raises(PreconditionFailed) as caught:
            file.read(10)
        assert (caught.value.path, caught.value.status) == ("a", 412)
    assert file.tell() == 2 * SEQUENTIAL_BLOCK
    assert len(s3.open_bodies()) == 0


def test_a_server_that_ignores_the_pin_is_found_out(s3: FakeS3, opened: Any) -> None:
    file = opened()
    etag = s3.objects["a"].etag
    s3.put("a", DATA[::-1])
    replaced = s3.objects["a"]

    def before(call: Call) -> None:
        s3.put("a", DATA[::-1], etag=etag)

    def after(call: Call, answer: Any) -> None:
        answer["ETag"] = replaced.etag

    s3.before, s3.after = before, after
    file.seek(2 * SEQUENTIAL_BLOCK)
    with pytest.raises(PreconditionFailed):
        file.read(10)
    assert not s3.open_bodies()
