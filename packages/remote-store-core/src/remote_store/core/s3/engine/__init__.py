"""Runs operations against a port, and reads and buffers bodies."""
