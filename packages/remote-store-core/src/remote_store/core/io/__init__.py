"""Streams, files and the threads that move their bytes."""
