"""URLs and forms that give access without credentials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from remote_store.core.models import PresignedPost
from remote_store.core.options import PostCondition
from remote_store.core.stores.async_rooted import AsyncRooted


class AsyncSharing(AsyncRooted):
    """The methods of a store that share files."""

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
        """Make a URL with which anyone can read, write or delete one file for some time, without credentials.

        Sends no request, so the file need not exist, and the service may still refuse the URL when it is used. It is
        signed with AWS Signature Version 4. A `PUT` replaces a file that exists.

        Args:
            path: The file.
            method: What the URL allows: `GET`, `HEAD`, `PUT` or `DELETE`.
            expires_in: Seconds until the URL expires, or a `timedelta`; 1 second to 7 days, rounded down to whole
                seconds. With temporary credentials, the URL expires no later than they do.
            content_type: With `PUT`, the `Content-Type` header that the request must have; it is stored with the file.
                `None` allows any, and none.
            response_headers: With `GET` and `HEAD`, headers that the response has instead of the stored ones:
                `Cache-Control`, `Content-Disposition`, `Content-Encoding`, `Content-Language`, `Content-Type` and
                `Expires`.
            version_id: With `GET`, `HEAD` and `DELETE`, the version. Needs `VERSIONS`.

        Returns:
            The URL. It is a secret: do not log it.

        Raises:
            CapabilityNotSupported: The backend does not have `PRESIGN`, or a request by URL cannot have one of its
                `put_options`.
            InvalidPath: The path is the root, or malformed.
            InvalidConfiguration: The client that was passed to the backend signs with Signature Version 2.
            PermissionDenied: There are no credentials to sign with.
            ValueError: The method cannot be presigned, the time is not between 1 second and 7 days, or an argument
                is malformed or does not fit the method.

        Example:
            On S3, the result is a URL. In memory there is none.

            >>> from remote_store.core import Capability
            >>> if store.supports(Capability.PRESIGN):
            ...     url = await store.presign("greeting.txt", expires_in=600)
        """
        key = self._scope.key(path)
        with self._scope.errors():
            return await self._backend.presign(
                key,
                method=method,
                expires_in=expires_in,
                content_type=content_type,
                response_headers=response_headers,
                version_id=version_id,
            )

    async def presign_post(
        self,
        prefix: str,
        conditions: Sequence[PostCondition] = (),
        *,
        expires_in: float | timedelta = 3600,
        max_size: int | None = None,
        content_type: str | None = None,
    ) -> PresignedPost:
        """Make a form with which anyone can upload files below a prefix for some time, without credentials.

        Sends no request. A browser sends the form as `multipart/form-data`. It replaces a file that exists.

        Args:
            prefix: What the path of the file must begin with, such as `uploads/`. The field `key` of the form is the
                prefix and `${filename}`, for which S3 puts the name of the file that is sent. The sender may put any
                other path that begins with the prefix.
            conditions: More conditions of S3's POST policy. An exact one, such as `{"acl": "private"}`, is also a field
                of the form. For another, such as `["starts-with", "$x-amz-meta-user", ""]`, add the field.
            expires_in: Seconds until the form expires, or a `timedelta`; 1 second to 7 days, rounded down to whole
                seconds. With temporary credentials, the form expires no later than they do.
            max_size: The largest number of bytes of the file; `None` for any.
            content_type: The content type that is stored with the file. With one that ends in `/*`, such as `image/*`,
                add a field `Content-Type` to the form, with a value that begins like it. `None` allows no such field.

        Returns:
            The address and the fields of the form. They are secrets: do not log them.

        Raises:
            CapabilityNotSupported: The backend does not have `PRESIGN`, the bucket takes no forms, or the backend has
                `put_options`.
            InvalidPath: The prefix is the root, or malformed.
            InvalidConfiguration: The client that was passed to the backend signs with Signature Version 2.
            PermissionDenied: There are no credentials to sign with.
            ValueError: The time is not between 1 second and 7 days, `max_size` is negative, or a condition is malformed
                or about a field that the other arguments set.

        Example:
            >>> from remote_store.core import Capability
            >>> if store.supports(Capability.PRESIGN):
            ...     form = await store.presign_post("uploads/", max_size=1_000_000)
        """
        key = self._scope.key(prefix)
        if prefix.endswith("/") and not key.endswith("/"):
            key += "/"
        with self._scope.errors():
            return await self._backend.presign_post(
                key, expires_in=expires_in, max_size=max_size, content_type=content_type, conditions=conditions
            )
