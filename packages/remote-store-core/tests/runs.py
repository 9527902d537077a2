"""What the tests of the runners share: both kinds of runner behind one way of calling them."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

from remote_store.conformance.fake_s3 import AsyncFakeS3Port, FakeS3, FakeS3Port
from remote_store.core.s3 import Call
from remote_store.core.s3.aio_runner import AsyncRunner
from remote_store.core.s3.runner import Runner
from remote_store.core.s3.steps import Operation, Wait

HEAD = Call("HeadObject", {"Bucket": "bucket", "Key": "a"})


class Interruption(BaseException):
    pass


class Kind:
    """A runner, sync or async, over an S3 server in memory."""

    def __init__(self, s3: FakeS3, name: str, loop: asyncio.Runner, window: int = 2) -> None:
        self.s3 = s3
        self.is_async = name == "async"
        self.ports: list[Any] = []
        self._loop = loop
        self.runner = AsyncRunner(self._connect_async, window) if self.is_async else Runner(self._connect, window)

    def _connect(self) -> FakeS3Port:
        self.ports.append(FakeS3Port(self.s3))
        return self.ports[-1]

    async def _connect_async(self) -> AsyncFakeS3Port:
        await asyncio.sleep(0)
        self.ports.append(AsyncFakeS3Port(self.s3))
        return self.ports[-1]

    def done(self, value: Any) -> Any:
        return self._loop.run(value) if inspect.iscoroutine(value) else value

    def run(self, operation: Operation[Any], source: Any = None) -> Any:
        return self.done(self.runner.run(operation, source))

    def close(self) -> None:
        self.done(self.runner.close())


def one(step: Any) -> Operation[Any]:
    return (yield step)


def many(steps: list[Any]) -> Operation[Any]:
    yield from steps
    return (yield Wait())
