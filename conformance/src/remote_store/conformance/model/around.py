"""Calls that histories skip, because the harness declares a deviation from their rule."""

from __future__ import annotations

from collections.abc import Callable, Collection

from remote_store.conformance.model.actions import Action
from remote_store.conformance.model.model import WRITES, Model
from remote_store.conformance.model.perform import HEADERS

Exemption = Callable[[Model, Action], bool]


def leaves_out(declared: Collection[str], model: Model, action: Action) -> bool:
    """Whether a call depends on a rule that is declared as a deviation.

    Args:
        declared: Ids of the rules that the harness declares deviations of.
        model: The files before the call.
        action: The call.
    """
    return any(AROUND[identifier](model, action) for identifier in declared if identifier in AROUND)


def _onto_a_file(*methods: str) -> Exemption:
    def holds(model: Model, action: Action) -> bool:
        return action.method in methods and not action.options.get("overwrite") and model.is_file(action.paths[-1])

    return holds


def _onto_itself(method: str) -> Exemption:
    return lambda _model, action: action.method == method and len(set(action.paths)) == 1


def _onto_a_folder(*methods: str) -> Exemption:
    return lambda model, action: action.method in methods and model.is_folder(action.paths[-1])


def _with_option(option: str, *methods: str) -> Exemption:
    return lambda _model, action: option in action.options and (not methods or action.method in methods)


def _calls(*methods: str) -> Exemption:
    return lambda _model, action: action.method in methods


def _with_headers(_model: Model, action: Action) -> bool:
    return any(name in action.options for name in HEADERS)


def _reads_into(_model: Model, action: Action) -> bool:
    return any(step[0] == "readinto" for step in action.steps)


def _with_tags(_model: Model, action: Action) -> bool:
    return "tags" in action.options or action.method in ("get_tags", "set_tags")


def _onto_tags(model: Model, action: Action) -> bool:
    return action.method in ("copy", "move") and model.had_tags(action.paths[-1])


def _tags_of_no_file(model: Model, action: Action) -> bool:
    return action.method in ("get_tags", "set_tags") and not model.is_file(action.paths[0])


READS = ("read", "read_bytes", "read_range", "read_ranges", "read_seekable", "get_file_info")
AROUND: dict[str, Exemption] = {
    "PATH-018": _onto_a_folder(*WRITES),
    "WRITE-006": _onto_a_file("write", "write_atomic"),
    "ATOM-005": _onto_a_file("open_atomic"),
    "LIST-018": lambda model, action: model.would_empty(action),
    "COPY-003": _onto_a_file("copy"),
    "COPY-005": _onto_itself("copy"),
    "COPY-016": _onto_a_file("move"),
    "COPY-018": _onto_itself("move"),
    "SWAP-001": _with_option("if_match", *WRITES[:3]),
    "SWAP-002": _with_option("if_match", *WRITES[:3]),
    "SWAP-005": _with_option("if_match", *READS),
    "SWAP-006": _with_option("if_none_match"),
    "SWAP-007": _with_option("if_match", "delete"),
    "SWAP-008": _with_option("if_match", "delete"),
    "SWAP-009": _with_option("if_match", "copy"),
    "SWAP-010": _with_option("if_match", "move"),
    "SEEK-005": _reads_into,
    "HEAD-001": _with_headers,
    "HEAD-002": _with_headers,
    "SUM-001": _with_option("checksum"),
    "VERS-007": _with_tags,
    "VERS-008": _onto_tags,
    "VERS-010": _tags_of_no_file,
    "MANY-001": _calls("delete_many"),
    "MANY-006": _calls("read_ranges"),
    "COPY-023": _onto_a_folder("copy", "move"),
}
