# Generated from conformance/src/remote_store/conformance/suite/aio/facts/attributes.py by tools/unasync.py; edit that.
"""Checks that each fact about a file is that of its last write, whatever wrote it and whoever asks."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from typing import Any, NamedTuple

from remote_store.conformance.checking.attributes import STATES, Kept, expected_facts, steps, told_facts
from remote_store.conformance.checking.case import Case
from remote_store.conformance.checking.decorators import check
from remote_store.conformance.checking.trees import fill
from remote_store.conformance.checking.width import is_near
from remote_store.conformance.suite.expectations import is_honest
from remote_store.conformance.suite.listing.plain import exactness
from remote_store.conformance.suite.ways import COPIES, MOVES, WAYS, WRITES, able, taking, told
from remote_store.core import Capability, FileInfo, WriteResult

READ, WRITE, INFO = Capability.READ, Capability.WRITE, Capability.METADATA
NAMED = Capability.USER_METADATA
NEIGHBOURS = ("folder/fil", "folder/file2", "folder/file.txt", "folder2/file", "file")
BY_HAND = "set_tags"


class Asked(NamedTuple):
    """What a check compares.

    Attributes:
        kind: The kind of fact.
        untyped: The content type of a file that was written without one.
    """

    kind: str
    untyped: str | None


class AttributeSuite:
    """META, HEAD, VERS, SUM, COPY: the facts of a file by each way to write it."""

    @check("META-009", "META-014", needs=(INFO, WRITE))
    def test_meta_metadata_follows_each_way_to_write(self, case: Case) -> None:
        _follow(case, "metadata", WRITES)

    @check("COPY-002", "COPY-004", needs=(INFO, NAMED, WRITE))
    def test_copy_metadata_follows_each_copy(self, case: Case) -> None:
        _follow(case, "metadata", COPIES)

    @check("COPY-015", "COPY-017", needs=(INFO, NAMED, WRITE))
    def test_move_metadata_follows_each_move(self, case: Case) -> None:
        _follow(case, "metadata", MOVES)

    @check("HEAD-001", "HEAD-003", needs=(INFO, WRITE))
    def test_head_headers_follow_each_way_to_write(self, case: Case) -> None:
        _follow(case, "headers", WRITES)

    @check("HEAD-002", needs=(INFO, WRITE))
    def test_head_headers_follow_each_copy_and_move(self, case: Case) -> None:
        _follow(case, "headers", [*COPIES, *MOVES])

    @check("VERS-007", "VERS-008", needs=(INFO, WRITE))
    def test_vers_tags_follow_each_way_to_write(self, case: Case) -> None:
        _follow(case, "tags", WRITES)

    @check("VERS-008", needs=(INFO, WRITE))
    def test_vers_tags_follow_each_copy_and_move(self, case: Case) -> None:
        _follow(case, "tags", [*COPIES, *MOVES])

    @check("SUM-001", needs=(INFO, WRITE))
    def test_sum_checksums_follow_each_way_to_write(self, case: Case) -> None:
        _follow(case, "checksum", WAYS)

    @check("WRITE-007", "META-001", needs=(INFO, READ))
    def test_write_content_follows_each_way_to_write(self, case: Case) -> None:
        _follow(case, "content", WRITES)

    @check("COPY-001", "COPY-004", needs=(INFO, READ, WRITE))
    def test_copy_content_follows_each_copy(self, case: Case) -> None:
        _follow(case, "content", COPIES)

    @check("COPY-014", "COPY-017", needs=(INFO, READ, WRITE))
    def test_move_content_follows_each_move(self, case: Case) -> None:
        _follow(case, "content", MOVES)

    @check("META-006", "META-007", needs=(WRITE,))
    def test_meta_one_tag_follows_each_way_to_write(self, case: Case) -> None:
        path = case.path("folder/file")
        for step in steps(case, "content", able(case, WAYS)):
            before = WAYS["write"].write(case, path, step.before.content, {})
            old = {before.etag, (case.backend.get_file_info(path)).etag}
            result = WAYS[step.way].write(case, path, step.after.content, {})
            tags = {what: info.etag for what, info in (told(case, path)).items()}
            if result is not None:
                tags["the result of the write"] = result.etag
            known = {tag for tag in tags.values() if tag is not None}
            case.expect(len(known) <= 1, f"one ETag everywhere after {step}", tags)
            if step.before.content != step.after.content:
                case.expect(not known & old, f"another ETag after {step}", tags)

    @check("META-004", "META-020", needs=(WRITE,))
    def test_meta_one_time_follows_each_way_to_write(self, case: Case) -> None:
        path = case.path("folder/file")
        for step in steps(case, "content", able(case, WAYS)):
            WAYS["write"].write(case, path, step.before.content, {})
            fill(case, "folder/earlier")
            earlier = (case.backend.get_file_info(case.path("folder/earlier"))).modified_at
            WAYS[step.way].write(case, path, step.after.content, {})
            infos = told(case, path)
            for what, info in infos.items():
                _expect_time(case, info, infos["get_file_info"], f"the time by {what} after {step}")
            later = infos["get_file_info"].modified_at
            if earlier is not None and later is not None:
                case.expect(earlier <= later, f"the time after {step} is not before {earlier}, of an older file", later)
            folder = (case.backend.get_folder_info(case.path("folder"))).modified_at
            if folder is not None and later is not None:
                case.expect(folder >= _coarser(later, folder), f"the folder's time is that of {step}", folder)

    @check("META-015", needs=(WRITE,))
    def test_meta_totals_follow_each_way_to_write(self, case: Case) -> None:
        path = case.path("folder/file")
        fill(case, *NEIGHBOURS)
        for step in steps(case, "content", able(case, WAYS)):
            for way, file in (("write", step.before), (step.way, step.after)):
                WAYS[way].write(case, path, file.content, {})
                info = case.backend.get_folder_info(case.path("folder"))
                expected = 4, 3 + len(file.content)
                case.expect_equal((info.file_count, info.total_size), expected, f"count and size after {way} of {step}")

    @check("META-009", needs=(INFO, WRITE))
    def test_meta_metadata_of_each_way_is_the_storage_s_own(self, case: Case) -> None:
        path, expected = case.path("folder/file"), {"author": "ada", "b": "2"}
        for way in _some(case, able(case, WAYS)):
            given = dict(expected)
            result = WAYS[way].write(case, path, b"content", {"metadata": given})
            given["author"] = "the caller"
            infos: list[Any] = [info for info in (told(case, path)).values() if info.metadata is not None]
            if case.backend.capabilities.issuperset(WAYS["copy"].needs):
                case.backend.copy(path, case.path("copied"), overwrite=True)
                infos.append(case.backend.get_file_info(case.path("copied")))
            for holder in [*infos, *([result] if result is not None else [])]:
                _spoil(holder)
            found = dict((case.backend.get_file_info(path)).metadata or {})
            case.expect_equal(found, expected, f"the metadata after {way}, once callers have changed their mappings")

    @check("VERS-007", needs=(INFO, WRITE))
    def test_vers_tags_of_each_way_are_the_storage_s_own(self, case: Case) -> None:
        path, expected = case.path("folder/file"), {"author": "ada", "b": "2"}
        for way in _some(case, [*able(case, WAYS), BY_HAND]):
            given = dict(expected)
            if way == BY_HAND:
                case.backend.write(path, b"content", overwrite=True)
                case.backend.set_tags(path, given)
            else:
                WAYS[way].write(case, path, b"content", {"tags": given})
            given["author"] = "the caller"
            found = case.backend.get_tags(path)
            found["author"] = "the reader"
            found = case.backend.get_tags(path)
            case.expect_equal(found, expected, f"the tags after {way}, once callers have changed their mappings")

    @check("VERS-007", needs=(INFO, READ, WRITE))
    def test_vers_tags_change_nothing_else(self, case: Case) -> None:
        path, content = case.path("folder/file"), case.content(70_001)
        options = dict(STATES["metadata"][0]) if NAMED in case.backend.capabilities else {}
        options |= STATES["headers"][0] if Capability.CONTENT_HEADERS in case.backend.capabilities else {}
        options |= {"checksum": "CRC32"} if Capability.CHECKSUMS in case.backend.capabilities else {}
        beside = _neighbours(case, "tags")
        taking(case).write(path, content, **options)
        before = _lasting(case.backend.get_file_info(path))
        for state in STATES["tags"]:
            tags = dict(state.get("tags") or {})
            case.backend.set_tags(path, tags)
            info = case.backend.get_file_info(path)
            case.expect_equal(_lasting(info), before, f"the other facts after set_tags({tags!r})")
            case.expect(info.tag_count in (None, len(tags)), f"the number of tags after set_tags({tags!r})", info)
            case.expect_equal(case.backend.get_tags(path), tags, f"the tags after set_tags({tags!r})")
            if case.tier == "smoke":
                break
        case.expect_equal(case.backend.read_bytes(path), content, "the content after set_tags")
        for name, kept in beside.items():
            case.expect_equal(case.backend.get_tags(name), dict(kept.options.get("tags") or {}), f"{name}'s tags")

    @check("VERS-008", needs=(INFO, WRITE))
    def test_vers_tags_that_were_set_later_follow_copies_and_moves(self, case: Case) -> None:
        able = case.backend.capabilities
        first, second, third = map(case.path, ("folder/file", "folder/second", "third"))
        taking(case).write(first, b"content", tags={"first": "1"})
        case.backend.set_tags(first, {"later": "2"})
        if Capability.COPY in able:
            taking(case).write(second, b"old", tags={"old": "1", "later": "old"})
            case.backend.copy(first, second, overwrite=True)
            case.expect_equal(case.backend.get_tags(second), {"later": "2"}, "the tags of a copy")
        if Capability.MOVE in able:
            taking(case).write(third, b"old", tags={"old": "1"})
            case.backend.move(first, third, overwrite=True)
            case.expect_equal(case.backend.get_tags(third), {"later": "2"}, "the tags after a move")
            case.backend.write(first, b"a new file")
            case.expect_equal(case.backend.get_tags(first), {}, "the tags of a file where one was moved away")
            case.backend.set_tags(third, {})
            case.backend.move(third, first, overwrite=True)
            case.expect_equal(case.backend.get_tags(first), {}, "the tags after a move of a file without tags")


def _follow(case: Case, kind: str, ways: Iterable[str]) -> None:
    """Replace a file by each of the ways, and compare every fact of it, and then those of its neighbours."""
    path = case.path("folder/file")
    beside = _neighbours(case, kind)
    names = [name for name in able(case, ways) if kind != "checksum" or name != "resume_upload"]
    for step in steps(case, kind, names):
        WAYS["write"].write(case, path, step.before.content, dict(step.before.options))
        result = WAYS[step.way].write(case, path, step.after.content, dict(step.after.options))
        asked = Asked(kind, _untyped(case, kind, path, step.after))
        _expect(case, asked, path, step.after, f"after {step}", result=result, kept=step.way in WRITES)
    for name, kept in beside.items():
        asked = Asked(kind, _untyped(case, kind, name, kept))
        _expect(case, asked, name, kept, f"of the neighbour {name!r}")


def _untyped(case: Case, kind: str, path: str, kept: Kept) -> str | None:
    """The content type of a new file of the same name and content, for which a server may guess one."""
    if kind != "metadata" or "content_type" in kept.options:
        return None
    alike = case.path(f"untyped/{path.rpartition('/')[2]}")
    case.backend.write(alike, kept.content, overwrite=True)
    return (case.backend.get_file_info(alike)).content_type


def _neighbours(case: Case, kind: str) -> dict[str, Kept]:
    """Files with names and facts like those of the file that is replaced."""
    few = {"smoke": 1, "quick": 2}.get(case.tier, len(NEIGHBOURS))
    names = NEIGHBOURS if is_near(case) else case.rng.sample(NEIGHBOURS, few)
    kept = {case.path(name): Kept(case.content(100), case.rng.choice(STATES[kind])) for name in names}
    for name, file in kept.items():
        taking(case).write(name, file.content, **file.options)
    return kept


def _expect(
    case: Case,
    asked: Asked,
    path: str,
    file: Kept,
    when: str,
    *,
    result: WriteResult | None = None,
    kept: bool = True,
) -> None:
    """Fail if a fact of a file is not that of its last write."""
    kind, size = asked.kind, len(file.content)
    expected = expected_facts(kind, file, asked.untyped)
    # A service may store other checksums with a copy, and with an object in parts.
    digest = expected.pop("digest", None) if size <= (case.profile.part_size or size) else None
    expected.pop("digest", None)
    for what, info in (told(case, path)).items():
        facts = told_facts(info, expected, whole=what == "get_file_info")
        case.expect_equal(facts, expected, f"the facts by {what} {when}")
        _expect_digest(case, info, file, f"by {what} {when}", digest if kept and what == "get_file_info" else None)
    if result is not None:
        case.expect_equal((result.path, result.size), (path, size), f"path and size in the result {when}")
        _expect_digest(case, result, file, f"in the result {when}", digest)
        if kind == "metadata" and result.metadata is not None:
            case.expect_equal(dict(result.metadata), expected["metadata"], f"the metadata in the result {when}")
    if kind == "tags":
        tags = case.backend.get_tags(path)
        case.expect_equal(tags, dict(file.options.get("tags") or {}), f"the tags {when}")
    if kind == "content":
        case.expect_equal(case.backend.read_bytes(path), file.content, f"the content {when}")


def _expect_digest(case: Case, told: FileInfo | WriteResult, file: Kept, when: str, asked: object) -> None:
    digest = told.digest
    case.expect(digest is None or is_honest(digest, file.content), f"the digest {when} is that of the content", digest)
    if asked is not None:
        case.expect_equal(digest, asked, f"the digest {when}")


def _lasting(info: FileInfo) -> dict[str, Any]:
    """The facts that tags do not change."""
    return {name: value for name, value in asdict(info).items() if name not in ("tag_count", "modified_at")}


def _spoil(holder: FileInfo | WriteResult) -> None:
    """Change the metadata in a result, as a caller may."""
    found: Any = holder.metadata
    with suppress(TypeError):
        found["author"] = "the reader"


def _some(case: Case, ways: list[str]) -> list[str]:
    """All of the ways, or two of them on a storage where each takes a while."""
    return list(dict.fromkeys(step.way for step in steps(case, "content", ways)))


def _expect_time(case: Case, info: FileInfo, fetched: FileInfo, what: str) -> None:
    if info.modified_at is not None and fetched.modified_at is not None:
        # HTTP dates have whole seconds; a listing may be more precise.
        times = _coarser(info.modified_at, fetched.modified_at), _coarser(fetched.modified_at, info.modified_at)
        case.expect_equal(times[0], times[1], what)


def _coarser(time: datetime, other: datetime) -> datetime:
    """A time with the precision of the less precise of two."""
    unit = max(exactness(time), exactness(other))
    return time.replace(microsecond=time.microsecond // unit * unit)
