"""Taking secrets out of what is shown, and escaping what would steer a terminal."""

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
# Every pattern begins where only one match can begin and never goes back over what it took, so that the time is linear.
_NAMED = re.compile(
    r"(?<![\w-])([\w-]++)(\\*+[\"']?+\s*+(?:=>|[=:])\s*+(?:(?:[bru]|rb|br)(?=\\*[\"'])|\w[\w.]*+\()?+)",
    re.IGNORECASE,
)
_ELEMENT = re.compile(r"(<(?:[\w-]++:)?+([\w-]++)>)([^<]*+)")
_WHOLE_LINE = re.compile(r"authorization|cookie", re.IGNORECASE)
_GROUP = re.compile(r"[^\])}]*+")
_LINE = re.compile(r"[^\"'\\\n]*+")
# A closing sign belongs to the value where more of it follows at once, unless that is the next name.
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
    """The text as it may be shown: without these secrets or what looks like one by its name, and harmless to terminals.

    Args:
        text: What is to be shown.
        secrets: Texts that must not be seen in it, nor as they look in a `repr`, in JSON or in a URL.
    """
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        for form in sorted(_forms(secret), key=len, reverse=True):
            text = _without(text, form)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    text = _ELEMENT.sub(lambda found: found[1] + HIDDEN if _is_secret(found[2]) and found[3] else found[0], text)
    return escaped("".join(_named(text)))


def escaped(text: str) -> str:
    """The text with control characters written as escapes, so that none of it can steer a terminal."""
    return _STEERING.sub(lambda found: ascii(found[0])[1:-1], text)


def _is_secret(name: str) -> bool:
    # `key=value` in a text is mostly an example.
    return name.lower() != "key" and SECRET_NAME.search(name) is not None


def _forms(secret: str) -> set[str]:
    written = {secret, repr(secret)[1:-1], ascii(secret)[1:-1], json.dumps(secret)[1:-1]}
    return written | {quote(secret, safe=""), quote(secret), quote_plus(secret)}


def _without(text: str, secret: str) -> str:
    """The text without a secret, also where it was cut off in the middle of it."""
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
    """The text in pieces, with the values of what has the name of a secret hidden."""
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
    """Where a value ends, without its closing quote, and the length of its opening quote."""
    quoted = re.compile(r"(\\*)([\"'])").match(text, start)
    if quoted:
        return _closing(quoted[1], quoted[2]).match(text, quoted.end()).end(), len(quoted[0])  # type: ignore[union-attr]
    if text[start : start + 1] in ("[", "(", "{"):
        return _GROUP.match(text, start + 1).end(), 1  # type: ignore[union-attr]
    return (_LINE if _WHOLE_LINE.search(name) else _WORD).match(text, start).end(), 0  # type: ignore[union-attr]


@cache
def _closing(slashes: str, mark: str) -> re.Pattern[str]:
    """What stands between an opening quote and its closing one; where it was cut off, all the rest."""
    if not slashes:
        return re.compile(rf"(?:[^\\{mark}]|\\.?)*+", re.DOTALL)
    return re.compile(rf"(?:[^\\{mark}]|(?<!\\)(?!\\{{{len(slashes)}}}{mark})\\++{mark}?|{mark})*+", re.DOTALL)
