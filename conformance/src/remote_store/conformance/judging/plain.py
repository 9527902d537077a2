"""Questions that no lane asks, each answered by a few plain requests."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TypeAlias
from urllib.parse import quote, unquote_plus

from remote_store.conformance.judging.reach import Response, sent
from remote_store.conformance.servers import Server

# In the order of their bytes in UTF-8, which is neither that of UTF-16 nor that of any language.
KEYS = ("A", "B", "a", "a!", "a/1", "a0", "b", "z", "é", "\uff5e", "\U0001f600")
LACKING = (405, 501)
UNKNOWN = "0123456789abcdef0123456789abcdef"
SKEW = timedelta(minutes=5)


class Lacking(Exception):
    """The server answered that it does not implement a request."""


class Plain:
    """Sends plain requests to a bucket, below one prefix.

    Args:
        server: The server.
        bucket: Name of the bucket.
        prefix: Prefix of all keys, with a slash at the end.
    """

    def __init__(self, server: Server, bucket: str, prefix: str) -> None:
        self.prefix = prefix
        self._server = server
        self._bucket = bucket

    def send(
        self,
        method: str,
        key: str | None = None,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        **headers: str,
    ) -> Response:
        """The response to a request for a key below the prefix, or for the bucket.

        Raises:
            Lacking: The server does not implement it.
        """
        target = f"/{self._bucket}" if key is None else f"/{self._bucket}/{quote(self.prefix + key)}"
        if query:
            target += "?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items())
        response = sent(self._server, method, target, body, headers)
        if response.status in LACKING:
            raise Lacking(f"{method}: {_told(response)}")
        return response

    def listed(self, version: str = "2", **query: str) -> tuple[list[str], bool]:
        """The keys of one page of a listing, without the prefix, and whether more follow."""
        kind = {"list-type": "2"} if version == "2" else {}
        page = self.send("GET", query={**kind, "prefix": self.prefix, "encoding-type": "url", **query}).document
        if page is None:
            return [], False
        keys = [unquote_plus(entry.text or "") for entry in page.iterfind("{*}Contents/{*}Key")]
        return [key.removeprefix(self.prefix) for key in keys], page.findtext("{*}IsTruncated") == "true"

    def fill(self) -> None:
        """Write the keys whose order is looked at."""
        for key in KEYS:
            self.send("PUT", key, body=b"content")


def order(plain: Plain) -> str:
    """The keys of a listing in another order than that of their bytes; empty if it is right."""
    plain.fill()
    found, _ = plain.listed()
    return "" if found == list(KEYS) else f"{found}"


def start_after(plain: Plain) -> str:
    """What `start-after` does wrong."""
    plain.fill()
    for after in ("a", "a/", "zz"):
        expected = [key for key in KEYS if key.encode() > after.encode()]
        found, _ = plain.listed(**{"start-after": plain.prefix + after})
        if found != expected:
            return f"after {after!r}: {found}"
    return ""


def marker(plain: Plain) -> str:
    """What `marker` of ListObjects, the first version, does wrong."""
    plain.fill()
    expected = [key for key in KEYS if key.encode() > b"a!"]
    found, _ = plain.listed(version="1", marker=f"{plain.prefix}a!")
    return "" if found == expected else f"after 'a!': {found}"


def max_keys(plain: Plain) -> str:
    """What `max-keys` does wrong."""
    plain.fill()
    for number in (1, 2, len(KEYS)):
        found, more = plain.listed(**{"max-keys": str(number)})
        if (len(set(found)), more) != (number, number < len(KEYS)):
            return f"max-keys={number}: {len(found)} keys, IsTruncated is {str(more).lower()}"
    return ""


def no_such_upload(plain: Plain) -> str:
    """The answers to requests about an unknown upload that are not 404 NoSuchUpload."""
    upload = {"uploadId": UNKNOWN}
    answers = {
        "UploadPart": plain.send("PUT", "a", {"partNumber": "1", **upload}, b"part"),
        "ListParts": plain.send("GET", "a", upload),
        "AbortMultipartUpload": plain.send("DELETE", "a", upload),
        "CompleteMultipartUpload": plain.send("POST", "a", upload, _complete({1: '"0"'})),
    }
    return _unless(answers, 404, "NoSuchUpload")


def wrong_parts(plain: Plain) -> str:
    """The wrong answers to the completion of an upload with a part that was not sent, or with small parts."""
    upload = {"uploadId": _begun(plain)}
    try:
        tags = {number: _part(plain, upload, number) for number in (1, 2)}
        invalid = plain.send("POST", "a", upload, _complete({3: tags[1]}))
        told = _unless({"with a part that was not sent": invalid}, 400, "InvalidPart")
        if told:
            return told
        small = plain.send("POST", "a", upload, _complete(tags))
        return _unless({"with a first part of 4 bytes": small}, 400, "EntityTooSmall")
    finally:
        plain.send("DELETE", "a", upload)


def past_the_end(plain: Plain) -> str:
    """The wrong answers to a range that begins past the end of an object."""
    plain.send("PUT", "a", body=b"content")
    return _unless({"bytes=7-9": plain.send("GET", "a", Range="bytes=7-9")}, 416, "InvalidRange")


def suffix(plain: Plain) -> str:
    """The wrong answers to a range of the last bytes of an object."""
    plain.send("PUT", "a", body=b"content")
    for given, expected in (("bytes=-3", b"ent"), ("bytes=-100", b"content")):
        response = plain.send("GET", "a", Range=given)
        if (response.status, response.body) != (206, expected):
            return f"{given}: {response.status} {response.body[:40]!r}"
    return ""


def missing(plain: Plain) -> str:
    """The wrong answers to requests for an object that does not exist."""
    told = _unless({"GetObject": plain.send("GET", "missing")}, 404, "NoSuchKey")
    head = plain.send("HEAD", "missing")
    deleted = plain.send("DELETE", "missing")
    if head.status != 404:
        return f"HeadObject: {_told(head)}"
    return told or ("" if deleted.status == 204 else f"DeleteObject: {_told(deleted)}")


def date(plain: Plain) -> str:
    """What is wrong with the header `Date`."""
    response = plain.send("GET", query={"list-type": "2", "max-keys": "1"})
    given = next((value for name, value in response.headers.items() if name.lower() == "date"), "")
    if not given:
        return "no header Date"
    try:
        stated = parsedate_to_datetime(given)
    except (ValueError, OverflowError):
        return f"Date: {given}"
    # A time without a zone, or with the zone -0000, is one in UTC.
    stated = stated if stated.tzinfo else stated.replace(tzinfo=UTC)
    return "" if abs(stated - datetime.now(UTC)) < SKEW else f"Date: {given}"


Ask: TypeAlias = Callable[[Plain], str]
ASKED: Mapping[str, Ask] = {
    ask.__name__: ask
    for ask in (
        order,
        start_after,
        marker,
        max_keys,
        no_such_upload,
        wrong_parts,
        past_the_end,
        suffix,
        missing,
        date,
    )
}
"""Functions by name. Each returns what the server does wrong, or an empty text."""


def _begun(plain: Plain) -> str:
    response = plain.send("POST", "a", {"uploads": ""})
    found = re.search(rb"<UploadId>([^<]+)</UploadId>", response.body)
    if found is None:
        raise ValueError(f"CreateMultipartUpload: {_told(response)}")
    return found[1].decode()


def _part(plain: Plain, upload: Mapping[str, str], number: int) -> str:
    response = plain.send("PUT", "a", {"partNumber": str(number), **upload}, b"part")
    return next((value for name, value in response.headers.items() if name.lower() == "etag"), "")


def _complete(tags: Mapping[int, str]) -> bytes:
    parts = "".join(f"<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag></Part>" for number, tag in tags.items())
    return f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()


def _unless(answers: Mapping[str, Response], status: int, code: str) -> str:
    """The first answer that does not have this status and code."""
    wrong = [f"{what}: {_told(each)}" for what, each in answers.items() if (each.status, each.code) != (status, code)]
    return wrong[0] if wrong else ""


def _told(response: Response) -> str:
    return f"{response.status} {response.code}".strip()
