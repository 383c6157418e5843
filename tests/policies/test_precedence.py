"""What wins where several say something of a call: the steps of docs/policies.md, one test for each."""

from __future__ import annotations

import pytest

import sage_rpc
from sage_rpc.policies import MethodPolicy, ServicePolicy
from sage_rpc.proto.v1 import options_pb2
from tests.policies.test_effects import Subject, declared, servers, subjects  # noqa: F401 - fixtures

# Who says something, the first one wins; and the seconds that each gives a call.
STEPS = {
    "the call": 10.0,
    "with_options": 20.0,
    "the method's policy, by its declared name": 30.0,
    "the method's policy, by the name that is called": 40.0,
    "the service's default": 50.0,
    "the .proto of the method": 60.0,
    "the .proto of the service": 70.0,
    "the manager": 80.0,
}


@pytest.mark.parametrize("first", STEPS)
@pytest.mark.parametrize("way", ["waits", "future"])
def test_the_first_that_says_something_wins(subjects: list[Subject], first: str, way: str) -> None:  # noqa: F811
    says = dict(list(STEPS.items())[list(STEPS).index(first) :])
    own, general = options_pb2.MethodOptions(), options_pb2.ServiceOptions()
    if "the .proto of the method" in says:
        own.deadline_seconds = says["the .proto of the method"]
    if "the .proto of the service" in says:
        general.deadline_seconds = says["the .proto of the service"]
    methods = {
        name: MethodPolicy(timeout=says[step])
        for name, step in (
            ("OneOne", "the method's policy, by its declared name"),
            ("one_one", "the method's policy, by the name that is called"),
        )
        if step in says
    }
    default = MethodPolicy(timeout=says.get("the service's default"))
    policy = ServicePolicy(default=default, methods=methods)
    with sage_rpc.ServiceManager(timeout=80.0, policy=policy) as manager:
        manager.register("subject", subjects[0].target, service=declared(lambda _kind: own, general))
        method = manager.get_sync_proxy("subject").one_one
        if "with_options" in says:
            method = method.with_options(timeout=says["with_options"])
        call, start = (), {"value": f"echo {first} {way}"}
        given = says.get("the call", method.timeout)
        (method.call(call, start, given) if way == "waits" else method.start(call, start, given).result(20))
    left = next(told["left"] for value, told in subjects[0].calls if value == start["value"])
    assert STEPS[first] - 9 < left <= STEPS[first]


POLICIES = {
    "set_policy": 10.0,
    "register": 20.0,
    "policies": 30.0,
    "policy": 40.0,
}


@pytest.mark.parametrize("first", POLICIES)
def test_a_service_has_the_policy_that_was_given_for_it_last_or_the_managers(first: str) -> None:
    says = {
        name: ServicePolicy(default=MethodPolicy(timeout=POLICIES[name]))
        for name in list(POLICIES)[list(POLICIES).index(first) :]
    }
    policies = {"s": says["policies"]} if "policies" in says else {}
    with sage_rpc.ServiceManager(policies=policies, policy=says["policy"]) as manager:
        manager.register("s", "localhost:1", policy=says.get("register"))
        if "set_policy" in says:
            manager.set_policy("s", says["set_policy"])
        assert manager.get_sync_proxy("s").get.timeout == POLICIES[first]
