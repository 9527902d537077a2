from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import CommitFailedException, NoSuchTableError
from pyiceberg.io import FileIO, InputFile, InputStream, OutputFile, OutputStream, load_file_io
from pyiceberg.transforms import IdentityTransform

import pages
from remote_store.conformance.endpoint import Endpoint
from remote_store.conformance.servers import Server, moto_server
from remote_store.core import InvalidConfiguration, InvalidPath, PreconditionFailed, Store
from remote_store.pyarrow.iceberg import StoreFileIO

IMPLEMENTATION = {"py-io-impl": "remote_store.pyarrow.iceberg.StoreFileIO"}
ROWS = pa.table({"city": ["Ulm", "Bonn", "Kiel"], "people": [126, 336, 247]})
MORE = pa.table({"city": ["Jena"], "people": [110]})


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with moto_server() as running:
        yield running


@pytest.fixture(scope="session")
def endpoint(server: Server) -> Iterator[Endpoint]:
    with Endpoint(server.url) as running:
        yield running


class Place:
    """A warehouse, and the properties of a catalog that lead to it."""

    def __init__(self, warehouse: str, **properties: str) -> None:
        self.warehouse = warehouse
        self.properties = {**IMPLEMENTATION, **{f"remote-store.{name}": value for name, value in properties.items()}}


@pytest.fixture(params=["s3+boto3", "s3+pyarrow", "file", "memory"])
def place(request: pytest.FixtureRequest, server: Server, endpoint: Endpoint, tmp_path: Path) -> Place:
    if request.param == "memory":
        return Place(f"memory://{tmp_path.name}/warehouse", url=f"memory://{tmp_path.name}")
    if request.param == "file":
        return Place(f"file://{tmp_path}/warehouse", url=f"file://{tmp_path}")
    bucket = f"iceberg-{abs(hash(request.node.name)) % 10**12}"
    server.create_bucket(bucket)
    query = f"endpoint_url={endpoint.url}&region_name={server.region}&conditional_writes=true"
    return Place(
        f"s3://{bucket}/warehouse", url=f"{request.param}://{bucket}?{query}", key=server.key, secret=server.secret
    )


@pytest.fixture
def catalog(place: Place, tmp_path: Path) -> SqlCatalog:
    return open_catalog(place, tmp_path)


def open_catalog(place: Place, tmp_path: Path) -> SqlCatalog:
    made = SqlCatalog("lake", uri=f"sqlite:///{tmp_path}/catalog.db", warehouse=place.warehouse, **place.properties)
    made.create_namespace_if_not_exists("geo")
    return made


@pytest.mark.smoke
def test_a_table_is_written_and_read_in_another_session(place: Place, catalog: SqlCatalog, tmp_path: Path) -> None:
    table = catalog.create_table("geo.cities", schema=ROWS.schema)
    assert type(table.io) is StoreFileIO
    table.append(ROWS)
    table.append(MORE)
    again = open_catalog(place, tmp_path).load_table("geo.cities")
    assert sorted(again.scan().to_arrow()["city"].to_pylist()) == ["Bonn", "Jena", "Kiel", "Ulm"]
    assert again.scan("people > 200", selected_fields=("city",)).to_arrow().to_pydict().keys() == {"city"}
    assert again.scan("people > 200").to_arrow().num_rows == 2
    first = again.snapshots()[0].snapshot_id
    assert again.scan(snapshot_id=first).to_arrow().num_rows == 3


def test_rows_are_replaced_and_deleted_and_the_schema_grows(catalog: SqlCatalog) -> None:
    table = catalog.create_table("geo.cities", schema=ROWS.schema)
    table.append(ROWS)
    table.delete("city == 'Ulm'")
    table.overwrite(MORE, overwrite_filter="city == 'Bonn'")
    with table.update_schema() as update:
        update.union_by_name(pa.schema([*ROWS.schema, pa.field("river", pa.string())]))
    table.append(pa.table({"city": ["Köln"], "people": [1087], "river": ["Rhein"]}))
    assert sorted(table.scan().to_arrow()["city"].to_pylist()) == ["Jena", "Kiel", "Köln"]
    catalog.purge_table("geo.cities")
    with pytest.raises(NoSuchTableError):
        catalog.load_table("geo.cities")


