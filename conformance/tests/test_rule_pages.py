from __future__ import annotations

import pytest

from remote_store.conformance import ConfigurationError, RulePage, rule_pages, rules
from remote_store.conformance.contract.rule_pages import pages_of

FILE = """
["READ-001"]
why = "Because. "
wrong = '''
    read()
'''
right = '''
    read_all()
'''
breaks = "Wrappers."
"""


def test_a_page_is_read_from_the_file_of_its_area() -> None:
    assert pages_of("read.toml", FILE) == {"READ-001": RulePage("Because.", "read()", "read_all()", "Wrappers.")}


def test_the_pages_have_the_order_of_the_catalogue() -> None:
    assert [identifier for identifier in rules() if identifier in rule_pages()] == list(rule_pages())


@pytest.mark.parametrize(
    "old, new, told",
    [
        ("[", "", "pages/read.toml: "),
        ("READ-001", "READ-999", "pages/read.toml: READ-999 is not a rule of the area READ"),
        ("READ-001", "WRITE-001", "pages/read.toml: WRITE-001 is not a rule of the area READ"),
        ("why =", "because =", "pages/read.toml: READ-001 must have exactly why, wrong, right, breaks"),
        ('breaks = "Wrappers."', "", "pages/read.toml: READ-001 must have exactly why, wrong, right, breaks"),
        ('"Wrappers."', "1", "pages/read.toml: READ-001: breaks must be text"),
        ('"Because. "', '" "', "pages/read.toml: READ-001: why must be text"),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_its_place(old: str, new: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        pages_of("read.toml", FILE.replace(old, new, 1))


def test_a_file_of_no_area_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="READ-001 is not a rule of the area REED"):
        pages_of("reed.toml", FILE)
