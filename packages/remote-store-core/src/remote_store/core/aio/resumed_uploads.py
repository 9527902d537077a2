"""Uploads of async stores that go on where an earlier call stopped, with the blocking calls in threads."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from remote_store.core import resumed_uploads
from remote_store.core.aio.files import in_threads, run_in_thread
from remote_store.core.resumed_uploads import RecordedUpload


async def async_check_source(source: object) -> str:
    """The path of a source that can be read again.

    Raises:
        ValueError: It is content, or no regular file.
        OSError: There is no such file.
    """
    return await run_in_thread(resumed_uploads.check_source, source)


def async_recording(source: str, target: str) -> AbstractAsyncContextManager[RecordedUpload]:
    """Open a local file and the record of its upload, which is removed on a clean exit.

    Raises:
        BlockingIOError: Another call uploads this file to the same target.
        OSError: The file cannot be read, or its folder cannot be written.
    """
    return in_threads(resumed_uploads.recording(source, target))
