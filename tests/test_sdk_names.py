"""A release of an SDK without one of the public names that are looked up still gives a backend that works."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from remote_store.botocore import names
from remote_store.botocore.locating import s3_hosts
from remote_store.botocore.session import shared_loader
from remote_store.conformance.s3 import MOTO, S3Harness
from remote_store.core import Backend

ROOT = Path(__file__).resolve().parent.parent
SOURCES = [
    path
    for lane in ("botocore", "boto3", "s3fs", "pyarrow")
    for path in (ROOT / f"packages/remote-store-{lane}/src").rglob("*.py")
]
PLAIN = {
    "aiobotocore": {"aiobotocore"},
    "aiobotocore.awsrequest": {"AioAWSResponse"},
    "aiobotocore.client": {"AioBaseClient"},
    "aiobotocore.config": {"AioConfig"},
    "aiobotocore.httpsession": {"AIOHTTPSession"},
    "aiobotocore.session": {"AioSession"},
    "aiohttp": {"aiohttp"},
    "boto3": {"boto3"},
    "botocore": {"UNSIGNED", "exceptions", "xform_name"},
    "botocore.client": {"BaseClient"},
    "botocore.config": {"Config"},
    "botocore.credentials": {"Credentials"},
    "botocore.exceptions": {"BotoCoreError", "DataNotFoundError", "ParamValidationError"},
    "botocore.parsers": {"ResponseParserError"},
    "botocore.session": {"Session"},
    "pyarrow": {"pyarrow"},
    "pyarrow.dataset": {"pyarrow.dataset"},
    "pyarrow.fs": {
        "AwsStandardS3RetryStrategy",
        "FileInfo",
        "FileSelector",
        "FileSystemHandler",
        "FileType",
        "PyFileSystem",
        "S3FileSystem",
    },
    "s3fs": {"S3FileSystem"},
    "urllib3": {"HTTPConnectionPool", "HTTPSConnectionPool", "PoolManager", "ProxyManager", "Timeout", "exceptions"},
    "urllib3.connection": {"HTTPConnection", "HTTPSConnection"},
    "urllib3.exceptions": {"HTTPError"},
    "yarl": {"URL"},
}
"""What is imported plainly: the SDKs' names without which there is no client, and the HTTP libraries below them."""


def looked_up() -> Iterator[str]:
    """The names that the sources hand to `lookup` and to `remove_handler`."""
    places = {"lookup": 1, "remove_handler": 2}
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and (place := places.get(ast.unparse(node.func))) is not None:
                argument = node.args[place]
                if isinstance(argument, ast.Constant):
                    yield str(argument.value)


NAMES = sorted(set(looked_up()))


def test_names_are_found_in_the_sources() -> None:
    expected = {
        "add_retry_headers",
        "create_loader",
        "inject_s3_transfer_methods",
        "parse_timestamp",
        "register_component",
    }
    assert expected < set(NAMES)


def test_no_other_name_of_an_sdk_is_taken_for_granted() -> None:
    imported: dict[str, set[str]] = {}
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom):
                imported.setdefault(node.module or "", set()).update(alias.name for alias in node.names)
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    imported.setdefault(alias.name, set()).add(alias.name)
    sdks = ("aiobotocore", "aiohttp", "boto3", "botocore", "fsspec", "pyarrow", "s3fs", "s3transfer", "urllib3", "yarl")
    assert {module: names for module, names in imported.items() if module.partition(".")[0] in sdks} == PLAIN


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    def take_away(missing: str) -> None:
        def get(owner: Any, name: str, default: Any) -> Any:
            return default if name == missing else getattr(owner, name, default)

        # The SDKs themselves, and moto, need some of the names.
        monkeypatch.setattr(names, "getattr", get, raising=False)

    for found in (shared_loader, s3_hosts):
        found.cache_clear()
    yield take_away
    for found in (shared_loader, s3_hosts):
        found.cache_clear()


@pytest.mark.parametrize("lane", ["boto3", "s3fs"], indirect=True)
@pytest.mark.parametrize("name", NAMES)
def test_a_release_without_a_name_still_makes_a_backend_that_works(
    lane: Callable[..., Backend], without: Callable[[str], None], name: str
) -> None:
    without(name)
    harness = S3Harness(lane, MOTO)
    with harness.make(put_options={"CacheControl": "no-cache"}) as backend:
        info = backend.write("k", b"x" * 2_000_000, metadata={"author": "ada"})
        assert backend.read_bytes("k") == b"x" * 2_000_000
        assert [(listed.path, listed.etag) for listed in backend.list_files("")] == [("k", info.etag)]
        backend.copy("k", "copy")
        backend.delete_folder("none", missing_ok=True)


def test_a_release_without_a_name_that_is_looked_up_at_the_import_is_imported(without: Callable[[str], None]) -> None:
    without("reset_lock")
    spec = importlib.util.spec_from_file_location(
        "a_backend", ROOT / "packages/remote-store-s3fs/src/remote_store/s3fs/backend.py"
    )
    assert spec is not None
    assert spec.loader is not None
    spec.loader.exec_module(importlib.util.module_from_spec(spec))


@pytest.mark.parametrize(
    "owner, name", [("botocore.absent", "name"), ("botocore.handlers", "absent"), (object(), "absent")]
)
def test_what_is_missing_is_none(owner: object, name: str) -> None:
    assert names.lookup(owner, name) is None
