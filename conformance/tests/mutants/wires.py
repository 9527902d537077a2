"""Backends that do not see what happened on the wire, or see it and tell something else."""

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
    """A port that a subclass tells what to make of a fault."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        try:
            return super().perform(call)
        except Fault as fault:
            return self.failed(call, fault)

    def failed(self, call: Call, fault: Fault) -> Mapping[str, Any]:
        """The answer to a call that failed.

        Raises:
            Fault: It stays a failure.
        """
        raise NotImplementedError


class GivesUp(HttpPort):
    """A port that sends nothing again because of a 429."""

    def passes(self, fault: Fault) -> bool:
        return super().passes(fault) and fault.status != 429


@broken("WIRE-001")
class GivesUpWhenToldToSlowDown(HttpBackend):
    """Sends a request once where the server says that there are too many."""

    port = GivesUp


class Persists(HttpPort):
    """A port that makes more of a policy than it says."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        for _ in range(4):
            with suppress(Fault):
                return super().perform(call)
        return super().perform(call)


@broken("WIRE-001", "WIRE-002", "WIRE-007", "WIRE-011")
class RetriesTheRetries(HttpBackend):
    """Tries again what its client has tried again already."""

    port = Persists


@broken("WIRE-002")
class TakesOneForTheDefault(HttpBackend):
    """Takes a policy of one attempt for none, and tries three times."""

    def __init__(self, bucket: str, **options: Any) -> None:
        if options.get("retry") == RetryPolicy.disabled():
            options["retry"] = RetryPolicy(max_attempts=3)
        super().__init__(bucket, **options)


class Once(HttpPort):
    """A port that sends nothing again because of the connection."""

    def passes(self, fault: Fault) -> bool:
        return fault.status in PASSING


@broken("WIRE-003", "WIRE-007", "WIRE-014", "WIRE-025")
class ResetsAreFinal(HttpBackend):
    """Sends a request once where the connection is reset."""

    port = Once


class ForgetsCodes(Calls):
    """A port that knows the status of a refusal and not its code."""

    def failed(self, call: Call, fault: Fault) -> Mapping[str, Any]:
        if fault.transport:
            raise fault
        raise Fault(str(fault.status), fault.status, "", fault.request_id, attempts=fault.attempts) from fault


@broken("WIRE-004", "WIRE-005", "WIRE-019", "WIRE-020", "WIRE-024", "WIRE-032")
class ReadsNoCodes(HttpBackend):
    """Reads the status of a refusal, and not the code in its body."""

    port = ForgetsCodes


@broken("WIRE-018", "WIRE-030", "WIRE-035")
class EveryRefusalIsAnOutage(HttpBackend):
    """Says of every refusal that the service is not available and to try again."""

    def _run(self, *arguments: Any) -> Any:
        try:
            return super()._run(*arguments)
        except RemoteStoreError as error:
            if error.status in (None, 404, 412):
                raise
            raise BackendUnavailable(error.message, path=error.path, backend=self.name, retryable=True) from error


class RepeatsTheHead(HttpPort):
    """A port that answers the question after a refused HEAD out of its memory."""

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
    """Does not ask again where a HEAD was refused without a code."""

    port = RepeatsTheHead


@broken("WIRE-008", "WIRE-013", "WIRE-036")
class TakesACutForTheEnd(HttpBackend):
    """Takes it for the end of a file where its body breaks."""

    def read_bytes(self, path: str) -> bytes:
        self._check(check_key, path)
        _, body = self._run(fetching.open_sequential(self._bucket, path), path)
        pieces = []
        with suppress(Fault):
            while piece := body.read(65_536):
                pieces.append(piece)
        body.close()
        return b"".join(pieces)


