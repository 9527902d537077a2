from __future__ import annotations

import os
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypedDict, Unpack, cast

import pytest

from remote_store.core import (
    BackendConfig,
    BackendNotInstalled,
    Config,
    ConfigError,
    InvalidConfiguration,
    LocalBackend,
    MemoryBackend,
    RetryPolicy,
    Secret,
    Store,
    StoreConfig,
    open_store,
)
from remote_store.core.config.file import configured, filled, from_environment
from remote_store.core.config.registry import Adapter
from remote_store.core.config.settings import Settings, converted

TOML = """
[backends.lake]
type = "fake"
bucket = "${LAKE_BUCKET:-lake}"
endpoint_url = "http://${LAKE_HOST}:9000"
key = "AK"
secret = "${LAKE_SECRET}"
retry = { max_attempts = 3 }
max_connections = "${LAKE_CONNECTIONS:-7}"
conditional_writes = true
put_options = { Tagging = "a=${LAKE_HOST}" }

[backends.disk]
type = "local"
root = "${DISK}"

[stores.raw]
backend = "lake"
root_path = "raw/${LAKE_HOST}"

[stores.files]
backend = "disk"
"""


class FakeFields(TypedDict, total=False):
    endpoint_url: str | None
    key: str | None
    secret: str | Secret | None
    session_token: str | Secret | None
    api_key: Secret
    retry: RetryPolicy
    connect_timeout: float
    max_connections: int
    conditional_writes: bool | None
    anon: bool
    addressing_style: Literal["auto", "path"]
    put_options: Mapping[str, Any]
    folder: Path
    client: MemoryBackend | None


class Fake(MemoryBackend):
    """A backend with the options of a lane, which keeps what it was given."""

    def __init__(self, bucket: str, **options: Unpack[FakeFields]) -> None:
        super().__init__()
        self.bucket = bucket
        self.options = cast("dict[str, Any]", options)


def find(kind: str) -> Adapter[Fake]:
    assert kind == "fake"
    return Adapter("fake", "fakes", Fake, MemoryBackend, lambda backend: backend)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("LAKE_", "REMOTE_STORE_", "DISK"))]:
        monkeypatch.delenv(name)


def made(options: Mapping[str, Any]) -> Fake:
    config = Config({"b": BackendConfig("fake", options)}, {"s": StoreConfig("b")})
    return configured(config, "s", find)[0]


def test_a_toml_file_describes_stores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "stores.toml").write_text(TOML, "utf-8")
    monkeypatch.setenv("LAKE_HOST", "host")
    monkeypatch.setenv("LAKE_SECRET", "hush")
    backend, root_path = configured(Config.from_file(tmp_path / "stores.toml"), "raw", find)
    assert (backend.bucket, root_path) == ("lake", "raw/host")
    assert backend.options == {
        "endpoint_url": "http://host:9000",
        "key": "AK",
        "secret": Secret("hush"),
        "retry": RetryPolicy(max_attempts=3),
        "max_connections": 7,
        "conditional_writes": True,
        "put_options": {"Tagging": "a=host"},
    }


def test_only_the_variables_of_the_store_that_is_opened_are_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISK", str(tmp_path))
    store = open_store(tomllib_tables(), "files")
    assert isinstance(store.backend, LocalBackend)
    store.write("x", b"1")
    assert (tmp_path / "x").read_bytes() == b"1"


def tomllib_tables() -> dict[str, Any]:
    return {
        "backends": {
            "disk": {"type": "local", "root": "${DISK}"},
            "lake": {"type": "s3-nowhere", "key": "${LAKE_KEY}"},
        },
        "stores": {"files": {"backend": "disk"}, "raw": {"backend": "lake"}},
    }


