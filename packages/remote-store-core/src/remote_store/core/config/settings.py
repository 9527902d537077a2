"""The settings that a backend's constructor declares, and the conversion of strings to their types."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from difflib import get_close_matches
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NotRequired, Required, Self, Union, get_args, get_origin, get_type_hints

from remote_store.core.errors import RemoteStoreError
from remote_store.core.home import public
from remote_store.core.retry import RetryPolicy
from remote_store.core.secret import Secret

SECRET_NAMES = frozenset({"secret", "session_token"})
NUMBERED = {RetryPolicy: "max_attempts"}
"""Dataclasses that may be written as a whole number, each with the field that the number sets."""
ROOT_PATH = "root_path"
TRUTHS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


@public("remote_store.core")
class ConfigError(RemoteStoreError, ValueError):
    """A configuration, an environment variable or a URL is not valid. The message says what to change."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings that a backend factory declares.

    Attributes:
        types: Type of each setting by name; `Any` if none is declared.
        required: The names without a default.
        complete: Whether the factory accepts no other settings.
    """

    types: Mapping[str, Any]
    required: tuple[str, ...]
    complete: bool

    @classmethod
    def of(cls, factory: Callable[..., Any]) -> Self:
        """Read the signature of a class or function. `**options: Unpack[T]` declares the fields of `T`."""
        hints = _hints(factory)
        types: dict[str, Any] = {}
        required = []
        complete = True
        for name, parameter in inspect.signature(factory).parameters.items():
            hint = hints.get(name, Any)
            if parameter.kind is parameter.VAR_KEYWORD:
                unpacked = get_args(hint)
                complete = bool(unpacked)
                types |= get_type_hints(unpacked[0]) if unpacked else {}
            elif parameter.kind is not parameter.VAR_POSITIONAL:
                types[name] = hint
                if parameter.default is parameter.empty:
                    required.append(name)
        return cls(types, tuple(required), complete)

    def written(self) -> list[str]:
        """The names of the settings that can be written as text. The others take an object and are for Python only."""
        return [name for name, hint in self.types.items() if any(map(_can_be_written, members_of(hint)))]

    def is_secret(self, name: str) -> bool:
        """Whether the name or the type of a setting marks it as a secret."""
        return name in SECRET_NAMES or Secret in members_of(self.types.get(name, Any))

    def values(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments for the factory, with strings converted to the declared types.

        Raises:
            ConfigError: A setting is unknown or missing, or a string cannot be converted.
        """
        if self.complete:
            known = [name for name, hint in self.types.items() if name in given or not _is_function(hint)]
            for name in given:
                if name == ROOT_PATH and name not in known:
                    raise ConfigError(
                        f"{name!r} is not a setting of a backend; set it in [stores.NAME], or in the path of the URL"
                    )
                refuse_unknown("setting", name, known)
        missing = [name for name in self.required if name not in given]
        if missing:
            raise ConfigError(f"required settings are missing: {', '.join(map(repr, missing))}")
        return {name: self._value(name, value) for name, value in given.items()}

    def _value(self, name: str, value: Any) -> Any:
        if self.is_secret(name) and isinstance(value, str):
            return Secret(value)
        return converted(name, value, self.types.get(name, Any))


def refuse_unknown(kind: str, name: str, known: Iterable[str], *, of: str = "") -> None:
    """Check that a name is known.

    Args:
        kind: What the name is for, such as `setting`.
        name: The name.
        known: The names that are known.
        of: What has the names, for the message; empty if that is plain.

    Raises:
        ConfigError: The name is unknown. The message suggests the closest known name, or lists all of them.
    """
    names = list(known)
    if name not in names:
        nearest = get_close_matches(name, names, n=1)
        hint = f"did you mean {nearest[0]!r}?" if nearest else f"known names: {', '.join(names) or 'none'}"
        place = f" of {of}" if of else ""
        raise ConfigError(f"unknown {kind} {name!r}{place}; {hint}")


