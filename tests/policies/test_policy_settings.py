"""Policies say what is wrong with them when they are made; gRPC's service config means the same."""

from __future__ import annotations

import json
import pickle

import grpc
import pytest

from sage_rpc.policies import (
    NO_FALLBACK,
    AdmissionPolicy,
    BatchPolicy,
    BreakerPolicy,
    CachePolicy,
    HealthPolicy,
    HedgingPolicy,
    MethodPolicy,
    OutlierPolicy,
    PoolPolicy,
    RetryBudgetPolicy,
    RetryPolicy,
    ServicePolicy,
    admission_from,
    from_service_config,
    policy_from,
)
from sage_rpc.policies.sources.proto import declared_policy
from tests.codegen.protoc import pool_of


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: RetryPolicy(max_attempts=1), "RetryPolicy.max_attempts is 1: expected at least 2"),
        (lambda: RetryPolicy(max_attempts=2.5), "expected a whole number"),
        (lambda: RetryPolicy(initial_backoff=-1), "initial_backoff is -1: expected at least 0"),
        (lambda: RetryPolicy(initial_backoff=5, max_backoff=1), "max_backoff is 1: expected at least init"),
        (lambda: RetryPolicy(jitter=2), "jitter is 2: expected at least 0 and at most 1"),
        (
            lambda: RetryPolicy(codes=["UNAVAILBLE"]),
            "'UNAVAILBLE' is no status code; did you mean UNAVAILABLE",
        ),
        (lambda: RetryPolicy(codes="UNAVAILABLE"), "expected a list of status codes"),
        (lambda: RetryPolicy(codes=[99]), "99 is no status code; the codes are"),
        (lambda: RetryPolicy(codes=["OK"]), "OK is no failure"),
        (lambda: RetryPolicy(codes=[]), "at least one status code"),
        (lambda: HedgingPolicy(max_attempts=11), "at least 2 and at most 10"),
        (lambda: HedgingPolicy(delay=float("nan")), "delay is nan"),
        (lambda: RetryBudgetPolicy(max_tokens=0), "more than 0 and at most 1000"),
        (lambda: BreakerPolicy(failure_rate=0), "failure_rate is 0: expected more than 0"),
        (lambda: BreakerPolicy(failure_rate=1.5), "at most 1"),
        (lambda: BreakerPolicy(window=0), "window is 0: expected more than 0"),
        (lambda: BreakerPolicy(window="10s"), "window is '10s': expected a number"),
        (lambda: CachePolicy(ttl=0), "ttl is 0: expected more than 0"),
        (lambda: CachePolicy(max_entries=0), "at least 1"),
        (lambda: CachePolicy(key=3), "expected a function of the call's arguments"),
        (lambda: BatchPolicy(max_size=1), "at least 2"),
        (lambda: AdmissionPolicy(max_running=0), "max_running is 0: expected at least 1"),
        (lambda: OutlierPolicy(base_ejection=9, max_ejection=3), "max_ejection is 3: expected at least base"),
        (
            lambda: PoolPolicy(balancing="random"),
            "expected one of round_robin, least_outstanding, consistent",
        ),
        (lambda: MethodPolicy(timeout=0), "timeout is 0: expected more than 0"),
        (lambda: MethodPolicy(retry=3), "retry is 3: expected a RetryPolicy or None"),
        (lambda: MethodPolicy(retry=RetryPolicy(), hedging=HedgingPolicy()), "both retry and hedging"),
        (lambda: MethodPolicy(hedging=HedgingPolicy(), idempotent=False), "needs an idempotent method"),
        (lambda: MethodPolicy(priority=8), "at least -8 and at most 7"),
        (lambda: ServicePolicy(methods={"get": 1}), r"methods\['get'\] is 1: expected a MethodPolicy"),
        (lambda: ServicePolicy(default=None), "default is None: expected a MethodPolicy"),
    ],
)
def test_a_bad_value_is_named_with_what_would_do(make, says):
    with pytest.raises((ValueError, TypeError), match=says):
        make()


