"""The subcommands."""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Iterator
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from typing import get_args

from remote_store.conformance.contract.rule_pages import rule_pages
from remote_store.conformance.contract.rulebook import (
    CONTRACT_VERSION,
    SCOPES,
    Area,
    ConfigurationError,
    Kind,
    Level,
    Rule,
    areas,
    rule,
)
from remote_store.conformance.contract.versions import installed
from remote_store.conformance.run.manifest import manifest
from remote_store.conformance.run.verdict import Grade
from remote_store.conformance.values.exit_codes import CONFIGURATION_ERROR, SUITE_FAILED
from remote_store.conformance.values.redaction import escaped
from remote_store.core import Capability

WIDTH = 100
INDENT = " " * 6
CODES = {Grade.CORE: 0, Grade.CORE_AND_CAPABILITIES: 0, Grade.FAILING: 1, Grade.PARTIAL: 2}


def run_(options: argparse.Namespace) -> int:
    """Run the suite. Returns the exit code of the verdict."""
    from remote_store.conformance.cli import door
    from remote_store.conformance.report.failures import failures
    from remote_store.conformance.report.summary import summary
    from remote_store.conformance.suite.conformance import known_deviations

    door.make_current_folder_importable()
    chosen = [rule(identifier.upper()).id for identifier in options.rule]
    passed = ["--conformance-tier", options.tier, *(f"--conformance-rule={identifier}" for identifier in chosen)]
    passed += ["--conformance-seed", str(options.seed)]
    passed += ["--conformance-report", str(Path(options.report).resolve())]
    passed += ["--conformance-keep-going"] if options.keep_going else []
    passed += ["--conformance-all-calls"] if options.all_calls else []
    if options.deviations:
        known_deviations(Path(options.deviations).resolve())
        passed += ["--conformance-deviations", str(Path(options.deviations).resolve())]
    if options.workers and find_spec("xdist") is None:
        raise ConfigurationError("-n needs pytest-xdist: pip install pytest-xdist")
    if not _agreed(options, chosen):
        return CONFIGURATION_ERROR
    try:
        run, written = door.run_target(
            options.target, passed, workers=options.workers, out=sys.stdout, timeout=options.timeout
        )
    except door.Broke as broke:
        print(f"the suite itself failed, which is a bug in the suite:\n{escaped(str(broke))}", file=sys.stderr)
        return SUITE_FAILED
    print()
    for line in (*failures(run), *summary(run)):
        print(escaped(line))
    for path in written:
        print(f"{'report':<9} {path}")
    if run.says_nothing():
        raise ConfigurationError(run.why_it_says_nothing())
    return CODES[run.verdict.grade]


def _agreed(options: argparse.Namespace, chosen: list[str]) -> bool:
    """Print the subject and, if it is on another machine, the cost. Returns whether the run may start."""
    from remote_store.conformance.checking.subject import SECONDS, glance
    from remote_store.conformance.cli import door, places
    from remote_store.conformance.cli.network import Gate
    from remote_store.conformance.run.cost import expected
    from remote_store.conformance.suite.conformance import suite_of

    harness = door.known_harness(options.target, options.timeout)
    subject = None
    with Gate(is_open=options.yes) as gate:
        try:
            subject = glance(harness, gate.ask, timeout=options.timeout)
        except (ConfigurationError, ConnectionRefusedError):
            if not gate.host:
                raise
    names = subject.capabilities if subject else [entry.name for entry in Capability]
    print(f"remote-store-conformance {installed()['suite']}, contract {CONTRACT_VERSION}, {options.tier} tier")
    if subject:
        print(f"{subject.kind} ({subject.distribution or 'not from a distribution'})")
    if gate.host:
        suite = suite_of(door.suite_for(options.target, options.timeout))
        assert suite is not None
        cost = expected(suite, options.tier, chosen, names)
        host = escaped(gate.host)
        print(f"{host} is not this machine. The run will send {cost}, and more if checks fail.")
        if not options.yes:
            print("This may cost money and time. Add --yes to run it.")
    if gate.host and not options.yes:
        return False
    if (
        places.is_url(options.target)
        and not options.allow_non_empty
        and (path := places.occupant(harness, options.timeout or SECONDS))
    ):
        raise ConfigurationError(
            f"the place is not empty: it contains {path!r}. The checks write only into folders of their own, named "
            "conformance-..., and remove them. Name an empty place, or add --allow-non-empty"
        )
    return True


