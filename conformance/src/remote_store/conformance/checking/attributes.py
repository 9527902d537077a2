"""What a write may say about a file, and what the file must then tell: a reference for the checks of its facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from remote_store.conformance.checking.case import AnyCase
from remote_store.conformance.checking.corpora import noise
from remote_store.conformance.checking.width import is_near
from remote_store.core import FileInfo
from remote_store.core.checksums import digest_of

Options = Mapping[str, Any]
HEADERS = ("cache_control", "content_disposition", "content_encoding", "expires")
ALGORITHMS = ("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256")
EAST, WEST = timezone(timedelta(hours=14)), timezone(-timedelta(hours=3, minutes=30))
SIZES = (0, 1, 1_000, 65_537, 200_001)
SEVERAL_BLOCKS = 2_700_001
# What a write may say, by the kind of fact: most of it first, then others, some of which are nothing.
STATES: dict[str, Sequence[Options]] = {
    "metadata": (
        {"metadata": {"a": "1", "b": "two", "old": "x" * 300}, "content_type": "text/csv"},
        {"metadata": {"a": "2"}},
        {"content_type": 'text/html; charset=utf-8; title="a, b"'},
        {"metadata": {}, "content_type": "application/x-Mixed.Case+json"},
        {"metadata": {"b": "", "c": "a; b, c='d' %41"}},
        {},
    ),
    "headers": (
        {
            "cache_control": "public, max-age=3600",
            "content_disposition": "attachment; filename=\"a b.txt\"; filename*=UTF-8''%C3%A4",
            "content_encoding": "gzip",
            "expires": datetime(2040, 1, 2, 13, 4, 5, 678_901, EAST),
        },
        {"cache_control": "no-cache"},
        {"content_disposition": "inline", "expires": datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)},
        {"content_encoding": "br", "expires": datetime(2031, 7, 1, 0, 0, 0, 1, WEST)},
        {"expires": datetime(9999, 12, 31, 23, 59, 59, 999_999, UTC)},
        {},
    ),
    "tags": (
        {"tags": {"project": "apollo", "Größe a+b": "1 = 2/3:@_-.", "empty": ""}},
        {"tags": {"project": "gemini"}},
        {"tags": {f"name {number}": f"{number}" for number in range(10)}},
        {"tags": {}},
        {"tags": {"Project": "n", "project": "N"}},
        {},
    ),
    "checksum": ({"checksum": "SHA256"}, *({"checksum": name} for name in ALGORITHMS), {}),
    "content": ({},),
}


@dataclass(frozen=True, slots=True)
class Kept:
    """A file as it was written last.

    Attributes:
        content: Its bytes.
        options: What the write said about it.
    """

    content: bytes
    options: Options


@dataclass(frozen=True, slots=True)
class Step:
    """A file, and what replaces it.

    Attributes:
        way: The name of the way to replace it.
        before: The file.
        after: What replaces it.
    """

    way: str
    before: Kept
    after: Kept

    def __str__(self) -> str:
        sizes = f"{len(self.before.content):,} bytes by {len(self.after.content):,}"
        return f"{self.way} has replaced {sizes}, and {dict(self.before.options)} by {dict(self.after.options)}"


def steps(case: AnyCase[Any], kind: str, ways: Sequence[str]) -> Iterator[Step]:
    """Files to write and to replace, by each of the ways; on a storage that is far, by some of them."""
    states, near = STATES[kind], is_near(case)
    most = {"smoke": 3, "quick": 8} if near else {"smoke": 1, "quick": 3}
    more = {"smoke": 0, "quick": 1 if near else 0}.get(case.tier, 4 if near else 1)
    for way in case.rng.sample(ways, min(len(ways), most.get(case.tier, len(ways)))):
        pairs: list[tuple[Options, Options]] = [(states[0], {})]
        pairs += [(case.rng.choice(states), case.rng.choice(states)) for _ in range(more)]
        for number, (before, after) in enumerate(pairs):
            first, second = _sizes(case, kind, number, near=near)
            yield Step(way, Kept(_content(case, first), before), Kept(_content(case, second), after))


def _sizes(case: AnyCase[Any], kind: str, number: int, *, near: bool) -> tuple[int, int]:
    """The sizes of a file and of what replaces it. Blocks of a large file must not survive."""
    full = case.tier not in ("smoke", "quick")
    if near and kind == "content" and number < (2 if full else 1) and case.tier != "smoke":
        return (SEVERAL_BLOCKS, 1_000) if number == 0 else (1_000, SEVERAL_BLOCKS)
    first = case.rng.choice(SIZES)
    # A cache or a tag made of size and time does not see a change to content of the same size.
    return first, first if case.rng.random() < 0.4 else case.rng.choice(SIZES)


def _content(case: AnyCase[Any], size: int) -> bytes:
    if size < SEVERAL_BLOCKS:
        return case.content(size)
    start = case.rng.randrange(60_000)
    return bytes(noise()[start : start + size])


def expected_facts(kind: str, kept: Kept, untyped: str | None) -> dict[str, Any]:
    """The attributes that the `FileInfo` of a file must have.

    Args:
        kind: The kind of fact.
        kept: The file.
        untyped: The content type of a file that was written without one.
    """
    facts: dict[str, Any] = {"size": len(kept.content)}
    given = kept.options
    if kind == "metadata":
        facts |= {"metadata": dict(given.get("metadata") or {}), "content_type": given.get("content_type", untyped)}
    if kind == "headers":
        facts |= {name: given.get(name) for name in HEADERS}
        if facts["expires"] is not None:
            facts["expires"] = facts["expires"].astimezone(UTC).replace(microsecond=0)
    if kind == "tags":
        facts |= {"tag_count": len(given.get("tags") or {}) or None}
    if kind == "checksum" and "checksum" in given:
        facts |= {"digest": digest_of(kept.content, given["checksum"].lower())}
    return facts


def told_facts(info: FileInfo, expected: Mapping[str, Any], *, whole: bool) -> dict[str, Any]:
    """The attributes of a `FileInfo` to compare with those expected.

    Args:
        info: What a call told about the file.
        expected: The attributes that it must have.
        whole: The call must tell every attribute. A listing and a stream may leave out what they do not know.
    """
    told: dict[str, Any] = {}
    for name, value in expected.items():
        found = getattr(info, name)
        found = dict(found) if name == "metadata" and found is not None else found
        unknown = found is None and (not whole or name == "tag_count" or value == {})
        told[name] = value if unknown else found
    return told
