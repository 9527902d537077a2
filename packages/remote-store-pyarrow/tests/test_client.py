from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import os
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pyarrow.fs import S3FileSystem

from remote_store.core import RemoteStoreError, RetryPolicy
from remote_store.pyarrow import S3PyArrowBackend, client
from remote_store.pyarrow.client import KNOWS_TLS_BUNDLES

ONCE = RetryPolicy.disabled()
KEY = {"key": "KEY", "secret": "SECRET"}


HERE = {**KEY, "region_name": "eu-west-1"}


def told(filesystem):
    """What a filesystem was made with."""
    return filesystem.__reduce__()[1][0]


def ask_both_ways(backend):
    """Send one HEAD through the contract and one through the filesystem, whatever they answer."""
    with contextlib.suppress(RemoteStoreError):
        backend.is_file("some/key")
    with contextlib.suppress(OSError):
        backend.unwrap(S3FileSystem).open_input_file(backend.native_path("some/key"))


def test_timeouts_region_and_place_are_passed_on():
    place = {**HERE, "endpoint_url": "http://127.0.0.1:9/"}
    with S3PyArrowBackend("bucket", **place, connect_timeout=2.5, read_timeout=7.5) as backend:
        arguments = told(backend.unwrap(S3FileSystem))
    assert (arguments["scheme"], arguments["endpoint_override"]) == ("http", "127.0.0.1:9")
    assert (arguments["connect_timeout"], arguments["request_timeout"]) == (2.5, 7.5)
    assert arguments["region"] == "eu-west-1"
    assert not arguments["allow_bucket_creation"]
    assert not arguments["allow_bucket_deletion"]


def test_what_a_config_says_is_passed_on():
    config = Config(connect_timeout=3, read_timeout=4)
    with S3PyArrowBackend("bucket", region_name="eu-west-1", **KEY, client_options={"config": config}) as backend:
        arguments = told(backend.unwrap(S3FileSystem))
    assert (arguments["connect_timeout"], arguments["request_timeout"]) == (3, 4)


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1"])
@pytest.mark.parametrize("style", ["auto", "path", "virtual"])
@pytest.mark.parametrize("bucket", ["bucket", "bucket.with.dots"])
@pytest.mark.parametrize("more", [{}, {"use_dualstack_endpoint": True}])
def test_on_aws_both_ask_the_same_host(listener, region, style, bucket, more):
    config = Config(proxies={"https": f"http://{listener.host}"}, **more)
    with S3PyArrowBackend(
        bucket, region_name=region, addressing_style=style, **KEY, retry=ONCE, client_options={"config": config}
    ) as backend:
        ask_both_ways(backend)
    assert len(listener.seen) == 2
    assert len(listener.lines()) == 1


@pytest.mark.parametrize("style", ["auto", "path", "virtual"])
@pytest.mark.parametrize("endpoint_url", ["http://s3.example:9000", "http://s3.example/below", "http://s3.example/"])
def test_elsewhere_both_ask_for_the_same_url(listener, style, endpoint_url):
    config = Config(proxies={"http": f"http://user:pass%40word@{listener.host}"})
    with S3PyArrowBackend(
        "bucket",
        endpoint_url=endpoint_url,
        region_name="us-east-1",
        addressing_style=style,
        **KEY,
        retry=ONCE,
        client_options={"config": config},
    ) as backend:
        ask_both_ways(backend)
    assert len(listener.seen) == 2
    assert len({line.replace(".example:80/", ".example/") for line in listener.lines()}) == 1


def test_a_proxy_of_the_environment_is_used(listener, monkeypatch):
    monkeypatch.setenv("http_proxy", f"http://{listener.host}")
    monkeypatch.setenv("no_proxy", "other.example")
    for host in ("s3.example", "other.example"):
        with S3PyArrowBackend("bucket", endpoint_url=f"http://{host}:9", region_name="us-east-1", **KEY) as backend:
            used = bool(told(backend.unwrap(S3FileSystem))["proxy_options"]["host"])
        assert used == (host == "s3.example")


def test_key_and_token_sign_what_is_sent(listener):
    place = {**HERE, "endpoint_url": f"http://{listener.host}"}
    with S3PyArrowBackend("bucket", **place, session_token="TOKEN", retry=ONCE) as backend:
        ask_both_ways(backend)
    assert len(listener.seen) == 2
    for _, headers in listener.seen:
        scope = headers["authorization"].split("Credential=")[1].split("/")
        assert (scope[0], scope[2], headers["x-amz-security-token"]) == ("KEY", "eu-west-1", "TOKEN")


