"""The lane API: all that a lane may import from core's S3 code.

A lane makes a client of its SDK, and a port that sends calls through it. Core has the rest: the contract's semantics on
S3, error classes, response checks, and the backends. `docs/writing-a-lane.md` shows how to build a lane. A port that
signs requests gets the credentials of the option `credentials` from a `CredentialSource`, or, in an event loop, from an
`AsyncCredentialSource`.

Some names serve `remote-store-botocore` only, because botocore makes its own endpoints and parses responses itself. A
lane over another SDK of that kind may use them too:

- `check_bucket`, `check_endpoint_url`: refuse a bucket or URL that the SDK would accept and misread.
- `SECRET_PARAMS`: the parameters of a call that no error may show.
- `REQUIRED`: the document and fields that the success of each operation must have.
- `look_at`, `wrong_document`: compare a response's document with `REQUIRED` before the SDK parses it.
- `LONGEST_ERROR`, `readable_error`: limit an error document, and repair one that is not valid XML.
- `parse_page`, `parse_time`: parse a listing, or a time, faster than the SDK does.
- `is_foreign`: whether an error response is that of a server other than S3.
"""

from __future__ import annotations

from remote_store.core.home import public
from remote_store.core.s3.aio_backend import AsyncS3Backend
from remote_store.core.s3.backend import S3Backend
from remote_store.core.s3.engine.aio_credentials import AsyncCredentialSource
from remote_store.core.s3.engine.credentials import CredentialSource
from remote_store.core.s3.engine.loop_port import LoopPort, LoopThread
from remote_store.core.s3.lane_api import LANE_API_VERSION, require_lane_api
from remote_store.core.s3.operations.errors import contract_errors
from remote_store.core.s3.operations.reading import PROGRESS
from remote_store.core.s3.protocol.calls import (
    SECRET_PARAMS,
    AsyncBody,
    AsyncS3Port,
    AsyncSigningPort,
    Body,
    Call,
    Fault,
    S3Port,
    SigningPort,
)
from remote_store.core.s3.protocol.connections import no_retry_helps
from remote_store.core.s3.protocol.documents import (
    LONGEST_DOCUMENT,
    LONGEST_ERROR,
    look_at,
    readable_error,
    wrong_document,
)
from remote_store.core.s3.protocol.endpoint import endpoint_of
from remote_store.core.s3.protocol.faults import is_foreign, may_pass
from remote_store.core.s3.protocol.http_request import HttpRequest, http_request
from remote_store.core.s3.protocol.http_response import http_response
from remote_store.core.s3.protocol.listing_xml import parse_page
from remote_store.core.s3.protocol.options import (
    KIB,
    MIB,
    S3OptionFields,
    S3Options,
    check_bucket,
    check_endpoint_url,
)
from remote_store.core.s3.protocol.responses import REQUIRED
from remote_store.core.s3.protocol.times import parse_time

__all__ = [
    "KIB",
    "LANE_API_VERSION",
    "LONGEST_DOCUMENT",
    "LONGEST_ERROR",
    "MIB",
    "PROGRESS",
    "REQUIRED",
    "SECRET_PARAMS",
    "AsyncBody",
    "AsyncCredentialSource",
    "AsyncS3Backend",
    "AsyncS3Port",
    "AsyncSigningPort",
    "Body",
    "Call",
    "CredentialSource",
    "Fault",
    "HttpRequest",
    "LoopPort",
    "LoopThread",
    "S3Backend",
    "S3OptionFields",
    "S3Options",
    "S3Port",
    "SigningPort",
    "check_bucket",
    "check_endpoint_url",
    "contract_errors",
    "endpoint_of",
    "http_request",
    "http_response",
    "is_foreign",
    "look_at",
    "may_pass",
    "no_retry_helps",
    "parse_page",
    "parse_time",
    "public",
    "readable_error",
    "require_lane_api",
    "wrong_document",
]
