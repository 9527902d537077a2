"""Checks of calls that depend on the version that an ETag names."""
