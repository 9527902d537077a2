"""The files that a filesystem opens."""
