"""S3 as it is on the wire: calls, responses, faults, keys, options and endpoints."""
