from __future__ import annotations

from types import SimpleNamespace

from remote_store.core.s3.sdk_endpoints import KnownEndpoints

PUT = SimpleNamespace(name="PutObject")


class Rules:
    """Gives each bucket a new endpoint, signed for a region named after it."""

    def __init__(self):
        self.asked = []

    def construct_endpoint(self, operation_model, call_args, request_context):
        self.asked.append(operation_model.name)
        return SimpleNamespace(properties={"authSchemes": [{"signingRegion": call_args["Bucket"]}]})

    def auth_schemes_to_signing_ctx(self, auth_schemes):
        self.asked.append("signing")
        return "v4", {"region": auth_schemes[0]["signingRegion"]}


def signing(endpoints, bucket):
    endpoint = endpoints.construct_endpoint(PUT, {"Bucket": bucket}, {})
    return endpoints.auth_schemes_to_signing_ctx(endpoint.properties["authSchemes"])


def test_the_rules_are_asked_once_for_each_bucket():
    rules = Rules()
    endpoints = KnownEndpoints(rules)
    for _ in range(3):
        assert signing(endpoints, "first") == ("v4", {"region": "first"})
        assert signing(endpoints, "second") == ("v4", {"region": "second"})
    assert rules.asked == ["PutObject", "signing"] * 2


def test_what_a_call_does_to_its_signing_is_not_seen_by_the_next():
    endpoints = KnownEndpoints(Rules())
    _, context = signing(endpoints, "bucket")
    context.pop("region")
    assert signing(endpoints, "bucket") == ("v4", {"region": "bucket"})


def test_the_signing_of_an_endpoint_that_is_gone_is_never_taken_for_another_ones():
    # Of two threads that ask at once, one works with an endpoint that is not kept; the next list may take its memory.
    endpoints = KnownEndpoints(Rules())
    for region in map(str, range(100)):
        assert endpoints.auth_schemes_to_signing_ctx([{"signingRegion": region}]) == ("v4", {"region": region})
