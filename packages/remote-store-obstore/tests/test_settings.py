from __future__ import annotations

from datetime import timedelta

import pytest
from obstore.store import AzureStore, HTTPStore, S3Store

from remote_store.core import BackendUnavailable, ConfigError, InvalidPath, RetryPolicy, Secret, Store
from remote_store.obstore import (
    ObstoreAzureBackend,
    ObstoreBackend,
    ObstoreGCSBackend,
    ObstoreHTTPBackend,
    ObstoreLocalBackend,
    ObstoreMemoryBackend,
    ObstoreS3Backend,
)


@pytest.mark.parametrize(
    "settings",
    [
        {"part_size": "a"},
        {"part_size": 0},
        {"part_size": True},
        {"nonsense": "1"},
        {"timeout": "soon"},
        {"timeout": 3},
        {"endpoint": "::::"},
        {"endpoint": "http://[::1"},
        {"endpoint": "http://host:port"},
        {"endpoint": "ftp://host"},
        {"endpoint": "http://host/a\n"},
        {"endpoint": 3},
        {"proxy_url": Secret("::")},
        {"virtual_hosted_style_request": "maybe"},
        {"user_agent": "a\nb"},
        {"retry": 0},
        {"retry": "often"},
        {"access_key_id": 3},
    ],
    ids=str,
)
def test_a_malformed_setting_is_a_config_error(settings):
    with pytest.raises(ConfigError):
        ObstoreS3Backend("bucket", **settings)


@pytest.mark.parametrize("bucket", ["", "a/b", "a b", "a\n", "..", "-", 3, None])
def test_a_bucket_is_a_name(bucket):
    with pytest.raises(ConfigError, match="bucket"):
        ObstoreS3Backend(bucket)


@pytest.mark.parametrize(
    "make",
    [
        lambda: ObstoreAzureBackend("container"),
        lambda: ObstoreAzureBackend("container", account_name="me", account_key="###"),
        lambda: ObstoreGCSBackend("bucket", service_account_key="{"),
        lambda: ObstoreHTTPBackend("nonsense"),
        lambda: ObstoreMemoryBackend("a/b"),
        lambda: ObstoreMemoryBackend(part_size="a"),
        lambda: ObstoreLocalBackend("/absent/folder"),
        lambda: ObstoreLocalBackend(__file__),
        lambda: ObstoreLocalBackend(""),
        lambda: ObstoreLocalBackend(None),
        lambda: ObstoreBackend("memory://"),
        lambda: ObstoreBackend(None),
    ],
)
def test_a_store_that_cannot_be_made_is_a_config_error(make):
    with pytest.raises(ConfigError):
        make()


def test_a_panic_of_obstore_is_a_config_error(capfd):
    # obstore fails to show settings of the client that are in the configuration of the store.
    store = S3Store("bucket", config={"allow_http": "true"})
    with pytest.raises(ConfigError, match="refuses these settings"):
        ObstoreBackend(store)
    assert "panicked" in capfd.readouterr().err


def test_no_message_shows_a_secret():
    with pytest.raises(ConfigError) as raised:
        ObstoreS3Backend("bucket", secret_access_key=Secret("hidden"), timeout="soon")
    assert "hidden" not in repr(raised.value)
    assert "hidden" not in repr(ObstoreS3Backend("bucket", access_key_id="a", secret_access_key="hidden"))


@pytest.mark.parametrize(
    "url",
    [
        "https://user:hidden@example.com/files",
        "https://hidden@example.com/files",
        "https://user:@hidden",
        "https://example.com/files?sig=hidden",
        "https://example.com/files#hidden",
    ],
)
def test_a_url_that_would_show_a_secret_is_refused(url):
    for make in (
        lambda: ObstoreHTTPBackend(url),
        lambda: ObstoreBackend(HTTPStore(url)),
        lambda: ObstoreS3Backend("bucket", endpoint=url),
        lambda: ObstoreAzureBackend("box", account_name="me", endpoint=url),
        lambda: Store.from_url("obstore+s3://bucket", endpoint=url),
    ):
        with pytest.raises(ConfigError) as raised:
            make()
        assert "hidden" not in repr(raised.value)


def test_credentials_in_a_header_are_not_shown():
    options = {"allow_http": True, "default_headers": {"authorization": "hidden"}}
    store = HTTPStore("http://127.0.0.1:1/files", client_options=options, retry_config={"max_retries": 0})
    backend = ObstoreBackend(store)
    with pytest.raises(BackendUnavailable) as raised:
        backend.read_bytes("a")
    assert "hidden" not in f"{raised.value} {raised.value.__cause__} {backend} {backend.native_path('a')}"


def test_a_proxy_may_have_credentials_which_are_not_shown():
    backend = ObstoreS3Backend("bucket", proxy_url=Secret("http://user:hidden@127.0.0.1:1"), region="x", retry=1)
    assert "hidden" not in repr(backend)


