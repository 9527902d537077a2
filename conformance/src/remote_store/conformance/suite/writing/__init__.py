# Generated from conformance/src/remote_store/conformance/suite/aio/writing/__init__.py by tools/unasync.py; edit that.
"""Checks of writing: contents, sources, atomic writes, and what is refused."""
