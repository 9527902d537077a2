"""How values become bytes: the interface of a serializer, and those that need nothing but the standard library."""

# `dataclass` reads the annotations when it makes the class, so they must not be postponed.
import json
import pickle
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, BinaryIO, ClassVar

from remote_store.core import Reader

PROTOCOL = 5


class Serializer(ABC):
    """Writes values to a file and reads them again. Subclass it to keep values in a format of your own.

    Attributes:
        extension: What the names of its files end with, such as `.csv`.
        content_type: MIME type to store with its files; `None` for that of the backend.
        random_access: Whether `load` reads the file in any order, as formats with an index do. The file is then opened
            with `read_seekable` and fetched in blocks of 1 MiB. Otherwise it is one response, read from its start.
    """

    __module__ = "remote_store.dagster"

    extension: ClassVar[str] = ".bin"
    content_type: ClassVar[str | None] = None
    random_access: ClassVar[bool] = False

    @abstractmethod
    def dump(self, value: Any, file: BinaryIO) -> None:
        """Write a value. If it raises, nothing is stored, and the value of an earlier run stays.

        Args:
            value: What the asset or the op returned.
            file: A binary file to write to. It is kept in memory, and on the local disk once it has more than 8 MiB.

        Raises:
            TypeError: The format cannot hold the value. The message says what to return instead.
        """

    @abstractmethod
    def load(self, file: Reader, kind: Any) -> Any:
        """Read a value. The bytes are those of one version of the file.

        Args:
            file: The binary file. `file.info` has its size and ETag. It is closed when the method returns.
            kind: The type that the input is annotated with; `typing.Any` without an annotation.

        Returns:
            The value.
        """


@dataclass(frozen=True)
class PickleSerializer(Serializer):
    """Any value that Python can pickle. Reading a pickle runs code: use it only where nobody else can write."""

    __module__ = "remote_store.dagster"

    extension: ClassVar[str] = ".pkl"

    def dump(self, value: Any, file: BinaryIO) -> None:
        try:
            pickle.dump(value, file, PROTOCOL)
        except (AttributeError, ImportError, RecursionError, TypeError, pickle.PicklingError) as error:
            raise TypeError(
                f"this {type(value).__name__} cannot be pickled: {error}; return a value that can, or give the IO "
                "manager another serializer"
            ) from error

    def load(self, file: Reader, kind: Any) -> Any:  # noqa: ARG002 - a pickle knows its type
        return pickle.load(file)  # noqa: S301 - the docstring warns


@dataclass(frozen=True)
class JsonSerializer(Serializer):
    """Values of JSON: dicts whose keys are text, lists, text, numbers, true, false and none.

    A tuple becomes a list. The text is held in memory.

    Args:
        indent: Spaces per level; `None` for one line.
    """

    __module__ = "remote_store.dagster"

    extension: ClassVar[str] = ".json"
    content_type: ClassVar[str | None] = "application/json"

    indent: int | None = None

    def dump(self, value: Any, file: BinaryIO) -> None:
        try:
            text = json.dumps(value, allow_nan=False, ensure_ascii=False, indent=self.indent).encode()
        except (TypeError, ValueError, RecursionError) as error:
            raise TypeError(
                f"this {type(value).__name__} cannot be written as JSON: {error}; return dicts, lists, text and finite "
                "numbers, or give the IO manager another serializer"
            ) from error
        check_keys(value)
        file.write(text)

    def load(self, file: Reader, kind: Any) -> Any:  # noqa: ARG002 - JSON has its own types
        return json.load(file)


def check_keys(value: Any) -> None:
    """Check that the keys of all dicts are text. JSON would make the keys `1` and `"1"` the same.

    Raises:
        TypeError: A key is not text.
    """
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            for key in value:
                if not isinstance(key, str):
                    raise TypeError(
                        f"a dict has a key of type {type(key).__name__}, which JSON would turn into text; use str keys "
                        "or give the IO manager another serializer"
                    )
            waiting.extend(value.values())
        elif isinstance(value, list | tuple):
            waiting.extend(value)
