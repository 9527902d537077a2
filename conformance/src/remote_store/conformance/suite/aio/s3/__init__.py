"""Checks of backends over S3 only."""
