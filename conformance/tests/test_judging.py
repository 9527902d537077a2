from __future__ import annotations

import tomllib
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from remote_store.conformance import BackendConformance, Case, ConfigurationError, load_deviations
from remote_store.conformance.checking.expect import CheckFailed
from remote_store.conformance.harness import FactoryHarness
from remote_store.conformance.judging import pages
from remote_store.conformance.judging.address import Address, address_of, credentials_of
from remote_store.conformance.judging.answers import CONDITIONS, Answer, Answered, Grade, answered, judge
from remote_store.conformance.judging.asking import Asking
from remote_store.conformance.judging.plain import ASKED, Plain
from remote_store.conformance.judging.questions import Question, chosen, topics
from remote_store.conformance.judging.reach import Response
from remote_store.conformance.run.manifest import manifest
from remote_store.conformance.s3 import S3OracleError, S3OracleRefused
from remote_store.conformance.s3.oracle import parsed
from remote_store.conformance.servers import Server
from remote_store.conformance.values.outcome import HarnessFailed, Outcome, Record, Untested
from remote_store.core import InvalidPath, MemoryBackend, RemoteStoreError

QUESTIONS = {(question.topic, question.id): question for topic in topics() for question in topic.questions}


def record(check: str, outcome: Outcome, *, variant: str = "", reason: str = "") -> Record:
    rules = manifest(BackendConformance)[check].rules
    return Record(check=check, variant=variant, rules=rules, outcome=outcome, reason=reason, node=f"{check}[{variant}]")


def answers_to(topic: str, name: str, *found: tuple[Record, BaseException | None]) -> Answered:
    """The answer to one question from records and the exceptions of their checks."""
    errors = {entry.node: error for entry, error in found if error is not None}
    return next(
        entry
        for entry in answered(topics(), [entry for entry, _ in found], errors)
        if entry.question is QUESTIONS[topic, name]
    )


def caused(error: BaseException, cause: BaseException) -> BaseException:
    error.__cause__ = cause
    return error


def with_context(error: BaseException, context: BaseException) -> BaseException:
    error.__context__ = context
    return error


def all_of(questions: Iterable[Question], answer: Answer) -> list[Answered]:
    return [Answered(question, answer, 1) for question in questions]


def test_every_question_is_answered_by_checks_of_the_suite_and_has_a_name_of_its_own() -> None:
    known = manifest(BackendConformance)
    unknown = [(entry.id, check) for entry in QUESTIONS.values() for check in entry.checks if check not in known]
    assert unknown == []
    assert all(bool(entry.checks) is not bool(entry.plain) for entry in QUESTIONS.values())
    assert {entry.plain for entry in QUESTIONS.values()} == {"", *ASKED}
    assert sum(len(topic.questions) for topic in topics()) == len(QUESTIONS)
    assert {entry.option for entry in QUESTIONS.values()} == {"", *CONDITIONS}
    texts = [text for entry in QUESTIONS.values() for text in (entry.right, entry.wrong)]
    assert len(set(texts)) == len(texts)
    assert not [text for text in texts if "backend" in text or "|" in text or text.endswith(".")]


def test_a_topic_is_asked_with_the_question_that_all_others_rely_on() -> None:
    assert chosen([]) == topics()
    basics, conditions = chosen(["conditions"])
    assert [question.id for question in basics.questions] == ["objects"]
    assert conditions.name == "conditions"
    assert chosen(["basics"]) == topics()[:1]
    with pytest.raises(ConfigurationError, match="'condition' is not a topic; did you mean conditions"):
        chosen(["condition"])


COPY = "test_copy_keeps_what_exists"
KEY = "test_path_foreign_key_is_read"


