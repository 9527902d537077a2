"""The IO manager: each value is one file of a store."""

# Dagster reads the annotations of an IO manager when its class is made, so they must not be postponed.
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast, get_args, get_origin

from dagster import (
    ConfigurableIOManager,
    DagsterInvariantViolationError,
    InputContext,
    MetadataValue,
    MultiPartitionKey,
    MultiPartitionsDefinition,
    OutputContext,
    ResourceDependency,
)
from pydantic import Field

from remote_store.core import Capability, NotFound, Reader, Store, WriteResult
from remote_store.dagster.layout import PARTITION, asset_path, output_path
from remote_store.dagster.serializers import PickleSerializer, Serializer
from remote_store.dagster.spool import spooled

BLOCK = 1024 * 1024
ALLOW_MISSING = "allow_missing_partitions"


class StoreIOManager(ConfigurableIOManager):
    """Keeps the values of assets and ops in a store, each as one file.

    A value is written to a file in memory, or on the local disk above 8 MiB, and sent when it is complete. Readers see
    the old or the new value. If the run dies or the serializer raises, the old value stays.

    An input that maps to several partitions is a dict from their keys, sorted, to their values. With the metadata
    `allow_missing_partitions`, partitions that do not exist are left out. An input that maps to one partition is its
    value.

    On S3: the requests of `write` for an output, and 1 for an input (1 and those of the blocks with `random_access`).

    Raises:
        NotFound: The value of an input is not in the store. It is a `FileNotFoundError`.
        TypeError: The serializer cannot write the value.
        PreconditionFailed: The value was replaced while it was read.
    """

    __module__ = "remote_store.dagster"

    store: ResourceDependency[Store]
    serializer: ResourceDependency[Serializer] = cast("Any", PickleSerializer())
    root_path: str = Field(default="", description="Folder of the store that the values are kept in.")

    def handle_output(self, context: OutputContext, obj: Any) -> None:
        """Write a value, and attach its path, size and ETag to the materialization. Replaces the value before."""
        store, serializer = self._parts()
        path = path_of(context, partition_to_write(context), serializer)
        with spooled() as file:
            serializer.dump(obj, file)
            file.seek(0)
            content_type = serializer.content_type if store.supports(Capability.USER_METADATA) else None
            written = store.write_atomic(path, file, overwrite=True, content_type=content_type)
        context.log.debug("wrote %d bytes to %s", written.size, store.native_path(path))
        # A function that returns None by accident has usually written something elsewhere, which a path would deny.
        if obj is not None:
            known = context.output_metadata or {}
            context.add_output_metadata({name: value for name, value in facts(store, written) if name not in known})

    def load_input(self, context: InputContext) -> Any:
        """Read a value, or the values of several partitions as a dict."""
        store, serializer = self._parts()
        kind = kind_of(context)
        if not context.has_asset_key or not context.has_asset_partitions:
            with opened(store, serializer, path_of(context, None, serializer), context) as file:
                return serializer.load(file, kind)
        # Dagster keeps some of them in a set, whose order changes from process to process.
        keys = sorted(context.asset_partition_keys)
        if not keys:
            return None
        values = self._partitions(context, keys, kind if len(keys) == 1 else kind_of_values(kind))
        return values if len(keys) > 1 else values.get(keys[0])

    def _partitions(self, context: InputContext, keys: Sequence[str], kind: Any) -> dict[str, Any]:
        store, serializer = self._parts()
        may_miss = bool((context.definition_metadata or {}).get(ALLOW_MISSING))
        values: dict[str, Any] = {}
        missing: list[str] = []
        for key in keys:
            try:
                file = opened(store, serializer, path_of(context, key, serializer), context)
            except NotFound:
                if not may_miss:
                    raise
                missing.append(key)
                continue
            with file:
                values[key] = serializer.load(file, kind)
        if missing:
            # In a bucket that does not exist, every partition is missing.
            store.check_health()
            context.log.warning("left out missing partitions, since %s is set: %s", ALLOW_MISSING, ", ".join(missing))
        return values

    def _parts(self) -> tuple[Store, Serializer]:
        """The store and the serializer.

        Raises:
            TypeError: One of them has another type.
        """
        if not isinstance(self.store, Store):
            raise TypeError(
                f"the store of a StoreIOManager must be a Store when it is used, not {type(self.store).__name__}; pass "
                "a Store or a StoreResource, and let Dagster initialize the IO manager"
            )
        if not isinstance(self.serializer, Serializer):
            raise TypeError(
                f"the serializer of a StoreIOManager is a {type(self.serializer).__name__}; pass an object of a "
                "subclass of remote_store.dagster.Serializer"
            )
        return (self.store.child(self.root_path) if self.root_path else self.store), self.serializer


