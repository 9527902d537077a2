from __future__ import annotations

import os
import signal
import sys
import threading
import time
import traceback

import boto3
import pytest
from botocore.client import BaseClient
from botocore.config import Config

from remote_store.boto3 import S3Boto3Backend
from remote_store.boto3.client import CLIENTS
from remote_store.core import PermissionDenied
from remote_store.core.s3 import S3Options

CUSTOM = {"key": "k", "secret": "s", "region_name": "eu-west-1", "endpoint_url": "http://127.0.0.1:9"}


@pytest.mark.parametrize("where", ["config", "environment", "profile", "session"])
def test_the_users_application_id_stays_in_the_user_agent(place, endpoint, bucket, monkeypatch, tmp_path, where):
    options, session = dict(place), None
    if where == "config":
        options["client_options"] = {"config": Config(user_agent_appid="my app")}
    elif where == "profile":
        (tmp_path / "config").write_text("[default]\nsdk_ua_app_id = my app\n")
    else:
        monkeypatch.setenv("AWS_SDK_UA_APP_ID", "my app")
    if where == "session":
        session = boto3.session.Session(options.pop("key"), options.pop("secret"))
    CLIENTS.client(S3Options.build(**options), session).head_bucket(Bucket=bucket)
    agent = endpoint.requests[-1].headers["user-agent"]
    assert agent.startswith(f"remote-store-boto3 Boto3/{boto3.__version__} app/my-app")


def test_the_client_has_what_boto3_adds(place, plain, bucket, tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"x" * 100)
    S3Boto3Backend(bucket, **place).unwrap(BaseClient).upload_file(str(file), bucket, "k")
    assert plain.head_object(Bucket=bucket, Key="k")["ContentLength"] == 100


def test_a_session_that_is_lent_stays_as_it_was(place, endpoint, bucket):
    session = boto3.session.Session(place["key"], place["secret"], region_name=place["region_name"])
    options = S3Options.build(endpoint_url=place["endpoint_url"])
    ours = CLIENTS.client(options, session)
    ours.put_object(Bucket=bucket, Key="k", Body=b"x")
    theirs = session.client("s3", endpoint_url=place["endpoint_url"])
    theirs.put_object(Bucket=bucket, Key="k", Body=b"x")
    ours_sent, theirs_sent = (request.headers for request in endpoint.requests)
    assert "expect" not in ours_sent
    assert theirs_sent["expect"] == "100-continue"
    assert "amz-sdk-invocation-id" in theirs_sent
    assert theirs.meta.config.signature_version == "s3v4"
    assert session.client("s3").meta.config.retries["mode"] != "adaptive"


SLOW = """
import os, pathlib, sys, time
pathlib.Path(sys.argv[1]).touch()
time.sleep(1.5)
print('{"Version": 1, "AccessKeyId": "a", "SecretAccessKey": "b"}')
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("lent", [False, True])
def test_a_fork_does_not_wait_for_credentials_that_are_looked_for_elsewhere(tmp_path, lent):
    begun, script = tmp_path / "begun", tmp_path / "slow.py"
    script.write_text(SLOW)
    (tmp_path / "config").write_text(f"[default]\ncredential_process = {sys.executable} {script} {begun}\n")
    options = S3Options.build(endpoint_url=CUSTOM["endpoint_url"], region_name="eu-west-1")
    session = boto3.session.Session() if lent else None
    searching = threading.Thread(target=CLIENTS.client, args=(options, session))
    searching.start()
    while not begun.exists():
        time.sleep(0.01)
    before = time.monotonic()
    child = os.fork()
    if not child:
        status = 1
        try:
            signal.alarm(5)
            S3Boto3Backend("bucket", **CUSTOM).unwrap(BaseClient)
            CLIENTS.client(S3Options.build(endpoint_url=CUSTOM["endpoint_url"]), boto3.session.Session("k", "s"))
            status = 0
        finally:
            os._exit(status)
    took = time.monotonic() - before
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    searching.join()
    assert took < 1


def test_the_credentials_of_a_lent_session_are_looked_at(bucket):
    session = boto3.session.Session("KEY", "HUSH ", region_name="eu-west-1")
    backend = S3Boto3Backend(bucket, session=session, endpoint_url="http://127.0.0.1:9")
    with pytest.raises(PermissionDenied, match="secret key contains") as caught:
        backend.check_health()
    assert "HUSH" not in "".join(traceback.format_exception(caught.value))


def test_certificates_are_looked_for_where_boto3_does(monkeypatch, tmp_path):
    for name in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    assert CLIENTS.certificates(S3Options.build()) is True
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/requests.pem")
    assert CLIENTS.certificates(S3Options.build()) == "/requests.pem"
    (tmp_path / "config").write_text("[default]\nca_bundle = /default.pem\n[profile mine]\nca_bundle = /mine.pem\n")
    assert CLIENTS.certificates(S3Options.build(tls_ca_bundle="/given.pem")) == "/given.pem"
    assert CLIENTS.certificates(S3Options.build(client_options={"verify": "/verify.pem"})) == "/verify.pem"
    assert CLIENTS.certificates(S3Options.build(client_options={"verify": False})) is False
    assert CLIENTS.certificates(S3Options.build()) == "/default.pem"
    assert CLIENTS.certificates(S3Options.build(profile="mine")) == "/mine.pem"
    assert CLIENTS.certificates(S3Options.build(), boto3.Session(profile_name="mine")) == "/mine.pem"
    assert CLIENTS.certificates(S3Options.build(), boto3.Session()) == "/default.pem"
    monkeypatch.setenv("AWS_CA_BUNDLE", "/environment.pem")
    assert CLIENTS.certificates(S3Options.build()) == "/environment.pem"
