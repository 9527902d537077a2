"""Measures the lanes and the bare SDKs that they use, on its own SeaweedFS.

uv run benchmarks/bench.py            every operation in full, some twenty minutes
uv run benchmarks/bench.py --quick    everything once on a small scale, to see that it runs
uv run benchmarks/bench.py --write    in full, and write docs/performance.md and results.json from it
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

# `python -P` does not add the script's folder to `sys.path`.
sys.path.insert(0, str(Path(__file__).resolve().parent))
# The tests install awscrt, which users seldom have. With it, botocore signs more slowly.
os.environ["BOTO_DISABLE_CRT"] = "true"

from contestants import CONTESTANTS
from measuring import growth, measure
from operations import OPERATIONS
from remote_store.conformance.servers import seaweedfs_server
from report import Run, charts, duration, page, results, title
from world import FULL, QUICK, populated

PAGE = Path(__file__).resolve().parent.parent / "docs" / "performance.md"
RESULTS = Path(__file__).resolve().parent / "results.json"


def main() -> None:
    """Measure what the command line asks for, and show it."""
    arguments = parse(sys.argv[1:])
    scale = QUICK if arguments.quick else FULL
    chosen = [operation for operation in OPERATIONS if arguments.only in (None, operation.name)]
    with seaweedfs_server() as server:
        print(f"{server.kind} {server.version} at {server.url}", flush=True)
        with populated(server, scale) as world:
            run = Run(
                server, scale, {one.title: one for one in CONTESTANTS}, {}, {}, command(arguments), [os.getloadavg()[0]]
            )
            clients = {one.title: one(server) for one in CONTESTANTS}
            for operation in chosen:
                times = run.times[operation.name] = measure(operation, clients, world)
                shown = "  ".join(f"{name} {duration(took.median('cpu'))} CPU" for name, took in times.items())
                print(f"{title(operation, scale):34}{shown}", flush=True)
            for client in clients.values():
                client.close()
            growing = [operation for operation in chosen if operation.large or operation.grows]
            for operation in growing[:1] if arguments.quick else growing:
                run.growth[operation.name] = {
                    one.title: growth(operation, one, world) for one in CONTESTANTS if hasattr(one, operation.name)
                }
    run.loads.append(os.getloadavg()[0])
    print(f"\n{page(run)}")
    if arguments.write:
        PAGE.write_text(page(run), "utf-8")
        for name, drawn in charts(run).items():
            PAGE.with_name(name).write_text(drawn, "utf-8")
        RESULTS.write_text(json.dumps(results(run), indent=1) + "\n", "utf-8")


def parse(words: list[str]) -> argparse.Namespace:
    """Understand the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--quick", action="store_true", help="a few seconds, to see that everything runs")
    how.add_argument("--write", action="store_true", help=f"write {PAGE.parent.name}/{PAGE.name} from the run")
    parser.add_argument(
        "--only", metavar="NAME", choices=[operation.name for operation in OPERATIONS], help="one operation"
    )
    return parser.parse_args(words)


def command(arguments: argparse.Namespace) -> str:
    """What a reader types to do the same."""
    words = ["uv run benchmarks/bench.py"]
    words += ["--quick"] if arguments.quick else ["--write"] if arguments.write else []
    return " ".join(words + (["--only", arguments.only] if arguments.only else []))


if __name__ == "__main__":
    main()
