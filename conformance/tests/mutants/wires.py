"""Backends that miss or misreport errors on the wire."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, ClassVar

from mutants.http_port import PASSING, HttpPort
from mutants.http_s3 import HttpBackend
from mutants.registry import broken
from remote_store.core import BackendUnavailable, RemoteStoreError, RetryPolicy, WriteResult
from remote_store.core.s3 import Call, Fault, S3Options
from remote_store.core.s3.operations import fetching
from remote_store.core.s3.protocol.keys import check_key


class Calls(HttpPort):
    """A port whose subclass decides what happens on a fault."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        try:
            return super().perform(call)
        except Fault as fault:
            return self.failed(call, fault)

    def failed(self, call: Call, fault: Fault) -> Mapping[str, Any]:
        """The response to a call that failed.

        Raises:
            Fault: It stays a failure.
        """
        raise NotImplementedError


class GivesUp(HttpPort):
    """A port that does not retry a 429."""

    def passes(self, fault: Fault) -> bool:
        return super().passes(fault) and fault.status != 429


@broken("WIRE-001")
class GivesUpWhenToldToSlowDown(HttpBackend):
    """Does not retry a request that gets a 429."""

    port = GivesUp


class Persists(HttpPort):
    """A port that makes more attempts than the policy allows."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        for _ in range(4):
            with suppress(Fault):
                return super().perform(call)
        return super().perform(call)


@broken("WIRE-001", "WIRE-002", "WIRE-007", "WIRE-011")
class RetriesTheRetries(HttpBackend):
    """Retries requests that its client has already retried."""

    port = Persists


@broken("WIRE-002")
class TakesOneForTheDefault(HttpBackend):
    """Treats a policy of one attempt as unset and makes three."""

    def __init__(self, bucket: str, **options: Any) -> None:
        if options.get("retry") == RetryPolicy.disabled():
            options["retry"] = RetryPolicy(max_attempts=3)
        super().__init__(bucket, **options)


class Once(HttpPort):
    """A port that does not retry after a connection error."""

    def passes(self, fault: Fault) -> bool:
        return fault.status in PASSING


@broken("WIRE-003", "WIRE-007", "WIRE-014", "WIRE-025")
class ResetsAreFinal(HttpBackend):
    """Does not retry a request whose connection is reset."""

    port = Once


class ForgetsCodes(Calls):
    """A port that reads the status of an error response but not its code."""

    def failed(self, call: Call, fault: Fault) -> Mapping[str, Any]:
        if fault.transport:
            raise fault
        raise Fault(str(fault.status), fault.status, "", fault.request_id, attempts=fault.attempts) from fault


@broken("WIRE-004", "WIRE-005", "WIRE-019", "WIRE-020", "WIRE-024", "WIRE-032")
class ReadsNoCodes(HttpBackend):
    """Reads the status of an error response but not the code in its body."""

    port = ForgetsCodes


@broken("WIRE-018", "WIRE-030", "WIRE-035")
class EveryRefusalIsAnOutage(HttpBackend):
    """Reports every error response as a retryable BackendUnavailable."""

    def _run(self, *arguments: Any) -> Any:
        try:
            return super()._run(*arguments)
        except RemoteStoreError as error:
            if error.status in (None, 404, 412):
                raise
            raise BackendUnavailable(error.message, path=error.path, backend=self.name, retryable=True) from error


class RepeatsTheHead(HttpPort):
    """A port that repeats the fault of a failed HEAD for the listing that follows."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        refused = self.__dict__.pop("refused", None)
        if refused is not None and call.operation == "ListObjectsV2":
            raise refused
        try:
            return super().perform(call)
        except Fault as fault:
            if call.operation == "HeadObject" and fault.status in (400, 403):
                self.refused = fault
            raise


@broken("WIRE-005")
class TakesTheHeadForAll(HttpBackend):
    """Sends no second request after a HEAD fails without an error code."""

    port = RepeatsTheHead


@broken("WIRE-008", "WIRE-013", "WIRE-036")
class TakesACutForTheEnd(HttpBackend):
    """Treats a broken body as the end of the file."""

    def read_bytes(self, path: str) -> bytes:
        self._check(check_key, path)
        body = self._run(fetching.open_sequential(self._bucket, path), path).body
        pieces = []
        with suppress(Fault):
            while piece := body.read(65_536):
                pieces.append(piece)
        body.close()
        return b"".join(pieces)


