"""What a check needs while it runs."""
