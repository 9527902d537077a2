"""The headers that describe a file."""

from __future__ import annotations

import re
import unicodedata
from email.utils import format_datetime
from mimetypes import guess_type
from urllib.parse import quote

from remote_store.core import FileInfo

UNKNOWN = ("application/octet-stream", "binary/octet-stream")
"""Content types that say nothing. S3 stores the second for a file that was written without one."""

VALUE = re.compile(r"[\t -~\x80-\xff]*")
PLAIN = re.compile(r"[A-Za-z0-9 !#$&'()+,\-.;=@\[\]^_`{}~]+")
CHANGED = frozenset(("Cc", "Cs", "Zl", "Zp"))
DIRECTIONS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Characters that change the direction of text, which can hide the ending of a name."""


def headers_of(info: FileInfo) -> dict[str, str]:
    """The headers that are stored with a file, and its content type. Values that no header can carry are left out."""
    stored = {
        "content-type": content_type_of(info),
        "content-disposition": info.content_disposition,
        "content-encoding": info.content_encoding,
        "cache-control": info.cache_control,
        "expires": info.expires and format_datetime(info.expires, usegmt=True),
    }
    return {name: value for name, value in stored.items() if value and VALUE.fullmatch(value)}


def content_type_of(info: FileInfo) -> str:
    """The content type that is stored with a file; one that fits its name if none is."""
    if info.content_type and info.content_type not in UNKNOWN:
        return info.content_type
    # The slash keeps a name such as `data:text.html` from being read as a URL with a scheme.
    guessed, encoding = guess_type(f"/{info.name}")
    if encoding is not None:
        return f"application/{encoding}" if encoding in {"gzip", "zstd"} else f"application/x-{encoding}"
    if guessed is None:
        return UNKNOWN[0]
    return f"{guessed}; charset=utf-8" if guessed.startswith("text/") else guessed


def content_disposition(kind: str, filename: str) -> str:
    """A `Content-Disposition` header (RFC 6266, RFC 8187), which saves the file under the last segment of a name.

    Slashes, backslashes, control characters and characters that change the direction of text become underscores, so
    that the name can neither end the header nor lead a client to another folder.
    """
    name = DIRECTIONS.sub("_", filename.replace("/", "_").replace("\\", "_"))
    name = "".join("_" if unicodedata.category(character) in CHANGED else character for character in name)
    if PLAIN.fullmatch(name):
        return f'{kind}; filename="{name}"'
    # A percent sign in the first form would be decoded by some browsers.
    plain = "".join(character if PLAIN.fullmatch(character) else "_" for character in name)
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
