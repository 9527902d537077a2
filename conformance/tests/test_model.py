from __future__ import annotations

from dataclasses import replace

import pytest

from remote_store.conformance import Profile
from remote_store.conformance.checking.callers import Boom
from remote_store.conformance.contract.rulebook import rule
from remote_store.conformance.model.actions import CURRENT, OTHER, Action, Payload, Result, Sum
from remote_store.conformance.model.around import AROUND, leaves_out
from remote_store.conformance.model.model import Model
from remote_store.core import AlreadyExists, Capability, InvalidPath, NotFound, PreconditionFailed
from remote_store.core.checksums import digest_of

EVERYTHING = frozenset(Capability)
FLAT, TREE = Profile(max_key_bytes=20), Profile(flat=False)
STRICT = Profile(rejects_file_ancestor=True)


def write(path: str, kind: str = "bytes", **options: object) -> Action:
    return Action("write", (path,), options, Payload("x", 3, kind))


def model(profile: Profile, *paths: str) -> Model:
    made = Model(profile, EVERYTHING)
    for path in paths:
        made.predict(write(path))
    return made


def classes(outcomes: tuple[Result, ...]) -> list[type]:
    return [type(outcome.error) for outcome in outcomes]


def test_a_flat_storage_takes_a_file_beside_a_folder() -> None:
    made = model(FLAT, "a/b", "a")
    assert made.files("") == ["a", "a/b"]
    assert made.is_file("a")
    assert made.is_folder("a")


@pytest.mark.parametrize("profile, first, second", [(TREE, "a/b", "a"), (TREE, "a", "a/b"), (STRICT, "a", "a/b/c")])
def test_another_storage_refuses_it_and_keeps_what_is_there(profile: Profile, first: str, second: str) -> None:
    made = model(profile, first)
    for action in (write(second, overwrite=True), Action("copy", (first, second)), Action("move", (first, second))):
        outcomes = made.predict(action)
        assert classes(outcomes)[0] is InvalidPath
        assert outcomes[0].error.path == second  # type: ignore[union-attr]
    assert made.files("") == [first]


def test_a_file_above_is_refused_and_one_below_a_folder_is_not() -> None:
    assert model(STRICT, "a/b", "a").files("") == ["a", "a/b"]


def test_where_two_things_are_wrong_both_errors_are_right() -> None:
    made = model(STRICT, "a/b", "a")
    assert classes(made.predict(write("a/b"))) == [InvalidPath, AlreadyExists]
    assert classes(made.predict(Action("copy", ("missing", "a/c")))) == [InvalidPath, NotFound]
    assert classes(made.predict(Action("copy", ("a/b", "a/b")))) == [InvalidPath, type(None)]


def test_a_stream_that_fails_changes_nothing_and_may_come_after_a_conflict() -> None:
    made = model(FLAT, "a")
    assert classes(made.predict(write("b", "failing"))) == [Boom]
    assert classes(made.predict(write("a", "failing", overwrite=True))) == [Boom]
    assert classes(made.predict(write("a", "failing"))) == [Boom, AlreadyExists]
    assert classes(made.predict(write("a//b", "failing"))) == [InvalidPath]
    assert made.files("") == ["a"]


def test_text_is_refused_and_so_may_be_what_else_is_wrong() -> None:
    made = model(FLAT, "a")
    assert classes(made.predict(write("b", "text"))) == [TypeError]
    assert classes(made.predict(write("a//b", "text"))) == [TypeError, InvalidPath]
    assert made.files("") == ["a"]


def test_a_key_beyond_the_limit_of_the_profile_is_refused_by_every_call() -> None:
    long = "é" * 10 + "x"
    for action in (write(long), Action("exists", (long,)), Action("move", ("a", long))):
        assert classes(model(FLAT, "a").predict(action)) == [InvalidPath]
    assert classes(model(FLAT).predict(write(long[:-1]))) == [type(None)]
    assert classes(model(FLAT).predict(write(long, "text"))) == [InvalidPath, TypeError]


