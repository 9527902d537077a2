"""Checks of paths and of unusual names."""
