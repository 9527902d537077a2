# Generated from conformance/src/remote_store/conformance/suite/aio/reading/__init__.py by tools/unasync.py; edit that.
"""Checks of reading: whole files, streams, ranges, and programs of calls on a stream."""
