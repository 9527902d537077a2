"""Tables as Parquet files. pyarrow is imported when a serializer is made, so that the others work without it."""

# `dataclass` reads the annotations when it makes the class, so they must not be postponed.
import sys
from dataclasses import dataclass
from typing import Any, BinaryIO, ClassVar, get_args

from remote_store.core import Reader
from remote_store.dagster.serializers import Serializer

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

        if is_frame(value):
            value = pa.Table.from_pandas(value)
        if isinstance(value, pa.Table):
            pq.write_table(value, file, compression=self.compression)
        elif hasattr(value, "__arrow_c_stream__"):
            batches = pa.RecordBatchReader.from_stream(value)
            with pq.ParquetWriter(file, batches.schema, compression=self.compression) as writer:
                for batch in batches:
                    writer.write_batch(batch)
        else:
            raise TypeError(
                f"a {type(value).__name__} is no table and cannot be written as Parquet; return a pandas.DataFrame or "
                "a pyarrow.Table, give the IO manager another serializer, or annotate a function that returns nothing "
                "with '-> None'"
            )

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


def frames() -> set[type]:
    """`pandas.DataFrame`, if pandas is imported. Without it, nothing is of that type."""
    pandas = sys.modules.get("pandas")
    return set() if pandas is None else {pandas.DataFrame}


def is_frame(value: Any) -> bool:
    """Whether a value is a `pandas.DataFrame`."""
    return isinstance(value, tuple(frames()))
