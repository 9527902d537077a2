"""Lists, deletes and finds the versions of an object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from remote_store.core.capabilities import Capability
from remote_store.core.errors import CapabilityNotSupported, PreconditionFailed
from remote_store.core.models import FileVersion
from remote_store.core.s3.operations import probes
from remote_store.core.s3.operations.bucket import Bucket
from remote_store.core.s3.operations.conflicts import send
from remote_store.core.s3.operations.listed import broken
from remote_store.core.s3.operations.paging import MOST_EMPTY_PAGES
from remote_store.core.s3.operations.steps import Operation
from remote_store.core.s3.protocol import faults
from remote_store.core.s3.protocol.calls import Fault
from remote_store.core.s3.protocol.fields import bare
from remote_store.core.s3.protocol.responses import Done
from remote_store.core.s3.protocol.version_pages import VersionPage


@dataclass(slots=True)
class VersionCursor:
    """The state of a listing of the versions of one key.

    Attributes:
        key: The key.
        place: The parameters with which the next page begins.
        done: Whether the last page with versions of the key has been fetched.
    """

    key: str
    place: dict[str, str] = field(default_factory=dict)
    done: bool = False
    _places: set[tuple[str, str | None]] = field(default_factory=set)
    _found: set[str] = field(default_factory=set)
    _empty: int = 0

    def turn(self, page: VersionPage) -> list[FileVersion]:
        """Advance past a page, and return the versions of the key.

        S3 sorts by key, and every other key with this prefix comes later, so the first page that ends with another key
        is the last.

        Raises:
            Fault: The server repeats a version or a marker, or has sent too many pages without a version of the key.
        """
        versions = [version for version in page.versions if version.path == self.key]
        ids = {version.version_id for version in versions}
        if ids & self._found:
            raise broken("lists a version again")
        self._found |= ids
        self._empty = 0 if versions else self._empty + 1
        self.done = page.key_marker is None or page.key_marker > self.key
        if page.key_marker is not None and not self.done:
            place = page.key_marker, page.version_marker
            if place in self._places:
                raise broken("repeats a marker, so the listing would never end")
            if self._empty >= MOST_EMPTY_PAGES:
                raise broken(f"sends {MOST_EMPTY_PAGES} empty pages in a row")
            self._places.add(place)
            self.place = {"KeyMarker": page.key_marker}
            if page.version_marker is not None:
                self.place["VersionIdMarker"] = page.version_marker
        return versions


def next_versions(bucket: Bucket, cursor: VersionCursor) -> Operation[list[FileVersion]]:
    """The versions of the key on the next page: 1 request. If the bucket does not exist, there are none.

    Raises:
        CapabilityNotSupported: The service has no versions.
        Fault: The listing would never end, or breaks the protocol.
    """
    try:
        page: VersionPage = yield bucket.call(
            "ListObjectVersions", Prefix=cursor.key, Delimiter="/", EncodingType="url", **cursor.place
        )
    except Fault as fault:
        if not cursor.place and faults.is_missing(fault):
            cursor.done = True
            return []
        if faults.lacks_feature(fault):
            message = "the service does not implement versions of files"
            lacks = CapabilityNotSupported(message, capability=Capability.VERSIONS.value, path=cursor.key)
            raise lacks from fault.__cause__ or fault
        raise
    return cursor.turn(page)


def find_version(bucket: Bucket, key: str, version_id: str) -> Operation[FileVersion | None]:
    """A version or marker of a key, by listing the versions; `None` if there is none with this id."""
    cursor = VersionCursor(key)
    while not cursor.done:
        for version in (yield from next_versions(bucket, cursor)):
            if version.version_id == version_id:
                return version
    return None


def delete(bucket: Bucket, key: str, options: Mapping[str, Any], *, missing_ok: bool) -> Operation[None]:
    """Delete one version for good: 1 HEAD, because the delete of a missing version succeeds too, and 1 DELETE.

    The HEAD also shows that the service does not ignore the version id, and so would delete the current version. The
    HEAD of the marker of a deletion fails, so a marker is looked for in a listing: 1 request more per 1,000 versions.
    """
    version = {"version_id": options["version_id"]}
    try:
        facts = yield from probes.head(bucket, key, options=version)
    except Fault as fault:
        if not faults.is_missing_version(fault):
            raise
        marker = None
        if not faults.is_missing_bucket(fault):
            marker = yield from find_version(bucket, key, version["version_id"])
        if marker is None and missing_ok:
            return
        if marker is None or not marker.is_deleted:
            raise (yield from probes.missing(bucket, key, fault, version)) from fault.__cause__
        etag = None
    else:
        yield from probes.refuse_marker_of(bucket, key, facts)
        etag = bare(facts.etag)
    # S3 compares If-Match with the current version. The tag of one version never changes, so this needs no condition.
    if options.get("if_match") not in (None, etag):
        raise PreconditionFailed("the version has another ETag than if_match, so it was not deleted", path=key)
    done: Done = yield from send(bucket, bucket.call("DeleteObject", Key=key, VersionId=version["version_id"]))
    if not done.signed and (yield from find_version(bucket, key, version["version_id"])) is not None:
        raise Fault("NotS3", 200, "the response to DeleteObject has no header of S3, and the version still exists")
