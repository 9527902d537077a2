"""The storage contract as checks that any backend can be run against."""
