"""What a .proto says about calling its methods reaches Python, and nonsense is refused by name."""

from __future__ import annotations

import pytest

from sage_rpc.policies import BatchPolicy, CachePolicy, MethodPolicy, RetryPolicy
from sage_rpc.policies.sources.proto import OptionError, declared_policy
from tests.codegen.protoc import pool_of, protoc

SOURCE = """
syntax = "proto3";
package test.options;
import "sage/rpc/v1/options.proto";

service Cache {
  option (sage.rpc.v1.service) = {SERVICE};
  rpc Get(Key) returns (Value) { METHOD }
  rpc Watch(Key) returns (stream Value) { STREAM }
}
message Key { string name = 1; Place place = 2; repeated string tags = 3; }
message Place { int64 shard = 1; }
message Value {}
"""


def options(tmp_path, method="", service="{}", stream="", name="Get") -> MethodPolicy:
    source = SOURCE.replace("{SERVICE}", service).replace("METHOD", method).replace("STREAM", stream)
    found = pool_of(tmp_path, source).FindServiceByName("test.options.Cache")
    return declared_policy(found.methods_by_name[name])


def of_method(text: str) -> str:
    return f"option (sage.rpc.v1.method) = {{ {text} }};"


def test_nothing_said_is_nothing_said(tmp_path):
    assert options(tmp_path) == MethodPolicy()


def test_every_option_arrives(tmp_path):
    found = options(
        tmp_path,
        of_method(
            "deadline_seconds: 1.5 idempotent: true cache { ttl_seconds: 60 max_entries: 10 } "
            'batch { max_size: 100 max_delay_seconds: 0.002 } affinity_key: "place.shard" '
            "retry { max_attempts: 4 initial_backoff_seconds: 0.1 max_backoff_seconds: 2 "
            "backoff_multiplier: 3 retryable_codes: [UNAVAILABLE, ABORTED] }"
        ),
    )
    assert found == MethodPolicy(
        timeout=1.5,
        idempotent=True,
        retry=RetryPolicy(
            max_attempts=4,
            initial_backoff=0.1,
            max_backoff=2,
            backoff_multiplier=3,
            codes=["UNAVAILABLE", "ABORTED"],
        ),
        cache=CachePolicy(ttl=60, max_entries=10),
        batch=BatchPolicy(max_size=100, max_delay=0.002),
        key="place.shard",
    )


def test_a_service_speaks_for_its_methods_unless_they_speak_themselves(tmp_path):
    service = "{ deadline_seconds: 5 idempotent: true retry { max_attempts: 3 } }"
    retry = RetryPolicy(max_attempts=3, max_backoff=1.0)
    assert options(tmp_path, service=service) == MethodPolicy(timeout=5, idempotent=True, retry=retry)
    own = of_method("deadline_seconds: 1 idempotent: false")
    assert options(tmp_path, own, service) == MethodPolicy(timeout=1, retry=retry)


def test_the_standard_idempotency_level_counts(tmp_path):
    assert options(tmp_path, "option idempotency_level = NO_SIDE_EFFECTS;").idempotent
    assert not options(
        tmp_path, "option idempotency_level = IDEMPOTENT;" + of_method("idempotent: false")
    ).idempotent


def test_a_streaming_method_has_a_deadline_too(tmp_path):
    assert options(tmp_path, stream=of_method("deadline_seconds: 9"), name="Watch").timeout == 9


@pytest.mark.parametrize(
    ("text", "option", "problem"),
    [
        ("deadline_seconds: 0", "deadline_seconds", "0 is no number of seconds above 0"),
        ("deadline_seconds: inf", "deadline_seconds", "inf is no number of seconds"),
        ("retry {}", "retry.max_attempts", "at least 2"),
        ("retry { max_attempts: 2 backoff_multiplier: 0.5 }", "retry.backoff_multiplier", "less than 1"),
        (
            "retry { max_attempts: 2 initial_backoff_seconds: 3 max_backoff_seconds: 2 }",
            "retry.max_backoff_seconds",
            "2 is less than the initial backoff 3",
        ),
        ("retry { max_attempts: 2 retryable_codes: OK }", "retry.retryable_codes", "0 is not"),
        ("retry { max_attempts: 101 }", "retry", "at most 100"),
        ("batch { max_size: 1 }", "batch", "at least 2"),
        ("cache {}", "cache.ttl_seconds", "0 is no number of seconds above 0"),
        ("batch { max_delay_seconds: -1 }", "batch.max_delay_seconds", "-1 is no number of seconds from 0"),
        ('affinity_key: "nme"', "affinity_key", "has no field 'nme'; it has name, place, tags"),
        ('affinity_key: "place.sharp"', "affinity_key", "place has no field 'sharp'; it has shard"),
        ('affinity_key: "name.x"', "affinity_key", "name has no field 'x'"),
        ('affinity_key: "place"', "affinity_key", "place is a message: name a field in it"),
        ('affinity_key: "tags"', "affinity_key", "tags is repeated"),
    ],
)
def test_nonsense_is_refused_by_name(tmp_path, text, option, problem):
    with pytest.raises(OptionError) as caught:
        options(tmp_path, of_method(text))
    assert (caught.value.method, caught.value.option) == ("test.options.Cache.Get", option)
    assert problem in str(caught.value)


def test_a_stream_is_neither_cached_nor_batched(tmp_path):
    with pytest.raises(OptionError, match="option cache: a streaming method cannot have it"):
        options(tmp_path, stream=of_method("cache { ttl_seconds: 1 }"), name="Watch")


def test_an_unknown_option_is_protocs_to_refuse(tmp_path):
    source = SOURCE.replace("{SERVICE}", "{}").replace("METHOD", of_method("deadlin_seconds: 1"))
    (tmp_path / "wrong.proto").write_text(source.replace("STREAM", ""), "utf-8")
    done = protoc(tmp_path, "--descriptor_set_out=x", "wrong.proto")
    assert done.returncode != 0
    assert "wrong.proto:8:" in done.stderr
    assert "deadlin_seconds" in done.stderr
