"""Backends that compare conditions with the wrong tag, in too few ways to write, or too early."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from mutants.registry import broken
from mutants.swapping import dropping
from remote_store.core import MemoryBackend, NotFound, NotModified, PreconditionFailed, WriteResult
from remote_store.core.memory.files import Draft


class Compares(MemoryBackend):
    """Files in memory; a subclass compares tags in its own way, in the methods that it names.

    Attributes:
        methods: The methods that compare wrongly.
    """

    methods: tuple[str, ...] = ()

    def matches(self, path: str, tag: str) -> bool:
        """Whether a condition holds."""
        return path in self._files and self._files[path].etag == tag

    def _own(self, method: str, path: str, options: dict[str, Any]) -> dict[str, Any]:
        tag = options.get("if_match")
        if method in self.methods and isinstance(tag, str) and self.matches(path, tag):
            return dropping(options, "if_match")
        return options

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        return super().write(path, content, **self._own("write", path, options))

    def read_range(self, path: str, start: int, length: int, **options: Any) -> bytes:
        return super().read_range(path, start, length, **self._own("read_range", path, options))

    def delete(self, path: str, **options: Any) -> None:
        super().delete(path, **self._own("delete", path, options))

    def copy(self, src: str, dst: str, **options: Any) -> None:
        super().copy(src, dst, **self._own("copy", src, options))

    def move(self, src: str, dst: str, **options: Any) -> None:
        super().move(src, dst, **self._own("move", src, options))


@broken("SWAP-002")
class KnowsTheTagsOfAllFiles(Compares):
    """A write with `if_match` succeeds with the ETag of any file."""

    methods = ("write",)

    def matches(self, path: str, tag: str) -> bool:
        return path in self._files and tag in {file.etag for file in self._files.values()}


@broken("SWAP-005")
class ReadsWithoutCase(Compares):
    """`read_range` compares ETags without case."""

    methods = ("read_range",)

    def matches(self, path: str, tag: str) -> bool:
        return path in self._files and self._files[path].etag.casefold() == tag.casefold()


@broken("SWAP-007")
class DeletesByLike(Compares):
    """A delete compares the ETag by LIKE, in which `%` is any text."""

    methods = ("delete",)

    def matches(self, path: str, tag: str) -> bool:
        return path in self._files and tag == "%"


@broken("SWAP-009")
class CopiesByTheBeginning(Compares):
    """A copy compares as many characters of the ETag as it is given."""

    methods = ("copy",)

    def matches(self, path: str, tag: str) -> bool:
        return path in self._files and self._files[path].etag.startswith(tag)


@broken("SWAP-010")
class MovesByTheBeginning(Compares):
    """A move compares as many characters as the stored ETag has."""

    methods = ("move",)

    def matches(self, path: str, tag: str) -> bool:
        return path in self._files and tag.startswith(self._files[path].etag)


@broken("SWAP-002")
class RemembersTheLastTag(Compares):
    """A write with the last ETag of a file that was deleted creates it again."""

    methods = ("write",)

    def matches(self, path: str, tag: str) -> bool:
        return path not in self._files and self.__dict__.get("last", {}).get(path) == tag

    def delete(self, path: str, **options: Any) -> None:
        if path in self._files:
            self.__dict__.setdefault("last", {})[path] = self._files[path].etag
        super().delete(path, **options)


@broken("SWAP-002")
class ComparesBeforeItReadsTheContent(MemoryBackend):
    """A write of an iterable compares its condition before it takes the content, and not again."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        if options.get("if_match") and not isinstance(content, bytes):
            super().get_file_info(path, if_match=options["if_match"])
            return super().write(path, content, **dropping(options, "if_match"))
        return super().write(path, content, **options)


@broken("SWAP-002")
class ForgetsConditionsOfWhatIsGone(MemoryBackend):
    """A block with `if_match` whose file is deleted meanwhile creates it again."""

    @contextmanager
    def open_atomic(self, path: str, **options: Any) -> Iterator[BinaryIO]:
        with Draft() as draft:
            tag = options.get("if_match")
            if tag is not None and (path not in self._files or self._files[path].etag != tag):
                raise PreconditionFailed("the file changed", path=path, backend=self.name)
            yield draft
        gone = path not in self._files
        self.write(path, draft.content, **(dropping(options, "if_match") if gone else options))


@broken("SWAP-004")
class AtomicWritesCompareBeforehand(MemoryBackend):
    """`write_atomic` compares first and writes later, so that another writer can come between."""

    def write_atomic(self, path: str, content: Any, **options: Any) -> WriteResult:
        tag = options.get("if_match")
        if tag and path in self._files and self._files[path].etag == tag:
            time.sleep(0.01)
            options = dropping(options, "if_match")
        return super().write_atomic(path, content, **options)


@broken("SWAP-007")
class DeletesCompareBeforehand(MemoryBackend):
    """A delete compares first and deletes later, so that a writer can come between."""

    def delete(self, path: str, **options: Any) -> None:
        tag = options.get("if_match")
        if tag and path in self._files and self._files[path].etag == tag:
            time.sleep(0.01)
            options = dropping(options, "if_match")
        super().delete(path, **options)


@broken("SWAP-006")
class FormerVersionsAreNotModified(MemoryBackend):
    """`if_none_match` with the ETag of a former version finds the file unmodified."""

    def _commit(self, path: str, *rest: Any, **options: Any) -> WriteResult:
        if path in self._files:
            self.__dict__.setdefault("former", {}).setdefault(path, set()).add(self._files[path].etag)
        return super()._commit(path, *rest, **options)

    def get_file_info(self, path: str, **options: Any) -> Any:
        tag = options.get("if_none_match")
        moved = tag in self.__dict__.get("former", {}).get(path, ()) and path in self.__dict__.get("targets", ())
        return NotModified(path, str(tag)) if moved else super().get_file_info(path, **options)

    def copy(self, src: str, dst: str, **options: Any) -> None:
        super().copy(src, dst, **options)
        self.__dict__.setdefault("targets", set()).add(dst)
        self.__dict__.setdefault("former", {}).setdefault(dst, set())


@broken("SWAP-005")
class KnowsNoTagsOfCopies(MemoryBackend):
    """A read with `if_match` of a file that was copied there always fails."""

    def copy(self, src: str, dst: str, **options: Any) -> None:
        super().copy(src, dst, **options)
        self.__dict__.setdefault("copies", set()).add(dst)

    def read_bytes(self, path: str, **options: Any) -> Any:
        if options.get("if_match") and path in self.__dict__.get("copies", ()):
            raise PreconditionFailed("the file changed", path=path, backend=self.name)
        return super().read_bytes(path, **options)


@broken("SWAP-008")
class DeletesOfWhatWasMovedFail(MemoryBackend):
    """A delete with the ETag of a file that was moved away raises PreconditionFailed."""

    def move(self, src: str, dst: str, **options: Any) -> None:
        super().move(src, dst, **options)
        self.__dict__.setdefault("moved", set()).add(src)

    def delete(self, path: str, **options: Any) -> None:
        try:
            super().delete(path, **options)
        except NotFound as error:
            if options.get("if_match") and path in self.__dict__.get("moved", ()):
                raise PreconditionFailed("the file changed", path=path, backend=self.name) from error
            raise
