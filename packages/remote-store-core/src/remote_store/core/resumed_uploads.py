"""Uploads of local files that go on where an earlier call stopped: the file, and the record of its upload."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from remote_store.core.errors import AlreadyExists, PreconditionFailed
from remote_store.core.io.unchanged import Unchanged
from remote_store.core.local.folder import Folder
from remote_store.core.local.kept import Record, hidden_name

BUSY = "another call is uploading this file to the same path; wait until it has ended"


class RecordedUpload:
    """A local file, and the record of its upload.

    Args:
        stream: The file.
        record: The record.

    Attributes:
        stream: The file.
        record: What an earlier call kept; empty if there was none.
    """

    def __init__(self, stream: Unchanged, record: Record) -> None:
        self.stream = stream
        self._file = record
        self.record: Mapping[str, str] = {
            name: value for name, value in record.read().items() if isinstance(value, str)
        }

    def keep(self, record: Mapping[str, str]) -> None:
        """Record what a later call needs."""
        self._file.write(record)
        self.record = dict(record)

    def leave(self, error: BaseException) -> None:
        """Keep the record of an upload that can go on; remove one that is empty."""
        if not self.record:
            with suppress(OSError):
                self._file.remove()
            return
        if isinstance(error, AlreadyExists | PreconditionFailed):
            next_step = "its condition was not met, so replace the file with overwrite=True and resume=True"
        else:
            next_step = "call upload with resume=True again to go on"
        error.add_note(f"the upload is kept: {next_step}, or call abort_uploads to remove what was sent")


def check_source(source: object) -> str:
    """The path of a source that can be read again.

    Raises:
        ValueError: It is content, or no regular file.
        OSError: There is no such file.
    """
    path = os.fspath(source) if isinstance(source, str | os.PathLike) else None
    if not isinstance(path, str):
        what = f"not {type(source).__name__}"
        # Other content is right without `resume`, so its type is not wrong.
        raise ValueError(f"resume=True needs the path of a local file, which a later call can read again, {what}")  # noqa: TRY004
    if not stat.S_ISREG(Path(path).stat().st_mode):
        raise ValueError("resume=True needs a regular file, which a later call can read again")
    return os.path.realpath(path)


@contextmanager
def recording(source: str, target: str) -> Iterator[RecordedUpload]:
    """Open a local file and the record of its upload, which is removed on a clean exit.

    The record is a hidden file (mode 0600) beside the local file.

    Args:
        source: The path, from `check_source`.
        target: `identity` of the file in the store.

    Raises:
        BlockingIOError: Another call uploads this file to the same target.
        OSError: The file cannot be read, or its folder cannot be written.
    """
    path = Path(source)
    with ExitStack() as opened:
        file = opened.enter_context(path.open("rb"))
        folder = opened.enter_context(Folder.at(str(path.parent)))
        try:
            record = Record(folder, f"{hidden_name('upload', path.name, target)}.json", BUSY)
        except OSError as error:
            error.filename = source
            raise
        opened.callback(record.close)
        upload = RecordedUpload(Unchanged(file, source), record)
        try:
            yield upload
        except BaseException as error:
            upload.leave(error)
            raise
        record.remove()
