"""Writes texts so that those that differ look different."""

from __future__ import annotations

import unicodedata


def told_apart(text: str) -> str:
    """The text, in ASCII with escapes if one of its characters can look like others, as a decomposed `é` does."""
    if unicodedata.is_normalized("NFKC", text):
        return text
    return text.encode("ascii", "backslashreplace").decode()
