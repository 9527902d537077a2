"""Requests as text for a check's message."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from remote_store.conformance.http.faults import Request


def shown(request: Request) -> str:
    """A request without its headers and the values of its query, which may hold a signature."""
    query = f"?{'&'.join(request.query)}" if request.query else ""
    return f"{request.operation}: {request.method} {request.path}{query}"


def size_of(request: Request) -> int:
    """The length of the content that a request declares."""
    sizes = (request.headers.get(name, "") for name in ("x-amz-decoded-content-length", "content-length"))
    return next((int(size) for size in sizes if size.isdigit()), 0)
