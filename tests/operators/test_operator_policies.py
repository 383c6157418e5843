"""Policies in a pipeline: said at the class, set in the environment, and retries from an operator."""

from __future__ import annotations

import pytest

from sage_rpc import Hosting
from sage_rpc.operators import LocalEnvironment, MapFunction
from sage_rpc.policies import CachePolicy, MethodPolicy, ServicePolicy, method_policy, policy_of


class Numbers:
    """Counts what it is asked."""

    def __init__(self):
        self.asked = 0

    @method_policy(idempotent=True, cache=CachePolicy(ttl=60))
    def square(self, number):
        self.asked += 1
        return number * number

    def times_asked(self):
        return self.asked

    def flaky(self, number):
        self.asked += 1
        if self.asked < 3:
            raise OSError("not yet")
        return number


class Square(MapFunction):
    def execute(self, number):
        squares = [self.call_service["numbers"].square(number) for _ in range(3)]
        assert len(set(squares)) == 1
        return squares[0], self.call_service["numbers"].times_asked()


class Patient(MapFunction):
    def execute(self, number):
        return self.call_with_retry("numbers", "flaky", number, max_retries=4, initial_backoff=0.01)


class Degraded(MapFunction):
    def execute(self, number):
        return self.call_service["numbers"].flaky(number)


def test_a_class_says_what_holds_for_its_methods():
    policy = policy_of(Numbers)
    assert policy.of("square").cache == CachePolicy(ttl=60)
    assert policy.of("flaky") == MethodPolicy()
    assert policy_of(Square) is None
    with pytest.raises(TypeError, match="unexpected keyword argument 'caches'"):
        method_policy(caches=1)
    with pytest.raises(ValueError, match="timeout is 0"):
        method_policy(timeout=0)


def test_what_the_class_says_holds_in_a_pipeline():
    env = LocalEnvironment("said")
    env.register_service("numbers", Numbers)
    rows = env.from_batch([7]).map(Square).collect()
    assert rows == [(49, 1)]


def test_an_operator_retries():
    env = LocalEnvironment("patient")
    env.register_service("numbers", Numbers)
    assert env.from_batch([5]).map(Patient).collect() == [5]


@pytest.mark.parametrize("first", ["class", "environment"])
def test_the_environment_may_say_otherwise_whichever_comes_first(first):
    env = LocalEnvironment("degraded")
    if first == "class":
        env.register_service("numbers", Numbers)
    env.set_policy("numbers", ServicePolicy(default=MethodPolicy(fallback=-1)))
    if first == "environment":
        env.register_service("numbers", Numbers)
    assert env.from_batch([5]).map(Degraded).collect() == [-1]


def test_a_policy_that_cannot_be_sent_or_has_no_service_is_refused():
    env = LocalEnvironment("wrong")
    env.register_service("numbers", Numbers)
    with pytest.raises(TypeError, match=r"cannot be sent to the workers .*: functions in it"):
        env.set_policy("numbers", ServicePolicy(default=MethodPolicy(fallback=lambda error: 0)))
    with pytest.raises(TypeError, match="expected a ServicePolicy"):
        env.set_policy("numbers", MethodPolicy())
    env.set_policy("nobody", ServicePolicy())
    with pytest.raises(ValueError, match="a policy for 'nobody', and no such service; there are: numbers"):
        env.submit()
    assert "call_with_retry" not in dir(Numbers)
    with pytest.raises(RuntimeError, match="Runtime context not initialized"):
        Patient().execute(1)


class Half(MapFunction):
    def execute(self, number):
        try:
            return self.call_service["numbers"].square(number) / 2
        except PermissionError:
            return None


def test_how_a_service_is_hosted_is_said_in_the_environment():
    env = LocalEnvironment("hosted")
    env.register_service("numbers", Numbers)
    env.set_hosting("numbers", Hosting(access=lambda peer, method: method != "square", stats=True))
    rows = env.from_batch([1, 2]).map(Half).results()
    with env.submit() as job:
        assert list(rows) == [None, None]
        assert job.call_service["numbers"].times_asked() == 0
    counted = job.result.services["numbers"]
    assert counted.of("numbers", "square").failures == {"PERMISSION_DENIED": 2}
    assert counted.of("numbers", "times_asked").successes == 1


def test_what_cannot_hold_in_a_job_is_an_error():
    env = LocalEnvironment("hosted")
    env.register_service("numbers", Numbers)
    with pytest.raises(ValueError, match=r"no service .words. is registered to run in this job"):
        env.set_hosting("words", Hosting())
    with pytest.raises(ValueError, match="a job serves no servicers"):
        env.set_hosting("numbers", Hosting(add_to_server=print))
    with pytest.raises(TypeError, match="expected a Hosting"):
        env.set_hosting("numbers", {"stats": True})
