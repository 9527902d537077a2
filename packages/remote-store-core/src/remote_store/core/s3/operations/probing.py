"""Finds out which conditions an endpoint honours, by requests to objects of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from itertools import count, cycle, islice
from secrets import token_hex
from typing import Any, TypeAlias

from remote_store.core.conditional_writes import ConditionalWrites
from remote_store.core.errors import InvalidPath
from remote_store.core.path import require_text
from remote_store.core.s3.operations import fetching
from remote_store.core.s3.operations.bucket import (
    KEY_OPTIONS,
    PART_OPTIONS,
    REQUEST_OPTIONS,
    Bucket,
    copy_source,
)
from remote_store.core.s3.operations.steps import Drain, Operation, Start, Wait
from remote_store.core.s3.operations.sums import Sums
from remote_store.core.s3.protocol import faults
from remote_store.core.s3.protocol.calls import Call, Fault
from remote_store.core.s3.protocol.keys import check_new_key, prefix_of
from remote_store.core.s3.protocol.responses import Begun, Written, strong

NAME = ".remote-store-probe-"
"""What the names of a probe's objects begin with. A random part follows."""

RACERS = 4
"""Requests that race for one key."""

OPTIONS = (
    REQUEST_OPTIONS
    | KEY_OPTIONS
    | {
        "ACL",
        "BucketKeyEnabled",
        "ChecksumAlgorithm",
        "GrantFullControl",
        "GrantRead",
        "GrantReadACP",
        "GrantWriteACP",
        "SSEKMSEncryptionContext",
        "SSEKMSKeyId",
        "ServerSideEncryption",
    }
)
"""The `put_options` that the objects are written with. A policy of the bucket may require these.

With a storage class or a lock, an object could not be read or removed at once.
"""


def check_folder(folder: str) -> None:
    """Check that a probe can write to a folder.

    Raises:
        InvalidPath: The folder is malformed, not canonical, or too long.
        TypeError: It is not a string.
    """
    require_text(folder)
    try:
        check_new_key(_name(folder))
    except InvalidPath as error:
        raise InvalidPath(error.message, path=folder) from error


def probe(bucket: Bucket, folder: str) -> Operation[ConditionalWrites]:
    """Find out which conditions the endpoint honours: about 100 requests, up to 4 at once.

    Each condition is sent with a request that must succeed and with one that must be refused, and the object is read
    afterwards. Of 4 requests at once with the same condition, exactly one must succeed. If more do, the server checks
    the conditions of that operation without a lock, and both are `False`. Such a server can pass by luck. Conditions
    on deletes do not race.

    The objects and uploads are removed at the end, also after an error. If the bucket keeps versions, so are their
    versions, unless the service refuses that.

    Args:
        bucket: The bucket.
        folder: The folder to write to.

    Raises:
        Fault: A response says nothing about a condition, such as a 403 or a 503.
    """
    trials = _Trials(bucket, _name(folder))
    try:
        found = yield from trials.run()
    except BaseException as error:
        yield from trials.remove(error)
        raise
    yield from trials.remove()
    return found


@dataclass(frozen=True, slots=True)
class Attempt:
    """A conditional write.

    Attributes:
        call: The call.
        content: The content of the object if the call succeeds.
    """

    call: Call
    content: bytes

    @property
    def key(self) -> str:
        """The key that is written."""
        return str(self.call.params["Key"])


Attempts: TypeAlias = Callable[..., Operation[list[Attempt]]]


