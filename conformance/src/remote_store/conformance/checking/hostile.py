"""Inputs that break backends, as data: keys, sizes and sources. Raise `VERSION` with every change."""

from __future__ import annotations

import io
import tempfile
import time
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import BinaryIO, cast

VERSION = 6
KIB = 1024

SIZES = (0, 1, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1, 1_000_003)
PIECES = (1, 7, 4_096, 64 * KIB, 64 * KIB + 1, 1_000_000)

# Canonical keys: a backend writes them and must not interpret them.
KEYS = {
    "accents": "naïve/café",
    "nfc": unicodedata.normalize("NFC", "é"),
    "nfd": unicodedata.normalize("NFD", "é"),
    "cjk": "日本語/文件",
    "right_to_left": "שלום/مرحبا",
    "emoji": "👩‍🚀/🪐",
    "zero_width": "a\u200bb\ufeffc",
    "kelvin": "\u212a and \u017f",
    "percent": "100%",
    "percent_escape": "a%20b%2Fc%25",
    "percent_utf8": "%C3%A9",
    "plus": "a+b c",
    "spaces": " lead/ and /trail ",
    "only_space": " ",
    "quotes": "q\"'`<>&;",
    "entities": "&amp;&#65;&lt;",
    "star": "a*b",
    "question": "a?b",
    "brackets": "[ab]",
    "braces": "{a,b}^|~",
    "hash": "a#b?c=d&e",
    "query": "?versioning",
    "equals": "x=1,y=2/@:$!()",
    "backslash": "back\\slash",
    "colon": "c:d",
    "home": "~/$HOME",
    "dots": ".../..a/b..",
    "hidden": ".hidden",
    "trailing_dot": "name.",
    "dash": "-rf",
    "device": "NUL/con.txt",
    "compressed": "file.csv.gz",
    "tab": "tab\there",
    "newline": "mid\nline",
    "newline_end": "end\n",
    "carriage_return": "cr\rx",
    "control": "\x01ctl",
    "delete_character": "del\x7f",
    "noncharacter": "\ufffe",
    "low_codepoints": "a!b",
    "long_segment": "s" * 255,
    "deep": "/".join("abcdefghijklmnopqrstuvwxyz"),
    "depth_40": "/".join(f"level {number}" for number in range(40)),
    "upper_case": "README",
    "mixed_case": "Readme",
    "format": "a{b}/{0}{}",
    "format_percent": "%s%(name)s%d",
    "variable": "${HOME}$PATH",
    "variable_percent": "%PATH%",
    "home_of_user": "~root/file",
    "many_colons": "a:b:c/c:",
    "like": "a_b/x%y",
    "zeros": "007",
    "temporary": "~$file.tmp",
    "lock": ".~lock.file#",
    "hidden_folder": ".folder/.file",
    "own_temporary": ".tmp-1/file.part",
    "dashes": "--help/-",
    "semicolon": "a;b|c&d",
    "newline_first": "\nfirst",
    "newline_dos": "dos\r\n",
    "line_separator": "a\u2028b\u0085",
    "hard_space": "\u00a0a\u3000",
    "dotless": "\u0131 İ i I",
    "sharp_s": "ß ss ẞ",
    "ligature": "ﬁ fi",
    "umlaut": "ä a z å",
    "astral": "\U0001f680\U00010400",
    "beside_astral": "\uff41\ufffd",
}

# The keys of these that clients and servers often mangle in transit.
ODD_KEYS = (
    "nfd",
    "percent_escape",
    "plus",
    "spaces",
    "entities",
    "star",
    "query",
    "backslash",
    "tab",
    "newline_end",
    "carriage_return",
    "control",
    "noncharacter",
    "long_segment",
)

# Names that some tools hide, skip, lock, unpack or rewrite because of their beginning or end.
ENDINGS = (
    "a.csv",
    "a.txt",
    "a.gz",
    "a.json",
    "a.tmp",
    "a.part",
    "a.lock",
    "a.meta",
    "a.meta.json",
    "a.crc",
    "a~",
    "b.TXT",
    "index.html",
    ".DS_Store",
    "_file",
    ".git/file",
    "tmp/file",
)

