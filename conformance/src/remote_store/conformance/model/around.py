"""Calls that histories skip, because the harness declares a deviation from their rule."""

from __future__ import annotations

from collections.abc import Callable, Collection

from remote_store.conformance.model.model import WRITES, Model
from remote_store.conformance.model.steps import Step

Condition = Callable[[Model, Step], bool]


def leaves_out(declared: Collection[str], model: Model, step: Step) -> bool:
    """Whether a call depends on a rule that is declared as a deviation.

    Args:
        declared: Ids of the rules that the harness declares deviations of.
        model: The files before the call.
        step: The call.
    """
    return any(AROUND[identifier](model, step) for identifier in declared if identifier in AROUND)


def _onto_a_file(*methods: str) -> Condition:
    def holds(model: Model, step: Step) -> bool:
        return step.method in methods and not step.options.get("overwrite") and model.is_file(step.paths[-1])

    return holds


def _onto_itself(method: str) -> Condition:
    return lambda _model, step: step.method == method and len(set(step.paths)) == 1


def _onto_a_folder(*methods: str) -> Condition:
    return lambda model, step: step.method in methods and model.is_folder(step.paths[-1])


AROUND: dict[str, Condition] = {
    "PATH-018": _onto_a_folder(*WRITES),
    "WRITE-006": _onto_a_file("write", "write_atomic"),
    "ATOM-005": _onto_a_file("open_atomic"),
    "LIST-018": lambda model, step: model.would_empty(step),
    "COPY-003": _onto_a_file("copy"),
    "COPY-005": _onto_itself("copy"),
    "COPY-016": _onto_a_file("move"),
    "COPY-018": _onto_itself("move"),
    "COPY-023": _onto_a_folder("copy", "move"),
}
