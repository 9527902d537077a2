"""Calls that histories skip, because the harness declares a deviation from their rule."""

from __future__ import annotations

from collections.abc import Callable, Collection

from remote_store.conformance.model.actions import Action
from remote_store.conformance.model.model import WRITES, Model

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


AROUND: dict[str, Exemption] = {
    "PATH-018": _onto_a_folder(*WRITES),
    "WRITE-006": _onto_a_file("write", "write_atomic"),
    "ATOM-005": _onto_a_file("open_atomic"),
    "LIST-018": lambda model, action: model.would_empty(action),
    "COPY-003": _onto_a_file("copy"),
    "COPY-005": _onto_itself("copy"),
    "COPY-016": _onto_a_file("move"),
    "COPY-018": _onto_itself("move"),
    "COPY-023": _onto_a_folder("copy", "move"),
}
