"""A small Dagster project, which the tests run in their own process and in others.

`python project.py load KEY [PARTITION]` writes the value of an asset. `python project.py materialize KEY` makes one.
"""

import os
import signal
import sys

from dagster import (
    AssetKey,
    DagsterInstance,
    Definitions,
    EnvVar,
    MultiPartitionsDefinition,
    ResourceParam,
    StaticPartitionsDefinition,
    asset,
    define_asset_job,
    materialize,
)

from remote_store.core import Store
from remote_store.dagster import JsonSerializer, ParquetSerializer, PickleSerializer, StoreIOManager, StoreResource

ODD = ("a/b", "..", ".", "a b", "a|b", "größe", "%2E%2E", "a=b", "A", "a", "/", "partition=x", "a\\b", "*", "~x", " ")
REGIONS = StaticPartitionsDefinition(["eu", "us/east", ".."])
DAYS = StaticPartitionsDefinition(["2026-01-01", "2026-01-02"])


class Dying(PickleSerializer):
    """Ends the process after half of the value, if it is told to."""

    def dump(self, value, file):
        file.write(b"half of the value" * 2_000_000)
        if os.environ.get("DIE") == "exit":
            os._exit(3)
        if os.environ.get("DIE") == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if os.environ.get("DIE") == "raise":
            raise RuntimeError("the serializer broke")
        file.seek(0)
        file.truncate()
        super().dump(value, file)


def lake() -> StoreResource:
    """The store that the environment names."""
    if "LAKE_ENDPOINT" not in os.environ:
        return StoreResource(url=EnvVar("LAKE_URL"))
    variables = {
        "endpoint_url": "LAKE_ENDPOINT",
        "key": "LAKE_KEY",
        "secret": "LAKE_SECRET",
        "region_name": "LAKE_REGION",
    }
    options = {name: EnvVar(variable) for name, variable in variables.items()}
    return StoreResource(url=EnvVar("LAKE_URL"), options={**options, "part_size": "5242880"})


@asset(key_prefix=["raw", "shop"])
def numbers():
    return [1, 2, 3]


@asset(io_manager_key="parquet_io")
def table(numbers):
    import pandas as pd

    return pd.DataFrame({"number": numbers, "name": ["a", "b", "c"]})


@asset(io_manager_key="json_io")
def report(table):  # a pandas.DataFrame again
    return {"rows": len(table), "sum": int(table["number"].sum())}


@asset(io_manager_key="json_io")
def doubled(numbers):
    return [2 * number for number in numbers]


@asset
def files(doubled, lake: ResourceParam[Store]) -> None:
    paths = sorted(info.path for info in lake.list_files(recursive=True))
    lake.write_text("files.txt", "\n".join(paths), overwrite=True)


@asset(partitions_def=StaticPartitionsDefinition(list(ODD)), io_manager_key="json_io")
def odd(context):
    return f"value of {context.partition_key}"


@asset(io_manager_key="json_io")
def all_odd(odd: dict[str, str]):
    return odd


@asset(partitions_def=MultiPartitionsDefinition({"region": REGIONS, "day": DAYS}), io_manager_key="json_io")
def sales(context):
    return dict(context.partition_key.keys_by_dimension)


@asset(partitions_def=DAYS, io_manager_key="json_io")
def daily(sales):
    return sorted(sales)


@asset(io_manager_key="dying_io")
def fragile():
    return "old" if "DIE" not in os.environ else "new"


ASSETS = [numbers, table, report, doubled, files, odd, all_odd, sales, daily, fragile]


def resources() -> dict[str, object]:
    store = lake()
    return {
        "io_manager": StoreIOManager(store=store, root_path="assets"),
        "parquet_io": StoreIOManager(store=store, root_path="assets", serializer=ParquetSerializer()),
        "json_io": StoreIOManager(store=store, root_path="assets", serializer=JsonSerializer()),
        "dying_io": StoreIOManager(store=store, root_path="assets", serializer=Dying()),
        "lake": store,
    }


chain = define_asset_job("chain", selection=[numbers, doubled])
defs = Definitions(assets=ASSETS, resources=resources() if "LAKE_URL" in os.environ else {}, jobs=[chain])


if __name__ == "__main__":
    command, key, *partition = sys.argv[1:]
    if command == "load":
        value = defs.load_asset_value(AssetKey(key.split(":")), partition_key=partition[0] if partition else None)
        sys.stdout.write(f"{value!r}\n")
    else:
        wanted = [one for one in ASSETS if one.key == AssetKey(key.split(":"))]
        with DagsterInstance.ephemeral() as instance:
            materialize(wanted, resources=resources(), instance=instance)
