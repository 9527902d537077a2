"""Proxies, credentials, certificates and settings of this machine that cannot be used: said at once and by name."""

from __future__ import annotations

import json
import os
import socket
import stat
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiobotocore.config import AioConfig
from s3fs import S3FileSystem

from remote_store.boto3 import S3Boto3Backend
from remote_store.botocore.proxies import is_proxy
from remote_store.core import Backend, InvalidConfiguration, PermissionDenied, RemoteStoreError, RetryPolicy
from remote_store.pyarrow import S3PyArrowBackend
from remote_store.s3fs import S3FsBackend

each_lane = pytest.mark.parametrize("lane", [S3Boto3Backend, S3FsBackend, S3PyArrowBackend])
KEYS: dict[str, Any] = {"key": "AKID", "secret": "hush", "region_name": "us-east-1"}


@pytest.fixture(autouse=True)
def no_aws_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_") or name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def place() -> Iterator[str]:
    """The URL of a door that takes connections and never answers; a test that reaches it takes too long."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def whole_text(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)) + repr(error)


def refused(backend: Backend) -> RemoteStoreError:
    with backend, pytest.raises(RemoteStoreError) as caught:
        backend.read_bytes("k")
    assert not caught.value.retryable
    assert "HUSH" not in whole_text(caught.value)
    return caught.value


MALFORMED_PROXIES = [
    "http://user:HUSH/x@127.0.0.1:3128",
    "http://user:HUSH#x@127.0.0.1:3128",
    "http://user:HUSH?x@127.0.0.1:3128",
    "http://user:HUSH[x@127.0.0.1:3128",
    "http://user:HUSH\\x@127.0.0.1:3128",
    "http://user:HUSH x@127.0.0.1:3128",
    "http://user:HUSH\u00e9@127.0.0.1:3128",
    "http://user:HUSH%C3%A9@127.0.0.1:3128",
    "http://user:pass@127.0.0.1:HUSH",
    "http://user:HUSH@127.0.0.1:99999",
    "http://user:HUSH@127.0.0.1:0",
    "http://user:HUSH@",
    "user:HUSH@host name",
    "socks5://user:HUSH@127.0.0.1:1080",
    "https//user:HUSH@127.0.0.1",
    "http://[::1:3128",
    "http://",
]
PROXIES = [
    "http://127.0.0.1:3128",
    "127.0.0.1:3128",
    "//127.0.0.1:3128",
    "https://proxy_1.example.org",
    "http://user:p%40ss%2F@127.0.0.1:3128/",
    "http://user:p@ss@127.0.0.1",
    "http://[::1]:3128",
    "user:pass@proxy:3128",
]


@pytest.mark.parametrize("url", MALFORMED_PROXIES)
def test_what_is_no_proxy(url: str) -> None:
    assert not is_proxy(url)


@pytest.mark.parametrize("url", PROXIES)
def test_what_is_a_proxy(url: str) -> None:
    assert is_proxy(url)


@each_lane
@pytest.mark.parametrize("variable", ["http_proxy", "HTTPS_PROXY"])
@pytest.mark.parametrize("url", [MALFORMED_PROXIES[0], MALFORMED_PROXIES[8]])
def test_a_proxy_of_the_environment_that_is_malformed(lane: Any, monkeypatch: Any, variable: str, url: str) -> None:
    monkeypatch.setenv(variable, url)
    scheme = variable.partition("_")[0].lower()
    error = refused(lane("bucket", endpoint_url=f"{scheme}://127.0.0.1:9", **KEYS))
    assert isinstance(error, InvalidConfiguration)
    assert variable in str(error)


@each_lane
def test_a_proxy_that_is_not_used_is_not_looked_at(lane: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("http_proxy", MALFORMED_PROXIES[0])
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    backend = lane("bucket", endpoint_url="http://127.0.0.1:9", retry=RetryPolicy(1), **KEYS)
    with backend, pytest.raises(RemoteStoreError, match="did not answer"):
        backend.read_bytes("k")


@each_lane
@pytest.mark.parametrize("url", MALFORMED_PROXIES[:3])
def test_a_proxy_of_the_config_that_is_malformed(lane: Any, url: str) -> None:
    config = AioConfig(proxies={"http": url})
    with pytest.raises(ValueError, match="proxy in config") as caught:
        lane("bucket", endpoint_url="http://127.0.0.1:9", client_options={"config": config}, **KEYS)
    assert "HUSH" not in whole_text(caught.value)


CREDENTIALS = {
    "secret key": ("AKID", "HUSH\n", None),
    "secret key ": ("AKID", " HUSH", None),
    "secret key with half a character": ("AKID", "HUSH\udcff", None),
    "access key": ("AKID\n", "HUSH", None),
    "access key ": (" AKID", "HUSH", None),
    "session token": ("AKID", "HUSH", "HUSH\r\n"),
    "session token ": ("AKID", "HUSH", "HU SH"),
}


@each_lane
@pytest.mark.parametrize("provider", ["environment", "process"])
@pytest.mark.parametrize("what", list(CREDENTIALS))
def test_credentials_with_white_space(
    lane: Any, what: str, provider: str, place: str, monkeypatch: Any, tmp_path: Path
) -> None:
    found = dict(zip(("AccessKeyId", "SecretAccessKey", "SessionToken"), CREDENTIALS[what], strict=True))
    if provider == "environment":
        names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
        for name, value in zip(names, found.values(), strict=True):
            if value is not None:
                monkeypatch.setenv(name, value)
    else:
        answer = tmp_path / "answer.json"
        answer.write_text(json.dumps({"Version": 1, **{name: value for name, value in found.items() if value}}))
        code = f"print(open('{answer}').read())"
        (tmp_path / "config").write_text(f'[default]\ncredential_process = {sys.executable} -c "{code}"\n')
    error = refused(lane("bucket", endpoint_url=place, region_name="us-east-1"))
    assert isinstance(error, PermissionDenied)
    assert f"the {' '.join(what.split()[:2])} contains a line break, white space" in str(error)
    assert ("env" if provider == "environment" else "custom-process") in str(error)


@pytest.mark.parametrize("how", ["given", "environment"])
def test_credentials_of_a_filesystem_that_is_handed_in(how: str, place: str, monkeypatch: Any) -> None:
    given: dict[str, Any] = {"key": "AKID", "secret": "HUSH\n"} if how == "given" else {}
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKID")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "HUSH\n")
    fs = S3FileSystem(endpoint_url=place, skip_instance_cache=True, **given)
    error = refused(S3FsBackend("bucket", fs=fs))
    assert isinstance(error, PermissionDenied)
    assert "the secret key contains a line break" in str(error)


@each_lane
def test_a_bundle_that_is_no_file_of_certificates(lane: Any, tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "empty.pem").touch()
    (tmp_path / "binary.der").write_bytes(b"\x30\x82\x01\x0a")
    (tmp_path / "text.pem").write_text("nothing")
    cases: dict[str, tuple[str, type[Exception]]] = {
        "absent.pem": ("does not exist", FileNotFoundError),
        "": ("folder", FileNotFoundError),
        "empty.pem": ("empty", ValueError),
        "binary.der": ("DER", ValueError),
        "text.pem": ("without a readable certificate", ValueError),
    }
    for name, (what, kind) in cases.items():
        path = str(tmp_path / name)
        for option, options in (
            ("tls_ca_bundle", {"tls_ca_bundle": path}),
            ("verify in client_options", {"client_options": {"verify": path}}),
        ):
            with pytest.raises(kind, match=f"^{option} names .*{what}.*PEM format"):
                lane("bucket", **options)
        monkeypatch.setenv("AWS_CA_BUNDLE", path)
        error = refused(lane("bucket", endpoint_url="https://127.0.0.1:9", **KEYS))
        assert isinstance(error, InvalidConfiguration)
        assert what in str(error)
        assert "AWS_CA_BUNDLE" in str(error)
        monkeypatch.delenv("AWS_CA_BUNDLE")


@each_lane
def test_a_bundle_that_is_a_device_or_a_pipe(lane: Any, tmp_path: Path, monkeypatch: Any) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in ("/dev/null", str(tmp_path / "pipe")):
        with pytest.raises(ValueError, match=r"tls_ca_bundle names a device or a pipe.*no certificates.*PEM format"):
            lane("bucket", tls_ca_bundle=path)
        monkeypatch.setenv("AWS_CA_BUNDLE", path)
        error = refused(lane("bucket", endpoint_url="https://127.0.0.1:9", **KEYS))
        assert isinstance(error, InvalidConfiguration)
        assert "no certificates" in str(error)
        monkeypatch.delenv("AWS_CA_BUNDLE")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_a_bundle_that_may_not_be_read(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.pem"
    bundle.touch()
    bundle.chmod(stat.S_IWUSR)
    with pytest.raises(ValueError, match="tls_ca_bundle names a file that this user may not read"):
        S3Boto3Backend("bucket", tls_ca_bundle=str(bundle))


SETTINGS = {
    "AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES": "many",
    "AWS_DEFAULTS_MODE": "x",
    "AWS_S3_US_EAST_1_REGIONAL_ENDPOINT": "x",
    "AWS_STS_REGIONAL_ENDPOINTS": "x",
    "AWS_S3_DISABLE_EXPRESS_SESSION_AUTH": "maybe",
    "AWS_METADATA_SERVICE_TIMEOUT": "many",
    "AWS_METADATA_SERVICE_NUM_ATTEMPTS": "many",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "x",
    "AWS_ACCOUNT_ID_ENDPOINT_MODE": "x",
    "AWS_DEFAULT_REGION": "eu central",
}


@pytest.mark.parametrize("lane", [S3Boto3Backend, S3FsBackend])
@pytest.mark.parametrize("name", list(SETTINGS))
def test_a_setting_of_the_environment_that_cannot_be_used(lane: Any, name: str, place: str, monkeypatch: Any) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKID")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "HUSH")
    monkeypatch.setenv(name, SETTINGS[name])
    region = {} if "REGION" in name else {"region_name": "us-east-1"}
    error = refused(lane("bucket", endpoint_url=place, **region))
    assert isinstance(error, InvalidConfiguration)
    assert isinstance(error, ValueError)
    assert name.removeprefix("AWS_").lower() in str(error).lower()


@each_lane
@pytest.mark.parametrize("setting", ["s3 = x", "api_versions = x", "region =\n  a = HUSH", "retry_mode =\n  a = HUSH"])
def test_a_setting_of_the_wrong_form_is_named_with_its_profile_and_file(
    lane: Any, setting: str, place: str, tmp_path: Path
) -> None:
    (tmp_path / "config").write_text(f"[profile mine]\n{setting}\naws_access_key_id = a\naws_secret_access_key = b\n")
    error = refused(lane("bucket", endpoint_url=place, profile="mine"))
    for named in (repr(setting.split(maxsplit=1)[0]), "'mine'", str(tmp_path / "config")):
        assert named in str(error)


@each_lane
@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"])
def test_an_endpoint_of_the_environment_that_is_malformed_is_named(lane: Any, name: str, monkeypatch: Any) -> None:
    monkeypatch.setenv(name, "http://user:HUSH@host:port")
    with pytest.raises(ValueError, match=name) as caught:
        lane("bucket", **KEYS)
    assert "HUSH" not in whole_text(caught.value)


@each_lane
@pytest.mark.parametrize("region", ["eu-central", "Frankfurt", "EU-CENTRAL-1", "us-east-1a", "us-east", "1"])
def test_a_region_that_is_none_of_aws(lane: Any, region: str, monkeypatch: Any) -> None:
    with pytest.raises(ValueError, match="region_name"):
        lane("bucket", key="AKID", secret="hush", region_name=region)
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    assert "AWS_DEFAULT_REGION" in str(refused(lane("bucket", key="AKID", secret="hush")))
    lane("bucket", endpoint_url="http://127.0.0.1:9", key="AKID", secret="hush", region_name=region).close()


@each_lane
@pytest.mark.parametrize(
    "region", ["us-east-1", "eu-isoe-west-1", "eusc-de-east-1", "xx-moon-1", "aws-global", "fips-us-east-1"]
)
def test_a_region_of_aws(lane: Any, region: str) -> None:
    lane("bucket", key="AKID", secret="hush", region_name=region).close()


@each_lane
@pytest.mark.parametrize(
    "host",
    [
        "s3-website-us-east-1.amazonaws.com",
        "bucket.s3-website.eu-central-1.amazonaws.com",
        "123456789012.s3-control.us-east-1.amazonaws.com",
        "s3-control.dualstack.us-east-1.amazonaws.com",
        "s3-outposts.us-east-1.amazonaws.com",
        "s3-object-lambda.us-east-1.amazonaws.com",
        "s3express-control.us-east-1.amazonaws.com",
        "s3tables.us-east-1.amazonaws.com",
    ],
)
def test_a_host_of_aws_without_the_api_for_objects(lane: Any, host: str, monkeypatch: Any) -> None:
    with pytest.raises(ValueError, match=f"endpoint_url has the host '{host}'"):
        lane("bucket", endpoint_url=f"https://{host}", **KEYS)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"https://{host}")
    with pytest.raises(ValueError, match="AWS_ENDPOINT_URL has the host"):
        lane("bucket", **KEYS)


@each_lane
@pytest.mark.parametrize("name", ["SSEKMSKeyId", "Tagging", "CacheControl"])
def test_half_a_character_in_an_option(lane: Any, name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} in put_options contains a lone surrogate"):
        lane("bucket", put_options={name: "a\ud800b"})
    with pytest.raises(ValueError, match="secret has"):
        lane("bucket", key="AKID", secret="HUSH\ud800")


@each_lane
def test_proxies_that_are_no_dict_are_refused_by_name(lane: type[Backend]) -> None:
    config = AioConfig(proxies="http://proxy.example.org:3128")
    with pytest.raises(TypeError, match="proxies of config in client_options must be a dict"):
        lane("bucket", client_options={"config": config}, **KEYS)  # type: ignore[call-arg]
