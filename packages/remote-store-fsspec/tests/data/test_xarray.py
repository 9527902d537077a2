from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

DATA = xr.Dataset(
    {"heat": (("day", "place"), np.arange(400, dtype="f8").reshape(100, 4))},
    coords={"day": np.arange(100), "place": list("abcd")},
    attrs={"source": "station"},
)


@pytest.mark.parametrize("version", [2, 3])
def test_a_dataset_is_written_to_and_read_from_zarr(place, version):
    DATA.chunk({"day": 30}).to_zarr(f"{place.url}/heat.zarr", zarr_format=version)
    with xr.open_zarr(f"{place.url}/heat.zarr") as read:
        xr.testing.assert_identical(read.load(), DATA)
    with xr.open_dataset(f"{place.url}/heat.zarr", engine="zarr") as read:
        assert float(read["heat"].sel(place="b").mean()) == 199.0


def test_days_are_appended(place):
    DATA.isel(day=slice(0, 60)).to_zarr(f"{place.url}/heat.zarr")
    DATA.isel(day=slice(60, None)).to_zarr(f"{place.url}/heat.zarr", append_dim="day")
    with xr.open_zarr(f"{place.url}/heat.zarr") as read:
        xr.testing.assert_identical(read.load(), DATA)


def test_a_netcdf_file_is_put_and_read_in_place(place, tmp_path):
    DATA.to_netcdf(tmp_path / "heat.nc", engine="h5netcdf")
    place.fs.put(str(tmp_path / "heat.nc"), "heat.nc")
    with place.fs.open("heat.nc", "rb") as file, xr.open_dataset(file, engine="h5netcdf") as read:
        xr.testing.assert_identical(read.load(), DATA)


def test_what_is_missing_is_not_found(place):
    with pytest.raises(FileNotFoundError):
        xr.open_zarr(f"{place.url}/none.zarr", consolidated=False)
    with pytest.raises(FileNotFoundError), place.fs.open("none.nc", "rb") as file:
        xr.open_dataset(file, engine="h5netcdf")


def test_a_dataset_that_is_there_is_not_overwritten(place):
    DATA.to_zarr(f"{place.url}/heat.zarr")
    with pytest.raises(FileExistsError):
        (DATA + 1).to_zarr(f"{place.url}/heat.zarr")
    with xr.open_zarr(f"{place.url}/heat.zarr") as read:
        xr.testing.assert_identical(read.load(), DATA)


def test_a_netcdf_file_that_changes_while_it_is_read_is_refused(s3, tmp_path):
    for name, values in {"old.nc": 1.0, "new.nc": 2.0}.items():
        wide = xr.Dataset({f"v{n}": (("i",), np.full(500_000, values)) for n in range(6)})
        wide.to_netcdf(tmp_path / name, engine="h5netcdf")
    s3.store.upload(tmp_path / "old.nc", "heat.nc")
    replaced = s3.replace_after(2, "heat.nc", (tmp_path / "new.nc").read_bytes())
    with s3.fs.open("heat.nc", "rb") as file, pytest.raises(Exception, match="changed|read"):
        xr.open_dataset(file, engine="h5netcdf").load()
    assert replaced.hits == 1
