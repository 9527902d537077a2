from __future__ import annotations

import fsspec
import numpy as np
import pytest
import zarr
from zarr.storage import FsspecStore

VALUES = np.arange(10_000, dtype="i4").reshape(100, 100)


def test_an_array_is_written_and_read_by_url(place):
    array = zarr.create_array(f"{place.url}/a.zarr", shape=(100, 100), chunks=(30, 30), dtype="i4")
    array[:] = VALUES
    assert (zarr.open_array(f"{place.url}/a.zarr", mode="r")[:] == VALUES).all()
    assert "a.zarr/zarr.json" in place.names()
    assert "a.zarr/c/3/3" in place.names()


def test_a_group_is_written_changed_and_listed(place):
    group = zarr.open_group(f"{place.url}/g.zarr", mode="w")
    group.attrs["title"] = "numbers"
    group.create_array("x", data=VALUES, chunks=(50, 50))
    group.create_group("inner").create_array("y", data=VALUES[0], chunks=(100,))
    group["x"][0, 0] = 7
    read = zarr.open_group(f"{place.url}/g.zarr", mode="r")
    assert read.attrs["title"] == "numbers"
    assert dict(read.members(max_depth=None)).keys() == {"x", "inner", "inner/y"}
    assert read["x"][0, :2].tolist() == [7, 1]
    del group["x"]
    assert not any(name.startswith("g.zarr/x/") for name in place.names())


def test_shards_are_read_in_part(place):
    array = zarr.create_array(f"{place.url}/s.zarr", shape=(100, 100), chunks=(10, 10), shards=(50, 50), dtype="i4")
    array[:] = VALUES
    assert (zarr.open_array(f"{place.url}/s.zarr", mode="r")[35:45, 90:] == VALUES[35:45, 90:]).all()


def test_metadata_is_consolidated(place):
    group = zarr.open_group(f"{place.url}/g.zarr", mode="w", zarr_format=2)
    group.create_array("x", data=VALUES, chunks=(50, 50))
    zarr.consolidate_metadata(f"{place.url}/g.zarr", zarr_format=2)
    assert (zarr.open_consolidated(f"{place.url}/g.zarr", zarr_format=2)["x"][:] == VALUES).all()


def test_a_filesystem_of_an_open_store_is_a_store_of_zarr(place):
    fs = fsspec.filesystem("remote-store", store=place.store, asynchronous=True)
    store = FsspecStore(fs, path="a.zarr")
    zarr.create_array(store, data=VALUES, chunks=(50, 50))
    assert (zarr.open_array(store, mode="r")[:] == VALUES).all()


@pytest.mark.parametrize("open_it", [zarr.open, zarr.open_array, zarr.open_group], ids=lambda it: it.__name__)
def test_what_is_missing_is_not_found(place, open_it):
    with pytest.raises(FileNotFoundError):
        open_it(f"{place.url}/none.zarr", mode="r")


def test_an_array_that_is_there_is_not_created_again(place):
    zarr.create_array(f"{place.url}/a.zarr", data=VALUES)
    before = {info.path: info.etag for info in place.store.list_files(recursive=True)}
    with pytest.raises(zarr.errors.ContainsArrayError):
        zarr.create_array(f"{place.url}/a.zarr", data=VALUES + 1)
    assert {info.path: info.etag for info in place.store.list_files(recursive=True)} == before


def test_a_chunk_that_cannot_be_written_stays_as_it_was(s3):
    from remote_store.conformance.faults import Answer

    array = zarr.create_array(f"{s3.url}/a.zarr", data=VALUES, chunks=(100, 100))
    s3.endpoint.inject(Answer(403, code="AccessDenied"), operation="PutObject", times=None)
    with pytest.raises(PermissionError):
        array[:] = VALUES + 1
    s3.endpoint.clear_faults()
    assert (zarr.open_array(f"{s3.url}/a.zarr", mode="r")[:] == VALUES).all()


def test_a_chunk_that_is_replaced_while_it_is_read_is_the_old_or_the_new(s3):
    array = zarr.create_array(f"{s3.url}/a.zarr", data=VALUES, chunks=(100, 100), compressors=None)
    s3.replace_after(0, "a.zarr/c/0/0", (VALUES + 1).tobytes())
    read = array[:]
    assert (read == VALUES).all() or (read == VALUES + 1).all()
