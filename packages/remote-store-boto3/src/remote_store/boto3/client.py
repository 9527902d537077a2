"""How the lane makes its clients."""

from __future__ import annotations

import boto3

from remote_store.botocore import ClientMaker, lookup

CLIENTS = ClientMaker(
    user_agent=f"remote-store-boto3 Boto3/{boto3.__version__}",
    is_session=lambda given: isinstance(given, boto3.Session),
    # As boto3's session does: adds `upload_file` and similar methods.
    find_methods=lambda: lookup("boto3.s3.inject", "inject_s3_transfer_methods"),
)
