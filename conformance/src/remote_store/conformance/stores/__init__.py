"""Backends accessed through a child of a store."""
