"""A storage that is unlike most and right is not called wrong, and a run on one that breaks says so once."""

from __future__ import annotations

import json
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, BinaryIO
from unittest import mock

import pytest

from mutants.drive import DriveBackend, DriveHarness
from mutants.http_port import HttpPort
from mutants.http_s3 import MotoBackend
from mutants.memory import MemoryHarness, MemoryOracle
from mutants.running import CheckRun, Ending, checks_of, run
from remote_store.conformance import OracleRefused, Profile, StorageFault
from remote_store.conformance.checking.expect import CheckHung
from remote_store.conformance.contract.rulebook import rule
from remote_store.conformance.harness import FactoryHarness
from remote_store.conformance.processes.surroundings import surroundings
from remote_store.conformance.run.patience import MOST, MOST_HUNG, Patience
from remote_store.conformance.s3 import MOTO, S3Harness, S3Oracle, S3Target, started
from remote_store.conformance.servers import Server
from remote_store.conformance.values.outcome import HarnessFailed
from remote_store.core import BackendUnavailable, Capability, FileInfo, MemoryBackend, RemoteStoreError, WriteResult
from remote_store.core.s3 import Call

pytest_plugins = ["pytester"]


def endings(identifier: str, harness: Any) -> list[CheckRun]:
    return [run(check, harness) for check in checks_of(identifier, harness)]


def target(**facts: Any) -> S3Target:
    """moto without what is known of it."""
    return S3Target(server=MOTO.server, profile=replace(MOTO.profile, **facts), options=MOTO.options)


class TellsSecondsWhenAsked(MemoryBackend):
    """Tells the time of a file to the second, and lists it to the millisecond, as S3 does."""

    def get_file_info(self, path: str) -> FileInfo:
        info = super().get_file_info(path)
        assert info.modified_at is not None
        return replace(info, modified_at=info.modified_at.replace(microsecond=0))

    def list_files(self, path: str, **options: Any) -> Iterator[FileInfo]:
        for info in super().list_files(path, **options):
            assert info.modified_at is not None
            yield replace(info, modified_at=info.modified_at.replace(microsecond=123_000))


def test_a_listing_may_tell_the_time_more_exactly() -> None:
    outcomes = endings("LIST-027", MemoryHarness(TellsSecondsWhenAsked))
    assert {outcome.ending for outcome in outcomes} == {Ending.GREEN}


class Pooled(MemoryBackend):
    """Opens no more than ten streams at once, as many servers of SFTP do."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.taken: list[BinaryIO] = []

    def read(self, path: str) -> BinaryIO:
        self.taken = [stream for stream in self.taken if not stream.closed]
        if len(self.taken) == 10:
            raise BackendUnavailable("all 10 connections are in use", path=path, backend=self.name)
        self.taken.append(super().read(path))
        return self.taken[-1]


@pytest.mark.parametrize(
    "facts, fair", [({"in_process": False}, True), ({"readers": 10}, True), ({"readers": 11}, False), ({}, False)]
)
def test_a_pool_of_connections_is_no_bug_unless_the_profile_promises_more(facts: Any, fair: bool) -> None:
    harness = MemoryHarness(Pooled)
    harness.profile = replace(harness.profile, **facts)
    found = {outcome.check.name: outcome.ending for outcome in endings("READ-015", harness)}
    assert (found["test_read_by_many_readers_at_once"] is Ending.GREEN) is fair
    assert found["test_read_twice_at_once"] is Ending.GREEN


def test_a_pool_behind_a_bare_factory_is_no_bug() -> None:
    outcomes = endings("READ-015", FactoryHarness(Pooled))
    assert {outcome.ending for outcome in outcomes} == {Ending.GREEN}, "\n".join(map(str, outcomes))


class ReadsIntoABuffer(MemoryBackend):
    """Reads a source with `readinto`, as backends do that copy no bytes twice."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        if hasattr(content, "readinto"):
            data, buffer = bytearray(), bytearray(1000)
            while size := content.readinto(buffer):
                data += buffer[:size]
            content = bytes(data)
        return super().write(path, content, **options)


