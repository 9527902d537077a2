from __future__ import annotations

import http.client
import http.server
import socket
import threading
import urllib.parse

import pytest

from remote_store.conformance.endpoint import Endpoint
from remote_store.conformance.faults import (
    Answer,
    Call,
    DamageRequest,
    DropHeaders,
    ErrorInOK,
    LostAnswer,
    Reset,
    RewriteBody,
    RewriteHeaders,
    ShortBody,
    Stall,
    TruncateRequest,
    gather,
    operation_of,
)
from upstream import Handler, Upstream, ask, connect, drink, wait_for


@pytest.fixture
def upstream():
    server = Upstream(("127.0.0.1", 0), Handler)
    server.objects = {}
    server.lock = threading.Lock()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def endpoint(upstream):
    with Endpoint(f"http://127.0.0.1:{upstream.server_address[1]}") as running:
        yield running


@pytest.fixture
def client(endpoint):
    connection = connect(endpoint)
    yield connection
    connection.close()


def test_requests_and_answers_pass_on_one_connection(endpoint, client, upstream):
    assert ask(client, "PUT", "/bucket/key", b"content") == (200, b"")
    assert ask(client, "GET", "/bucket/key") == (200, b"content")
    assert ask(client, "HEAD", "/bucket/key") == (200, b"")
    assert ask(client, "GET", "/bucket/key", Range="bytes=1-3") == (206, b"ont")
    assert ask(client, "DELETE", "/bucket/key") == (204, b"")
    assert ask(client, "GET", "/bucket/key") == (404, b"missing")
    assert endpoint.open_connections == 1
    assert endpoint.operations() == ["PutObject", "GetObject", "HeadObject", "GetObject", "DeleteObject", "GetObject"]


def test_the_length_of_a_head_answer_and_the_host_header_pass_unchanged(endpoint, client):
    ask(client, "PUT", "/bucket/key", b"content")
    client.request("HEAD", "/bucket/key")
    answer = client.getresponse()
    answer.read()
    assert answer.headers["Content-Length"] == "7"
    assert answer.headers["X-Host"] == urllib.parse.urlsplit(endpoint.url).netloc


def test_large_bodies_pass_both_ways(client):
    body = bytes(range(256)) * 40_000
    ask(client, "PUT", "/bucket/key", body)
    assert ask(client, "GET", "/bucket/key") == (200, body)


def test_chunked_bodies_pass_both_ways(client):
    client.request("PUT", "/bucket/key", iter([b"one", b"two" * 5000, b"three"]), encode_chunked=True)
    client.getresponse().read()
    assert ask(client, "GET", "/bucket/key", X_Chunked="1") == (200, b"one" + b"two" * 5000 + b"three")


def test_a_body_that_ends_with_the_servers_connection_passes_and_the_clients_connection_lives_on(endpoint, client):
    ask(client, "PUT", "/bucket/key", b"content")
    assert ask(client, "GET", "/bucket/key", X_Until_Close="1") == (200, b"content")
    assert ask(client, "GET", "/bucket/key") == (200, b"content")
    assert endpoint.open_connections == 1


