from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from remote_store.core import Secret


def test_nothing_but_reveal_shows_it() -> None:
    secret = Secret("hunter2")
    shown = [
        repr(secret),
        str(secret),
        f"{secret}",
        f"{secret!r}",
        "".join(["<", str(secret), ">"]),
        repr([secret]),
        repr({"key": secret}),
    ]
    assert not any("hunter2" in text for text in shown)
    assert secret.reveal() == "hunter2"


def test_equality_and_truth() -> None:
    assert Secret("a") == Secret(Secret("a"))
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert Secret("é") == Secret("é")
    assert hash(Secret("a")) == hash(Secret("a"))
    assert Secret("a")
    assert not Secret("")


def test_it_is_copied_with_its_value() -> None:
    for again in (pickle.loads(pickle.dumps(Secret("a"))), copy.deepcopy(Secret("a"))):
        assert again == Secret("a")


@pytest.mark.parametrize("value", [None, b"a", 1])
def test_it_is_text(value: Any) -> None:
    with pytest.raises(TypeError):
        Secret(value)
