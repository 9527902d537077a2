"""That no listing names anything twice, in whatever order a server lists and without keeping all names."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest

from remote_store.core.s3 import Fault, S3Options, endpoint_of
from remote_store.core.s3.operations import listed, paging
from remote_store.core.s3.operations.bucket import Bucket
from remote_store.core.s3.operations.listed import Listed
from remote_store.core.s3.operations.paging import Cursor
from remote_store.core.s3.protocol.pages import Page

NAMES = [f"{letter}{number:04}" for letter in "abcd" for number in range(500)]
SORTED = sorted({"a", "a-b", "a/x", "a/y/z", "a0", "é", "\U0001f600", "\uffee", "b", "B"}, key=str.encode)
BY_FOLDER = ["a/x", "a/y/z", "a-b", "b", "b/c"]


def pages_of(names: list[str], size: int) -> Iterator[list[str]]:
    return (names[start : start + size] for start in range(0, len(names), size))


def listing(names: list[str], size: int, *, trusted: bool = False) -> list[str]:
    had = Listed()
    return [name for page in pages_of(names, size) for name in had.new(page, trusted=trusted)]


def shuffled(names: list[str]) -> list[str]:
    return random.Random(1).sample(names, len(names))


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
@pytest.mark.parametrize("names", [SORTED, BY_FOLDER, SORTED[::-1], shuffled(SORTED)])
def test_every_name_of_any_order_is_listed_once(names: list[str], size: int) -> None:
    assert listing(names, size) == names


@pytest.mark.parametrize("names", [NAMES, shuffled(NAMES)], ids=["in order", "in none"])
@pytest.mark.parametrize("behind", [1, 2, 7])
def test_a_name_that_comes_again_later_is_seen(names: list[str], behind: int) -> None:
    pages = list(pages_of(names, 100))
    had = Listed()
    for number, page in enumerate(pages):
        assert had.new(page, trusted=False) == page
        if number >= behind:
            assert names[number * 100 - behind * 100] not in had.new([names[(number - behind) * 100]], trusted=False)


@pytest.mark.parametrize("names", [NAMES, BY_FOLDER])
def test_a_listing_in_order_keeps_few_names(names: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listed, "KEPT_IN_ORDER", 3)
    had = Listed()
    for page in pages_of(names, 2):
        assert had.new(page, trusted=False) == page
    assert not had._kept
    with pytest.raises(Fault, match="incomplete") as caught:
        had.new([names[0]], trusted=False)
    assert caught.value.code == "BrokenAnswer"


def test_a_listing_without_order_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    names = shuffled(NAMES)
    monkeypatch.setattr(listed, "MOST_KEPT", 1000)
    with pytest.raises(Fault, match="more than 1000 names out of order"):
        listing(names, 100)
    assert listing(names, 100, trusted=True) == names


@pytest.mark.parametrize("last", [["b"], ["a", "e"], ["e", "a"]])
def test_a_key_that_comes_again_two_pages_later_is_refused(last: list[str], drive: Any) -> None:
    cursor = Cursor("")
    bucket = Bucket("bucket", S3Options.build())
    for number, keys in enumerate([["a", "b"], ["c"], ["d"]]):
        told = {"IsTruncated": True, "NextContinuationToken": str(number), "Contents": rows(keys)}
        drive(paging.next_page(bucket, cursor), told)
    with pytest.raises(Fault, match="lists a key again"):
        drive(paging.next_page(bucket, cursor), {"IsTruncated": False, "Contents": rows(last)})


def rows(keys: list[str]) -> list[dict[str, Any]]:
    return [{"Key": key, "Size": 1} for key in keys]


def test_a_folder_that_comes_again_pages_later_comes_once() -> None:
    cursor = Cursor("", "/")
    pages = [["a/", "b/"], ["b/", "c/"], ["a/"], ["b/", "d/"]]
    found = [cursor.turn(Page([], names, str(number))).prefixes for number, names in enumerate(pages)]
    assert found == [["a/", "b/"], ["c/"], [], ["d/"]]


def test_a_directory_bucket_of_aws_is_listed_without_a_bound(drive: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listed, "MOST_KEPT", 4)
    for aws in (True, False):
        endpoint = endpoint_of(None, aws=aws, bucket="x--use1-az4--x-s3")
        bucket = Bucket("bucket", S3Options.build().at(endpoint))
        cursor = Cursor("")
        pages = [["b", "a"], ["d", "c"], ["f", "e"]]
        for number, keys in enumerate(pages):
            told = {"IsTruncated": True, "NextContinuationToken": str(number), "Contents": rows(keys)}
            if aws or number < 2:
                assert len(drive(paging.next_page(bucket, cursor), told)[0].objects) == 2
            else:
                with pytest.raises(Fault, match="out of order"):
                    drive(paging.next_page(bucket, cursor), told)
