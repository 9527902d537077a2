"""URLs of servers, which backends show in their repr, in paths and in errors."""

from __future__ import annotations

from urllib.parse import urlsplit

from remote_store.core import ConfigError


def require_no_secret(name: str, url: str) -> None:
    """Check that a URL can be shown.

    Raises:
        ConfigError: It has a user, a query or a fragment. The message does not contain it.
    """
    parts = urlsplit(url)
    if "@" in parts.netloc or parts.query or parts.fragment:
        message = "must have no user, query or fragment, because backends show it; send credentials in a header, with"
        raise ConfigError(f"{name} {message} client_options={{'default_headers': {{'authorization': ...}}}} of a store")
