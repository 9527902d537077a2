"""S3 servers in memory, for tests of core and lanes."""
