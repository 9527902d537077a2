"""Checks on the options of a write that say how the service stores the object."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, Literal, get_args

from remote_store.core.headers import check_aware
from remote_store.core.metadata import VALUE

ServerSideEncryption = Literal["AES256", "aws:kms", "aws:kms:dsse"]
ObjectLockMode = Literal["GOVERNANCE", "COMPLIANCE"]

STORAGE_CLASS: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


def check_storage_options(options: Mapping[str, Any]) -> None:
    """Refuse storage options that contradict each other or that no service can take.

    Raises:
        TypeError: A value is of the wrong type.
        ValueError: A value is unknown or malformed, `kms_key_id` comes without an encryption by KMS, one of
            `object_lock_mode` and `object_lock_until` comes alone, or the time is not aware or has passed.
    """
    storage_class, key_id = options.get("storage_class"), options.get("kms_key_id")
    _check_text("storage_class", storage_class)
    if storage_class is not None and not STORAGE_CLASS.fullmatch(storage_class):
        raise ValueError(f"storage_class must be a name such as STANDARD_IA, not {storage_class!r}")
    encryption = options.get("server_side_encryption")
    _check_choice("server_side_encryption", encryption, get_args(ServerSideEncryption))
    _check_text("kms_key_id", key_id)
    if key_id is not None and not VALUE.fullmatch(key_id or " "):
        raise ValueError("kms_key_id must be the id, the ARN or the alias of a key, in printable ASCII")
    if key_id is not None and encryption not in ("aws:kms", "aws:kms:dsse"):
        raise ValueError("kms_key_id needs server_side_encryption='aws:kms' or 'aws:kms:dsse'; pass both")
    _check_lock(options)


def _check_lock(options: Mapping[str, Any]) -> None:
    mode, until, hold = (options.get(name) for name in ("object_lock_mode", "object_lock_until", "legal_hold"))
    _check_choice("object_lock_mode", mode, get_args(ObjectLockMode))
    if (mode is None) != (until is None):
        raise ValueError("object_lock_mode and object_lock_until go together; pass both or neither")
    if until is not None:
        check_aware(until, "object_lock_until")
        if until <= datetime.now(UTC):
            raise ValueError("object_lock_until has passed; pass a time in the future")
    if hold is not None and not isinstance(hold, bool):
        raise TypeError(f"legal_hold must be True or False, not {hold!r}")


def _check_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    _check_text(name, value)
    if value is not None and value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}, not {value!r}")


def _check_text(name: str, value: object) -> None:
    if value is not None and not isinstance(value, str):
        raise TypeError(f"{name} must be a str, not {type(value).__name__}")
