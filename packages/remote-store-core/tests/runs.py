"""What the tests of the runners share: a call, and operations of one step and of many."""

from __future__ import annotations

from typing import Any

from remote_store.core.s3 import Call
from remote_store.core.s3.operations.steps import Operation, Wait

HEAD = Call("HeadObject", {"Bucket": "bucket", "Key": "a"})


class Interruption(BaseException):
    pass


def one(step: Any) -> Operation[Any]:
    return (yield step)


def many(steps: list[Any]) -> Operation[Any]:
    yield from steps
    return (yield Wait())