def test_an_anonymous_backend_signs_nothing(listener, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "KEY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "SECRET")
    with S3PyArrowBackend(
        "bucket", endpoint_url=f"http://{listener.host}", region_name="eu-west-1", anon=True, retry=ONCE
    ) as backend:
        ask_both_ways(backend)
    assert len(listener.seen) == 2
    assert not any("authorization" in headers for _, headers in listener.seen)


@pytest.mark.parametrize("where", ["environment", "profile", "session"])
def test_credentials_are_those_that_boto3_finds(listener, monkeypatch, where):
    options = {"endpoint_url": f"http://{listener.host}", "region_name": "eu-west-1", "retry": ONCE}
    if where == "environment":
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "FOUND")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "SECRET")
    if where == "profile":
        text = "[mine]\naws_access_key_id = FOUND\naws_secret_access_key = SECRET\n"
        Path(os.environ["AWS_SHARED_CREDENTIALS_FILE"]).write_text(text)
        options["profile"] = "mine"
    if where == "session":
        options["session"] = boto3.Session("FOUND", "SECRET")
    with S3PyArrowBackend("bucket", **options) as backend:
        ask_both_ways(backend)
    assert len(listener.seen) == 2
    assert all("Credential=FOUND/" in headers["authorization"] for _, headers in listener.seen)


@pytest.mark.parametrize(
    "name,options",
    [
        ("client", {"client": boto3.session.Session().client("s3", region_name="us-east-1")}),
        ("verify", {"client_options": {"verify": False}}),
        ("client_cert", {"client_options": {"config": Config(client_cert="/cert.pem")}}),
        ("proxies_config", {"client_options": {"config": Config(proxies_config={"proxy_ca_bundle": "/ca.pem"})}}),
        ("use_fips_endpoint", {"client_options": {"config": Config(use_fips_endpoint=True)}}),
        ("use_accelerate_endpoint", {"client_options": {"config": Config(s3={"use_accelerate_endpoint": True})}}),
    ],
)
def test_what_pyarrow_cannot_be_told_is_refused_by_name(name, options):
    with pytest.raises(ValueError, match=name):
        S3PyArrowBackend("bucket", **options)


@pytest.mark.parametrize("option", ["tls_ca_bundle", "verify"])
def test_certificates_of_ones_own_are_refused_where_pyarrow_is_too_old(monkeypatch, tmp_path, option):
    monkeypatch.setattr(client, "KNOWS_TLS_BUNDLES", False)
    bundle = write_certificate(tmp_path)
    options = {option: str(bundle)} if option == "tls_ca_bundle" else {"client_options": {option: str(bundle)}}
    with pytest.raises(ValueError, match="tls_ca_bundle.*pyarrow 21"):
        S3PyArrowBackend("bucket", **options)


def write_certificate(folder: Path) -> Path:
    """A file with a private key and a certificate for the loopback address that signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path = folder / "certificate.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, *form) + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def encrypted(tmp_path):
    """The address and the certificate of a server that answers every HEAD over TLS with a file of five bytes."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(200)
            for name, value in {"Content-Length": "5", "ETag": '"x"'}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            pass

    certificate = write_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with Quiet(("127.0.0.1", 0), Handler) as running:
        running.socket = context.wrap_socket(running.socket, server_side=True)
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"https://127.0.0.1:{running.server_address[1]}", str(certificate)
        running.shutdown()
        thread.join()


@pytest.mark.skipif(not KNOWS_TLS_BUNDLES, reason="this pyarrow cannot be given certificates")
@pytest.mark.parametrize("where", ["option", "environment"])
def test_certificates_of_ones_own_are_trusted(encrypted, monkeypatch, where):
    url, certificate = encrypted
    options = {"endpoint_url": url, "region_name": "us-east-1", **KEY, "retry": ONCE}
    if where == "option":
        options["tls_ca_bundle"] = certificate
    else:
        monkeypatch.setenv("AWS_CA_BUNDLE", certificate)
    with S3PyArrowBackend("bucket", **options) as backend:
        assert backend.get_file_info("k").size == 5
        with backend.unwrap(S3FileSystem).open_input_file("bucket/k") as file:
            assert file.size() == 5


def test_other_certificates_are_not_trusted(encrypted):
    with S3PyArrowBackend("bucket", **HERE, endpoint_url=encrypted[0], retry=ONCE) as backend:
        filesystem = backend.unwrap(S3FileSystem)
    with pytest.raises(OSError, match="NETWORK_CONNECTION"):
        filesystem.open_input_file("bucket/k")
