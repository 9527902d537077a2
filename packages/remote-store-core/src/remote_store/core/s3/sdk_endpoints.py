"""Where an operation on a bucket is sent and how it is signed: asked of botocore once, where that cannot change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class KnownEndpoints:
    """The endpoints that botocore's rules gave, kept; they take a tenth of the time of a small call.

    What they depend on is the configuration of the client, and of a call its operation, its bucket, and whether it asks
    for a URL of the global endpoint. A client that is redirected to another region would need them anew.

    Args:
        resolver: botocore's own, which knows the rules.
    """

    def __init__(self, resolver: Any) -> None:
        self._resolver = resolver
        self._known: dict[tuple[Any, ...], Any] = {}
        self._signing: dict[int, tuple[list[Any], Any, dict[str, Any]]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._resolver, name)

    def construct_endpoint(
        self, operation_model: Any, call_args: Mapping[str, Any], request_context: Mapping[str, Any]
    ) -> Any:
        """The endpoint of a call."""
        key = operation_model.name, call_args.get("Bucket"), request_context.get("use_global_endpoint")
        endpoint = self._known.get(key)
        if endpoint is None:
            endpoint = self._resolver.construct_endpoint(operation_model, call_args, request_context)
            self._known[key] = endpoint
        return endpoint

    def auth_schemes_to_signing_ctx(self, auth_schemes: list[Any]) -> tuple[Any, dict[str, Any]]:
        """How calls to a kept endpoint are signed, in a dict of the caller's own, who goes on to change it."""
        signing = self._signing.get(id(auth_schemes))
        if signing is None:
            # The list is kept too, or another one could take its place in memory and so its signing.
            signing = auth_schemes, *self._resolver.auth_schemes_to_signing_ctx(auth_schemes)
            self._signing[id(auth_schemes)] = signing
        _, auth_type, context = signing
        return auth_type, dict(context)
