"""The checksums that a write sends: the one that the caller asked for, or `Content-MD5` if the SDK sends none."""

from __future__ import annotations

import hashlib
from typing import Any

from remote_store.core.checksums import CRCS, encoded, joined, pieces, running
from remote_store.core.s3.operations.steps import Operation, Pause
from remote_store.core.s3.protocol.options import S3Options


class Sums:
    """The checksum parameters of one write. Each body has one checksum.

    A CRC of the whole object is computed from those of its parts, in any number, so each byte is summed once. SHA-1 and
    SHA-256 have no such rule: in an upload of parts, S3 stores a checksum of the parts' checksums (S3 User Guide,
    checking object integrity).

    Args:
        options: The options of the backend.
        asked: The algorithm that the caller asked for, as S3 names it.
    """

    def __init__(self, options: S3Options, asked: str | None) -> None:
        self._asked = asked
        # Object Lock requires a checksum, and all servers know this one.
        self._sends_md5 = not (asked or options.endpoint.checksums or "ChecksumAlgorithm" in options.put_options)
        self._parts: list[tuple[bytes, int]] = []

    def of(self, body: bytes) -> Operation[dict[str, str]]:
        """The parameters of the `PutObject` of an object, or of the `UploadPart` of the next part."""
        if self._asked is None:
            return _md5(body) if self._sends_md5 else {}
        checksum = running(self._asked.lower())
        for number, piece in enumerate(pieces(body)):
            if number:
                # Lets other tasks of the event loop run.
                yield Pause(0)
            checksum.update(piece)
        self._parts.append((checksum.digest(), len(body)))
        # The SDK sends a given value as it is, and computes none.
        return {"ChecksumAlgorithm": self._asked, f"Checksum{self._asked}": encoded(checksum.digest())}

    def of_upload(self) -> dict[str, str]:
        """The parameters of `CreateMultipartUpload`."""
        if self._asked is None:
            return {}
        return {"ChecksumAlgorithm": self._asked, **self._type()}

    def of_object(self, size: int) -> dict[str, Any]:
        """The parameters of `CompleteMultipartUpload`, after all parts.

        Args:
            size: Bytes of all parts.
        """
        if not self._type():
            return {}
        whole = encoded(joined(str(self._asked).lower(), self._parts))
        return {f"Checksum{self._asked}": whole, **self._type(), "MpuObjectSize": size}

    def _type(self) -> dict[str, str]:
        is_crc = self._asked is not None and self._asked.lower() in CRCS
        return {"ChecksumType": "FULL_OBJECT"} if is_crc else {}


def _md5(body: bytes) -> dict[str, str]:
    try:
        return {"ContentMD5": encoded(hashlib.md5(body, usedforsecurity=False).digest())}
    except ValueError:
        # OpenSSL was built without MD5.
        return {}
