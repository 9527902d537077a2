# Generated from conformance/src/remote_store/conformance/suite/aio/wire/__init__.py by tools/unasync.py; edit that.
"""Checks of requests and responses: faults, broken bodies, cost."""
