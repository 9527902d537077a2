"""What no retry can mend is said at once, by name, on every lane, and with nothing secret in it."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiobotocore.config import AioConfig
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from remote_store.boto3 import S3Boto3Backend
from remote_store.botocore.certificates import is_client_certificate
from remote_store.conformance.servers import dead_endpoint
from remote_store.core import Backend, BackendUnavailable, PermissionDenied, RemoteStoreError, RetryPolicy
from remote_store.pyarrow import S3PyArrowBackend
from remote_store.s3fs import S3FsBackend

each_lane = pytest.mark.parametrize("lane", [S3Boto3Backend, S3FsBackend, S3PyArrowBackend])
PLACE: dict[str, Any] = {"key": "AKID", "secret": "hush", "region_name": "us-east-1"}


@pytest.fixture(autouse=True)
def no_aws_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("PROFILE", "ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN", "ENDPOINT_URL", "ENDPOINT_URL_S3"):
        monkeypatch.delenv(f"AWS_{name}", raising=False)
    for name in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that nobody trusts, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(private + signed.public_bytes(pem))
    return path


class Door:
    """Takes connections, counts them, and says the same on each."""

    def __init__(self, says: bytes, context: ssl.SSLContext | None = None) -> None:
        self.count = 0
        self._says = says
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.count += 1
            threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def _one(self, connection: socket.socket) -> None:
        try:
            with self._context.wrap_socket(connection, server_side=True) if self._context else connection as spoken:
                spoken.recv(65536)
                spoken.sendall(self._says)
        except OSError:
            return

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def door() -> Iterator[Callable[..., Door]]:
    made: list[Door] = []

    def make(says: bytes = b"HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n", context: Any = None) -> Door:
        made.append(Door(says, context))
        return made[-1]

    yield make
    for one in made:
        one.close()


def refused(backend: Backend) -> RemoteStoreError:
    with backend, pytest.raises(RemoteStoreError) as caught:
        backend.read_bytes("k")
    assert not caught.value.retryable
    assert caught.value.path == "k"
    return caught.value


@each_lane
def test_a_certificate_that_is_not_trusted(lane: Any, door: Any, certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = door(context=context)
    began = time.monotonic()
    error = refused(lane("bucket", endpoint_url=f"https://localhost:{server.port}", **PLACE))
    assert isinstance(error, BackendUnavailable)
    assert (error.code, server.count) == ("CertificateNotTrusted", 1)
    assert "tls_ca_bundle" in str(error)
    assert time.monotonic() - began < 5


@each_lane
def test_https_where_http_is_spoken(lane: Any, door: Any) -> None:
    server = door()
    error = refused(lane("bucket", endpoint_url=f"https://127.0.0.1:{server.port}", **PLACE))
    assert (error.code, server.count) == ("NotTLS", 1)
    assert "use http instead of https" in str(error)


@each_lane
@pytest.mark.parametrize("attempts", [1, 3])
def test_http_where_https_is_spoken(lane: Any, door: Any, certificate: Path, attempts: int) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = door(context=context)
    url = f"http://127.0.0.1:{server.port}"
    for method in ("read_bytes", "exists", "check_health"):
        backend = lane("bucket", endpoint_url=url, retry=RetryPolicy(attempts), **PLACE)
        with backend, pytest.raises(BackendUnavailable, match="use https instead of http") as caught:
            getattr(backend, method)(*(() if method == "check_health" else ("k",)))
        assert (caught.value.code, caught.value.retryable) == ("SpeaksTLS", False)
    # One request and one handshake each.
    assert server.count == 6


@each_lane
def test_a_web_server_that_calls_plain_http_malformed(lane: Any, door: Any) -> None:
    server = door(b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\n<p/>")
    error = refused(lane("bucket", endpoint_url=f"http://127.0.0.1:{server.port}", **PLACE))
    assert "not an S3 service" in str(error)
    assert "http or https" in str(error)


@each_lane
def test_a_server_of_plain_http_that_hangs_up_is_asked_once_only(lane: Any, door: Any) -> None:
    server = door(b"")
    backend = lane("bucket", endpoint_url=f"http://127.0.0.1:{server.port}", retry=RetryPolicy(2), **PLACE)
    with backend:
        for count in (3, 5):
            with pytest.raises(BackendUnavailable, match="did not answer") as caught:
                backend.read_bytes("k")
            assert caught.value.retryable
            assert server.count == count


@each_lane
def test_a_server_behind_a_proxy_is_not_asked(lane: Any, door: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy, server = door(b""), door(b"")
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
    monkeypatch.setenv("no_proxy", "")
    backend = lane("bucket", endpoint_url=f"http://127.0.0.1:{server.port}", retry=RetryPolicy(1), **PLACE)
    with backend, pytest.raises(BackendUnavailable, match="did not answer"):
        backend.read_bytes("k")
    # The request, and a handshake that finds out whether the proxy speaks TLS.
    assert (proxy.count, server.count) == (2, 0)


each_scheme = pytest.mark.parametrize("scheme", ["http", "https"])


@pytest.fixture
def through(monkeypatch: pytest.MonkeyPatch) -> Callable[..., RemoteStoreError]:
    """Calls a lane through a proxy, whose URL has a password, and returns the error."""

    def call(lane: Any, scheme: str, proxy: str) -> RemoteStoreError:
        monkeypatch.setenv(f"{scheme}_proxy", proxy.replace("://", "://user:HUSH@"))
        monkeypatch.setenv("no_proxy", "")
        backend = lane("bucket", endpoint_url=f"{scheme}://s3.test:9", retry=RetryPolicy(1), **PLACE)
        with backend, pytest.raises(RemoteStoreError) as caught:
            backend.read_bytes("k")
        assert "HUSH" not in "".join(traceback.format_exception(caught.value))
        assert "endpoint_url" not in str(caught.value)
        assert f"{scheme}_proxy" in str(caught.value)
        return caught.value

    return call


@each_lane
@each_scheme
def test_a_proxy_that_cannot_be_reached(lane: Any, scheme: str, through: Any) -> None:
    error = through(lane, scheme, dead_endpoint())
    assert (type(error), error.code, error.retryable) == (BackendUnavailable, "ProxyUnreachable", True)


@each_lane
@each_scheme
def test_https_to_a_proxy_that_speaks_http(lane: Any, scheme: str, through: Any, door: Any) -> None:
    error = through(lane, scheme, f"https://127.0.0.1:{door().port}")
    assert (error.code, error.retryable) == ("ProxyNotTLS", False)
    assert "use http instead of https" in str(error)


@each_lane
@each_scheme
def test_http_to_a_proxy_that_speaks_https(lane: Any, scheme: str, through: Any, door: Any, certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    error = through(lane, scheme, f"http://127.0.0.1:{door(context=context).port}")
    assert (error.code, error.retryable) == ("ProxySpeaksTLS", False)
    assert "use https instead of http" in str(error)


def test_a_proxy_whose_certificate_is_not_trusted(through: Any, door: Any, certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    # botocore does not verify the certificate of a proxy without `proxies_config`.
    error = through(S3FsBackend, "http", f"https://localhost:{door(context=context).port}")
    assert (error.code, error.retryable) == ("ProxyCertificateNotTrusted", False)


@each_lane
@each_scheme
def test_a_proxy_that_does_not_know_the_user(lane: Any, scheme: str, through: Any, door: Any) -> None:
    proxy = door(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
    error = through(lane, scheme, f"http://127.0.0.1:{proxy.port}")
    # http.client says the status of a refused tunnel in a text only.
    assert (type(error), error.code) == (
        (PermissionDenied, "407") if scheme == "http" else (BackendUnavailable, "ProxyUnreachable")
    )
    assert "password" in str(error)


@each_lane
@pytest.mark.parametrize("variable", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
def test_a_bundle_of_certificates_that_is_not_there(lane: Any, monkeypatch: Any, variable: str) -> None:
    monkeypatch.setenv(variable, "/nonexistent/ca.pem")
    error = refused(lane("bucket", endpoint_url="https://127.0.0.1:9", **PLACE))
    assert "/nonexistent/ca.pem" in str(error)


@pytest.mark.parametrize("lane", [S3Boto3Backend, S3PyArrowBackend])
def test_an_answer_of_more_lines_than_are_read(lane: Any, door: Any) -> None:
    fields = b"".join(b"x-amz-meta-k%d: v\r\n" % number for number in range(1001))
    server = door(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + fields + b"\r\n")
    error = refused(lane("bucket", endpoint_url=f"http://127.0.0.1:{server.port}", **PLACE))
    # http.client reads 100 lines, so the request is sent once more to read 1,000.
    assert (error.code, server.count) == ("TooManyHeaders", 2)


@each_lane
@pytest.mark.parametrize("what", ["key", "token"])
def test_credentials_of_the_environment_with_a_line_break(lane: Any, monkeypatch: Any, door: Any, what: str) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDHUSH\n" if what == "key" else "AKID")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "tokenHUSH\n" if what == "token" else "token")
    server = door()
    error = refused(lane("bucket", endpoint_url=f"http://127.0.0.1:{server.port}", region_name="us-east-1"))
    assert isinstance(error, PermissionDenied)
    assert f"the {'access key' if what == 'key' else 'session token'} contains a line break" in str(error)
    assert "HUSH" not in "".join(traceback.format_exception(error)) + repr(error)


OLD = '{"Version": 1, "AccessKeyId": "a", "SecretAccessKey": "HUSH", "Expiration": "2015-10-21T07:28:00Z"}'


@each_lane
@pytest.mark.parametrize(
    "config,environment,named",
    [
        ("[default]\nrole_arn=arn:aws:iam::123456789012:role/r\nsource_profile=nope\n", {}, "nope"),
        (
            "",
            {"AWS_ROLE_ARN": "arn:aws:iam::1:role/r", "AWS_WEB_IDENTITY_TOKEN_FILE": "/nonexistent/t"},
            "/nonexistent/t",
        ),
        ("[default]\ncredential_process = {python} -c \"print('''{old}''')\"\n", {}, ""),
        ("[default]\ncredential_process = {python} -c \"print('HUSH')\"\n", {}, ""),
    ],
    ids=["source_profile", "web identity", "expired", "no JSON"],
)
def test_a_profile_that_cannot_be_used(
    lane: Any, monkeypatch: Any, tmp_path: Path, config: str, environment: dict[str, str], named: str
) -> None:
    (tmp_path / "config").write_text(config.replace("{python}", sys.executable).replace("{old}", OLD))
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    backend = lane("bucket", endpoint_url="http://127.0.0.1:9", region_name="us-east-1", retry=RetryPolicy(1))
    error = refused(backend)
    assert isinstance(error, PermissionDenied)
    assert named in str(error)
    assert "HUSH" not in "".join(traceback.format_exception(error))


@each_lane
def test_settings_that_contradict_each_other(
    lane: Any, tmp_path: Path, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ValueError, match="contradict"):
        lane("bucket", tls_ca_bundle=str(certificate), client_options={"verify": False})
    for verify in (0, "", 1.0, b"file"):
        with pytest.raises(TypeError, match="verify"):
            lane("bucket", client_options={"verify": verify})
    with pytest.raises(FileNotFoundError, match="verify"):
        lane("bucket", client_options={"verify": "/nonexistent/ca.pem"})
    (tmp_path / "config").write_text("[default]\ns3 =\n  use_accelerate_endpoint = true\n")
    assert "Accelerate" in str(refused(lane("bucket", endpoint_url="http://127.0.0.1:9", **PLACE)))


NO_CERTIFICATE = {
    "empty": b"",
    "text": b"no certificate",
    "damaged": b"-----BEGIN CERTIFICATE-----\n-----END",
    "DER": b"0\x82",
}


@each_lane
@pytest.mark.parametrize("content", NO_CERTIFICATE.values(), ids=NO_CERTIFICATE)
def test_a_bundle_without_a_certificate(lane: Any, monkeypatch: Any, tmp_path: Path, content: bytes) -> None:
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(content)
    for options in ({"tls_ca_bundle": str(bundle)}, {"client_options": {"verify": str(bundle)}}):
        with pytest.raises(ValueError, match="bundle.pem"):
            lane("bucket", **options)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(bundle))
    assert str(bundle) in str(refused(lane("bucket", endpoint_url="https://127.0.0.1:9", **PLACE)))


@pytest.mark.parametrize("lane", [S3Boto3Backend, S3FsBackend])
@pytest.mark.parametrize(
    "given", ["/nonexistent/client.pem", ("/nonexistent/client.pem", "/nonexistent/key.pem"), __file__]
)
def test_a_certificate_of_the_client_that_cannot_be_read(lane: Any, given: Any) -> None:
    options = {"client_options": {"config": AioConfig(client_cert=given)}, **PLACE}
    error = refused(lane("bucket", endpoint_url="https://127.0.0.1:9", **options))
    assert repr(given) in str(error)


def test_a_certificate_of_the_client_whose_key_has_a_password(certificate: Path, tmp_path: Path) -> None:
    key = serialization.load_pem_private_key(certificate.read_bytes(), None)
    encrypted = tmp_path / "key.pem"
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"word")
    encrypted.write_bytes(key.private_bytes(*form))
    assert is_client_certificate(str(certificate))
    assert is_client_certificate((str(certificate), str(encrypted)))


@each_lane
@pytest.mark.parametrize(
    "setting,named",
    [
        ("region = eu west!", "eu west!"),
        ("region =\n  a = HUSH", "region"),
        ("s3 = virtual", "s3"),
        ("services =\n  a = HUSH", "services"),
        ("aws_access_key_id =\n  a = HUSH", "aws_access_key_id"),
        ("aws_secret_access_key =\n  HUSH = HUSH", "aws_secret_access_key"),
        ("endpoint_url =\n  a = HUSH", "endpoint_url"),
    ],
)
@pytest.mark.parametrize("given", [True, False], ids=["endpoint given", "endpoint of AWS"])
def test_a_setting_of_the_wrong_form(lane: Any, tmp_path: Path, setting: str, named: str, given: bool) -> None:
    (tmp_path / "config").write_text(f"[default]\n{setting}\n")
    with pytest.raises((RemoteStoreError, ValueError, TypeError), match=named) as caught:
        lane("bucket", endpoint_url="http://127.0.0.1:9" if given else None, key="AKID", secret="hush").read_bytes("k")
    assert "HUSH" not in "".join(traceback.format_exception(caught.value))
    assert "put_options" not in str(caught.value)


@each_lane
def test_a_profile_that_does_not_exist_is_named(lane: Any) -> None:
    assert "(nope)" in str(refused(lane("bucket", endpoint_url="http://127.0.0.1:9", profile="nope")))
