"""The part of the S3 backend that makes URLs and forms for others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from remote_store.core.capabilities import Capability
from remote_store.core.models import PresignedPost
from remote_store.core.options import PostCondition, ReadOptions, version_option
from remote_store.core.s3.aio_base import AsyncS3Base
from remote_store.core.s3.operations import presigning
from remote_store.core.s3.protocol.keys import check_key, check_new_key


class AsyncS3Presigning(AsyncS3Base):
    """`presign` and `presign_post`, for lanes whose port signs."""

    async def presign(
        self,
        path: str,
        *,
        method: str = "GET",
        expires_in: float | timedelta = 3600,
        content_type: str | None = None,
        response_headers: Mapping[str, str] | None = None,
        version_id: str | None = None,
    ) -> str:
        """Sign a URL for the host that this backend sends to. No request.

        Only S3 Express needs a session, so the first URL for a directory bucket costs one `CreateSession`, and each
        expires with its session, after 5 minutes at most.
        """
        self._check_signs("presign", path)
        self._check(check_new_key if method == "PUT" else check_key, path)
        params = presigning.params_of(method, content_type, response_headers, version_id)
        seconds = presigning.seconds_of(expires_in)
        self._asked(ReadOptions, path, version_option(version_id))
        return await self._run(presigning.presign(self._bucket, path, method, params, seconds), path)

    async def presign_post(
        self,
        prefix: str,
        conditions: Sequence[PostCondition] = (),
        *,
        expires_in: float | timedelta = 3600,
        max_size: int | None = None,
        content_type: str | None = None,
    ) -> PresignedPost:
        """Sign a form for the host that this backend sends to. No request."""
        self._check_signs("presign_post", prefix)
        self._check(presigning.check_prefix, prefix)
        rules, fields = presigning.rules_of(max_size, content_type, conditions)
        seconds = presigning.seconds_of(expires_in)
        return await self._run(presigning.presign_post(self._bucket, prefix, rules, fields, seconds), prefix)

    def _check_signs(self, method: str, path: str) -> None:
        self._runner.check_open()
        if Capability.PRESIGN not in self.capabilities:
            raise self._lacks(Capability.PRESIGN, method, path)
