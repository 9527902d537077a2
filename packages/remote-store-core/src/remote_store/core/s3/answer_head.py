"""Reads the head of an HTTP answer without the parser of e-mail, which takes a twelfth of the time of a small call."""

from __future__ import annotations

import re
from functools import cache
from http.client import HTTPMessage, HTTPResponse
from io import BufferedReader
from typing import Any

PLAIN_HEAD = re.compile(rb"HTTP/1\.1 (200|206) ([^\r\n]*)\r\n((?:[!-9;-~]+:[^\r\n]*\r\n){1,99})\r\n")
"""A whole head of a usual answer, with as many fields as http.client takes, none of them folded."""

FIELD = re.compile(r"([^:]+):[ \t]*([^\r\n]*)\r\n")
FRAMING = re.compile(
    rb"^(?:content-length:[ \t]*(\d{1,19})\r\n|content-length:|transfer-encoding:|connection:(?![ \t]*keep-alive\r))",
    re.IGNORECASE | re.MULTILINE,
)
"""What says where the body ends, and whether the connection stays open."""


class PlainFields(HTTPMessage):
    """Fields that were split: decoded byte by byte, there is nothing in them for the parser of e-mail to repair."""

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
        framing = FRAMING.findall(head[3]) if head else []
        if head is None or len(framing) != 1 or not framing[0]:
            return super().begin()
        self.fp.read(head.end())
        self.version = 11
        self.code = self.status = int(head[1])
        self.reason = head[2].decode("iso-8859-1").strip()
        self.headers = self.msg = PlainFields()
        for name, value in FIELD.findall(head[3].decode("iso-8859-1")):
            self.msg.set_raw(name, value)
        self.chunked = self.will_close = False
        # http.client keeps the method for this, and typeshed leaves it out.
        self.length = 0 if self._method == "HEAD" else int(framing[0])  # type: ignore[attr-defined]
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
