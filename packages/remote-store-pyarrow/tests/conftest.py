from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest
from botocore.config import Config

from remote_store.conformance.endpoint import Endpoint
from remote_store.conformance.servers import Server, moto_server
from remote_store.pyarrow import S3PyArrowBackend


@pytest.fixture(autouse=True)
def no_aws_configuration(monkeypatch, tmp_path):
    for name in ("PROFILE", "ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN", "ENDPOINT_URL", "CA_BUNDLE"):
        monkeypatch.delenv(f"AWS_{name}", raising=False)
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3", raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with moto_server() as running:
        yield running


@pytest.fixture
def endpoint(server: Server) -> Iterator[Endpoint]:
    with Endpoint(server.url) as running:
        yield running


@pytest.fixture
def bucket(server: Server) -> str:
    name = f"pyarrow-{secrets.token_hex(8)}"
    server.create_bucket(name)
    return name


@pytest.fixture
def place(server: Server, endpoint: Endpoint) -> dict[str, Any]:
    return {"endpoint_url": endpoint.url, "key": server.key, "secret": server.secret, "region_name": server.region}


@pytest.fixture
def backend(place: dict[str, Any], bucket: str) -> Iterator[S3PyArrowBackend]:
    with S3PyArrowBackend(bucket, **place, conditional_writes=True) as made:
        yield made


@pytest.fixture
def plain(server: Server) -> Any:
    """A client as anybody makes one, straight to the server."""
    return boto3.session.Session().client(
        "s3",
        endpoint_url=server.url,
        aws_access_key_id=server.key,
        aws_secret_access_key=server.secret,
        region_name=server.region,
        config=Config(signature_version="s3v4"),
    )


@dataclass
class Listener:
    """What came in over HTTP, as request lines with headers; every request is answered with an empty 403."""

    host: str
    seen: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def lines(self) -> set[str]:
        return {line for line, _ in self.seen}


@pytest.fixture
def listener() -> Iterator[Listener]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            found.seen.append((f"{self.command} {self.path}", {name.lower(): it for name, it in self.headers.items()}))
            self.send_response(403)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_HEAD = do_CONNECT = answer  # noqa: N815 - http.server asks for these names

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        found = Listener(f"127.0.0.1:{running.server_address[1]}")
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield found
        running.shutdown()
        thread.join()
