"""Checks of patterns: their matches, and which patterns are refused."""

from __future__ import annotations

import time
from typing import Any

import pytest

from remote_store.conformance.checking.async_trees import fill, fill_many, found
from remote_store.conformance.checking.case import AsyncCase
from remote_store.conformance.checking.decorators import async_check
from remote_store.conformance.checking.hostile import CLOSE_FOLDERS
from remote_store.core import FileInfo, InvalidPath

CPU_SECONDS = 0.5
"""Far more than linear matching takes, and far less than backtracking over these paths takes."""


class AsyncGlobSuite:
    """GLOB: glob."""

    async def _expect_matches(self, case: AsyncCase, pattern: str, *expected: str) -> None:
        matches = await found(case.backend.glob(case.path(pattern)))
        case.expect_equal(matches, sorted(map(case.path, expected)), f"the matches of {pattern!r}")

    @async_check("GLOB-001")
    async def test_glob_a_star_stays_inside_a_segment(self, case: AsyncCase) -> None:
        await fill(case, "a.txt", "ab.txt", "a.csv", ".txt", "sub/a.txt")
        await self._expect_matches(case, "*.txt", "a.txt", "ab.txt", ".txt")
        await self._expect_matches(case, "a*", "a.txt", "ab.txt", "a.csv")
        await self._expect_matches(case, "*", "a.txt", "ab.txt", "a.csv", ".txt")
        await self._expect_matches(case, "a*.*t", "a.txt", "ab.txt")

    @async_check("GLOB-001")
    async def test_glob_tells_case_apart(self, case: AsyncCase) -> None:
        case.require_profile("the storage ignores case", case.profile.case_sensitive)
        await fill(case, "a.txt", "A.txt", "b.TXT")
        await self._expect_matches(case, "*.txt", "a.txt", "A.txt")
        await self._expect_matches(case, "a*", "a.txt")

    @async_check("GLOB-002")
    async def test_glob_a_question_mark_is_one_character(self, case: AsyncCase) -> None:
        await fill(case, "a", "ab", "é", "abc", "d/e")
        await self._expect_matches(case, "?", "a", "é")
        await self._expect_matches(case, "a?", "ab")
        await self._expect_matches(case, "???", "abc")

    @async_check("GLOB-003")
    async def test_glob_a_set_matches_its_characters(self, case: AsyncCase) -> None:
        await fill(case, "a1", "b1", "c1", "d1", "-1", "^1", "]1")
        await self._expect_matches(case, "[ab]1", "a1", "b1")
        await self._expect_matches(case, "[a-c]1", "a1", "b1", "c1")
        await self._expect_matches(case, "[!a-c]1", "d1", "-1", "^1", "]1")
        await self._expect_matches(case, "[^]1", "^1")
        await self._expect_matches(case, "[^ab]1", "a1", "b1", "^1")
        await self._expect_matches(case, "[]]1", "]1")

    @async_check("GLOB-004")
    async def test_glob_two_stars_span_segments(self, case: AsyncCase) -> None:
        await fill(case, "a/z", "a/b/z", "a/b/c/z", "a/b/c/y", "az", "b/z", "a/.hidden/z")
        await self._expect_matches(case, "a/**/z", "a/z", "a/b/z", "a/b/c/z", "a/.hidden/z")
        await self._expect_matches(case, "**/z", "a/z", "a/b/z", "a/b/c/z", "a/.hidden/z", "b/z")
        await self._expect_matches(case, "**/b/**/z", "a/b/z", "a/b/c/z", "b/z")

    @async_check("GLOB-005")
    async def test_glob_a_literal_pattern_is_one_file(self, case: AsyncCase) -> None:
        beside = case.profile.flat and not case.profile.rejects_file_ancestor
        await fill(case, "file", "file2", "file/below" if beside else "other/below")
        await self._expect_matches(case, "file", "file")
        await self._expect_matches(case, "fil")
        await self._expect_matches(case, "file3")

    @async_check("GLOB-006")
    async def test_glob_a_wildcard_in_brackets_is_itself(self, case: AsyncCase) -> None:
        await fill(case, "a*b", "axb", "a?b", "a[b")
        await self._expect_matches(case, "a[*]b", "a*b")
        await self._expect_matches(case, "a[?]b", "a?b")
        await self._expect_matches(case, "a[[]b", "a[b")

    @async_check("GLOB-007")
    async def test_glob_siblings_with_the_same_beginning_stay_out(self, case: AsyncCase) -> None:
        await fill(case, "dir/in", "dir2/out", "dir.txt", "di/out")
        await self._expect_matches(case, "dir/*", "dir/in")
        await self._expect_matches(case, "dir/**", "dir/in")
        await self._expect_matches(case, "dir/**/*", "dir/in")

    @async_check("GLOB-008")
    async def test_glob_no_match_is_no_error(self, case: AsyncCase) -> None:
        await fill(case, "present")
        await self._expect_matches(case, "*.nothing")
        await self._expect_matches(case, "absent/**")
        await self._expect_matches(case, "present/*")

    @async_check("GLOB-009")
    async def test_glob_impossible_patterns_are_refused_at_the_call(self, case: AsyncCase) -> None:
        for pattern in ("", "/a", "a/", "a//b", "a/./b", "../a", "a/../*", "nul\0*"):
            with case.expect_raises(InvalidPath):
                case.backend.glob(pattern)

    @async_check("GLOB-010")
    async def test_glob_characters_of_expressions_are_literal(self, case: AsyncCase) -> None:
        await fill(case, "a.b", "axb", "a+b", "aab", "(a)", "a|b", "$a^", "{2}")
        for name in ("a.b", "a+b", "(a)", "a|b", "$a^", "{2}"):
            await self._expect_matches(case, name, name)
        await self._expect_matches(case, "*.*", "a.b")

    @async_check("GLOB-011")
    async def test_glob_a_wildcard_in_the_middle(self, case: AsyncCase) -> None:
        await fill(case, "logs/1/error", "logs/2/error", "logs/2/info", "logs/2/3/error", "logs/error")
        await self._expect_matches(case, "logs/*/error", "logs/1/error", "logs/2/error")
        await self._expect_matches(case, "l*/[12]/e*", "logs/1/error", "logs/2/error")

    @async_check("GLOB-012")
    async def test_glob_matches_are_files_with_facts(self, case: AsyncCase) -> None:
        await fill(case, "file", "sub/file", data=b"123")
        matches = [info async for info in case.backend.glob(case.path("*"))]
        case.expect(all(isinstance(info, FileInfo) for info in matches), "every match is a FileInfo")
        facts = [(info.path, info.name, info.size) for info in matches]
        case.expect_equal(facts, [(case.path("file"), "file", 3)], "the facts")

    @async_check("GLOB-013")
    async def test_glob_two_stars_at_the_end_match_everything_below(self, case: AsyncCase) -> None:
        await fill(case, "a/b", "a/c/d", "a/c/e/f", "b")
        await self._expect_matches(case, "a/**", "a/b", "a/c/d", "a/c/e/f")
        await self._expect_matches(case, "**", "a/b", "a/c/d", "a/c/e/f", "b")

    @async_check("GLOB-014")
    async def test_glob_more_matches_than_a_page(self, case: AsyncCase) -> None:
        expected = await fill_many(case, [f"{CLOSE_FOLDERS[number % 7]}/{number:05}.txt" for number in range(1001)])
        await fill(case, "a/other.csv", "other.txt")
        case.expect_equal(await found(case.backend.glob(case.path("*/*.txt"))), expected, "the matches")

    @async_check("GLOB-015")
    async def test_glob_another_type_is_refused_at_the_call(self, case: AsyncCase) -> None:
        for wrong in (None, b"*", 3):
            pattern: Any = wrong
            with case.expect_raises(TypeError):
                case.backend.glob(pattern)

    @async_check("GLOB-016")
    async def test_glob_brackets_that_are_no_set_are_literal(self, case: AsyncCase) -> None:
        await fill(case, "[", "[]", "[!]", "[a", "a", "b", "-", "]", "!")
        await self._expect_matches(case, "[", "[")
        await self._expect_matches(case, "[]", "[]")
        await self._expect_matches(case, "[!]", "[!]")
        await self._expect_matches(case, "[a", "[a")
        await self._expect_matches(case, "[a-]", "a", "-")
        await self._expect_matches(case, "[-a]", "a", "-")
        await self._expect_matches(case, "[]-b]", "]", "a", "b")

    @async_check("GLOB-016")
    async def test_glob_a_reversed_range_is_refused_at_the_call(self, case: AsyncCase) -> None:
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
    @async_check("GLOB-017")
    async def test_glob_many_stars_take_little_time(self, case: AsyncCase, pattern: str) -> None:
        await fill(case, "a" * 120, "/".join("a" * 30), "-".join("a" * 60))
        start = time.process_time()
        await self._expect_matches(case, pattern)
        seconds = time.process_time() - start
        case.expect(seconds < CPU_SECONDS, f"a match of {pattern!r} takes less than {CPU_SECONDS} s of CPU", seconds)
