"""Uses a pickled backend in another interpreter. The two share nothing but the storage."""

from __future__ import annotations

import asyncio
import os
import pickle
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO

from remote_store.conformance.processes.surroundings import ZONE

SECONDS = 60.0
PROGRAM = """
import pickle, sys
sys.path[:] = pickle.load(sys.stdin.buffer)
from remote_store.conformance.processes.elsewhere import respond
respond(sys.stdin.buffer, sys.stdout.buffer)
"""
# A time zone and a hash seed that this interpreter is unlikely to have.
OTHERWISE = {"TZ": ZONE, "PYTHONHASHSEED": "4321"}


class NotImportable(Exception):
    """The other interpreter cannot import the class of the backend."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The results of the other interpreter.

    Attributes:
        content: The content of the file.
        paths: The paths of the files in its folder; `None` if the backend cannot list.
        modified_at: Modification time of the file it wrote; `None` if the backend has no METADATA.
    """

    content: bytes
    paths: tuple[str, ...] | None
    modified_at: datetime | None


def use_elsewhere(backend: object, folder: str, source: str, target: str, content: bytes) -> Seen:
    """Read one file and write another with a copy of the backend in a new interpreter.

    Args:
        backend: The backend, of either kind.
        folder: The folder to list after the write.
        source: The file to read.
        target: The file to write.
        content: The bytes to write.

    Raises:
        NotImportable: The new interpreter cannot import the backend's class.
        TimeoutError: The interpreter sends no result in time.
    """
    request = pickle.dumps(sys.path) + pickle.dumps(pickle.dumps((backend, folder, source, target, content)))
    try:
        ended = subprocess.run(  # noqa: S603 - the interpreter is this one
            [sys.executable, "-c", PROGRAM],
            input=request,
            capture_output=True,
            timeout=SECONDS,
            env={**os.environ, **OTHERWISE},
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise TimeoutError(f"the other interpreter sent no result within {SECONDS:g} seconds") from error
    if ended.returncode:
        raise ChildProcessError(ended.stderr.decode(errors="replace").strip().rpartition("\n")[2])
    seen = pickle.loads(ended.stdout)  # noqa: S301 - it comes from our own process
    if isinstance(seen, Exception):
        raise seen
    assert isinstance(seen, Seen)
    return seen


def respond(request: BinaryIO, channel: BinaryIO) -> None:
    """Runs in the other interpreter: use the backend and send the result back."""
    result: object
    try:
        arguments = pickle.loads(pickle.load(request))  # noqa: S301 - it comes from our own parent
    except (ImportError, AttributeError) as error:
        result = NotImportable(str(error))
    else:
        try:
            result = asyncio.run(_use(*arguments))
        except Exception as error:  # noqa: BLE001 - the parent judges it
            result = error
    channel.write(pickle.dumps(result))


async def _use(backend: Any, folder: str, source: str, target: str, content: bytes) -> Seen:
    from remote_store.core import Capability

    try:
        read = await _awaited(backend.read_bytes(source))
        await _awaited(backend.write(target, content))
        paths = modified_at = None
        if Capability.LIST in backend.capabilities:
            listing = backend.list_files(folder)
            found = [info async for info in listing] if hasattr(listing, "__aiter__") else list(listing)
            paths = tuple(sorted(info.path for info in found))
        if Capability.METADATA in backend.capabilities:
            modified_at = (await _awaited(backend.get_file_info(target))).modified_at
        return Seen(read, paths, modified_at)
    finally:
        await _awaited(backend.close())


async def _awaited(value: Any) -> Any:
    return await value if hasattr(value, "__await__") else value
