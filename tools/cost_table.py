"""Write the table of requests and bytes of each check, from the report of a run behind the suite's endpoint.

Run it as `uv run tools/cost_table.py REPORT.json`, with a report of the full tier on a lane.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

TABLE = Path(__file__).resolve().parent.parent / "conformance/src/remote_store/conformance/catalogue/costs.json"


def table(report: Mapping[str, Any]) -> Mapping[str, list[float]]:
    """The mean requests and bytes per variant of each check, by its name.

    Raises:
        ValueError: The run had no endpoint to count requests.
    """
    rows: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for check in report["checks"]:
        if check["requests"] is None:
            raise ValueError("the run had no endpoint before its server, so nothing was counted")
        if check["outcome"] in ("pass", "fail", "deviation"):
            rows[check["check"]].append(check)
    return {
        name: [round(sum(check[fact] for check in checks) / len(checks), 1) for fact in ("requests", "sent")]
        for name, checks in sorted(rows.items())
    }


def main() -> int:
    """Write the table. Print the reason and return 1 if the report has no counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report", type=Path)
    options = parser.parse_args()
    try:
        rows = table(json.loads(options.report.read_text("utf-8")))
    except ValueError as error:
        print(f"cost_table: {error}", file=sys.stderr)
        return 1
    lines = ",\n".join(f" {json.dumps(name)}: {json.dumps(row)}" for name, row in rows.items())
    TABLE.write_text(f"{{\n{lines}\n}}\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
