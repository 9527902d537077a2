"""The command `remote-store-conformance`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from remote_store.conformance.values.exit_codes import CONFIGURATION_ERROR, INTERRUPTED, SUITE_FAILED
from remote_store.conformance.values.options import DEFAULT_SEED, SHOWN_CALLS, TIERS, seed_of

EXIT_CODES = """\
exit codes:
  0  conformant: the verdict is core, or core + capabilities
  1  failing: a required rule is broken
  2  partial: no required rule is known to be broken, but not everything ran
  3  configuration error: the command, the factory, the harness or the deviations file is wrong
  4  the suite itself failed, which is a bug in the suite
"""

S3_EXIT_CODES = """\
exit codes:
  0  right: the server gets everything right, except what it says that it does not offer
     right with options: a backend with the option that is shown works around all that is wrong
  1  wrong: no option helps with something that the server gets wrong
  2  partial: nothing is known to be wrong, but not every question was asked
  3  configuration error: the command is wrong, or the server cannot be judged; the message says why
  4  the suite itself failed, which is a bug in the suite
"""


class Parser(argparse.ArgumentParser):
    """A parser whose errors are configuration errors."""

    def error(self, message: str) -> NoReturn:
        """Print the usage and the error, and exit."""
        self.print_usage(sys.stderr)
        print(f"{self.prog}: {message}", file=sys.stderr)  # noqa: T201 - a command prints
        raise SystemExit(CONFIGURATION_ERROR)


def parser() -> argparse.ArgumentParser:
    """The parser of the command line."""
    top = Parser(
        prog="remote-store-conformance",
        description="Test whether a storage backend keeps the remote-store contract.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="command")

    run = commands.add_parser(
        "run",
        help="run the suite against a backend",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    run.add_argument(
        "target",
        help="backend's class, factory or harness, as package.module:name; or the URL of an empty place, such as "
        "file:///tmp/x; or the type of an installed backend, such as memory",
    )
    run.add_argument("--tier", choices=TIERS, default="full", help="how much to run (default: full)")
    run.add_argument(
        "--seed",
        type=seed_of,
        default=DEFAULT_SEED,
        help="number that decides what the checks draw from long lists of contents and names, or `random` (default: 0)",
    )
    run.add_argument(
        "--rule", action="append", default=[], metavar="ID", help="run only the checks of this rule; may be repeated"
    )
    run.add_argument(
        "--report",
        metavar="DIR",
        default="conformance-report",
        help="folder for the reports: JSON, JUnit, HTML and a badge (default: %(default)s)",
    )
    run.add_argument("--deviations", metavar="FILE", help="TOML file of known deviations")
    run.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=_seconds,
        help="time limit of one check (default: the profile's, or 30 in smoke and quick, 300 in full and soak)",
    )
    run.add_argument(
        "--keep-going", action="store_true", help="run all checks even if one of the first, on which others rely, fails"
    )
    run.add_argument(
        "--all-calls",
        action="store_true",
        help=f"show all calls that a failed check made, not only the last {SHOWN_CALLS}",
    )
    run.add_argument(
        "--allow-non-empty",
        action="store_true",
        help="run in the place of a URL although it contains files, which the checks do not touch",
    )
    run.add_argument("-n", dest="workers", metavar="WORKERS", help="number of processes; needs pytest-xdist")
    run.add_argument("--yes", action="store_true", help="run against another machine, which may cost money")

    _ask(
        commands.add_parser(
            "s3",
            help="judge an S3 server, in words about the server",
            description="Find out what an S3 server gets right, with any installed lane and without Python.",
            epilog=S3_EXIT_CODES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
    )

    listing = commands.add_parser("list", help="list the rules of the contract")
    listing.add_argument("--area", help="only rules of this area, such as READ")
    listing.add_argument("--capability", help="only rules that need this capability, such as GLOB")
    listing.add_argument("--level", help="only rules of this level: MUST, SHOULD or MAY")
    listing.add_argument(
        "--kind",
        help="only rules that bind this kind of storage: s3; http, for another one that is reached over HTTP; every, "
        "for the rest",
    )

    explain = commands.add_parser("explain", help="explain rules, or list those of an area")
    explain.add_argument(
        "names", nargs="+", metavar="NAME", help="id of a rule, such as READ-001, or an area, such as READ"
    )

    new = commands.add_parser("new", help="write the project of a new backend, to start from")
    new.add_argument("folder", metavar="FOLDER", type=Path, help="a folder that is empty or does not exist")
    new.add_argument("--name", default="", help="what the storage is called, as a Python name (default: the folder's)")
    new.add_argument("--async", dest="is_async", action="store_true", help="write an asynchronous backend")
    return top


def _ask(s3: argparse.ArgumentParser) -> None:
    """Add the arguments of `s3`."""
    s3.add_argument(
        "url",
        help="http://127.0.0.1:9000/bucket, https://host/bucket, or s3://bucket?endpoint_url=... A bucket that does "
        "not exist is made, and removed at the end",
    )
    s3.add_argument("--lane", help="lane to ask with: boto3, s3fs or pyarrow (default: the first installed one)")
    s3.add_argument(
        "--key",
        metavar="VARIABLE",
        default="AWS_ACCESS_KEY_ID",
        help="environment variable with the access key (default: %(default)s)",
    )
    s3.add_argument(
        "--secret",
        metavar="VARIABLE",
        default="AWS_SECRET_ACCESS_KEY",
        help="environment variable with the secret (default: %(default)s)",
    )
    s3.add_argument("--name", help='what to call the server, such as "SeaweedFS 4.48" (default: its Server header)')
    s3.add_argument(
        "--topic", action="append", default=[], help="ask only about this, such as conditions; may be repeated"
    )
    s3.add_argument(
        "--rule", action="append", default=[], metavar="ID", help="run only the checks of this rule; may be repeated"
    )
    s3.add_argument("--report", metavar="FILE", help="write everything into this JSON file")
    s3.add_argument("--table", metavar="FILE", help="write the answers into this file as a Markdown table")
    s3.add_argument(
        "--deviations",
        metavar="FILE",
        help="write what is wrong into this TOML file, for test classes and `run`",
    )
    s3.add_argument("--seed", type=seed_of, default=DEFAULT_SEED, help="number that decides what the checks draw")
    s3.add_argument(
        "--timeout", metavar="SECONDS", type=_seconds, default=30.0, help="time limit of one check (default: 30)"
    )
    s3.add_argument(
        "--time-limit", metavar="SECONDS", type=_seconds, default=1800.0, help="time limit of the run (default: 1800)"
    )
    s3.add_argument(
        "--allow-non-empty", action="store_true", help="use a bucket that contains objects, which are not touched"
    )
    s3.add_argument("--yes", action="store_true", help="ask a server on another machine, which may cost money")


def _seconds(text: str) -> float:
    """A time limit; argparse turns the error into its message."""
    seconds = float(text)
    if not seconds > 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return seconds


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Returns the exit code."""
    options = parser().parse_args(arguments)
    from remote_store.conformance.contract.versions import skew

    if wrong := skew():
        print(f"configuration error: {wrong}", file=sys.stderr)  # noqa: T201 - a command prints
        return CONFIGURATION_ERROR
    from remote_store.conformance.cli import commands
    from remote_store.conformance.contract.rulebook import ConfigurationError
    from remote_store.conformance.processes.exits import described_exit, exits_refused
    from remote_store.conformance.processes.origin import origin
    from remote_store.conformance.processes.watchdog import end_in_spite_of_threads
    from remote_store.conformance.values.redaction import escaped

    try:
        code = exits_refused(lambda: int(getattr(commands, f"{options.command}_")(options)))
    except (ConfigurationError, SystemExit) as error:
        text = f"the backend ended with {described_exit(error)}" if isinstance(error, SystemExit) else str(error)
        print(f"configuration error: {escaped(text)}", file=sys.stderr)  # noqa: T201 - a command prints
        code = CONFIGURATION_ERROR
    except KeyboardInterrupt as error:
        print(f"interrupted{escaped(origin(error))}", file=sys.stderr)  # noqa: T201 - a command prints
        code = INTERRUPTED
    except BrokenPipeError:
        # At exit the interpreter flushes standard output, which would raise again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = SUITE_FAILED
    if arguments is None:
        end_in_spite_of_threads(code)
    return code
