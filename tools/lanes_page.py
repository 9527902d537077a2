"""Write `docs/lanes.md`, how to choose a lane, from what was measured, or check that it is current.

uv run tools/lanes_page.py --measure [REPORTS]   try everything anew, with the conformance reports of this folder
uv run tools/lanes_page.py                       write the page from what docs/lanes.json holds
uv run tools/lanes_page.py --check [REPORTS]     change nothing; fail where the page or the data is not current, or a
                                                 rule holds on some lanes only

The reports are those of `uv run pytest packages --conformance-report REPORTS`. CPU and memory come from
benchmarks/results.json, which `benchmarks/bench.py --write` writes.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "lanes.md"
DATA = ROOT / "docs" / "lanes.json"
SPEED = ROOT / "benchmarks" / "results.json"
LANES = ("boto3", "s3fs", "pyarrow")
MIB = 1024 * 1024
AWAITED = ", awaited"
ALONE = ("newest", "lowest")
REASONED = frozenset({"deviation", "not-applicable"})

Found = dict[str, Any]

HEAD = """\
<!-- Generated from docs/lanes.json and benchmarks/results.json by tools/lanes_page.py; edit that. -->
# Lanes, and how to choose one

A lane connects the contract to one SDK. The same call means the same on every lane, raises the same errors, and reads
what the others wrote. Choose by what you have installed, and by which native object you want from `unwrap`.

| you | install | because |
|---|---|---|
| have boto3, or have no preference | `remote-store-boto3` | it works with any boto3 from 1.40.61 on and pins nothing |
| use asyncio | `remote-store-s3fs` | its async backend uses no threads |
| use fsspec | `remote-store-s3fs` | it can work through your own `S3FileSystem` and keeps its cache valid |
| use Arrow | `remote-store-pyarrow` | it hands out pyarrow's filesystem on the same bucket |
| write a library, or need no S3 | `remote-store-core` | it depends on nothing |

`type = "s3"` and `s3://` URLs use the first installed lane, in the order boto3, s3fs, pyarrow; async stores in order
s3fs, boto3, pyarrow. `choose_lane()` and `choose_async_lane()` of `remote_store.core` return the choice and its reason.

## Without S3

`remote-store-core` has two backends that need no server. Code that runs on them runs on a lane.

|  | `MemoryBackend` | `LocalBackend` | a lane |
|---|---|---|---|
| stores of one configuration and name | same files, until the process ends | same folder | same bucket |
| metadata and content types | kept | kept, or refused if the disk has no extended attributes | kept |
| metadata and content types in listings | yes | no | no |
| content type of a file that was written without one | `None` | `None` | what the server says |
| a file and a folder of one name | both exist | `InvalidPath` | both exist |
| other processes see the files | no | yes | yes |

