# Generated from conformance/src/remote_store/conformance/suite/aio/conditions/__init__.py by tools/unasync.py; edit
# that.
"""Checks of calls that depend on the version that an ETag names."""
