"""The corpora of the wide checks, by name: contents, endings of names, and metadata. The keys are in `hostile`.

Raise `hostile.VERSION` with every change.
"""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import random
import zipfile
import zlib
from collections.abc import Callable, Mapping
from functools import cache
from string import ascii_lowercase, digits

KIB, MIB = 1 << 10, 1 << 20
LARGEST = 16 * MIB
TEXT = "name;Größe\r\nä;1\r\n\r\nb;2\n"
TABLE = b'a,"b\r\nc",d\r\n1,"2, ""two""",3\r\n'
RECORD = json.dumps({"name": "value", "list": [1, 2.5, None, True], "text": "naïve\n"}, ensure_ascii=False)


def sizes() -> tuple[int, ...]:
    """Each power of two up to 16 MiB, with one to either side, each multiple of 4 MiB, 0 and 1."""
    powers = {1 << exponent for exponent in range(LARGEST.bit_length())}
    multiples = set(range(4 * MIB, LARGEST + 1, 4 * MIB))
    return tuple(sorted({0, *(size + beside for size in powers | multiples for beside in (-1, 0, 1))}))


@cache
def noise() -> memoryview:
    """Random bytes, the same in every process."""
    return memoryview(random.Random("remote-store").randbytes(LARGEST + 64 * KIB))


def noise_of(size: int) -> bytes:
    """This many random bytes, others for each size."""
    start = size % 65_521
    return bytes(noise()[start : start + size])


