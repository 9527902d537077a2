"""Turns the records of checks into answers about a server, and these into a verdict."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from http.client import HTTPException

import pytest

from remote_store.conformance.judging.plain import ASKED, Lacking, Plain
from remote_store.conformance.judging.questions import Question, Topic
from remote_store.conformance.s3 import S3OracleError, S3OracleRefused
from remote_store.conformance.servers import Server
from remote_store.conformance.values.outcome import HarnessFailed, Outcome, Record
from remote_store.core import RemoteStoreError

LACKING = (405, 501)
LACKING_CODES = ("NotImplemented", "MethodNotAllowed")
MOST_NAMED = 12
MOST_TOLD = 250
# The folder of a check, which differs from run to run.
FOLDER = re.compile(r"conformance-[0-9a-f]{16}/?")
SAME_OPERATION = {"put": "swap", "swap": "put", "complete": "complete_swap", "complete_swap": "complete"}
CONDITIONS = ("put", "complete", "copy", "delete", "swap", "complete_swap")


class Answer(StrEnum):
    """What a server does."""

    RIGHT = "right"
    WRONG = "wrong"
    NOT_OFFERED = "not offered"
    """It answers that it does not implement the request."""
    NOT_ASKED = "not asked"
    """No check ran, so nothing is known."""


class Grade(StrEnum):
    """The verdict about a server."""

    RIGHT = "right"
    """It gets everything right, except what it does not offer."""
    WITH_OPTIONS = "right with options"
    """A backend with the named options works around all that is wrong."""
    WRONG = "wrong"
    """No option helps with something that is wrong."""
    PARTIAL = "partial"
    """Nothing is known to be wrong, but not every question was asked."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One check that did not pass because of the server.

    Attributes:
        record: The record of the check.
        raises: Dotted name of the exception class with which it failed, as in a file of deviations.
        lacking: The server says that it does not implement the request.
    """

    record: Record
    raises: str
    lacking: bool = False

    @property
    def told(self) -> str:
        """What was expected and observed, in one line."""
        lines = FOLDER.sub("", self.record.reason).removeprefix("provisional: ").splitlines() or [""]
        if self.record.hung:
            return lines[0]
        observed = next((line.strip() for line in lines if line.strip().startswith("observed: ")), "")
        return shortened(f"{lines[0]}; {observed}" if observed else lines[0])


@dataclass(frozen=True, slots=True)
class Answered:
    """A question with its answer.

    Attributes:
        question: The question.
        answer: The answer.
        ran: Number of checks that ran.
        findings: The checks that did not pass because of the server.
        reason: Why it was not asked; empty if it was.
        observed: What was observed if the answer is not right; empty otherwise.
    """

    question: Question
    answer: Answer
    ran: int
    findings: tuple[Finding, ...] = ()
    reason: str = ""
    observed: str = ""

    @property
    def text(self) -> str:
        """The answer in words about the server."""
        return self.question.wrong if self.answer is Answer.WRONG else self.question.right

    @property
    def variants(self) -> tuple[str, ...]:
        """The parameters of the checks that did not pass, each once."""
        return tuple(dict.fromkeys(finding.record.variant for finding in self.findings if finding.record.variant))


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdict about a server.

    Attributes:
        grade: The verdict.
        conditions: For each condition of `ConditionalWrites`, whether to rely on it; empty unless all were asked.
        reasons: Why it is this verdict.
    """

    grade: Grade
    conditions: Mapping[str, bool]
    reasons: tuple[str, ...]

    @property
    def option(self) -> str:
        """The option `conditional_writes` to set on a backend; empty if not all conditions were asked."""
        if not self.conditions:
            return ""
        if all(self.conditions.values()):
            return "conditional_writes=True"
        trusted = ", ".join(f"{name}=True" for name, honoured in self.conditions.items() if honoured)
        return f"conditional_writes=ConditionalWrites({trusted})" if trusted else "conditional_writes=False"


def answered(
    topics: Iterable[Topic],
    records: Sequence[Record],
    errors: Mapping[str, BaseException],
    ended: str = "",
    plainly: Mapping[str, Answered] | None = None,
) -> tuple[Answered, ...]:
    """The answer to every question.

    Args:
        topics: The topics that were asked.
        records: The records of the checks.
        errors: The exceptions with which checks ended, by node id.
        ended: Why the run ended early; empty if it did not.
        plainly: The answers to questions that no check answers, by id.
    """
    absent = ended or "the command left out their checks"
    known = plainly or {}
    return tuple(
        known.get(question.id)
        or _answer(
            question, [each for each in records if question.is_answered_by(each.check, each.variant)], errors, absent
        )
        for topic in topics
        for question in topic.questions
    )


def asked_plainly(topics: Iterable[Topic], server: Server, bucket: str, prefix: str) -> Mapping[str, Answered]:
    """The answers to the questions that no check answers, by id, each asked below a prefix of its own.

    Args:
        topics: The topics that were asked.
        server: The server.
        bucket: Name of the bucket.
        prefix: What all keys begin with.
    """
    questions = [question for topic in topics for question in topic.questions if question.plain]
    return {question.id: _plainly(question, Plain(server, bucket, f"{prefix}{question.id}/")) for question in questions}


def _plainly(question: Question, plain: Plain) -> Answered:
    try:
        told = ASKED[question.plain](plain)
    except Lacking as lacking:
        return Answered(question, Answer.NOT_OFFERED, 1, observed=str(lacking))
    except ConnectionRefusedError:
        return Answered(question, Answer.NOT_ASKED, 0, reason="the server stopped responding")
    except (OSError, HTTPException, ValueError) as error:
        told = f"{type(error).__name__}: {error}"
    return Answered(question, Answer.WRONG if told else Answer.RIGHT, 1, observed=shortened(told))