class _Trials:
    """Tries the conditions one after the other.

    Args:
        bucket: The bucket.
        name: What all keys begin with.
    """

    def __init__(self, bucket: Bucket, name: str) -> None:
        self._bucket = bucket
        self._name = name
        self._numbers = count(1)
        self._keys: dict[str, None] = {}
        self._uploads: dict[str, str] = {}
        self._versions: dict[tuple[str, str], None] = {}
        self._unlocked: set[str] = set()

    def run(self) -> Operation[ConditionalWrites]:
        """Try all conditions."""
        contents: dict[str, bytes] = {}
        tags: dict[str, str | None] = {}
        for key in (self._key(), self._key(), self._key()):
            (attempt,) = yield from self._puts(key, 1)
            (written,) = yield from self._done(attempt.call)
            contents[key], tags[key] = attempt.content, strong(written.etag)
        one, two, three = contents
        copies = partial(self._copies, tuple(contents.items()))
        put = yield from _or_lacking(self._creates(self._puts))
        complete = yield from _or_lacking(self._creates(self._completions))
        copy = yield from _or_lacking(self._creates(copies))
        delete = yield from _or_lacking(self._deletes(three, tags[three], tags[one]))
        swap = yield from _or_lacking(self._swaps(self._puts, one, tags[one]))
        complete_swap = yield from _or_lacking(self._swaps(self._completions, two, tags[two]))
        # A server that has no lock for one condition of an operation has none for the other.
        puts, completions = "PutObject" not in self._unlocked, "CompleteMultipartUpload" not in self._unlocked
        return ConditionalWrites(
            put=put and puts,
            complete=complete and completions,
            copy=copy,
            delete=delete,
            swap=swap and puts,
            complete_swap=complete_swap and completions,
        )

    def remove(self, error: BaseException | None = None) -> Operation[None]:
        """Remove all objects and uploads. If there is an error already, what could not be removed is noted there."""
        try:
            yield from self._remove(error)
        except Fault:
            raise
        except BaseException:
            yield from self._remove(error)
            raise

    def _remove(self, error: BaseException | None) -> Operation[None]:
        yield Drain(patient=True)
        # After an error the backend may be closed, and then has no threads for calls at once.
        sent = self._sent if error is None else self._sent_singly
        call = self._bucket.call
        aborts = [call("AbortMultipartUpload", Key=key, UploadId=upload) for upload, key in self._uploads.items()]
        removed = yield from sent(*aborts, *[call("DeleteObject", Key=key) for key in self._keys])
        versions = list(self._versions)
        yield from sent(*[call("DeleteObject", Key=key, VersionId=version) for key, version in versions])
        left = [fault for fault in removed if isinstance(fault, Fault) and not faults.is_missing(fault)]
        if left:
            code = faults.shown(left[0].code)
            note = f"objects of the probe may be left below {self._name!r}: they could not be removed ({code})"
            (error or left[0]).add_note(note)
        if left and error is None:
            raise left[0]

    def _creates(self, attempts: Attempts) -> Operation[bool]:
        """Whether a write with `If-None-Match: *` succeeds for a new key, and is refused for another one."""
        first, second = yield from attempts(self._key(), 2, IfNoneMatch="*")
        if (yield from self._honoured(first, second)) is None:
            return False
        racers = yield from attempts(self._key(), RACERS, IfNoneMatch="*")
        return (yield from self._one_wins(racers))

    def _swaps(self, attempts: Attempts, key: str, tag: str | None) -> Operation[bool]:
        """Whether a write with `If-Match` replaces exactly the version that it names."""
        if tag is None:
            return False
        first, second = yield from attempts(key, 2, IfMatch=tag)
        written = yield from self._honoured(first, second)
        now = None if written is None else strong(written.etag)
        if now is None:
            return False
        (absent,) = yield from attempts(self._key(), 1, IfMatch=tag)
        if not (yield from self._refused(absent.call)) or (yield from self._content(absent.key)) is not None:
            return False
        racers = yield from attempts(key, RACERS, IfMatch=now)
        return (yield from self._one_wins(racers))

    def _deletes(self, key: str, tag: str | None, other: str | None) -> Operation[bool]:
        """Whether a delete with `If-Match` deletes exactly the version that it names."""
        if tag is None or other is None:
            return False
        before = yield from self._content(key)
        if not (yield from self._refused(self._bucket.call("DeleteObject", Key=key, IfMatch=other))):
            return False
        if before is None or (yield from self._content(key)) != before:
            return False
        if (yield from self._refused(self._bucket.call("DeleteObject", Key=key, IfMatch=tag))):
            return False
        return (yield from self._content(key)) is None

    def _honoured(self, allowed: Attempt, forbidden: Attempt) -> Operation[Written | None]:
        """The response to the first of two writes, if only that one succeeds and has an effect."""
        written = yield from self._answer(allowed.call)
        if isinstance(written, Fault) or not (yield from self._refused(forbidden.call)):
            return None
        return written if (yield from self._content(allowed.key)) == allowed.content else None

    def _one_wins(self, racers: list[Attempt]) -> Operation[bool]:
        """Whether exactly one of several writes at once succeeds, and the object is that one's."""
        answers = yield from self._sent(*(attempt.call for attempt in racers))
        for answer in answers:
            if isinstance(answer, Fault) and not _refuses(answer) and not faults.is_conflict(answer):
                raise answer
        winners = [racer.content for racer, answer in zip(racers, answers, strict=True) if isinstance(answer, Written)]
        if len(winners) == 1 and (yield from self._content(racers[0].key)) == winners[0]:
            return True
        self._unlocked.add(racers[0].call.operation)
        return False

    def _puts(self, key: str, number: int, **condition: str) -> Operation[list[Attempt]]:
        """Writes of one key by one request each."""
        attempts = []
        for content in self._contents(number):
            sums = yield from Sums(self._bucket.options, None).of(content)
            call = self._bucket.call("PutObject", OPTIONS, Key=key, Body=content, **sums, **condition)
            attempts.append(Attempt(call, content))
        return attempts

    def _completions(self, key: str, number: int, **condition: str) -> Operation[list[Attempt]]:
        """Writes of one key in one part each. The uploads are begun, and their parts sent."""
        contents = self._contents(number)
        begun = yield from self._done(*[self._bucket.call("CreateMultipartUpload", OPTIONS, Key=key)] * number)
        uploads = [{"Key": key, "UploadId": response.upload_id} for response in begun]
        calls = []
        for upload, content in zip(uploads, contents, strict=True):
            sums = yield from Sums(self._bucket.options, None).of(content)
            part = {**upload, "PartNumber": 1, "Body": content, **sums}
            calls.append(self._bucket.call("UploadPart", PART_OPTIONS, **part))
        parts = yield from self._done(*calls)
        attempts = []
        for upload, content, part in zip(uploads, contents, parts, strict=True):
            listed = {"Parts": [{"PartNumber": 1, "ETag": part.etag, **part.checksums}]}
            of_complete = {**upload, "MultipartUpload": listed, **condition}
            call = self._bucket.call("CompleteMultipartUpload", REQUEST_OPTIONS | KEY_OPTIONS, **of_complete)
            attempts.append(Attempt(call, content))
        return attempts

    def _copies(
        self, sources: Iterable[tuple[str, bytes]], key: str, number: int, **condition: str
    ) -> Operation[list[Attempt]]:
        """Copies to one key, each of another source than the one before."""
        yield from ()
        attempts = []
        for source, content in islice(cycle(sources), number):
            of_copy = {"Key": key, **copy_source(self._bucket, source), **condition}
            attempts.append(Attempt(self._bucket.call("CopyObject", OPTIONS, **of_copy), content))
        return attempts

    def _done(self, *calls: Call) -> Operation[list[Any]]:
        """The responses to calls without a condition, which all have to succeed."""
        responses = yield from self._sent(*calls)
        for response in responses:
            if isinstance(response, Fault):
                raise response
        return responses

    def _answer(self, call: Call) -> Operation[Any]:
        """The response to a conditional call, or the fault by which its condition was refused."""
        (response,) = yield from self._sent(call)
        if isinstance(response, Fault) and not _refuses(response):
            raise response
        return response

    def _refused(self, call: Call) -> Operation[bool]:
        return isinstance((yield from self._answer(call)), Fault)

    def _content(self, key: str) -> Operation[bytes | None]:
        """What an object contains; `None` if it does not exist."""
        try:
            return (yield from fetching.read_bytes(self._bucket, key))
        except Fault as fault:
            if not faults.is_gone(fault):
                raise
        self._keys.pop(key, None)
        return None

    def _sent(self, *calls: Call) -> Operation[list[Any]]:
        """The responses to calls that are sent at once, with a fault for each that failed.

        An interruption waits for the responses, so that nothing is written after the removal.
        """
        for call in calls:
            if call.operation in ("PutObject", "CopyObject", "CompleteMultipartUpload"):
                self._keys[call.params["Key"]] = None
        try:
            for call in calls:
                yield Start(call, RACERS, keeps_fault=True)
            responses: list[Any] = yield Wait()
        except BaseException:
            self._note(calls, (yield Drain(patient=True)))
            raise
        self._note(calls, responses)
        return responses

    def _sent_singly(self, *calls: Call) -> Operation[list[Any]]:
        responses: list[Any] = []
        for call in calls:
            try:
                responses.append((yield call))
            except Fault as fault:
                responses.append(fault)
        self._note(calls, responses)
        return responses

    def _note(self, calls: Iterable[Call], responses: Iterable[Any]) -> None:
        """Remember what has to be removed. The calls that have such a response are all of one key."""
        for call, response in zip(calls, responses, strict=False):
            key = call.params["Key"]
            if isinstance(response, Begun):
                self._uploads[response.upload_id] = key
            elif call.operation == "CompleteMultipartUpload" and isinstance(response, Written):
                self._uploads.pop(call.params["UploadId"], None)
            if (version := getattr(response, "version_id", None)) is not None:
                self._versions[key, version] = None

    def _key(self) -> str:
        return f"{self._name}-{next(self._numbers)}"

    def _contents(self, number: int) -> list[bytes]:
        return [b"%d" % next(self._numbers) for _ in range(number)]


def _name(folder: str) -> str:
    return f"{prefix_of(folder)}{NAME}{token_hex(8)}"


def _or_lacking(trial: Operation[bool]) -> Operation[bool]:
    """The result of a trial; `False` if the server says that it does not implement what was sent."""
    try:
        return (yield from trial)
    except Fault as fault:
        # The code comes from an S3 server, a bare status may come from a proxy.
        if not faults.lacks_feature(fault) or (fault.foreign and fault.code != "NotImplemented"):
            raise
        return False


def _refuses(fault: Fault) -> bool:
    """Whether a fault says that a condition was not met.

    If an earlier attempt of the request may have met the condition, or a proxy may have responded, it says nothing.
    """
    refuses = faults.is_precondition(fault) or fault.code == "NoSuchKey"
    return refuses and fault.attempts == 1 and not fault.foreign
