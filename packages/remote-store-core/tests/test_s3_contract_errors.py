from __future__ import annotations

import io

import pytest

from remote_store.core import NotFound, RemoteStoreError, Source
from remote_store.core.s3 import Fault, contract_errors


def test_a_fault_is_the_error_that_it_means_and_the_sdks_exception_its_cause() -> None:
    theirs = OSError("of the SDK")
    with pytest.raises(NotFound) as caught, contract_errors("s3-x", "a"):
        raise Fault("NoSuchKey", 404, request_id="r") from theirs
    error = caught.value
    assert (error.path, error.backend, error.code, error.request_id) == ("a", "s3-x", "NoSuchKey", "r")
    assert error.__cause__ is theirs


def test_a_fault_without_an_sdk_behind_it_is_the_cause_itself() -> None:
    fault = Fault("NoSuchKey", 404)
    with pytest.raises(NotFound) as caught, contract_errors("s3-x"):
        raise fault
    assert (caught.value.path, caught.value.__cause__) == (None, fault)


@pytest.mark.parametrize(
    "known, told", [({}, ("a", "s3-x")), ({"path": "b"}, ("b", "s3-x")), ({"backend": "y"}, ("a", "y"))]
)
def test_an_error_of_core_is_told_what_it_does_not_know(known: dict[str, str], told: tuple[str, str]) -> None:
    error = NotFound("gone", **known)  # type: ignore[arg-type]
    with pytest.raises(NotFound) as caught, contract_errors("s3-x", "a"):
        raise error
    assert caught.value is error
    assert (error.path, error.backend) == told


def test_an_error_of_the_callers_own_stream_is_told_nothing() -> None:
    error = NotFound("mine")

    class Broken(io.RawIOBase):
        def read(self, _size: int = -1, /) -> bytes:
            raise error

    content = Source(Broken())
    with pytest.raises(RemoteStoreError) as caught, contract_errors("s3-x", "a", content):
        content.read_block(1)
    assert caught.value is error
    assert (error.path, error.backend) == (None, None)


def test_anything_else_passes() -> None:
    with pytest.raises(ValueError, match="mine"), contract_errors("s3-x", "a"):
        raise ValueError("mine")
