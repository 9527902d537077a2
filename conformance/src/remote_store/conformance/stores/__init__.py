"""Backends seen through a child of a store, as one more subject of the suite."""
