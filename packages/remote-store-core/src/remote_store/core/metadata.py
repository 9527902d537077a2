"""Checks on the user metadata and the content type of a file to write."""

from __future__ import annotations

import re
from collections.abc import Mapping

from remote_store.core.home import public

LARGEST_METADATA = 2048
MOST_ENTRIES = 900
"""Lanes read responses of up to 1,000 header lines; 100 are left for the service's own headers."""

MOST_OF_A_HANDLE = 64
"""The limit with a client or filesystem of the user's: http.client reads 100 header lines, aiohttp 128."""

NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9a-z]+")
VALUE = re.compile(r"(?! )[ -~]*(?<! )")


@public("remote_store.core")
def check_metadata(metadata: Mapping[str, str] | None, *, most: int = MOST_ENTRIES) -> dict[str, str]:
    """Return a copy of the metadata, or `{}` for `None`. Metadata that a service would change or drop is refused.

    Args:
        metadata: The metadata.
        most: How many entries the client can read back.

    Raises:
        TypeError: The metadata is not a mapping of `str` to `str`.
        ValueError: A name is not a lower-case ASCII token, a value is not printable ASCII or begins or ends with a
            space, there are more than `most` entries, or names and values together exceed 2,048 bytes.
    """
    if metadata is None:
        return {}
    if not isinstance(metadata, Mapping):
        raise TypeError(f"metadata is a mapping of str to str, not {type(metadata).__name__}")
    checked = dict(metadata)
    for name, value in checked.items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise TypeError(f"metadata is text: {name!r} and its value must both be str")
        if not NAME.fullmatch(name):
            raise ValueError(f"metadata name {name!r} must be ASCII letters in lower case, digits and -_.!#$%&'*+^`|~")
        if not VALUE.fullmatch(value):
            raise ValueError(f"the value of metadata {name!r} must be printable ASCII without white space around it")
    if len(checked) > most:
        raise ValueError(
            f"metadata has {len(checked)} entries; at most {most} can be read back, so put several values into one"
        )
    size = sum(len(name) + len(value) for name, value in checked.items())
    if size > LARGEST_METADATA:
        raise ValueError(f"metadata has {size} bytes of names and values; at most {LARGEST_METADATA} can be stored")
    return checked


@public("remote_store.core")
def check_content_type(content_type: str | None) -> None:
    """Check that an HTTP header can carry the content type unchanged.

    Raises:
        TypeError: The content type is not a `str`.
        ValueError: The content type is empty or not printable ASCII, or begins or ends with a space.
    """
    if content_type is None:
        return
    if not isinstance(content_type, str):
        raise TypeError(f"a content type is a str, not {type(content_type).__name__}")
    if not content_type or not VALUE.fullmatch(content_type):
        raise ValueError("a content type is printable ASCII without white space around it, such as 'text/plain'")