def test_codes_are_given_as_names_numbers_or_grpcs_own():
    wanted = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.ABORTED})
    assert RetryPolicy(codes=["unavailable", 10]).codes == wanted
    assert RetryPolicy(codes=wanted).codes == wanted


def test_a_method_differs_from_the_default_only_where_it_says_so():
    policy = ServicePolicy(
        default=MethodPolicy(timeout=5, retry=RetryPolicy(), fallback=None),
        methods={"get": MethodPolicy(timeout=1), "find": MethodPolicy(hedging=HedgingPolicy())},
    )
    assert (policy.of("get").timeout, policy.of("get").retry) == (1, RetryPolicy())
    assert policy.of("get").fallback is None
    assert policy.of("put") is policy.default
    assert policy.of("find").retry is None  # it is hedged instead
    assert MethodPolicy().fallback is NO_FALLBACK


def test_policies_are_made_of_plain_data():
    policy = policy_from(
        {
            "default": {"timeout": 2, "retry": {"codes": ["UNAVAILABLE", "ABORTED"]}, "fallback": None},
            "methods": {"get": {"idempotent": True, "cache": {"ttl": 5}}, "put": {}},
            "breaker": {},
            "pool": {"balancing": "consistent_hash", "outlier": None, "health": {"interval": 2}},
        }
    )
    assert policy == ServicePolicy(
        default=MethodPolicy(timeout=2, retry=RetryPolicy(codes=["UNAVAILABLE", "ABORTED"]), fallback=None),
        methods={"get": MethodPolicy(idempotent=True, cache=CachePolicy(ttl=5)), "put": MethodPolicy()},
        breaker=BreakerPolicy(),
        pool=PoolPolicy(balancing="consistent_hash", outlier=None, health=HealthPolicy(interval=2)),
    )
    assert admission_from({"max_running": 3}) == AdmissionPolicy(max_running=3)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"defaults": {}}, "defaults is not known; did you mean default"),
        (
            {"default": {"retry": {"max_attempt": 3}}},
            "default.retry.max_attempt is not known; did you",
        ),
        (
            {"methods": {"get": {"cache": {"ttl": 0}}}},
            "methods.get.cache: CachePolicy.ttl is 0: ",
        ),
        ({"breaker": 3}, "breaker is 3: expected a mapping"),
        ({"methods": ["get"]}, "expected names of methods"),
        ({"methods": {"get": {"retry": {}, "hedging": {}}}}, "methods.get: MethodPolicy has both"),
    ],
)
def test_plain_data_that_is_no_policy_is_named_with_its_place(data, says):
    with pytest.raises(ValueError, match=says):
        policy_from(data)


def test_policies_pickle():
    policy = ServicePolicy(default=MethodPolicy(retry=RetryPolicy()), breaker=BreakerPolicy())
    copy = pickle.loads(pickle.dumps(policy))
    assert copy == policy
    assert copy.default.fallback is NO_FALLBACK


CONFIG = {
    "loadBalancingConfig": [{"unheard_of": {}}, {"round_robin": {}}],
    "methodConfig": [
        {"name": [{}], "timeout": "9s"},
        {"name": [{"service": "shop.Shop"}], "timeout": "2.5s"},
        {
            "name": [{"service": "shop.Shop", "method": "Buy"}, {"service": "other", "method": "x"}],
            "retryPolicy": {
                "maxAttempts": 9,
                "initialBackoff": "0.1s",
                "maxBackoff": "1s",
                "backoffMultiplier": 3,
                "retryableStatusCodes": ["UNAVAILABLE", "ABORTED"],
            },
        },
        {
            "name": [{"service": "shop.Shop", "method": "Find"}],
            "hedgingPolicy": {"maxAttempts": 3, "hedgingDelay": "0.02s", "nonFatalStatusCodes": ["ABORTED"]},
        },
    ],
    "retryThrottling": {"maxTokens": 10, "tokenRatio": 0.5},
    "healthCheckConfig": {"serviceName": "shop.Shop"},
}


