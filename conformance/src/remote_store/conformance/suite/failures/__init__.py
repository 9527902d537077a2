# Generated from conformance/src/remote_store/conformance/suite/aio/failures/__init__.py by tools/unasync.py; edit that.
"""Checks of a backend whose storage fails."""