def converted(name: str, value: Any, hint: Any) -> Any:
    """Convert a string, or a mapping or whole number for a dataclass, to the declared type.

    Booleans are `true`, `yes`, `on`, `1` and `false`, `no`, `off`, `0`. `none` is `None`. Mappings and dataclasses
    are written as JSON. A `RetryPolicy` may be a whole number, its `max_attempts`. A callable can only be passed in
    Python. Other values are returned unchanged.

    Raises:
        ConfigError: The value cannot be converted, or the dataclass has no such field.
    """
    members = members_of(hint)
    if _is_function(hint) and not (value is None or callable(value)):
        raise ConfigError(f"{name!r} is a function, so it cannot be set here; pass it in Python")
    if isinstance(value, Mapping):
        for member in members:
            if is_dataclass(member) and isinstance(member, type):
                return _built(name, value, member)
        return value
    for member in members:
        if member in NUMBERED and not isinstance(value, str | member):
            if isinstance(value, bool) or not isinstance(value, int):
                raise ConfigError(f"{name!r} must be {_word(member)}, not {type(value).__name__}")
            return _built(name, {NUMBERED[member]: value}, member)
    if not isinstance(value, str) or Any in members or str in members:
        return value
    for member in members:
        try:
            return _parsed(name, value, member)
        except ConfigError:
            raise
        except (ValueError, RecursionError):
            continue
    wanted = " or ".join(_word(member) for member in members)
    raise ConfigError(f"{name!r} must be {wanted}; the given string is not")


def _can_be_written(member: Any) -> bool:
    if get_origin(member) is Literal or member in (Any, str, bool, int, float, Path, Secret) or is_dataclass(member):
        return True
    return (get_origin(member) or member) in (dict, Mapping)


def _is_function(hint: Any) -> bool:
    return any(get_origin(member) is Callable for member in members_of(hint))


def _hints(factory: Callable[..., Any]) -> dict[str, Any]:
    try:
        return get_type_hints(factory.__init__ if isinstance(factory, type) else factory, include_extras=True)  # type: ignore[misc]
    except NameError:
        # A name imported under TYPE_CHECKING cannot be resolved; the factory checks its own arguments.
        return {}


def members_of(hint: Any) -> list[Any]:
    """The types that a declared type is a union of, without `Annotated` and the like."""
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        return [member for part in get_args(hint) for member in members_of(part)]
    if origin in (Annotated, Required, NotRequired):
        return members_of(get_args(hint)[0])
    return [hint]


def _parsed(name: str, text: str, member: Any) -> Any:
    if member is NoneType and text.lower() == "none":
        return None
    if get_origin(member) is Literal and text in get_args(member):
        return text
    if member is bool and text.lower() in TRUTHS:
        return TRUTHS[text.lower()]
    if member in (int, float, Path):
        return member(text)
    if is_dataclass(member) or (get_origin(member) or member) in (dict, Mapping):
        value = json.loads(text)
        if isinstance(value, Mapping) or (member in NUMBERED and type(value) is int):
            return converted(name, value, member)
    raise ValueError


def _built(name: str, value: Mapping[str, Any], kind: type) -> Any:
    hints = get_type_hints(kind)
    names = [field.name for field in fields(kind)]
    for key in value:
        refuse_unknown("field", key, names, of=repr(name))
    arguments = {key: converted(f"{name}.{key}", item, hints[key]) for key, item in value.items()}
    try:
        return kind(**arguments)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{name!r} has an invalid value: {error}") from error


def _word(member: Any) -> str:
    if get_origin(member) is Literal:
        values = get_args(member)
        return ("one of " if len(values) > 1 else "") + ", ".join(map(repr, values))
    words = {NoneType: "none", bool: "true or false", int: "a whole number", float: "a number"}
    if member in NUMBERED:
        return f"a whole number ({NUMBERED[member]}) or a table (as text, JSON)"
    if is_dataclass(member) or (get_origin(member) or member) in (dict, Mapping):
        return "a JSON object"
    return words.get(member, f"a {getattr(member, '__name__', member)} passed in Python")
