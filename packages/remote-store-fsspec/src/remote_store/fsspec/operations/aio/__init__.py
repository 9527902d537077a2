"""The operations of a filesystem on a store, other than opening files: a module for each purpose."""
