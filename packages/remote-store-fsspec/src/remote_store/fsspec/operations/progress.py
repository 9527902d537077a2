"""Callbacks of fsspec as progress functions of a store."""

from __future__ import annotations

from fsspec.callbacks import Callback

from remote_store.core import Progress


def progress_of(callback: Callback) -> Progress:
    """A progress function that tells an fsspec callback the size and the bytes so far."""

    def progress(done: int, total: int | None, delta: int) -> None:
        if not delta:
            callback.set_size(total)
            callback.absolute_update(done)
        else:
            callback.relative_update(delta)

    return progress
