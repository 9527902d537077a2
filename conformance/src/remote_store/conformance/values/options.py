"""Options of a run, shared by the plugin, the command and the checks."""

from __future__ import annotations

from typing import Literal

Tier = Literal["smoke", "quick", "full", "soak"]
TIERS: tuple[Tier, ...] = ("smoke", "quick", "full", "soak")
PROPERTY = "remote-store-conformance"
"""Name of the property of a pytest report that holds a check's record."""
