"""Judges an S3 server by the checks whose result the server decides, in words about the server."""
