"""The part of a store that compares files with checksums."""

from __future__ import annotations

from remote_store.core.checksums import PIECE, expected_of, running
from remote_store.core.io.source import AsyncBinaryIO
from remote_store.core.models import ContentDigest
from remote_store.core.stores.async_rooted import AsyncRooted


class AsyncIntegrity(AsyncRooted):
    """The method that compares a file with a checksum."""

    async def verify(self, path: str, digest: ContentDigest) -> bool:
        """Whether the content of a file has a checksum, such as one that was noted when the file was written.

        On S3: 1 request if the service stores a checksum of the whole file by the same algorithm, which it compared
        with the content when it was written. Else the file is read once, in blocks, and the checksum is computed here:
        2 requests, and more for a large file.

        Args:
            path: The file.
            digest: The checksum. The algorithm is `crc32`, `crc32c`, `crc64nvme`, `md5`, `sha1`, `sha256` or `sha512`;
                the value is in base64, as in `FileInfo.digest`, or hexadecimal.

        Returns:
            `False` if the content is another one.

        Raises:
            NotFound: The file does not exist.
            InvalidPath: The path is the root, a folder, or malformed.
            ChecksumMismatch: The content was read, and does not match the checksum that the service stores.
            TypeError: `digest` is not a `ContentDigest`.
            ValueError: The algorithm is unknown, the value is malformed, or the digest is a checksum of part checksums.

        Example:
            >>> from remote_store.core import ContentDigest
            >>> await store.verify("greeting.txt", ContentDigest("crc32", "3610a686"))
            True
        """
        key = self._scope.key(path)
        expected = expected_of(digest)
        algorithm = digest.algorithm.lower()
        with self._scope.errors():
            info = await self._backend.get_file_info(key)
            stored = info.digest
            if stored is not None and stored.full_object and stored.algorithm == algorithm:
                return expected_of(stored) == expected
            file = await self._backend.read(key)
            async with file:
                return await _summed(file, algorithm) == expected


async def _summed(file: AsyncBinaryIO, algorithm: str) -> bytes:
    checksum = running(algorithm)
    while block := await file.read(PIECE):
        checksum.update(block)
    return checksum.digest()
