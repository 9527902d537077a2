from __future__ import annotations

import socket

import pytest

from remote_store.conformance.cli.network import Gate
from remote_store.conformance.values.hosts import is_here


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "localhost", "a.localhost", "0.0.0.0", "::", ""])
def test_this_machine_is_known(host: str) -> None:
    assert is_here(host)


@pytest.mark.parametrize("host", ["example.org", "10.0.0.1", "169.254.169.254", "2001:db8::1", "fe80::1%eth0"])
def test_another_machine_is_known(host: str) -> None:
    assert not is_here(host)


def test_a_shut_gate_lets_connections_to_this_machine_through_and_no_others() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, Gate(is_open=False) as gate:
        socket.create_connection(server.getsockname()).close()
        assert gate.host == ""
        with pytest.raises(ConnectionRefusedError, match=r"192\.0\.2\.1 is not this machine"):
            socket.create_connection(("192.0.2.1", 80), timeout=1)
        with pytest.raises(ConnectionRefusedError, match="storage.example"):
            socket.getaddrinfo("storage.example", 80)
        assert gate.host == "192.0.2.1"


@pytest.mark.parametrize(
    "place, host",
    [
        ({"endpoint_url": "https://storage.example:9000"}, "storage.example"),
        ({"kind": "s3", "bucket": "b"}, "amazonaws.com"),
        ({"root": "/srv/data", "kind": "local"}, ""),
        ({"kind": "s3", "endpoint_url": "http://127.0.0.1:9000"}, ""),
    ],
)
def test_a_backend_says_where_it_goes_without_going_there(place: dict[str, str], host: str) -> None:
    with Gate(is_open=True) as gate:
        gate.ask(place)
    assert gate.host == host
    with Gate(is_open=False) as shut:
        if host:
            with pytest.raises(ConnectionRefusedError):
                shut.ask(place)
        else:
            shut.ask(place)


def test_a_gate_does_nothing_after_its_block() -> None:
    with Gate(is_open=False) as gate:
        pass
    with socket.socket() as other:
        other.settimeout(0.01)
        other.connect_ex(("192.0.2.1", 80))
    assert gate.host == ""
