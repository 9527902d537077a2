"""Taking secrets out of what is shown."""

from __future__ import annotations

import re
from collections.abc import Iterable

SECRET_NAME = re.compile(
    r"secret|passw|token|credential|signature|authorization|cookie|api_?key|private_?key|access_?key|^key$",
    re.IGNORECASE,
)
HIDDEN = "***"
_PATTERNS = (
    # scheme://user:password@host
    (re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s/:@]*:)[^\s/@]+@"), rf"\1{HIDDEN}@"),
    # name=value, "name": "value", name: value
    (
        re.compile(
            r"((?:secret|passw(?:or)?d|token|signature|credential|api_?key|access_?key)[\w-]*[\"']?\s*[=:]\s*[\"']?)"
            r"(?![\"'*\s])([^\s\"',;&)}\]]+)",
            re.IGNORECASE,
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"(authorization[\"']?\s*[=:]\s*[\"']?)[^\"'\n]+", re.IGNORECASE), rf"\1{HIDDEN}"),
)


def redacted(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without these secrets, and without what looks like one by its name.

    Args:
        text: What is to be shown.
        secrets: Texts that must not be seen in it.
    """
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text
