"""Turns the errors of a store into responses."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from starlette.exceptions import HTTPException

from remote_store.core import PreconditionFailed, RemoteStoreError

RETRY_AFTER = "5"
"""Seconds after which a client may try again. The lanes have already repeated the request several times."""

WHILE_OPENING: Mapping[type[RemoteStoreError], int] = {PreconditionFailed: 503}
"""For a file that is replaced while it is opened, which fails no condition of the client's."""

NO_OTHERS: Mapping[type[RemoteStoreError], int] = {}

logger = logging.getLogger("remote_store.starlette")


@contextmanager
def http_errors(statuses: Mapping[type[RemoteStoreError], int] = NO_OTHERS) -> Iterator[None]:
    """Raise an `HTTPException` for an error of a store, with the error as its cause.

    The client gets the status and its standard phrase. The message of the error, which may name the bucket, the key and
    the request, goes to the log if the error is not one of the client's.

    Args:
        statuses: Statuses to use instead of `RemoteStoreError.http_status`.

    Raises:
        HTTPException: The block raised a `RemoteStoreError`.
    """
    try:
        yield
    except RemoteStoreError as error:
        status = statuses.get(type(error), error.http_status)
        if status >= 500 or status == 403:
            logger.warning("answered %d: %s", status, error)
        later = status == 503 and (error.retryable or isinstance(error, PreconditionFailed))
        raise HTTPException(status, headers={"Retry-After": RETRY_AFTER} if later else None) from error