[Local files](local-files.md) has the details of `LocalBackend`.
"""


def page(data: Found, speed: Found | None) -> str:
    """The whole page; without values that were not measured yet."""
    parts = [HEAD, pin(data), closures(data), requests(data), accepts(data)]
    parts += [costs(speed)] if speed else []
    parts += [conformance(data)] if data["conformance"] else []
    return "\n".join(parts)


def section(title: str, *parts: str) -> str:
    """A heading and its content."""
    return "\n\n".join([f"## {title}", *parts]) + "\n"


def table(head: Iterable[str], rows: Iterable[Iterable[object]], *, numbers: bool = False) -> str:
    """A table whose first column is text; the others are numbers where it is said so."""
    names = list(head)
    lines = [names, ["---", *(["--:" if numbers else "---"] * (len(names) - 1))], *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)


def pin(data: Found) -> str:
    """How a pin of the SDK affects an install, with current versions."""
    sdks = ("boto3", "botocore", "s3fs", "aiobotocore")
    rows = [(words, *(versions.get(name, "") for name in sdks)) for words, versions in data["pin"].items()]
    return section(
        "Why the lanes are installed one by one",
        "`s3fs` needs `aiobotocore`, which allows only a few patch releases of `botocore`. On "
        f"{data['date']} uv resolved boto3, s3fs, and both together to:",
        table(("`uv pip compile` of", *sdks), rows),
        f"{_pinned(data['pin'])} Try it:",
        "```\nprintf 'boto3\\ns3fs\\n' | uv pip compile --no-header --no-annotate -\n```",
        "The boto3 lane therefore never installs aiobotocore, s3fs, aiohttp, fsspec or pyarrow. CI checks this on the "
        "built wheel, in a fresh environment.",
    )


def _pinned(pins: dict[str, dict[str, str]]) -> str:
    both = pins["boto3 s3fs"]
    held = [
        f"{name} {both[name]} in place of {pins[name][name]}"
        for name in ("boto3", "s3fs")
        if both[name] != pins[name][name]
    ]
    return f"With both you get {' and '.join(held)}." if held else "On that day both were available at their newest."


def closures(data: Found) -> str:
    """The distributions that an install brings."""
    rows = []
    for name, found in data["closures"].items():
        ours = f"remote-store-{name}"
        others = [f"{package} {version}" for package, version in found["versions"].items() if package != ours]
        rows.append((f"`{ours}`", len(others), f"{found['bytes'] / MIB:.1f}", ", ".join(others)))
    return section(
        "What an install brings",
        f"Each built wheel in an empty environment, on {data['date']}. Sizes are on disk, without compiled bytecode.",
        table(("install", "distributions beside it", "MiB", "which"), rows),
    )


def requests(data: Found) -> str:
    """The requests that are sent."""
    measured = data["requests"]
    titles = list(dict.fromkeys(title for rows in measured.values() for title in rows))
    shown = [title for title in titles if not title.endswith(AWAITED)]
    alike = all(
        rows[title] == rows[title.removesuffix(AWAITED)]
        for rows in measured.values()
        for title in rows
        if title.endswith(AWAITED)
    )
    return section(
        "What is sent",
        "Requests per operation, counted by a proxy in front of a local server."
        + (" The async backends send the same." if alike else ""),
        table(
            ("operation", *(shown if alike else titles)),
            [
                (name, *(_sent(rows.get(title)) for title in (shown if alike else titles)))
                for name, rows in measured.items()
            ],
        ),
    )


def _sent(counts: dict[str, int] | None) -> str:
    if counts is None:
        return ""
    return f"{sum(counts.values())}: {', '.join(f'{count} {name}' for name, count in sorted(counts.items()))}"


def accepts(data: Found) -> str:
    """The options that are accepted and refused."""
    rows = [
        (title, *("yes" if not results[name] else f"no: {results[name]}" for name in LANES))
        for title, results in data["accepts"].items()
    ]
    return section(
        "What each lane accepts and hands out",
        "The options of the contract mean the same on every lane. Beside them, a lane accepts and hands out objects of "
        "its SDK. An option that a lane cannot honour is refused when you make the backend, with the error shown here.",
        table(("", *LANES), rows),
    )


def costs(speed: Found) -> str:
    """CPU and memory, of the benchmark."""
    titles = speed["titles"]
    cpu = [(name, *(_time(times.get(title)) for title in titles)) for name, times in speed["cpu"].items()]
    growth = [(name, *(_size(sizes.get(title)) for title in titles)) for name, sizes in speed["growth"].items()]
    return section(
        "What it costs",
        f"Medians of the benchmark of {speed['date']} on {speed['machine']}. [Performance](performance.md) has elapsed "
        "times, ratios and the method.",
        table(("CPU time of the client", *titles), cpu, numbers=True),
        table(("growth of memory, MiB", *titles), growth, numbers=True),
    )


def _time(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f"{seconds * 1e6:,.0f} µs" if seconds < 0.01 else f"{seconds * 1e3:,.0f} ms"


def _size(size: int | None) -> str:
    return "" if size is None else f"{size / MIB:.0f}"


def conformance(data: Found) -> str:
    """The results of the conformance runs."""
    outcomes = {
        "pass": "rules kept",
        "deviation": "deviate",
        "not-applicable": "do not apply",
        "untested": "untested",
    }
    runs = [
        (f"`{row['backend']}`", row["server"], row["level"], *(row["rules"][name] for name in outcomes))
        for row in data["conformance"]
    ]
    known = sorted(
        {
            (row["server"], ", ".join(deviation["rules"]), deviation["reason"])
            for row in data["conformance"]
            for deviation in row["deviations"]
        }
    )
    return section(
        "What the conformance suite says",
        "The result of each backend on each server. CI compares the lanes: a rule kept by one is kept by all. Where "
        "a server differs from S3, the difference is declared as a deviation, the same for every lane.",
        table(("backend", "server", "verdict", *outcomes.values()), runs),
        table(("server", "rules", "how it differs"), known),
    )


def reports_of_lanes(folder: Path) -> Iterator[tuple[Path, Found]]:
    """The reports of lanes on S3, with their paths. Other backends may reach S3 too."""
    lanes = tuple(f"remote_store.{lane}:" for lane in LANES)
    for path in sorted(folder.rglob("*.json")):
        report = json.loads(path.read_text("utf-8"))
        backend = report["backend"]
        if backend.get("kind", "").startswith(lanes) and backend["profile"]["kind"] == "s3":
            yield path, report


def of_reports(folder: Path) -> list[Found]:
    """The results in the lanes' reports, without values that differ from run to run."""
    found = []
    for _, report in reports_of_lanes(folder):
        backend, profile = report["backend"], report["backend"]["profile"]
        found.append(
            {
                "backend": backend["kind"].rpartition(":")[2],
                "server": profile["endpoint_version"]
                + (", file ancestors refused" if profile["rejects_file_ancestor"] else ""),
                "level": report["verdict"]["level"],
                "rules": report["counts"]["rules"],
                "deviations": [{"rules": row["rules"], "reason": row["reason"]} for row in report["deviations"]],
            }
        )
    return sorted(found, key=lambda row: (row["backend"], row["server"]))