@pytest.mark.parametrize("capabilities", [EVERYTHING, EVERYTHING - {Capability.USER_METADATA}])
def test_only_what_is_stored_is_expected_back(capabilities: frozenset[Capability]) -> None:
    made = Model(FLAT, capabilities)
    made.predict(Action("write", ("a",), {"content_type": "text/csv"}, Payload()))
    facts = made.predict(Action("get_file_info", ("a",)))[0].value
    stored = {"metadata": {}, "content_type": "text/csv"} if capabilities == EVERYTHING else {}
    headers = dict.fromkeys(("cache_control", "content_disposition", "content_encoding", "expires"))
    assert facts == {"path": "a", "name": "a", "size": 0, "digest": None, **headers, **stored}


def test_an_expectation_holds_of_the_same_class_about_the_same_path() -> None:
    expected = Result(error=NotFound("gone", path="a"))
    assert expected.allows(Result(error=NotFound("other words", path="a")))
    assert expected.allows(Result(error=NotFound("a slash more", path="a/")))
    assert not expected.allows(Result(error=NotFound("gone", path="b")))
    assert not expected.allows(Result(error=NotFound("gone")))
    assert not expected.allows(Result(error=FileNotFoundError("native")))
    assert not expected.allows(Result(None))
    assert not Result(None).allows(expected)


def test_of_facts_only_the_expected_ones_count() -> None:
    expected = Result({"size": 1, "name": "a"})
    assert expected.allows(Result({"size": 1, "name": "a", "etag": "x"}))
    assert expected.differing(Result({"size": 2, "name": "a"})) == ["size"]
    assert not expected.allows(Result({"size": 1}))
    assert not expected.allows(Result([]))


@pytest.mark.parametrize("path, inside", [("a/b", "folder/a/b"), (".", "folder"), ("", ""), ("a//b", "folder/a//b")])
def test_a_step_goes_into_a_folder_and_back(path: str, inside: str) -> None:
    placed = Action("read", (path,)).below("folder")
    assert placed.paths == (inside,)
    assert placed.above("folder").paths == (path,)


def test_a_condition_may_be_looked_at_before_or_after_what_else_is_wrong() -> None:
    made = model(FLAT, "a", "b")
    assert classes(made.predict(Action("copy", ("a", "b"), {"if_match": OTHER}))) == [PreconditionFailed, AlreadyExists]
    assert classes(made.predict(Action("read_bytes", ("a",), {"if_match": CURRENT}))) == [type(None)]
    assert made.settled(Action("delete", ("c",), {"if_match": CURRENT})).options == {"if_match": OTHER}
    assert made.settled(Action("delete", ("a",), {"if_match": CURRENT})).options == {"if_match": CURRENT}


def test_a_wrong_argument_is_a_value_error_or_what_else_is_wrong_and_changes_nothing() -> None:
    made = model(FLAT, "a")
    wrong = write("a", checksum="MD4")
    assert classes(made.predict(replace(wrong, wrong="checksum"))) == [ValueError, AlreadyExists]
    ranged = Action("read_range", ("a",), numbers=(-1, 2), wrong="numbers")
    assert classes(made.predict(ranged)) == [ValueError]
    assert made.predict(Action("read_bytes", ("a",)))[0].value == b"x01"


def test_delete_many_may_look_at_folders_or_not() -> None:
    outcomes = model(FLAT, "a", "dir/in").predict(Action("delete_many", ("a", "dir", "")))
    rows = [[kind for _, kind in outcome.value] for outcome in outcomes]  # type: ignore[attr-defined]
    assert rows == [
        ["InvalidPath", "NoneType", "InvalidPath"],
        ["InvalidPath", "NoneType", "NoneType"],
        ["InvalidPath", "NoneType", "InvalidPath"],
    ]


