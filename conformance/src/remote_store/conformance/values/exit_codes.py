"""The exit codes of the command."""

from __future__ import annotations

CONFIGURATION_ERROR, SUITE_FAILED = 3, 4
INTERRUPTED = 130
"""As shells say it of a process that SIGINT ended."""
