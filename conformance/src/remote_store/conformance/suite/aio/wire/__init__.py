"""Checks of requests and responses: faults, broken bodies, cost."""
