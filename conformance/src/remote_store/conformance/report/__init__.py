"""A run as files and as lines on a terminal."""
