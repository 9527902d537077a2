"""The backends that need no dependency."""
