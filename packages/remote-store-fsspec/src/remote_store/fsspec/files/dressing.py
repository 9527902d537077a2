"""Opens files: text, compression, and writes that an exception undoes."""

from __future__ import annotations

import io
from contextlib import suppress
from types import TracebackType
from typing import Any, BinaryIO, Self, cast

from fsspec.compression import compr
from fsspec.core import get_compression

from remote_store.fsspec.files.writing import WriteFile

TEXT_OPTIONS = ("encoding", "errors", "newline")
MODES = ("rb", "wb", "xb")


class TextFile(io.TextIOWrapper):
    """A text file that is written when it is closed, and not at all if its `with` block ends with an exception."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is not None:
            _undo(self.buffer)
        super().__exit__(kind, error, traceback)

    def __del__(self) -> None:
        # The finalizer of `io.IOBase` would close the file, which writes it.
        if not self.closed:
            _undo(self.buffer)


class CompressedFile(io.BufferedIOBase):
    """A file that compresses what is written. Closing it ends the compressed data and writes the file.

    Args:
        compressor: The file of the codec, over `target`.
        target: The file of the store.
    """

    def __init__(self, compressor: Any, target: WriteFile) -> None:
        super().__init__()
        self._compressor = compressor
        self._target = target
        self.path, self.fs, self.mode = target.path, target.fs, target.mode

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, data: Any, /) -> int:
        """Compress bytes, and return their number before compression."""
        count: int = self._compressor.write(data)
        return count

    def flush(self) -> None:
        """Do nothing: the file is written as a whole."""

    def discard(self) -> None:
        """Write nothing."""
        super().close()
        # A codec that is left open tries to write its last bytes when it is collected.
        with suppress(Exception):
            self._compressor.close()
        self._target.discard()

    def close(self) -> None:
        """End the compressed data and write the file."""
        if self.closed:
            return
        super().close()
        try:
            self._compressor.close()
        except BaseException:
            self._target.discard()
            raise
        self._target.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is not None:
            self.discard()
        self.close()

    def __del__(self) -> None:
        # The finalizer of `io.IOBase` would close the file, which writes it.
        if not self.closed:
            self.discard()


def _undo(file: Any) -> None:
    discard = getattr(file, "discard", None)
    if discard is not None:
        discard()


def binary_mode(mode: str) -> tuple[str, bool]:
    """A mode as one of `MODES`, and whether it is a mode of text.

    Raises:
        NotImplementedError: The mode appends or updates, which no store can do.
        ValueError: There is no such mode.
    """
    binary = "".join(sorted(set(mode) - {"t", "b"})) + "b"
    if binary in MODES:
        return binary, "b" not in mode
    if set(mode) <= set("rwxabt+"):
        raise NotImplementedError(
            f"a file of a store cannot be opened with mode {mode!r}, because it is written as a whole; "
            "read it, and write the new content"
        )
    raise ValueError(f"invalid mode: {mode!r}")


def dressed(file: Any, path: str, mode: str, *, text: bool, compression: str | None, options: dict[str, Any]) -> Any:
    """A file with what the caller asked for around it: a codec, an encoding.

    Args:
        file: The binary file.
        path: Its key, whose extension `infer` looks at.
        mode: The binary mode.
        text: Whether the caller reads or writes text.
        compression: Name of a codec of fsspec, or `infer`.
        options: Those of `io.TextIOWrapper`.
    """
    codec = get_compression(path, compression)
    if codec is not None:
        coded = compr[codec](file, mode=mode[0].replace("x", "w"))
        file = CompressedFile(coded, file) if isinstance(file, WriteFile) else coded
    return TextFile(cast("BinaryIO", file), **options) if text else file
