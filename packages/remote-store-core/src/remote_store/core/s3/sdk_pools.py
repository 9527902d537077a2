"""Finds the connections to an endpoint without reading its URL anew for each request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import ref


def keep_pool(client: Any) -> None:
    """Have a client of botocore keep the pool of connections that it used last, as long as there is one.

    A backend has one endpoint, and finding its pool takes a twentieth of the time of a small call: urllib3 parses the
    URL, and makes a key of all the settings of a connection.
    """
    try:
        # botocore has no public name for it; should it rename it, urllib3 is asked each time.
        manager = client._endpoint.http_session._manager  # noqa: SLF001
    except AttributeError:
        return
    find = manager.connection_from_url
    kept: tuple[str, Callable[[], Any]] = "", lambda: None

    def connection_from_url(url: str, pool_kwargs: Any = None) -> Any:
        nonlocal kept
        origin, last = kept
        pool = last()
        # From its second version on, urllib3 closes a pool by letting go of it, which is why it is kept weakly.
        if pool is None or pool.pool is None or pool_kwargs or not url.startswith(origin):
            pool = find(url, pool_kwargs)
            if not pool_kwargs:
                # The path begins behind the third slash; all that names the endpoint stands before it.
                kept = "/".join([*url.split("/", 3)[:3], ""]), ref(pool)
        return pool

    manager.connection_from_url = connection_from_url
