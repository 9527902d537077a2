"""The options of a run that the plugin, the command and the checks share."""

from __future__ import annotations

from typing import Literal

Tier = Literal["smoke", "quick", "full", "soak"]
TIERS: tuple[Tier, ...] = ("smoke", "quick", "full", "soak")
PROPERTY = "remote-store-conformance"
"""The property of a pytest report that a check's record travels in."""
