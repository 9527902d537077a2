"""Assets that are materialized here and read back in another process."""

from __future__ import annotations

import ast
import json
from urllib.parse import unquote

import pandas as pd
import pyarrow.dataset
import pytest
from dagster import AssetIn, DagsterInstance, MultiPartitionKey, SourceAsset, asset, materialize
from project import ASSETS, DAYS, ODD, all_odd, daily, numbers, odd, report, resources, sales, table

from remote_store.core import Store


def metadata_of(result, name):
    return {label: value.value for label, value in result.asset_materializations_for_node(name)[-1].metadata.items()}


def made(assets, **options):
    with DagsterInstance.ephemeral() as instance:
        return materialize(assets, resources=resources(), instance=instance, **options)


def source(definition):
    return SourceAsset(definition.key, partitions_def=definition.partitions_def, io_manager_key="json_io")


def failure(assets, **options):
    """The exceptions of a run that fails, from the outermost to its cause."""
    with pytest.raises(Exception) as caught:  # noqa: PT011 - the type depends on where the run fails
        made(assets, **options)
    chain = [caught.value]
    while chain[-1].__cause__ is not None:
        chain.append(chain[-1].__cause__)
    return chain


@pytest.mark.timeout(300)
def test_values_are_read_back_in_another_process(place, elsewhere) -> None:
    assert made([numbers, table, report]).success
    with place.open() as store:
        assert sorted(info.path for info in store.list_files(recursive=True)) == [
            "assets/raw/shop/numbers.pkl",
            "assets/report.json",
            "assets/table.parquet",
        ]
        content_type = store.head("assets/report.json").content_type
    assert content_type == "application/json"
    assert ast.literal_eval(elsewhere("load", "report").stdout) == {"rows": 3, "sum": 6}


def test_what_another_process_writes_is_read_here(moto_place, elsewhere) -> None:
    ended = elsewhere("materialize", "raw:shop:numbers")
    assert ended.returncode == 0, ended.stderr
    assert made([SourceAsset(numbers.key), table, report]).output_for_node("report") == {"rows": 3, "sum": 6}


def test_the_materialization_says_where_the_value_is_how_large_and_which_version(place) -> None:
    facts = metadata_of(made([numbers]), "raw__shop__numbers")
    with place.open() as store:
        info = store.head("assets/raw/shop/numbers.pkl")
    assert facts == {"path": f"{place.bucket}/assets/raw/shop/numbers.pkl", "size": info.size, "etag": info.etag}
    assert not {place.options["key"], place.options["secret"]} & set(map(str, facts.values()))


def test_an_output_is_one_request_and_an_input_is_one(place) -> None:
    # Reading a table is one request for its size and one for the only block.
    with place.endpoint.recording() as requests:
        made([numbers, table, report])
    assert [request.operation for request in requests] == [
        "PutObject",
        "GetObject",
        "PutObject",
        "HeadObject",
        "GetObject",
        "PutObject",
    ]


def test_a_metadata_of_the_asset_itself_stays(memory) -> None:
    @asset
    def labelled(context):
        context.add_output_metadata({"size": "three rows"})
        return 1

    facts = metadata_of(made([labelled]), "labelled")
    assert facts["size"] == "three rows"
    assert facts["path"].endswith("assets/labelled.pkl")


def test_a_second_run_replaces_the_value(memory) -> None:
    values = iter(["first", "second"])

    @asset
    def changing():
        return next(values)

    @asset
    def reading(changing):
        return changing

    made([changing])
    assert made([changing, reading]).output_for_node("reading") == "second"
    assert [info.path for info in memory.list_files(recursive=True, pattern="changing*")] == ["assets/changing.pkl"]


def test_a_function_that_returns_nothing_stores_nothing(memory) -> None:
    @asset
    def nothing() -> None:
        return None

    @asset(deps=[nothing])
    def after():
        return 1

    assert made([nothing, after]).success
    assert [info.path for info in memory.list_files(recursive=True)] == ["assets/after.pkl"]


def test_none_without_an_annotation_is_a_value_without_a_path_as_in_dagsters_managers(memory) -> None:
    @asset
    def maybe():
        return None

    @asset
    def reading(maybe):
        return maybe is None

    result = made([maybe, reading])
    assert metadata_of(result, "maybe") == {}
    assert result.output_for_node("reading") is True


@pytest.mark.parametrize("key", ODD)
def test_a_partition_of_any_key_is_read_back(memory, key) -> None:
    made([odd], partition_key=key)
    (info,) = memory.list_files(recursive=True)
    folder, _, name = info.path.removeprefix("assets/odd/").rpartition("/")
    assert name == "data.json"
    assert unquote(folder.removeprefix("partition=")) == key
    assert json.loads(memory.read_text(info.path)) == f"value of {key}"


def test_all_partitions_are_one_dict(place) -> None:
    for key in ODD[:5]:
        made([odd], partition_key=key)
    with pytest.raises(Exception, match="no value here"):
        made([source(odd), all_odd])
    for key in ODD[5:]:
        made([odd], partition_key=key)
    values = made([source(odd), all_odd]).output_for_node("all_odd")
    assert list(values.items()) == [(key, f"value of {key}") for key in sorted(ODD)]


