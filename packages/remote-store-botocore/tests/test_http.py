"""What the lane reads that http.client cannot, once a server has sent it, and how such requests are sent."""

from __future__ import annotations

import datetime as dt
import io
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from botocore import exceptions as sdk
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.config import Config
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from remote_store.botocore import ClientBackend, ClientPort
from remote_store.botocore.http import HttpSession
from remote_store.conformance.fakes.damaged_s3 import DamagedS3, Reply, serving
from remote_store.conformance.faults import Answer, Early, Reset
from remote_store.conformance.servers import dead_endpoint
from remote_store.core import BackendUnavailable, PermissionDenied, RemoteStoreError, RetryPolicy
from remote_store.core.s3 import Call, S3Options

MIB = 1024 * 1024
EARLY = b"HTTP/1.1 103 Early Hints\r\nLink: </s.css>\r\n\r\n"
PLACE = {"key": "key", "secret": "secret", "region_name": "us-east-1", "retry": RetryPolicy.disabled()}
MANY = {f"k{number}": "v" for number in range(150)}


@pytest.fixture
def make(place, bucket, lane) -> Iterator[Callable[..., ClientBackend]]:
    made: list[ClientBackend] = []

    def make(**options) -> ClientBackend:
        made.append(lane(bucket, **{**place, "retry": RetryPolicy.disabled(), **options}))
        return made[-1]

    yield make
    for backend in made:
        backend.close()


@pytest.fixture
def backend(make) -> ClientBackend:
    return make()


def refused(call: Callable[[], object]) -> RemoteStoreError:
    with pytest.raises(RemoteStoreError) as caught:
        call()
    return caught.value


@pytest.mark.parametrize("operation", ["GetObject", "GetObjectTagging", "HeadObject", "HeadBucket", "ListObjectsV2"])
def test_each_operation_that_reads_is_sent_again(place, endpoint, plain, bucket, operation, clients):
    plain.put_object(Bucket=bucket, Key="k", Body=b"content")
    params = {"Bucket": bucket} | ({} if operation in ("HeadBucket", "ListObjectsV2") else {"Key": "k"})
    client = clients.client(S3Options.build(**place))
    port = ClientPort(client, owned=True, find_trusted=lambda: True)
    endpoint.inject(Early(), times=None)
    answer = port.perform(Call(operation, params))
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert endpoint.operations() == [operation] * 2
    port.close()


READS = {
    "GetObject": lambda backend: backend.read_bytes("k") == b"content",
    "HeadObject": lambda backend: backend.get_file_info("k").size == 7,
    "ListObjectsV2": lambda backend: [info.path for info in backend.list_files("")] == ["k"],
}


@pytest.mark.parametrize("status", [102, 103])
@pytest.mark.parametrize("operation", READS)
def test_a_read_is_sent_again_and_then_read_past(backend, endpoint, plain, bucket, operation, status):
    plain.put_object(Bucket=bucket, Key="k", Body=b"content")
    endpoint.inject(Early(status), times=None)
    assert READS[operation](backend)
    assert endpoint.operations() == [operation] * 2
    assert all(read(backend) for read in READS.values())
    assert endpoint.count() == 5


def test_a_refusal_behind_an_informational_response_is_that_refusal(backend, endpoint):
    endpoint.inject(Early(), times=None)
    endpoint.inject(Answer(403, "AccessDenied"), times=None)
    assert isinstance(refused(lambda: backend.read_bytes("k")), PermissionDenied)
    assert endpoint.count() == 2


WRITES = {
    "PutObject": lambda backend: backend.write("new", b"x", overwrite=True),
    "CopyObject": lambda backend: backend.copy("k", "new", overwrite=True),
    "DeleteObject": lambda backend: backend.delete("k"),
}


@pytest.mark.parametrize("operation", WRITES)
def test_what_may_have_changed_something_is_not_sent_again(backend, endpoint, plain, bucket, operation):
    plain.put_object(Bucket=bucket, Key="k", Body=b"content")
    endpoint.inject(Early(), operation=operation, times=None)
    endpoint.inject(Answer(403, "AccessDenied"), operation=operation)
    error = refused(lambda: WRITES[operation](backend))
    assert isinstance(error, BackendUnavailable)
    assert (error.code, error.status, error.retryable) == ("LostAnswer", 103, True)
    assert "informational response" in str(error)
    assert "call again" in str(error)
    assert endpoint.count(operation) == 1
    WRITES[operation](backend)
    assert endpoint.count(operation) == 2


