"""Checks of concurrent calls."""
