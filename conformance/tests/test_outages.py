from __future__ import annotations

from dataclasses import replace

import pytest

from mutants.http_s3 import HttpBackend
from mutants.running import Ending, checks_of, run
from remote_store.conformance.s3 import MOTO, OPTIONS, S3Harness
from remote_store.core import RetryPolicy

ANY_SERVICE = (
    "WIRE-006",
    "WIRE-017",
    "WIRE-022",
    "WIRE-028",
    "WIRE-033",
    "WIRE-034",
    "WIRE-035",
    "WIRE-036",
    "WIRE-037",
)
S3_ONLY = ("WIRE-001", "WIRE-005", "WIRE-031")


def over_http(takes: frozenset[str], **options: object) -> S3Harness:
    """A backend of which the suite knows that there is HTTP below it, and not which service."""
    target = replace(MOTO, profile=replace(MOTO.profile, kind="http"))
    return S3Harness(HttpBackend, target, takes=takes, **options)


@pytest.mark.parametrize("identifier", ANY_SERVICE)
def test_faults_happen_to_whatever_service_is_behind_http(identifier: str) -> None:
    harness = over_http(OPTIONS)
    outcomes = [run(check, harness) for check in checks_of(identifier, harness)]
    told = "\n".join(map(str, outcomes))
    assert Ending.GREEN in {outcome.ending for outcome in outcomes}, told
    assert {outcome.ending for outcome in outcomes} <= {Ending.GREEN, Ending.SKIPPED}, told


def test_a_backend_that_takes_no_policy_is_asked_as_it_is() -> None:
    takes = OPTIONS - {"retry", "read_timeout"}
    harness = over_http(takes, retry=RetryPolicy(max_attempts=2))
    for identifier in ("WIRE-034", "WIRE-036", "WIRE-037"):
        outcomes = {run(check, harness).ending for check in checks_of(identifier, harness)}
        assert outcomes == {Ending.GREEN}


@pytest.mark.parametrize("identifier", S3_ONLY)
def test_what_only_s3_promises_is_not_asked_of_another_service(identifier: str) -> None:
    harness = over_http(OPTIONS)
    assert {run(check, harness).ending for check in checks_of(identifier, harness)} == {Ending.SKIPPED}