def test_a_partition_is_read_back_in_another_process(moto_place, elsewhere) -> None:
    made([sales], partition_key=MultiPartitionKey({"region": "us/east", "day": "2026-01-01"}))
    expected = {"region": "us/east", "day": "2026-01-01"}
    assert ast.literal_eval(elsewhere("load", "sales", "2026-01-01|us/east").stdout) == expected


def test_partitions_with_several_dimensions_map_to_a_dict(place) -> None:
    for region in ("eu", "us/east", ".."):
        made([sales], partition_key=MultiPartitionKey({"region": region, "day": "2026-01-01"}))
    with place.open() as store:
        assert sorted(info.path for info in store.list_files("assets/sales", recursive=True)) == [
            "assets/sales/day=2026-01-01/region=../data.json",
            "assets/sales/day=2026-01-01/region=eu/data.json",
            "assets/sales/day=2026-01-01/region=us%2Feast/data.json",
        ]
    result = made([source(sales), daily], partition_key="2026-01-01")
    assert result.output_for_node("daily") == ["2026-01-01|..", "2026-01-01|eu", "2026-01-01|us/east"]


def test_missing_partitions_are_an_error_unless_they_may_be_missing(memory) -> None:
    made([odd], partition_key="a")

    @asset(ins={"odd": AssetIn(metadata={"allow_missing_partitions": True})}, io_manager_key="json_io")
    def some(odd: dict[str, str]):
        return odd

    assert made([source(odd), some]).output_for_node("some") == {"a": "value of a"}
    assert isinstance(failure([source(odd), all_odd])[-2], FileNotFoundError)

    @asset(partitions_def=DAYS, ins={"day": AssetIn("dated", metadata={"allow_missing_partitions": True})})
    def one(day):
        return day is None

    dated = SourceAsset("dated", partitions_def=DAYS)
    assert made([dated, one], partition_key="2026-01-01").output_for_node("one") is True


def test_a_missing_bucket_is_not_taken_for_missing_partitions(moto_place, monkeypatch) -> None:
    monkeypatch.setenv("LAKE_URL", "s3+boto3://no-such-bucket")

    @asset(ins={"odd": AssetIn(metadata={"allow_missing_partitions": True})})
    def some(odd: dict[str, str]):
        return odd

    chain = failure([source(odd), some])
    assert [error.code for error in chain if isinstance(error, FileNotFoundError)][-1] == "NoSuchBucket"


def test_a_run_for_several_partitions_is_refused_with_the_way_out(memory) -> None:
    tags = {"dagster/asset_partition_range_start": "2026-01-01", "dagster/asset_partition_range_end": "2026-01-02"}

    @asset(partitions_def=DAYS)
    def dated():
        return 1

    chain = failure([dated], tags=tags)
    assert "multi_run" in str(chain[-1])
    assert list(memory.list_files(recursive=True)) == []


def test_partitions_of_tables_are_one_dataset_of_pyarrow(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("LAKE_URL", f"file://{tmp_path}")
    monkeypatch.delenv("LAKE_ENDPOINT", raising=False)

    @asset(partitions_def=sales.partitions_def, io_manager_key="parquet_io")
    def orders(context):
        return pd.DataFrame({"day_of_value": [context.partition_key.keys_by_dimension["day"]]})

    keys = [("eu", "2026-01-01"), ("us/east", "2026-01-02"), ("..", "2026-01-02")]
    for region, day in keys:
        made([orders], partition_key=MultiPartitionKey({"region": region, "day": day}))
    found = pyarrow.dataset.dataset(tmp_path / "assets" / "orders", partitioning="hive").to_table().to_pylist()
    assert sorted((row["region"], row["day"], row["day_of_value"]) for row in found) == sorted(
        (region, day, day) for region, day in keys
    )


def test_every_asset_of_the_project_loads_as_a_code_location(memory) -> None:
    from dagster import Definitions

    Definitions.validate_loadable(Definitions(assets=ASSETS, resources=resources()))


def test_the_value_of_an_op_is_kept_under_its_run(memory: Store) -> None:
    from dagster import DynamicOut, DynamicOutput, job, op

    @op(out=DynamicOut())
    def several():
        yield DynamicOutput(1, "one")
        yield DynamicOutput(2, "two")

    @op
    def double(value):
        return value * 2

    @op
    def total(values):
        return sum(values)

    @job(resource_defs=resources())
    def summing():
        total(several().map(double).collect())

    with DagsterInstance.ephemeral() as instance:
        result = summing.execute_in_process(instance=instance)
    assert result.output_for_node("total") == 6
    folder = f"assets/run={result.run_id}"
    assert sorted(info.path for info in memory.list_files(recursive=True)) == [
        f"{folder}/double%5Bone%5D/result.pkl",
        f"{folder}/double%5Btwo%5D/result.pkl",
        f"{folder}/several/result/one.pkl",
        f"{folder}/several/result/two.pkl",
        f"{folder}/total/result.pkl",
    ]
