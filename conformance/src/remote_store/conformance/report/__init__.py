"""The reports of a run: files and terminal output."""
