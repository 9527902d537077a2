"""Where values are kept: exact, reversible, and never two in one place."""

from __future__ import annotations

from itertools import product
from urllib.parse import unquote

import pytest
from project import ODD

from remote_store.core import InvalidPath, RemotePath
from remote_store.dagster.layout import asset_path, output_path

PARTS = [*ODD, "data.pkl", "a.pkl", "run=1", "\ud800", "\n", "...", "é", "e\u0301"]
KEYS = [*PARTS, ""]


@pytest.mark.parametrize(
    "parts, dimensions, path",
    [
        (["sales", "orders"], {}, "sales/orders.pkl"),
        (["orders"], {"partition": "2026-01-01"}, "orders/partition=2026-01-01/data.pkl"),
        (["orders"], {"region": "eu", "day": "2026-01-01"}, "orders/day=2026-01-01/region=eu/data.pkl"),
        (["orders"], {"partition": "../a b|ü"}, "orders/partition=..%2Fa%20b%7C%C3%BC/data.pkl"),
        (["..", "a=b"], {}, "%2E%2E/a%3Db.pkl"),
    ],
)
def test_the_path_of_an_asset_is_that_of_the_documentation(parts, dimensions, path) -> None:
    assert asset_path(parts, dimensions, ".pkl") == path


def test_no_two_values_share_a_path() -> None:
    values = [
        *(((one,), ()) for one in PARTS),
        *(((one, two), ()) for one, two in product(PARTS, PARTS)),
        *(((one,), (("partition", key),)) for one, key in product(PARTS, KEYS)),
        *(((one,), (("a", key), ("b", other))) for one, key, other in product(PARTS[:6], KEYS, KEYS)),
    ]
    paths = [asset_path(parts, dict(dimensions), ".pkl") for parts, dimensions in values]
    paths += [output_path([run, step, name], ".pkl") for run, step, name in product(PARTS[:6], repeat=3)]
    assert len(set(paths)) == len(paths)


@pytest.mark.parametrize("key", PARTS)
def test_a_path_is_canonical_below_the_folder_of_its_asset_and_says_its_key(key) -> None:
    for path in (asset_path(["a"], {"partition": key}, ".pkl"), asset_path([key], {}, ".pkl")):
        assert RemotePath(path) == path
        assert path.isascii()
    folder, partition, name = asset_path(["a"], {"partition": key}, ".pkl").split("/")
    assert (folder, name) == ("a", "data.pkl")
    assert unquote(partition.removeprefix("partition="), errors="surrogatepass") == key
    assert unquote(asset_path([key], {}, ".pkl").removesuffix(".pkl"), errors="surrogatepass") == key


@pytest.mark.parametrize("parts", [[], [""], ["a", "", "b"]])
def test_an_empty_part_of_an_assets_key_is_refused(parts) -> None:
    with pytest.raises(InvalidPath, match="empty"):
        asset_path(parts, {}, ".pkl")


@pytest.mark.parametrize("extension", ["csv", "/x", ".a/b", ".", "../x", ".x y"])
def test_a_malformed_extension_is_refused(extension) -> None:
    with pytest.raises(ValueError, match="extension"):
        asset_path(["a"], {}, extension)
