from __future__ import annotations

import io
from contextlib import suppress
from typing import Any

import pytest
from botocore.session import Session

from remote_store.conformance.fakes.s3 import FakeS3, FakeS3Port
from remote_store.core import RemoteStoreError
from remote_store.core.s3 import S3Backend, S3Options

PART = 5 * 1024 * 1024
PAYER = {"RequestPayer": "requester"}


class FakeBackend(S3Backend):
    """A backend over an S3 server in memory."""

    def __init__(self, s3: FakeS3) -> None:
        super().__init__("bucket", S3Options.build(put_options=PAYER, part_size=PART, max_concurrency=1))
        self.s3 = s3

    def _connect(self) -> FakeS3Port:
        return FakeS3Port(self.s3)


def test_every_call_that_has_the_header_says_who_pays() -> None:
    s3 = FakeS3()
    backend: Any = FakeBackend(s3)
    backend.write("a", b"abc")
    backend.write("large", io.BytesIO(bytes(PART + 1)))
    s3.put("huge", b"abc", size=6 * 1024**3)
    backend.read_bytes("a")
    backend.read_range("a", 0, 1)
    backend.get_file_info("a")
    backend.exists("absent")
    list(backend.list_files("", recursive=True))
    list(backend.glob("*"))
    backend.copy("a", "b")
    backend.copy("huge", "huge2")
    backend.move("b", "c")
    backend.get_tags("a")
    for call in (
        lambda fresh: fresh.set_tags("a", {"x": "y"}),
        lambda fresh: fresh.set_tags("a", {}),
        lambda fresh: list(fresh.list_versions("a")),
        lambda fresh: list(fresh.list_uploads("")),
        lambda fresh: fresh.read_bytes("a", version_id="v"),
    ):
        # The server in memory does not implement all of them.
        with suppress(RemoteStoreError):
            call(FakeBackend(s3))
    list(backend.delete_many(["c"]))
    backend.delete_folder("folder", missing_ok=True)
    backend.delete("a")
    model = Session().get_service_model("s3")
    sent = {call.operation: call.params.get("RequestPayer") for call in s3.calls}
    has_header = {name: "RequestPayer" in model.operation_model(name).input_shape.members for name in sent}
    assert sent == {name: "requester" if has else None for name, has in has_header.items()}
    assert {"DeleteObjectTagging"} == {name for name, has in has_header.items() if not has}
    assert len(sent) >= 15


@pytest.mark.parametrize("name", ["GetObject", "ListObjectVersions", "PutObjectTagging"])
def test_the_header_is_one_of_s3(name: str) -> None:
    assert "RequestPayer" in Session().get_service_model("s3").operation_model(name).input_shape.members