def test_a_store_opens_from_tables_from_a_path_or_from_what_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "stores.toml"
    file.write_text('[backends.m]\ntype = "memory"\n[stores.s]\nbackend = "m"\nroot_path = "r"\n', "utf-8")
    for config in (
        file,
        str(file),
        Config.from_file(file),
        {"backends": {"m": {"type": "memory"}}, "stores": {"s": {"backend": "m", "root_path": "r"}}},
    ):
        store = open_store(config, "s")
        assert (type(store), type(store.backend), store.root_path) == (Store, MemoryBackend, "r")
    assert Store.from_config(Config.from_file(file), "s").root_path == "r"
    with pytest.raises(FileNotFoundError):
        open_store(tmp_path / "none.toml", "s")


@pytest.mark.parametrize(
    "text, result",
    [
        ("${A}", "one"),
        ("x${A}y${A}z", "xoneyonez"),
        ("${NONE:-two}", "two"),
        ("${EMPTY:-two}", "two"),
        ("${EMPTY}", ""),
        ("${NONE:-}", ""),
        ("${A:-two}", "one"),
        ("${NONE:-http://h:1/?a=b}", "http://h:1/?a=b"),
        ("$${A}", "${A}"),
        ("$$${A}", "$${A}"),
        ("$A $ {A} 100$", "$A $ {A} 100$"),
        ("${LOOP}", "${A}"),
        (5, 5),
        (["${A}", {"k": "${A}"}], ["one", {"k": "one"}]),
    ],
)
def test_variables_are_filled_in_once(monkeypatch: pytest.MonkeyPatch, text: Any, result: Any) -> None:
    monkeypatch.setenv("A", "one")
    monkeypatch.setenv("EMPTY", "")
    monkeypatch.setenv("LOOP", "${A}")
    monkeypatch.delenv("NONE", raising=False)
    assert filled(text, "here") == result


def test_a_missing_variable_is_named_with_its_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKE_HOST", "host")
    with pytest.raises(ConfigError, match=r"backends\.lake\.secret .* LAKE_SECRET"):
        configured(Config.from_toml(TOML), "raw", find)
    monkeypatch.delenv("LAKE_HOST")
    monkeypatch.setenv("LAKE_SECRET", "x")
    with pytest.raises(ConfigError, match=r"backends\.lake\.endpoint_url .* LAKE_HOST"):
        configured(Config.from_toml(TOML), "raw", find)
    with pytest.raises(ConfigError, match=r"backends\.b\.put_options\.Tagging .* LAKE_HOST"):
        made({"bucket": "x", "put_options": {"Tagging": "${LAKE_HOST}"}})


@pytest.mark.parametrize("text", ["${", "${A", "${1A}", "${}", "${A-b}", "${A:-${B}}"])
def test_half_a_variable_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"here has a '\$\{'"):
        filled(text, "here")


@pytest.mark.parametrize(
    "data, match",
    [
        ({"backend": {}}, "unknown table 'backend'; did you mean 'backends'"),
        ({"backends": {"a": {}}}, r"backends\.a\.type is missing"),
        ({"backends": {"a": {"type": 5}}}, r"backends\.a\.type must be a string, not int"),
        ({"backends": {"a": "memory"}}, r"\[backends\.NAME\]"),
        ({"backends": []}, r"\[backends\.NAME\]"),
        ({"stores": {"s": {}}}, r"stores\.s\.backend is missing"),
        ({"stores": {"s": {"backend": "a"}}}, r"unknown backend 'a' of stores\.s; known names: none"),
        ({"backends": {"lake": {"type": "m"}}, "stores": {"s": {"backend": "lak"}}}, "did you mean 'lake'"),
        (
            {"backends": {"a": {"type": "m"}}, "stores": {"s": {"backend": "a", "rootpath": ""}}},
            "did you mean 'root_path'",
        ),
        (
            {"backends": {"a": {"type": "m"}}, "stores": {"s": {"backend": "a", "root_path": 1}}},
            "root_path must be a string",
        ),
    ],
)
def test_a_wrong_table_is_refused_when_it_is_read(data: dict[str, Any], match: str) -> None:
    with pytest.raises(ConfigError, match=match):
        Config.from_dict(data)


