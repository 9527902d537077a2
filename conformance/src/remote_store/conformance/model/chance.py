"""Where the state machine's draws come from: plain chance, the same in every run."""

from __future__ import annotations

import random
from typing import Any, NoReturn

from hypothesis.internal.conjecture.providers import PrimitiveProvider


class Chance(PrimitiveProvider):
    """A backend of Hypothesis for booleans and bounded integers.

    Hypothesis's own spends a small budget on variations of few examples, draws constants out of whatever modules happen
    to be loaded, so that a history depends on what else is tested, and keeps a folder for them.
    """

    def __init__(self, conjecturedata: Any, /) -> None:
        super().__init__(conjecturedata)
        self._random = random.Random(0)

    def draw_boolean(self, p: float = 0.5, **_options: Any) -> bool:
        return self._random.random() < p

    def draw_integer(self, min_value: int | None = None, max_value: int | None = None, **_options: Any) -> int:
        if min_value is None or max_value is None:
            self._refuse()
        return self._random.randint(min_value, max_value)

    def draw_float(self, **_options: Any) -> NoReturn:
        self._refuse()

    def draw_string(self, *_arguments: Any, **_options: Any) -> NoReturn:
        self._refuse()

    def draw_bytes(self, *_arguments: Any, **_options: Any) -> NoReturn:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise NotImplementedError("the state machine draws booleans and bounded integers only")
