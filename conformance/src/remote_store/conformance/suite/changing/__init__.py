# Generated from conformance/src/remote_store/conformance/suite/aio/changing/__init__.py by tools/unasync.py; edit that.
"""Checks of deletes, copies, moves, and calls that change many files."""
