"""Estimates the cost of a run from the requests and bytes of each check in a recorded run."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from remote_store.conformance.contract.rulebook import rules
from remote_store.conformance.run.manifest import manifest

TABLE = "costs.json"
SOAK = 10


@dataclass(frozen=True, slots=True)
class Cost:
    """The estimated cost of a run.

    Attributes:
        requests: Number of requests.
        sent: Number of bytes in these requests.
    """

    requests: int
    sent: int

    def __str__(self) -> str:
        return f"about {self.requests:,} requests, {self.sent / 1e6:,.1f} MB in total"


@cache
def table() -> Mapping[str, tuple[float, float]]:
    """Requests and bytes per variant of a check, by the check's name."""
    recorded = json.loads((files("remote_store.conformance.catalogue") / TABLE).read_text("utf-8"))
    return {name: (requests, sent) for name, (requests, sent) in recorded.items()}


def expected(suite: type, tier: str, chosen: Collection[str], capabilities: Collection[str]) -> Cost:
    """Estimate the cost of a run.

    Args:
        suite: The suite.
        tier: The tier.
        chosen: Ids of the rules to run; empty for all.
        capabilities: Names of the capabilities that the backend declares.
    """
    known = table()
    usual = [sum(column) / len(known) for column in zip(*known.values(), strict=True)]
    requests = sent = 0.0
    for name, entry in manifest(suite).items():
        needed = {rules()[identifier].capability for identifier in entry.rules}
        declared = all(capability is None or capability.name in capabilities for capability in needed)
        if declared and (not chosen or set(chosen) & set(entry.rules)):
            each = known.get(name, usual)
            times = entry.in_tier(tier) * (SOAK if tier == "soak" else 1)
            requests += times * each[0]
            sent += times * each[1]
    return Cost(round(requests), round(sent))
