"""Helpers for checks of S3 and of HTTP: facts about the case, listing pages, streams that are hard to send."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO, cast
from urllib.parse import quote

from remote_store.conformance import faults
from remote_store.conformance.checking.case import AnyCase, not_applicable, untested
from remote_store.conformance.checking.hostile import SOURCES, Failing
from remote_store.conformance.harness import B
from remote_store.conformance.http.faults import Request, Respond, WireFault
from remote_store.core import Capability, RetryPolicy

if TYPE_CHECKING:
    from remote_store.conformance.http.proxy import Endpoint

POLLS = 100
# More requests than an SDK with bounded retries sends for one operation.
MOST_REQUESTS = 30
TWICE = RetryPolicy(max_attempts=2)
THRICE = RetryPolicy(max_attempts=3)
PAUSE = 0.05


def require_s3(case: AnyCase[Any]) -> Endpoint:
    """The endpoint in front of the S3 server. The check ends if the storage is not S3 or there is no endpoint."""
    if case.kind != "s3":
        not_applicable("the check is for S3")
    return case.endpoint


def patient(case: AnyCase[B], attempts: int, **options: Any) -> B:
    """A backend with this many attempts, if the harness has the option `retry`; else with its default retries."""
    retry = {"retry": RetryPolicy(max_attempts=attempts)} if "retry" in case.harness.options else {}
    return case.make(**retry, **options) if retry or options else case.backend


def require_option(case: AnyCase[Any], name: str) -> None:
    """End the check unless the harness has this option, which S3 lanes have."""
    if name not in case.harness.options:
        not_applicable(f"the harness has no option {name}")


def trusting(case: AnyCase[B], **options: Any) -> B:
    """A backend that relies on the server's conditional writes. The check ends if the target does not claim them."""
    require_option(case, "conditional_writes")
    case.require(Capability.ATOMIC_CREATE)
    return case.make(**options) if options else case.backend


def is_get(request: Request) -> bool:
    """Whether a request is a GET."""
    return request.method == "GET"


def is_upload(request: Request) -> bool:
    """Whether a request may change the storage."""
    return request.method not in ("GET", "HEAD", "OPTIONS")


def part_size(case: AnyCase[Any]) -> int:
    """The size of a part in bytes. The check ends if writes have no parts."""
    size: int | None = case.profile.part_size
    return size if size is not None else not_applicable("writes have no parts")


def uploads(case: AnyCase[Any]) -> list[str]:
    """The keys of this case with an unfinished upload. The check ends if the oracle cannot list uploads."""
    found: list[str] | None = case.oracle.raw_uploads(f"{case.folder}/")
    return found if found is not None else untested("the oracle cannot list uploads")


def operations(sent: Iterable[Request]) -> list[str]:
    """The S3 operations of requests."""
    return [request.operation for request in sent]


def prefixes(folders: Iterable[str]) -> bytes:
    """The last page of a listing, with folders only."""
    entries = "".join(f"<CommonPrefixes><Prefix>{quote(folder)}</Prefix></CommonPrefixes>" for folder in folders)
    return page([], None).replace(b"</ListBucketResult>", entries.encode() + b"</ListBucketResult>")


def page(keys: Iterable[str], token: str | None) -> bytes:
    """A page of a listing. With a token it is followed by another page; `None` makes it the last."""
    more = (
        "<IsTruncated>false</IsTruncated>"
        if token is None
        else f"<IsTruncated>true</IsTruncated><NextContinuationToken>{token}</NextContinuationToken>"
    )
    entries = "".join(
        f"<Contents><Key>{quote(key)}</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified>"
        "<ETag>&quot;0&quot;</ETag><Size>1</Size><StorageClass>STANDARD</StorageClass></Contents>"
        for key in keys
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"{more}<EncodingType>url</EncodingType><MaxKeys>1000</MaxKeys><KeyCount>1</KeyCount>{entries}</ListBucketResult>"
    ).encode()


def settles(condition: Callable[[], bool]) -> bool:
    """Whether a condition becomes true within a few seconds."""
    for _ in range(POLLS):
        if condition():
            return True
        time.sleep(PAUSE)
    return condition()


async def async_settles(condition: Callable[[], bool]) -> bool:
    """Whether a condition becomes true within a few seconds, in which the event loop goes on."""
    for _ in range(POLLS):
        if condition():
            return True
        await asyncio.sleep(PAUSE)
    return condition()


def unseekable(content: bytes) -> BinaryIO:
    """A stream that cannot seek, like a pipe."""
    return SOURCES["unseekable"](content)


def failing(good: int, error: BaseException) -> BinaryIO:
    """A stream that raises after `good` bytes."""
    return cast("BinaryIO", Failing(good, error))


def streams(content: bytes) -> dict[str, BinaryIO]:
    """The content as a seekable and as an unseekable stream."""
    return {"seekable": BytesIO(content), "unseekable": unseekable(content)}


def named(value: object) -> str:
    """The name by which authors import a fault. It is the id of a parameter, and deviations name variants by it."""
    kind = type(value)
    return next((name for name in faults.__all__ if getattr(faults, name) is kind), kind.__name__)


def label(fault: WireFault) -> str:
    """A fault as one word, for messages and ids of parameters."""
    return f"{fault.status}" if isinstance(fault, Respond) else named(fault)
