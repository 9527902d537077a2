"""What each serializer keeps, and what it refuses."""

from __future__ import annotations

import gzip
import io
import math
import pickle
import secrets
import subprocess
import sys
import threading
from typing import Any

import dagster
import pandas as pd
import pyarrow as pa
import pytest
from dagster import (
    ConfigurableResource,
    DagsterInstance,
    EnvVar,
    asset,
    build_input_context,
    build_output_context,
    materialize,
)
from packaging.version import Version

from remote_store.core import BackendUnavailable, MemoryBackend, Store
from remote_store.dagster import JsonSerializer, ParquetSerializer, PickleSerializer, Serializer, StoreIOManager

FRAME = pd.DataFrame({"number": [1, 2, 3], "name": ["a", None, "ü"]}, index=pd.Index([5, 6, 7], name="row"))
TABLE = pa.table({"number": [1, 2, 3]})


@pytest.fixture
def store():
    with Store(MemoryBackend()) as store:
        yield store


def manager(store, serializer):
    return StoreIOManager(store=store, serializer=serializer)


def kept(store, serializer, value, kind: Any = Any):
    """The value after it was written and read."""
    through = manager(store, serializer)
    through.handle_output(build_output_context(asset_key=["value"]), value)
    return through.load_input(build_input_context(asset_key=["value"], dagster_type=typed(kind)))


def typed(kind):
    from dagster import PythonObjectDagsterType

    return None if kind is Any else PythonObjectDagsterType(kind)


@pytest.mark.parametrize("value", [None, 0, "text", b"\x00" * 20_000_000, {1: (2, 3)}, [math.inf], ...])
def test_a_pickle_keeps_values_of_python(store, value) -> None:
    assert kept(store, PickleSerializer(), value) == value


@pytest.mark.parametrize("value", [None, 0, 1.5, "größe\n", [1, [2, {}]], {"a": {"b": None}}, {"": True}])
@pytest.mark.parametrize("indent", [None, 2])
def test_json_keeps_values_of_json(store, value, indent) -> None:
    assert kept(store, JsonSerializer(indent=indent), value) == value


def test_parquet_keeps_a_frame_with_its_index(store) -> None:
    pd.testing.assert_frame_equal(kept(store, ParquetSerializer(), FRAME), FRAME)
    pd.testing.assert_frame_equal(kept(store, ParquetSerializer(), FRAME, pd.DataFrame), FRAME)


def test_parquet_reads_what_the_input_is_annotated_with(store) -> None:
    assert kept(store, ParquetSerializer(), TABLE).equals(TABLE)
    assert kept(store, ParquetSerializer(), TABLE, pa.Table).equals(TABLE)
    assert list(kept(store, ParquetSerializer(), TABLE, pd.DataFrame)["number"]) == [1, 2, 3]
    assert kept(store, ParquetSerializer(), FRAME, pa.Table).column_names == ["number", "name", "row"]


def test_parquet_writes_batches_one_by_one(store) -> None:
    alive = []

    def batches():
        for number in range(5):
            alive.append(number)
            yield pa.record_batch({"number": [number]})

    reader = pa.RecordBatchReader.from_batches(pa.schema({"number": pa.int64()}), batches())
    assert kept(store, ParquetSerializer(), reader)["number"].to_pylist() == alive


@pytest.mark.parametrize(
    "serializer, value, advice",
    [
        (PickleSerializer(), threading.Lock(), "another serializer"),
        (PickleSerializer(), lambda: 1, "another serializer"),
        (PickleSerializer(), (number for number in range(3)), "another serializer"),
        (JsonSerializer(), {1, 2}, "another serializer"),
        (JsonSerializer(), math.nan, "finite"),
        (JsonSerializer(), "\ud800", "another serializer"),
        (JsonSerializer(), {1: "a", "1": "b"}, "str keys"),
        (JsonSerializer(), [{"a": {None: 1}}], "str keys"),
        (ParquetSerializer(), None, "-> None"),
        (ParquetSerializer(), [1, 2], "pandas.DataFrame"),
        (ParquetSerializer(), pd.DataFrame([[1, 2]], columns=["a", "a"]), "pandas.DataFrame"),
        (ParquetSerializer(), pd.DataFrame({"a": [1, "x"]}), "pandas.DataFrame"),
        (ParquetSerializer(), pd.Series([1, 2]), "pandas.DataFrame"),
    ],
)
def test_a_value_that_the_format_cannot_hold_is_refused_and_the_old_one_stays(store, serializer, value, advice) -> None:
    path = f"value{serializer.extension}"
    store.write(path, b"old")
    with pytest.raises(TypeError, match=advice):
        manager(store, serializer).handle_output(build_output_context(asset_key=["value"]), value)
    assert store.read_bytes(path) == b"old"


def test_a_value_that_holds_itself_is_refused(store) -> None:
    circle: list[Any] = []
    circle.append(circle)
    with pytest.raises(TypeError, match="another serializer"):
        manager(store, JsonSerializer()).handle_output(build_output_context(asset_key=["value"]), circle)


