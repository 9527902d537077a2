"""What was found out about a server, as lines of text, JSON, a Markdown table and a file of deviations."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from remote_store.conformance.contract.rulebook import CONTRACT_VERSION
from remote_store.conformance.contract.versions import installed
from remote_store.conformance.judging.answers import Answer, Answered, Finding, Judged
from remote_store.conformance.judging.questions import Topic

FORMAT = 1
WIDTH = 11
SHOWN_VARIANTS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A server that was judged.

    Attributes:
        name: What to call the server, in one line of printable characters.
        command: The command that judged it.
        lane: Name and version of the lane that was used.
        seed: The number that decided what the checks drew.
        date: When it was judged.
        topics: The topics that were asked.
        answers: The answers.
        judged: The verdict.
    """

    name: str
    command: str
    lane: str
    seed: int
    date: datetime
    topics: Sequence[Topic]
    answers: Sequence[Answered]
    judged: Judged

    def of(self, topic: Topic) -> list[Answered]:
        """The answers to the questions of a topic."""
        return [entry for entry in self.answers if entry.question in topic.questions]


def lines(judgement: Judgement) -> Iterator[str]:
    """The answers and the verdict for a terminal."""
    reasons: set[str] = set()
    for topic in judgement.topics:
        yield topic.title
        for entry in judgement.of(topic):
            yield f"  {entry.answer:<{WIDTH}} {entry.text}"
            yield from (f"  {'':<{WIDTH}}   {line}" for line in _details(entry) if line not in reasons)
            reasons.add(entry.reason)
        yield ""
    judged = judgement.judged
    yield f"verdict   {judged.grade}: {judgement.name}, asked with {judgement.lane}"
    for number, reason in enumerate(judged.reasons):
        yield f"{'' if number else 'why':<9} {reason}"
    if judged.option:
        yield f"option    {judged.option}"


def report(judgement: Judgement) -> Mapping[str, Any]:
    """The judgement as data that JSON can hold."""
    judged = judgement.judged
    return {
        "format": FORMAT,
        "server": judgement.name,
        "command": judgement.command,
        "date": judgement.date.isoformat(timespec="seconds"),
        "versions": {"contract": CONTRACT_VERSION, **installed(), "lane": judgement.lane},
        "seed": judgement.seed,
        "verdict": {"grade": judged.grade.value, "reasons": list(judged.reasons), "option": judged.option},
        "topics": [
            {
                "name": topic.name,
                "title": topic.title,
                "questions": [_answer(entry) for entry in judgement.of(topic)],
            }
            for topic in judgement.topics
        ],
    }


def json_text(judgement: Judgement) -> str:
    """The report as text."""
    return json.dumps(report(judgement), indent=1, ensure_ascii=False) + "\n"


def table(judgement: Judgement) -> str:
    """The answers as a Markdown table."""
    rows = [f"| {_cell(judgement.name)} | |", "|---|---|"]
    for topic in judgement.topics:
        rows.append(f"| **{topic.title}** | |")
        rows += [f"| {_cell(entry.question.right)} | {shown(_answer(entry))} |" for entry in judgement.of(topic)]
    return "\n".join(rows) + "\n"


def shown(answer: Mapping[str, Any]) -> str:
    """The cell of an answer: what is wrong is in bold, with the parameters that show it."""
    text = str(answer["answer"])
    if text == Answer.RIGHT:
        return "right"
    if text == Answer.WRONG:
        variants = answer["variants"]
        several = 0 < len(variants) < answer["checks"]
        return "**wrong**" + (f" ({_cell(_some(variants))})" if several else "")
    return text


def deviations(judgement: Judgement) -> str:
    """The file with which the conformance class of a lane on this server is green.

    Every deviation expires with the next version of the contract, so that it is looked at again.
    """
    major, minor = CONTRACT_VERSION.split(".")
    expires = f"contract {major}.{int(minor) + 1}"
    rows = [f"# {judgement.name}, judged on {judgement.date:%Y-%m-%d} with {judgement.lane}.\n"]
    for entry in judgement.answers:
        for rules, checks, variants, raises in _alike(entry.findings):
            fields: dict[str, object] = {"rules": rules, "reason": f"{judgement.name}: {entry.question.wrong}"}
            if entry.answer is Answer.NOT_OFFERED:
                fields["reason"] = f"{judgement.name} does not implement this: {entry.question.right}"
            fields |= {"raises": raises} if raises != ["AssertionError"] else {}
            fields |= {"checks": checks}
            fields |= {"variants": variants} if variants else {}
            fields |= {"sometimes": True} if entry.question.sometimes else {}
            fields |= {"expires": expires}
            told = "\n".join(f"{name} = {_toml(value)}" for name, value in fields.items())
            rows.append(f"[[deviation]]\n{told}\n")
    return "\n".join(rows)


def _alike(findings: Iterable[Finding]) -> Iterator[tuple[list[str], list[str], list[str], list[str]]]:
    """Rules, checks, parameters and exceptions of findings, with checks of the same parameters together."""
    by_check: dict[str, list[Finding]] = {}
    for finding in findings:
        by_check.setdefault(finding.record.check, []).append(finding)
    alike: dict[tuple[tuple[str, ...], tuple[str, ...]], list[str]] = {}
    rules: dict[str, tuple[str, ...]] = {}
    for check, own in by_check.items():
        variants = tuple(sorted({_literal(finding.record.variant) for finding in own if finding.record.variant}))
        raises = tuple(sorted({finding.raises for finding in own}))
        alike.setdefault((variants, raises), []).append(check)
        rules[check] = own[0].record.rules
    for (variants, raises), checks in alike.items():
        yield sorted({rule for check in checks for rule in rules[check]}), checks, list(variants), list(raises)


def _literal(variant: str) -> str:
    """A shell pattern that matches exactly this text."""
    return "".join(f"[{character}]" if character in "*?[" else character for character in variant)


def _answer(entry: Answered) -> dict[str, Any]:
    return {
        "id": entry.question.id,
        "answer": entry.answer.value,
        "right": entry.question.right,
        "text": entry.text,
        "option": entry.question.option,
        "checks": entry.ran,
        "failed": len(entry.findings) or int(bool(entry.observed)),
        "variants": list(entry.variants),
        "observed": entry.observed,
        "reason": entry.reason,
    }


def _details(entry: Answered) -> Iterator[str]:
    if entry.reason:
        yield entry.reason
    if entry.observed:
        yield entry.observed
    if entry.variants and len(entry.variants) < entry.ran:
        yield f"with {_some(entry.variants)}"


def _some(variants: Sequence[str]) -> str:
    return ", ".join(variants[:SHOWN_VARIANTS]) + (", ..." if len(variants) > SHOWN_VARIANTS else "")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _toml(value: object) -> str:
    """A value as TOML writes it, which is JSON except for one control character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
