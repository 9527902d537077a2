"""What a backend should answer to any history of calls, and the search for one that it answers otherwise."""
