"""A string wrapper that hides its value in `repr`, `str` and formatting."""

from __future__ import annotations

import hmac

from remote_store.core.home import public


@public("remote_store.core")
class Secret:
    """A string that `repr`, `str` and formatting show as `***`.

    Args:
        value: The secret text, or another `Secret`.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str | Secret) -> None:
        self._value: str = value.reveal() if isinstance(value, Secret) else value
        if not isinstance(self._value, str):
            raise TypeError(f"a secret must be a str, not {type(value).__name__}")

    def reveal(self) -> str:
        """The secret text."""
        return self._value

    def __repr__(self) -> str:
        return "Secret('***')"

    def __str__(self) -> str:
        return "***"

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __reduce__(self) -> tuple[type[Secret], tuple[str]]:
        return Secret, (self._value,)
