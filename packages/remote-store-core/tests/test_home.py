from __future__ import annotations

import inspect
import pickle

import pytest

import remote_store.core
import remote_store.core.s3
from remote_store.core import FileInfo
from remote_store.core.home import public


@pytest.mark.parametrize("module", [remote_store.core, remote_store.core.s3], ids=lambda module: module.__name__)
def test_every_public_class_says_where_it_is_imported_from(module: object) -> None:
    named = {name: getattr(module, name) for name in module.__all__}  # type: ignore[attr-defined]
    homes = {name: value.__module__ for name, value in named.items() if inspect.isclass(value)}
    assert set(homes.values()) == {module.__name__}  # type: ignore[attr-defined]


def test_a_class_and_a_function_take_the_name_of_their_home() -> None:
    @public("somewhere.else")
    class Thing:
        pass

    @public("somewhere.else")
    def make() -> Thing:
        return Thing()

    assert repr(Thing).startswith("<class 'somewhere.else.")
    assert make.__module__ == "somewhere.else"
    assert isinstance(make(), Thing)


def test_values_pickle_by_their_home() -> None:
    info = FileInfo(path="a", name="a", size=1, modified_at=None)
    assert b"remote_store.core\n" in pickle.dumps(info, protocol=0)
    assert pickle.loads(pickle.dumps(info)) == info
