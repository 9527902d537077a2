"""The part of the S3 backend that finds out which conditions the endpoint honours."""

from __future__ import annotations

from remote_store.core.conditional_writes import ConditionalWrites
from remote_store.core.s3.aio_base import AsyncS3Base
from remote_store.core.s3.operations import probing


class AsyncS3Probing(AsyncS3Base):
    """The method `probe_conditions`."""

    async def probe_conditions(self, prefix: str) -> ConditionalWrites:
        """Find out which conditions the endpoint honours: about 100 requests, whatever `conditional_writes` is."""
        folder = prefix.removesuffix("/") if isinstance(prefix, str) else prefix
        self._check(probing.check_folder, folder)
        return await self._run(probing.probe(self._bucket, folder), prefix)
