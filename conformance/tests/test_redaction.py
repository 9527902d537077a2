from __future__ import annotations

import pytest

from remote_store.conformance.redaction import SECRET_NAME, redacted


def test_the_secrets_that_are_named_are_taken_out_wherever_they_stand() -> None:
    assert redacted("it is hunter2, or hunter2-more", ["hunter2", "hunter2-more", ""]) == "it is ***, or ***"


@pytest.mark.parametrize(
    "text, expected",
    [
        ("connect(password='hunter2')", "connect(password='***')"),
        ('{"secret_key": "hunter2", "region": "x"}', '{"secret_key": "***", "region": "x"}'),
        ("sftp://user:hunter2@host/path", "sftp://user:***@host/path"),
        ("GET /key?X-Amz-Signature=hunter2&x=1", "GET /key?X-Amz-Signature=***&x=1"),
        ("X-Amz-Security-Token: hunter2", "X-Amz-Security-Token: ***"),
        ("Authorization: Bearer hunter2", "Authorization: ***"),
        ("api_key=hunter2 and more", "api_key=*** and more"),
    ],
)
def test_what_looks_like_a_secret_by_its_name_is_taken_out(text: str, expected: str) -> None:
    assert redacted(text) == expected


@pytest.mark.parametrize("text", ["path 'a/token/b' is gone", "a secret must not be shown.", "mailto:a@b", "key=value"])
def test_other_text_stays(text: str) -> None:
    assert redacted(text) == text


def test_names_of_options_that_hold_secrets_are_known() -> None:
    for name in ("secret", "password", "session_token", "key", "aws_access_key_id", "api_key", "credentials"):
        assert SECRET_NAME.search(name), name
    for name in ("path", "overwrite", "metadata", "endpoint_url", "max_key_bytes", "keyed"):
        assert not SECRET_NAME.search(name), name
