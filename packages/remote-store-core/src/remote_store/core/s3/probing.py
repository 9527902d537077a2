# Generated from packages/remote-store-core/src/remote_store/core/s3/aio_probing.py by tools/unasync.py; edit that.
"""The part of the S3 backend that finds out which conditions the endpoint honours."""

from __future__ import annotations

from remote_store.core.conditional_writes import ConditionalWrites
from remote_store.core.s3.base import S3Base
from remote_store.core.s3.operations import probing


class S3Probing(S3Base):
    """The method `probe_conditions`."""

    def probe_conditions(self, prefix: str) -> ConditionalWrites:
        """Find out which conditions the endpoint honours: about 100 requests, whatever `conditional_writes` is."""
        folder = prefix.removesuffix("/") if isinstance(prefix, str) else prefix
        self._check(probing.check_folder, folder)
        return self._run(probing.probe(self._bucket, folder), prefix)
