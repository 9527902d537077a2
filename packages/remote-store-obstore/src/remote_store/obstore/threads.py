"""The async backend."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remote_store.core import ThreadedBackend
from remote_store.core.home import public
from remote_store.obstore.backend import ObstoreBackend
from remote_store.obstore.writing import PART_SIZE

if TYPE_CHECKING:
    from obstore.store import ObjectStore


@public("remote_store.obstore")
class AsyncObstoreBackend(ThreadedBackend):
    """The files of any store of obstore, async: runs an `ObstoreBackend` in a bounded number of threads.

    Bodies and listings are streamed. A cancelled read ends at once; a cancelled write ends when its request has ended.

    Args:
        store: The store.
        part_size: As for `ObstoreBackend`.
        max_threads: Largest number of calls at once.
    """

    def __init__(self, store: ObjectStore, *, part_size: int = PART_SIZE, max_threads: int = 32) -> None:
        backend = ObstoreBackend(store, part_size=part_size)
        super().__init__(backend, max_threads=max_threads)
        self.deviations_file = backend.deviations_file
