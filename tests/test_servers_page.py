"""The page about servers shows the committed reports, and nothing else."""

from __future__ import annotations

import servers_page
from remote_store.conformance.judging.questions import topics


def test_the_page_is_made_from_the_reports() -> None:
    assert servers_page.PAGE.read_text("utf-8") == servers_page.page(servers_page.reports()), (
        "run tools/servers_page.py"
    )


def test_every_report_answers_the_questions_of_today() -> None:
    known = {(topic.name, question.id): question for topic in topics() for question in topic.questions}
    found = servers_page.reports()
    assert {"moto 5.2.5", "SeaweedFS 4.48"} <= {report["server"] for report in found}
    for report in found:
        answers = servers_page.questions(report)
        assert set(answers) == set(known), report["server"]
        assert {name: entry["right"] for name, entry in answers.items()} == {
            name: question.right for name, question in known.items()
        }


def test_what_was_observed_stays_code_in_one_line() -> None:
    assert servers_page.code("a\nb  c") == "`a b c`"
    assert servers_page.code("GET `x`") == "`` GET `x` ``"
