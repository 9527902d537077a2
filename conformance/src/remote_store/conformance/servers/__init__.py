"""S3 servers that a test run starts on loopback, and that leave no files behind."""

from __future__ import annotations

from remote_store.conformance.servers.moto import moto_server
from remote_store.conformance.servers.ports import dead_endpoint
from remote_store.conformance.servers.seaweedfs import seaweedfs_server
from remote_store.conformance.servers.server import Server
from remote_store.conformance.servers.signing import sign_v4

__all__ = ["Server", "dead_endpoint", "moto_server", "seaweedfs_server", "sign_v4"]