def test_settings_arrive_at_the_store():
    backend = ObstoreS3Backend(
        "bucket",
        endpoint="http://localhost:9000",
        access_key_id=Secret("key"),
        secret_access_key="secret",
        region="eu-central-1",
        timeout="5s",
        retry=RetryPolicy(max_attempts=3, total_timeout=7),
    )
    store = backend.unwrap(S3Store)
    assert store.config["access_key_id"] == "key"
    assert store.config["region"] == "eu-central-1"
    assert store.client_options == {"allow_http": "true", "timeout": "5s"}
    assert store.retry_config["max_retries"] == 2
    assert store.retry_config["retry_timeout"] == timedelta(seconds=7)
    assert backend.native_path("a/b") == "s3://bucket/a/b"
    assert ObstoreS3Backend("bucket", retry=1).unwrap(S3Store).retry_config["max_retries"] == 0


def test_each_service_has_a_backend_that_names_its_files():
    azure = ObstoreAzureBackend("box", account_name="me", account_key="a2V5")
    assert azure.native_path("a") == "az://box/a"
    assert azure.unwrap(AzureStore).config["account_name"] == "me"
    assert ObstoreGCSBackend("bucket", skip_signature=True).native_path("a") == "gs://bucket/a"
    assert ObstoreHTTPBackend("https://example.com/files").native_path("a") == "https://example.com/files/a"
    assert ObstoreMemoryBackend("box").native_path("a") == "memory://box/a"
    assert ObstoreBackend(S3Store("bucket", prefix="in/it")).native_path("a") == "s3://bucket/in/it/a"


def test_urls_name_the_place():
    with Store.from_url("obstore+memory://urls/in/it") as store:
        store.write_text("a", "x")
    with Store.from_url("obstore+memory://urls") as store:
        assert [file.path for file in store.list_files("", recursive=True)] == ["in/it/a"]
    with Store.from_url("obstore+memory://") as store:
        assert list(store.iter_children("")) == []
    with Store.from_url("obstore+memory:///in") as store:
        assert store.root_path == "in"
    with Store.from_url("obstore+s3://bucket/in?region=eu-central-1&endpoint=http://localhost:1&retry=1") as store:
        assert store.native_path("a") == "s3://bucket/in/a"
        assert store.unwrap(S3Store).client_options == {"allow_http": "true"}
    with Store.from_url("obstore+https://example.com:8443/a%20b/c?timeout=3s") as store:
        assert store.native_path("d") == "https://example.com:8443/a%20b/c/d"
        assert store.unwrap(HTTPStore).client_options == {"timeout": "3s"}
    with Store.from_url("obstore+az://box/in?account_name=me&skip_signature=true") as store:
        assert store.native_path("a") == "az://box/in/a"
    with Store.from_url("obstore+gs://bucket?skip_signature=true") as store:
        assert store.native_path("a") == "gs://bucket/a"


def test_a_url_of_a_folder_is_that_folder(tmp_path):
    with Store.from_url(f"obstore+file://{tmp_path}") as store:
        store.write_text("in/a", "x")
    assert (tmp_path / "in/a").read_text("utf-8") == "x"
    with Store.from_url(f"obstore+file://{tmp_path}/new%20one?create=true") as store:
        store.write_text("a", "x")
    assert (tmp_path / "new one/a").read_text("utf-8") == "x"


@pytest.mark.parametrize(
    "url",
    [
        "obstore+s3://bucket?part_size=a",
        "obstore+s3://bucket?nonsense=1",
        "obstore+s3://bucket?skip_signature=maybe",
        "obstore+s3://bucket?secret_access_key=hidden",
        "obstore+s3://bucket?access_key_id=hidden",
        "obstore+s3://",
        "obstore+az://box?account_name=me&account_key=hidden",
        "obstore+az://box?account_name=me&sas_key=hidden",
        "obstore+gs://bucket?service_account_key=hidden",
        "obstore+http://host:port/",
        "obstore+https://host/?proxy_url=hidden",
        "obstore+memory://?part_size=a",
        "obstore+file:///absent/folder",
        "obstore+ftp://host",
    ],
)
def test_a_wrong_url_is_a_config_error_without_secrets(url):
    with pytest.raises(ConfigError) as raised:
        Store.from_url(url)
    assert "hidden" not in repr(raised.value)


@pytest.mark.parametrize("name", ["a-b", "1a"])
def test_azure_takes_identifiers_as_names_of_metadata_and_no_backslash(name):
    azure = ObstoreAzureBackend("box", account_name="me", skip_signature=True, endpoint="http://127.0.0.1:1", retry=1)
    with pytest.raises(ValueError, match="Azure"):
        azure.write("a", b"x", metadata={name: "x"})
    with pytest.raises(InvalidPath, match="Azure"):
        azure.write("a\\b", b"x")
