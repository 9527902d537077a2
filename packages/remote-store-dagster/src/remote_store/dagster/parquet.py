"""Tables as Parquet files. pyarrow is imported when a serializer is made, so that the others work without it."""

# `dataclass` reads the annotations when it makes the class, so they must not be postponed.
import sys
from dataclasses import dataclass
from typing import Any, BinaryIO, ClassVar, get_args

from remote_store.core import Reader
from remote_store.dagster.serializers import Serializer

ADVICE = (
    "return a pandas.DataFrame or a pyarrow.Table, give the IO manager another serializer, or annotate a function that "
    "returns nothing with '-> None'"
)
INSTALL = 'pip install "remote-store-dagster[parquet]"'


@dataclass(frozen=True)
class ParquetSerializer(Serializer):
    """Tables of pandas and pyarrow, as Parquet files.

    It writes a `pandas.DataFrame`, a `pyarrow.Table`, and every object that exports an Arrow stream
    (`__arrow_c_stream__`). A `pyarrow.RecordBatchReader` is written batch by batch, and need not fit in memory.

    The annotation of an input decides what is read: `pandas.DataFrame` or `pyarrow.Table`. Without one, a table that
    was written from pandas is a `DataFrame` again, and any other is a `Table`.

    Args:
        compression: Compression of the columns, as pyarrow names it.

    Raises:
        ModuleNotFoundError: pyarrow is not installed.
    """

    __module__ = "remote_store.dagster"

    extension: ClassVar[str] = ".parquet"
    content_type: ClassVar[str | None] = "application/vnd.apache.parquet"
    random_access: ClassVar[bool] = True

    compression: str = "zstd"

    def __post_init__(self) -> None:
        try:
            import pyarrow.parquet  # noqa: F401 - to fail where the serializer is made
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(f"ParquetSerializer needs pyarrow: {INSTALL}", name=error.name) from error

    def dump(self, value: Any, file: BinaryIO) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            table = converted(value)
        except (pa.ArrowException, ValueError) as error:
            raise TypeError(f"the {type(value).__name__} cannot be written as Parquet: {error}; {ADVICE}") from error
        if isinstance(table, pa.Table):
            pq.write_table(table, file, compression=self.compression)
        else:
            with pq.ParquetWriter(file, table.schema, compression=self.compression) as writer:
                for batch in table:
                    writer.write_batch(batch)

    def load(self, file: Reader, kind: Any) -> Any:
        import pyarrow as pa
        import pyarrow.parquet as pq

        kinds = {kind, *get_args(kind)}
        if not kinds & {Any, object, pa.Table, *frames()}:
            raise TypeError(
                f"a Parquet file cannot be read as {kind}; annotate the input as pandas.DataFrame or pyarrow.Table"
            )
        table = pq.read_table(file)
        from_pandas = b"pandas" in (table.schema.metadata or {})
        if kinds & frames() or (from_pandas and pa.Table not in kinds):
            return table.to_pandas()
        return table


def converted(value: Any) -> Any:
    """A value as a `pyarrow.Table`, or as a `pyarrow.RecordBatchReader` of its batches.

    Raises:
        pyarrow.ArrowException: Arrow has no type for a column.
        TypeError: The value is no table.
        ValueError: pandas or Arrow cannot convert it, such as a frame with two columns of one name.
    """
    import pyarrow as pa

    if isinstance(value, pa.Table):
        return value
    if is_frame(value):
        return pa.Table.from_pandas(value)
    if hasattr(value, "__arrow_c_stream__"):
        return pa.RecordBatchReader.from_stream(value)
    raise TypeError(f"a {type(value).__name__} is no table and cannot be written as Parquet; {ADVICE}")


def frames() -> set[type]:
    """`pandas.DataFrame`, if pandas is imported. Without it, nothing is of that type."""
    pandas = sys.modules.get("pandas")
    return set() if pandas is None else {pandas.DataFrame}


def is_frame(value: Any) -> bool:
    """Whether a value is a `pandas.DataFrame`."""
    return isinstance(value, tuple(frames()))
