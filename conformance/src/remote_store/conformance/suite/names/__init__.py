# Generated from conformance/src/remote_store/conformance/suite/aio/names/__init__.py by tools/unasync.py; edit that.
"""Checks of paths and of unusual names."""
