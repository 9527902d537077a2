"""Checks of listings, folders and patterns."""
