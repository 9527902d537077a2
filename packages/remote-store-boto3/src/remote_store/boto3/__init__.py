"""The storage contract over S3 with boto3."""
