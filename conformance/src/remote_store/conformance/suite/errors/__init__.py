# Generated from conformance/src/remote_store/conformance/suite/aio/errors/__init__.py by tools/unasync.py; edit that.
"""Checks of errors, of undeclared capabilities and of time limits."""