class CountsResumes(HttpPort):
    """A port that goes on with one body as often as a request is tried."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        if "Range" in call.params and "IfMatch" in call.params:
            self.resumes = self.__dict__.get("resumes", 0) + 1
            if self.resumes > self.options.retry.max_attempts:
                raise Fault("GivenUp", message="the body broke too often", transport=True)
        return super().perform(call)


@broken("WIRE-010")
class CountsEveryCut(HttpBackend):
    """Gives up a long read after a few cuts, however far it came between them."""

    port = CountsResumes


class TimesOut(Calls):
    """A port to which a stall is nothing of the connection."""

    def failed(self, call: Call, fault: Fault) -> Mapping[str, Any]:
        if isinstance(fault.__cause__, TimeoutError):
            raise Fault("TimeoutError", None, fault.message) from fault.__cause__
        raise fault


@broken("WIRE-013")
class StallsAreNoCuts(HttpBackend):
    """Raises a plain error where the server falls silent."""

    port = TimesOut


class ForgetsAttempts(Calls):
    """A port that says of every failure that it was the first one."""

    def failed(self, call: Call, fault: Fault) -> Mapping[str, Any]:
        fault.attempts = 1
        raise fault


@broken("WIRE-014")
class TakesItsOwnForAnothers(HttpBackend):
    """Takes an object for another writer's that a try of its own has made."""

    port = ForgetsAttempts


class TakesAnothersForItsOwn(Calls):
    """A port to which a condition that fails after a retry is success."""

    def failed(self, call: Call, fault: Fault) -> Mapping[str, Any]:
        if fault.status == 412 and fault.attempts > 1 and "IfNoneMatch" in call.params:
            return self.send(Call("HeadObject", {name: call.params[name] for name in ("Bucket", "Key")}))
        raise fault


@broken("WIRE-015")
class BelievesItWasItself(HttpBackend):
    """Takes an object for its own that another writer has made between two tries."""

    port = TakesAnothersForItsOwn


class ReadsTexts(Calls):
    """A port that finds the code of a failure in its text, where the URL stands too."""

    def failed(self, call: Call, fault: Fault) -> Mapping[str, Any]:
        for word, status in (("404", 404), ("NoSuchKey", 404), ("AccessDenied", 403)):
            if fault.transport and word in f"{fault.message}: {call.params.get('Key', '')}":
                raise Fault(word, status, fault.message) from fault
        raise fault


@broken("WIRE-017")
class ReadsErrorsByTheirText(HttpBackend):
    """Looks for codes in the text of an exception, where the key's name stands too."""

    port = ReadsTexts


class OneClient(HttpPort):
    """A port that signs with the credentials that this process used first."""

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
    """Shares one client between instances, whatever their credentials."""

    port = OneClient


class MakesBuckets(Calls):
    """A port that makes a bucket that is missing."""

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
    """Makes the bucket that it is to write to where it does not exist."""

    port = MakesBuckets


@broken("WIRE-020")
class SaysWhatTheServerSaid(HttpBackend):
    """Says in an error what the server said, and not what to do about it."""

    def _run(self, *arguments: Any) -> Any:
        try:
            return super()._run(*arguments)
        except RemoteStoreError as error:
            error.message = f"{error.code}: said the server"
            raise


class ShowsSecrets(Calls):
    """A port that says with which secret it asked."""

    def failed(self, call: Call, fault: Fault) -> Mapping[str, Any]:
        secret = self.options.secret.reveal() if self.options.secret else ""
        raise Fault(fault.code, fault.status, f"{call} with {secret}", fault.request_id) from fault


@broken("WIRE-018", "WIRE-021")
class ShowsTheSecretInErrors(HttpBackend):
    """Shows the whole request in its errors, the secret included."""

    port = ShowsSecrets


class KeepsConnections(HttpPort):
    """A port that forgets its connections at the end, and does not close them."""

    kept: ClassVar[list[http.client.HTTPConnection]] = []

    def close(self) -> None:
        self.kept.extend(self._idle)


@broken("WIRE-022")
class LeavesConnectionsOpen(HttpBackend):
    """Leaves its connections open where it is closed."""

    port = KeepsConnections


class DropsConnections(HttpPort):
    """A port that forgets a connection whose answer was not read to its end."""

    dropped: ClassVar[list[http.client.HTTPConnection]] = []

    def give_back(self, connection: http.client.HTTPConnection, response: http.client.HTTPResponse) -> None:
        if response.length:
            response.close = lambda: None  # type: ignore[method-assign]
            self.dropped.append(connection)
        else:
            super().give_back(connection, response)


@broken("WIRE-022", "WIRE-023")
class LeaksConnections(HttpBackend):
    """Loses the connection of a reader that is closed early."""

    port = DropsConnections


class ForgetsRequests(Calls):
    """A port that does not hand on which request a failure is about."""

    def failed(self, call: Call, fault: Fault) -> Mapping[str, Any]:
        fault.request_id = None
        raise fault