def test_a_text_that_is_no_toml_is_refused() -> None:
    with pytest.raises(ConfigError, match="not valid TOML: "):
        Config.from_toml("[backends")


def test_a_file_that_is_no_toml_is_named(tmp_path: Path) -> None:
    path = tmp_path / "stores.toml"
    path.write_text("[backends", "utf-8")
    with pytest.raises(ConfigError, match=r"stores\.toml: .*not valid TOML: "):
        open_store(path, "raw")


def test_a_prefix_is_text() -> None:
    wrong: Any = None
    with pytest.raises(TypeError, match="prefix must be a str, not NoneType"):
        Store.from_env(wrong)


def test_an_unknown_store_gets_the_nearest() -> None:
    with pytest.raises(ConfigError, match="unknown store 'row'; did you mean 'raw'"):
        Store.from_config(Config.from_toml(TOML), "row")


def test_an_unknown_type_says_where_it_stands() -> None:
    with pytest.raises(ConfigError, match=r"backends\.lake: unknown type of backend 's3-nowhere'"):
        open_store(tomllib_tables() | {"backends": {"lake": {"type": "s3-nowhere"}, "disk": {"type": "local"}}}, "raw")


def test_a_type_that_is_not_installed_keeps_its_command() -> None:
    def absent(kind: str) -> Adapter[Fake]:
        raise BackendNotInstalled(f"pip install {kind}", type=kind, distribution=kind)

    config = Config({"b": BackendConfig("fakes")}, {"s": StoreConfig("b")})
    with pytest.raises(BackendNotInstalled, match="^pip install fakes$"):
        configured(config, "s", absent)


@pytest.mark.parametrize(
    "options, match",
    [
        (
            {"bucket": "b", "max_conections": 5},
            "backends.b: unknown setting 'max_conections'; did you mean 'max_connections'",
        ),
        ({}, "backends.b: required settings are missing: 'bucket'"),
        (
            {"bucket": "b", "retry": {"max_attemps": 1}},
            "unknown field 'max_attemps' of 'retry'; did you mean 'max_attempts'",
        ),
        (
            {"bucket": "b", "root_path": "raw"},
            r"backends.b: 'root_path' is not a setting of a backend; set it in \[stores",
        ),
        ({"bucket": "b", "retry": {"max_attempts": 0}}, "'retry' has an invalid value: .* at least 1"),
        ({"bucket": "b", "retry": {"total_timeout": 0}}, "'retry' has an invalid value: total_timeout .* above 0"),
        ({"bucket": "b", "max_connections": "many"}, "'max_connections' must be a whole number"),
        ({"bucket": "b", "client": "mine"}, "'client' must be a MemoryBackend passed in Python or none"),
    ],
)
def test_a_wrong_setting_is_named_with_its_place(options: dict[str, Any], match: str) -> None:
    with pytest.raises(ConfigError, match=match):
        made(options)


def test_secrets_are_secrets_and_no_repr_shows_them(monkeypatch: pytest.MonkeyPatch) -> None:
    options = {"bucket": "b", "secret": "hush", "session_token": "${LAKE_TOKEN}", "api_key": "hush"}
    monkeypatch.setenv("LAKE_TOKEN", "hush")
    backend = made(options)
    for name in ("secret", "session_token", "api_key"):
        assert backend.options[name] == Secret("hush")
    config = Config({"b": BackendConfig("fake", options)}, {"s": StoreConfig("b")})
    assert (
        repr(config)
        == "Config(backends={'b': BackendConfig(type='fake')}, stores={'s': StoreConfig(backend='b', root_path='')})"
    )
    assert Config.__module__ == BackendConfig.__module__ == StoreConfig.__module__ == "remote_store.core"
    assert pickle.loads(pickle.dumps(config)) == config


