# Generated from conformance/src/remote_store/conformance/suite/aio/listing/glob.py by tools/unasync.py; edit that.
"""Checks of patterns: their matches, and which patterns are refused."""

from __future__ import annotations

import time
from typing import Any

import pytest

from remote_store.conformance.checking.case import Case
from remote_store.conformance.checking.decorators import check
from remote_store.conformance.checking.hostile import CLOSE_FOLDERS
from remote_store.conformance.checking.trees import fill, fill_many, found
from remote_store.core import FileInfo, InvalidPath

CPU_SECONDS = 0.5
"""Far more than linear matching takes, and far less than backtracking over these paths takes."""


class GlobSuite:
    """GLOB: glob."""

    def _expect_matches(self, case: Case, pattern: str, *expected: str) -> None:
        matches = found(case.backend.glob(case.path(pattern)))
        case.expect_equal(matches, sorted(map(case.path, expected)), f"the matches of {pattern!r}")

    @check("GLOB-001")
    def test_glob_a_star_stays_inside_a_segment(self, case: Case) -> None:
        fill(case, "a.txt", "ab.txt", "a.csv", ".txt", "sub/a.txt")
        self._expect_matches(case, "*.txt", "a.txt", "ab.txt", ".txt")
        self._expect_matches(case, "a*", "a.txt", "ab.txt", "a.csv")
        self._expect_matches(case, "*", "a.txt", "ab.txt", "a.csv", ".txt")
        self._expect_matches(case, "a*.*t", "a.txt", "ab.txt")

    @check("GLOB-001")
    def test_glob_tells_case_apart(self, case: Case) -> None:
        case.require_profile("the storage ignores case", case.profile.case_sensitive)
        fill(case, "a.txt", "A.txt", "b.TXT")
        self._expect_matches(case, "*.txt", "a.txt", "A.txt")
        self._expect_matches(case, "a*", "a.txt")

    @check("GLOB-002")
    def test_glob_a_question_mark_is_one_character(self, case: Case) -> None:
        fill(case, "a", "ab", "é", "abc", "d/e")
        self._expect_matches(case, "?", "a", "é")
        self._expect_matches(case, "a?", "ab")
        self._expect_matches(case, "???", "abc")

    @check("GLOB-003")
    def test_glob_a_set_matches_its_characters(self, case: Case) -> None:
        fill(case, "a1", "b1", "c1", "d1", "-1", "^1", "]1")
        self._expect_matches(case, "[ab]1", "a1", "b1")
        self._expect_matches(case, "[a-c]1", "a1", "b1", "c1")
        self._expect_matches(case, "[!a-c]1", "d1", "-1", "^1", "]1")
        self._expect_matches(case, "[^]1", "^1")
        self._expect_matches(case, "[^ab]1", "a1", "b1", "^1")
        self._expect_matches(case, "[]]1", "]1")

    @check("GLOB-004")
    def test_glob_two_stars_span_segments(self, case: Case) -> None:
        fill(case, "a/z", "a/b/z", "a/b/c/z", "a/b/c/y", "az", "b/z", "a/.hidden/z")
        self._expect_matches(case, "a/**/z", "a/z", "a/b/z", "a/b/c/z", "a/.hidden/z")
        self._expect_matches(case, "**/z", "a/z", "a/b/z", "a/b/c/z", "a/.hidden/z", "b/z")
        self._expect_matches(case, "**/b/**/z", "a/b/z", "a/b/c/z", "b/z")

    @check("GLOB-005")
    def test_glob_a_literal_pattern_is_one_file(self, case: Case) -> None:
        beside = case.profile.flat and not case.profile.rejects_file_ancestor
        fill(case, "file", "file2", "file/below" if beside else "other/below")
        self._expect_matches(case, "file", "file")
        self._expect_matches(case, "fil")
        self._expect_matches(case, "file3")

    @check("GLOB-006")
    def test_glob_a_wildcard_in_brackets_is_itself(self, case: Case) -> None:
        fill(case, "a*b", "axb", "a?b", "a[b")
        self._expect_matches(case, "a[*]b", "a*b")
        self._expect_matches(case, "a[?]b", "a?b")
        self._expect_matches(case, "a[[]b", "a[b")

    @check("GLOB-007")
    def test_glob_siblings_with_the_same_beginning_stay_out(self, case: Case) -> None:
        fill(case, "dir/in", "dir2/out", "dir.txt", "di/out")
        self._expect_matches(case, "dir/*", "dir/in")
        self._expect_matches(case, "dir/**", "dir/in")
        self._expect_matches(case, "dir/**/*", "dir/in")

    @check("GLOB-008")
    def test_glob_no_match_is_no_error(self, case: Case) -> None:
        fill(case, "present")
        self._expect_matches(case, "*.nothing")
        self._expect_matches(case, "absent/**")
        self._expect_matches(case, "present/*")

    @check("GLOB-009")
    def test_glob_impossible_patterns_are_refused_at_the_call(self, case: Case) -> None:
        for pattern in ("", "/a", "a/", "a//b", "a/./b", "../a", "a/../*", "nul\0*"):
            with case.expect_raises(InvalidPath):
                case.backend.glob(pattern)

    @check("GLOB-010")
    def test_glob_characters_of_expressions_are_literal(self, case: Case) -> None:
        fill(case, "a.b", "axb", "a+b", "aab", "(a)", "a|b", "$a^", "{2}")
        for name in ("a.b", "a+b", "(a)", "a|b", "$a^", "{2}"):
            self._expect_matches(case, name, name)
        self._expect_matches(case, "*.*", "a.b")

    @check("GLOB-011")
    def test_glob_a_wildcard_in_the_middle(self, case: Case) -> None:
        fill(case, "logs/1/error", "logs/2/error", "logs/2/info", "logs/2/3/error", "logs/error")
        self._expect_matches(case, "logs/*/error", "logs/1/error", "logs/2/error")
        self._expect_matches(case, "l*/[12]/e*", "logs/1/error", "logs/2/error")

    @check("GLOB-012")
    def test_glob_matches_are_files_with_facts(self, case: Case) -> None:
        fill(case, "file", "sub/file", data=b"123")
        matches = [info for info in case.backend.glob(case.path("*"))]
        case.expect(all(isinstance(info, FileInfo) for info in matches), "every match is a FileInfo")
        facts = [(info.path, info.name, info.size) for info in matches]
        case.expect_equal(facts, [(case.path("file"), "file", 3)], "the facts")

    @check("GLOB-013")
    def test_glob_two_stars_at_the_end_match_everything_below(self, case: Case) -> None:
        fill(case, "a/b", "a/c/d", "a/c/e/f", "b")
        self._expect_matches(case, "a/**", "a/b", "a/c/d", "a/c/e/f")
        self._expect_matches(case, "**", "a/b", "a/c/d", "a/c/e/f", "b")

    @check("GLOB-014")
    def test_glob_more_matches_than_a_page(self, case: Case) -> None:
        expected = fill_many(case, [f"{CLOSE_FOLDERS[number % 7]}/{number:05}.txt" for number in range(1001)])
        fill(case, "a/other.csv", "other.txt")
        case.expect_equal(found(case.backend.glob(case.path("*/*.txt"))), expected, "the matches")

    @check("GLOB-015")
    def test_glob_another_type_is_refused_at_the_call(self, case: Case) -> None:
        for wrong in (None, b"*", 3):
            pattern: Any = wrong
            with case.expect_raises(TypeError):
                case.backend.glob(pattern)

    @check("GLOB-016")
    def test_glob_brackets_that_are_no_set_are_literal(self, case: Case) -> None:
        fill(case, "[", "[]", "[!]", "[a", "a", "b", "-", "]", "!")
        self._expect_matches(case, "[", "[")
        self._expect_matches(case, "[]", "[]")
        self._expect_matches(case, "[!]", "[!]")
        self._expect_matches(case, "[a", "[a")
        self._expect_matches(case, "[a-]", "a", "-")
        self._expect_matches(case, "[-a]", "a", "-")
        self._expect_matches(case, "[]-b]", "]", "a", "b")

    @check("GLOB-016")
    def test_glob_a_reversed_range_is_refused_at_the_call(self, case: Case) -> None:
        for pattern in ("[z-a]", "[!z-a]", "[a--z]", "d/[b-a]*", "[a-cz-x]"):
            with case.expect_raises(InvalidPath):
                case.backend.glob(pattern)

    @pytest.mark.parametrize(
        "pattern",
        [
            "a*" * 12 + "b",
            "*a?" * 12 + "b",
            "*[ab]" * 12 + "c",
            "**/" * 12 + "b",
            "**/a/" * 12 + "b",
            "**/*a*/" * 6 + "**/b",
            "**/*-*-*-*-*-*-*-*.csv",
        ],
    )
    @check("GLOB-017")
    def test_glob_many_stars_take_little_time(self, case: Case, pattern: str) -> None:
        fill(case, "a" * 120, "/".join("a" * 30), "-".join("a" * 60))
        start = time.process_time()
        self._expect_matches(case, pattern)
        seconds = time.process_time() - start
        case.expect(seconds < CPU_SECONDS, f"a match of {pattern!r} takes less than {CPU_SECONDS} s of CPU", seconds)
