from __future__ import annotations

import pytest

from remote_store.botocore.faults import fault_of
from remote_store.core import NotFound, RemoteStoreError
from remote_store.core.s3 import contract_errors


@pytest.mark.parametrize(
    "operation, code, header, missing",
    [
        ("GetObject", "NoSuchKey", None, True),
        ("GetObject", "NoSuchKeyOfOurs", "x-amz-request-id", True),
        ("GetObject", "ResourceNotFound", None, False),
        ("GetObject", "404", "x-amz-request-id", False),
        ("ListObjectsV2", "NoSuchBucket", None, True),
        ("ListObjectsV2", "ServiceNotFound", None, False),
        ("HeadObject", "404", "x-amz-request-id", True),
        ("HeadObject", "404", "x-amz-cf-id", False),
        ("HeadObject", "404", None, False),
    ],
)
def test_a_404_is_an_absence_by_a_code_or_a_header_of_s3(
    operation: str, code: str, header: str | None, missing: bool
) -> None:
    error = Exception("of the SDK")
    headers = {} if header is None else {header: "1"}
    error.response = {  # type: ignore[attr-defined]
        "Error": {"Code": code},
        "ResponseMetadata": {"HTTPStatusCode": 404, "HTTPHeaders": headers},
    }
    error.operation_name = operation  # type: ignore[attr-defined]
    with pytest.raises(RemoteStoreError) as caught, contract_errors("s3"):
        raise fault_of(error, (), attempts=1) from error
    assert isinstance(caught.value, NotFound) is missing
    assert caught.value.__cause__ is error