def test_a_checksum_is_compared_by_its_own_algorithm() -> None:
    right, wrong = digest_of(b"content", "sha256"), digest_of(b"other", "sha256")
    assert Sum(b"content") == right
    assert Sum(b"content") != wrong
    assert Sum(b"content") == None  # noqa: E711
    assert Sum(b"content") == replace(wrong, full_object=False)
    assert Sum(b"content").of(wrong) == right


CALLS = {
    "SWAP-001": (write("a", overwrite=True, if_match=CURRENT), Action("read", ("a",), {"if_match": CURRENT})),
    "SWAP-002": (write("a", overwrite=True, if_match=CURRENT), Action("read", ("a",), {"if_match": CURRENT})),
    "SWAP-005": (Action("read", ("a",), {"if_match": CURRENT}), Action("copy", ("a", "b"), {"if_match": CURRENT})),
    "SWAP-006": (Action("read_bytes", ("a",), {"if_none_match": CURRENT}), Action("read_bytes", ("a",))),
    "SWAP-007": (Action("delete", ("a",), {"if_match": CURRENT}), Action("delete", ("a",))),
    "SWAP-008": (Action("delete", ("a",), {"if_match": CURRENT}), Action("delete", ("a",))),
    "SWAP-009": (Action("copy", ("a", "b"), {"if_match": CURRENT}), Action("move", ("a", "b"), {"if_match": CURRENT})),
    "SWAP-010": (Action("move", ("a", "b"), {"if_match": CURRENT}), Action("copy", ("a", "b"), {"if_match": CURRENT})),
    "SEEK-005": (Action("read_seekable", ("a",), steps=(("readinto", "B", 1),)), Action("read_seekable", ("a",))),
    "HEAD-001": (write("a", expires=None), write("a")),
    "HEAD-002": (write("a", cache_control="no-cache"), write("a")),
    "SUM-001": (write("a", checksum="CRC32"), write("a")),
    "VERS-007": (Action("get_tags", ("a",)), Action("get_file_info", ("a",))),
    "VERS-008": (Action("copy", ("a", "dir/in")), Action("copy", ("dir/in", "a"))),
    "VERS-010": (Action("get_tags", ("dir",)), Action("get_tags", ("a",))),
    "MANY-001": (Action("delete_many", ("a",)), Action("delete", ("a",))),
    "MANY-006": (Action("read_ranges", ("a",), numbers=(0, 1)), Action("read_range", ("a",), numbers=(0, 1))),
    "PATH-018": (write("dir"), write("dir/new")),
    "WRITE-006": (write("a"), write("a", overwrite=True)),
    "ATOM-005": (Action("open_atomic", ("a",)), Action("open_atomic", ("b",))),
    "LIST-018": (Action("delete", ("dir/in",)), Action("delete", ("a",))),
    "COPY-003": (Action("copy", ("a", "dir/in")), Action("copy", ("a", "dir/in"), {"overwrite": True})),
    "COPY-005": (Action("copy", ("a", "a")), Action("copy", ("a", "b"))),
    "COPY-016": (Action("move", ("a", "dir/in")), Action("move", ("a", "b"))),
    "COPY-018": (Action("move", ("a", "a")), Action("copy", ("a", "a"))),
    "COPY-023": (Action("copy", ("a", "dir")), Action("copy", ("a", "b"))),
}


@pytest.mark.parametrize("identifier", AROUND)
def test_a_rule_that_is_declared_leaves_out_its_calls_and_no_others(identifier: str) -> None:
    made = model(FLAT, "a", "dir/in")
    made.predict(Action("set_tags", ("dir/in",), {"tags": {"name": "value"}}))
    left_out, kept = CALLS[identifier]
    assert rule(identifier)
    assert leaves_out([identifier], made, left_out)
    assert not leaves_out([identifier], made, kept)
    assert not leaves_out(["READ-001"], made, left_out)
    assert made.files("") == ["a", "dir/in"]
