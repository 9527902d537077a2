"""The file that a serializer writes to, before its bytes are sent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, cast

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

IN_MEMORY = 8 * 1024 * 1024


@contextmanager
def spooled() -> Iterator[BinaryIO]:
    """A binary file in memory, and on the local disk once it has more than 8 MiB. Its bytes go when the block ends."""
    spool = Spool(max_size=IN_MEMORY)
    try:
        yield cast("BinaryIO", spool)
    finally:
        spool.release()


class Spool(SpooledTemporaryFile[bytes]):
    """A temporary file that may be closed, as many libraries do with the file that they are given."""

    def write(self, data: ReadableBuffer, /) -> int:
        """Write all bytes and return their number."""
        if self.tell() + memoryview(data).nbytes > IN_MEMORY:
            # Before the write, so that large data is not copied in memory.
            self.rollover()
        return super().write(data)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Keep the bytes."""

    def close(self) -> None:
        """Keep the bytes."""

    def release(self) -> None:
        """Delete the bytes."""
        super().close()
