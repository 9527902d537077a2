from __future__ import annotations

import pytest

from remote_store.core import CapabilityNotSupported, InvalidPath, RemotePath, Store
from remote_store.core.s3 import S3Options, endpoint_of
from signers import SIGNED, Signer, blocking


@pytest.fixture
def backend_of():
    made = []

    def make(signer=None, **options):
        made.append(blocking(signer or Signer(), S3Options(**options)))
        return made[-1]

    yield make
    for backend in made:
        backend.close()


@pytest.mark.parametrize(
    "arguments,fields,conditions",
    [
        ({}, {}, []),
        ({"max_size": 0}, {}, [["content-length-range", 0, 0]]),
        (
            {"max_size": 9, "content_type": "image/png"},
            {"Content-Type": "image/png"},
            [["content-length-range", 0, 9], ["eq", "$Content-Type", "image/png"]],
        ),
        ({"content_type": "image/*"}, {}, [["starts-with", "$Content-Type", "image/"]]),
        (
            {"conditions": [{"acl": "private"}, ["eq", "$x-amz-meta-a", "1"], ("starts-with", "$x-amz-meta-b", "")]},
            {"acl": "private", "x-amz-meta-a": "1"},
            [["eq", "$acl", "private"], ["eq", "$x-amz-meta-a", "1"], ["starts-with", "$x-amz-meta-b", ""]],
        ),
        ({"conditions": ([["content-length-range", 1, 5]])}, {}, [["content-length-range", 1, 5]]),
        (
            {"conditions": [["starts-with", "$Content-Type", ""]]},
            {},
            [["starts-with", "$Content-Type", ""]],
        ),
    ],
)
def test_a_form_has_the_conditions_and_the_fields_that_were_asked_for(backend_of, arguments, fields, conditions):
    signer = Signer()
    form = backend_of(signer).presign_post("up/", **arguments)
    call, seconds = signer.asked[0]
    params = {"Bucket": "bucket", "Key": "up/${filename}", "Fields": fields, "Conditions": conditions}
    assert (call.operation, dict(call.params), seconds) == ("PostObject", params, 3600)
    assert (form.url, form.fields["key"]) == ("https://s3.example/bucket", "up/${filename}")


def test_the_conditions_of_the_caller_are_not_changed(backend_of):
    given = [{"acl": "private"}]
    signer = Signer()
    backend_of(signer).presign_post("up/", conditions=given)
    signer.asked[0][0].params["Conditions"].append("more")
    assert given == [{"acl": "private"}]


@pytest.mark.parametrize(
    "arguments,kind",
    [
        ({"max_size": -1}, ValueError),
        ({"max_size": True}, TypeError),
        ({"max_size": 1.5}, TypeError),
        ({"content_type": "*/*"}, ValueError),
        ({"content_type": "image/*+xml"}, ValueError),
        ({"content_type": ""}, ValueError),
        ({"content_type": 1}, TypeError),
        ({"conditions": {"acl": "private"}}, TypeError),
        ({"conditions": "acl"}, TypeError),
        ({"conditions": 1}, TypeError),
        ({"conditions": ["acl"]}, ValueError),
        ({"conditions": [{}]}, ValueError),
        ({"conditions": [{"a": "1", "b": "2"}]}, ValueError),
        ({"conditions": [{"acl": 1}]}, ValueError),
        ({"conditions": [{1: "acl"}]}, ValueError),
        ({"conditions": [{"a b": "x"}]}, ValueError),
        ({"conditions": [{"": "x"}]}, ValueError),
        ({"conditions": [["eq", "acl", "private"]]}, ValueError),
        ({"conditions": [["ends-with", "$acl", "private"]]}, ValueError),
        ({"conditions": [["eq", "$acl"]]}, ValueError),
        ({"conditions": [["content-length-range", 5, 1]]}, ValueError),
        ({"conditions": [["content-length-range", -1, 1]]}, ValueError),
        ({"conditions": [{"acl": "private"}, ["eq", "$ACL", "public-read"]]}, ValueError),
        ({"conditions": [{"key": "elsewhere"}]}, ValueError),
        ({"conditions": [{"KEY": "elsewhere"}]}, ValueError),
        ({"conditions": [["starts-with", "$key", ""]]}, ValueError),
        ({"conditions": [{"bucket": "another"}]}, ValueError),
        ({"conditions": [{"policy": "x"}]}, ValueError),
        ({"conditions": [{"X-Amz-Signature": "x"}]}, ValueError),
        ({"content_type": "image/*", "conditions": [{"content-type": "image/png"}]}, ValueError),
    ],
)
def test_a_condition_that_means_nothing_or_sets_what_is_set_is_refused(backend_of, arguments, kind):
    signer = Signer()
    with pytest.raises(kind):
        backend_of(signer).presign_post("up/", **arguments)
    assert signer.asked == []


@pytest.mark.parametrize("prefix", ["", "/", "a//", "../", "a/../", "up/${filename}/", "a" * 1024, "a\0", "\ud800"])
def test_a_prefix_below_which_nothing_can_be_written_is_refused(backend_of, prefix):
    signer = Signer()
    with pytest.raises(InvalidPath) as caught:
        backend_of(signer).presign_post(prefix)
    assert (caught.value.path, signer.asked) == (prefix, [])


def test_a_prefix_is_a_string(backend_of):
    with pytest.raises(TypeError):
        backend_of().presign_post(None)


@pytest.mark.parametrize(
    "typed,key", [("up/", "up/"), ("up", "up"), ("./up//", "up/"), (RemotePath.exact("up/"), "up/")]
)
def test_a_store_cannot_be_left_by_a_prefix(typed, key):
    signer = Signer()
    store = Store(blocking(signer, S3Options()), root_path="scope")
    store.child("child").presign_post(typed)
    assert signer.asked[0][0].params["Key"] == f"scope/child/{key}${{filename}}"
    for prefix in ("", "/", ".", "..", "../other/"):
        with pytest.raises(InvalidPath):
            store.child("child").presign_post(prefix)
    assert len(signer.asked) == 1


@pytest.mark.parametrize(
    "bucket",
    [
        "b--use1-az4--x-s3",
        "arn:aws:s3:eu-west-1:123456789012:accesspoint/a",
        "arn:aws:s3::123456789012:accesspoint/a.mrap",
    ],
)
def test_only_a_general_purpose_bucket_takes_forms(backend_of, bucket):
    signer = Signer()
    backend = backend_of(signer, endpoint=endpoint_of(None, aws=True, bucket=bucket))
    with pytest.raises(CapabilityNotSupported, match="general purpose"):
        backend.presign_post("a/")
    assert signer.asked == []
    assert backend.presign("a") == SIGNED
