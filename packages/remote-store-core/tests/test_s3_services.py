"""Services that are trusted by host name."""

from __future__ import annotations

from typing import Any

import pytest

from remote_store.core import ConditionalWrites
from remote_store.core.s3 import S3Options, endpoint_of
from remote_store.core.s3.protocol.services import SERVICES, documented

R2 = ConditionalWrites(put=True, complete=True, swap=True, complete_swap=True)
WITH_COPY = ConditionalWrites(put=True, complete=True, copy=True, swap=True, complete_swap=True)
NONE = ConditionalWrites()


@pytest.mark.parametrize(
    "url, expected",
    [
        ("https://account.r2.cloudflarestorage.com", R2),
        ("https://account.eu.r2.cloudflarestorage.com", R2),
        ("https://Account.R2.CloudflareStorage.COM:443/", R2),
        ("https://account.r2.cloudflarestorage.com.", R2),
        ("https://cwobject.com", WITH_COPY),
        ("https://bucket.cwobject.com", WITH_COPY),
        ("https://s3.fr-par.scw.cloud", WITH_COPY),
        ("https://bucket.s3.nl-ams.scw.cloud", WITH_COPY),
        ("http://account.r2.cloudflarestorage.com", NONE),
        ("https://evil-r2.cloudflarestorage.com.example", NONE),
        ("https://account.r2.cloudflarestorage.com.example", NONE),
        ("https://evilr2.cloudflarestorage.com", NONE),
        ("https://evil-r2.cloudflarestorage.com", NONE),
        ("https://example.com/r2.cloudflarestorage.com", NONE),
        ("https://notcwobject.com", NONE),
        ("https://functions.fnc.fr-par.scw.cloud", NONE),
        ("https://s3.pl-waw.scw.cloud", NONE),
        ("https://storage.googleapis.com", NONE),
        ("https://127.0.0.1:9000", NONE),
        (None, NONE),
    ],
)
def test_a_host_is_known_only_as_a_page_names_it(url: str | None, expected: ConditionalWrites) -> None:
    assert documented(url) == expected
    if url is not None:
        assert endpoint_of(url, aws=False).conditions == expected
        assert endpoint_of(url, aws=False, conditional_writes="probe").conditions == expected


@pytest.mark.parametrize("stated", [True, False, ConditionalWrites(), ConditionalWrites(copy=True)])
def test_an_explicit_option_wins(stated: Any) -> None:
    expected = stated if isinstance(stated, ConditionalWrites) else ConditionalWrites.every(stated)
    endpoint = endpoint_of("https://a.r2.cloudflarestorage.com", aws=False, conditional_writes=stated)
    assert (endpoint.conditions, endpoint.probes) == (expected, False)


def test_the_probe_adds_to_what_is_known() -> None:
    url = "https://a.r2.cloudflarestorage.com"
    assert S3Options.build(endpoint_url=url, conditional_writes="probe").endpoint.probes
    aws = endpoint_of(None, aws=True, conditional_writes="probe")
    assert aws.conditions == ConditionalWrites.every(True)


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_each_service_names_its_pages(service: Any) -> None:
    assert service.page.startswith("https://")
    assert service.hosts_page.startswith("https://")
    assert all(host == host.lower() and not host.startswith((".", "*")) for host in service.hosts)
