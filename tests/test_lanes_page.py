from __future__ import annotations

import json
from pathlib import Path

import pytest

import lanes_page


def report(
    folder: Path, kind: str, outcome: str, *, server: str = "moto", of: str = "s3", package: str = "boto3"
) -> None:
    profile = {"kind": of, "endpoint_version": server, "rejects_file_ancestor": False}
    found = {
        "backend": {"kind": f"remote_store.{package}:{kind}", "profile": profile},
        "rules": [{"id": "READ-001", "outcome": outcome}],
    }
    (folder / f"{kind}-{server}.json").write_text(json.dumps(found), "utf-8")


@pytest.mark.parametrize("other", ["fail", "untested", "error", "not-run"])
def test_a_rule_that_holds_on_some_lanes_only_is_told(tmp_path: Path, other: str) -> None:
    report(tmp_path, "One", "pass")
    report(tmp_path, "Other", other)
    assert lanes_page.apart(tmp_path) == [
        f"READ-001 is not the same on every lane (moto): One pass, Other {other}",
    ]


def test_what_has_a_reason_or_stands_alone_is_no_difference(tmp_path: Path) -> None:
    report(tmp_path, "One", "pass")
    report(tmp_path, "Other", "deviation")
    report(tmp_path, "Third", "not-applicable")
    report(tmp_path, "Other", "fail", server="SeaweedFS")
    report(tmp_path, "AsyncOne", "fail")
    report(tmp_path, "Memory", "fail", of="memory")
    report(tmp_path, "NoLane", "fail", package="obstore")
    assert lanes_page.apart(tmp_path) == []


def test_a_recommendation_that_is_not_followed_is_told(tmp_path: Path) -> None:
    rules = [
        {"id": "COST-003", "level": "SHOULD", "outcome": "fail", "provisional": False},
        {"id": "VERS-013", "level": "SHOULD", "outcome": "fail", "provisional": True},
        {"id": "COST-004", "level": "SHOULD", "outcome": "pass", "provisional": False},
    ]
    backend = {"kind": "remote_store.boto3:One", "profile": {"kind": "s3"}}
    (tmp_path / "One.json").write_text(json.dumps({"target": "TestOne", "backend": backend, "rules": rules}), "utf-8")
    assert lanes_page.broken(tmp_path) == [
        "COST-003 SHOULD is broken by TestOne",
        "VERS-013 SHOULD is broken by TestOne",
    ]


def test_what_a_lane_alone_leaves_untested_is_not_compared(tmp_path: Path) -> None:
    for name, outcome in (("boto3-newest", "untested"), ("pyarrow-lowest", "pass"), ("s3fs-workspace", "pass")):
        (tmp_path / name).mkdir()
        report(tmp_path / name, name, outcome)
    assert lanes_page.apart(tmp_path) == []


def test_a_rule_that_a_lane_alone_breaks_is_told(tmp_path: Path) -> None:
    for name, outcome in (("pyarrow-lowest", "fail"), ("s3fs-workspace", "pass")):
        (tmp_path / name).mkdir()
        report(tmp_path / name, name, outcome)
    assert lanes_page.apart(tmp_path) == [
        "READ-001 is not the same on every lane (moto): pyarrow-lowest fail, s3fs-workspace pass",
    ]
