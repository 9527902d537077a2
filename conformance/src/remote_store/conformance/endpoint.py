"""The endpoint in front of any server, under the name that its users import; it lives in `http`."""

from __future__ import annotations

from remote_store.conformance.http.endpoint import Endpoint, Injection

__all__ = ["Endpoint", "Injection"]
