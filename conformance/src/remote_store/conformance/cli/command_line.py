"""The command `remote-store-conformance`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from remote_store.conformance.values.exit_codes import CONFIGURATION_ERROR, SUITE_FAILED
from remote_store.conformance.values.options import TIERS

EXIT_CODES = """\
exit codes:
  0  conformant: the verdict is core, or core + capabilities
  1  failing: a rule is broken
  2  partial: nothing is known to be broken, but not everything ran
  3  configuration error: the command, the factory, the harness or the deviations file is wrong
  4  the suite itself failed, which is a defect of it
"""


class Parser(argparse.ArgumentParser):
    """A parser whose errors are configuration errors."""

    def error(self, message: str) -> NoReturn:
        """Show what is wrong with the command, and end."""
        self.print_usage(sys.stderr)
        print(f"{self.prog}: {message}", file=sys.stderr)  # noqa: T201 - a command prints
        raise SystemExit(CONFIGURATION_ERROR)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = Parser(
        prog="remote-store-conformance",
        description="Find out whether a storage backend keeps the remote-store contract.",
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
    run.add_argument("target", help="backend's class, factory or harness, as package.module:name")
    run.add_argument("--tier", choices=TIERS, default="full", help="how much is run (default: full)")
    run.add_argument(
        "--rule", action="append", default=[], metavar="ID", help="only the checks of this rule; again for more"
    )
    run.add_argument(
        "--report",
        metavar="DIR",
        default="conformance-report",
        help="folder for the reports: JSON, JUnit, HTML and a badge (default: %(default)s)",
    )
    run.add_argument("--deviations", metavar="FILE", help="TOML file of the deviations that are known")
    run.add_argument("-n", dest="workers", metavar="WORKERS", help="run in so many processes; needs pytest-xdist")
    run.add_argument("--yes", action="store_true", help="go on where the backend is not on this machine and may cost")

    listing = commands.add_parser("list", help="list the rules of the contract")
    listing.add_argument("--area", help="only of this area, such as READ")
    listing.add_argument("--capability", help="only those that need this capability, such as GLOB")
    listing.add_argument("--level", help="only of this level: MUST, SHOULD or MAY")

    explain = commands.add_parser("explain", help="explain a rule")
    explain.add_argument("rule", metavar="ID", help="id of the rule, such as READ-001")
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; its exit code."""
    options = parser().parse_args(arguments)
    from remote_store.conformance.contract.versions import skew

    if wrong := skew():
        print(f"configuration error: {wrong}", file=sys.stderr)  # noqa: T201 - a command prints
        return CONFIGURATION_ERROR
    from remote_store.conformance.cli import commands
    from remote_store.conformance.contract.rulebook import ConfigurationError
    from remote_store.conformance.values.redaction import escaped

    try:
        return int(getattr(commands, f"{options.command}_")(options))
    except ConfigurationError as error:
        print(f"configuration error: {escaped(str(error))}", file=sys.stderr)  # noqa: T201 - a command prints
        return CONFIGURATION_ERROR
    except BrokenPipeError:
        # The interpreter would complain once more when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return SUITE_FAILED
