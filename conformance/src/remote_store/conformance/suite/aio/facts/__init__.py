"""Checks of what a backend tells about a file: metadata, headers, times, checksums, versions."""
