"""The proxy in front of any server, under the names that authors import."""

from __future__ import annotations

from remote_store.conformance.http.proxy import Endpoint, Injection

__all__ = ["Endpoint", "Injection"]