def test_partitions_are_written_and_read(catalog: SqlCatalog) -> None:
    table = catalog.create_table("geo.cities", schema=ROWS.schema)
    with table.update_spec() as update:
        update.add_identity("city") if hasattr(update, "add_identity") else update.add_field(
            "city", IdentityTransform()
        )
    table.append(ROWS)
    assert table.scan("city == 'Kiel'").to_arrow()["people"].to_pylist() == [247]
    assert len(list(table.scan("city == 'Kiel'").plan_files())) == 1


VALUES = ["../../../../out", "a/b", "a%2Fb", "ü", "#", "?x", "", " ", None]


@pytest.mark.parametrize("folder", ["warehouse", "w h", "w%20h"])
def test_other_engines_find_the_files_of_any_partition(tmp_path: Path, folder: str) -> None:
    place = Place(f"file://{tmp_path}/{folder}", url=f"file://{tmp_path}")
    table = open_catalog(place, tmp_path).create_table("geo.cities", schema=ROWS.schema)
    with table.update_spec() as update:
        update.add_field("city", IdentityTransform())
    rows = pa.table({"city": pa.array(VALUES, pa.string()), "people": list(range(len(VALUES)))})
    table.append(rows)
    place.properties = {"py-io-impl": "pyiceberg.io.pyarrow.PyArrowFileIO"}
    for catalog in (open_catalog(place, tmp_path), open_catalog(place, tmp_path)):
        found = catalog.load_table("geo.cities").scan().to_arrow()
        assert found.sort_by("people").to_pydict() == rows.to_pydict()
    assert {path.parents[1].name for path in tmp_path.rglob("*.parquet")} == {"data"}


@pytest.mark.parametrize("name", ["a#1", "a?1", "a[1"])
def test_locations_are_taken_as_they_are(tmp_path: Path, name: str) -> None:
    files = StoreFileIO({"remote-store.url": f"file://{tmp_path}"})
    for location in (f"file://{tmp_path}/{name}", f"file:{tmp_path}/{name}", f"file://localhost{tmp_path}/{name}"):
        with files.new_output(location).create(overwrite=True) as file:
            file.write(location.encode())
        assert [path.name for path in tmp_path.iterdir()] == [name]
        assert (tmp_path / name).read_text() == location


def test_two_writers_of_one_snapshot_lose_no_row(place: Place, catalog: SqlCatalog, tmp_path: Path) -> None:
    catalog.create_table("geo.cities", schema=ROWS.schema).append(ROWS)
    one, other = (open_catalog(place, tmp_path).load_table("geo.cities") for _ in range(2))
    one.append(MORE)
    try:
        other.append(MORE)
    except CommitFailedException:
        rows = 4
    else:
        # PyIceberg tries again since 0.12.
        rows = 5
    assert catalog.load_table("geo.cities").scan().to_arrow().num_rows == rows


def test_an_exception_while_a_file_is_written_writes_nothing(place: Place) -> None:
    io = load_file_io(place.properties)
    file = io.new_output(f"{place.warehouse}/half")
    with pytest.raises(KeyError, match="mine"), file.create() as stream:
        fail(stream.write(b"half"))
    assert not file.exists()


def fail(*done: object) -> None:
    raise KeyError("mine")


def test_the_files_are_those_of_pyiceberg(place: Place) -> None:
    io = load_file_io(place.properties)
    assert isinstance(io, FileIO)
    location = f"{place.warehouse}/a/x.txt"
    output = io.new_output(location)
    assert isinstance(output, OutputFile)
    assert not output.exists()
    with output.create() as stream:
        assert isinstance(stream, OutputStream)
        stream.write(b"content")
        assert stream.tell() == 7
    assert (len(output), output.exists(), output.location) == (7, True, location)
    file = io.new_input(location)
    assert isinstance(file, InputFile)
    assert len(file) == len(output.to_input_file()) == 7
    for seekable in (True, False):
        with file.open(seekable) as stream:
            assert isinstance(stream, InputStream)
            assert stream.read(100) == b"content"
    with pytest.raises(FileExistsError):
        output.create()
    with output.create(overwrite=True) as stream:
        stream.write(b"new")
    assert len(io.new_input(location)) == 3
    io.delete(file)
    for call in (
        lambda: io.delete(location),
        file.open,
        lambda: file.open(seekable=False),
        lambda: len(file),
    ):
        with pytest.raises(FileNotFoundError, match="x.txt"):
            call()