def test_a_source_may_be_read_into_a_buffer() -> None:
    outcomes = endings("ERR-012", MemoryHarness(ReadsIntoABuffer))
    assert {outcome.ending for outcome in outcomes} == {Ending.GREEN}, "\n".join(map(str, outcomes))


class Spools(MemoryBackend):
    """Uses the folder for temporary files, and a library that is imported late and hides warnings of its own."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        with tempfile.TemporaryFile():
            warnings.filterwarnings("ignore", message="about a library")
        return super().write(path, content, **options)


def test_state_that_the_standard_library_fills_at_the_first_use_is_not_changed_by_a_backend() -> None:
    with mock.patch.object(tempfile, "tempdir", None), warnings.catch_warnings():
        outcomes = endings("PROC-001", MemoryHarness(Spools))
    assert {outcome.ending for outcome in outcomes} == {Ending.GREEN}, "\n".join(map(str, outcomes))


def test_the_rule_names_all_state_that_its_check_compares() -> None:
    text = rule("PROC-001").text
    assert [name for name in surroundings() if name.removeprefix("the ") not in text] == []


class InPlace(DriveBackend):
    """Writes in place, so a write that fails leaves a part. It declares no ATOMIC_WRITE."""

    capabilities = DriveBackend.capabilities - {Capability.ATOMIC_WRITE}

    def write(self, path: str, content: Any, *, overwrite: bool = False, **options: Any) -> WriteResult:
        try:
            return super().write(path, content, overwrite=overwrite, **options)
        except RemoteStoreError:
            if self.fault in (StorageFault.FULL, StorageFault.LOST_DURING):
                self.inner.write(path, content[:1000], overwrite=overwrite)
            raise


class Forgetful(InPlace):
    """Says that a write that left a part was a write."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        try:
            return super().write(path, content, **options)
        except RemoteStoreError:
            return WriteResult(path, len(content))


def test_a_storage_without_atomic_writes_may_write_in_place_and_says_when_it_fails() -> None:
    outcomes = endings("WRITE-022", DriveHarness(InPlace))
    assert {outcome.ending for outcome in outcomes} == {Ending.GREEN}, "\n".join(map(str, outcomes))
    assert {outcome.ending for outcome in endings("WRITE-022", DriveHarness(Forgetful))} == {Ending.RED}


