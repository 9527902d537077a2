"""The storage contract, its stores and its embedded backends."""
