"""Datasets that are replaced in one step."""

from __future__ import annotations

from remote_store.pyarrow.datasets.reading import dataset
from remote_store.pyarrow.datasets.removing import delete_old_files
from remote_store.pyarrow.datasets.writing import write_dataset

__all__ = ["dataset", "delete_old_files", "write_dataset"]
