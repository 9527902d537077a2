from __future__ import annotations

import gc
import weakref
from types import SimpleNamespace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from urllib3 import PoolManager
from urllib3.exceptions import LocationParseError

from remote_store.core.s3.sdk_pools import keep_pool

ORIGINS = st.sampled_from(
    [
        *(
            "http://127.0.0.1:9",
            "http://127.0.0.1:90",
            "https://127.0.0.1:9",
            "http://127.0.0.1",
            "http://127.0.0.1:80",
        ),
        *(
            "https://b.s3.amazonaws.com",
            "https://B.s3.amazonaws.com",
            "http://user:password@127.0.0.1:9",
            "http://[::1]:9",
        ),
    ]
)
PATHS = st.sampled_from(
    ["", "/", "/bucket/key", "/bucket//http://a/b", "?list-type=2&prefix=a/b", "#/", ":9/", "0/", ".b/a"]
)


def managed(**options):
    """A manager of urllib3 that keeps the last pool, as that of a client of botocore would."""
    manager = PoolManager(**options)
    keep_pool(SimpleNamespace(_endpoint=SimpleNamespace(http_session=SimpleNamespace(_manager=manager))))
    return manager


@given(st.lists(st.tuples(ORIGINS, PATHS).map("".join), min_size=2, max_size=6))
@example(["http://127.0.0.1:9/a", "http://127.0.0.1:90/a"])
@example(["http://127.0.0.1?/a", "http://127.0.0.1?/b", "http://127.0.0.1/"])
def test_each_url_has_the_pool_that_urllib3_finds(urls):
    manager = managed()
    for url in urls:
        try:
            expected = PoolManager.connection_from_url(manager, url)
        except LocationParseError as refused:
            with pytest.raises(type(refused)):
                manager.connection_from_url(url)
        else:
            assert manager.connection_from_url(url) is expected


def test_a_pool_is_looked_for_once(monkeypatch):
    manager, asked = managed(), []
    find = manager.connection_from_host
    monkeypatch.setattr(
        manager, "connection_from_host", lambda *place, **how: asked.append(place) or find(*place, **how)
    )
    pools = {manager.connection_from_url(f"http://127.0.0.1:9/{number}") for number in range(3)}
    assert (len(pools), len(asked)) == (1, 1)


def test_a_pool_that_was_let_go_of_is_not_kept():
    manager = managed()
    pool = weakref.ref(manager.connection_from_url("http://127.0.0.1:9/a"))
    assert pool() is not None
    manager.clear()
    gc.collect()
    assert pool() is None
    assert manager.connection_from_url("http://127.0.0.1:9/b").pool is not None


def test_a_pool_that_was_closed_is_not_used():
    manager = managed(num_pools=1)
    closed = manager.connection_from_url("http://127.0.0.1:9/a")
    closed.close()
    manager.connection_from_url("http://127.0.0.1:8/a", {"maxsize": 2})
    assert manager.connection_from_url("http://127.0.0.1:9/b") is not closed


def test_a_pool_with_settings_of_its_own_is_not_kept():
    manager = managed()
    with_settings = manager.connection_from_url("http://127.0.0.1:9/a", {"maxsize": 2})
    without = manager.connection_from_url("http://127.0.0.1:9/a")
    assert without is not with_settings
    assert manager.connection_from_url("http://127.0.0.1:9/a", {"maxsize": 2}) is with_settings


def test_a_client_without_such_a_manager_stays_as_it_is():
    keep_pool(SimpleNamespace())
