"""Everything a check uses while it runs."""
