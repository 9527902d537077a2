"""The command `remote-store-conformance`."""

from __future__ import annotations

from remote_store.conformance.cli.command_line import main

__all__ = ["main"]
