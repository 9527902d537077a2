"""Which conditional requests an S3 server honours."""

from __future__ import annotations

from dataclasses import dataclass, fields

from remote_store.core.home import public


@public("remote_store.core")
@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionalWrites:
    """Which conditional writes an S3 server honours: `True`, `False`, or `None` if that is not known.

    `conditional_writes=True` sets all six. Where a condition is `False` or `None`, a create sends one HEAD first and
    then the condition as well, but on a server that ignores it another writer can create the object in between. A write
    or a delete with `if_match` is refused there. `probe_conditions` finds the values out.

    In TOML, write a table: `conditional_writes = { put = true, complete = true, copy = false }`.

    Attributes:
        put: `If-None-Match: *` on PutObject.
        complete: `If-None-Match: *` on CompleteMultipartUpload.
        copy: `If-None-Match: *` on CopyObject.
        delete: `If-Match` on DeleteObject.
        swap: `If-Match` on PutObject.
        complete_swap: `If-Match` on CompleteMultipartUpload.
    """

    put: bool | None = None
    complete: bool | None = None
    copy: bool | None = None
    delete: bool | None = None
    swap: bool | None = None
    complete_swap: bool | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, bool | None):
                raise TypeError(f"{field.name} of ConditionalWrites must be True, False or None, not {value!r}")

    @classmethod
    def every(cls, value: bool | None) -> ConditionalWrites:
        """Set all six to one value."""
        return cls(**{field.name: value for field in fields(cls)})
