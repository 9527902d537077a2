"""Checks of errors, of undeclared capabilities and of time limits."""
