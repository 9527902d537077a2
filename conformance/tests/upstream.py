"""A server to stand behind the endpoint, and a client that talks to it over bare connections."""

from __future__ import annotations

import http.client
import http.server
import time
import urllib.parse


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_PUT(self):
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.server.lock:
            taken = self.path in self.server.objects and self.headers.get("If-None-Match") == "*"
            if not taken:
                self.server.objects[self.path] = body
        self.answer(412 if taken else 200, b"")

    def do_GET(self):
        body = self.server.objects.get(self.path)
        if body is None:
            return self.answer(404, b"missing")
        if self.headers.get("X-Chunked"):
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for start in range(0, len(body), 1000):
                piece = body[start : start + 1000]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")
            return None
        if self.headers.get("X-Until-Close"):
            self.send_response(200)
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = True
            return None
        first, _, last = self.headers.get("Range", "").removeprefix("bytes=").partition("-")
        if first:
            return self.answer(206, body[int(first) : int(last) + 1])
        return self.answer(200, body)

    def do_HEAD(self):
        self.do_GET()

    def do_DELETE(self):
        self.server.objects.pop(self.path, None)
        self.send_response(204)
        self.end_headers()

    def do_POST(self):
        # Refuses before it has read the body, as a server may.
        self.send_response(403)
        self.send_header("Content-Length", "0")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.flush()
        self.close_connection = True
        self.rfile.read(int(self.headers["Content-Length"]))

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Host", self.headers["Host"])
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *arguments):
        pass


class Upstream(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        # A connection that the endpoint has cut is what these tests are about.
        pass


def connect(endpoint, timeout=20):
    return http.client.HTTPConnection(urllib.parse.urlsplit(endpoint.url).netloc, timeout=timeout)


def ask(connection, method, path, body=None, **headers):
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    return answer.status, answer.read()


def wait_for(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "did not come true in 10 s"
        time.sleep(0.01)


def drink(connection, path):
    """Read as much of an answer as comes; return it with how it ended."""
    connection.request("GET", path)
    answer = connection.getresponse()
    taken = bytearray()
    try:
        while piece := answer.read1(1000):
            taken += piece
    except OSError as error:
        return bytes(taken), type(error)
    return bytes(taken), None