@pytest.mark.parametrize(
    "found, answer, raises",
    [
        ((record(COPY, Outcome.PASS), None), Answer.RIGHT, None),
        (
            (record(COPY, Outcome.FAIL, reason="copy\n  observed: no error"), CheckFailed("x")),
            Answer.WRONG,
            "AssertionError",
        ),
        (
            (
                record(COPY, Outcome.FAIL),
                caused(CheckFailed("x"), RemoteStoreError("x", code="NotImplemented", status=501)),
            ),
            Answer.NOT_OFFERED,
            "AssertionError",
        ),
        (
            (record(COPY, Outcome.UNTESTED), with_context(Untested("x"), S3OracleRefused("PUT /a", 400, b"no"))),
            Answer.WRONG,
            "remote_store.conformance.s3.S3OracleError",
        ),
        (
            (record(COPY, Outcome.ERROR), caused(HarnessFailed("x"), S3OracleError("GET /a", 404, b"web page"))),
            Answer.WRONG,
            "remote_store.conformance.s3.S3OracleError",
        ),
        ((record(COPY, Outcome.FAIL), InvalidPath("x")), Answer.WRONG, "remote_store.core.RemoteStoreError"),
        ((record(COPY, Outcome.FAIL), ValueError("x")), Answer.WRONG, "ValueError"),
        ((record(COPY, Outcome.UNTESTED, reason="no bucket"), Untested("no bucket")), Answer.NOT_ASKED, None),
        ((record(COPY, Outcome.NOT_RUN, reason="too late"), None), Answer.NOT_ASKED, None),
    ],
)
def test_a_check_becomes_an_answer_about_the_server(
    found: tuple[Record, BaseException | None], answer: Answer, raises: str | None
) -> None:
    entry = answers_to("conditions", "copy", found)
    assert entry.answer is answer
    assert [finding.raises for finding in entry.findings] == ([raises] if raises else [])
    assert entry.text == (entry.question.wrong if answer is Answer.WRONG else entry.question.right)
    assert bool(entry.reason) is (answer is Answer.NOT_ASKED)


def test_one_wrong_check_outweighs_the_right_ones_and_those_that_did_not_run() -> None:
    right, wrong = record(KEY, Outcome.PASS, variant="dot_segment"), record(KEY, Outcome.FAIL, variant="dot_at_end")
    late = record(KEY, Outcome.NOT_RUN, variant="dot_in_front", reason="too late")
    other = record(KEY, Outcome.FAIL, variant="plus")
    failed = CheckFailed("x")
    entry = answers_to("keys", "dots", (right, None), (wrong, failed), (late, None), (other, failed))
    assert (entry.answer, entry.ran, entry.variants) == (Answer.WRONG, 2, ("dot_at_end",))
    assert answers_to("keys", "dots", (right, None), (late, None)).reason == "too late"
    assert answers_to("keys", "dots").reason == "the command left out their checks"


@pytest.mark.parametrize("outcome", [Outcome.ERROR, Outcome.UNTESTED, Outcome.NOT_RUN])
def test_a_question_is_answered_right_only_if_all_of_its_checks_that_apply_ran(outcome: Outcome) -> None:
    right = record(KEY, Outcome.PASS, variant="dot_segment")
    lost = record(KEY, outcome, variant="dot_at_end", reason="why")
    foreign = record(KEY, Outcome.NOT_APPLICABLE, variant="dot_in_front", reason="no such option")
    entry = answers_to("keys", "dots", (foreign, None), (right, None), (lost, None))
    assert (entry.answer, entry.reason) == (Answer.NOT_ASKED, "why")
    assert answers_to("keys", "dots", (right, None), (foreign, None)).answer is Answer.RIGHT


class Scripted(Plain):
    """A bucket of a server that answers every request alike.

    Args:
        response: The response.
    """

    def __init__(self, response: Response) -> None:
        super().__init__(Server("server", "http://127.0.0.1:1", "suite", "suite-secret", "us-east-1", ""), "bucket", "")
        self.response = response
        self.requests: list[str] = []

    def send(self, method: str, *_given: Any, **_headers: str) -> Response:
        self.requests.append(method)
        return self.response


