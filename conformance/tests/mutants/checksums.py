"""Backends that break rules about checksums."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any

from mutants.http_port import HttpPort
from mutants.http_s3 import HttpBackend
from mutants.objects import without
from mutants.registry import broken
from remote_store.core import ContentDigest, MemoryBackend, WriteResult
from remote_store.core.checksums import encoded
from remote_store.core.s3 import Call

ALGORITHMS = ("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256")


@broken("SUM-001")
class ForgetsChecksums(MemoryBackend):
    """Takes a checksum and stores the MD5 all the same."""

    def _commit(self, path: str, content: bytes, *rest: Any, asked: Mapping[str, Any]) -> WriteResult:
        return super()._commit(path, content, *rest, asked={**asked, "checksum": None})


@broken("SUM-001")
class ReturnsChecksumsInHex(MemoryBackend):
    """The result of a write has its checksum in hexadecimal, and the file has it in base64."""

    def _commit(self, path: str, content: bytes, *rest: Any, asked: Mapping[str, Any]) -> WriteResult:
        written = super()._commit(path, content, *rest, asked=asked)
        digest = ContentDigest(written.digest.algorithm, "00") if written.digest and "checksum" in asked else None
        return replace(written, digest=digest or written.digest)


@broken("SUM-002")
class IgnoresUnknownChecksums(MemoryBackend):
    """Writes without a checksum if it does not know the algorithm."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        if options.get("checksum") not in ALGORITHMS:
            options.pop("checksum", None)
        return super().write(path, content, **options)


@broken("SUM-003")
class SumsTheSumsOfParts(MemoryBackend):
    """Returns a checksum of two checksums, each of half the content, as that of a large content."""

    def _commit(self, path: str, content: bytes, *rest: Any, asked: Mapping[str, Any]) -> WriteResult:
        written = super()._commit(path, content, *rest, asked=asked)
        half = len(content) // 2
        of_parts = sha256(sha256(content[:half]).digest() + sha256(content[half:]).digest()).digest()
        sums = len(content) > 1000 and asked.get("checksum") == "SHA256"
        return replace(written, digest=ContentDigest("sha256", encoded(of_parts))) if sums else written


class AsksForNoChecksum(HttpPort):
    """A port that does not ask for the checksum of an object that is read."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        return super().perform(without(call, "ChecksumMode") if call.operation == "GetObject" else call)


@broken("SUM-004")
class DoesNotCompare(HttpBackend):
    """Hands out the bytes of a read without a look at the checksum."""

    port = AsksForNoChecksum


class SendsNoChecksum(HttpPort):
    """A port that drops the checksums of bodies."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        names = [name for name in call.params if name.startswith("Checksum")] if "Body" in call.params else []
        return super().perform(without(call, *names))


@broken("SUM-005", "SUM-001")
class DropsChecksums(HttpBackend):
    """Takes a checksum and does not send it."""

    port = SendsNoChecksum


class AsksAfterwards(HttpPort):
    """A port that sends a HEAD for the checksum after each write that has one."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        response = super().perform(call)
        if call.operation == "PutObject" and "ChecksumAlgorithm" in call.params:
            super().perform(Call("HeadObject", {name: call.params[name] for name in ("Bucket", "Key")}))
        return response


@broken("SUM-006")
class LooksUpChecksums(HttpBackend):
    """Sends a HEAD for the checksum after it wrote."""

    port = AsksAfterwards
