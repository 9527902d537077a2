"""Backends whose ports note what they sign: blocking, blocking over an event loop, and async."""

from __future__ import annotations

import asyncio
import os
import threading
from typing import Any

from remote_store.conformance.fakes.s3 import AsyncFakeS3Port, FakeS3, FakeS3Port
from remote_store.core import Capability
from remote_store.core.s3 import AsyncS3Backend, Call, LoopPort, LoopThread, S3Backend, S3Options

SIGNED = "https://s3.example/bucket/a?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=5ec12e7"
VERSION_2 = "https://s3.example/bucket/a?AWSAccessKeyId=k&Signature=5ec12e7&Expires=1"
UNSIGNED = "https://s3.example/bucket/a"
FORM = {"x-amz-algorithm": "AWS4-HMAC-SHA256", "x-amz-signature": "5ec12e7"}
PRESIGN = S3Backend.capabilities | {Capability.PRESIGN}


class Signer:
    """Notes what it is asked to sign, and returns what it was made with."""

    def __init__(self, url: Any = SIGNED, fields: Any = FORM) -> None:
        self.url, self.fields = url, fields
        self.asked: list[tuple[Call, int]] = []

    def sign(self, call: Call, seconds: int) -> Any:
        self.asked.append((call, seconds))
        if isinstance(self.url, Exception):
            raise self.url
        if call.operation == "PostObject":
            return {"url": "https://s3.example/bucket", "fields": {"key": call.params["Key"], **self.fields}}
        return self.url


class Port(FakeS3Port):
    def __init__(self, signer: Signer) -> None:
        super().__init__(FakeS3())
        self.presign = self.presign_post = signer.sign


class AsyncPort(AsyncFakeS3Port):
    def __init__(self, signer: Signer) -> None:
        super().__init__(FakeS3())
        self._signer = signer

    async def presign(self, call: Call, seconds: int) -> Any:
        await asyncio.sleep(0)
        return self._signer.sign(call, seconds)

    presign_post = presign


def blocking(signer: Signer, options: S3Options) -> Any:
    class Backend(S3Backend):
        capabilities = PRESIGN

        def _connect(self) -> Any:
            return Port(signer)

    return Backend("bucket", options)


def threaded(signer: Signer, options: S3Options) -> Any:
    """The blocking backend over an async port, whose loop runs in a thread."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()

    class Backend(S3Backend):
        capabilities = PRESIGN

        def _connect(self) -> Any:
            return LoopPort(LoopThread(loop, os.getpid()), AsyncPort(signer))

        def close(self) -> None:
            super().close()
            loop.call_soon_threadsafe(loop.stop)

    return Backend("bucket", options)


class Awaited:
    """An async backend, each of whose calls is run to its end in one event loop."""

    def __init__(self, signer: Signer, options: S3Options) -> None:
        class Backend(AsyncS3Backend):
            capabilities = PRESIGN

            async def _connect(self) -> Any:
                return AsyncPort(signer)

        self._loop = asyncio.new_event_loop()
        self._backend = Backend("bucket", options)
        self.capabilities = self._backend.capabilities

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._backend, name)
        return lambda *arguments, **options: self._loop.run_until_complete(method(*arguments, **options))
