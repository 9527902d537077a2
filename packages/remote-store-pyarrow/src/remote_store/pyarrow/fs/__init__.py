"""pyarrow's filesystem of any store."""

from __future__ import annotations

from remote_store.pyarrow.fs.making import filesystem

__all__ = ["filesystem"]
