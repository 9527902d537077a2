from __future__ import annotations

import json
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from mutants.http_s3 import MotoBackend
from remote_store.conformance import ConfigurationError, load_deviations
from remote_store.conformance.judging import reach
from remote_store.conformance.judging.address import Address, Credentials
from remote_store.conformance.judging.answers import Answer, asked_plainly
from remote_store.conformance.judging.harness import ServerHarness, cleared
from remote_store.conformance.judging.questions import topics
from remote_store.conformance.judging.reach import reached
from remote_store.conformance.s3 import S3Oracle
from remote_store.conformance.s3.harness import removed
from remote_store.conformance.servers import Server, dead_endpoint, moto_server

COMMAND = Path(sys.executable).parent / "remote-store-conformance"
CREDENTIALS = Credentials("suite", "suite-secret")
ERROR = '<?xml version="1.0"?><Error><Code>{}</Code><Message>no</Message></Error>'


@pytest.fixture(scope="module")
def moto() -> Iterator[Server]:
    with moto_server() as server:
        yield server


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", CREDENTIALS.key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", CREDENTIALS.secret)
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)


def command(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([COMMAND, *arguments], cwd=folder, capture_output=True, text=True, timeout=300)


def told(url: str, bucket: str = "bucket") -> str:
    """Why a server cannot be judged."""
    with pytest.raises(ConfigurationError) as caught:
        reached(Address(url, bucket, "us-east-1"), CREDENTIALS)
    assert CREDENTIALS.secret not in str(caught.value)
    return str(caught.value)


@contextmanager
def answering(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server on a socket that does this with every connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with closing(connection), suppress(OSError):
                        answer(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler], context: ssl.SSLContext | None = None) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        scheme = "http" if context is None else "https"
        yield f"{scheme}://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join(10)


def responding(status: int, body: str, **headers: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_arguments: object) -> None:
            """Keep quiet."""

    return Handler


class Files(SimpleHTTPRequestHandler):
    def log_message(self, *_arguments: object) -> None:
        """Keep quiet."""


@pytest.mark.usefixtures("environment", "compiled_once")
def test_one_command_judges_a_server_and_its_deviations_serve_a_lane(moto: Server, tmp_path: Path) -> None:
    files = ["--report", "found.json", "--table", "found.md", "--deviations", "found.toml"]
    asked = ["--topic", "conditions", "--rule", "COPY-003", "--rule", "WRITE-006", "--rule", "DEL-001"]
    result = command(tmp_path, "s3", f"{moto.url}/judged", "--name", "moto", "--lane", "boto3", *asked, *files)
    assert result.returncode == 2, result.stdout + result.stderr
    for line in (
        f"moto at {moto.url}, asked with remote-store-boto3 ",
        "the bucket judged does not exist; it is made, and removed at the end",
        "100 %",
        "  right       objects are written, read, listed and deleted",
        "  right       PutObject with `If-None-Match: *` creates an object only if there is none",
        "  wrong       CopyObject with `If-None-Match: *` replaces an object that exists",
        "verdict   partial: moto, asked with remote-store-boto3 ",
        "an option works around 1 thing that it gets wrong: conditions/copy",
    ):
        assert line in result.stdout, line
    found = json.loads((tmp_path / "found.json").read_text("utf-8"))
    assert found["server"] == "moto"
    assert found["verdict"]["grade"] == "partial"
    assert "| CopyObject with `If-None-Match: *` creates an object only if there is none | **wrong** |" in (
        tmp_path / "found.md"
    ).read_text("utf-8")
    assert set(load_deviations(tmp_path / "found.toml")) == {"COPY-003"}
    assert reached(Address(moto.url, "judged", moto.region), CREDENTIALS).is_there is False

    moto.create_bucket("mine")
    url = f"s3+boto3://mine?endpoint_url={moto.url}&region_name={moto.region}&conditional_writes=true"
    run = ["run", url, "--rule", "COPY-003", "--deviations", "found.toml"]
    result = command(tmp_path, *run)
    assert "1 rule deviates as declared: COPY-003" in result.stdout, result.stdout + result.stderr
    assert result.returncode == 2


@pytest.mark.usefixtures("environment", "compiled_once")
def test_a_bucket_with_content_is_refused_and_kept(moto: Server, tmp_path: Path) -> None:
    moto.create_bucket("full")
    oracle = S3Oracle(moto, "full")
    oracle.raw_put("a/b", b"content")
    result = command(tmp_path, "s3", f"{moto.url}/full")
    assert result.returncode == 3
    assert "the bucket full is not empty: it contains 'a/b'" in result.stderr
    result = command(tmp_path, "s3", f"{moto.url}/full", "--allow-non-empty", "--topic", "basics", "--rule", "DEL-001")
    assert result.returncode == 2, result.stdout + result.stderr
    assert "the bucket full exists and is kept" in result.stdout
    assert oracle.raw_list() == ["a/b"]


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize(
    "arguments, message",
    [
        (["s3", "http://127.0.0.1:9/"], "the URL names no bucket"),
        (["s3", "http://127.0.0.1:9/bucket", "--lane", "ftp"], "the lane 'ftp' is not installed; installed: boto3"),
        (["s3", "http://127.0.0.1:9/bucket", "--report", "no/such/x.json"], "its folder does not exist"),
        (["s3", "http://127.0.0.1:9/bucket", "--rule", "COPY-999"], "'COPY-999' is not a rule"),
        (["s3", "http://192.0.2.1/bucket"], "192.0.2.1 is not this machine"),
    ],
)
def test_a_wrong_command_is_explained_before_any_request(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from remote_store.conformance.cli import main

    assert main(arguments) == 3
    assert message in capsys.readouterr().err


def test_nothing_listens() -> None:
    assert "nothing listens at" in told(dead_endpoint())


def test_an_unknown_host() -> None:
    assert "the name of the host is not known" in told("http://no-such-host.invalid")


def test_a_web_server_is_no_s3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with serving(Files) as url:
        assert "is not an S3 server: it answers a listing with 404 and a body of type text/html" in told(url)
    with serving(responding(200, "<html>welcome</html>", Server="nginx")) as url:
        assert "is not an S3 server: it answers a listing with 200" in told(url)


@pytest.mark.parametrize(
    "status, body, message",
    [
        (403, ERROR.format("InvalidAccessKeyId"), "refuses the credentials (403 InvalidAccessKeyId)"),
        (403, ERROR.format("SignatureDoesNotMatch"), "the region, which is us-east-1"),
        (403, ERROR.format("AccessDenied"), "does not let these credentials list the bucket"),
        (403, ERROR.format("RequestTimeTooSkewed"), "the clock of this machine is wrong"),
        (301, ERROR.format("PermanentRedirect"), "redirects to http://elsewhere (301 PermanentRedirect)"),
        (400, ERROR.format("InvalidBucketName"), "answers a listing of the bucket bucket with 400 InvalidBucketName"),
        (503, "busy", "answers with 503; check that the server is healthy"),
        (401, "who are you", "is not an S3 server"),
    ],
)
def test_a_refusal(status: int, body: str, message: str) -> None:
    with serving(responding(status, body, Location="http://elsewhere")) as url:
        assert message in told(url)


def test_a_server_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "SECONDS", 0.2)
    with answering(lambda connection: connection.settimeout(5) or (connection.recv(1) and time.sleep(0.5))) as url:
        assert "does not answer within 0.2 s" in told(url)


def test_a_server_that_sends_a_byte_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "TOTAL", 0.5)

    def trickle(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(20):
            connection.sendall(b"x")
            time.sleep(0.05)

    with answering(trickle) as url:
        assert "did not finish a response within 0.5 s" in told(url)


def test_a_connection_that_ends() -> None:
    def reset(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")

    with answering(reset) as url:
        assert "ends the connection without an HTTP response (ConnectionResetError" in told(url)
    with answering(lambda connection: connection.sendall(b"220 ftp ready\r\n")) as url:
        message = told(url)
        assert "ends the connection without an HTTP response (BadStatusLine" in message
        assert "if the server has TLS, write https://" in message


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 with its key, signed by nobody else."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "suite")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "certificate.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(secret + signed.public_bytes(Encoding.PEM))
    return file


def test_a_certificate_of_an_unknown_authority(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    with serving(responding(404, ERROR.format("NoSuchBucket")), context) as url:
        assert "has a certificate that is not trusted (self-signed certificate); set AWS_CA_BUNDLE" in told(url)
        monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
        assert reached(Address(url, "bucket", "us-east-1"), CREDENTIALS).is_there is False
        monkeypatch.setenv("AWS_CA_BUNDLE", "no-such-file")
        assert "AWS_CA_BUNDLE names 'no-such-file', which cannot be read" in told(url)


def test_plain_questions_are_answered_by_the_server(moto: Server) -> None:
    moto.create_bucket("plain")
    answers = asked_plainly(topics(), moto, "plain", "x/")
    assert {name: entry.answer for name, entry in answers.items() if entry.answer is not Answer.RIGHT} == {
        "no-such-upload": Answer.WRONG
    }
    assert answers["no-such-upload"].observed == "UploadPart: 500"
    gone = replace(moto, url=dead_endpoint())
    assert {entry.reason for entry in asked_plainly(topics(), gone, "plain", "x/").values()} == {
        "the server stopped responding"
    }
    with serving(responding(501, ERROR.format("NotImplemented"))) as url:
        found = asked_plainly(topics(), replace(moto, url=url), "plain", "x/")
    assert found["date"].answer is Answer.NOT_OFFERED


def test_a_bucket_that_cannot_be_listed_is_left_and_reported(capsys: pytest.CaptureFixture[str]) -> None:
    with serving(responding(200, "<Broken>\x01</Broken>")) as url:
        removed(S3Oracle(Server("server", url, "suite", "suite-secret", "us-east-1", ""), "mine"))
    told = capsys.readouterr().err
    assert "the bucket mine could not be deleted; delete it by hand: the response is no XML" in told


def test_objects_that_cannot_be_deleted_since_the_server_died_are_left_and_reported(
    capsys: pytest.CaptureFixture[str],
) -> None:
    server = Server("server", dead_endpoint(), "suite", "suite-secret", "us-east-1", "")
    cleared(ServerHarness(MotoBackend, server, None, "mine", None), "conformance-x/")
    assert "the objects below conformance-x/ could not be deleted; delete them by hand" in capsys.readouterr().err


def test_a_server_without_tls() -> None:
    with answering(lambda connection: connection.sendall(b"HTTP/1.1 400 no\r\n\r\n")) as url:
        assert "does not speak TLS" in told(url.replace("http://", "https://"))
