"""Checks of a backend whose storage fails."""