def test_the_server_is_asked_for_100_continue_and_says_it(endpoint):
    host, port = urllib.parse.urlsplit(endpoint.url).netloc.split(":")
    with socket.create_connection((host, int(port)), timeout=20) as raw:
        raw.sendall(b"PUT /bucket/key HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        assert raw.recv(1000).startswith(b"HTTP/1.1 100 ")
        raw.sendall(b"hello")
        assert raw.recv(1000).startswith(b"HTTP/1.1 200 ")


def test_an_answer_before_the_end_of_the_upload_arrives(client):
    assert ask(client, "POST", "/bucket/key", b"x" * 3_000_000) == (403, b"")
    assert ask(client, "GET", "/bucket/key") == (404, b"missing")


def test_a_server_that_does_not_listen_closes_the_clients_connection():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with Endpoint(f"http://127.0.0.1:{port}") as endpoint:
        connection = connect(endpoint)
        with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
            ask(connection, "GET", "/bucket/key")
        connection.close()
        assert endpoint.count() == 1


@pytest.mark.parametrize("upstream_url", ["https://127.0.0.1:1", "127.0.0.1:1", "http://127.0.0.1:1/path", "http://"])
def test_an_upstream_that_is_no_plain_http_address_is_refused(upstream_url):
    with pytest.raises(ValueError, match="http://host:port"):
        Endpoint(upstream_url)


def test_counts_recordings_and_reset(endpoint, client):
    ask(client, "GET", "/bucket/one?versionId=a%20b", X_Thing="v")
    with endpoint.recording() as recording:
        ask(client, "HEAD", "/bucket/t%C3%A9o")
    ask(client, "HEAD", "/bucket/three")
    assert [request.key for request in recording] == ["téo"]
    assert endpoint.count() == 3
    assert endpoint.count("HeadObject") == 2
    first = endpoint.requests[0]
    assert (first.method, first.path, first.bucket, first.query) == (
        "GET",
        "/bucket/one",
        "bucket",
        {"versionId": "a b"},
    )
    assert first.headers["x-thing"] == "v"
    endpoint.reset()
    assert endpoint.requests == []
    assert endpoint.count("HeadObject") == 0


def test_connections_are_counted_while_they_are_open(endpoint):
    several = [connect(endpoint) for _ in range(3)]
    for connection in several:
        ask(connection, "GET", "/bucket/key")
    assert endpoint.open_connections == 3
    for connection in several:
        connection.close()
    wait_for(lambda: endpoint.open_connections == 0)


def test_a_connection_that_ends_does_not_hide_a_later_one(endpoint):
    earlier = connect(endpoint)
    ask(earlier, "GET", "/bucket/key")
    before = endpoint.connections
    later = connect(endpoint)
    ask(later, "GET", "/bucket/key")
    earlier.close()
    wait_for(lambda: endpoint.open_connections == 1)
    assert len(endpoint.connections - before) == 1
    later.close()
    wait_for(lambda: endpoint.connections <= before)


def test_the_end_of_the_block_closes_everything(upstream):
    # Other endpoints of this process, such as those of a whole run, go on.
    before = set(threading.enumerate())
    with Endpoint(f"http://127.0.0.1:{upstream.server_address[1]}") as endpoint:
        idle = connect(endpoint)
        ask(idle, "GET", "/bucket/key")
        stalled = connect(endpoint)
        endpoint.inject(Stall(600))
        stalled.request("GET", "/bucket/key")
        wait_for(lambda: endpoint.count() == 2)
    assert endpoint.open_connections == 0
    started = set(threading.enumerate()) - before
    assert not [thread for thread in started if thread.name.startswith("endpoint")]
    with pytest.raises(ConnectionRefusedError):
        connect(endpoint).connect()
    for connection in (idle, stalled):
        connection.close()
    endpoint.close()


def test_an_answer_in_the_servers_place_leaves_the_server_and_the_connection_alone(endpoint, client, upstream):
    injection = endpoint.inject(Answer(503, "SlowDown", "less & slower", {"Retry-After": "7"}), operation="PutObject")
    client.request("PUT", "/bucket/key", b"x" * 500_000)
    answer = client.getresponse()
    body = answer.read()
    assert answer.status == 503
    assert answer.headers["Retry-After"] == "7"
    assert b"<Code>SlowDown</Code><Message>less &amp; slower</Message>" in body
    assert upstream.objects == {}
    assert ask(client, "PUT", "/bucket/key", b"again")[0] == 200
    assert upstream.objects == {"/bucket/key": b"again"}
    assert injection.hits == 1


def test_an_answer_to_head_has_no_body_and_an_answer_may_be_any_body(endpoint, client):
    endpoint.inject(Answer(403, "AccessDenied"), operation="HeadObject")
    endpoint.inject(Answer(502, body=b"<html>bad gateway</html>"), operation="GetObject")
    assert ask(client, "HEAD", "/bucket/key") == (403, b"")
    assert ask(client, "GET", "/bucket/key") == (502, b"<html>bad gateway</html>")
    assert endpoint.open_connections == 1


def test_an_answer_before_100_continue_ends_the_connection(endpoint):
    endpoint.inject(Answer(403, "AccessDenied"))
    host, port = urllib.parse.urlsplit(endpoint.url).netloc.split(":")
    with socket.create_connection((host, int(port)), timeout=20) as raw:
        raw.sendall(b"PUT /bucket/key HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        received = b""
        while piece := raw.recv(1000):
            received += piece
    assert received.startswith(b"HTTP/1.1 403 ")


def test_an_error_inside_200(endpoint, client, upstream):
    endpoint.inject(ErrorInOK("InternalError", "try again"), operation="CompleteMultipartUpload")
    status, body = ask(client, "POST", "/bucket/key?uploadId=1", b"<parts/>")
    assert status == 200
    assert b"<Code>InternalError</Code><Message>try again</Message>" in body
    assert upstream.objects == {}


def test_a_reset_takes_the_request_and_hides_it_from_the_server(endpoint, client, upstream):
    endpoint.inject(Reset())
    with pytest.raises(ConnectionResetError):
        ask(client, "PUT", "/bucket/key", b"content")
    assert upstream.objects == {}
    client.close()
    assert ask(client, "PUT", "/bucket/key", b"content")[0] == 200


def test_a_reset_within_the_answer_comes_after_the_bytes_that_were_promised(endpoint, client, upstream):
    body = bytes(range(256)) * 4000
    upstream.objects["/bucket/key"] = body
    endpoint.inject(Reset(after_bytes=700_001))
    assert drink(client, "/bucket/key") == (body[:700_001], ConnectionResetError)


def test_a_short_body_ends_in_good_order(endpoint, client, upstream):
    upstream.objects["/bucket/key"] = b"0123456789" * 100
    endpoint.inject(ShortBody(after_bytes=321), times=2)
    client.request("GET", "/bucket/key")
    with pytest.raises(http.client.IncompleteRead) as caught:
        client.getresponse().read()
    assert caught.value.partial == (b"0123456789" * 100)[:321]
    client.close()
    client.request("GET", "/bucket/key", headers={"X-Chunked": "1"})
    with pytest.raises(http.client.IncompleteRead):
        client.getresponse().read()


def test_a_short_body_of_no_bytes_still_has_a_head(endpoint, client, upstream):
    upstream.objects["/bucket/key"] = b"0123456789"
    endpoint.inject(ShortBody(after_bytes=0))
    client.request("GET", "/bucket/key")
    answer = client.getresponse()
    assert answer.headers["Content-Length"] == "10"
    with pytest.raises(http.client.IncompleteRead) as caught:
        answer.read()
    assert caught.value.partial == b""


def test_a_stall_outlasts_a_clients_patience_and_ends_when_it_hangs_up(endpoint, upstream):
    upstream.objects["/bucket/key"] = b"0123456789"
    endpoint.inject(Stall(600))
    endpoint.inject(Stall(600, after_bytes=4), after=1)
    impatient = connect(endpoint, timeout=0.2)
    with pytest.raises(TimeoutError):
        ask(impatient, "GET", "/bucket/key")
    impatient.close()
    wait_for(lambda: endpoint.open_connections == 0)
    impatient.request("GET", "/bucket/key")
    answer = impatient.getresponse()
    assert answer.read(4) == b"0123"
    with pytest.raises(TimeoutError):
        answer.read(1)
    answer.close()
    impatient.close()
    wait_for(lambda: endpoint.open_connections == 0)


def test_a_short_stall_changes_nothing_else(endpoint, client, upstream):
    upstream.objects["/bucket/key"] = b"0123456789"
    endpoint.inject(Stall(0.01))
    endpoint.inject(Stall(0.01, after_bytes=3))
    assert ask(client, "GET", "/bucket/key") == (200, b"0123456789")


def test_a_lost_answer_is_of_a_request_that_was_obeyed(endpoint, client, upstream):
    endpoint.inject(LostAnswer(), operation="PutObject")
    with pytest.raises(ConnectionResetError):
        ask(client, "PUT", "/bucket/key", b"content")
    assert upstream.objects == {"/bucket/key": b"content"}


def test_dropped_headers_make_a_server_that_ignores_conditions(endpoint, client, upstream):
    ask(client, "PUT", "/bucket/key", b"one")
    assert ask(client, "PUT", "/bucket/key", b"two", If_None_Match="*")[0] == 412
    endpoint.inject(DropHeaders(("if-none-match", "If-Match")), times=None)
    assert ask(client, "PUT", "/bucket/key", b"three", If_None_Match="*")[0] == 200
    assert upstream.objects == {"/bucket/key": b"three"}
    assert endpoint.requests[-1].headers["if-none-match"] == "*"


def test_bodies_can_be_rewritten_and_several_faults_meet_one_request(endpoint, client, upstream):
    upstream.objects["/bucket/key"] = b"one two"
    endpoint.inject(RewriteBody(lambda body: body.replace(b"two", b"three")), times=None)
    endpoint.inject(RewriteBody(bytes.upper), times=None)
    assert ask(client, "GET", "/bucket/key") == (200, b"ONE THREE")
    assert ask(client, "GET", "/bucket/key", X_Chunked="1") == (200, b"ONE THREE")
    assert ask(client, "HEAD", "/bucket/key") == (200, b"")
    endpoint.inject(ShortBody(5))
    client.request("GET", "/bucket/key")
    with pytest.raises(http.client.IncompleteRead) as caught:
        client.getresponse().read()
    assert caught.value.partial == b"ONE T"


def test_the_headers_of_an_answer_are_rewritten(endpoint, client, upstream):
    ask(client, "PUT", "/bucket/key", b"content")
    endpoint.inject(RewriteHeaders(lambda headers: [*headers, (b"X-Amz-Meta-Author", "ü".encode())]), times=None)
    for method, body in (("GET", b"content"), ("HEAD", b"")):
        client.request(method, "/bucket/key")
        answer = client.getresponse()
        assert answer.read() == body
        assert answer.headers["x-amz-meta-author"].encode("latin-1") == "ü".encode()


@pytest.mark.parametrize("size", [0, 100_000])
def test_an_upload_is_cut(endpoint, client, upstream, size):
    endpoint.inject(TruncateRequest(after_bytes=size))
    with pytest.raises(ConnectionError):
        ask(client, "PUT", "/bucket/key", b"x" * 20_000_000)
    assert upstream.objects == {}


@pytest.mark.parametrize("at", [0, 9_999, 19_999, 20_000])
def test_one_byte_of_an_upload_is_changed(endpoint, client, upstream, at):
    endpoint.inject(DamageRequest(at=at))
    content = bytes(20_000)
    ask(client, "PUT", "/bucket/key", content)
    changed = [place for place, byte in enumerate(upstream.objects["/bucket/key"]) if byte]
    assert changed == ([at] if at < len(content) else [])
    ask(client, "PUT", "/bucket/key", content)
    assert upstream.objects["/bucket/key"] == content


def test_a_call_runs_before_the_request_goes_on(endpoint, client, upstream):
    upstream.objects["/bucket/key"] = b"old"
    seen = []

    def change(request):
        seen.append(request.operation)
        upstream.objects["/bucket/key"] = b"new"

    endpoint.inject(Call(change), after=1)
    assert ask(client, "GET", "/bucket/key") == (200, b"old")
    assert ask(client, "GET", "/bucket/key") == (200, b"new")
    assert seen == ["GetObject"]


def test_what_injected_functions_raise_reaches_the_test(upstream):
    endpoint = Endpoint(f"http://127.0.0.1:{upstream.server_address[1]}").__enter__()
    endpoint.inject(Call(lambda request: 1 / 0))
    endpoint.inject(RewriteBody(lambda body: body.nothing), after=1)
    for _ in range(2):
        connection = connect(endpoint)
        with pytest.raises(ConnectionResetError):
            ask(connection, "GET", "/bucket/key")
        connection.close()
    with pytest.raises(ExceptionGroup) as caught:
        endpoint.close()
    assert [type(error) for error in caught.value.exceptions] == [ZeroDivisionError, AttributeError]


def test_a_gathering_lets_all_go_when_the_last_has_come(endpoint):
    endpoint.inject(gather(8), operation="PutObject", times=8)
    statuses = []

    def create():
        connection = connect(endpoint)
        statuses.append(ask(connection, "PUT", "/bucket/key", b"x", If_None_Match="*")[0])
        connection.close()

    threads = [threading.Thread(target=create) for _ in range(8)]
    for thread in threads[:7]:
        thread.start()
    wait_for(lambda: endpoint.count() == 7)
    assert statuses == []
    threads[7].start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] + [412] * 7


def test_which_requests_get_a_fault(endpoint, client):
    injection = endpoint.inject(
        Answer(500), operation="GetObject", times=2, after=1, match=lambda request: request.key.startswith("k")
    )
    statuses = [
        ask(client, method, path)[0]
        for method, path in [
            ("GET", "/bucket/k1"),
            ("HEAD", "/bucket/k2"),
            ("GET", "/bucket/other"),
            ("GET", "/bucket/k3"),
            ("GET", "/bucket/k4"),
            ("GET", "/bucket/k5"),
        ]
    ]
    assert statuses == [404, 404, 404, 500, 500, 404]
    assert (injection.hits, injection.passed) == (2, 1)
    endpoint.inject(Answer(500), times=None)
    assert [ask(client, "GET", "/bucket/key")[0] for _ in range(3)] == [500] * 3
    endpoint.clear_faults()
    assert ask(client, "GET", "/bucket/key")[0] == 404


def test_faults_are_dealt_exactly_as_often_as_asked_under_threads(endpoint):
    injection = endpoint.inject(Answer(500), times=20)
    statuses = []

    def hammer():
        connection = connect(endpoint)
        statuses.extend(ask(connection, "GET", "/bucket/key")[0] for _ in range(25))
        connection.close()

    threads = [threading.Thread(target=hammer) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses.count(500) == 20
    assert statuses.count(404) == 180
    assert injection.hits == 20
    assert endpoint.count() == 200


@pytest.mark.parametrize(
    "method,path,query,headers,operation",
    [
        ("GET", "/", {}, {}, "ListBuckets"),
        ("GET", "/b", {"list-type": "2", "prefix": "uploads"}, {}, "ListObjectsV2"),
        ("GET", "/b/", {"prefix": "p"}, {}, "ListObjects"),
        ("GET", "/b", {"uploads": ""}, {}, "ListMultipartUploads"),
        ("HEAD", "/b", {}, {}, "HeadBucket"),
        ("PUT", "/b", {}, {}, "CreateBucket"),
        ("POST", "/b", {"delete": ""}, {}, "DeleteObjects"),
        ("GET", "/b/k", {}, {}, "GetObject"),
        ("GET", "/b//k", {"versionId": "1"}, {}, "GetObject"),
        ("HEAD", "/b/k/", {}, {}, "HeadObject"),
        ("PUT", "/b/k", {}, {}, "PutObject"),
        ("PUT", "/b/k", {}, {"x-amz-copy-source": "b/s"}, "CopyObject"),
        ("PUT", "/b/k", {"partNumber": "1", "uploadId": "u"}, {}, "UploadPart"),
        ("PUT", "/b/k", {"partNumber": "1", "uploadId": "u"}, {"x-amz-copy-source": "b/s"}, "UploadPartCopy"),
        ("POST", "/b/k", {"uploads": ""}, {}, "CreateMultipartUpload"),
        ("POST", "/b/k", {"uploadId": "u"}, {}, "CompleteMultipartUpload"),
        ("DELETE", "/b/k", {"uploadId": "u"}, {}, "AbortMultipartUpload"),
        ("GET", "/b/k", {"uploadId": "u"}, {}, "ListParts"),
        ("DELETE", "/b/k", {}, {}, "DeleteObject"),
        ("GET", "/b/k", {"tagging": ""}, {}, "GetObjectTagging"),
        ("OPTIONS", "/b/k", {}, {}, "OPTIONS"),
    ],
)
def test_requests_are_named_as_the_s3_api_names_them(method, path, query, headers, operation):
    assert operation_of(method, path, query, headers) == operation
