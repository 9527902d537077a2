"""What a run will cost, from what one has cost: requests and bytes of each check, as the suite's endpoint counted."""

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
    """What a run is expected to take.

    Attributes:
        requests: How many requests.
        sent: How many bytes they carry.
    """

    requests: int
    sent: int

    def __str__(self) -> str:
        return f"about {self.requests:,} requests that carry {self.sent / 1e6:,.1f} MB"


@cache
def table() -> Mapping[str, tuple[float, float]]:
    """Requests and bytes of one variant of a check, by its name."""
    recorded = json.loads((files("remote_store.conformance.catalogue") / TABLE).read_text("utf-8"))
    return {name: (requests, sent) for name, (requests, sent) in recorded.items()}


def expected(suite: type, tier: str, chosen: Collection[str], capabilities: Collection[str]) -> Cost:
    """What a run is expected to take.

    Args:
        suite: The suite.
        tier: How much of it is run.
        chosen: Ids of the rules that are run; empty for all.
        capabilities: Names of what the backend declares.
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
