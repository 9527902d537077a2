"""Plain values that checks, runs and reports share."""
