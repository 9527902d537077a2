"""Backends whose calls do not end in time."""

from __future__ import annotations

import asyncio
from typing import Any

from mutants.http_port import HttpPort
from mutants.http_s3 import HttpBackend
from mutants.registry import broken
from remote_store.core import RetryPolicy, ThreadedBackend, WriteResult


@broken("ASYNC-016")
class WaitsForItsThread(ThreadedBackend):
    """Raises a cancellation only when the thread below has ended."""

    async def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        task = asyncio.create_task(super().write(path, content, **options))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait([task])
            raise


@broken("LIFE-024")
class LimitsTheAttemptsOnly(HttpBackend):
    """Honours the number of attempts of a policy and not its total timeout."""

    def __init__(self, bucket: str, **options: Any) -> None:
        policy = options.get("retry", RetryPolicy())
        super().__init__(bucket, **{**options, "retry": RetryPolicy(max_attempts=policy.max_attempts)})


class NeverEnds(HttpPort):
    """A port that limits each wait for bytes and nothing else."""

    waits = 1_000_000.0


@broken("LIFE-025")
class TimesEachByte(HttpBackend):
    """Begins its timeout again with each byte that arrives."""

    port = NeverEnds
