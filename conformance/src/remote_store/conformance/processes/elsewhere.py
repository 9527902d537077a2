"""Uses a pickled backend in another interpreter. The two share nothing but the storage."""

from __future__ import annotations

import asyncio
import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from remote_store.conformance.processes.surroundings import ZONE
from remote_store.core.home import public

SECONDS = 60.0
PROGRAM = """
import pickle, sys
sys.path[:] = pickle.load(sys.stdin.buffer)
from remote_store.conformance.processes.elsewhere import respond
respond(sys.stdin.buffer, sys.stdout.buffer)
"""
# A time zone, a hash seed and a locale that this interpreter is unlikely to have.
OTHERWISE = {"TZ": ZONE, "PYTHONHASHSEED": "4321", "LANG": "C", "LC_ALL": "C"}


@public("remote_store.conformance")
class NotImportable(Exception):
    """The other interpreter cannot import the class of the backend."""


@public("remote_store.conformance")
@dataclass(frozen=True, slots=True)
class Seen:
    """The results of the other interpreter.

    Attributes:
        contents: The contents of the files, in order.
        paths: The paths of the files in its folder; `None` if the backend cannot list.
        modified_at: Modification time of the file it wrote; `None` if the backend has no METADATA.
    """

    contents: tuple[bytes, ...]
    paths: tuple[str, ...] | None
    modified_at: datetime | None


@public("remote_store.conformance")
def use_elsewhere(backend: object, folder: str, sources: Sequence[str], target: str, content: bytes) -> Seen:
    """Read files and write another with a copy of the backend in a new interpreter, which has another current folder.

    Args:
        backend: The backend, of either kind.
        folder: The folder to list after the write.
        sources: The files to read.
        target: The file to write.
        content: The bytes to write.

    Raises:
        NotImportable: The new interpreter cannot import the backend's class.
        TimeoutError: The interpreter sends no result in time.
    """
    arguments = pickle.dumps((backend, folder, tuple(sources), target, content))
    request = pickle.dumps(list(map(os.path.abspath, sys.path))) + pickle.dumps(arguments)
    try:
        with tempfile.TemporaryDirectory(prefix="conformance-") as place:
            current = Path(place, "a", "b", "c", "d", "e", "f")
            current.mkdir(parents=True)
            ended = subprocess.run(  # noqa: S603 - the interpreter is this one
                [sys.executable, "-c", PROGRAM],
                input=request,
                capture_output=True,
                timeout=SECONDS,
                # Six levels deep, so that a relative path with `..` that works in this process does not lead there.
                cwd=current,
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
    except ImportError as error:
        result = NotImportable(str(error))
    except AttributeError as error:
        # The unpickler itself found no class of that name, and no code of the backend ran.
        is_lookup = error.__traceback__ is not None and error.__traceback__.tb_next is None
        result = NotImportable(str(error)) if is_lookup else error
    except Exception as error:  # noqa: BLE001 - the parent judges it
        result = error
    else:
        try:
            result = asyncio.run(_use(*arguments))
        except Exception as error:  # noqa: BLE001 - the parent judges it
            result = error
    channel.write(pickle.dumps(result))


async def _use(backend: Any, folder: str, sources: Sequence[str], target: str, content: bytes) -> Seen:
    from remote_store.core import Capability

    try:
        read = tuple([await _awaited(backend.read_bytes(source)) for source in sources])
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
