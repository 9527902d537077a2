from __future__ import annotations

import dataclasses
import pickle
from datetime import UTC, datetime
from typing import Any

import pytest

from remote_store.core import ContentDigest, FileInfo, FolderEntry, FolderInfo, ResolutionPlan, WriteResult

VALUES: list[Any] = [
    ContentDigest("md5", "AAAA"),
    FileInfo("a/b", "b", 3, datetime(2026, 1, 1, tzinfo=UTC), "etag", metadata={"k": "v"}),
    FolderEntry("a", "a"),
    FolderInfo("a", 1, 3),
    WriteResult("a", 3, "etag", metadata={"k": "v"}),
    ResolutionPlan("s3", "s3-boto3", "a", "bucket/a", {"bucket": "bucket"}),
]


@pytest.mark.parametrize("value", VALUES)
def test_a_value_is_frozen_equal_hashable_and_pickles(value: Any) -> None:
    field = dataclasses.fields(value)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, field, "other")
    again = pickle.loads(pickle.dumps(value))
    assert again == value
    assert hash(again) == hash(value)
    assert type(value).__module__ == "remote_store.core"
    assert not hasattr(value, "__dict__")


@pytest.mark.parametrize("value", [FileInfo("a", "a", 0), WriteResult("a", 0)])
def test_what_nobody_said_is_none(value: Any) -> None:
    said = {"path", "name", "size", "response_lost"}
    assert {getattr(value, field.name) for field in dataclasses.fields(value) if field.name not in said} == {None}
