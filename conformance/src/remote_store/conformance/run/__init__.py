"""What judges a run: its records, the verdict, and why it is partial."""
