from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import cast

from remote_store.core import (
    AsyncBackend,
    AsyncStore,
    Backend,
    Store,
)
from remote_store.core import files as blocking_files
from remote_store.core.aio import files
from remote_store.core.aio.files import AsyncCounted
from remote_store.core.aio.scoped import AsyncScopedFile, AsyncScopedOpening
from remote_store.core.scoped import ScopedFile, ScopedOpening


def signature(function: object, renamed: dict[str, str]) -> list[tuple[str, inspect._ParameterKind, str]]:
    parameters = inspect.signature(cast("Callable[..., object]", function)).parameters.values()
    shown = []
    for parameter in parameters:
        text = str(parameter.annotation)
        for old, new in renamed.items():
            text = text.replace(old, new)
        shown.append((parameter.name, parameter.kind, text))
    return shown


def test_functions_written_twice_take_the_same_arguments() -> None:
    renamed = {"Async": ""}
    for name in ("opened", "replacing", "transfer"):
        blocking, awaited = getattr(blocking_files, name), getattr(files, f"async_{name}")
        assert signature(blocking, renamed) == signature(awaited, renamed)
    assert signature(blocking_files.counted, renamed) == signature(files.async_counted, renamed)
    assert signature(blocking_files.Counted, renamed) == signature(AsyncCounted, renamed)
    for one, other in ((ScopedFile, AsyncScopedFile), (ScopedOpening, AsyncScopedOpening)):
        assert signature(one, renamed) == signature(other, renamed)
    shared = {name for name in vars(AsyncScopedFile) if not name.startswith("_")}
    assert shared <= {name for name in vars(ScopedFile) if not name.startswith("_")}


def test_every_method_of_a_backend_is_a_method_of_the_store() -> None:
    def members(kind: type) -> set[str]:
        return {name for name, _ in inspect.getmembers(kind) if not name.startswith("_")}

    # `upload` calls `resume_upload` with `resume=True`.
    assert members(AsyncBackend) <= members(AsyncStore) | {"name", "resume_upload"}
    assert members(AsyncStore) == members(Store)
    assert members(AsyncBackend) == members(Backend)
