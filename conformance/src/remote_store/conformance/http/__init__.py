"""The endpoint in front of a server: it counts requests and injects faults."""