class CountsResumes(HttpPort):
    """A port that resumes a body at most as often as it retries a request."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        if "Range" in call.params and "IfMatch" in call.params:
            self.resumes = self.__dict__.get("resumes", 0) + 1
            if self.resumes > self.options.retry.max_attempts:
                raise Fault("GivenUp", message="the body broke too often", transport=True)
        return super().perform(call)


@broken("WIRE-010")
class CountsEveryCut(HttpBackend):
    """Gives up a long read after a few cuts, even if it made progress between them."""

    port = CountsResumes


class TimesOut(Calls):
    """A port that does not treat a stall as a connection error."""

    def failed(self, call: Call, fault: Fault) -> Mapping[str, Any]:
        if isinstance(fault.__cause__, TimeoutError):
            raise Fault("TimeoutError", None, fault.message) from fault.__cause__
        raise fault


@broken("WIRE-013")
class StallsAreNoCuts(HttpBackend):
    """Raises a plain RemoteStoreError if the server stops responding."""

    port = TimesOut


class ForgetsAttempts(Calls):
    """A port that reports every failure as that of the first attempt."""

    def failed(self, call: Call, fault: Fault) -> Mapping[str, Any]:
        fault.attempts = 1
        raise fault


@broken("WIRE-014")
class TakesItsOwnForAnothers(HttpBackend):
    """Mistakes an object from its own earlier attempt for another writer's."""

    port = ForgetsAttempts


class TakesAnothersForItsOwn(Calls):
    """A port that treats a failed condition after a retry as success."""

    def failed(self, call: Call, fault: Fault) -> Mapping[str, Any]:
        if fault.status == 412 and fault.attempts > 1 and "IfNoneMatch" in call.params:
            return self.send(Call("HeadObject", {name: call.params[name] for name in ("Bucket", "Key")}))
        raise fault


@broken("WIRE-015")
class BelievesItWasItself(HttpBackend):
    """Mistakes an object that another writer made between two attempts for its own."""

    port = TakesAnothersForItsOwn


class ReadsTexts(Calls):
    """A port that searches for error codes in the text of an exception, which includes the URL."""

    def failed(self, call: Call, fault: Fault) -> Mapping[str, Any]:
        for word, status in (("404", 404), ("NoSuchKey", 404), ("AccessDenied", 403)):
            if fault.transport and word in f"{fault.message}: {call.params.get('Key', '')}":
                raise Fault(word, status, fault.message) from fault
        raise fault


@broken("WIRE-017")
class ReadsErrorsByTheirText(HttpBackend):
    """Searches for error codes in the text of an exception, which includes the key."""

    port = ReadsTexts


class OneClient(HttpPort):
    """A port that signs with the first credentials used in this process."""

    first: ClassVar[dict[str, S3Options]] = {}

    def sign(self, method: str, url: str, headers: dict[str, str]) -> dict[str, str]:
        mine = self.options
        self.options = self.first.setdefault(self.host, mine)
        try:
            return super().sign(method, url, headers)
        finally:
            self.options = mine


@broken("WIRE-018")
class SharesOneClient(HttpBackend):
    """Shares one client between instances with different credentials."""

    port = OneClient


class MakesBuckets(Calls):
    """A port that creates a missing bucket."""

    def failed(self, call: Call, fault: Fault) -> Mapping[str, Any]:
        if fault.code != "NoSuchBucket" or call.operation not in ("PutObject", "CreateMultipartUpload"):
            raise fault
        connection, target = self.connect(), f"/{call.params['Bucket']}"
        connection.request("PUT", target, headers=self.sign("PUT", f"http://{self.host}{target}", {}))
        response = connection.getresponse()
        response.read()
        self.give_back(connection, response)
        return self.send(call)


@broken("WIRE-019", "LIFE-013")
class MakesMissingBuckets(HttpBackend):
    """A write creates the bucket if it does not exist."""

    port = MakesBuckets


@broken("WIRE-020")
class SaysWhatTheServerSaid(HttpBackend):
    """Error messages repeat the server's text and do not say what to do."""

    def _run(self, *arguments: Any) -> Any:
        try:
            return super()._run(*arguments)
        except RemoteStoreError as error:
            error.message = f"{error.code}: said the server"
            raise


class ShowsSecrets(Calls):
    """A port that puts the secret into its errors."""

    def failed(self, call: Call, fault: Fault) -> Mapping[str, Any]:
        secret = self.options.secret.reveal() if self.options.secret else ""
        raise Fault(fault.code, fault.status, f"{call} with {secret}", fault.request_id) from fault


@broken("WIRE-018", "WIRE-021")
class ShowsTheSecretInErrors(HttpBackend):
    """Error messages show the whole request, including the secret."""

    port = ShowsSecrets


class KeepsConnections(HttpPort):
    """A port whose `close` drops its connections without closing them."""

    kept: ClassVar[list[http.client.HTTPConnection]] = []

    def close(self) -> None:
        self.kept.extend(self._idle)


@broken("WIRE-022")
class LeavesConnectionsOpen(HttpBackend):
    """`close` leaves connections open."""

    port = KeepsConnections


