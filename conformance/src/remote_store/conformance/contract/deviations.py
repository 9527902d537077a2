"""Reads the file of known deviations. Unknown rules, keys and checks are errors, so the file stays current.

```toml
[[deviation]]
rules = ["COPY-003", "COPY-010"]
reason = "the server ignores If-None-Match of a copy"
link = "https://example.org/issues/1"
expires = 2027-06-30
checks = ["*one_copy_wins"]
```

Required keys are `rule` or `rules`, `reason`, and `expires`: a day, or a version of the contract such as
`"contract 0.3"`. Optional keys are `link`, `raises`, `checks`, `variants` and `sometimes`; see `Deviation`. A list of
strings can be written as a single string.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from datetime import UTC, date, datetime
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from remote_store.conformance.contract.rulebook import CONTRACT_VERSION, ConfigurationError, rule
from remote_store.conformance.values.deviation import Deviation
from remote_store.core.home import public

TEXT, TEXTS, FLAG = "a string", "a string or a list of strings", "true or false"
DAY = "a day or a version of the contract"
KEYS = {
    "rule": TEXT,
    "rules": TEXTS,
    "reason": TEXT,
    "link": TEXT,
    "expires": DAY,
    "raises": TEXTS,
    "checks": TEXTS,
    "variants": TEXTS,
    "sometimes": FLAG,
}
VERSION = re.compile(r"(?:contract )?(\d+)\.(\d+)")


@public("remote_store.conformance")
def load_deviations(path: str | Path | Traversable) -> Mapping[str, tuple[Deviation, ...]]:
    """Read the deviations of a file, by the id of the rule.

    Args:
        path: A TOML file of `[[deviation]]` rows.

    Raises:
        ConfigurationError: The file or a row is invalid. The message names both and says what to correct.
    """
    source = Path(path) if isinstance(path, str) else path
    try:
        table = tomllib.loads(source.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"{source.name}: {error}") from error
    rows = table.get("deviation", [])
    if table.keys() - {"deviation"} or not isinstance(rows, list):
        raise ConfigurationError(f"{source.name}: only [[deviation]] rows are allowed, not {list(table)}")
    found: dict[str, tuple[Deviation, ...]] = {}
    for number, row in enumerate(rows, 1):
        place = f"{source.name}, deviation {number}"
        try:
            identifiers, deviation = _deviation(row, place)
            for identifier in identifiers:
                found[rule(identifier).id] = (*found.get(identifier, ()), deviation)
        except ConfigurationError as error:
            raise ConfigurationError(f"{place}: {error}") from error
    return found


@public("remote_store.conformance")
def join_deviations(*several: Mapping[str, Deviation | tuple[Deviation, ...]]) -> Mapping[str, tuple[Deviation, ...]]:
    """Merge mappings of deviations. If two apply to the same check, the first counts."""
    joined: dict[str, tuple[Deviation, ...]] = {}
    for mapping in several:
        for identifier, value in mapping.items():
            added = (value,) if isinstance(value, Deviation) else value
            joined[identifier] = (*joined.get(identifier, ()), *added)
    return joined


def own_deviations(backend: object) -> Mapping[str, tuple[Deviation, ...]]:
    """The deviations that a backend declares in the file of its attribute `deviations_file`; none without one.

    The attribute is a `Path` or a `Traversable`, so that a distribution can ship the file; `None` means no file.

    Raises:
        ConfigurationError: The file is invalid.
    """
    file: Path | Traversable | None = getattr(backend, "deviations_file", None)
    return {} if file is None else load_deviations(file)


def has_expired(deviation: Deviation, today: date | None = None) -> bool:
    """Whether a deviation has expired.

    Args:
        deviation: The deviation.
        today: The day to compare with; today in UTC by default.

    Raises:
        ConfigurationError: Its expiry is neither a day nor a version.
    """
    if not deviation.expires:
        return False
    if version := VERSION.fullmatch(deviation.expires):
        current = VERSION.fullmatch(CONTRACT_VERSION)
        return current is not None and _numbers(current) >= _numbers(version)
    try:
        return (today or datetime.now(UTC).date()) >= date.fromisoformat(deviation.expires)
    except ValueError as error:
        raise ConfigurationError(
            f'expires must be a day such as 2027-06-30 or a version such as "contract 0.3", not {deviation.expires!r}'
        ) from error


def kinds_of(deviation: Deviation) -> tuple[type[BaseException], ...]:
    """The exception classes of a deviation.

    Raises:
        ConfigurationError: One of the names is not an exception class.
    """
    kinds = deviation.raises if isinstance(deviation.raises, tuple) else (deviation.raises,)
    try:
        return tuple(imported(kind) if isinstance(kind, str) else kind for kind in kinds)
    except ConfigurationError as error:
        raise ConfigurationError(f"{deviation.place or deviation.reason}: {error}") from error


@cache
def imported(name: str) -> type[BaseException]:
    """The exception class of a dotted name; a builtin needs no module.

    Raises:
        ConfigurationError: It cannot be imported or is not an exception class.
    """
    module, _, attribute = name.rpartition(".")
    try:
        kind = getattr(import_module(module or "builtins"), attribute)
    except (ImportError, AttributeError) as error:
        raise ConfigurationError(
            f"raises names {name!r}, which cannot be imported ({error}); write the module and the class, such as "
            "'remote_store.core.NotFound'"
        ) from error
    if not isinstance(kind, type) or not issubclass(kind, BaseException):
        raise ConfigurationError(f"raises names {name!r}, which is not an exception class")
    return kind


def _deviation(row: Any, place: str) -> tuple[tuple[str, ...], Deviation]:
    if not isinstance(row, dict):
        raise ConfigurationError("it is not a table; write [[deviation]] above it")
    for key, value in row.items():
        _check(key, value)
    if ("rule" in row) == ("rules" in row):
        raise ConfigurationError('write either rule = "READ-001" or rules = ["READ-001", "READ-002"]')
    for needed, example in (("reason", '"why it does not hold"'), ("expires", "2027-06-30")):
        if not row.get(needed):
            raise ConfigurationError(f"{needed} is missing; write {needed} = {example}")
    fields: dict[str, Any] = {key: _texts(value) if KEYS[key] == TEXTS else value for key, value in row.items()}
    identifiers = fields.pop("rules", None) or (fields.pop("rule"),)
    deviation = Deviation(**{**fields, "expires": str(row["expires"]), "place": place})
    has_expired(deviation)
    return identifiers, deviation


def _check(key: str, value: Any) -> None:
    if key not in KEYS:
        nearest = get_close_matches(key, KEYS, n=1)
        hint = f"did you mean {nearest[0]!r}?" if nearest else f"the keys are {', '.join(KEYS)}"
        raise ConfigurationError(f"unknown key {key!r}; {hint}")
    right = {
        TEXT: isinstance(value, str),
        TEXTS: bool(value) and all(isinstance(text, str) for text in _texts(value)),
        FLAG: isinstance(value, bool),
        DAY: isinstance(value, str) or type(value) is date,
    }
    if not right[KEYS[key]]:
        raise ConfigurationError(f"{key} must be {KEYS[key]}, not {value!r}")


def _texts(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, list) else (value,)


def _numbers(version: re.Match[str]) -> tuple[int, int]:
    return int(version[1]), int(version[2])