@pytest.mark.parametrize("form", [CONFIG, json.dumps(CONFIG)])
def test_a_service_config_of_grpc_is_a_policy(form):
    policy = from_service_config(form, "shop.Shop")
    assert policy.of("Look").timeout == 2.5
    buy = policy.of("Buy")
    assert buy.retry == RetryPolicy(
        max_attempts=5,  # as gRPC bounds it
        initial_backoff=0.1,
        max_backoff=1,
        backoff_multiplier=3,
        codes=["UNAVAILABLE", "ABORTED"],
    )
    assert buy.idempotent
    assert buy.timeout is None  # gRPC takes the most exact entry alone
    assert policy.of("Find").hedging == HedgingPolicy(max_attempts=3, delay=0.02, codes=["ABORTED"])
    assert policy.retry_budget == RetryBudgetPolicy(max_tokens=10, token_ratio=0.5)
    assert policy.pool.balancing == "round_robin"
    assert policy.pool.health is not None
    assert policy.pool.health.service_name == "shop.Shop"
    assert from_service_config(form, "anybody").of("x").timeout == 9


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ("{", "is no JSON"),
        ([], "expected a JSON object"),
        ({"methodConfigs": []}, "unknown 'methodConfigs'; did you mean methodConfig"),
        (
            {"methodConfig": [{"name": [{}], "timeout": 5}]},
            r"methodConfig\[0\].timeout is 5: expected seconds as",
        ),
        ({"methodConfig": [{"name": [{"method": "x"}]}]}, "a method needs its service"),
        (
            {"methodConfig": [{"name": [{}], "retryPolicy": {"maxAttempts": 3}}]},
            "retryPolicy lacks initialBackoff",
        ),
        (
            {
                "methodConfig": [
                    {
                        "name": [{}],
                        "hedgingPolicy": {"maxAttempts": 3, "nonFatalStatusCodes": ["NOPE"]},
                    }
                ]
            },
            r"methodConfig\[0\].hedgingPolicy.nonFatalStatusCodes: 'NOPE' is no status code",
        ),
        (
            {"retryThrottling": {"maxTokens": -1, "tokenRatio": 1}},
            "retryThrottling.maxTokens is -1: expected",
        ),
        ({"loadBalancingConfig": [{"mine": {}}]}, "names mine; known"),
    ],
)
def test_what_is_no_service_config_is_named_with_its_place(config, says):
    with pytest.raises(ValueError, match=says):
        from_service_config(config, "s")


def test_what_a_proto_says_is_a_policy_that_the_configuration_goes_before(tmp_path):
    source = """
    syntax = "proto3";
    package test.said;
    import "sage/rpc/v1/options.proto";
    service Said {
      option (sage.rpc.v1.service) = { deadline_seconds: 2 };
      rpc Get(Request) returns (Request) {
        option (sage.rpc.v1.method) = {
          idempotent: true
          retry { max_attempts: 3 initial_backoff_seconds: 0.2 retryable_codes: [ABORTED] }
          cache { ttl_seconds: 60 }
          affinity_key: "item.id"
        };
      }
    }
    message Request { Item item = 1; }
    message Item { string id = 1; }
    """
    method = pool_of(tmp_path, source).FindMethodByName("test.said.Said.Get")
    said = declared_policy(method)
    assert said == MethodPolicy(
        timeout=2,
        idempotent=True,
        retry=RetryPolicy(max_attempts=3, initial_backoff=0.2, max_backoff=1.0, codes=["ABORTED"]),
        cache=CachePolicy(ttl=60),
        key="item.id",
    )
    configured = MethodPolicy(timeout=1, idempotent=False).over(said)
    assert (configured.timeout, configured.idempotent, configured.retry) == (1, False, said.retry)