def test_a_large_body_is_sent_without_asking_once_the_answer_to_that_was_lost(backend, endpoint, plain, bucket):
    endpoint.inject(Early(), times=None)
    # The server sees one write only, so that none can be late.
    endpoint.inject(Answer(403, "AccessDenied"), operation="PutObject")
    body = b"x" * (2 * MIB)
    assert refused(lambda: backend.write("k", body, overwrite=True)).code == "LostAnswer"
    assert backend.write("k", body, overwrite=True).size == len(body)
    assert [request.headers.get("expect") for request in endpoint.requests if request.method == "PUT"] == [
        "100-continue",
        None,
    ]
    assert plain.get_object(Bucket=bucket, Key="k")["Body"].read() == body


def test_an_upload_whose_part_was_lost_is_aborted(make, endpoint, plain, bucket):
    backend = make(part_size=5 * MIB)
    endpoint.inject(Early(), operation="UploadPart", times=None)
    assert refused(lambda: backend.write("k", bytes(6 * MIB))).code == "LostAnswer"
    assert "Uploads" not in plain.list_multipart_uploads(Bucket=bucket)


def test_a_server_that_sends_nothing_else_is_given_up(backend, endpoint):
    for _ in range(150):
        endpoint.inject(Early(), times=None)
    error = refused(lambda: backend.read_bytes("k"))
    assert isinstance(error, BackendUnavailable)
    assert endpoint.count() == 2


def test_the_client_of_a_user_stays_as_it_is(place, endpoint, plain, bucket, clients, lane):
    plain.put_object(Bucket=bucket, Key="k", Body=b"content", Metadata={f"k{number}": "v" for number in range(60)})
    client = clients.client(S3Options.build(**place))
    backend = lane(bucket, client=client)
    sent = []
    client.meta.events.register_last("before-send.s3", lambda request, **_: sent.append(request.url))
    for call in (lambda: backend.read_bytes("k"), lambda: backend.write("new", b"x", overwrite=True)):
        endpoint.inject(Early())
        assert refused(call).code == "InformationalAnswer"
    assert backend.read_bytes("k") == b"content"
    assert len(sent) == endpoint.count() == 3
    with pytest.raises(ValueError, match="65 entries; at most 64"):
        backend.write("new", b"x", metadata={f"k{number}": "v" for number in range(65)})
    client.close()


@pytest.fixture
def fake() -> Iterator[DamagedS3]:
    server = DamagedS3()
    server.state.put("k", b"content", metadata=MANY)
    return server


def test_an_answer_of_more_than_100_lines_is_read_again_and_from_then_on(fake, lane):
    asked: list[str] = []
    fake.operation, fake.damage = "GetObject", lambda reply: asked.append("GET") or reply
    with serving(fake) as url, lane("bucket", endpoint_url=url, **PLACE) as backend:
        assert backend.read_bytes("k") == b"content"
        assert len(asked) == 2
        assert backend.get_file_info("k").metadata == MANY
        assert backend.read_bytes("k") == b"content"
        assert len(asked) == 3


def test_an_upload_whose_completion_was_lost_is_looked_at(fake, lane):
    def damage(reply: Reply) -> Reply:
        return Reply(reply.status, reply.headers, reply.body, before=EARLY)

    fake.operation, fake.damage = "CompleteMultipartUpload", damage
    with serving(fake) as url, lane("bucket", endpoint_url=url, part_size=5 * MIB, **PLACE) as backend:
        assert backend.write("new", bytes(6 * MIB)).size == 6 * MIB
        assert backend.get_file_info("new").size == 6 * MIB


def test_a_write_answered_by_more_than_100_lines_is_lost(fake, lane):
    extra = [(f"x-amz-meta-{number}", "v") for number in range(150)]
    fake.operation, fake.damage = "PutObject", lambda reply: Reply(reply.status, reply.headers + extra, reply.body)
    with serving(fake) as url, lane("bucket", endpoint_url=url, **PLACE) as backend:
        error = refused(lambda: backend.write("new", b"x", overwrite=True))
        assert (error.code, error.retryable) == ("LostAnswer", True)
        assert "call again" in str(error)
        assert backend.write("new", b"y", overwrite=True).size == 1


def test_more_lines_than_any_lane_reads_are_refused_at_once(fake, lane):
    fake.state.put("k", b"content", metadata={f"k{number}": "v" for number in range(1001)})
    with serving(fake) as url, lane("bucket", endpoint_url=url, **PLACE) as backend:
        error = refused(lambda: backend.read_bytes("k"))
    assert (error.code, error.retryable) == ("TooManyHeaders", False)


