from __future__ import annotations

import time
from fnmatch import fnmatchcase
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remote_store.core import InvalidPath
from remote_store.core.glob import GlobPattern, name_matcher


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
        ("d[*]/e", "d*/e", "d*", False),
        ("d[/e*", "d[/e", "d[", False),
        ("d[ab]/e", "d", "", True),
        ("d[*]e/*", "d*e/", "d*e", False),
    ],
)
def test_where_to_look(pattern: str, prefix: str, folder: str, recursive: bool) -> None:
    parsed = GlobPattern.parse(pattern)
    assert (parsed.prefix, parsed.folder, parsed.recursive) == (prefix, folder, recursive)


@pytest.mark.parametrize(
    "pattern, matches, others",
    [
        ("[", ["["], ["a", ""]),
        ("[]", ["[]"], ["", "]"]),
        ("[!]", ["[!]"], ["a", "!"]),
        ("[!", ["[!"], ["!"]),
        ("a[b/c]", ["a[b/c]"], ["ab", "ac]"]),
        ("[a-]", ["a", "-"], ["b"]),
        ("[-a]", ["a", "-"], ["b"]),
        ("[a-c-e]", ["a", "b", "c", "-", "e"], ["d"]),
        ("[]-a]", ["]", "^", "_", "`", "a"], ["b", "["]),
        ("[+--]", ["+", ",", "-"], ["."]),
        ("[--0]", ["-", ".", "0"], ["/", "1"]),
        ("[a&&b]", ["a", "&", "b"], ["c"]),
        ("[a||b~~c]", ["a", "|", "b", "~", "c"], ["d"]),
        ("[[a]", ["[", "a"], ["]"]),
        ("[!!]", ["a"], ["!", "/"]),
        ("[\n]", ["\n"], ["n", "\\"]),
        ("[\\d]", ["\\", "d"], ["1"]),
        ("*[!]", ["[!]", "a[!]"], ["a", "["]),
    ],
)
@pytest.mark.filterwarnings("error")
def test_sets_and_what_is_none(pattern: str, matches: list[str], others: list[str]) -> None:
    parsed = GlobPattern.parse(pattern)
    assert [path for path in [*matches, *others] if parsed.matches(path)] == matches
    if "/" not in pattern:
        assert [name for name in [*matches, *others] if name_matcher(pattern)(name)] == matches


@pytest.mark.parametrize(
    "pattern, told", [("[z-a]", "z-a"), ("[a--z]", "a--"), ("[!9-0]x", "9-0"), ("a/*[a-ce-d]", "e-d"), ("[é-e]", "é-e")]
)
def test_a_range_that_ends_before_it_begins_is_refused_by_name(pattern: str, told: str) -> None:
    for parse in (GlobPattern.parse, name_matcher):
        with pytest.raises(InvalidPath, match="is reversed") as caught:
            parse(pattern)
        assert repr(told) in caught.value.message
        assert caught.value.path == pattern


def slowly_matches(pattern: list[str], path: list[str]) -> bool:
    """Tries every way, segment by segment, with the matcher of the standard library."""
    if not pattern or not path:
        return not pattern and not path
    if pattern == ["**"]:
        return True
    if pattern[0] == "**":
        return any(slowly_matches(pattern[1:], path[start:]) for start in range(len(path)))
    return fnmatchcase(path[0], pattern[0]) and slowly_matches(pattern[1:], path[1:])


SEGMENTS = st.one_of(
    st.just("**"),
    st.lists(st.sampled_from(["a", "b", "*", "?", "[ab]", "[!a]", "**", "["]), min_size=1, max_size=5).map("".join),
)


@given(
    st.lists(SEGMENTS, min_size=1, max_size=5), st.lists(st.text("ab[", min_size=1, max_size=5), min_size=1, max_size=6)
)
def test_no_way_to_match_is_missed(pattern: list[str], path: list[str]) -> None:
    parsed = GlobPattern.parse("/".join(pattern))
    text = "/".join(path)
    matches = slowly_matches(pattern, path)
    assert parsed.matches(text) is matches
    if matches:
        assert text.startswith(parsed.prefix)
        assert not parsed.folder or text.startswith(f"{parsed.folder}/")
        assert parsed.recursive or "/" not in text[len(parsed.folder) :].strip("/")


DEEP = "/".join("a" * 500)


@pytest.mark.parametrize(
    "pattern, path",
    [
        ("a*" * 400 + "b", "a" * 4000),
        ("*a" * 400 + "b", "a" * 4000),
        ("*?" * 400 + "b", "a" * 4000),
        ("*[a-c]" * 400 + "d", "abc" * 1000),
        ("*[!b]" * 400 + "b", "a" * 4000),
        ("*" + "a" * 500 + "b", "a" * 4000),
        ("*" + "a" * 500 + "b*c", "a" * 4000),
        ("*-*-*-*-*-*-*-*-*.csv", "-" * 4000 + ".json"),
        ("**/" * 400 + "b", DEEP),
        ("**/a/" * 200 + "b", DEEP),
        ("**/" + "a/" * 200 + "b", DEEP),
        ("**/" + "a/" * 200 + "b/**/c", DEEP),
        ("**/*a*/" * 100 + "b", DEEP),
        ("**/*a*a*/" * 100 + "b", "/".join(["aaa"] * 500)),
        ("**/" + "*" * 2000 + "/**/b", DEEP),
        ("**/*/" * 200 + "b/c", DEEP),
        ("*/" * 400 + "b", DEEP),
    ],
)
def test_no_pattern_takes_more_time_than_its_length_times_the_paths(pattern: str, path: str) -> None:
    parsed = GlobPattern.parse(pattern)
    start = time.process_time()
    assert not parsed.matches(path)
    if "/" not in pattern:
        assert not name_matcher(pattern)(path)
    assert time.process_time() - start < 0.5


@pytest.mark.parametrize("pattern", ["", "/a", "a/", "a//b", "a/../b", ".", "./a", "..", "a\0"])
def test_patterns_that_match_nothing_are_refused(pattern: str) -> None:
    with pytest.raises(InvalidPath):
        GlobPattern.parse(pattern)


@pytest.mark.parametrize("pattern", [None, 3, b"*"])
def test_a_pattern_is_text(pattern: Any) -> None:
    with pytest.raises(TypeError):
        GlobPattern.parse(pattern)
