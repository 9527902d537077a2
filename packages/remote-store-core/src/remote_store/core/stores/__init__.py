"""The parts of a store, each a base class with the methods of one purpose."""
