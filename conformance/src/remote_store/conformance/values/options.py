"""Options of a run, shared by the plugin, the command and the checks."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Literal

Tier = Literal["smoke", "quick", "full", "soak"]
TIERS: tuple[Tier, ...] = ("smoke", "quick", "full", "soak")
TIMEOUTS: Mapping[Tier, float] = {"smoke": 30.0, "quick": 30.0, "full": 300.0, "soak": 300.0}
"""The time limit of one check in seconds, if neither the profile nor an option states another."""
SHOWN_CALLS = 12
"""How many of its last calls a failure shows, unless all are asked for."""
DEFAULT_SEED = 0
PROPERTY = "remote-store-conformance"
"""Name of the property of a pytest report that holds a check's record."""


def seed_of(text: str) -> int:
    """The seed that an option names: a number, or `random` for a new one.

    Raises:
        ValueError: It is neither.
    """
    return random.randrange(1, 1 << 31) if text == "random" else int(text)
