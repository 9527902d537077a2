# Generated from conformance/src/remote_store/conformance/suite/aio/s3/__init__.py by tools/unasync.py; edit that.
"""Checks of backends over S3 only."""