@broken("WIRE-024")
class LosesTheRequestId(HttpBackend):
    """Raises errors without the id that the provider's support asks for."""

    port = ForgetsRequests


class SendsAnother(HttpPort):
    """A port that sends a body and, where that fails, another one."""

    def left(self, body: bytes) -> bytes:
        """What is sent instead of a body that was sent already."""
        raise NotImplementedError

    def perform(self, call: Call) -> Mapping[str, Any]:
        try:
            return self.send(call)
        except Fault:
            again = {"Body": self.left(call.params["Body"])} if "Body" in call.params else {}
            return super().perform(Call(call.operation, {**call.params, **again}))


class SendsTheRest(SendsAnother):
    """A port that sends again what its body has left, which is nothing."""

    def left(self, body: bytes) -> bytes:
        return b""


@broken("WIRE-025")
class RetriesWithoutTheBody(HttpBackend):
    """Does not rewind the body of an upload that it tries again."""

    port = SendsTheRest


class SendsTwice(SendsAnother):
    """A port that sends a body after what has gone of it."""

    def left(self, body: bytes) -> bytes:
        return 2 * body


@broken("WIRE-025")
class DoublesOnARetry(HttpBackend):
    """Sends the body of an upload twice where it tries it again."""

    port = SendsTwice


class RaisesInAborts(Calls):
    """A port that raises an error of its own where an abort fails."""

    def failed(self, call: Call, fault: Fault) -> Mapping[str, Any]:
        if call.operation == "AbortMultipartUpload":
            raise RemoteStoreError("the upload could not be aborted", code=fault.code, status=fault.status) from fault
        raise fault


@broken("WIRE-027")
class AbortsHideTheError(HttpBackend):
    """Raises the failure of an abort in place of the one that it was made for."""

    port = RaisesInAborts


@broken("WIRE-028", "ATOM-002")
class DeletesBeforeItOverwrites(HttpBackend):
    """Deletes the old object before it writes the new one."""

    def write(self, path: str, content: Any, *, overwrite: bool = False, **options: Any) -> WriteResult:
        if overwrite:
            self.delete(path, missing_ok=True)
        return super().write(path, content, overwrite=overwrite, **options)


class TakesConflictsForDone(Calls):
    """A port to which a conflict means that the object is there."""

    def failed(self, call: Call, fault: Fault) -> Mapping[str, Any]:
        if fault.status == 409 and call.operation == "PutObject":
            return {"ETag": '"0"'}
        raise fault


@broken("WIRE-029")
class ConflictsAreSuccess(HttpBackend):
    """Takes it for success where another write is under way."""

    port = TakesConflictsForDone


class DeletesQuietly(Calls):
    """A port that says nothing where a bulk delete fails."""

    def failed(self, call: Call, fault: Fault) -> Mapping[str, Any]:
        if call.operation == "DeleteObjects":
            return {}
        raise fault


@broken("WIRE-031")
class BulkDeletesNeverFail(HttpBackend):
    """Reports success where a bulk delete fails."""

    port = DeletesQuietly


class Leaks(Calls):
    """A port to which a conflict is none of its business."""

    def failed(self, call: Call, fault: Fault) -> Mapping[str, Any]:
        if fault.status == 409:
            raise http.client.HTTPException(fault.message) from fault
        raise fault


@broken("WIRE-033")
class LeaksWhatItDoesNotKnow(HttpBackend):
    """Raises the exception of its client where the server gives an answer that it does not expect."""

    port = Leaks


@broken("WIRE-034")
class GatewaysAreFinal(HttpBackend):
    """Says of a gateway that gave up that it is of no use to try again."""

    def _run(self, *arguments: Any) -> Any:
        try:
            return super()._run(*arguments)
        except BackendUnavailable as error:
            error.retryable = error.status != 504
            raise


@broken("WIRE-037")
class CleansUpAfterItself(HttpBackend):
    """Deletes what it was writing where no answer comes, which may be the file by then."""

    def write(self, path: str, content: Any, *, overwrite: bool = False, **options: Any) -> WriteResult:
        try:
            return super().write(path, content, overwrite=overwrite, **options)
        except BackendUnavailable:
            with suppress(RemoteStoreError):
                self.delete(path, missing_ok=True)
            raise
