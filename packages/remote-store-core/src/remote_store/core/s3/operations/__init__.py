"""The contract's semantics on S3: generators and pure functions that send nothing themselves."""