class SmallPages(HttpPort):
    """A port to a server whose pages hold 400 keys."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        if call.operation == "ListObjectsV2" and call.params.get("MaxKeys", 1000) > 400:
            call = Call(call.operation, {**call.params, "MaxKeys": 400})
        return super().perform(call)


class OnSmallPages(MotoBackend):
    """A backend on a server whose pages hold 400 keys."""

    port = SmallPages


def test_a_server_may_have_smaller_pages_and_then_needs_more_requests() -> None:
    stated = S3Harness(OnSmallPages, target(page_size=400))
    assert [outcome.ending for outcome in endings("COST-014", stated)] == [Ending.GREEN]
    unstated = S3Harness(OnSmallPages, target())
    assert [outcome.ending for outcome in endings("COST-014", unstated)] == [Ending.RED]
    larger = S3Harness(MotoBackend, target(page_size=450))
    assert [outcome.ending for outcome in endings("COST-016", larger)] == [Ending.GREEN]


@pytest.mark.parametrize("identifier", ["S3-008", "S3-019"])
def test_a_server_may_have_one_storage_class(identifier: str) -> None:
    harness = S3Harness(MotoBackend, target(storage_class=None))
    assert [outcome.ending for outcome in endings(identifier, harness)] == [Ending.GREEN]


def test_the_class_that_the_profile_names_is_asked_for() -> None:
    harness = S3Harness(MotoBackend, target(storage_class="GLACIER_IR"))
    with harness.endpoint.recording() as sent:
        endings("S3-019", harness)
    assert {request.headers.get("x-amz-storage-class") for request in sent} >= {"GLACIER_IR"}


@pytest.mark.parametrize("identifier", ["COST-007", "COST-010", "S3-006", "S3-007", "S3-018", "WIRE-015"])
def test_what_needs_trust_is_not_asked_where_the_target_claims_none(identifier: str) -> None:
    options = {name: value for name, value in MOTO.options.items() if name != "conditional_writes"}
    harness = S3Harness(MotoBackend, replace(target(), options=options))
    assert {(o.ending, "ATOMIC_CREATE" in o.told) for o in endings(identifier, harness)} == {(Ending.SKIPPED, True)}


class Refusing(MemoryHarness):
    """Has an oracle whose storage takes no key."""

    @property
    def oracle(self) -> MemoryOracle:
        class Unwilling(MemoryOracle):
            def raw_put(self, key: str, *_rest: Any, **_options: Any) -> None:
                raise OracleRefused(f"PUT {key}: 400 InvalidURI")

        return Unwilling(self.model._files)


def test_what_the_storage_refuses_the_oracle_is_untested() -> None:
    outcomes = endings("LIST-023", Refusing())
    assert [outcome.ending for outcome in outcomes] == [Ending.SKIPPED]
    assert "untested: the storage refused a call of the oracle: PUT " in outcomes[0].told


def test_a_server_without_tags_and_uploads_hides_nothing_else() -> None:
    class Small(S3Oracle):
        def _request(self, method: str, key: str = "", *, query: Any = None, **rest: Any) -> Any:
            if query and {"tagging", "uploads"} & set(query):
                query = {"no-such-subresource": "", "list-type": "9"}
                return super()._request("POST", "", query=query)
            return super()._request(method, key, query=query, **rest)

    oracle = Small(started(MOTO.server)[0], S3Harness(MotoBackend, MOTO).bucket)
    oracle.raw_put("a", b"x")
    head = oracle.raw_head("a")
    assert head is not None
    assert (head.size, head.tags) == (1, None)
    assert oracle.raw_uploads() is None
    oracle.raw_clear("")
    assert oracle.raw_list() == []


def test_a_bucket_that_exists_is_used_and_no_other_is_made() -> None:
    server, _ = started(MOTO.server)
    server.create_bucket("an-old-bucket")
    oracle = S3Oracle(server, "an-old-bucket")
    oracle.raw_put("precious", b"x")
    harness = S3Harness(MotoBackend, MOTO, bucket="an-old-bucket")
    assert harness.bucket == harness.oracle.bucket == "an-old-bucket"
    assert harness.isolated() is None
    assert {outcome.ending for outcome in endings("READ-001", harness)} == {Ending.GREEN}
    assert {outcome.ending for outcome in endings("DEL-007", harness)} <= {Ending.GREEN, Ending.SKIPPED}
    assert oracle.raw_list() == ["precious"]


ELSEWHERE = """
from contextlib import nullcontext
from dataclasses import replace
from mutants.http_s3 import MotoBackend
from remote_store.conformance import BackendConformance
from remote_store.conformance.s3 import MOTO, S3Harness, S3Target
from remote_store.conformance.servers import Server

def server():
    return nullcontext(Server("moto", {url!r}, "suite", "suite-secret", "us-east-1", "x"))

class TestMine(BackendConformance):
    harness = S3Harness(MotoBackend, S3Target(server=server, profile=MOTO.profile, options=MOTO.options))
"""


def test_buckets_that_a_run_makes_go_at_its_end(pytester: pytest.Pytester) -> None:
    server, _ = started(MOTO.server)
    before = buckets(server)
    pytester.makepyfile(ELSEWHERE.format(url=server.url))
    rules = ["--conformance-rule=READ-001", "--conformance-rule=DEL-004", "--conformance-rule=S3-003"]
    result = pytester.runpytest_subprocess(
        "-p", "no:cacheprovider", "-o", "pythonpath=" + __file__.rpartition("/")[0], *rules
    )
    assert result.parseoutcomes()["passed"] > 2
    assert buckets(server) == before


def buckets(server: Server) -> int:
    body = S3Oracle(server, "")._request("GET", query={})[1]
    return body.count(b"<Bucket>")


DYING = """
from contextlib import contextmanager
from dataclasses import replace
from mutants.http_s3 import MotoBackend
from remote_store.conformance import BackendConformance
from remote_store.conformance.endpoint import Endpoint
from remote_store.conformance.s3 import MOTO, S3Harness, S3Target
from remote_store.conformance.servers import moto_server