@pytest.mark.parametrize(
    "form, is_right",
    [
        ("%a, %d %b %Y %H:%M:%S GMT", True),
        ("%a, %d %b %Y %H:%M:%S -0000", True),
        ("%a, %d %b %Y %H:%M:%S", True),
        ("%a, %d %b 2001 %H:%M:%S -0000", False),
        ("yesterday", False),
        (f"Mon, 30 Nov {'9' * 30} 13:00:00 GMT", False),
    ],
)
def test_every_date_that_a_server_may_send_is_judged(form: str, is_right: bool) -> None:
    given = datetime.now(UTC).strftime(form)
    told = ASKED["date"](Scripted(Response(200, {"date": given}, b"")))
    assert told == ("" if is_right else f"Date: {given}")


@pytest.mark.parametrize("encoding", ["no-such-encoding", "utf-7", "idna"])
def test_a_document_that_no_parser_reads_is_none(encoding: str) -> None:
    body = f'<?xml version="1.0" encoding="{encoding}"?><a/>'.encode()
    assert Response(200, {}, body).document is None
    with pytest.raises(S3OracleRefused, match="the response is no XML"):
        parsed(body)


def test_an_upload_that_a_question_began_is_aborted_whatever_the_answers_are() -> None:
    plain = Scripted(Response(200, {}, b"<UploadId>mine</UploadId>"))
    assert ASKED["wrong_parts"](plain).startswith("with a part that was not sent: 200")
    assert plain.requests[-1] == "DELETE"


@pytest.mark.parametrize("trouble", ["the server stopped responding", ""])
def test_a_server_that_died_is_not_told_as_one_that_writes_no_objects(trouble: str) -> None:
    harness = FactoryHarness(MemoryBackend)
    harness.trouble = lambda: trouble  # type: ignore[method-assign]
    asked = chosen(["basics"])
    asking = Asking(asked, [], 60.0)
    item = SimpleNamespace(
        nodeid="x",
        originalname=asked[0].questions[0].checks[0],
        funcargs={"case": Case(harness)},
        session=SimpleNamespace(shouldstop=""),
    )
    call: Any = SimpleNamespace(excinfo=SimpleNamespace(value=CheckFailed("x")))
    hook = asking.pytest_runtest_makereport(item, call)
    next(hook)
    with pytest.raises(StopIteration):
        hook.send(pytest.TestReport("x", ("x", 1, "x"), {}, "failed", None, "call"))
    assert asking.ended == (trouble or "objects are not even written, read, listed and deleted correctly")


def test_what_was_observed_is_told_without_the_folder_of_the_check() -> None:
    reason = "provisional: reading 'conformance-0123456789abcdef/a'\n  expected: b'x'\n  observed: b'y'\n  hint: ..."
    entry = answers_to("conditions", "copy", (record(COPY, Outcome.FAIL, reason=reason), CheckFailed(reason)))
    assert entry.findings[0].told == "reading 'a'; observed: b'y'"


def test_the_verdict_says_what_an_option_works_around() -> None:
    options = [entry for entry in QUESTIONS.values() if entry.option]
    others = [entry for entry in QUESTIONS.values() if not entry.option]
    right = [*all_of(options, Answer.RIGHT), *all_of(others, Answer.RIGHT)]
    assert (judge(right).grade, judge(right).reasons) == (Grade.RIGHT, ())
    assert judge(right).option == "conditional_writes=True"

    race = QUESTIONS["conditions", "complete-race"]
    raced = [Answered(entry.question, Answer.WRONG, 1) if entry.question is race else entry for entry in right]
    assert judge(raced).grade is Grade.WITH_OPTIONS
    trusted = "put=True, copy=True, delete=True, swap=True"
    assert judge(raced).option == f"conditional_writes=ConditionalWrites({trusted})"
    assert judge(raced).reasons == ("an option works around 1 thing that it gets wrong: conditions/complete-race",)

    assert judge([*all_of(options, Answer.WRONG), *all_of(others, Answer.RIGHT)]).option == "conditional_writes=False"
    offered = judge([*all_of(options, Answer.RIGHT), *all_of(others, Answer.NOT_OFFERED)])
    assert offered.grade is Grade.RIGHT
    assert offered.reasons[0].startswith(f"it does not offer {len(others)} things: basics/objects, ")
    assert judge([*all_of(options, Answer.NOT_ASKED), *all_of(others, Answer.RIGHT)]).grade is Grade.PARTIAL
    assert judge([*all_of(options, Answer.NOT_ASKED), *all_of(others, Answer.WRONG)]).grade is Grade.WRONG
    assert judge([*all_of(options, Answer.NOT_ASKED), *all_of(others, Answer.RIGHT)]).option == ""


