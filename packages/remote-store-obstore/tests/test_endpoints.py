"""An endpoint that is not the service of the store: no response of it is taken for a file or its absence."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from remote_store.conformance.servers import moto_server
from remote_store.core import AlreadyExists, NotFound, RemoteStoreError
from remote_store.obstore import ObstoreS3Backend

RESPONSES = [
    (200, b""),
    (200, b"<html>hello</html>"),
    (200, b"<!doctype html><html><body><br>hello</html>"),
    (200, b"{}"),
    (204, b""),
    (404, b""),
    (404, b"<html>hello</html>"),
    (404, b'{"message": "no Route matched with those values"}'),
]
CALLS = {
    "exists": lambda backend: backend.exists("a"),
    "is_file": lambda backend: backend.is_file("a"),
    "is_folder": lambda backend: backend.is_folder("a"),
    "read": lambda backend: backend.read("a").read(),
    "read_seekable": lambda backend: backend.read_seekable("a").read(),
    "read_bytes": lambda backend: backend.read_bytes("a"),
    "read_range": lambda backend: backend.read_range("a", 0, 10),
    "get_file_info": lambda backend: backend.get_file_info("a"),
    "get_folder_info": lambda backend: backend.get_folder_info("a"),
    "list_files": lambda backend: list(backend.list_files("")),
    "list_files_recursive": lambda backend: list(backend.list_files("a", recursive=True)),
    "list_folders": lambda backend: list(backend.list_folders("a")),
    "iter_children": lambda backend: list(backend.iter_children("")),
    "glob": lambda backend: list(backend.glob("**/*.txt")),
    "write": lambda backend: backend.write("a", b"x"),
    "overwrite": lambda backend: backend.write("a", b"x", overwrite=True),
    "write_in_parts": lambda backend: backend.write("a", b"x" * 9_000_000, overwrite=True),
    "delete": lambda backend: backend.delete("a"),
    "delete_if_there": lambda backend: backend.delete("a", missing_ok=True),
    "delete_folder": lambda backend: backend.delete_folder("a", recursive=True, missing_ok=True),
    "copy": lambda backend: backend.copy("a", "b"),
    "move": lambda backend: backend.move("a", "b", overwrite=True),
    "check_health": lambda backend: backend.check_health(),
}


@pytest.fixture
def endpoint(request):
    """A server that gives one response to everything."""
    status, body = request.param

    class One(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def respond(self):
            self.rfile.read(int(self.headers["Content-Length"] or 0))
            self.send_response(status)
            self.send_header("Last-Modified", "Mon, 30 Nov 2026 12:00:00 GMT")
            if status != 204:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD" and status != 204:
                self.wfile.write(body)

        def do_GET(self):
            self.respond()

        def do_HEAD(self):
            self.respond()

        def do_PUT(self):
            self.respond()

        def do_POST(self):
            self.respond()

        def do_DELETE(self):
            self.respond()

        def log_message(self, *_arguments):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), One) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def s3(endpoint, bucket="bucket"):
    options = {"region": "eu-west-1", "access_key_id": "key", "secret_access_key": "secret"}
    return ObstoreS3Backend(bucket, endpoint=endpoint, retry=1, **options)


@pytest.mark.parametrize("endpoint", RESPONSES, indirect=True)
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_an_endpoint_that_is_not_s3_is_told(call, endpoint):
    with s3(endpoint) as backend, pytest.raises(RemoteStoreError, match="not the service of this store") as raised:
        call(backend)
    assert not isinstance(raised.value, NotFound | AlreadyExists)


def test_s3_without_a_file_or_a_bucket_is_believed():
    with moto_server() as server:
        with s3(server.url, "absent") as backend:
            assert list(backend.list_files("")) == []
            with pytest.raises(NotFound, match="bucket"):
                backend.write("a", b"x")
        with s3(server.url) as backend:
            assert (backend.exists("a"), list(backend.iter_children("a"))) == (False, [])
            with pytest.raises(NotFound):
                backend.read_bytes("a")
