"""Backends whose URLs and forms allow the wrong thing, or show what they allow."""

from __future__ import annotations

import logging
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from mutants.http_port import HttpPort
from mutants.http_s3 import HttpBackend
from mutants.registry import broken
from remote_store.core import PresignedPost
from remote_store.core.s3 import Call


class Port(HttpPort):
    """A port that changes a call before it signs it."""

    def presign(self, call: Call, seconds: int) -> str:
        return super().presign(Call(call.operation, {**call.params, **self.changed(call)}), seconds)

    def changed(self, call: Call) -> Mapping[str, Any]:
        """The parameters that it changes."""
        return {}


class Normalises(Port):
    """A port that normalises the key, and encodes it twice."""

    def changed(self, call: Call) -> Mapping[str, Any]:
        return {"Key": quote(posixpath.normpath(call.params["Key"]))}


@broken("SIGN-001", "SIGN-002")
class EncodesTwice(HttpBackend):
    """Signs the key percent-encoded twice, as the generic signer of botocore does."""

    port = Normalises


@broken("SIGN-001")
class SignsAGetForAHead(HttpBackend):
    """Signs every read as a GET, so a HEAD is refused."""

    def presign(self, path: str, *, method: str = "GET", **options: Any) -> str:
        return super().presign(path, method="GET" if method == "HEAD" else method, **options)


class Empties(HttpPort):
    """A port that signs the hash of an empty body."""

    def presign(self, call: Call, seconds: int) -> str:
        bodied = call.operation == "PutObject"
        return super().presign(Call("GetObject", call.params) if bodied else call, seconds)


@broken("SIGN-002", "SIGN-005")
class SignsAGetForAPut(HttpBackend):
    """Signs a PUT as a GET."""

    port = Empties


@broken("SIGN-003")
class LooksForTheFile(HttpBackend):
    """Looks whether the file exists before it signs a URL."""

    def presign(self, path: str, **options: Any) -> str:
        url = super().presign(path, **options)
        self.exists(path)
        return url


class IsAnybody(HttpPort):
    """A port whose URLs carry the right of the bucket instead of that of one file."""

    def presign(self, call: Call, seconds: int) -> str:
        return super().presign(
            Call("PutObject" if call.operation == "GetObject" else call.operation, call.params), seconds
        )


@broken("SIGN-001", "SIGN-004")
class SignsAPutForAGet(HttpBackend):
    """Signs a PUT where a GET is asked for, so a reader can replace the file."""

    port = IsAnybody


class Untyped(Port):
    """A port that leaves the content type out."""

    def presign(self, call: Call, seconds: int) -> str:
        params = {name: value for name, value in call.params.items() if name != "ContentType"}
        return super().presign(Call(call.operation, params), seconds)


@broken("SIGN-005")
class SignsNoContentType(HttpBackend):
    """Does not sign the content type."""

    port = Untyped


class Plain(Port):
    """A port that leaves the headers of the response out."""

    def presign(self, call: Call, seconds: int) -> str:
        params = {name: value for name, value in call.params.items() if not name.startswith("Response")}
        return super().presign(Call(call.operation, params), seconds)


@broken("SIGN-006")
class KeepsTheStoredHeaders(HttpBackend):
    """Ignores response_headers."""

    port = Plain


@broken("SIGN-007")
class TakesAnyTime(HttpBackend):
    """Cuts a time that is too long instead of refusing it."""

    def presign(self, path: str, *, expires_in: Any = 3600, **options: Any) -> str:
        try:
            return super().presign(path, expires_in=expires_in, **options)
        except ValueError:
            return super().presign(path, **options)


@broken("SIGN-008")
class SignsTheRoot(HttpBackend):
    """Signs a URL for the root, which lists the bucket."""

    def presign(self, path: str, **options: Any) -> str:
        return super().presign(path or "index.html", **options)

    def presign_post(self, prefix: str, **options: Any) -> PresignedPost:
        return super().presign_post(prefix.strip("/") or "index.html", **options)


class OnlyTheFolder(HttpPort):
    """A port whose forms have the name of the file in place of the whole key."""

    def presign_post(self, call: Call, seconds: int) -> Mapping[str, Any]:
        return super().presign_post(Call(call.operation, {**call.params, "Fields": {}}), seconds)


@broken("SIGN-009")
class ForgetsTheFields(HttpBackend):
    """Leaves the exact conditions out of the fields of the form, so the service refuses it."""

    port = OnlyTheFolder


class Unlimited(HttpPort):
    """A port whose forms have no condition for the key but any."""

    def conditions(self, call: Call) -> list[Any]:
        return [["starts-with", "$key", ""], *call.params["Conditions"]]


@broken("SIGN-010")
class AllowsAnyKey(HttpBackend):
    """Lets a form upload any key of the bucket."""

    port = Unlimited


class Unsized(HttpPort):
    """A port that drops the limit of the size."""

    def conditions(self, call: Call) -> list[Any]:
        return [rule for rule in super().conditions(call) if rule[0] != "content-length-range"]


@broken("SIGN-010")
class AllowsAnySize(HttpBackend):
    """Does not put max_size into the policy."""

    port = Unsized


@broken("SIGN-011")
class IgnoresConditions(HttpBackend):
    """Drops the conditions that it does not understand."""

    def presign_post(self, prefix: str, *, conditions: Any = (), **options: Any) -> PresignedPost:
        try:
            return super().presign_post(prefix, conditions=conditions, **options)
        except ValueError:
            return super().presign_post(prefix, **options)


@dataclass(frozen=True)
class Shown(PresignedPost):
    """A form whose repr shows its fields."""

    def __repr__(self) -> str:
        return f"Shown(url={self.url!r}, fields={self.fields!r})"


@broken("SIGN-012")
class ShowsForms(HttpBackend):
    """Returns a form whose repr shows its policy and its signature."""

    def presign_post(self, prefix: str, **options: Any) -> PresignedPost:
        form = super().presign_post(prefix, **options)
        return Shown(form.url, form.fields)


@broken("SIGN-012")
class LogsUrls(HttpBackend):
    """Logs each URL that it signs."""

    def presign(self, path: str, **options: Any) -> str:
        url = super().presign(path, **options)
        logging.getLogger("remote_store").debug("signed %s", url)
        return url
