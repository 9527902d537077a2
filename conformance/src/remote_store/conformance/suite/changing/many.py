# Generated from conformance/src/remote_store/conformance/suite/aio/changing/many.py by tools/unasync.py; edit that.
"""Checks of many files in one call, and of many ranges of one file."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, TypeVar

from remote_store.conformance.checking.case import Case
from remote_store.conformance.checking.decorators import check
from remote_store.conformance.checking.trees import fill, found, put_foreign, writable
from remote_store.conformance.checking.wire import operations, require_s3
from remote_store.conformance.http.faults import Request, Respond, RewriteBody, RunFunction
from remote_store.core import (
    AlreadyExists,
    Capability,
    InvalidPath,
    NotFound,
    Outcome,
    PermissionDenied,
    PreconditionFailed,
    RemoteStoreError,
    Store,
)

T = TypeVar("T")
READ = (Capability.READ,)
MIB = 1024 * 1024
FILES = 20
SPELLED = ("file/", "file//", "dir/file/", "./file", "dir/../file", "dir//file", "file\0", "FILE", "fil", "file ")
"""Paths that name no file, and would name one if they were tidied up."""


class ManySuite:
    """MANY: many at once."""

    def _expect_files(self, case: Case, *names: str) -> None:
        listing = case.backend.list_files(case.folder, recursive=True)
        case.expect_equal(found(listing), sorted(map(case.path, names)), "the files")

    def _outcomes(self, case: Case, asked: list[str], outcomes: Iterator[Outcome[T]]) -> dict[str, Any]:
        """The outcomes by path; the check fails unless there is one for each path asked."""
        came = [outcome for outcome in outcomes]
        case.expect_same([outcome.path for outcome in came], asked, "the paths of the outcomes")
        return {outcome.path: outcome for outcome in came}

    def _failed(self, case: Case, outcome: Outcome[T], kind: type[RemoteStoreError], path: str) -> None:
        case.expect_type(outcome.error, kind, f"the error of {path!r}")
        with case.expect_raises(kind, path=path):
            outcome.result()

    def _store(self, case: Case) -> Store:
        case.require_profile("only one thread at a time may use an instance", case.profile.threads)
        return Store(case.backend, owns_backend=False)

    @check("MANY-001")
    def test_many_files_are_deleted(self, case: Case) -> None:
        fill(case, "a", "ab", "dir/c", "dir/d", "dir2/c")
        asked = [case.path(name) for name in ("a", "dir/c", "none", "a", "no/such/folder")]
        outcomes = self._outcomes(case, asked, case.backend.delete_many(iter(asked)))
        case.expect_equal([each.error for each in outcomes.values()], [None] * 4, "the errors")
        self._expect_files(case, "ab", "dir/d", "dir2/c")
        case.expect_equal([each for each in case.backend.delete_many([])], [], "the outcomes of no path")

    @check("MANY-001", "MANY-002")
    def test_many_deletes_are_like_single_ones(self, case: Case) -> None:
        names = ["file", "dir/file", "keep"]
        for name in SPELLED:
            fill(case, *names)
            path = f"{case.folder}/{name}"
            try:
                case.backend.delete(path, missing_ok=True)
                alone: object = None
            except RemoteStoreError as error:
                alone = type(error)
            left = found(case.backend.list_files(case.folder, recursive=True))
            fill(case, *[each for each in names if case.path(each) not in left])
            (outcome,) = [outcome for outcome in case.backend.delete_many([path])]
            together = None if outcome.error is None else type(outcome.error)
            case.expect_equal(together, alone, f"the error of delete_many for {path!r}, as by delete")
            self._expect_files(case, *[each for each in names if case.path(each) in left])

    @check("MANY-002")
    def test_many_deletes_of_which_some_fail(self, case: Case) -> None:
        fill(case, "a", "b", "c", "kept")
        bad = ["", case.path("nul\0")]
        asked = [case.path("a"), bad[0], case.path("b"), bad[1], case.path("c")]
        outcomes = self._outcomes(case, asked, case.backend.delete_many(asked))
        for path in asked:
            if path in bad:
                self._failed(case, outcomes[path], InvalidPath, path)
            else:
                case.expect_equal(outcomes[path].error, None, f"the error of {path!r}")
        self._expect_files(case, "kept")

    @check("MANY-003")
    def test_many_deletes_keep_folders(self, case: Case) -> None:
        fill(case, "folder/file", "folder/deep/er/file", "a")
        asked = [case.path(name) for name in ("folder", "a", "folder/deep")]
        outcomes = self._outcomes(case, asked, case.backend.delete_many(asked))
        for name in ("folder", "folder/deep"):
            if outcomes[case.path(name)].error is not None:
                self._failed(case, outcomes[case.path(name)], InvalidPath, case.path(name))
        self._expect_files(case, "folder/file", "folder/deep/er/file")

    @check("MANY-003")
    def test_many_deletes_keep_markers(self, case: Case) -> None:
        require_s3(case)
        case.oracle.raw_put(case.path("folder/"), b"")
        fill(case, "folder/file")
        marker = case.path("folder/")
        outcomes = self._outcomes(case, [marker], case.backend.delete_many([marker]))
        self._failed(case, outcomes[marker], InvalidPath, marker)
        case.backend.delete(case.path("folder/file"))
        case.expect_equal(case.backend.is_folder(case.path("folder")), True, "is_folder after the deletes")

    @check("MANY-004")
    def test_many_deletes_of_hostile_names(self, case: Case) -> None:
        fill(case, *(f"all/{name}" for name in writable(case)), "keep")
        asked = [case.path(f"all/{name}") for name in writable(case)]
        outcomes = self._outcomes(case, asked, case.backend.delete_many(asked))
        case.expect_equal({each.error for each in outcomes.values()}, {None}, "the errors")
        self._expect_files(case, "keep")

    @check("MANY-004")
    def test_many_deletes_take_wildcards_literally(self, case: Case) -> None:
        fill(case, "a*b", "a?b", "[a]", "axb", "a")
        asked = list(map(case.path, ("a*b", "a?b", "[a]", "*")))
        outcomes = self._outcomes(case, asked, case.backend.delete_many(asked))
        case.expect_equal({each.error for each in outcomes.values()}, {None}, "the errors")
        self._expect_files(case, "axb", "a")

    @check("MANY-004")
    def test_many_deletes_of_foreign_keys(self, case: Case) -> None:
        asked = put_foreign(case)
        outcomes = self._outcomes(case, asked, case.backend.delete_many(asked))
        case.expect_equal({each.error for each in outcomes.values()}, {None}, "the errors")
        self._expect_files(case)

    @check("MANY-005")
    def test_many_deletes_of_paths_that_fail(self, case: Case) -> None:
        fill(case, "a", "b", "c")
        for error in (ValueError("mine"), NotFound("mine", path="elsewhere")):
            taken: list[str] = []

            def paths(error: Exception = error, taken: list[str] = taken) -> Iterator[str]:
                taken.append("a")
                yield case.path("a")
                raise error

            with case.expect_raises(type(error), what="delete_many") as caught:
                for _ in case.backend.delete_many(paths()):
                    pass
            case.expect(caught.error is error, "the exception of the paths", caught.error)
            case.expect_equal(getattr(error, "path", "elsewhere"), "elsewhere", "the path of the exception")
        case.backend.delete(case.path("a"), missing_ok=True)
        self._expect_files(case, "b", "c")

    @check("MANY-006")
    def test_many_ranges(self, case: Case) -> None:
        content = case.content(3 * MIB)
        fill(case, "file", data=content)
        far = 5 * MIB
        ranges = [(2 * MIB, 10), (0, 5), (3, 9), (0, 0), (0, 5), (3 * MIB - 4, 9), (far, 3), (3 * MIB, 1), (5, MIB)]
        expected = [content[start : start + length] for start, length in ranges]
        got = case.backend.read_ranges(case.path("file"), ranges)
        case.expect_equal(list(map(len, got)), list(map(len, expected)), "the lengths of the ranges")
        case.expect(got == expected, "each range has its bytes")
        case.expect_equal(case.backend.read_ranges(case.path("file"), []), [], "no ranges")
        got = case.backend.read_ranges(case.path("file"), [(far, 1), (7, 0), (far + 1, 2)])
        case.expect_equal(got, [b"", b"", b""], "ranges past the end")
        for _ in range(5):
            starts = [case.rng.randrange(3 * MIB) for _ in range(12)]
            ranges = [(start, case.rng.choice([0, 1, 100, 70_000])) for start in starts]
            got = case.backend.read_ranges(case.path("file"), ranges)
            case.expect(got == [content[start : start + length] for start, length in ranges], f"the ranges {ranges}")

    @check("MANY-006")
    def test_many_ranges_of_an_empty_file(self, case: Case) -> None:
        fill(case, "file", data=b"")
        case.expect_equal(case.backend.read_ranges(case.path("file"), [(0, 1), (9, 1)]), [b"", b""], "the ranges")

    @check("MANY-007")
    def test_many_ranges_of_no_file(self, case: Case) -> None:
        fill(case, "folder/file")
        kinds = {case.path("none"): NotFound, case.path("folder"): InvalidPath, "": InvalidPath}
        for path, kind in kinds.items():
            with case.expect_raises(kind, path=path):
                case.backend.read_ranges(path, [(0, 1), (2 * MIB, 5)])
        for bad in [(-1, 1)], [(0, -1)], [(0, 1), (5, -2)]:
            with case.expect_raises(ValueError):
                case.backend.read_ranges(case.path("folder/file"), bad)

    @check("MANY-008")
    def test_many_ranges_are_of_one_version(self, case: Case) -> None:
        require_s3(case)
        fill(case, "file", data=bytes(3 * MIB))

        def replace(_request: Request) -> None:
            case.oracle.raw_put(case.path("file"), b"1" * 3 * MIB)

        case.endpoint.inject(RunFunction(replace), operation="GetObject", after=1)
        with case.expect_raises(PreconditionFailed, path=case.path("file")):
            case.backend.read_ranges(case.path("file"), [(0, 10), (2 * MIB, 10)])

    @check("MANY-009", needs=(Capability.METADATA,))
    def test_many_reads(self, case: Case) -> None:
        store, files = self._store(case), [case.path(f"f{number}") for number in range(FILES)]
        for number, path in enumerate(files):
            fill(case, f"f{number}", data=path.encode())
        missing, malformed = case.path("none"), case.path("..")
        asked = [*files, missing, malformed, "", files[1]]
        read = self._outcomes(case, asked, store.read_many(iter(asked)))
        heads = self._outcomes(case, asked, store.head_many(asked, max_concurrency=5))
        for path in files:
            case.expect_equal(read[path].result(), path.encode(), f"the content of {path}")
            case.expect_equal(heads[path].result().path, path, f"the path that the head of {path} has")
        for outcomes in (read, heads):
            self._failed(case, outcomes[missing], NotFound, missing)
            self._failed(case, outcomes[malformed], InvalidPath, malformed)
            self._failed(case, outcomes[""], InvalidPath, "")

    @check("MANY-009")
    def test_many_reads_of_which_one_is_denied(self, case: Case) -> None:
        require_s3(case)
        paths = fill(case, "a", "b", "c")
        denied = paths[1]
        case.endpoint.inject(Respond(403, "AccessDenied"), times=None, match=lambda request: request.key == denied)
        outcomes = self._outcomes(case, paths, self._store(case).read_many(paths))
        self._failed(case, outcomes[denied], PermissionDenied, denied)
        others = [outcomes[path].result() for path in paths if path != denied]
        case.expect_equal(others, [b"x", b"x"], "the other files")

    @check("MANY-010", needs=READ)
    def test_many_writes(self, case: Case) -> None:
        store = self._store(case)
        [taken] = fill(case, "taken")
        contents = {case.path(f"f{number}"): case.content(1000 + number) for number in range(FILES)}

        def fails() -> Iterator[bytes]:
            yield b"1"
            raise OSError("mine")

        broken = case.path("broken")
        pairs: list[tuple[str, Any]] = [*contents.items(), (taken, b"new"), (broken, fails()), ("", b"")]
        outcomes = self._outcomes(case, [path for path, _ in pairs], store.write_many(pairs))
        for path, content in contents.items():
            case.expect_equal(outcomes[path].result().size, len(content), f"the size of {path}")
            case.expect(store.read_bytes(path) == content, f"the content of {path}")
        self._failed(case, outcomes[taken], AlreadyExists, taken)
        self._failed(case, outcomes[""], InvalidPath, "")
        case.expect_equal(str(outcomes[broken].error), "mine", "the error of the content")
        case.expect_equal(store.read_bytes(taken), b"x", "the file that existed")
        case.expect_equal(store.is_file(broken), False, "is_file of the content that failed")
        outcomes = self._outcomes(case, [taken], store.write_many([(taken, b"new")], overwrite=True))
        case.expect_equal(outcomes[taken].result().size, 3, "the size")
        case.expect_equal(store.read_bytes(taken), b"new", "the file that was replaced")

    @check("MANY-011", needs=(Capability.READ, Capability.WRITE))
    def test_many_copies(self, case: Case) -> None:
        store, files = self._store(case), [case.path(f"f{number}") for number in range(10)]
        for number, path in enumerate(files):
            fill(case, f"f{number}", data=path.encode())
        missing, lost, again = case.path("none"), case.path("copies/none"), case.path("copies/again")
        pairs = [(path, case.path(f"copies/{number}")) for number, path in enumerate(files)]
        pairs += [(missing, lost), (files[1], files[2]), (files[3], again)]
        came = {outcome.target: outcome for outcome in store.copy_many(pairs)}
        case.expect_same([(each.path, each.target) for each in came.values()], pairs, "the pairs of the outcomes")
        self._failed(case, came[lost], NotFound, missing)
        self._failed(case, came[files[2]], AlreadyExists, files[2])
        for source, target in pairs:
            if target not in (lost, files[2]):
                case.expect_equal(came[target].error, None, f"the error of {target}")
                case.expect_equal(store.read_bytes(target), source.encode(), f"the content of {target}")
        case.expect_equal(store.read_bytes(files[2]), files[2].encode(), "the target that existed")

    @check("MANY-012")
    def test_many_reads_that_end_early(self, case: Case) -> None:
        store = self._store(case)
        files = fill(case, *(f"f{number}" for number in range(FILES)))
        taken: list[str] = []

        def paths() -> Iterator[str]:
            for path in files:
                taken.append(path)
                yield path

        for most in (1, 4):
            taken.clear()
            outcomes: Any = store.read_many(paths(), max_concurrency=most)
            first = next(outcomes)
            case.expect_equal(first.result(), b"x", "the first content")
            outcomes.close()
            case.expect(len(taken) <= most, "paths that were taken", len(taken))
            case.expect_equal([each for each in outcomes], [], "the outcomes after the end")
        case.expect_equal(case.backend.read_bytes(files[1]), b"x", "a read after the end")
        readable = [outcome.path for outcome in store.read_many(files) if outcome.error is None]
        case.expect_same(readable, files, "the files that can be read after the end")

    @check("MANY-013")
    def test_many_deletes_are_one_request(self, case: Case) -> None:
        require_s3(case)
        paths = [case.path(f"none/{number}") for number in range(1001)]
        for count, requests in ((0, 0), (1, 1), (1001, 2)):
            with case.endpoint.recording() as sent:
                came = [outcome for outcome in case.backend.delete_many(paths[:count])]
            case.expect_equal(len(came), count, "the outcomes")
            case.expect_equal(operations(sent), ["DeleteObjects"] * requests, f"the requests for {count} paths")

    @check("MANY-014")
    def test_many_ranges_share_requests(self, case: Case) -> None:
        require_s3(case)
        fill(case, "file", data=case.content(3 * MIB))
        ask = partial(case.backend.read_ranges, case.path("file"))
        with case.endpoint.recording() as sent:
            ask([(MIB, 10), (0, 10), (MIB, 10), (500, 100_000)])
        case.expect_equal([request.headers.get("range") for request in sent], [f"bytes=0-{MIB + 9}"], "the ranges")
        with case.endpoint.recording() as sent:
            ask([(2 * MIB, 10), (0, 10), (9 * MIB, 10)])
        case.expect_equal(operations(sent), ["GetObject"] * 2, "the requests for two groups, and one past the end")
        with case.endpoint.recording() as sent:
            case.expect_equal(ask([(0, 0), (9, 0)]), [b"", b""], "empty ranges")
        case.expect_equal(operations(sent), [], "the requests for no byte")

    @check("MANY-015")
    def test_many_deletes_without_a_bulk_delete(self, case: Case) -> None:
        require_s3(case)
        fill(case, "a", "b", "c", "kept")
        denied = case.path("b")
        case.endpoint.inject(Respond(501, "NotImplemented"), operation="DeleteObjects", times=None)
        case.endpoint.inject(Respond(403, "AccessDenied"), times=None, match=lambda request: request.key == denied)
        asked = list(map(case.path, "abc"))
        outcomes = self._outcomes(case, asked, case.backend.delete_many(asked))
        self._failed(case, outcomes[denied], PermissionDenied, denied)
        case.expect_equal([outcomes[path].error for path in asked if path != denied], [None, None], "the other errors")
        case.endpoint.clear_faults()
        self._expect_files(case, "b", "kept")

    @check("MANY-015")
    def test_many_deletes_with_an_error_for_one_key(self, case: Case) -> None:
        require_s3(case)
        fill(case, "a", "b", "c")
        asked = list(map(case.path, "abc"))
        report = (
            '<?xml version="1.0"?><DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<Deleted><Key>{asked[0]}</Key></Deleted><Error><Key>{asked[1]}</Key><Code>AccessDenied</Code>"
            "<Message>no</Message></Error></DeleteResult>"
        )
        case.endpoint.inject(RewriteBody(lambda _body: report.encode()), operation="DeleteObjects")
        with case.endpoint.recording() as sent:
            outcomes = self._outcomes(case, asked, case.backend.delete_many(asked))
        self._failed(case, outcomes[asked[1]], PermissionDenied, asked[1])
        case.expect_equal([outcomes[asked[0]].error, outcomes[asked[2]].error], [None, None], "the other errors")
        case.expect_equal(operations(sent), ["DeleteObjects", "DeleteObject"], "the requests")
