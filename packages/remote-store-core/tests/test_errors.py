from __future__ import annotations

import copy
import errno
import pickle
from typing import Any

import pytest

from remote_store.core import (
    AlreadyExists,
    BackendUnavailable,
    CapabilityNotSupported,
    ConfigError,
    DirectoryNotEmpty,
    InvalidConfiguration,
    InvalidPath,
    NotFound,
    PermissionDenied,
    PreconditionFailed,
    RemoteStoreError,
)

BUILTINS: list[tuple[type[RemoteStoreError], type[Exception]]] = [
    (NotFound, FileNotFoundError),
    (AlreadyExists, FileExistsError),
    (PreconditionFailed, RemoteStoreError),
    (PermissionDenied, PermissionError),
    (InvalidPath, ValueError),
    (DirectoryNotEmpty, OSError),
    (CapabilityNotSupported, NotImplementedError),
    (BackendUnavailable, ConnectionError),
]


@pytest.mark.parametrize("kind, builtin", BUILTINS)
def test_each_error_is_caught_as_the_builtin(kind: type[RemoteStoreError], builtin: type[Exception]) -> None:
    with pytest.raises(builtin):
        raise kind("no")
    assert issubclass(kind, RemoteStoreError)
    assert kind.__module__ == "remote_store.core"


@pytest.mark.parametrize(
    "kind", [RemoteStoreError, *(kind for kind, _ in BUILTINS if kind is not CapabilityNotSupported)]
)
def test_errors_survive_pickling_and_copying(kind: type[RemoteStoreError]) -> None:
    error = kind(
        "it failed", path="a", paths=("b",), backend="s3", code="X", status=400, request_id="1", retryable=True
    )
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(again) is kind
        assert vars(again) == vars(error)
        assert str(again) == str(error)


@pytest.mark.parametrize(
    "kind, number",
    [
        (NotFound, errno.ENOENT),
        (AlreadyExists, errno.EEXIST),
        (PermissionDenied, errno.EACCES),
        (DirectoryNotEmpty, errno.ENOTEMPTY),
        (BackendUnavailable, errno.ECONNABORTED),
    ],
)
def test_an_os_error_has_the_number_of_its_kind_and_the_path(kind: type[RemoteStoreError], number: int) -> None:
    error: Any = kind("it failed", path="a/b")
    for each in (error, pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert isinstance(each, OSError)
        assert (each.errno, each.filename, each.filename2, each.strerror) == (number, "a/b", None, "it failed")
        assert str(each) == "'a/b': it failed"
        each.path = "b"
        assert each.filename == "b"
    assert isinstance(OSError(number, ""), kind.__mro__[2])
    assert kind().filename is None


def test_every_class_that_is_an_os_error_has_a_number() -> None:
    kinds = [kind for kind, _ in BUILTINS if issubclass(kind, OSError)]
    assert len(kinds) == 5
    assert all(isinstance(kind().errno, int) for kind in kinds)


def test_an_error_that_is_no_os_error_has_the_path_too() -> None:
    assert InvalidPath("no", path="a").filename == "a"
    assert not hasattr(InvalidPath("no"), "errno")


def test_a_missing_capability_survives_pickling() -> None:
    error = CapabilityNotSupported("no", capability="glob", path="a", backend="s3")
    again = pickle.loads(pickle.dumps(error))
    assert (again.capability, str(again)) == ("glob", str(error))


def test_the_text_has_the_facts() -> None:
    error = NotFound("no such file", path="a/b", backend="s3", code="NoSuchKey", status=404, request_id="1")
    assert str(error) == "'a/b': no such file [backend=s3, code=NoSuchKey, status=404, request_id=1]"
    assert str(NotFound("no such bucket")) == "no such bucket"


def test_the_text_follows_the_path() -> None:
    error = NotFound("no such file", path="long/a")
    error.path = "a"
    assert str(error) == "'a': no such file"


def test_many_paths_are_cut_short() -> None:
    text = str(RemoteStoreError("some are left", paths=tuple(f"k{number}" for number in range(25))))
    assert "'k0'" in text
    assert "'k9'" in text
    assert "'k10'" not in text
    assert "and 15 more" in text


def test_nothing_is_retryable_unless_it_says_so() -> None:
    assert not BackendUnavailable("closed").retryable
    assert BackendUnavailable("busy", retryable=True).retryable


def test_the_repr_shows_the_path_and_the_facts() -> None:
    error = NotFound("no such file", path="a/b", backend="s3", code="NoSuchKey", status=404, request_id="1")
    facts = "path='a/b', backend='s3', code='NoSuchKey', status=404, request_id='1'"
    assert repr(error) == f"NotFound('no such file', {facts})"
    error.path = "b"
    assert "path='b'" in repr(error)
    assert repr(BackendUnavailable("closed")) == "BackendUnavailable('closed', path=None)"
    assert "path='a'" in repr(CapabilityNotSupported("no", capability="glob", path="a"))
    left = repr(RemoteStoreError("some are left", paths=tuple(f"k{number}" for number in range(25))))
    assert "'k9'" in left
    assert "'k10'" not in left


def test_a_configuration_error_is_an_error_of_ours_and_a_value_error() -> None:
    error = pickle.loads(pickle.dumps(ConfigError("unknown setting 'buckt'")))
    assert isinstance(error, RemoteStoreError)
    assert isinstance(error, ValueError)
    assert (str(error), error.path, error.retryable) == ("unknown setting 'buckt'", None, False)


@pytest.mark.parametrize(
    "kind, status",
    [
        (NotFound, 404),
        (AlreadyExists, 409),
        (DirectoryNotEmpty, 409),
        (PreconditionFailed, 412),
        (PermissionDenied, 403),
        (InvalidPath, 400),
        (CapabilityNotSupported, 501),
        (BackendUnavailable, 503),
        (RemoteStoreError, 500),
        (InvalidConfiguration, 500),
        (ConfigError, 500),
    ],
)
def test_each_error_has_a_status_for_those_who_serve_files_over_http(kind: Any, status: int) -> None:
    assert kind("no").http_status == kind.http_status == status
    assert str(status) in (RemoteStoreError.__doc__ or "")
    if kind is not CapabilityNotSupported:
        assert kind("no", status=418).http_status == status
