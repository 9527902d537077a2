# Generated from packages/remote-store-core/src/remote_store/core/stores/async_swapping.py by tools/unasync.py; edit
# that.
"""Updates of a file that other writers change too."""

from __future__ import annotations

from typing import Any

from remote_store.core.capabilities import Capability
from remote_store.core.errors import AlreadyExists, NotFound, PreconditionFailed, RemoteStoreError
from remote_store.core.io.reader import known_info
from remote_store.core.io.source import Buffer
from remote_store.core.models import FileInfo, WriteResult
from remote_store.core.options import lacking, taken
from remote_store.core.retry import RetryPolicy
from remote_store.core.stores.rooted import Rooted
from remote_store.core.stores.swaps import (
    CONFLICTS,
    Attempts,
    Update,
    called,
    kept,
    lost,
    pause,
)


class Swapping(Rooted):
    """The methods of a store that read and replace a file in one step."""

    def update(
        self, path: str, function: Update, *, initial: bytes | None = None, retry: RetryPolicy = CONFLICTS
    ) -> WriteResult:
        """Replace the content of a file by what a function makes of it. No update of another writer is lost.

        Reads the file, calls the function, and writes the result with `if_match`. If another writer changed the file in
        the meantime, it does so again with the new content, so the function can be called several times. The metadata,
        the content type, the headers, the tags and the storage class of the file are kept. Encryption and legal hold
        are not: they become those of the backend's `put_options`, else the bucket's.

        On S3: 2 requests, or 3 if the file has tags; the same number again for each conflict. Memory: the old and the
        new content.

        Args:
            path: The file.
            function: Takes the content and returns the new content, as bytes. In an async store, it may be a coroutine
                function. What it raises passes unchanged, and nothing is written.
            initial: What to pass to the function if the file does not exist; the result is then written as a new file.
                `None` raises `NotFound` instead.
            retry: How many attempts to make, and for how long; by default 100 within 120 s. Between two attempts, a
                random time of up to 1 s passes.

        Returns:
            The file that was written.

        Raises:
            BackendUnavailable: Among others: the response to the write was lost, and another writer may have written
                the same content. `retryable` is then `False`.
            CapabilityNotSupported: The backend does not have `COMPARE_AND_SWAP`, or not `ATOMIC_CREATE`, which
                `initial` needs. No request was sent.
            InvalidPath: The path is the root, a folder, or malformed.
            NotFound: The file does not exist, and `initial` is `None`.
            PreconditionFailed: Other writers changed the file during all attempts.
            TypeError: The function returned something else than bytes.

        Example:
            >>> written = store.write("counter", b"1")
            >>> written = store.update("counter", lambda content: b"%d" % (int(content) + 1))
            >>> store.read_bytes("counter")
            b'2'
        """
        key = self._scope.key(path)
        attempts = Attempts(self._scope.path(key), retry)
        with self._scope.errors():
            self._check_updates(key, creates=initial is not None)
        while True:
            try:
                with self._scope.errors():
                    found = self._current(key, initial)
            except PreconditionFailed as conflict:
                pause(attempts.delay(conflict))
                continue
            info, content = found
            new = called(function, content)
            try:
                with self._scope.errors():
                    return self._scope.written(self._swap(key, info, new))
            except (AlreadyExists, PreconditionFailed) as conflict:
                seconds = attempts.delay(conflict)
            pause(seconds)

    def _check_updates(self, key: str, *, creates: bool) -> None:
        needed = [Capability.READ, Capability.WRITE, Capability.CONDITIONAL_READ, Capability.COMPARE_AND_SWAP]
        for capability in [*needed, *([Capability.ATOMIC_CREATE] if creates else [])]:
            if capability not in self._backend.capabilities:
                raise lacking(capability, "update", key, self._backend.name)

    def _current(self, key: str, initial: bytes | None) -> tuple[FileInfo | None, bytes]:
        """The file and its content, from one version."""
        try:
            with self._backend.read(key) as file:
                info = known_info(file)
                if info is not None:
                    return info, file.read()
            info = self._backend.get_file_info(key)
            same: dict[str, Any] = {"if_match": info.etag}
            return info, self._backend.read_bytes(key, **taken(self._backend.read_bytes, same, key))
        except NotFound:
            if initial is None:
                raise
            return None, initial

    def _swap(self, key: str, info: FileInfo | None, content: Buffer) -> WriteResult:
        passed: dict[str, Any] = {}
        if info is not None:
            if info.etag is None:
                message = "the backend returned no ETag, so the file cannot be replaced safely"
                raise RemoteStoreError(message, path=key, backend=self._backend.name)
            passed = {"overwrite": True, "if_match": info.etag, **kept(info, self._backend.capabilities)}
            if info.tag_count:
                passed["tags"] = self._backend.get_tags(key)
        written = self._backend.write(key, content, **taken(self._backend.write, passed, key))
        if written.response_lost:
            raise lost(key, self._backend.name)
        return written