@pytest.fixture
def judgement() -> pages.Judgement:
    """A server that copies without conditions, cuts dots at the end, and does not implement forms."""
    lacks = RemoteStoreError("no", status=501)
    found: list[tuple[Record, BaseException | None]] = [
        (record(COPY, Outcome.FAIL, reason="copy\n  observed: no exception"), CheckFailed("x")),
        (record("test_move_keeps_what_exists", Outcome.FAIL), CheckFailed("x")),
        (record("test_atomic_race_of_writes", Outcome.FAIL), CheckFailed("x")),
        (record(KEY, Outcome.PASS, variant="dot_segment"), None),
        (record(KEY, Outcome.FAIL, variant="dot_at_end"), InvalidPath("x")),
        (record("test_sign_a_form_uploads_a_file", Outcome.FAIL), lacks),
    ]
    errors = {entry.node: error for entry, error in found if error is not None}
    answers = answered(topics(), [entry for entry, _ in found], errors)
    return pages.Judgement(
        name='Server "1"',
        command="remote-store-conformance s3 http://127.0.0.1:9000/bucket",
        lane="remote-store-boto3 0.1.0",
        seed=0,
        date=datetime(2026, 11, 30, tzinfo=UTC),
        topics=topics(),
        answers=answers,
        judged=judge(answers),
    )


def test_the_file_of_deviations_has_exactly_what_failed(judgement: pages.Judgement, tmp_path: Path) -> None:
    file = tmp_path / "deviations.toml"
    file.write_text(pages.deviations(judgement), "utf-8")
    rows = tomllib.loads(file.read_text("utf-8"))["deviation"]
    assert [(row["rules"], row["checks"]) for row in rows] == [
        (["ATOM-012"], ["test_atomic_race_of_writes"]),
        (["COPY-003", "COPY-016"], [COPY, "test_move_keeps_what_exists"]),
        (["PATH-010"], [KEY]),
        (["SIGN-009"], ["test_sign_a_form_uploads_a_file"]),
    ]
    assert [row.get("sometimes") for row in rows] == [True, None, None, None]
    assert [row.get("raises") for row in rows] == [None, None, *[["remote_store.core.RemoteStoreError"]] * 2]
    assert rows[2]["variants"] == ["dot_at_end"]
    assert rows[1]["reason"] == 'Server "1": CopyObject with `If-None-Match: *` replaces an object that exists'
    assert "does not implement this: a POST form uploads an object" in rows[3]["reason"]
    known = load_deviations(file)
    assert set(known) == {"ATOM-012", "COPY-003", "COPY-016", "PATH-010", "SIGN-009"}


def test_the_answers_are_a_table_and_lines(judgement: pages.Judgement) -> None:
    table = pages.table(judgement)
    assert "| CopyObject with `If-None-Match: *` creates an object only if there is none | **wrong** |" in table
    assert "| `.` and `..` segments are part of a key | **wrong** (dot_at_end) |" in table
    assert "| a POST form uploads an object | not offered |" in table
    assert "| a version can be copied | not asked |" in table
    assert {line.count(" |") for line in table.splitlines()[2:]} <= {2}
    told = list(pages.lines(judgement))
    assert "  wrong       CopyObject with `If-None-Match: *` replaces an object that exists" in told
    assert "                copy; observed: no exception" in told
    assert "                with dot_at_end" in told
    report = pages.report(judgement)
    assert report["verdict"]["grade"] == "wrong"
    assert report["command"] == judgement.command
    questions = {entry["id"]: entry for topic in report["topics"] for entry in topic["questions"]}
    assert (questions["dots"]["answer"], questions["dots"]["variants"]) == ("wrong", ["dot_at_end"])