# Names with a meaning in string formatting. Checks look them up and never write them.
MEANT = ("a{b}", "{0}%s%(c)d", "$HOME`x`", "100%", "{")

# Prefixes of names whose order by collation differs from the order by bytes, also for the last four.
MIXED = ("a", "B", "_", "eé", "-", "b", "z", "Z", "\uff41", "\U0001f680")

# Folders whose order differs when sorted by key, by folder name, and by collation.
CLOSE_FOLDERS = ("a", "a-", "a.b", "a0", "A", "é", "~")

# Pairs of keys that some storage or tool treats as the same key.
CONFUSABLE = (
    ("Case", "case"),
    (KEYS["nfc"], KEYS["nfd"]),
    ("a b", "a+b"),
    ("a b", "a%20b"),
    ("name", "name "),
    ("name", "name."),
    ("\u212a", "K"),
    ("a-b", "a/b"),
    ("dir", "dir2"),
    ("axb", "a_b"),
    ("axxb", "a%b"),
    ("1", "01"),
    ("1", "1.0"),
    ("ss", "ß"),
    ("i", "\u0131"),
    ("e", "é"),
    ("a", "a\u200b"),
    ("~a", "a~"),
    (".a", "a"),
    ("a.tmp", "a"),
    ("\U0001f680", "\U0001f681"),
)

# Keys that are not canonical: other tools write them; a backend only reads, copies and deletes them.
FOREIGN_KEYS = {
    "double_slash": "a//b",
    "triple_slash": "a///b",
    "slash_in_front": "/lead",
    "dot_segment": "a/./b",
    "dot_dot_segment": "a/../b",
    "dot_in_front": "./x",
    "dot_dot_in_front": "../up",
    "dot_at_end": "x/.",
    "dot_dot_at_end": "x/..",
}
ROOT_KEYS = {**FOREIGN_KEYS, "dot": ".", "dot_dot": "..", "two_slashes_in_front": "//lead"}

NOT_CANONICAL = ("a//b", "/a", "a/", "./a", "a/.", "a/./b", "../a", "a/..", "a/../b", ".", "..", "/", "//")
WRONG_TYPES = (None, 1, b"bytes", ("a", "b"), PurePosixPath("a/b"), bytearray(b"a"))
WRONG_CONTENT: dict[str, Callable[[], object]] = {
    "str": lambda: "text",
    "text_stream": lambda: io.StringIO("text"),
    "none": lambda: None,
    "int": lambda: 5,
    "list": lambda: ["a", "b"],
    "object": object,
}