def test_an_annotation_that_is_no_table_is_refused(store) -> None:
    with pytest.raises(TypeError, match="annotate the input"):
        kept(store, ParquetSerializer(), TABLE, int)


def test_parquet_without_pyarrow_names_what_to_install() -> None:
    program = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "from remote_store.dagster import ParquetSerializer, PickleSerializer\n"
        "PickleSerializer()\n"
        "try:\n"
        "    ParquetSerializer()\n"
        "except ModuleNotFoundError as error:\n"
        "    print(error)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ended.stdout == 'ParquetSerializer needs pyarrow: pip install "remote-store-dagster[parquet]"\n', (
        ended.stderr
    )


def test_the_serializers_do_not_import_pyarrow_before_they_need_it() -> None:
    program = "import remote_store.dagster, sys; print({'pyarrow', 'pandas'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout == "set()\n"


class Lines(Serializer):
    """A list of lines, as compressed text. It closes the files that it is given, as many libraries do."""

    extension = ".txt.gz"
    content_type = "application/gzip"

    def dump(self, value, file):
        with file, gzip.open(file, "wt", encoding="utf-8") as text:
            text.writelines(f"{line}\n" for line in value)
        file.close()

    def load(self, file, kind):
        with file, gzip.open(file, "rt", encoding="utf-8") as text:
            return [line.rstrip("\n") for line in text]


def test_a_serializer_of_your_own_is_two_methods(store) -> None:
    assert kept(store, Lines(), ["one", "größe"]) == ["one", "größe"]
    info = store.head("value.txt.gz")
    assert info.content_type == "application/gzip"


def test_a_serializer_may_wrap_its_file_in_text(store) -> None:
    class Text(Lines):
        extension = ".txt"

        def dump(self, value, file):
            io.TextIOWrapper(file, "utf-8").write(value)

        def load(self, file, kind):
            return io.TextIOWrapper(file, "utf-8").read()

    assert kept(store, Text(), "größe") == "größe"


def test_a_serializer_may_seek_where_it_says_so(store) -> None:
    class Last(Serializer):
        random_access = True

        def dump(self, value, file):
            file.write(b"?" + bytes(value))
            file.seek(0)
            file.write(b"!")

        def load(self, file, kind):
            file.seek(-2, io.SEEK_END)
            last = file.read()
            file.seek(0)
            return file.read(1) + last

    assert kept(store, Last(), b"0123456789") == b"!89"


class Encrypted(ConfigurableResource, Serializer):
    """A serializer with configuration: every byte is combined with a secret."""

    key: str

    def dump(self, value, file):
        file.write(bytes(byte ^ ord(self.key) for byte in pickle.dumps(value)))

    def load(self, file, kind):
        return pickle.loads(bytes(byte ^ ord(self.key) for byte in file.read()))


def test_a_serializer_may_be_a_resource_with_configuration(monkeypatch) -> None:
    monkeypatch.setenv("SERIALIZER_KEY", "x")
    bucket = secrets.token_hex(8)

    @asset
    def value():
        return "plain"

    @asset
    def reading(value):
        return value

    # Older releases of Dagster close the store that they are given at the end of a run.
    through = manager(Store(MemoryBackend(bucket)), Encrypted(key=EnvVar("SERIALIZER_KEY")))
    with DagsterInstance.ephemeral() as instance:
        result = materialize([value, reading], resources={"io_manager": through}, instance=instance)
    assert result.output_for_node("reading") == "plain"
    with Store(MemoryBackend(bucket)) as store:
        assert b"plain" not in store.read_bytes("value.bin")


def test_newer_releases_of_dagster_leave_a_store_open_that_they_were_given(store) -> None:
    @asset
    def value():
        return 1

    with DagsterInstance.ephemeral() as instance:
        assert materialize(
            [value], resources={"io_manager": manager(store, PickleSerializer())}, instance=instance
        ).success
    if Version(dagster.__version__) < Version("1.12.18"):
        with pytest.raises(BackendUnavailable, match="closed"):
            store.is_file("value.pkl")
    else:
        assert store.is_file("value.pkl")


def test_an_exception_of_a_serializer_passes_and_leaves_the_old_value(store) -> None:
    class Broken(PickleSerializer):
        def dump(self, value, file):
            file.write(b"half")
            raise ZeroDivisionError("of the serializer")

        def load(self, file, kind):
            raise ZeroDivisionError("of the serializer")

    store.write("value.pkl", b"old")
    with pytest.raises(ZeroDivisionError, match="of the serializer"):
        manager(store, Broken()).handle_output(build_output_context(asset_key=["value"]), 1)
    assert store.read_bytes("value.pkl") == b"old"
    with pytest.raises(ZeroDivisionError, match="of the serializer"):
        manager(store, Broken()).load_input(build_input_context(asset_key=["value"]))
