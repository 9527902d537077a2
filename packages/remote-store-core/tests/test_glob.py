from __future__ import annotations

from typing import Any

import pytest

from remote_store.core import InvalidPath
from remote_store.core.glob import GlobPattern


@pytest.mark.parametrize(
    "pattern, path, matches",
    [
        ("a", "a", True),
        ("a", "ab", False),
        ("a", "b/a", False),
        ("*", "a", True),
        ("*", "a/b", False),
        ("*", ".hidden", True),
        ("a*", "a", True),
        ("*.txt", "a.txt", True),
        ("*.txt", "a.txt\n", False),
        ("*.txt", "a\nb.txt", True),
        ("*.txt", "axtxt", False),
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
        ("a?c", "ac", False),
        ("a*b", "a*b", True),
        ("a[*]b", "a*b", True),
        ("a[*]b", "axb", False),
        ("a[?]b", "a?b", True),
        ("a[[]b", "a[b", True),
        ("a[]]b", "a]b", True),
        ("a[!]]b", "a]b", False),
        ("a[!]]b", "axb", True),
        ("[a-c]", "b", True),
        ("[a-c]", "d", False),
        ("[!a-c]", "d", True),
        ("[!a]b", "/b", False),
        ("a[!b]c", "a/c", False),
        ("a[/]b", "a/b", False),
        ("[^a]", "^", True),
        ("[^a]", "b", False),
        ("a[", "a[", True),
        ("a[b", "a[b", True),
        ("[\\]", "\\", True),
        ("a\\b", "a\\b", True),
        ("a.c", "abc", False),
        ("(a|b)+", "(a|b)+", True),
        ("**", "a", True),
        ("**", "a/b/c", True),
        ("**/c", "c", True),
        ("**/c", "a/b/c", True),
        ("**/c", "a/bc", False),
        ("a/**", "a/b", True),
        ("a/**", "a/b/c", True),
        ("a/**", "ab", False),
        ("a/**/c", "a/c", True),
        ("a/**/c", "a/b/b/c", True),
        ("a/**/c", "ab/c", False),
        ("a/*/c", "a/b/c", True),
        ("a/*/c", "a/b/b/c", False),
        ("a**b", "axxb", True),
        ("a**b", "a/b", False),
        ("é*", "é1", True),
        ("A", "a", False),
    ],
)
def test_matching(pattern: str, path: str, matches: bool) -> None:
    assert GlobPattern.parse(pattern).matches(path) is matches


@pytest.mark.parametrize(
    "pattern, prefix, folder, recursive",
    [
        ("a", "a", "", False),
        ("*", "", "", False),
        ("d/a*", "d/a", "d", False),
        ("d/*/a", "d/", "d", True),
        ("d*/a", "d", "", True),
        ("**", "", "", True),
        ("d/**", "d/", "d", True),
        ("d/e/f", "d/e/f", "d/e", False),
        ("d/e?/f", "d/e", "d", True),
    ],
)
def test_where_to_look(pattern: str, prefix: str, folder: str, recursive: bool) -> None:
    parsed = GlobPattern.parse(pattern)
    assert (parsed.prefix, parsed.folder, parsed.recursive) == (prefix, folder, recursive)


@pytest.mark.parametrize("pattern", ["", "/a", "a/", "a//b", "a/../b", ".", "./a", "..", "a\0"])
def test_patterns_that_match_nothing_are_refused(pattern: str) -> None:
    with pytest.raises(InvalidPath):
        GlobPattern.parse(pattern)


@pytest.mark.parametrize("pattern", [None, 3, b"*"])
def test_a_pattern_is_text(pattern: Any) -> None:
    with pytest.raises(TypeError):
        GlobPattern.parse(pattern)
