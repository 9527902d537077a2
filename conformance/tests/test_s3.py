from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from remote_store.conformance import Deviation, Profile, RawHead, load_deviations
from remote_store.conformance.checking.hostile import FOREIGN_KEYS, KEYS, key_of_bytes
from remote_store.conformance.s3 import (
    MOTO,
    MOTO_STRICT,
    OPTIONS,
    SEAWEEDFS,
    AsyncS3Harness,
    S3Harness,
    S3Oracle,
    S3OracleError,
    S3Target,
    started,
)
from remote_store.core import AsyncBackend, Backend, MemoryBackend, ThreadedBackend
from remote_store.core.s3 import S3OptionFields

# moto knows no key with a newline; SeaweedFS keeps keys as paths of a tree.
STRANGE = {name: key for name, key in (KEYS | FOREIGN_KEYS).items() if "\n" not in key}
PATHS = {name: key for name, key in KEYS.items() if "\\" not in key}


class Recording:
    """Makes backends in memory and keeps what it was asked to make them with."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, bucket: str, **options: Any) -> Backend:
        self.asked.append((bucket, options))
        return MemoryBackend()

    def asynchronous(self, bucket: str, **options: Any) -> AsyncBackend:
        return ThreadedBackend(self(bucket, **options))


@pytest.fixture(scope="module", params=[MOTO, SEAWEEDFS], ids=["moto", "seaweedfs"])
def target(request: pytest.FixtureRequest) -> S3Target:
    return request.param


@pytest.fixture
def oracle(target: S3Target) -> Iterator[S3Oracle]:
    oracle = S3Harness(Recording(), target).oracle
    yield oracle
    oracle.raw_clear("")


def test_what_was_put_is_seen_with_all_that_belongs_to_it(oracle: S3Oracle) -> None:
    oracle.raw_put("a/b", b"content", metadata={"Author": "ada"}, content_type="text/csv")
    oracle.raw_put("a/c")
    assert oracle.raw_get("a/b") == b"content"
    assert oracle.raw_head("a/b") == RawHead(7, {"author": "ada"}, "text/csv", "STANDARD", {})
    assert oracle.raw_get("a/c") == b""
    oracle._request("PUT", "a/b", query={"tagging": ""}, body=tagging(one="1"))
    assert oracle.raw_head("a/b") == RawHead(7, {"author": "ada"}, "text/csv", "STANDARD", {"one": "1"})


def tagging(**tags: str) -> bytes:
    rows = "".join(f"<Tag><Key>{name}</Key><Value>{value}</Value></Tag>" for name, value in tags.items())
    return f"<Tagging><TagSet>{rows}</TagSet></Tagging>".encode()


def test_the_storage_class_is_seen() -> None:
    oracle = S3Harness(Recording(), MOTO).oracle
    oracle._request("PUT", "cold", body=b"x", headers={"x-amz-storage-class": "STANDARD_IA"})
    head = oracle.raw_head("cold")
    assert head is not None
    assert head.storage_class == "STANDARD_IA"


def test_what_is_missing_is_none_and_what_is_refused_is_an_error(oracle: S3Oracle) -> None:
    assert oracle.raw_get("absent") is None
    assert oracle.raw_head("absent") is None
    oracle.raw_delete("absent")
    with pytest.raises(S3OracleError, match=r"PUT /absent-bucket/a%2Ab: 404 .*NoSuchBucket") as caught:
        S3Oracle(oracle.server, "absent-bucket").raw_put("a*b")
    assert caught.value.status == 404
    assert b"NoSuchBucket" in caught.value.body


def test_a_bucket_that_is_absent_is_an_error_for_a_listing(target: S3Target) -> None:
    oracle = S3Oracle(started(target.server)[0], "absent-bucket")
    with pytest.raises(S3OracleError, match="NoSuchBucket"):
        oracle.raw_list()
    assert oracle.raw_get("key") is None


def test_every_key_is_kept_exactly(target: S3Target, oracle: S3Oracle) -> None:
    keys = STRANGE if target is MOTO else PATHS
    for key in keys.values():
        oracle.raw_put(f"in/{key}", key.encode())
    assert sorted(oracle.raw_list("in/")) == sorted(f"in/{key}" for key in keys.values())
    for key in keys.values():
        assert oracle.raw_get(f"in/{key}") == key.encode(), key
    for key in keys.values():
        oracle.raw_delete(f"in/{key}")
    assert oracle.raw_list("in/") == []


def test_a_listing_has_every_page_and_only_its_prefix(oracle: S3Oracle) -> None:
    keys = [f"page/{number:04} +%/é" for number in range(1003)]
    for key in [*keys, "page", "pages/other"]:
        oracle.raw_put(key)
    assert oracle.raw_list("page/") == keys
    oracle.raw_clear("page/")
    assert sorted(oracle.raw_list()) == ["page", "pages/other"]


def test_unfinished_uploads_are_seen_and_cleared(oracle: S3Oracle) -> None:
    for key in ("up/one +%2B", "up/two", "upper"):
        oracle._request("POST", key, query={"uploads": ""})
    assert sorted(oracle.raw_uploads("up/")) == ["up/one +%2B", "up/two"]
    oracle.raw_clear("up/")
    assert oracle.raw_uploads() == ["upper"]


def test_many_threads_may_look_at_once(oracle: S3Oracle) -> None:
    def work(number: int) -> None:
        oracle.raw_put(f"thread-{number}", b"x" * number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {key: len(oracle.raw_get(key) or b"") for key in oracle.raw_list("thread-")} == {
        f"thread-{number}": number for number in range(8)
    }


def test_a_key_of_the_greatest_length(oracle: S3Oracle) -> None:
    longest = "/".join(key_of_bytes(204) for _ in range(5))
    assert len(longest.encode()) == 1024
    oracle.raw_put(longest, b"long")
    assert oracle.raw_get(longest) == b"long"
    assert oracle.raw_list() == [longest]


def test_a_harness_makes_backends_with_what_the_target_says() -> None:
    recording = Recording()
    harness = S3Harness(recording, MOTO, max_concurrency=2)
    harness.make(part_size=7)
    server, endpoint = started(MOTO.server)
    place = {"endpoint_url": endpoint.url, "region_name": server.region, "key": server.key, "secret": server.secret}
    expected = {**place, **MOTO.options, "max_concurrency": 2, "part_size": 7}
    assert recording.asked == [(harness.bucket, expected)]
    assert harness.oracle.bucket == harness.bucket
    assert harness.oracle.raw_list() == []
    assert harness.endpoint is endpoint
    assert harness.profile == replace(MOTO.profile, part_size=5 * 1024 * 1024)


def test_a_backend_is_given_nothing_that_it_does_not_take() -> None:
    recording = Recording()
    taken = {"endpoint_url", "key", "secret"}
    harness = S3Harness(recording, SEAWEEDFS, takes=taken, region="elsewhere")
    harness.make()
    ((_, options),) = recording.asked
    assert options.keys() == {*taken, "region"}
    assert harness.options == taken
    assert harness.profile.part_size is None


def test_many_empty_objects_are_stored_at_once(oracle: S3Oracle) -> None:
    keys = [f"dir/{name}" for name in ("a b", "%2A", "é", *map(str, range(1001)))]
    oracle.raw_put_many(keys)
    assert sorted(oracle.raw_list("dir/")) == sorted(keys)
    assert oracle.raw_get("dir/a b") == oracle.raw_get("dir/1000") == b""


def test_other_adapters_get_the_same_bucket_and_options() -> None:
    recording, other = Recording(), Recording()
    harness = S3Harness(recording, MOTO, peers={"other": other, "own": recording}, part_size=7)
    assert harness.peers.keys() == {"other"}
    for place in (harness, harness.isolated()):
        place.make()
        place.peers["other"]()
    assert recording.asked == other.asked
    assert len({bucket for bucket, _ in other.asked}) == 2


def test_an_absent_bucket_is_asked_for_by_another_name(target: S3Target) -> None:
    recording = Recording()
    harness = S3Harness(recording, target)
    harness.make()
    harness.make_absent()
    (bucket, _), (absent, options) = recording.asked
    assert absent != bucket
    assert options["endpoint_url"] == harness.endpoint.url
    with pytest.raises(S3OracleError, match="NoSuchBucket"):
        S3Oracle(harness.oracle.server, absent).raw_list()


def test_an_isolated_harness_differs_in_its_bucket_only() -> None:
    own = Deviation(reason="own")
    recording = Recording()
    harness = S3Harness(recording, MOTO_STRICT, deviations={"READ-001": own}, takes={"key", "secret"}, colour="red")
    isolated = harness.isolated()
    assert isolated.bucket != harness.bucket
    assert isolated.deviations == harness.deviations
    assert isolated.profile == harness.profile
    harness.make()
    isolated.make()
    (_, first), (_, second) = recording.asked
    assert first == second


def test_the_deviations_of_a_backend_come_before_those_of_its_server() -> None:
    own = Deviation(reason="own")
    harness = S3Harness(Recording(), MOTO, deviations={"WIRE-018": own})
    assert harness.deviations["WIRE-018"] == (own, *MOTO.deviations["WIRE-018"])
    assert harness.deviations["PATH-001"] == MOTO.deviations["PATH-001"]


async def test_an_asynchronous_backend_has_the_same_harness(target: S3Target) -> None:
    recording = Recording()
    harness = AsyncS3Harness(recording.asynchronous, target)
    backend = harness.make()
    await backend.write("key", b"x")
    assert isinstance(backend, AsyncBackend)
    assert harness.deviations == S3Harness(recording, target).deviations
    assert harness.isolated().bucket != harness.bucket
    await backend.close()


@pytest.mark.parametrize("target", [MOTO, MOTO_STRICT, SEAWEEDFS])
def test_what_is_known_of_a_server_names_no_sdk_and_has_an_end(target: S3Target) -> None:
    rows = [row for several in target.deviations.values() for row in several]
    assert rows
    for row in rows:
        raised = row.raises if isinstance(row.raises, tuple) else (row.raises,)
        assert {name.partition(".")[0] for name in raised if isinstance(name, str)} <= {
            "AssertionError",
            "remote_store",
        }
        assert row.expires
        assert row.place


def test_only_a_trusted_moto_is_known_for_the_conditions_that_it_ignores() -> None:
    assert "COPY-003" in MOTO.deviations
    assert "COPY-003" not in MOTO_STRICT.deviations
    assert MOTO.options["conditional_writes"] is True
    assert "conditional_writes" not in MOTO_STRICT.options


def test_an_author_has_a_target_of_his_own(tmp_path: Any) -> None:
    path = tmp_path / "known.toml"
    path.write_text('[[deviation]]\nrule = "READ-001"\nreason = "known"\nexpires = "contract 9.0"\n', "utf-8")
    mine = S3Target(server=MOTO.server, profile=Profile(kind="s3"), deviations=load_deviations(path))
    harness = S3Harness(Recording(), mine)
    assert list(harness.deviations) == ["READ-001"]
    assert harness.make().name == "memory"


def test_the_options_of_checks_are_options_of_lanes() -> None:
    assert frozenset(S3OptionFields.__annotations__) >= OPTIONS
