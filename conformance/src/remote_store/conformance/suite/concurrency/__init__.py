# Generated from conformance/src/remote_store/conformance/suite/aio/concurrency/__init__.py by tools/unasync.py; edit
# that.
"""Checks of concurrent calls."""
