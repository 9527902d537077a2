"""Stores made from configuration files, environment variables and URLs, and the registry of installed backends."""
