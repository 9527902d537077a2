"""The correct backend for mutants of S3 rules: core's S3 backend over `http.client`, on a server behind an endpoint."""

from __future__ import annotations

from typing import TypeVar, Unpack

from mutants.http_port import HttpPort
from remote_store.core import Capability
from remote_store.core.s3 import S3Backend, S3OptionFields, S3Options

T = TypeVar("T")


class HttpBackend(S3Backend):
    """One bucket over `http.client`.

    Args:
        bucket: Name of the bucket.
        **options: The options of every S3 backend.

    Attributes:
        port: Class of the port.
    """

    name = "s3-http"
    capabilities = S3Backend.capabilities | {Capability.PRESIGN}
    port: type[HttpPort] = HttpPort

    def __init__(self, bucket: str, **options: Unpack[S3OptionFields]) -> None:
        super().__init__(bucket, S3Options.build(**options))

    def unwrap(self, kind: type[T]) -> T:
        self._runner.check_open()
        return super().unwrap(kind)

    def _connect(self) -> HttpPort:
        return self.port(self._bucket.options)


class MotoBackend(HttpBackend):
    """The same on moto, which checks no signatures, so that the endpoint can remove headers."""
