from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest


@pytest.fixture
def connection(place) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connected:
        connected.register_filesystem(place.fs)
        yield connected


def test_a_table_is_copied_out_and_queried(connection, place):
    connection.sql("COPY (SELECT range AS n, range * 2 AS m FROM range(1000)) TO 'remote-store://t/n.parquet'")
    assert place.names() == ["t/n.parquet"]
    assert connection.sql("SELECT sum(m) FROM 'remote-store://t/n.parquet'").fetchall() == [(999_000,)]
    connection.sql("COPY (SELECT 1 AS n) TO 'remote-store://t/n.csv' (HEADER)")
    assert place.store.read_text("t/n.csv").split() == ["n", "1"]
    assert connection.sql("SELECT n FROM read_csv('remote-store://t/n.csv')").fetchall() == [(1,)]


def test_a_pattern_finds_the_files(connection, place):
    for number in range(3):
        connection.sql(f"COPY (SELECT {number} AS n) TO 'remote-store://t/part-{number}.parquet'")
    place.store.write("t/notes.txt", b"no table")
    found = connection.sql(
        "SELECT n, filename FROM read_parquet('remote-store://t/*.parquet', filename=true) ORDER BY n"
    )
    assert found.fetchall() == [(n, f"remote-store://t/part-{n}.parquet") for n in range(3)]
    deep = connection.sql("SELECT count(*) FROM read_parquet('remote-store://**/part-[01].parquet')")
    assert deep.fetchall() == [(2,)]


def test_a_bracket_in_a_name_is_a_pattern(connection, place):
    place.store.write("t/[2024].csv", b"n\n1\n")
    place.store.write("t/2.csv", b"n\n2\n")
    assert connection.sql("SELECT n FROM read_csv('remote-store://t/[2024].csv')").fetchall() == [(2,)]
    assert connection.sql("SELECT n FROM read_csv('remote-store://t/[[]2024].csv')").fetchall() == [(1,)]


def test_partitions_are_written_and_read(connection, place):
    connection.sql(
        "COPY (SELECT range AS n, range % 2 AS odd FROM range(10)) TO 'remote-store://p' "
        "(FORMAT parquet, PARTITION_BY odd, OVERWRITE_OR_IGNORE)"
    )
    assert {name.rpartition("/")[0] for name in place.names()} == {"p/odd=0", "p/odd=1"}
    found = connection.sql("SELECT sum(n) FROM read_parquet('remote-store://p/*/*.parquet') WHERE odd = 1").fetchall()
    assert found == [(25,)]


def test_a_missing_file_is_an_error_that_names_it(connection):
    with pytest.raises((duckdb.Error, FileNotFoundError), match="none.parquet"):
        connection.sql("SELECT * FROM 'remote-store://none.parquet'").fetchall()


@pytest.mark.parametrize("old", [False, True], ids=["new", "old"])
@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_a_query_that_fails_while_it_is_copied_leaves_what_was_there(connection, place, old, form):
    if old:
        place.store.write(f"deep/t.{form}", b"old")
    with pytest.raises(duckdb.Error, match="stop"):
        connection.sql(
            "COPY (SELECT CASE WHEN range = 999999 THEN error('stop') ELSE 'x' END AS n FROM range(1000000)) "
            f"TO 'remote-store://deep/t.{form}'"
        )
    assert place.names() == ([f"deep/t.{form}"] if old else [])
    assert not old or place.store.read_bytes(f"deep/t.{form}") == b"old"


def test_a_table_that_changes_while_it_is_read_is_refused(s3):
    with duckdb.connect() as connection:
        connection.register_filesystem(s3.fs)
        for name, value in {"large": 1, "new": 2}.items():
            connection.sql(
                f"COPY (SELECT {value} AS a, range AS b FROM range(300000)) TO 'remote-store://{name}.parquet'"
            )
        replaced = s3.replace_after(1, "large.parquet", s3.store.read_bytes("new.parquet"))
        with pytest.raises(Exception, match="version that was expected"):
            connection.sql("SELECT sum(a), sum(b) FROM 'remote-store://large.parquet'").fetchall()
        assert replaced.hits == 1
