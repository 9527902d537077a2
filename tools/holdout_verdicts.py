"""Run the suite on a set of broken backends that was written before, and record what it says. It runs a set only once.

uv run tools/holdout_verdicts.py first

Each backend is run by the command `remote-store-conformance`, as its author would run it: in the quick tier, and in the
full tier if that finds nothing. The correct backends are run first, in the full tier, and must keep every rule.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TESTS = ROOT / "conformance" / "tests"
SQLITE = ROOT / "examples" / "third_party" / "sqlite" / "src"
sys.path[:0] = [str(TESTS), str(SQLITE)]

from holdout.collected import BASES, HERE, SETS, fingerprint, members, verdicts  # noqa: E402 - they are tests
from remote_store.conformance import rule  # noqa: E402
from remote_store.conformance.contract.versions import installed  # noqa: E402

TIERS = ("quick", "full")
LIMIT = 3600
COMMAND = str(Path(sys.executable).with_name("remote-store-conformance"))
SOURCE = "from holdout.collected import harness_of\nfrom {module} import {name}\n\nharness = harness_of({name})\n"


def judged(target: str, tier: str) -> list[str]:
    """The rules that a backend breaks according to the suite.

    Args:
        target: Its class, as `module:class`.
        tier: How much to run.

    Raises:
        RuntimeError: The run has no verdict.
    """
    module, _, name = target.partition(":")
    with tempfile.TemporaryDirectory(prefix="holdout-") as folder:
        Path(folder, "judged.py").write_text(SOURCE.format(module=module, name=name), "utf-8")
        path = os.pathsep.join([str(TESTS), str(SQLITE)])
        command = [COMMAND, "run", "judged:harness", "--tier", tier]
        ended = subprocess.run(
            [*command, "--report", "reports", "--keep-going", "--timeout", "300"],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        reports = list(Path(folder, "reports").rglob("*.json"))
        if not reports:
            raise RuntimeError(f"{target} has no report: {ended.stdout[-2000:]}{ended.stderr[-2000:]}")
        report = json.loads(reports[0].read_text("utf-8"))
        return [entry["id"] for entry in report["rules"] if entry["outcome"] in ("fail", "error")]


def verdict(target: str, breaks: str, bug: str) -> dict[str, Any]:
    """What the suite says about one broken backend."""
    caught: list[str] = []
    tier = ""
    for tier in TIERS:
        caught = judged(target, tier)
        if caught:
            break
    print(f"{target}: {tier} {' '.join(caught) or 'escaped'}", flush=True)
    return {
        "backend": target,
        "bug": bug,
        "breaks": breaks,
        "level": rule(breaks).level,
        "caught_by": caught,
        "tier": tier if caught else "",
    }


def main() -> int:
    """Run a set and write its verdicts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", choices=SETS)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    if verdicts(options.set) is not None:
        print(f"the set {options.set} has its verdicts; a later run would not be the first", file=sys.stderr)
        return 1
    correct = [f"{base.__module__}:{base.__name__}" for base in BASES]
    with ThreadPoolExecutor(options.workers) as pool:
        for target, broken in zip(correct, pool.map(lambda target: judged(target, "full"), correct), strict=True):
            if broken:
                print(f"{target}, which is correct, fails {' '.join(broken)}", file=sys.stderr)
                return 1
        rows = list(pool.map(lambda held: verdict(held.target, held.breaks, held.bug), members(options.set)))
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    found = {
        "date": datetime.now(UTC).date().isoformat(),
        "commit": commit.strip(),
        "suite": installed()["suite"],
        "sources": fingerprint(options.set),
        "verdicts": rows,
    }
    (HERE / options.set / "verdicts.json").write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