def path_of(context: InputContext | OutputContext, partition: str | None, serializer: Serializer) -> str:
    """The path of a value in the store.

    Args:
        context: Names the asset, or the output of an op.
        partition: The key of the partition, if the asset has partitions.
        serializer: Says what the name of the file ends with.
    """
    if not context.has_asset_key:
        return output_path(context.get_identifier(), serializer.extension)
    dimensions = {} if partition is None else dimensions_of(context, partition)
    return asset_path(context.asset_key.path, dimensions, serializer.extension)


def dimensions_of(context: InputContext | OutputContext, partition: str) -> Mapping[str, str]:
    """The key of a partition in each of its dimensions."""
    if not isinstance(partition, MultiPartitionKey):
        definition = context.asset_partitions_def
        if not isinstance(definition, MultiPartitionsDefinition):
            return {PARTITION: partition}
        partition = definition.get_partition_key_from_str(partition)
    return partition.keys_by_dimension


def partition_to_write(context: OutputContext) -> str | None:
    """The key of the partition that an output is; `None` if the asset has no partitions.

    Raises:
        DagsterInvariantViolationError: The run is for several partitions.
    """
    if not context.has_asset_key or not context.has_asset_partitions:
        return None
    keys = context.asset_partition_keys
    if len(keys) != 1:
        raise DagsterInvariantViolationError(
            f"a StoreIOManager writes one partition of {context.asset_key.to_user_string()} at a time, and this run is "
            f"for {len(keys)}; use BackfillPolicy.multi_run(), or write the partitions through a StoreResource and "
            "return nothing (annotate the function with '-> None')"
        )
    return keys[0]


def opened(store: Store, serializer: Serializer, path: str, context: InputContext) -> Reader:
    """Open the file of a value.

    Raises:
        NotFound: The value is not in the store. The message says what to do.
    """
    try:
        return store.read_seekable(path, BLOCK) if serializer.random_access else store.read(path)
    except NotFound as error:
        what = f"asset {context.asset_key.to_user_string()}" if context.has_asset_key else "output of an op"
        advice = (
            "its store keeps files in the memory of one process: with the multiprocess executor, or to read it in a "
            "later run, use a store on a disk or a server"
            if store.resolve(path).kind == "memory"
            else "materialize it, or check the location of the store"
        )
        raise NotFound(
            f"the {what} has no value here; {advice}",
            path=path,
            backend=error.backend,
            code=error.code,
            status=error.status,
            request_id=error.request_id,
        ) from error


def kind_of(context: InputContext) -> Any:
    """The type that an input is annotated with; `Any` without an annotation."""
    try:
        return context.dagster_type.typing_type
    except DagsterInvariantViolationError:
        # A context of `build_input_context` without a type.
        return Any


def kind_of_values(kind: Any) -> Any:
    """The type of the values of a dict type; `Any` of any other type."""
    arguments = get_args(kind)
    is_mapping = isinstance(origin := get_origin(kind), type) and issubclass(origin, Mapping)
    return arguments[1] if is_mapping and len(arguments) == 2 else Any


def facts(store: Store, written: WriteResult) -> Iterator[tuple[str, MetadataValue]]:
    """What to tell about a value that was written. The path is the backend's own, which contains no secret."""
    yield "path", MetadataValue.path(store.native_path(written.path))
    yield "size", MetadataValue.int(written.size)
    if written.etag is not None:
        yield "etag", MetadataValue.text(written.etag)
    if written.version_id is not None:
        yield "version_id", MetadataValue.text(written.version_id)