@pytest.mark.parametrize(
    "name, text, value",
    [
        ("anon", "true", True),
        ("anon", "NO", False),
        ("anon", "1", True),
        ("conditional_writes", "none", None),
        ("conditional_writes", "off", False),
        ("max_connections", "12", 12),
        ("connect_timeout", "2.5", 2.5),
        ("connect_timeout", "3", 3.0),
        ("endpoint_url", "none", "none"),
        ("addressing_style", "path", "path"),
        ("retry", '{"max_attempts": 2}', RetryPolicy(2)),
        ("retry", '{"total_timeout": 2.5}', RetryPolicy(total_timeout=2.5)),
        ("retry", '{"max_attempts": "2", "total_timeout": "30"}', RetryPolicy(2, total_timeout=30)),
        ("put_options", '{"StorageClass": "X", "n": 1}', {"StorageClass": "X", "n": 1}),
        ("folder", "/a", Path("/a")),
        ("secret", "s", Secret("s")),
    ],
)
def test_the_environment_describes_a_store(monkeypatch: pytest.MonkeyPatch, name: str, text: str, value: Any) -> None:
    monkeypatch.setenv("REMOTE_STORE_TYPE", "fake")
    monkeypatch.setenv("REMOTE_STORE_BUCKET", "b")
    monkeypatch.setenv("REMOTE_STORE_ROOT_PATH", "r/s")
    monkeypatch.setenv("REMOTE_STORE_REGION_NAME", "")
    monkeypatch.setenv(f"REMOTE_STORE_{name.upper()}", text)
    backend, root_path = from_environment("REMOTE_STORE_", find)
    assert (backend.bucket, root_path) == ("b", "r/s")
    assert backend.options == {name: value}
    assert type(backend.options[name]) is type(value)


@pytest.mark.parametrize(
    "name, text, match",
    [
        ("ANON", "perhaps", "must be true or false"),
        ("MAX_CONNECTIONS", "1.5", "must be a whole number"),
        ("CONDITIONAL_WRITES", "some", "must be true or false or none"),
        ("ADDRESSING_STYLE", "odd", "must be one of 'auto', 'path'"),
        ("PUT_OPTIONS", "{oops", "must be a JSON object"),
        ("PUT_OPTIONS", "[1]", "must be a JSON object"),
        ("RETRY", '{"max_attempts": 0}', "at least 1"),
        ("RETRY", "0", "'retry' has an invalid value: .* at least 1"),
        ("RETRY", "3.5", r"'retry' must be a whole number \(max_attempts\) or a table"),
        ("RETRY", "true", r"'retry' must be a whole number \(max_attempts\) or a table"),
        ("RETRY", "thrice", r"'retry' must be a whole number \(max_attempts\) or a table"),
        (
            "ENDPOINT",
            "x",
            "variable REMOTE_STORE_ENDPOINT is not a setting of type 'fake'; did you mean REMOTE_STORE_ENDPOINT_URL",
        ),
    ],
)
def test_a_wrong_variable_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, text: str, match: str) -> None:
    monkeypatch.setenv("REMOTE_STORE_TYPE", "fake")
    monkeypatch.setenv("REMOTE_STORE_BUCKET", "b")
    monkeypatch.setenv(f"REMOTE_STORE_{name}", text)
    with pytest.raises(ConfigError, match=match) as caught:
        from_environment("REMOTE_STORE_", find)
    assert text not in str(caught.value) or len(text) < 2


def test_an_unknown_variable_says_which_settings_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKE_TYPE", "fake")
    monkeypatch.setenv("LAKE_COLOUR", "red")
    with pytest.raises(ConfigError) as caught:
        from_environment("LAKE_", find)
    # `client` takes an object, so no variable can set it.
    assert str(caught.value) == (
        "the environment variable LAKE_COLOUR is not a setting of type 'fake'; "
        "the settings, each with the prefix LAKE_, are TYPE, ROOT_PATH, BUCKET, ENDPOINT_URL, KEY, SECRET, "
        "SESSION_TOKEN, API_KEY, RETRY, CONNECT_TIMEOUT, MAX_CONNECTIONS, CONDITIONAL_WRITES, ANON, "
        "ADDRESSING_STYLE, PUT_OPTIONS, FOLDER"
    )


