# Generated from conformance/src/remote_store/conformance/suite/aio/lives/__init__.py by tools/unasync.py; edit that.
"""Checks across processes, instances, forks and time."""
