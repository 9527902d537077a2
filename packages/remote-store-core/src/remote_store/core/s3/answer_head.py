"""Reads the head of an HTTP answer without the parser of e-mail, which takes a twelfth of the time of a small call."""

from __future__ import annotations

import re
from functools import cache
from http.client import HTTPMessage, HTTPResponse
from io import BufferedReader
from typing import Any

PLAIN_HEAD = re.compile(rb"HTTP/1\.1 (200|206) ([^\r\n]*+)\r\n((?:[!-9;-~]++:[^\r\n]*+\r\n){1,99}+)\r\n")
"""A whole head of a usual answer, with as many fields as http.client takes, none of them folded."""

FRAMING = frozenset(("connection", "content-length", "transfer-encoding"))
"""What says where the body ends, and whether the connection stays open."""


class PlainFields(HTTPMessage):
    """Fields that were split: decoded byte by byte, there is nothing in them for the parser of e-mail to repair."""

    def split(self, lines: str) -> int | None:
        """Take the fields; the length of the body, or `None` where there is more to know of it or of the connection."""
        framing: list[str] = []
        for line in lines.split("\r\n")[:-1]:
            name, _, value = line.partition(":")
            value = value.lstrip(" \t")
            self.set_raw(name, value)
            name = name.lower()
            if name in FRAMING and (name, value.lower()) != ("connection", "keep-alive"):
                framing.append(value if name == "content-length" else name)
        plain = len(framing) == 1 and framing[0].isdecimal() and len(framing[0]) < 20
        return int(framing[0]) if plain else None

    def items(self) -> list[tuple[str, str]]:
        """The fields as they came."""
        return list(self.raw_items())


class PlainAnswer(HTTPResponse):
    """Splits a plain head, whose body has a length, into its fields; any other is left to http.client."""

    def begin(self) -> None:
        """Read the status and the headers."""
        # Who debugs http.client is shown the head by it.
        can_peek = isinstance(self.fp, BufferedReader) and not self.debuglevel
        head = PLAIN_HEAD.match(self.fp.peek()) if can_peek else None
        fields = PlainFields()
        length = fields.split(head[3].decode("iso-8859-1")) if head else None
        if head is None or length is None:
            return super().begin()
        self.fp.read(head.end())
        self.version = 11
        self.code = self.status = int(head[1])
        self.reason = head[2].decode("iso-8859-1").strip()
        self.headers = self.msg = fields
        self.chunked = self.will_close = False
        # http.client keeps the method for this, and typeshed leaves it out.
        self.length = 0 if self._method == "HEAD" else length  # type: ignore[attr-defined]
        return None


def read_plain_heads(client: Any) -> None:
    """Have a client of botocore read its answers so, over the connections that it opens from now on."""
    try:
        # botocore has no public name for them; should it rename them, heads are read its own way.
        pools = client._endpoint.http_session._pool_classes_by_scheme  # noqa: SLF001
    except AttributeError:
        return
    for scheme, pool in pools.items():
        pools[scheme] = plain_pool(pool)


@cache
def plain_pool(pool: Any) -> Any:
    """A class of urllib3's connection pools like this one, whose connections read their answers as a `PlainAnswer`."""
    connection = type(pool.ConnectionCls.__name__, (pool.ConnectionCls,), {"response_class": PlainAnswer})
    return type(pool.__name__, (pool,), {"ConnectionCls": connection})
