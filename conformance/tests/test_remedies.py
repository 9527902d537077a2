from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from remote_store import conformance
from remote_store.conformance import Profile
from remote_store.conformance.checking.remedies import FIELDS, HARNESS, remedy_of

SOURCES = Path(conformance.__file__).parent
WITHOUT = {"the storage refused a call of the oracle", "another interpreter cannot import the backend"}


def reasons() -> Iterator[str]:
    """The reasons, as written in the source, why a check can end as untested."""
    for folder in ("suite", "checking", "model"):
        for path in (SOURCES / folder).rglob("*.py"):
            tree = ast.parse(path.read_text("utf-8"))
            for call in ast.walk(tree):
                if isinstance(call, ast.Call) and call.args:
                    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
                    if name in ("untested", "require_profile") and isinstance(call.args[0], ast.Constant):
                        yield str(call.args[0].value)


def test_every_reason_why_a_rule_is_untested_says_what_would_make_it_run() -> None:
    found = set(reasons())
    assert len(found) > 20
    assert {reason for reason in found if not remedy_of(reason)} == set()
    assert (FIELDS.keys() | HARNESS.keys()) - found == set()


def test_a_remedy_names_a_field_of_the_profile_that_exists() -> None:
    assert set(FIELDS.values()) <= {field.name for field in fields(Profile)}
