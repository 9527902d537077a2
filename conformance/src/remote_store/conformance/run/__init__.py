"""Judges a run: the records, the verdict, and the gaps that make it partial."""
