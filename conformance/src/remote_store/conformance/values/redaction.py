"""Removes secrets from text that is shown, and escapes terminal control characters."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from urllib.parse import quote, quote_plus

SECRET_NAME = re.compile(
    r"secret|passw|passphrase|pwd|token|credential|signature|authorization|cookie"
    r"|(?:api|access|account|private|encryption|customer|master|signing)[_-]?key|(?<![a-z])sig(?![a-z])|^key$",
    re.IGNORECASE,
)
HIDDEN = "***"
SHORTEST_PREFIX = 4
# Every pattern can start only one match at a position and uses possessive quantifiers, so it runs in linear time.
_NAMED = re.compile(
    r"(?<![\w-])([\w-]++)(\\*+[\"']?+\s*+(?:=>|[=:])\s*+(?:(?:[bru]|rb|br)(?=\\*[\"'])|\w[\w.]*+\()?+)",
    re.IGNORECASE,
)
_ELEMENT = re.compile(r"(<(?:[\w-]++:)?+([\w-]++)>)([^<]*+)")
_WHOLE_LINE = re.compile(r"authorization|cookie", re.IGNORECASE)
_GROUP = re.compile(r"[^\])}]*+")
_LINE = re.compile(r"[^\"'\\\n]*+")
# A closing bracket or separator belongs to the value if more text follows directly and that is not the next name.
_WORD = re.compile(r"(?:[^\s\"'&,;)}\]\\]|\\(?![\"'])|[,;)}\]](?=[^\s\"'&,;)}\].])(?![\w. -]{0,40}[=:]))*+")
_PATTERNS = (
    # scheme://user:password@host
    (re.compile(r"(?<=://)([^\s/?#:@\"'<>]*+:)[^\s/?#\"'<>]*@"), rf"\1{HIDDEN}@"),
    (re.compile(r"(\bbearer\s++)(?!\*)[\w.~+/=-]++", re.IGNORECASE), rf"\1{HIDDEN}"),
    (
        re.compile(r"(-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----).*?(?:(?=-----END )|\Z)", re.DOTALL),
        rf"\1{HIDDEN}",
    ),
)
_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def redacted(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without secrets and without terminal control characters.

    Removes the given secrets, and every value whose name looks like that of a secret.

    Args:
        text: The text to show.
        secrets: Texts to remove, also in the form they take in a `repr`, in JSON or in a URL.
    """
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        for form in sorted(_forms(secret), key=len, reverse=True):
            text = _without(text, form)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    text = _ELEMENT.sub(lambda found: found[1] + HIDDEN if _is_secret(found[2]) and found[3] else found[0], text)
    return escaped("".join(_named(text)))


def escaped(text: str) -> str:
    """The text with control characters written as escapes, so that it cannot control a terminal."""
    return _STEERING.sub(lambda found: ascii(found[0])[1:-1], text)


def _is_secret(name: str) -> bool:
    # `key=value` is mostly an example, not a secret.
    return name.lower() != "key" and SECRET_NAME.search(name) is not None


def _forms(secret: str) -> set[str]:
    written = {secret, repr(secret)[1:-1], ascii(secret)[1:-1], json.dumps(secret)[1:-1]}
    return written | {quote(secret, safe=""), quote(secret), quote_plus(secret)}


def _without(text: str, secret: str) -> str:
    """The text without a secret, even if the text was shortened with `...` in the middle of it."""
    first, *rest = text.replace(secret, HIDDEN).split("...")
    pieces = [first]
    for piece in rest:
        before = pieces[-1]
        cut = next(
            (size for size in range(len(secret) - 1, SHORTEST_PREFIX - 1, -1) if before.endswith(secret[:size])), 0
        )
        pieces[-1] = f"{before[: len(before) - cut]}{HIDDEN}" if cut else before
        pieces.append(piece)
    return "...".join(pieces)


def _named(text: str) -> Iterator[str]:
    """The text in pieces, with the values of secret names hidden."""
    end = 0
    for found in _NAMED.finditer(text):
        if found.start() < end or not _is_secret(found[1]):
            continue
        start = found.end()
        stop, opening = _value(text, start, found[1])
        if stop > start + opening and not text.startswith(HIDDEN, start + opening):
            yield text[end : start + opening] + HIDDEN
            end = stop
    yield text[end:]


def _value(text: str, start: int, name: str) -> tuple[int, int]:
    """The offset at which a value ends, without its closing quote, and the length of its opening quote."""
    quoted = re.compile(r"(\\*)([\"'])").match(text, start)
    if quoted:
        return _closing(quoted[1], quoted[2]).match(text, quoted.end()).end(), len(quoted[0])  # type: ignore[union-attr]
    if text[start : start + 1] in ("[", "(", "{"):
        return _GROUP.match(text, start + 1).end(), 1  # type: ignore[union-attr]
    return (_LINE if _WHOLE_LINE.search(name) else _WORD).match(text, start).end(), 0  # type: ignore[union-attr]


@cache
def _closing(slashes: str, mark: str) -> re.Pattern[str]:
    """Matches the text up to the closing quote, or the whole rest if there is none."""
    if not slashes:
        return re.compile(rf"(?:[^\\{mark}]|\\.?)*+", re.DOTALL)
    return re.compile(rf"(?:[^\\{mark}]|(?<!\\)(?!\\{{{len(slashes)}}}{mark})\\++{mark}?|{mark})*+", re.DOTALL)
