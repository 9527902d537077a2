"""Which conditional requests of an S3 server can be relied on."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionalWrites:
    """Which kinds of conditional write an S3 server honours: `True`, `False`, or `None` where that is not known.

    `conditional_writes=True` is the short form of all four. A kind that is `False` or `None` costs one HEAD more: the
    condition is sent all the same, but another writer can still get in between the HEAD and the write. A TOML table
    says the same: `conditional_writes = { put = true, complete = true, copy = false }`.

    Attributes:
        put: `If-None-Match: *` on PutObject.
        complete: `If-None-Match: *` on CompleteMultipartUpload.
        copy: `If-None-Match: *` on CopyObject.
        delete: `If-Match` on DeleteObject.
    """

    put: bool | None = None
    complete: bool | None = None
    copy: bool | None = None
    delete: bool | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, bool | None):
                raise TypeError(f"{field.name} of ConditionalWrites is True, False or None, not {value!r}")

    @classmethod
    def every(cls, value: bool | None) -> ConditionalWrites:
        """The same answer for all four kinds."""
        return cls(put=value, complete=value, copy=value, delete=value)


ConditionalWrites.__module__ = "remote_store.core"