def test_two_writers_of_one_file_never_replace_each_other(place: Place) -> None:
    io = load_file_io(place.properties)
    location = f"{place.warehouse}/metadata.json"
    outcomes: list[object] = []
    start = threading.Barrier(2)

    def write(content: bytes) -> None:
        stream = io.new_output(location).create()
        stream.write(content)
        start.wait(30)
        try:
            stream.close()
        except FileExistsError as error:
            outcomes.append(error)
        else:
            outcomes.append(content)

    threads = [threading.Thread(target=write, args=(content,)) for content in (b"one", b"two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    (won,) = [outcome for outcome in outcomes if isinstance(outcome, bytes)]
    assert len(outcomes) == 2
    assert io.new_input(location).open().read() == won


def test_a_location_outside_of_the_store_is_refused(place: Place) -> None:
    io = load_file_io(place.properties)
    for location in ("s3://other-bucket/x", "file:///elsewhere/x", "gs://bucket/x"):
        with pytest.raises(InvalidPath):
            io.new_input(location)


def test_a_catalog_without_a_store_is_told_what_to_set() -> None:
    with pytest.raises(InvalidConfiguration, match="remote-store.url"):
        load_file_io(IMPLEMENTATION)


class OwnFileIO(StoreFileIO):
    def open_store(self, properties):
        return Store.from_url(f"memory://{properties['own']}")


def test_a_subclass_makes_its_own_store() -> None:
    io = OwnFileIO({"own": "mine"})
    with io.new_output("memory://mine/x").create() as stream:
        stream.write(b"1")
    assert io.store.read_bytes("x") == b"1"


@pytest.mark.parametrize("place", ["s3+boto3"], indirect=True)
def test_a_scan_sends_no_more_than_needed(catalog: SqlCatalog, endpoint: Endpoint) -> None:
    table = catalog.create_table("geo.cities", schema=ROWS.schema)
    with endpoint.recording() as requests:
        table.append(ROWS)
    writes = [request.operation for request in requests if request.operation == "PutObject"]
    # The data, the manifest, the list of manifests, and the metadata of the table.
    assert len(writes) == 4
    assert "CreateMultipartUpload" not in [request.operation for request in requests]
    with endpoint.recording() as requests:
        assert table.scan().to_arrow().num_rows == 3
    reads = {request.key.rpartition(".")[2]: [] for request in requests}
    for request in requests:
        reads[request.key.rpartition(".")[2]].append(request.operation)
    assert reads["parquet"] == ["HeadObject", "GetObject"]
    assert reads["avro"] == ["HeadObject", "GetObject"] * 2


@pytest.mark.parametrize("place", ["s3+boto3"], indirect=True)
def test_a_data_file_that_is_replaced_while_it_is_read_is_an_error(catalog: SqlCatalog) -> None:
    table = catalog.create_table("geo.cities", schema=ROWS.schema)
    table.append(ROWS)
    (task,) = table.scan().plan_files()
    io = table.io
    with io.new_output(task.file.file_path).create(overwrite=True) as stream:
        stream.write(b"0" * (2 << 20))
    file = io.new_input(task.file.file_path).open()
    with io.new_output(task.file.file_path).create(overwrite=True) as stream:
        stream.write(b"1" * (2 << 20))
    with pytest.raises(PreconditionFailed):
        file.read(10)


@pytest.mark.smoke
def test_the_page_runs(endpoint: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = Path("docs/iceberg.md").resolve()
    pages.prepare(endpoint, tmp_path, monkeypatch)
    pages.follow(page, endpoint, monkeypatch)
