"""URLs and forms that give access without credentials."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from remote_store.core.models import PresignedPost
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
        """Make a URL that gives access to one file, without credentials, for some time. Whoever has it can use it.

        Sends no request, so the file need not exist. The URL is signed by AWS Signature Version 4.

        Args:
            path: The file.
            method: What the URL allows: `GET`, `HEAD`, `PUT` or `DELETE`.
            expires_in: Seconds until the URL expires, or a `timedelta`; up to 7 days. It also expires with temporary
                credentials.
            content_type: With `PUT`, the `Content-Type` that the request must have; it is stored with the file.
            response_headers: With `GET` and `HEAD`, headers that the response has instead of the stored ones, such as
                `Content-Disposition`.
            version_id: With `GET`, `HEAD` and `DELETE`, the version.

        Returns:
            The URL. It is a secret: do not log it.

        Raises:
            CapabilityNotSupported: The backend does not have `PRESIGN`.
            InvalidPath: The path is the root, or malformed.
            PermissionDenied: There are no credentials to sign with.
            ValueError: The method cannot be presigned, the time is not between 1 second and 7 days, or an argument
                does not fit the method.

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
        *,
        expires_in: float | timedelta = 3600,
        max_size: int | None = None,
        content_type: str | None = None,
    ) -> PresignedPost:
        """Make a form with which a browser can upload a file below a prefix, without credentials, for some time.

        Sends no request.

        Args:
            prefix: What the key of the file begins with, such as `uploads/`. Complete it in the field `key`, which is
                the prefix and `${filename}`, the name that the file has on the computer of the browser.
            expires_in: Seconds until the form expires, or a `timedelta`; up to 7 days.
            max_size: Most bytes of the file; `None` for any number.
            content_type: The content type that the file must have; one that ends in `/*`, such as `image/*`, allows
                each that begins like it. `None` allows any.

        Returns:
            The address and the fields of the form. They are secrets: do not log them.

        Raises:
            CapabilityNotSupported: The backend does not have `PRESIGN`.
            InvalidPath: The prefix is malformed.
            PermissionDenied: There are no credentials to sign with.
            ValueError: The time is not between 1 second and 7 days, or `max_size` is negative.

        Example:
            >>> from remote_store.core import Capability
            >>> if store.supports(Capability.PRESIGN):
            ...     form = await store.presign_post("uploads/", max_size=1_000_000)
        """
        key = self._scope.key(prefix) + ("/" if prefix.endswith("/") else "")
        with self._scope.errors():
            return await self._backend.presign_post(
                key, expires_in=expires_in, max_size=max_size, content_type=content_type
            )