def key_of_bytes(size: int, character: str = "é", start: str = "") -> str:
    """A key of exactly this many bytes of UTF-8, with one segment after the start."""
    width = len(character.encode())
    left = size - len(start.encode())
    return start + character * (left // width) + "x" * (left % width)


def segmented_key(size: int, start: str, segment: int = 200) -> str:
    """A key of exactly this many bytes of UTF-8, in segments short enough for every storage."""
    key = start
    while (left := size - len(key.encode())) > segment:
        key += "é" * ((segment - 1) // 2) + "/"
    return key_of_bytes(size, start=key) if left else key


def stamped(size: int) -> bytes:
    """This many bytes, in which no two kibibytes are equal."""
    return b"".join(b"%015d\n" % number * 64 for number in range(size // KIB + 1))[:size]


class Unseekable(io.RawIOBase):
    """A stream like a pipe: it cannot seek and does not know its length.

    Args:
        content: The bytes of the stream.
        most: The largest number of bytes that one read returns; `None` for no limit.
    """

    def __init__(self, content: bytes, most: int | None = None) -> None:
        self._content = io.BytesIO(content)
        self._most = most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        size = len(buffer) if self._most is None else min(len(buffer), self._most)
        data = self._content.read(size)
        buffer[: len(data)] = data
        return len(data)


class Decoded(Unseekable):
    """A stream like a gzip file: its `fileno` is that of a file with other bytes, of which there are fewer.

    Args:
        content: The bytes of the stream.
    """

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self._encoded = _file(content[: len(content) // 2])

    def fileno(self) -> int:
        return self._encoded.fileno()

    def tell(self) -> int:
        return self._content.tell()

    def close(self) -> None:
        self._encoded.close()
        super().close()


class Slow(Unseekable):
    """A stream that waits before its second block.

    Args:
        content: The bytes of the stream.
        seconds: How long it waits.
    """

    def __init__(self, content: bytes, seconds: float) -> None:
        super().__init__(content, most=1_000)
        self._waits = iter((0.0, seconds))

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        time.sleep(next(self._waits, 0.0))
        return super().readinto(buffer)


class FailingOnce(io.RawIOBase):
    """A stream whose first read, by whichever method, raises, and which could be read after that.

    Args:
        error: The exception to raise.
    """

    def __init__(self, error: Exception) -> None:
        self._content = io.BytesIO(b"content")
        self._errors = [error]

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._content.seek(offset, whence)

    def tell(self) -> int:
        return self._content.tell()

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        if self._errors:
            raise self._errors.pop()
        return self._content.readinto(buffer)


class OnlyRead:
    """A stream with only `read` and `close`, as some libraries return."""

    def __init__(self, content: bytes) -> None:
        self._content = io.BytesIO(content)
        self.closed = False

    def read(self, size: int = -1) -> bytes:
        return self._content.read(size)

    def close(self) -> None:
        self.closed = True


PYTHONS_OWN: list[type[BaseException]] = [StopIteration, StopAsyncIteration, GeneratorExit]
"""Exceptions with which generators and coroutines end."""


class Failing(io.RawIOBase):
    """A stream that raises after a number of bytes.

    Args:
        good: Number of bytes before the error.
        error: The exception to raise.
        size: The length that `seek` and `tell` report; `None` for a stream that cannot seek.
    """

    def __init__(self, good: int, error: BaseException, size: int | None = None) -> None:
        self._left = good
        self._error = error
        self._size = size
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._size is not None

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if self._size is None:
            raise io.UnsupportedOperation("seek")
        self._position = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        return self._position

    def tell(self) -> int:
        if self._size is None:
            raise io.UnsupportedOperation("tell")
        return self._position

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        if not self._left:
            raise self._error
        size = min(len(buffer), self._left)
        buffer[:size] = b"f" * size
        self._left -= size
        self._position += size
        return size


def cut_short(content: bytes, error: BaseException) -> Iterator[bytes]:
    """An iterable that raises after its first item."""
    yield content
    raise error


def _file(content: bytes) -> BinaryIO:
    stream = tempfile.TemporaryFile()  # noqa: SIM115 - the check closes it
    stream.write(content)
    stream.seek(0)
    return cast("BinaryIO", stream)


# Every kind of stream that a write accepts, each made from its content.
SOURCES: dict[str, Callable[[bytes], BinaryIO]] = {
    "bytes_io": io.BytesIO,
    "file": _file,
    "decoded": lambda content: cast("BinaryIO", Decoded(content)),
    "buffered": lambda content: cast("BinaryIO", io.BufferedReader(Unseekable(content))),
    "unseekable": lambda content: cast("BinaryIO", Unseekable(content)),
    "short_reads": lambda content: cast("BinaryIO", Unseekable(content, most=7_001)),
    "only_read": lambda content: cast("BinaryIO", OnlyRead(content)),
}

# Every kind of buffer that a write accepts, each made from its content.
BUFFERS: dict[str, Callable[[bytes], bytes | bytearray | memoryview]] = {
    "bytes": bytes,
    "bytearray": bytearray,
    "memoryview": memoryview,
    "writable_view": lambda content: memoryview(bytearray(content)),
    "strided_view": lambda content: memoryview(bytes(byte for byte in content for _ in range(2)))[::2],
    "wide_items": lambda content: memoryview(content).cast("I"),
}
