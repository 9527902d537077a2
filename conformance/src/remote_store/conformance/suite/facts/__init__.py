# Generated from conformance/src/remote_store/conformance/suite/aio/facts/__init__.py by tools/unasync.py; edit that.
"""Checks of what a backend tells about a file: metadata, headers, times, checksums, versions."""
