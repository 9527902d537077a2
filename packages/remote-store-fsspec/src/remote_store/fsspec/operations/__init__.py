# Generated from packages/remote-store-fsspec/src/remote_store/fsspec/operations/aio/__init__.py by tools/unasync.py;
# edit that.
"""The operations of a filesystem on a store, other than opening files: a module for each purpose."""