@contextmanager
def listening(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """Host and port of a server whose connections are each served in a thread."""
    listener = socket.create_server(("127.0.0.1", 0))

    def one(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            serve(connection)

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=one, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.close()


def head_of(connection: socket.socket) -> bytes:
    """A request without a body, as it came."""
    read = b""
    while not read.endswith(b"\r\n\r\n"):
        if not (piece := connection.recv(1)):
            raise ConnectionError
        read += piece
    return read


def listing_of(key: str) -> bytes:
    row = f"<Contents><Key>{key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><Size>1</Size></Contents>"
    page = f"<ListBucketResult><IsTruncated>false</IsTruncated>{row}</ListBucketResult>".encode()
    return b"HTTP/1.1 200 OK\r\nx-amz-request-id: R\r\nContent-Length: %d\r\n\r\n%b" % (len(page), page)


def keys_of(port: ClientPort, prefix: str) -> list[str]:
    answer = port.perform(Call("ListObjectsV2", {"Bucket": "bucket", "EncodingType": "url", "Prefix": prefix}))
    return [row["Key"] for row in answer["Contents"]]


def test_an_answer_that_may_be_that_of_another_request_is_not_believed(clients):
    follows, again = threading.Event(), threading.Event()

    def serve(connection: socket.socket) -> None:
        while True:
            prefix = head_of(connection).partition(b"&prefix=")[2][:1].decode()
            if prefix == "a" and not follows.is_set():
                connection.sendall(EARLY)
                prefix = head_of(connection).partition(b"&prefix=")[2][:1].decode()
                follows.set()
                again.wait(5)
                connection.sendall(listing_of("a/1"))
            elif prefix == "a":
                again.set()
            connection.sendall(listing_of(f"{prefix}/1"))

    others: list[str] = []
    with listening(serve) as address:
        client = clients.client(S3Options.build(endpoint_url=f"http://{address}", **PLACE))
        port = ClientPort(client, owned=True, find_trusted=lambda: True)
        thread = threading.Thread(target=lambda: others.extend(keys_of(port, "b")))

        def in_between(**_told: object) -> None:
            if not follows.is_set():
                thread.start()
                follows.wait(5)

        client.meta.events.register("after-call.s3.ListObjectsV2", in_between)
        assert keys_of(port, "a") == ["a/1"]
        thread.join(5)
        port.close()
    assert follows.is_set()
    assert others == ["b/1"]


def session_for(config: Config, **options) -> HttpSession:
    return HttpSession(config, **{"find_trusted": lambda: True, "proxies": {}, **options})


def send(url: str, *, method: str = "GET", proxies=None, trusted: bool | str = True, **request) -> AWSResponse:
    config = Config(connect_timeout=1, read_timeout=0.3)
    session = session_for(config, find_trusted=lambda: trusted, proxies=proxies or {})
    try:
        return session.send(AWSRequest(method=method, url=url, **request).prepare())
    finally:
        session.close()


def answering(answer: bytes, heard: list[bytes]) -> Callable[[socket.socket], None]:
    def serve(connection: socket.socket) -> None:
        heard.append(head_of(connection))
        connection.sendall(answer)

    return serve


HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


def test_a_request_is_sent_as_botocore_prepared_it_without_expect():
    heard: list[bytes] = []
    with listening(answering(EARLY + HELLO, heard)) as address:
        headers = {"Expect": b"100-continue", "X-Bytes": "é".encode(), "Authorization": "signed"}
        answer = send(f"http://{address}/bucket//a%2Fb/./c?list-type=2&prefix=%3F", headers=headers)
    assert (answer.status_code, answer.content) == (200, b"hello")
    line, *fields = heard[0].split(b"\r\n")
    assert line == b"GET /bucket//a%2Fb/./c?list-type=2&prefix=%3F HTTP/1.1"
    assert b"X-Bytes: \xc3\xa9" in fields
    assert b"Authorization: signed" in fields
    assert b"expect" not in heard[0].lower()


def test_a_body_of_unknown_length_is_sent_in_chunks():
    bodies: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        head_of(connection)
        bodies.append(head_of(connection))
        connection.sendall(HELLO)

    with listening(serve) as address:
        headers = {"Transfer-Encoding": "chunked"}
        send(f"http://{address}/k", method="PUT", headers=headers, data=io.BytesIO(b"abc"))
    assert bodies == [b"3\r\nabc\r\n0\r\n\r\n"]


def test_no_redirect_is_followed():
    heard: list[bytes] = []
    with listening(answering(b"HTTP/1.1 307 There\r\nLocation: http://127.0.0.1:9/\r\n\r\n", heard)) as address:
        assert send(f"http://{address}/k").status_code == 307
    assert len(heard) == 1


def test_a_proxy_forwards_plain_requests():
    heard: list[bytes] = []
    with listening(answering(EARLY + HELLO, heard)) as address:
        answer = send("http://bucket.invalid/k?x=1", proxies={"http": f"http://me:secret@{address}"})
    assert answer.content == b"hello"
    assert heard[0].startswith(b"GET http://bucket.invalid/k?x=1 HTTP/1.1\r\n")
    assert b"proxy-authorization: basic bwu6c2vjcmv0" in heard[0].lower()


def hang_up(connection: socket.socket) -> None:
    head_of(connection)


def stall(connection: socket.socket) -> None:
    head_of(connection)
    connection.recv(1)


@pytest.mark.parametrize(
    "serve,scheme,expected",
    [
        (hang_up, "http", sdk.ConnectionClosedError),
        (stall, "http", sdk.ReadTimeoutError),
        (answering(EARLY * 101 + HELLO, []), "http", sdk.ConnectionClosedError),
        (lambda connection: connection.sendall(HELLO), "https", sdk.SSLError),
    ],
)
def test_what_fails_is_what_it_is_in_botocores_own_session(serve, scheme, expected):
    with listening(serve) as address, pytest.raises(expected):
        send(f"{scheme}://{address}/k")


def test_what_cannot_be_reached_is_what_it_is_in_botocores_own_session(tmp_path):
    dead = dead_endpoint()
    with pytest.raises(sdk.EndpointConnectionError):
        send(f"{dead}/k")
    with pytest.raises(sdk.ProxyConnectionError) as caught:
        send("http://bucket.invalid/k", proxies={"http": dead.replace("://", "://me:hush@")})
    assert "hush" not in str(caught.value)
    with pytest.raises(sdk.HTTPClientError, match="No such file"):
        send("https://127.0.0.1:9/k", trusted=str(tmp_path / "none.pem"))


@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize("fault", [Reset(), Answer(500, "InternalError")])
def test_the_sdk_tries_again_as_before(make, endpoint, fault):
    backend = make(retry=RetryPolicy(3))
    endpoint.inject(Early(), operation="HeadObject")
    backend.is_file("k")
    endpoint.reset()
    endpoint.inject(fault, times=None)
    assert isinstance(refused(lambda: backend.read_bytes("k")), BackendUnavailable)
    assert endpoint.count() == 3


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> Path:
    """A file with a private key and a certificate for the loopback address that signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(key.private_bytes(pem, form, serialization.NoEncryption()) + signed.public_bytes(pem))
    return path


@pytest.fixture
def encrypted(fake, certificate) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with serving(fake, context) as url:
        yield url


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
@pytest.mark.parametrize("where", ["option", "verify", "profile", "environment", "nowhere"])
def test_certificates_are_those_that_the_client_trusts(encrypted, certificate, monkeypatch, tmp_path, where, lane):
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    options = {
        "option": {"tls_ca_bundle": str(certificate)},
        "verify": {"client_options": {"verify": str(certificate)}},
        "nowhere": {"client_options": {"verify": False}},
    }.get(where, {})
    (tmp_path / "config").write_text(f"[default]\nca_bundle = {certificate}\n" if where == "profile" else "")
    if where == "environment":
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with lane("bucket", endpoint_url=encrypted, **PLACE, **options) as backend:
        assert backend.get_file_info("k").metadata == MANY
        assert backend.read_bytes("k") == b"content"


def test_a_certificate_that_is_not_trusted_is_refused(encrypted):
    with pytest.raises(sdk.SSLError, match="CERTIFICATE_VERIFY_FAILED"):
        send(f"{encrypted}/bucket/k")


def test_a_certificate_of_another_host_is_refused(encrypted, certificate):
    assert send(f"{encrypted}/bucket/k", trusted=str(certificate)).status_code == 200
    with pytest.raises(sdk.SSLError, match="doesn't match"):
        send(f"{encrypted.replace('127.0.0.1', 'localhost')}/bucket/k", trusted=str(certificate))


def test_a_proxy_passes_tls_through(encrypted, certificate, lane):
    asked: list[bytes] = []

    def pump(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def tunnel(connection: socket.socket) -> None:
        asked.append(head_of(connection).partition(b"\r\n")[0])
        host, _, port = encrypted.removeprefix("https://").partition(":")
        with socket.create_connection((host, int(port))) as upstream:
            connection.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
            back = threading.Thread(target=pump, args=(upstream, connection), daemon=True)
            back.start()
            pump(connection, upstream)
            back.join(5)

    with listening(tunnel) as address:
        config = Config(proxies={"https": f"http://{address}"})
        options = {"tls_ca_bundle": str(certificate), "client_options": {"config": config}}
        with lane("bucket", endpoint_url=encrypted, **PLACE, **options) as backend:
            assert backend.get_file_info("k").metadata == MANY
    assert len(asked) == 2
    assert all(line.startswith(b"CONNECT 127.0.0.1:") for line in asked)
