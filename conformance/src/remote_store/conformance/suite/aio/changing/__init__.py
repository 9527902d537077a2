"""Checks of deletes, copies, moves, and calls that change many files."""
