# Generated from conformance/src/remote_store/conformance/suite/aio/writing/surprises.py by tools/unasync.py; edit that.
"""Checks of rarely tested cases: large contents, unusual names, nested blocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from remote_store.conformance.checking.callers import Boom
from remote_store.conformance.checking.case import Case, untested
from remote_store.conformance.checking.decorators import check
from remote_store.conformance.checking.hostile import ENDINGS, KEYS, MEANT, Failing, Unseekable, stamped
from remote_store.conformance.checking.trees import fill, found, names, walk, writable
from remote_store.conformance.checking.width import readers_of
from remote_store.conformance.processes.surroundings import another_zone
from remote_store.conformance.suite.expectations import expect_content, expect_facts, require_namesakes
from remote_store.core import Capability, FileInfo, FolderEntry, NotFound

READ, WRITE, DELETE, LIST = Capability.READ, Capability.WRITE, Capability.DELETE, Capability.LIST
METADATA, USER_METADATA, ATOMIC = Capability.METADATA, Capability.USER_METADATA, Capability.ATOMIC_WRITE
MIB = 1 << 20
# Multiples of common piece sizes, one of more than ten pieces, and one byte beside a multiple.
LARGE = {"bytes": 8 * MIB, "stream": 15 * MIB, "short": 4 * MIB - 1, "long": 4 * MIB + 1}
NEAR = timedelta(minutes=10)


class SurpriseSuite:
    @check("WRITE-001", "READ-001")
    def test_write_of_large_contents(self, case: Case) -> None:
        content = stamped(max(LARGE.values()))
        for kind, size in LARGE.items():
            path, part = case.path(kind), content[:size]
            source: Any = Unseekable(part) if kind == "stream" else part
            result = case.backend.write(path, source)
            case.expect_equal(result.size, size, f"the size in the result of a write of {size:,} bytes")
            case.expect_equal(case.backend.read_bytes(path), part, f"the content after a write of {size:,} bytes")
        for start in (MIB - 5, 8 * MIB - 5, 10 * MIB - 5):
            read = case.backend.read_range(case.path("stream"), start, 10)
            case.expect_equal(read, content[start : start + 10], f"10 bytes from {start:,}")
        pieces = []
        with case.backend.read(case.path("stream")) as stream:
            while piece := stream.read(MIB + 1):
                pieces.append(piece)
        case.expect_equal(b"".join(pieces), content, "the content read in pieces")

    @check("COPY-012", needs=(READ, WRITE))
    def test_copy_of_large_contents(self, case: Case) -> None:
        content = stamped(11 * MIB)
        case.backend.write(case.path("source"), content)
        case.backend.copy(case.path("source"), case.path("copy"))
        expect_content(case, "copy", content)
        if Capability.MOVE in case.backend.capabilities:
            case.backend.move(case.path("copy"), case.path("moved"))
            expect_content(case, "moved", content)

    @check("ATOM-011", needs=(READ, WRITE))
    def test_atomic_open_of_large_contents(self, case: Case) -> None:
        content = stamped(11 * MIB)
        with case.backend.open_atomic(case.path("file")) as stream:
            for start in range(0, len(content), MIB + 1):
                stream.write(content[start : start + MIB + 1])
        expect_content(case, "file", content)

    @check("PATH-001", "LIST-014", needs=(READ, LIST))
    def test_path_an_ending_means_nothing(self, case: Case) -> None:
        # Some tools change line ends or decompress content, depending on the name.
        content = b"\x1f\x8bone\r\ntwo\nthree\r\xef\xbb\xbf\x00"
        expected = fill(case, *ENDINGS, data=content)
        for path in expected:
            case.expect_equal(case.backend.read_bytes(path), content, f"the content of {path!r}")
        case.expect_equal(found(case.backend.list_files(case.folder, recursive=True)), expected, "the files")
        case.expect_equal(walk(case), expected, "the files by the children of each folder")

    @check("ERR-005", needs=(DELETE, METADATA))
    def test_error_of_a_missing_file_whose_name_means_something(self, case: Case) -> None:
        for name in MEANT:
            path = case.path(name)
            for call in (case.backend.read_bytes, case.backend.get_file_info, case.backend.delete):
                with case.expect_raises(NotFound, path=path, where=lambda error: bool(str(error))):
                    call(path)

    @check("COPY-008", needs=(READ, WRITE))
    def test_copy_to_a_name_in_other_case(self, case: Case) -> None:
        case.require_profile("the storage ignores case", case.profile.case_sensitive)
        fill(case, "Readme", data=b"content")
        case.backend.copy(case.path("Readme"), case.path("README"))
        expect_content(case, "README", b"content")
        fill(case, "readme", data=b"older")
        case.backend.copy(case.path("Readme"), case.path("readme"), overwrite=True)
        expect_content(case, "readme", b"content")

    @check("COPY-008", needs=(READ, WRITE))
    def test_copy_to_a_name_that_looks_alike(self, case: Case) -> None:
        for source, target in ((KEYS["nfc"], KEYS["nfd"]), ("a b", "a+b")):
            fill(case, source, data=b"content")
            case.backend.copy(case.path(source), case.path(target))
            expect_content(case, target, b"content")
        listed = found(case.backend.list_files(case.folder))
        expected = sorted(map(case.path, (KEYS["nfc"], KEYS["nfd"], "a b", "a+b")))
        case.expect_equal(listed, expected, "the files")

    @check("COPY-021", needs=(READ, WRITE))
    def test_move_to_a_name_in_other_case(self, case: Case) -> None:
        case.require_profile("the storage ignores case", case.profile.case_sensitive)
        fill(case, "Readme", data=b"content")
        case.backend.move(case.path("Readme"), case.path("README"))
        expect_content(case, "README", b"content")
        case.expect_equal(case.backend.exists(case.path("Readme")), False, "exists of the source")

    @check("GLOB-001")
    def test_glob_a_star_matches_line_ends(self, case: Case) -> None:
        if not {KEYS["newline_end"], KEYS["newline"]} <= set(writable(case)):
            untested("a deviation says that the storage does not accept newlines")
        fill(case, "a.txt", "b.txt\n", "c\nd.txt")
        matches = found(case.backend.glob(case.path("*.txt")))
        case.expect_equal(matches, sorted(map(case.path, ("a.txt", "c\nd.txt"))), "the matches of '*.txt'")

    @check("META-004", needs=(WRITE,))
    def test_meta_the_time_is_now(self, case: Case) -> None:
        with another_zone():
            fill(case, "file")
            times = [info.modified_at for info in case.backend.list_files(case.folder)]
            times += [(case.backend.get_file_info(case.path("file"))).modified_at]
            times += [(case.backend.get_folder_info(case.folder)).modified_at]
        now = datetime.now(UTC)
        for time in times:
            if time is not None:
                case.expect(abs(time - now) < NEAR, f"the time of a file written just now is about {now}", time)

    @check("META-004", needs=(WRITE, Capability.COPY))
    def test_meta_the_time_of_a_copy_is_its_own(self, case: Case) -> None:
        fill(case, "source", "other")
        fill(case, "between")
        case.backend.copy(case.path("source"), case.path("copy"))
        case.backend.copy(case.path("source"), case.path("other"), overwrite=True)
        facts = [case.backend.get_file_info(case.path(name)) for name in ("between", "copy", "other")]
        between, *copies = [info.modified_at for info in facts]
        for time in copies:
            if time is not None and between is not None:
                case.expect(
                    between <= time, f"the time of a copy is not before {between}, when it did not exist yet", time
                )

    @check("META-007", needs=(WRITE,))
    def test_meta_the_tag_follows_the_last_byte(self, case: Case) -> None:
        tags = []
        content = bytearray(case.content(1_200_000))
        for place in (0, 600_000, -1):
            content[place] ^= 1
            fill(case, "file", data=bytes(content))
            tags.append((case.backend.get_file_info(case.path("file"))).etag)
        case.expect(None in tags or len(set(tags)) == len(tags), f"a change of one byte changes the ETag in {tags}")

    @check("COPY-004", needs=(USER_METADATA, WRITE))
    def test_copy_of_no_facts_leaves_none(self, case: Case) -> None:
        case.backend.write(case.path("source"), b"x")
        case.backend.write(case.path("copy"), b"x", metadata={"old": "1"}, content_type="text/x-old")
        case.backend.copy(case.path("source"), case.path("copy"), overwrite=True)
        source = case.backend.get_file_info(case.path("source"))
        expect_facts(case, "copy", {}, source.content_type)

    @check("COPY-002", needs=(USER_METADATA, WRITE))
    def test_copy_keeps_one_fact_without_the_other(self, case: Case) -> None:
        case.backend.write(case.path("typed"), b"x", content_type="text/x-only")
        case.backend.copy(case.path("typed"), case.path("typed-copy"))
        expect_facts(case, "typed-copy", {}, "text/x-only")
        case.backend.write(case.path("told"), b"x", metadata={"only": "1"})
        case.backend.copy(case.path("told"), case.path("told-copy"))
        info = case.backend.get_file_info(case.path("told"))
        expect_facts(case, "told-copy", {"only": "1"}, info.content_type)

    @check("COPY-017", needs=(USER_METADATA, WRITE))
    def test_move_of_no_facts_leaves_none(self, case: Case) -> None:
        case.backend.write(case.path("source"), b"x")
        case.backend.write(case.path("target"), b"x", metadata={"old": "1"}, content_type="text/x-old")
        source = case.backend.get_file_info(case.path("source"))
        case.backend.move(case.path("source"), case.path("target"), overwrite=True)
        expect_facts(case, "target", {}, source.content_type)

    @check("LIST-008", needs=(WRITE,))
    def test_list_a_file_and_a_folder_of_one_name(self, case: Case) -> None:
        require_namesakes(case)
        # In the other order, some backends refuse the second.
        fill(case, "name/below", "other")
        fill(case, "name")
        children = [child for child in case.backend.iter_children(case.folder)]
        kinds = {kind: sorted(c.name for c in children if isinstance(c, kind)) for kind in (FileInfo, FolderEntry)}
        case.expect_equal(kinds, {FileInfo: ["name", "other"], FolderEntry: ["name"]}, "the children, by their kind")
        case.expect_equal(names(case.backend.list_files(case.folder)), ["name", "other"], "list_files")
        case.expect_equal(names(case.backend.list_folders(case.folder)), ["name"], "list_folders")
        listing = case.backend.list_files(case.folder, recursive=True)
        expected = sorted(map(case.path, ("name", "name/below", "other")))
        case.expect_equal(found(listing), expected, "the files at every depth")

    @check("DEL-001", needs=(WRITE, LIST))
    def test_delete_one_of_two_namesakes(self, case: Case) -> None:
        require_namesakes(case)
        fill(case, "name/below", "other")
        fill(case, "name")
        case.backend.delete(case.path("name"))
        listing = case.backend.list_files(case.folder, recursive=True)
        case.expect_equal(found(listing), [case.path("name/below"), case.path("other")], "the files that are left")
        fill(case, "name")
        case.backend.delete_folder(case.path("name"), recursive=True)
        listing = case.backend.list_files(case.folder, recursive=True)
        case.expect_equal(found(listing), [case.path("name"), case.path("other")], "the files that are left after that")

    @check("WRITE-008", needs=(METADATA,))
    def test_write_that_fails_leaves_no_folder(self, case: Case) -> None:
        case.require_profile("the storage keeps empty folders", not case.profile.empty_folders)
        source: Any = Failing(100_000, Boom("mine"))
        with case.expect_raises(Boom):
            case.backend.write(case.path("new/deep/file"), source)
        for name in ("new/deep", "new"):
            case.expect_equal(case.backend.exists(case.path(name)), False, f"exists of {name!r}")

    @check("ATOM-003", needs=(READ, WRITE))
    def test_atomic_open_in_another_block(self, case: Case) -> None:
        one, two, backend = case.path("one"), case.path("two"), case.backend
        with backend.open_atomic(one) as outer:
            outer.write(b"outer ")
            with backend.open_atomic(two) as inner:
                inner.write(b"inner ")
                outer.write(b"goes on ")
                inner.write(b"too")
            case.expect_equal(backend.read_bytes(two), b"inner too", "the inner file, inside the outer block")
            case.expect_equal(backend.exists(one), False, "exists of the outer file inside its block")
            outer.write(b"and ends")
        case.expect_equal(backend.read_bytes(one), b"outer goes on and ends", "the outer file")
        case.expect_equal(backend.read_bytes(two), b"inner too", "the inner file")

    @check("ATOM-003", "LIFE-021", needs=(READ, WRITE, ATOMIC))
    def test_atomic_open_while_another_instance_begins(self, case: Case) -> None:
        path, other = case.path("file"), case.path("other")
        content = case.content(300_000)
        with case.backend.open_atomic(path) as stream:
            stream.write(content[:200_000])
            fresh = case.make()
            fresh.write(other, b"other")
            with fresh.open_atomic(other, overwrite=True) as inner:
                inner.write(b"another")
            case.expect_equal(fresh.exists(path), False, "exists inside the block, by another instance")
            fresh.close()
            stream.write(content[200_000:])
        case.expect_equal(case.backend.read_bytes(path), content, "the file after the block")
        case.expect_equal(case.backend.read_bytes(other), b"another", "the file of the other instance")

    @check("ATOM-003", needs=(READ, WRITE))
    def test_atomic_open_of_one_file_in_its_own_block(self, case: Case) -> None:
        path = case.path("file")
        with case.backend.open_atomic(path, overwrite=True) as outer:
            outer.write(b"outer")
            with case.backend.open_atomic(path, overwrite=True) as inner:
                inner.write(b"and inner")
            case.expect_equal(case.backend.read_bytes(path), b"and inner", "the file inside the outer block")
            outer.write(b" too")
        case.expect_equal(case.backend.read_bytes(path), b"outer too", "the file after both")

    @check("READ-015", needs=(WRITE,))
    def test_read_by_many_readers_at_once(self, case: Case) -> None:
        content = case.content(200_000)
        fill(case, "file", data=content)
        streams = [case.backend.read(case.path("file")) for _ in range(readers_of(case))]
        for stream in streams:
            case.expect_equal(stream.read(10), content[:10], "the first bytes")
        for stream in reversed(streams):
            case.expect_equal(stream.read(), content[10:], "the remaining bytes")
            stream.close()
