"""The subcommand that judges an S3 server."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex

from remote_store.conformance.cli import door
from remote_store.conformance.contract.rulebook import ConfigurationError, rule
from remote_store.conformance.contract.versions import distribution_of
from remote_store.conformance.judging import pages
from remote_store.conformance.judging.address import Address, address_of, credentials_of
from remote_store.conformance.judging.answers import Grade, answered, asked_plainly, judge
from remote_store.conformance.judging.asking import Asking
from remote_store.conformance.judging.harness import cleared, server_harness
from remote_store.conformance.judging.questions import chosen, topics
from remote_store.conformance.judging.reach import Reached, reached
from remote_store.conformance.processes.watchdog import end_in_spite_of_threads
from remote_store.conformance.s3 import installed_lanes
from remote_store.conformance.servers import Server
from remote_store.conformance.values.exit_codes import SUITE_FAILED
from remote_store.conformance.values.hosts import is_here
from remote_store.conformance.values.redaction import escaped
from remote_store.core import Backend

CODES = {Grade.RIGHT: 0, Grade.WITH_OPTIONS: 0, Grade.WRONG: 1, Grade.PARTIAL: 2}
PREFERRED = ("boto3", "s3fs", "pyarrow")


def judge_server(options: argparse.Namespace) -> int:
    """Judge a server. Returns the exit code of the verdict."""
    asked = chosen(options.topic)
    rules = [rule(identifier.upper()).id for identifier in options.rule]
    _writable(options)
    address = address_of(options.url)
    credentials = credentials_of(options.key, options.secret)
    lane, create = _lane(options.lane)
    if not is_here(address.host) and not options.yes:
        raise ConfigurationError(
            f"{address.host} is not this machine, and thousands of requests may cost money; add --yes"
        )
    found = reached(address, credentials)
    if found.occupant and not options.allow_non_empty:
        raise ConfigurationError(
            f"the bucket {address.bucket} is not empty: it contains {found.occupant!r}. Name a bucket that is empty or "
            "does not exist, or add --allow-non-empty: the checks write only below prefixes of their own, named "
            "conformance-..., and remove them"
        )
    name = escaped(" ".join((options.name or found.server or address.host).split()))
    print(f"{name} at {address.url}, asked with {lane}")
    print(_about_the_bucket(address, found))
    asking = Asking(asked, rules, options.time_limit)
    # The soak tier repeats races, which a server without a lock wins now and then.
    passed = ["--conformance-tier=soak", "--conformance-keep-going", "--conformance-seed", str(options.seed)]
    server = Server("server", address.url, credentials.key, credentials.secret, address.region, name)
    with (
        server_harness(create, server, address.bucket, makes_buckets=not found.is_there) as harness,
        door.target_for(str(address), harness) as target,
    ):
        try:
            run, _ = door.run_target(
                target, passed, workers=None, out=sys.stdout, timeout=options.timeout, plugins=[asking]
            )
        except door.Broke as broke:
            print(f"the suite itself failed, which is a bug in the suite:\n{escaped(str(broke))}", file=sys.stderr)
            return SUITE_FAILED
        prefix = f"conformance-{token_hex(8)}/"
        plainly = {} if asking.ended or rules else asked_plainly(asked, server, address.bucket, prefix)
        if plainly and found.is_there:
            cleared(harness, prefix)
    judgement = pages.Judgement(
        name=name,
        command=_command(options, address),
        lane=lane,
        seed=options.seed,
        date=datetime.now(UTC),
        topics=asked,
        answers=(answers := answered(topics(), run.records, asking.errors, asking.ended, plainly)),
        judged=judge(answers),
    )
    print()
    for line in pages.lines(judgement):
        print(escaped(line))
    _write(options, judgement)
    code = CODES[judgement.judged.grade]
    if any(record.hung for record in run.records):
        end_in_spite_of_threads(code)
    return code


def _lane(name: str | None) -> tuple[str, Callable[..., Backend]]:
    """Name and version of a lane, and its class.

    Raises:
        ConfigurationError: It is not installed, or no lane is.
    """
    lanes = installed_lanes()
    names = sorted((each.removeprefix("s3-") for each in lanes), key=_rank)
    if not names:
        raise ConfigurationError("no S3 lane is installed: pip install remote-store-boto3")
    if name is not None and name not in names:
        raise ConfigurationError(f"the lane {name!r} is not installed; installed: {', '.join(names)}")
    wanted = name or names[0]
    create = lanes[f"s3-{wanted}"]
    found = distribution_of(create.__module__)
    return f"{found.name} {found.version}" if found else wanted, create


def _rank(lane: str) -> tuple[int, str]:
    return (PREFERRED.index(lane) if lane in PREFERRED else len(PREFERRED)), lane


def _about_the_bucket(address: Address, found: Reached) -> str:
    if not found.is_there:
        return f"the bucket {address.bucket} does not exist; it is made, and removed at the end"
    return (
        f"the bucket {address.bucket} exists and is kept; what needs a bucket of its own, such as versions, is not "
        "asked. To ask everything, name a bucket that does not exist"
    )


def _command(options: argparse.Namespace, address: Address) -> str:
    """The command, without what depends on the machine."""
    words = ["remote-store-conformance", "s3", str(address)]
    words += ["--lane", options.lane] if options.lane else []
    words += ["--name", options.name] if options.name else []
    words += [word for topic in options.topic for word in ("--topic", topic)]
    words += [word for identifier in options.rule for word in ("--rule", identifier)]
    return shlex.join(words)


def _writable(options: argparse.Namespace) -> None:
    """Check that the folders of the files to write exist, before the run.

    Raises:
        ConfigurationError: One of them does not exist.
    """
    for name in (options.report, options.table, options.deviations):
        if name and not Path(name).absolute().parent.is_dir():
            raise ConfigurationError(f"{name} cannot be written: its folder does not exist")


def _write(options: argparse.Namespace, judgement: pages.Judgement) -> None:
    """Write the files that were asked for.

    Raises:
        ConfigurationError: One of them cannot be written.
    """
    forms = {"report": pages.json_text, "table": pages.table, "deviations": pages.deviations}
    for what, form in forms.items():
        if name := getattr(options, what):
            try:
                Path(name).write_text(form(judgement), "utf-8")
            except OSError as error:
                raise ConfigurationError(f"{name} cannot be written: {error}") from error
            print(f"{what:<10} {name}")