@pytest.mark.parametrize(
    "url, environment, found",
    [
        ("http://127.0.0.1:9000/my-bucket", {}, Address("http://127.0.0.1:9000", "my-bucket", "us-east-1")),
        ("http://[::1]:9000/my-bucket/", {}, Address("http://[::1]:9000", "my-bucket", "us-east-1")),
        (
            "https://s3.example.com/my-bucket?region_name=garage",
            {"AWS_REGION": "eu"},
            Address("https://s3.example.com", "my-bucket", "garage"),
        ),
        (
            "s3://my-bucket?endpoint_url=http://127.0.0.1:9000",
            {"AWS_ENDPOINT_URL": "https://else.where", "AWS_REGION": "eu"},
            Address("http://127.0.0.1:9000", "my-bucket", "eu"),
        ),
        ("s3://my-bucket", {"AWS_ENDPOINT_URL": "http://h:1"}, Address("http://h:1", "my-bucket", "us-east-1")),
        (
            "s3://my-bucket",
            {"AWS_DEFAULT_REGION": "eu-west-1"},
            Address("https://s3.eu-west-1.amazonaws.com", "my-bucket", "eu-west-1"),
        ),
    ],
)
def test_an_address_comes_from_the_url_and_the_environment(
    url: str, environment: dict[str, str], found: Address
) -> None:
    assert address_of(url, environment) == found


@pytest.mark.parametrize(
    "url, told",
    [
        ("http://127.0.0.1:9000", "names no bucket; write http://127.0.0.1:9000/bucket"),
        ("http://127.0.0.1:9000/", "names no bucket"),
        ("s3://", "names no bucket"),
        ("http://127.0.0.1:9000/bucket/folder", "has a path below the bucket"),
        ("http://127.0.0.1:9000/My_Bucket", "'My_Bucket' is not a bucket's name"),
        ("http://ada:hush@127.0.0.1:9000/bucket", "contains credentials"),
        ("s3://bucket?endpoint_url=http://ada:hush@h", "contains credentials"),
        ("s3://bucket?endpoint_url=127.0.0.1:9000", "endpoint_url must be http://host:port"),
        ("s3://bucket?secret=hush", "a setting 'secret' that is not known"),
        ("http://127.0.0.1:port/bucket", "the URL is malformed"),
        ("http:///bucket", "must begin with http://, https:// or s3://"),
        ("127.0.0.1:9000/bucket", "must begin with http://, https:// or s3://"),
        ("ftp://127.0.0.1/bucket", "must begin with http://, https:// or s3://"),
    ],
)
def test_a_wrong_url_is_explained_and_shows_no_secret(url: str, told: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        address_of(url, {})
    assert told in str(caught.value)
    assert "hush" not in str(caught.value)


def test_credentials_are_named_by_variables_and_never_shown() -> None:
    usual = {"AWS_ACCESS_KEY_ID": "ada", "AWS_SECRET_ACCESS_KEY": "hush"}
    found = credentials_of("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", usual)
    assert (found.key, found.secret) == ("ada", "hush")
    assert "hush" not in repr(found)
    own = {"K": "ada", "S": "hush", "AWS_SESSION_TOKEN": "token"}
    assert credentials_of("K", "S", own).secret == "hush"
    with pytest.raises(ConfigurationError, match="AWS_ACCESS_KEY_ID is not set; set AWS_ACCESS_KEY_ID and"):
        credentials_of("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", {})
    with pytest.raises(ConfigurationError, match="temporary credentials are not supported"):
        credentials_of("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", {**usual, "AWS_SESSION_TOKEN": "token"})
    with pytest.raises(ConfigurationError, match="--secret names no environment variable that is set") as caught:
        credentials_of("AWS_ACCESS_KEY_ID", "my-secret-itself", usual)
    assert "my-secret-itself" not in str(caught.value)