FRONTS = []

@contextmanager
def server():
    with moto_server() as running, Endpoint(running.url) as front:
        FRONTS.append(front)
        yield replace(running, url=front.url)

class Killing(MotoBackend):
    def read_range(self, path, start, length):
        FRONTS[0].close()
        return super().read_range(path, start, length)

class TestMine(BackendConformance):
    harness = S3Harness(Killing, S3Target(server=server, profile=MOTO.profile, options=MOTO.options))
"""


def test_a_server_that_dies_ends_the_run_with_one_explanation(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(DYING)
    rules = [f"--conformance-rule={area}-00{n}" for area, n in (("READ", 3), ("WRITE", 1), ("LIST", 1), ("DEL", 1))]
    path = "pythonpath=" + __file__.rpartition("/")[0]
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "--conformance-report=out", "-o", path, *rules)
    found = json.loads((pytester.path / "out" / "Mine.json").read_text("utf-8"))
    counts = found["counts"]["checks"]
    assert counts["error"] == 1, counts
    assert counts.get("fail", 0) == 0
    assert counts["not-run"] >= 3
    reasons = "\n".join(found["verdict"]["reasons"])
    assert "stopped responding (ConnectionRefusedError" in reasons
    assert found["verdict"]["level"] == "partial"
    assert result.duration < 60


def test_a_storage_that_is_unavailable_again_and_again_is_given_up() -> None:
    patience = Patience()
    for _ in range(MOST - 1):
        assert patience.note("a", None, BackendUnavailable("x")) == ""
    assert patience.over("a") == ""
    patience.note("a", None, pytest.skip.Exception("between"))
    patience.note("a", None, BackendUnavailable("x"))
    assert "unavailable in 10 checks in a row" in patience.over("a")
    assert patience.over("b") == ""


def test_why_the_rest_is_not_tried_steers_no_terminal() -> None:
    patience = Patience()
    for _ in range(MOST):
        patience.note("a", None, HarnessFailed("make() raised OSError: \x1b[31m"))
    assert patience.over("a").endswith(r"OSError: \x1b[31m")


def test_a_class_whose_checks_hang_is_given_up() -> None:
    patience = Patience()
    for _ in range(MOST_HUNG):
        assert patience.over("a") == ""
        patience.note("a", None, CheckHung("x"))
    assert patience.over("a") == f"{MOST_HUNG} earlier checks hang"


def test_a_class_of_which_a_first_check_failed_runs_the_other_first_checks_only() -> None:
    patience = Patience()
    patience.note_first("a", "test_first_this")
    assert patience.over("a", is_first=True) == ""
    assert patience.over("a").startswith("a first check failed (test_first_this), and the others rely on it")
    assert patience.over("b") == ""


def test_a_factory_that_fails_from_some_call_on_is_told_once(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        from remote_store.conformance import BackendConformance
        from remote_store.core import MemoryBackend
        made = []

        class TestMine(BackendConformance):
            def make(self):
                made.append(1)
                if len(made) > 30:
                    raise OSError("too many connections")
                return MemoryBackend()
        """
    )
    pytester.runpytest_subprocess("-p", "no:cacheprovider", "--conformance-report=out", "--conformance-tier=quick")
    found = json.loads((pytester.path / "out" / "Mine.json").read_text("utf-8"))
    assert found["counts"]["checks"]["error"] <= MOST
    assert any("too many connections" in reason for reason in found["verdict"]["reasons"])


def test_a_profile_says_that_a_harness_without_one_assumes_the_least() -> None:
    assert FactoryHarness.profile.storage_class is None
    assert Profile().page_size == 1000
