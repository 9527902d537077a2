from __future__ import annotations

import time

import pytest

from remote_store.conformance.values.redaction import SECRET_NAME, escaped, redacted


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
        (r"secret_key=\'hunter2\', x", r"secret_key=\'***\', x"),
        (r"{\\\'secret\\\': \\\'hunter2\\\'}", r"{\\\'secret\\\': \\\'***\\\'}"),
        ("secret=b'hunter2', x", "secret=b'***', x"),
        ("secret=Secret('hunter2'), x", "secret=Secret('***'), x"),
        ("secrets=('hunter2', 'hunter3'), x", "secrets=(***), x"),
        ("password=hunt,er;2 more", "password=*** more"),
        ("f(password=hunt)er2)", "f(password=***)"),
        ("password='hunt,er;2' more", "password='***' more"),
        (r"password='hunt\'er2' more", r"password='***' more"),
        ("password='hunter...", "password='***"),
        ("AccountName=a;AccountKey=hunt/er2==;EndpointSuffix=x", "AccountName=a;AccountKey=***;EndpointSuffix=x"),
        ("https://host/?sv=1&sig=hunter2%3D&x=1", "https://host/?sv=1&sig=***&x=1"),
        ("it sent Bearer hunter2, twice", "it sent Bearer ***, twice"),
        ("Server=x;pwd=hunter2;Database=y", "Server=x;pwd=***;Database=y"),
        ("private_key: 'hunter2'", "private_key: '***'"),
        ("SSECustomerKey=b'\\x00hunter2'", "SSECustomerKey=b'***'"),
        (
            "-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY-----",
            "-----BEGIN RSA PRIVATE KEY-----***-----END RSA PRIVATE KEY-----",
        ),
        (
            "<SecretAccessKey>hunter2</SecretAccessKey><Region>x</Region>",
            "<SecretAccessKey>***</SecretAccessKey><Region>x</Region>",
        ),
        ("Cookie: a=hunter2; b=hunter2\nnext", "Cookie: ***\nnext"),
        ("sftp://user:hun@ter2@host/path", "sftp://user:***@host/path"),
    ],
)
def test_what_looks_like_a_secret_by_its_name_is_taken_out(text: str, expected: str) -> None:
    assert redacted(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "'swim/fish & chips'",
        "https://host/swim%2Ffish%20%26%20chips?x",
        "https://host/swim/fish%20%26%20chips?x",
        "swim%2Ffish+%26+chips",
        "'swim/fi...",
        "'swim/...', 'swim/fish & chip...'",
    ],
)
def test_a_named_secret_is_taken_out_in_every_form_and_where_it_is_cut_off(text: str) -> None:
    assert "swim" not in redacted(text, ["swim/fish & chips"])


@pytest.mark.parametrize(
    "piece",
    [
        "secret",
        "secret ",
        "secret='",
        r"secret=\'",
        "secret=,;",
        "secret=,a ",
        "a.a+",
        "://a:",
        "Bearer ",
        "<secret>",
        "\\",
        "...",
    ],
)
def test_the_time_grows_with_the_length_and_no_faster(piece: str) -> None:
    began = time.process_time()
    redacted(piece * (120_000 // len(piece)), ["hunter2-is-the-secret"])
    assert time.process_time() - began < 1.0


@pytest.mark.parametrize(
    "text, expected",
    [
        ("\x1b[31mred\x1b[0m\x07", r"\x1b[31mred\x1b[0m\x07"),
        ("\x9b2J\x7f\x00", r"\x9b2J\x7f\x00"),
        ("over\rwritten", r"over\rwritten"),
        ("\u202egnp.exe \u2028", r"\u202egnp.exe \u2028"),
        ("\udc80", r"\udc80"),
        ("lines\n\tstay, and é ü 文 too", "lines\n\tstay, and é ü 文 too"),
    ],
)
def test_nothing_that_is_shown_steers_a_terminal(text: str, expected: str) -> None:
    assert escaped(text) == redacted(text) == expected


@pytest.mark.parametrize("text", ["path 'a/token/b' is gone", "a secret must not be shown.", "mailto:a@b", "key=value"])
def test_other_text_stays(text: str) -> None:
    assert redacted(text) == text


def test_names_of_options_that_hold_secrets_are_known() -> None:
    for name in ("secret", "password", "session_token", "key", "aws_access_key_id", "api_key", "credentials"):
        assert SECRET_NAME.search(name), name
    for name in ("path", "overwrite", "metadata", "endpoint_url", "max_key_bytes", "keyed"):
        assert not SECRET_NAME.search(name), name