@pytest.mark.parametrize("value", [3, "3", {"max_attempts": 3}, '{"max_attempts": 3}', RetryPolicy(3)])
def test_retry_is_a_number_a_table_or_a_policy(value: object) -> None:
    assert made({"bucket": "b", "retry": value}).options["retry"] == RetryPolicy(max_attempts=3)


@pytest.mark.parametrize("value", [{"total_timeout": 60}, {"total_timeout": "60"}, '{"total_timeout": 60}'])
def test_a_table_may_limit_the_time(value: object) -> None:
    assert made({"bucket": "b", "retry": value}).options["retry"] == RetryPolicy(total_timeout=60)


@pytest.mark.parametrize(
    "value",
    [
        *(0, -1, 2.5, True, [3], "", "x", "2.5", "true", "[3]"),
        *({"max_attempts": 0}, {"max_attempts": True}, {"total_timeout": 0}, {"total_timeout": "soon"}, {"x": 1}),
    ],
)
def test_a_wrong_retry_is_a_configuration_error(value: object) -> None:
    with pytest.raises(ConfigError, match=r"^backends\.b: .*'retry(\.total_timeout)?'"):
        made({"bucket": "b", "retry": value})


@pytest.mark.parametrize("error", [TypeError("colour must be a str"), ValueError("colour must be a str")])
def test_a_setting_that_the_backend_refuses_is_a_configuration_error(error: Exception) -> None:
    def refuse(**options: object) -> None:
        raise error

    def find_refusing(kind: str) -> Adapter[Fake]:
        return Adapter(kind, "fakes", refuse, MemoryBackend, lambda backend: backend)

    config = Config({"b": BackendConfig("fake", {"colour": 5})}, {"s": StoreConfig("b")})
    with pytest.raises(ConfigError, match=r"^backends\.b: colour must be a str$") as caught:
        configured(config, "s", find_refusing)
    assert caught.value.__cause__ is not None
    assert caught.value.__cause__.__cause__ is error


def test_a_broken_environment_of_the_sdk_is_no_configuration_error() -> None:
    def refuse() -> None:
        raise InvalidConfiguration("AWS_CA_BUNDLE cannot be read")

    config = Config({"b": BackendConfig("fake", {})}, {"s": StoreConfig("b")})
    with pytest.raises(InvalidConfiguration) as caught:
        configured(config, "s", lambda kind: Adapter(kind, "fakes", refuse, MemoryBackend, lambda backend: backend))
    assert not isinstance(caught.value, ConfigError)


def test_the_environment_needs_a_type_and_may_have_another_prefix(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="REMOTE_STORE_TYPE is not set"):
        Store.from_env()
    monkeypatch.setenv("LAKE_TYPE", "local")
    monkeypatch.setenv("LAKE_ROOT", str(tmp_path))
    monkeypatch.setenv("LAKE_ROOT_PATH", "r")
    store = Store.from_env("LAKE_")
    assert isinstance(store.backend, LocalBackend)
    assert store.root_path == "r"


def test_a_factory_without_declared_settings_gets_what_is_given() -> None:
    def factory(place: str, *rest: object, count: int = 0, **options: Any) -> None:
        raise AssertionError(place, rest, count, options)

    settings = Settings.of(factory)
    assert (settings.required, settings.complete) == (("place",), False)
    assert settings.values({"place": "p", "count": "3", "else": "x"}) == {"place": "p", "count": 3, "else": "x"}


def test_a_type_that_only_type_checkers_know_leaves_the_values_alone() -> None:
    # A name that nobody knows is the case.
    def factory(count: Unknown = 0) -> None:  # type: ignore[name-defined]  # noqa: F821
        raise AssertionError(count)

    assert Settings.of(factory).values({"count": "3"}) == {"count": "3"}


def test_values_that_are_no_text_stay_as_they_are() -> None:
    marker = object()
    assert converted("x", marker, int) is marker
    assert converted("x", {"a": 1}, int) == {"a": 1}
    assert converted("x", 1, bool) == 1
