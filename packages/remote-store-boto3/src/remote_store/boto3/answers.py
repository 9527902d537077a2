"""The parser of our own client's answers: faster where answers come by the thousand, botocore's for the rest."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from botocore.parsers import ResponseParserFactory, RestXMLParser
from botocore.utils import parse_timestamp

from remote_store.core.s3.answer_headers import HeaderReader
from remote_store.core.s3.times import parse_time


class AnswerParser(RestXMLParser):  # type: ignore[misc]
    """Parses answers of S3; it keeps nothing of them, so that one serves all."""

    def __init__(self) -> None:
        super().__init__(timestamp_parser=parse_any_time)
        self._reader = HeaderReader()

    def parse(self, response: dict[str, Any], shape: Any) -> dict[str, Any]:
        """The answer in botocore's shape, an error included."""
        return self._reader.read(response, shape) or super().parse(response, shape)


class AnswerParsers(ResponseParserFactory):  # type: ignore[misc]
    """Hands out one parser, where botocore makes one for each answer."""

    def __init__(self) -> None:
        super().__init__()
        self._parser = AnswerParser()

    def create_parser(self, protocol_name: str) -> Any:
        """The parser for a protocol; S3 speaks `rest-xml`, the services that hand out credentials others."""
        return self._parser if protocol_name == "rest-xml" else super().create_parser(protocol_name)


def parse_any_time(text: Any) -> datetime:
    """A time as S3 writes it; what is none is left to botocore."""
    try:
        return parse_time(text)
    except (TypeError, ValueError):
        return parse_timestamp(text)  # type: ignore[no-any-return]
