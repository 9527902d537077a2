"""Backends that leave something behind when an operation is cancelled."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from mutants.registry import broken
from remote_store.core import ThreadedBackend


@broken("ASYNC-003")
class KeepsTheLevelOfACancelledCopy(ThreadedBackend):
    """A copy silences logging while it runs, and for ever if it is cancelled."""

    async def copy(self, src: str, dst: str, **options: Any) -> None:
        before = logging.root.manager.disable
        logging.disable(logging.ERROR)
        try:
            await super().copy(src, dst, **options)
        except asyncio.CancelledError:
            self.__dict__["before"] = before
            raise
        except BaseException:
            logging.disable(before)
            raise
        logging.disable(before)

    async def close(self) -> None:
        if "before" in self.__dict__:
            logging.disable(self.__dict__["before"])
        await super().close()


@broken("ASYNC-003")
class KeepsTheLockOfACancelledListing(ThreadedBackend):
    """A look at a folder that is cancelled does not give back a lock, for which moves wait."""

    async def get_folder_info(self, path: str) -> Any:
        lock = self.__dict__.setdefault("folders", asyncio.Lock())
        await lock.acquire()
        result = None
        try:
            result = await super().get_folder_info(path)
        except asyncio.CancelledError:
            raise
        except BaseException:
            lock.release()
            raise
        lock.release()
        return result

    async def move(self, src: str, dst: str, **options: Any) -> None:
        lock = self.__dict__.setdefault("folders", asyncio.Lock())
        await asyncio.wait_for(lock.acquire(), 1)
        try:
            await super().move(src, dst, **options)
        finally:
            lock.release()
