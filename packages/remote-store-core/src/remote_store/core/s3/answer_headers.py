"""Reads answers whose facts all stand in headers, in a third of botocore's time and into botocore's shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from remote_store.core.s3.times import parse_time

METADATA = "x-amz-meta-"
CONVERT: dict[str, Callable[[str], Any]] = {
    "boolean": "true".__eq__,
    "integer": int,
    "long": int,
    "string": str,
    "timestamp": parse_time,
}

Fields: TypeAlias = dict[str, tuple[str, Callable[[str], Any]]]


class HeaderReader:
    """Goes through the headers that came, where botocore's parsers go through all that could come."""

    def __init__(self) -> None:
        self._fields: dict[str, Fields | None] = {}

    def read(self, response: dict[str, Any], shape: Any) -> dict[str, Any] | None:
        """Read an answer; `None` for one that botocore's own parser is to read: an error, or an XML document.

        Args:
            response: The answer as botocore gives it to a parser.
            shape: The output of the operation in botocore's model of the service.
        """
        if response["status_code"] >= 300 or shape is None:
            return None
        if shape.name not in self._fields:
            self._fields[shape.name] = fields_of(shape)
        fields = self._fields[shape.name]
        return None if fields is None else read_headers(response, shape, fields)


def fields_of(shape: Any) -> Fields | None:
    """The members of an answer by the names of their headers; `None` where some stand in an XML document."""
    fields: Fields = {}
    for name, member in shape.members.items():
        place = member.serialization.get("location")
        is_body = name == shape.serialization.get("payload") and member.type_name == "blob"
        if place == "header" and member.type_name in CONVERT:
            fields[member.serialization["name"].lower()] = name, CONVERT[member.type_name]
        elif not is_body and (place, name) != ("headers", "Metadata"):
            return None
    return fields


def read_headers(response: dict[str, Any], shape: Any, fields: Fields) -> dict[str, Any]:
    """The answer in botocore's shape; a header that cannot be read counts as one that did not come."""
    headers: dict[str, str] = {}
    answer: dict[str, Any] = {"Metadata": {}} if "Metadata" in shape.members else {}
    for header, value in response["headers"].items():
        name = header.lower()
        headers[name] = value
        if name in fields:
            member, convert = fields[name]
            if member == "Expires":
                answer["ExpiresString"] = value
            try:
                answer[member] = convert(value)
            except ValueError:
                continue
        elif name.startswith(METADATA) and "Metadata" in answer:
            answer["Metadata"][header[len(METADATA) :]] = value
    if "payload" in shape.serialization:
        answer[shape.serialization["payload"]] = response["body"]
    about: dict[str, Any] = {"HTTPStatusCode": response["status_code"], "HTTPHeaders": headers}
    if "x-amz-request-id" in headers:
        about["RequestId"] = headers["x-amz-request-id"]
        about["HostId"] = headers.get("x-amz-id-2", "")
    if checksum := response.get("context", {}).get("checksum"):
        about["ChecksumAlgorithm"] = checksum.get("response_algorithm")
    answer["ResponseMetadata"] = about
    return answer