def steady(rows: list[Found]) -> list[Found]:
    """The conformance rows that every run must reproduce."""
    return [{key: row[key] for key in ("backend", "server", "level")} for row in rows]


def apart(folder: Path) -> list[str]:
    """The rules that one lane keeps on a server and another does not, for no reason such as a deviation.

    A lane that is alone in its environment has no peers, so what it leaves untested is not compared.
    """
    outcomes: dict[tuple[str, bool, bool, str], dict[str, str]] = defaultdict(dict)
    for path, report in reports_of_lanes(folder):
        alone = any(f"-{installation}" in path.parent.name for installation in ALONE)
        kind, profile = report["backend"]["kind"].rpartition(":")[2], report["backend"]["profile"]
        place = profile["endpoint_version"], profile["rejects_file_ancestor"], kind.startswith("Async")
        for rule in report["rules"]:
            if rule["outcome"] not in REASONED and not (alone and rule["outcome"] == "untested"):
                outcomes[(*place, rule["id"])][kind] = rule["outcome"]
    return [
        f"{rule} is not the same on every lane ({server}): {', '.join(map(' '.join, lanes.items()))}"
        for (server, *_, rule), lanes in sorted(outcomes.items())
        if len(set(lanes.values())) > 1
    ]


def broken(folder: Path) -> list[str]:
    """The rules that a lane breaks although its tests are green, because they are no MUST, or provisional."""
    return [
        f"{rule['id']} {rule['level']} is broken by {report['target']}"
        for _, report in reports_of_lanes(folder)
        for rule in report["rules"]
        if rule["outcome"] == "fail"
    ]


def differences(reports: Path, *, whole: bool) -> list[str]:
    """The differences between reports and `docs/lanes.json`, and the rules that not all lanes keep.

    Args:
        reports: The folder of the reports, or of folders of them.
        whole: Whether the reports must cover every lane and server.
    """
    now, then = steady(of_reports(reports)), steady(json.loads(DATA.read_text("utf-8"))["conformance"])
    missing = [f"docs/lanes.json says {row}, the reports do not" for row in then if whole and row not in now]
    return [
        *missing,
        *(f"the reports say {row}, docs/lanes.json does not" for row in now if row not in then),
        *apart(reports),
        *broken(reports),
    ]


def main() -> int:
    """Write or check the page. With `--check`, return 1 if something is stale."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reports", nargs="?", type=Path, help="folder of conformance reports")
    parser.add_argument("--check", action="store_true", help="write nothing, fail where something is stale")
    parser.add_argument("--measure", action="store_true", help="try everything anew")
    options = parser.parse_args()
    if options.measure:
        # `python -P` does not add the script's folder to `sys.path`.
        sys.path.insert(0, str(ROOT / "tools"))
        from lanes_measured import measured

        runs = of_reports(options.reports) if options.reports is not None else []
        DATA.write_text(json.dumps({**measured(), "conformance": runs}, indent=1) + "\n", "utf-8")
    data = json.loads(DATA.read_text("utf-8"))
    speed = json.loads(SPEED.read_text("utf-8")) if SPEED.exists() else None
    text = page(data, speed)
    stale = []
    if not options.check:
        PAGE.write_text(text, "utf-8")
    elif PAGE.read_text("utf-8") != text:
        stale.append("docs/lanes.md is stale, run tools/lanes_page.py")
    if options.check and options.reports is not None:
        stale += differences(options.reports, whole=False)
    for line in stale:
        print(line, file=sys.stderr)
    return bool(stale)


if __name__ == "__main__":
    sys.exit(main())
