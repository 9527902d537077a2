"""The endpoint in front of a server: it counts requests and makes the wire fail."""
