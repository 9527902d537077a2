"""Checks of writing: contents, sources, atomic writes, and what is refused."""
