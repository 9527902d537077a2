"""Checks on the tags of a file, by the rules of S3 (S3 User Guide, "Categorizing your objects using tags")."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Final

from remote_store.core.home import public

MOST_TAGS: Final = 10
LONGEST_NAME: Final = 128
LONGEST_VALUE: Final = 256
SIGNS: Final = frozenset("+-=._:/@")
KINDS: Final = frozenset("LNZ")
"""The categories of Unicode that tags may have: letters, numbers and spaces."""


@public("remote_store.core")
def check_tags(tags: Mapping[str, str] | None) -> dict[str, str]:
    """Return a copy of the tags, or `{}` for `None`. Tags that S3 would refuse are refused.

    Args:
        tags: The tags.

    Raises:
        TypeError: The tags are not a mapping of `str` to `str`.
        ValueError: There are more than 10, a name is empty, begins with `aws:` or is longer than 128 characters, a
            value is longer than 256, or one has a character that is no letter, no number, no space and none of
            `+-=._:/@`. Characters are counted in UTF-16, as S3 does.
    """
    if tags is None:
        return {}
    if not isinstance(tags, Mapping):
        raise TypeError(f"tags are a mapping of str to str, not {type(tags).__name__}")
    checked = dict(tags)
    for name, value in checked.items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise TypeError(f"tags are text: {name!r} and its value must both be str")
        if not 1 <= _length(name) <= LONGEST_NAME or name.lower().startswith("aws:"):
            raise ValueError(f"tag {name!r} must have 1 to {LONGEST_NAME} characters and not begin with aws:")
        if _length(value) > LONGEST_VALUE:
            raise ValueError(f"the value of tag {name!r} has more than {LONGEST_VALUE} characters; shorten it")
        if not all(map(_is_allowed, name + value)):
            raise ValueError(f"tag {name!r} and its value may only have letters, numbers, spaces and +-=._:/@")
    if len(checked) > MOST_TAGS:
        raise ValueError(f"a file can have {MOST_TAGS} tags at most, not {len(checked)}")
    return checked


def _length(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _is_allowed(character: str) -> bool:
    return character in SIGNS or unicodedata.category(character)[0] in KINDS
