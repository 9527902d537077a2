from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from remote_store.core import InvalidPath
from remote_store.core.s3.protocol import keys

PIECES = st.sampled_from(["/", "//", "a", "b", ".", "..", " ", "é", "%2F", "\n", "\\"])
ODD_TEXT = st.lists(PIECES, max_size=8).map("".join)


@given(ODD_TEXT)
@example("")
@example("/")
@example("//")
@example("a//")
@example("/a/")
def test_a_folder_and_its_prefix_come_back_from_each_other(text: str) -> None:
    prefix = text if text.endswith("/") else text + "/"
    folder = keys.folder_of(prefix)
    assert keys.prefix_of(folder) == prefix
    assert keys.folder_of(keys.prefix_of(folder)) == folder


@given(ODD_TEXT, ODD_TEXT)
def test_two_prefixes_never_share_a_folder(one: str, other: str) -> None:
    first, second = one + "/", other + "/"
    assert (keys.folder_of(first) == keys.folder_of(second)) == (first == second)


@pytest.mark.parametrize(
    "folder, prefix", [("", ""), ("a", "a/"), ("a/", "a/"), ("/", "/"), ("a//", "a//"), ("a/b", "a/b/")]
)
def test_the_prefix_of_a_folder_ends_in_one_slash_more_unless_it_ends_in_one(folder: str, prefix: str) -> None:
    assert keys.prefix_of(folder) == prefix


@pytest.mark.parametrize("prefix, folder", [("a/", "a"), ("a//", "a//"), ("/", "/"), ("//", "//"), ("/a/", "/a")])
def test_the_folder_of_a_prefix_keeps_an_empty_segment(prefix: str, folder: str) -> None:
    assert keys.folder_of(prefix) == folder


@pytest.mark.parametrize("key", ["a" * 1024, "é" * 512, "a" * 1022 + "é", "/lead", "a//b", "a/../b", ".", "x\n"])
def test_every_key_that_can_exist_is_let_through_where_it_is_read(key: str) -> None:
    assert keys.check_key(key) is None


@pytest.mark.parametrize("key", ["a" * 1025, "é" * 513, "a" * 1023 + "é", "\U0001f600" * 257])
@pytest.mark.parametrize("check", [keys.check_key, keys.check_new_key, keys.check_folder])
def test_a_key_over_1024_bytes_is_refused(check: object, key: str) -> None:
    with pytest.raises(InvalidPath, match="1024 bytes") as caught:
        check(key)  # type: ignore[operator]
    assert caught.value.path == key
    assert key not in caught.value.message


@pytest.mark.parametrize("key", ["", "a\0b", "\ud800"])
def test_what_names_no_file_is_refused(key: str) -> None:
    with pytest.raises(InvalidPath):
        keys.check_key(key)
    with pytest.raises(InvalidPath):
        keys.check_new_key(key)


@pytest.mark.parametrize("key", ["/a", "a/", "a//b", "./a", "a/../b", ".", ".."])
def test_a_key_that_nobody_could_type_is_not_written(key: str) -> None:
    with pytest.raises(InvalidPath):
        keys.check_new_key(key)


@pytest.mark.parametrize("key", [None, b"a", 1])
@pytest.mark.parametrize("check", [keys.check_key, keys.check_new_key, keys.check_folder])
def test_a_path_that_is_no_text_is_a_type_error(check: object, key: object) -> None:
    with pytest.raises(TypeError):
        check(key)  # type: ignore[operator]


@pytest.mark.parametrize("key, size, marker", [("a/", 0, True), ("a/", 1, False), ("a", 0, False), ("/", 0, True)])
def test_only_an_empty_object_with_a_slash_at_its_end_is_a_marker(key: str, size: int, marker: bool) -> None:
    assert keys.is_marker(key, size) is marker


@pytest.mark.parametrize("key, above", [("a", []), ("a/b/c", ["a", "a/b"])])
def test_the_ancestors_of_a_key_are_the_files_that_would_be_in_its_way(key: str, above: list[str]) -> None:
    assert keys.ancestors(key) == above


@pytest.mark.parametrize("text", ["\x01", "\n", "\r", "\t", "\x7f", "\x85", "\ufffe", "\uffff"])
def test_what_xml_cannot_carry_is_known(text: str) -> None:
    assert keys.UNSPEAKABLE_IN_XML.search(f"a{text}b")


@pytest.mark.parametrize("text", ["é", "<&>", "'\"", "\U0001f600", "%0A", " "])
def test_what_xml_can_carry_goes_in_bulk(text: str) -> None:
    assert not keys.UNSPEAKABLE_IN_XML.search(f"a{text}b")
