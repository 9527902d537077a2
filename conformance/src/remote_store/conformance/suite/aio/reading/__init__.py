"""Checks of reading: whole files, streams, ranges, and programs of calls on a stream."""