def zipped() -> bytes:
    """A zip archive."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(zipfile.ZipInfo("member"), b"content" * 100)
    return archive.getvalue()


# Contents that some tools change, cut, unpack, or take for something else.
SPECIAL: dict[str, Callable[[], bytes]] = {
    "every byte": lambda: bytes(range(256)) * 3,
    "line ends": lambda: b"dos\r\nmac\runix\n\r\r\n\n\r",
    "dos line ends": lambda: b"one\r\ntwo\r\nthree\r\n",
    "unix line ends": lambda: b"one\ntwo\nthree\n",
    "one line end": lambda: b"\n",
    "no last line end": lambda: b"one\ntwo",
    "spaces at the ends": lambda: b" \t text \t ",
    "byte order mark": lambda: b"\xef\xbb\xbftext",
    "byte order mark alone": lambda: b"\xef\xbb\xbf",
    "utf-16": lambda: TEXT.encode("utf-16"),
    "utf-32": lambda: TEXT.encode("utf-32"),
    "latin-1": lambda: TEXT.encode("latin-1"),
    "no utf-8": lambda: b"\xff\xfe\x80\xc3",
    "decomposed text": "Cafe\u0301 A\u030a".encode,
    "text and table": lambda: TEXT.encode() + TABLE,
    "end of file": lambda: b"before\x1aafter\x04end\x1a",
    "one nul": lambda: b"\0",
    "nuls at both ends": lambda: b"\0\0text\0\0\0",
    "nul inside": lambda: b"text\0more",
    "zeros": lambda: bytes(200 * KIB),
    "ones": lambda: b"\xff" * 5000,
    "long line": lambda: b"x" * (70 * KIB) + b"\n",
    "repeated blocks": lambda: noise_of(64 * KIB) * 4,
    "repeated pages": lambda: noise_of(4 * KIB) * 65 + noise_of(KIB),
    "gzip": lambda: gzip.compress(b"packed" * 50, mtime=0),
    "gzip of gzip": lambda: gzip.compress(gzip.compress(b"packed" * 50, mtime=0), mtime=0),
    "beginning of gzip": lambda: b"\x1f\x8b\x08\x00not packed",
    "zlib": lambda: zlib.compress(b"packed" * 50),
    "deflate": lambda: zlib.compress(b"packed" * 50)[2:-4],
    "beginning of zlib": lambda: b"x\x9cnot packed",
    "zip": zipped,
    "beginning of zip": lambda: b"PK\x03\x04not packed",
    "bzip2": lambda: bz2.compress(b"packed" * 50),
    "xz": lambda: lzma.compress(b"packed" * 50),
    "beginning of zstandard": lambda: b"\x28\xb5\x2f\xfdnot packed",
    "parquet": lambda: b"PAR1" + noise_of(500) + b"\x10\0\0\0PAR1",
    "picture": lambda: b"\x89PNG\r\n\x1a\n" + bytes(20),
    "json": RECORD.encode,
    "json lines": lambda: (RECORD + "\n").encode() * 3,
    "json text": lambda: b'"text"',
    "number": lambda: b"1",
    "null": lambda: b"null",
    "markup": lambda: b"<?xml version='1.0'?><!DOCTYPE html><a>&amp;</a>",
    "base64": lambda: b"Y29udGVudA==",
    "percent escapes": lambda: b"a%20b+c%0D%0A",
    "chunked": lambda: b"5;chunk-signature=0\r\nhello\r\n0;chunk-signature=0\r\n\r\n",
    "dot on a line": lambda: b"text\r\n.\r\n..more\r\n",
    "quotes": lambda: b"'\"\\'; DROP TABLE files; --",
    "variables": lambda: b"$HOME ${HOME} %PATH% {0} %s ~",
}

# All contents, by name.
CONTENTS: dict[str, Callable[[], bytes]] = {
    **SPECIAL,
    **{f"{size:,} random bytes": lambda size=size: noise_of(size) for size in sizes()},  # type: ignore[misc]
}
LARGE = {f"{size:,} random bytes": size for size in sizes() if size > MIB}
SMALL = tuple(name for name in CONTENTS if name not in LARGE)

# Ends of names that some tools take for a reason to hide, skip, unpack or rewrite a file.
SUFFIXES = (
    "",
    ".csv",
    ".txt",
    ".tmp",
    ".json",
    ".gz",
    ".zip",
    ".parquet",
    "~",
    ".bak",
    ".part",
    ".TXT",
    ".Z",
    ".bz2",
    ".crc",
    ".html",
    ".lock",
    ".log",
    ".md5",
    ".meta",
    ".old",
    ".py",
    ".swp",
    ".tar.gz",
    ".temp",
    ".xml",
    ".zst",
)

NAMES = [first + second for first in ascii_lowercase for second in ascii_lowercase + digits]
MOST = 2048
"""Bytes of the names and values of the largest metadata of the contract."""

# User metadata that must come back unchanged.
METADATA: dict[str, Mapping[str, str]] = {
    "none": {},
    "empty_value": {"empty": ""},
    "empty_values": dict.fromkeys(("a", "b", "c"), ""),
    "empty_beside_full": {"empty": "", "full": "value", "none": ""},
    "values_of_other_types": {
        "zero": "0",
        "none": "None",
        "null": "null",
        "false": "false",
        "float": "1.0",
        "exp": "1e5",
    },
    "leading_zeros": {"number": "007", "sign": "+1", "hex": "0x1F"},
    "values_in_both_cases": {"upper": "VALUE", "lower": "value", "mixed": "VaLuE"},
    "equal_values": {"a": "same", "b": "same"},
    "spaces_inside": {"one": "a b", "many": "a   b", "tabless": "a  b   c    d"},
    "commas": {"list": "a, b, c", "csv": "a,b,,c", "end": "a,"},
    "semicolons": {"cookie": "a=1; b=2", "end": "x;"},
    "equals": {"pair": "a=b", "base64": "YQ==", "query": "a=1&b=2"},
    "quotes": {"double": '"quoted"', "single": "'quoted'", "half": '"'},
    "json": {"object": '{"a": 1, "b": [null]}', "array": "[]", "text": '"x"'},
    "percent": {"escape": "%41%C3%A9%0A", "sign": "100%", "plus": "a+b"},
    "backslashes": {"windows": "C:\\new\\table", "unicode": "\\u00e9\\x41"},
    "braces": {"format": "{0} {name} %s %(x)d", "variable": "$HOME ${HOME} ~"},
    "markup": {"tag": "<a>&amp;</a>", "comment": "<!-- -->"},
    "encoded_word": {"word": "=?UTF-8?B?w6k=?="},
    "colons": {"time": "2026-01-02T03:04:05+00:00", "url": "https://host:1/path?query#part", "end": "x:"},
    "names_of_fields": {
        **dict.fromkeys(("size", "etag", "name", "path", "key", "id"), "mine"),
        **dict.fromkeys(("content-type", "modified-at", "last-modified", "metadata", "type", "version"), "mine too"),
    },
    "names_that_look_alike": {"a-b": "dash", "a.b": "dot", "ab": "none", "a": "less"},
    "names_that_begin_alike": {"a": "1", "aa": "2", "aaa": "3", "a1": "4"},
    "names_of_signs": {"-": "dash", ".": "dot", "a-": "end", "-a": "begin"},
    "names_of_digits": {"0": "zero", "1": "one", "007": "seven"},
    "value_of_255": {"value": "v" * 255},
    "value_of_256": {"value": "v" * 256},
    "value_of_1024": {"value": "v" * 1024},
    "name_of_200_characters": {"n" * 200: "value"},
    "ten_entries": {name: f"value of {name}" for name in NAMES[:10]},
    "eleven_entries": {name: f"value of {name}" for name in NAMES[:11]},
    "reverse_order": {name: name for name in reversed(NAMES[:30])},
}

# Metadata that the contract allows, and that some services refuse: a write stores it whole, or raises.
LARGE_METADATA: dict[str, Mapping[str, str]] = {
    "largest_value": {"value": "v" * (MOST - len("value"))},
    "a_hundred_entries": {name: str(number) for number, name in enumerate(NAMES[:100])},
    "empty_entries": dict.fromkeys(NAMES[:500], ""),
}

# Metadata that the contract does not allow, since some services change it.
REFUSED: dict[str, Mapping[str, str]] = {
    "space_in_front": {"value": " text"},
    "space_at_the_end": {"value": "text "},
    "only_a_space": {"value": " "},
    "tab_at_the_end": {"value": "text\t"},
    "line_end_at_the_end": {"value": "text\n"},
    "line_end_inside": {"value": "two\r\nlines: 1"},
    "name_in_upper_case": {"Name": "value"},
    "names_in_both_cases": {"name": "1", "Name": "2"},
    "empty_name": {"": "value"},
    "space_in_a_name": {"a b": "value"},
    "colon_in_a_name": {"a:b": "value"},
    "line_end_in_a_name": {"name\n": "value"},
    "other_letters": {"value": "naïve"},
    "other_letters_in_a_name": {"naïve": "value"},
    "one_byte_too_many": {"value": "v" * (MOST - len("value") + 1)},
}
