# Generated from conformance/src/remote_store/conformance/suite/aio/listing/__init__.py by tools/unasync.py; edit that.
"""Checks of listings, folders and patterns."""
