# Generated from conformance/src/remote_store/conformance/suite/aio/facts/clocks.py by tools/unasync.py; edit that.
"""Checks of times and tags: compared with this machine's clock, in several time zones, and with one byte changed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from remote_store.conformance.checking.case import Case
from remote_store.conformance.checking.decorators import check
from remote_store.conformance.checking.hostile import KIB, Unseekable
from remote_store.conformance.checking.trees import fill
from remote_store.conformance.processes.surroundings import ZONES, another_zone
from remote_store.core import Capability, FileInfo

READ, WRITE, LIST, COPY = Capability.READ, Capability.WRITE, Capability.LIST, Capability.COPY
ATOMIC, GLOB = Capability.ATOMIC_WRITE, Capability.GLOB
NEAR = timedelta(minutes=10)
"""How much the clocks of a storage and of this machine may differ."""
SECOND = 1.05
TAGGED = (100, 64 * KIB + 1, 1_200_000)


class ClockSuite:
    """META: times and ETags."""

    @pytest.mark.parametrize("zone", ZONES)
    @check("META-004", needs=(WRITE,))
    def test_meta_every_time_is_now_in_any_zone(self, case: Case, zone: str) -> None:
        with another_zone(ZONES[zone]):
            fill(case, "written")
            fill(case, "overwritten")
            fill(case, "overwritten")
            if ATOMIC in case.backend.capabilities:
                case.backend.write_atomic(case.path("atomic"), b"x")
                with case.backend.open_atomic(case.path("opened")) as stream:
                    stream.write(b"x")
            if COPY in case.backend.capabilities:
                case.backend.copy(case.path("written"), case.path("copied"))
            times = [(what, told) for what, told in told_times(case)]
        now = datetime.now(UTC)
        for what, told in times:
            case.expect(told.utcoffset() == timedelta(0), f"the time by {what} is aware and in UTC", told)
            case.expect(abs(told - now) < NEAR, f"the time by {what} is within {NEAR} of {now}", told)

    @check("META-004", needs=(WRITE,))
    def test_meta_times_follow_the_order_of_writes(self, case: Case) -> None:
        fill(case, "again", "source", "replaced")
        if ATOMIC in case.backend.capabilities:
            with case.backend.open_atomic(case.path("opened")) as stream:
                stream.write(b"x")
                fill_later(case, "between")
            case.backend.write_atomic(case.path("atomic"), b"x")
        else:
            fill_later(case, "between")
        if COPY in case.backend.capabilities:
            case.backend.copy(case.path("source"), case.path("copied"))
            case.backend.copy(case.path("source"), case.path("replaced"), overwrite=True)
        else:
            fill(case, "replaced")
        fill(case, "again")
        earlier = time_of(case, "between")
        for name in ("opened", "atomic", "copied", "replaced", "again"):
            later = time_of(case, name)
            if earlier is not None and later is not None:
                case.expect(
                    later >= earlier, f"the time of {name!r} is not before {earlier}, of a file written earlier", later
                )

    @check("META-006", needs=(WRITE,))
    def test_meta_one_tag_everywhere_of_every_size(self, case: Case) -> None:
        for size in TAGGED:
            written = case.backend.write(case.path("file"), case.content(size), overwrite=True)
            tags = {"the result of the write": written.etag, **told_tags(case)}
            known = {tag for tag in tags.values() if tag is not None}
            case.expect(len(known) <= 1, f"one ETag everywhere of a content of {size:,} bytes", tags)

    @pytest.mark.parametrize("size", TAGGED)
    @check("META-007", needs=(WRITE,))
    def test_meta_a_tag_follows_each_byte(self, case: Case, size: int) -> None:
        base = case.content(size)
        contents = {"as it was": base}
        for place in sorted({0, 1, size // 2, min(size - 1, 64 * KIB), size - 2, size - 1}):
            changed = base[:place] + bytes([base[place] ^ 1]) + base[place + 1 :]
            contents[f"with another byte at {place:,}"] = changed
        contents["one byte shorter"] = base[:-1]
        seen: dict[str, dict[str, str]] = {}
        for name, content in contents.items():
            source: Any = Unseekable(content) if case.rng.random() < 0.5 else content
            written = case.backend.write(case.path("file"), source, overwrite=True)
            tags = {"the result of the write": written.etag, **told_tags(case)}
            for what, tag in tags.items():
                if tag is None:
                    continue
                others = seen.setdefault(what, {})
                same = next((other for other, old in others.items() if old == tag), None)
                case.expect(same is None, f"the ETag by {what} of a content {name} differs from that {same}", tag)
                others[name] = tag

    @check("META-020", needs=(WRITE, LIST))
    def test_meta_the_time_of_a_folder_is_that_of_its_last_write(self, case: Case) -> None:
        fill(case, "source", "a", "b/c", "d")
        for name in ("b/c", "a", "d")[: 1 if case.tier == "smoke" else None]:
            fill_later(case, name)
            times = [info.modified_at for info in case.backend.list_files(case.folder, recursive=True)]
            told = [time for time in times if time is not None]
            folder = case.backend.get_folder_info(case.folder)
            case.expect_equal(
                folder.modified_at, max(told, default=None), f"the time of the folder after a write of {name}"
            )


def fill_later(case: Case, name: str) -> None:
    """Write a file; in the full tier only after the storage's clock, if it counts whole seconds, has moved on."""
    before = time_of(case, "source")
    if before is not None and not before.microsecond and case.tier in ("full", "soak"):
        end = time.monotonic() + SECOND
        while time.monotonic() < end:
            time.sleep(0.05)
    fill(case, name)


def time_of(case: Case, name: str) -> datetime | None:
    """The time of a file; `None` if there is no file or no time."""
    if not case.backend.is_file(case.path(name)):
        return None
    return (case.backend.get_file_info(case.path(name))).modified_at


def told_times(case: Case) -> Iterator[tuple[str, datetime]]:
    """Every time that the backend reports of the files in the folder, with the way to it."""
    listings: dict[str, Any] = {}
    if LIST in case.backend.capabilities:
        listings["list_files"] = case.backend.list_files(case.folder)
        listings["iter_children"] = case.backend.iter_children(case.folder)
    if GLOB in case.backend.capabilities:
        listings["glob"] = case.backend.glob(case.path("*"))
    infos = [(what, info) for what, listing in listings.items() for info in listing if isinstance(info, FileInfo)]
    infos += [
        ("get_file_info", case.backend.get_file_info(case.path(name)))
        for name in ("written", "overwritten", "atomic", "opened", "copied")
        if case.backend.is_file(case.path(name))
    ]
    for what, info in infos:
        if info.modified_at is not None:
            yield f"{what} of {info.name!r}", info.modified_at
    folder = case.backend.get_folder_info(case.folder)
    if folder.modified_at is not None:
        yield "get_folder_info", folder.modified_at


def told_tags(case: Case) -> dict[str, str | None]:
    """The ETag of the file by each way to it."""
    tags = {"get_file_info": (case.backend.get_file_info(case.path("file"))).etag}
    if LIST in case.backend.capabilities:
        for info in case.backend.list_files(case.folder):
            tags["list_files"] = info.etag
    return tags