def s3_(options: argparse.Namespace) -> int:
    """Judge an S3 server. Returns the exit code of the verdict."""
    if find_spec("h11") is None:
        raise ConfigurationError("judging a server needs h11: pip install 'remote-store-conformance[endpoint]'")
    from remote_store.conformance.cli.s3 import judge_server

    return judge_server(options)


def list_(options: argparse.Namespace) -> int:
    """List rules. Returns 0."""
    names = [area.name for area in areas()]
    wanted_area = _one_of("area", options.area, names)
    capability = _one_of("capability", options.capability, [entry.name for entry in Capability])
    level = _one_of("level", options.level, list(get_args(Level)))
    kind = _one_of("kind", options.kind, list(get_args(Kind)))
    for area in areas():
        if wanted_area in (None, area.name):
            for entry in area.rules:
                needed = entry.capability.name if entry.capability else None
                if capability in (None, needed) and level in (None, entry.level) and entry.binds(kind or "s3"):
                    print(_listed(entry))
    return 0


def _listed(entry: Rule) -> str:
    """A rule as one line."""
    needed = entry.capability.name.lower() if entry.capability else ""
    return f"{entry.id:<10} {entry.level:<6} {entry.kind:<5} {needed:<20} {entry.text}"


def explain_(options: argparse.Namespace) -> int:
    """Explain rules, and list those of areas. Returns 0."""
    explained = ["\n".join(_told(name.upper())) for name in options.names]
    print("\n\n\n".join(explained))
    return 0


def _told(name: str) -> Iterator[str]:
    """A rule explained, or an area with its rules."""
    if "-" in name:
        return _explained(rule(name))
    named = {area.name: area for area in areas()}
    return _listing(named[_one_of("area", name, list(named)) or name])


def _listing(area: Area) -> Iterator[str]:
    yield f"{area.name}: {area.title}"
    yield textwrap.fill(area.about, WIDTH)
    yield ""
    for entry in area.rules:
        yield textwrap.fill(f"{entry.id:<10} {entry.level:<6} {entry.text}", WIDTH, subsequent_indent=" " * 18)


def new_(options: argparse.Namespace) -> int:
    """Write the project of a new backend. Returns 0."""
    from remote_store.conformance.cli.new import write_project

    for path in write_project(options.folder, options.name, is_async=options.is_async):
        print(f"wrote {path}")
    return 0


def _explained(entry: Rule) -> Iterator[str]:
    from remote_store.conformance.suite.conformance import SUITES

    yield f"{entry.id}  {entry.level}, since contract {entry.since}" + (", provisional" if entry.provisional else "")
    yield textwrap.fill(entry.text, WIDTH)
    yield ""
    yield textwrap.fill(f"why   {entry.rationale}", WIDTH, subsequent_indent=INDENT)
    page = rule_pages().get(entry.id)
    if page:
        yield textwrap.fill(page.why, WIDTH, initial_indent=INDENT, subsequent_indent=INDENT)
    hints = {"": entry.hint, "over HTTP: ": entry.hint_http, "on S3: ": entry.hint_s3}
    for where, hint in hints.items():
        if hint:
            yield textwrap.fill(f"{INDENT if where else 'hint  '}{where}{hint}", WIDTH, subsequent_indent=INDENT)
    yield f"binds {SCOPES[entry.kind]}"
    if entry.capability:
        yield f"needs {entry.capability.name}"
    if entry.aliases:
        yield f"was   {', '.join(entry.aliases)}"
    if entry.untested:
        yield textwrap.fill(f"untested: {entry.untested}", WIDTH)
    if page:
        yield textwrap.fill(f"often broken by: {page.breaks}", WIDTH)
        for title, code in (("wrong", page.wrong), ("right", page.right)):
            yield f"\n{title}:\n{textwrap.indent(code, '  ')}"
    for suite in SUITES:
        names = [name for name, expected in manifest(suite).items() if entry.id in expected.rules]
        if names:
            yield f"\nchecked by {suite.__name__}:"
            yield from (f"  {name}" for name in names)


def _one_of(what: str, given: str | None, known: list[str]) -> str | None:
    if given is None:
        return None
    found = next((name for name in known if name.upper() == given.upper()), None)
    if found is None:
        nearest = get_close_matches(given.upper(), known, n=1)
        hint = f"did you mean {nearest[0]}?" if nearest else f"choose from {', '.join(known)}"
        raise ConfigurationError(f"{given!r} is not a known {what}; {hint}")
    return found
