"""Checks across processes, instances, forks and time."""