def judge(answers: Sequence[Answered]) -> Judged:
    """The verdict from the answers.

    Args:
        answers: The answers to all questions, whether they were asked or not.
    """
    by: dict[Answer, list[Answered]] = {answer: [] for answer in Answer}
    for entry in answers:
        by[entry.answer].append(entry)
    hopeless = [entry for entry in by[Answer.WRONG] if not entry.question.option]
    reasons = []
    if hopeless:
        reasons.append(f"no option helps with {_count(len(hopeless))} that it gets wrong: {_named(hopeless)}")
    if helped := [entry for entry in by[Answer.WRONG] if entry.question.option]:
        reasons.append(f"an option works around {_count(len(helped))} that it gets wrong: {_named(helped)}")
    if by[Answer.NOT_OFFERED]:
        reasons.append(f"it does not offer {_count(len(by[Answer.NOT_OFFERED]))}: {_named(by[Answer.NOT_OFFERED])}")
    for reason in dict.fromkeys(entry.reason for entry in by[Answer.NOT_ASKED]):
        same = [entry for entry in by[Answer.NOT_ASKED] if entry.reason == reason]
        named = f": {_named(same)}" if len(same) <= MOST_NAMED else ""
        reasons.append(f"{_count(len(same))} {'was' if len(same) == 1 else 'were'} not asked, because {reason}{named}")
    conditions = _conditions(answers)
    if hopeless:
        return Judged(Grade.WRONG, conditions, tuple(reasons))
    if by[Answer.NOT_ASKED]:
        return Judged(Grade.PARTIAL, conditions, tuple(reasons))
    return Judged(Grade.WITH_OPTIONS if helped else Grade.RIGHT, conditions, tuple(reasons))


def _conditions(answers: Sequence[Answered]) -> Mapping[str, bool]:
    found: dict[str, bool] = {}
    for name in CONDITIONS:
        # A server that has no lock for one condition of an operation has none for the other.
        same = SAME_OPERATION.get(name, "")
        own = [
            entry.answer
            for entry in answers
            if entry.question.option == name or (entry.question.option == same and entry.question.sometimes)
        ]
        if not own or Answer.NOT_ASKED in own:
            return {}
        found[name] = all(answer is Answer.RIGHT for answer in own)
    return found


def _answer(
    question: Question, records: Sequence[Record], errors: Mapping[str, BaseException], absent: str
) -> Answered:
    findings, missing, ran = [], [], 0
    for record in records:
        error = errors.get(record.node)
        if record.outcome is Outcome.PASS:
            ran += 1
        elif (finding := _finding(record, error)) is not None:
            findings.append(finding)
            ran += 1
        else:
            missing.append(record)
    wrong = [finding for finding in findings if not finding.lacking]
    if wrong:
        return Answered(question, Answer.WRONG, ran, tuple(findings), observed=wrong[0].told)
    if findings:
        return Answered(question, Answer.NOT_OFFERED, ran, tuple(findings), observed=findings[0].told)
    unknown = [record for record in missing if record.outcome is not Outcome.NOT_APPLICABLE]
    if ran and not unknown:
        return Answered(question, Answer.RIGHT, ran)
    reason = next((record.reason.partition("\n")[0] for record in [*unknown, *missing]), absent)
    return Answered(question, Answer.NOT_ASKED, ran, reason=reason)


def _finding(record: Record, error: BaseException | None) -> Finding | None:
    """What a check that did not pass says about the server; `None` if it says nothing."""
    if error is None:
        return None
    chain = _chain(error)
    lacking = any(_lacks(each) for each in chain)
    if record.outcome is Outcome.FAIL:
        return Finding(record, _raised(chain), lacking)
    refused = any(isinstance(each, S3OracleRefused) for each in chain)
    if record.outcome is Outcome.UNTESTED and refused:
        return Finding(record, _raised(chain), lacking)
    # The oracle's own requests are answered by the server too.
    if record.outcome is Outcome.ERROR and isinstance(error, HarnessFailed) and len(chain) > 1:
        return Finding(record, _raised(chain), lacking)
    return None


def _chain(error: BaseException) -> list[BaseException]:
    """An exception and what it was raised from."""
    chain = [error]
    while (cause := chain[-1].__cause__ or chain[-1].__context__) is not None and cause not in chain:
        chain.append(cause)
    return chain


def _lacks(error: BaseException) -> bool:
    """Whether an exception comes from a response that says that the server does not implement the request."""
    if isinstance(error, S3OracleError):
        return error.status in LACKING
    if isinstance(error, RemoteStoreError):
        return getattr(error, "status", None) in LACKING or getattr(error, "code", None) in LACKING_CODES
    return isinstance(error, RuntimeError) and any(f": {status} " in str(error) for status in LACKING)


def _raised(chain: Sequence[BaseException]) -> str:
    """The class with which the check itself failed, below what the suite made of it."""
    wrappers = (HarnessFailed, pytest.skip.Exception, pytest.xfail.Exception)
    raised = next((each for each in chain if not isinstance(each, wrappers)), chain[-1])
    if isinstance(raised, AssertionError):
        return "AssertionError"
    if isinstance(raised, RemoteStoreError):
        return "remote_store.core.RemoteStoreError"
    if isinstance(raised, S3OracleError):
        return "remote_store.conformance.s3.S3OracleError"
    kind = type(raised)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def shortened(text: str) -> str:
    """A text of at most 250 characters."""
    return text if len(text) <= MOST_TOLD else f"{text[:MOST_TOLD]}..."


def _count(number: int) -> str:
    return f"{number} thing" + ("" if number == 1 else "s")


def _named(entries: Iterable[Answered]) -> str:
    return ", ".join(f"{entry.question.topic}/{entry.question.id}" for entry in entries)