class DropsConnections(HttpPort):
    """A port that neither closes nor reuses a connection whose response was not read to its end."""

    dropped: ClassVar[list[http.client.HTTPConnection]] = []

    def give_back(self, connection: http.client.HTTPConnection, response: http.client.HTTPResponse) -> None:
        if response.length:
            response.close = lambda: None  # type: ignore[method-assign]
            self.dropped.append(connection)
        else:
            super().give_back(connection, response)


@broken("WIRE-022", "WIRE-023")
class LeaksConnections(HttpBackend):
    """Leaks the connection of a reader that is closed early."""

    port = DropsConnections


class ForgetsRequests(Calls):
    """A port that drops the request id of a failure."""

    def failed(self, call: Call, fault: Fault) -> Mapping[str, Any]:
        fault.request_id = None
        raise fault


@broken("WIRE-024")
class LosesTheRequestId(HttpBackend):
    """Raises errors without a request id."""

    port = ForgetsRequests


class SendsAnother(HttpPort):
    """A port that sends a changed body when it retries."""

    def left(self, body: bytes) -> bytes:
        """The body of a retry."""
        raise NotImplementedError

    def perform(self, call: Call) -> Mapping[str, Any]:
        try:
            return self.send(call)
        except Fault:
            again = {"Body": self.left(call.params["Body"])} if "Body" in call.params else {}
            return super().perform(Call(call.operation, {**call.params, **again}))


class SendsTheRest(SendsAnother):
    """A port that retries with the unread rest of the body, which is empty."""

    def left(self, body: bytes) -> bytes:
        return b""


@broken("WIRE-025")
class RetriesWithoutTheBody(HttpBackend):
    """Does not rewind the body when it retries an upload."""

    port = SendsTheRest


class SendsTwice(SendsAnother):
    """A port that retries with the body twice in a row."""

    def left(self, body: bytes) -> bytes:
        return 2 * body


@broken("WIRE-025")
class DoublesOnARetry(HttpBackend):
    """Sends the body twice when it retries an upload."""

    port = SendsTwice


class RaisesInAborts(Calls):
    """A port that raises its own error if an abort fails."""

    def failed(self, call: Call, fault: Fault) -> Mapping[str, Any]:
        if call.operation == "AbortMultipartUpload":
            raise RemoteStoreError("the upload could not be aborted", code=fault.code, status=fault.status) from fault
        raise fault


@broken("WIRE-027")
class AbortsHideTheError(HttpBackend):
    """A failed abort hides the error that caused the abort."""

    port = RaisesInAborts


@broken("WIRE-028", "ATOM-002")
class DeletesBeforeItOverwrites(HttpBackend):
    """Deletes the old object before it writes the new one."""

    def write(self, path: str, content: Any, *, overwrite: bool = False, **options: Any) -> WriteResult:
        if overwrite:
            self.delete(path, missing_ok=True)
        return super().write(path, content, overwrite=overwrite, **options)


class TakesConflictsForDone(Calls):
    """A port that treats a conflict as success."""

    def failed(self, call: Call, fault: Fault) -> Mapping[str, Any]:
        if fault.status == 409 and call.operation == "PutObject":
            return {"ETag": '"0"'}
        raise fault


@broken("WIRE-029")
class ConflictsAreSuccess(HttpBackend):
    """Treats a 409 for a concurrent write as success."""

    port = TakesConflictsForDone


class DeletesQuietly(Calls):
    """A port that hides the failure of a bulk delete."""

    def failed(self, call: Call, fault: Fault) -> Mapping[str, Any]:
        if call.operation == "DeleteObjects":
            return {}
        raise fault


@broken("WIRE-031")
class BulkDeletesNeverFail(HttpBackend):
    """Reports success if a bulk delete fails."""

    port = DeletesQuietly


class Leaks(Calls):
    """A port that does not convert a conflict to a fault."""

    def failed(self, call: Call, fault: Fault) -> Mapping[str, Any]:
        if fault.status == 409:
            raise http.client.HTTPException(fault.message) from fault
        raise fault


@broken("WIRE-033")
class LeaksWhatItDoesNotKnow(HttpBackend):
    """Raises its client's exception for an unexpected response."""

    port = Leaks


@broken("WIRE-034")
class GatewaysAreFinal(HttpBackend):
    """Marks the error for a gateway timeout as not retryable."""

    def _run(self, *arguments: Any) -> Any:
        try:
            return super()._run(*arguments)
        except BackendUnavailable as error:
            error.retryable = error.status != 504
            raise


@broken("WIRE-037")
class CleansUpAfterItself(HttpBackend):
    """Deletes the file after a write without a response, although the write may have succeeded."""

    def write(self, path: str, content: Any, *, overwrite: bool = False, **options: Any) -> WriteResult:
        try:
            return super().write(path, content, overwrite=overwrite, **options)
        except BackendUnavailable:
            with suppress(RemoteStoreError):
                self.delete(path, missing_ok=True)
            raise
