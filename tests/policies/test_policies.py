"""Policies over real servers and both transports: retries, hedging, breaker, fallback, deadlines."""

from __future__ import annotations

import concurrent.futures
import itertools
import os
import queue
import threading
import time

import grpc
import numpy as np
import pytest

import sage_rpc
from sage_rpc import errors
from sage_rpc.policies import (
    BatchPolicy,
    BreakerPolicy,
    HedgingPolicy,
    MethodPolicy,
    PoolPolicy,
    RetryBudgetPolicy,
    RetryPolicy,
    ServicePolicy,
)
from sage_rpc.policies.breaker import Breaker, BreakerState, CircuitOpen
from sage_rpc.services.chain import FallbackError
from sage_rpc.transport.attempts import Attempts, Retry
from tests.conftest import ServerProcess, only_threads
from tests.rpc.test_stubs import implement, shop  # noqa: F401 - a fixture

QUICK = RetryPolicy(max_attempts=4, initial_backoff=0.005, max_backoff=0.02)
names = (f"key {number}" for number in itertools.count())


@pytest.fixture(scope="module")
def subject(tmp_path_factory):
    directory = tmp_path_factory.mktemp("policies")
    directory.chmod(0o700)
    with ServerProcess(program="policy_services.py", env={"SAGE_RPC_RUNTIME_DIR": str(directory)}) as process:
        yield process, directory


@pytest.fixture
def managed(subject, transport, face, monkeypatch):
    """Makes managers under a policy; `managed(policy)`."""
    process, directory = subject
    monkeypatch.setenv("SAGE_RPC_RUNTIME_DIR", str(directory))
    opened = []

    def make(policy=None, **more):
        manager = face(
            {"subject": more.pop("target", process.target)},
            timeout=20,
            options=[("sage_rpc.transport", transport)],
            policy=policy,
            **more,
        )
        opened.append(manager)
        return manager

    yield make
    for manager in opened:
        manager.close()


def policy(**method) -> ServicePolicy:
    return ServicePolicy(default=MethodPolicy(**method))


# ---------------------------------------------------------------- retries


@pytest.mark.parametrize("way", ["waits", "future"])
def test_an_idempotent_call_is_tried_again(managed, way):
    manager = managed(policy(retry=QUICK, idempotent=True))
    key = next(names)
    if way == "waits":
        assert manager.get_sync_proxy("subject").flaky(key, 2, "UNAVAILABLE") == 3
    else:
        assert manager.get_async_proxy("subject").flaky(key, 2, "UNAVAILABLE").result(10) == 3
    assert manager.stats().of("subject", "flaky").retries == 2
    assert manager.stats().of("subject", "flaky").calls == 1


@pytest.mark.parametrize("way", ["waits", "future"])
def test_a_call_that_may_have_run_is_not_tried_again_unless_it_is_idempotent(managed, way):
    manager = managed(policy(retry=QUICK))
    key = next(names)
    call = {
        "waits": manager.get_sync_proxy("subject").flaky,
        "future": lambda *args: manager.get_async_proxy("subject").flaky(*args).result(10),
    }[way]
    with pytest.raises(errors.Unavailable, match="failure 1 of"):
        call(key, 2, "UNAVAILABLE")
    assert manager.get_sync_proxy("subject").count(key) == 1


def test_other_codes_are_not_tried_again(managed):
    proxy = managed(policy(retry=QUICK, idempotent=True)).get_sync_proxy("subject")
    key = next(names)
    with pytest.raises(errors.RpcError, match="failure 1"):
        proxy.flaky(key, 1, "ABORTED")
    assert proxy.count(key) == 1


def test_the_last_failure_is_the_callers(managed):
    proxy = managed(policy(retry=QUICK, idempotent=True)).get_sync_proxy("subject")
    with pytest.raises(errors.Unavailable, match="failure 4"):
        proxy.flaky(next(names), 9, "UNAVAILABLE")


@pytest.mark.slow
def test_a_call_that_was_refused_before_it_ran_is_tried_again_until_somebody_listens(managed, transport):
    """Not idempotent, but refused connections never ran anything."""
    with ServerProcess(program="policy_services.py") as first:
        port = first.port
    patient = RetryPolicy(max_attempts=100, initial_backoff=0.02, max_backoff=0.1)
    budget = RetryBudgetPolicy(max_tokens=1000)
    manager = managed(
        ServicePolicy(default=MethodPolicy(retry=patient), retry_budget=budget), target=f"127.0.0.1:{port}"
    )
    future = manager.get_async_proxy("subject").echo("at last")
    with ServerProcess(str(port), program="policy_services.py"):
        assert future.result(10) == "at last"


def test_the_deadline_ends_the_retries(managed):
    slow = RetryPolicy(max_attempts=5, initial_backoff=5, max_backoff=5)
    proxy = managed(policy(retry=slow, idempotent=True)).get_sync_proxy("subject")
    began = time.monotonic()
    with pytest.raises(errors.Unavailable):  # the wait would not fit, so the failure is told at once
        proxy("key", 9, "UNAVAILABLE", method="flaky", timeout=1.0)
    assert time.monotonic() - began < 1.0


def test_the_budget_bounds_retries(managed):
    manager = managed(
        ServicePolicy(
            default=MethodPolicy(retry=QUICK, idempotent=True),
            retry_budget=RetryBudgetPolicy(max_tokens=10, token_ratio=0.1),
        )
    )
    proxy = manager.get_sync_proxy("subject")
    before = proxy.count("UNAVAILABLE")
    for _ in range(20):
        with pytest.raises(errors.Unavailable):
            proxy.fail("UNAVAILABLE")
    sent = proxy.count("UNAVAILABLE") - before
    assert sent == 20 + manager.stats().of("subject", "fail").retries
    assert sent - 20 <= 5  # half of the tokens, and then no more


def test_call_with_retry_of_the_design(managed):
    manager = managed()
    key = next(names)
    assert manager.call_with_retry("subject", "flaky", key, 2, "INTERNAL", initial_backoff=0.01) == 3
    with pytest.raises(errors.RpcError, match="failure 2"):
        manager.call_with_retry(
            "subject", "flaky", next(names), 9, "INTERNAL", max_retries=2, initial_backoff=0.01
        )
    with pytest.raises(ValueError, match="max_retries is 0"):
        manager.call_with_retry("subject", "echo", max_retries=0)
    with pytest.raises(errors.InvalidArgument):  # what is wrong stays wrong
        manager.call_with_retry("subject", "flaky", initial_backoff=60)


def test_backoff_grows_with_jitter_up_to_its_bound():
    steady = Attempts(Retry(9, 0.1, 1.0, 3.0, {grpc.StatusCode.UNAVAILABLE}, 0.0), None)
    waits = [steady.after(grpc.StatusCode.UNAVAILABLE, ()) for _ in range(5)]
    assert waits == pytest.approx([0.1, 0.3, 0.9, 1.0, 1.0])
    jittery = Retry(9, 0.1, 1.0, 2.0, {grpc.StatusCode.UNAVAILABLE}, 0.5)
    drawn = {Attempts(jittery, None).after(grpc.StatusCode.UNAVAILABLE, ()) for _ in range(50)}
    assert len(drawn) > 10
    assert all(0.05 <= wait <= 0.15 for wait in drawn)


@pytest.mark.parametrize(
    ("pushback", "waits"),
    [
        ("250", [1.0, 0.25, 1.0, 2.0]),  # and the waits begin anew after it
        ("-1", [1.0, None]),
        ("soon", [1.0, None]),
        (None, [1.0, 2.0, 4.0, 8.0]),
    ],
)
def test_a_servers_pushback_replaces_the_wait(pushback, waits):
    attempts = Attempts(Retry(9, 1.0, 100.0, 2.0, {grpc.StatusCode.UNAVAILABLE}, 0.0), None)
    trailing = () if pushback is None else (("grpc-retry-pushback-ms", pushback),)
    told = [(), trailing, (), ()]
    assert [
        attempts.after(grpc.StatusCode.UNAVAILABLE, each) for each, _ in zip(told, waits, strict=False)
    ] == waits


@pytest.mark.parametrize(
    "again",
    [{"retry": QUICK, "idempotent": True}, {"hedging": HedgingPolicy(max_attempts=3, delay=15)}],
    ids=["retries", "hedges"],
)
def test_a_call_is_sent_again_as_it_was_made(managed, again):
    """Not as what its arguments hold by then."""
    proxy = managed(policy(**again)).get_async_proxy("subject")
    array, rows = np.ones(100_000), [1, 2]
    call = proxy.attempts(next(names), 2, array, rows)
    array[:] = 2
    rows.clear()
    assert call.result(20) == [[1.0, 1.0, [1, 2]]] * 3


# ---------------------------------------------------------------- hedging


def test_a_slow_call_is_sent_again_and_the_first_answer_counts(managed):
    manager = managed(policy(hedging=HedgingPolicy(max_attempts=2, delay=0.03)))
    key = next(names)
    began = time.monotonic()
    assert manager.get_sync_proxy("subject").slow_first(key, 15) == 2
    assert time.monotonic() - began < 10
    assert manager.stats().of("subject", "slow_first").hedges == 1
    manager.get_sync_proxy("subject").release(key)
    key = next(names)
    assert manager.get_async_proxy("subject").slow_first(key, 15).result(10) == 2
    manager.get_sync_proxy("subject").release(key)


def test_a_fatal_failure_ends_a_hedged_call(managed):
    proxy = managed(policy(hedging=HedgingPolicy(max_attempts=3, delay=5))).get_sync_proxy("subject")
    before = proxy.count("ABORTED")
    with pytest.raises(errors.RpcError, match="as you wish"):
        proxy.fail("ABORTED")
    assert proxy.count("ABORTED") == before + 1


def test_failures_hedge_at_once_until_all_have_failed(managed):
    proxy = managed(policy(hedging=HedgingPolicy(max_attempts=3, delay=15))).get_sync_proxy("subject")
    before = proxy.count("UNAVAILABLE")
    with pytest.raises(errors.Unavailable):
        proxy.fail("UNAVAILABLE")
    assert proxy.count("UNAVAILABLE") == before + 3


# ---------------------------------------------------------------- the breaker


def test_the_breaker_opens_refuses_and_closes_again(managed):
    manager = managed(ServicePolicy(breaker=BreakerPolicy(consecutive_failures=3, open_for=0.2)))
    proxy = manager.get_sync_proxy("subject")
    before = proxy.count("UNAVAILABLE")
    for _ in range(3):
        with pytest.raises(errors.Unavailable, match="as you wish"):
            proxy.fail("UNAVAILABLE")
    assert manager.breaker_of("subject") is BreakerState.OPEN
    with pytest.raises(
        CircuitOpen, match=r"circuit breaker of 'subject' is open for .* s: UNAVAILABLE: as you"
    ):
        proxy.echo(1)
    with pytest.raises(CircuitOpen):
        manager.get_async_proxy("subject").echo(1).result(5)
    until = time.monotonic() + 10
    while True:
        try:
            assert proxy.echo("trial") == "trial"
            break
        except CircuitOpen:
            assert time.monotonic() < until
            threading.Event().wait(0.01)
    assert manager.breaker_of("subject") is BreakerState.CLOSED
    assert proxy.count("UNAVAILABLE") == before + 3


def test_exceptions_of_methods_do_not_open_the_breaker(managed):
    manager = managed(ServicePolicy(breaker=BreakerPolicy(consecutive_failures=1)))
    for _ in range(3):
        with pytest.raises(sage_rpc.RemoteError):
            manager.get_sync_proxy("subject").broken("x")
    assert manager.breaker_of("subject") is BreakerState.CLOSED


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def test_the_rate_of_failures_opens_the_breaker_only_within_its_window():
    clock = Clock()
    breaker = Breaker("s", BreakerPolicy(failure_rate=0.5, window=10, min_calls=10), clock)
    for _ in range(9):
        breaker.failed(breaker.admit(), "x")
    clock.now += 11  # too old to count
    breaker.failed(breaker.admit(), "x")
    assert breaker.state is BreakerState.CLOSED
    for _ in range(5):
        breaker.succeeded(breaker.admit())
    for _ in range(4):
        assert breaker.state is BreakerState.CLOSED
        breaker.failed(breaker.admit(), "x")
    assert breaker.state is BreakerState.OPEN


def test_half_open_lets_as_many_through_as_it_should_and_one_failure_opens_it():
    clock = Clock()
    breaker = Breaker("s", BreakerPolicy(consecutive_failures=1, open_for=5, trial_calls=2), clock)
    breaker.failed(breaker.admit(), "x")
    clock.now += 5
    first, second = breaker.admit(), breaker.admit()
    with pytest.raises(CircuitOpen, match="half open"):
        breaker.admit()
    breaker.succeeded(first)
    breaker.failed(second, "y")
    assert breaker.state is BreakerState.OPEN
    clock.now += 5
    trial = breaker.admit()
    breaker.gave_up(trial)  # cancelled: another may try
    for _ in range(2):
        breaker.succeeded(breaker.admit())
    assert breaker.state is BreakerState.CLOSED


def test_a_call_from_before_a_change_of_state_says_nothing_after_it():
    breaker = Breaker("s", BreakerPolicy(consecutive_failures=1, open_for=0.001), Clock())
    old = breaker.admit()
    breaker.failed(breaker.admit(), "x")
    breaker.succeeded(old)
    assert breaker.state is BreakerState.OPEN


# ---------------------------------------------------------------- the fallback


def test_a_fallback_replaces_a_failure(managed):
    manager = managed(policy(fallback="instead"))
    assert manager.get_sync_proxy("subject").fail("INTERNAL") == "instead"
    assert manager.get_async_proxy("subject").fail("INTERNAL").result(10) == "instead"
    assert manager.get_sync_proxy("subject").echo("itself") == "itself"
    assert manager.get_async_proxy("subject").echo("itself").result(10) == "itself"
    assert manager.stats().of("subject", "fail").fallbacks == 2
    assert manager.stats().of("subject", "fail").failures == {"INTERNAL": 2}


def test_a_fallback_may_be_given_with_the_call_and_may_be_none_or_a_function(managed):
    proxy = managed().get_sync_proxy("subject")
    assert proxy("INTERNAL", method="fail", fallback=None) is None
    assert proxy("INTERNAL", method="fail", fallback=lambda error: error.code().name) == "INTERNAL"
    with pytest.raises(errors.RpcError):
        proxy.fail("INTERNAL")
    later = managed().get_async_proxy("subject")
    assert later("INTERNAL", method="fail", fallback=7).result(10) == 7
    own = managed(policy(fallback="of the policy")).get_sync_proxy("subject")
    assert own("INTERNAL", method="fail", fallback="of the call") == "of the call"
    degraded = proxy.hold.with_options(timeout=0.05, fallback="late")
    gate = next(names)
    assert degraded(gate) == "late"
    proxy.release(gate)


def test_a_fallback_that_raises_is_told_with_what_it_was_for(managed):
    def fallback(error):
        raise ZeroDivisionError("no way")

    manager = managed(policy(fallback=fallback))
    for call in (
        lambda: manager.get_sync_proxy("subject").fail("INTERNAL"),
        lambda: manager.get_async_proxy("subject").fail("INTERNAL").result(10),
    ):
        with pytest.raises(FallbackError) as caught:
            call()
        assert "the fallback of subject.fail raised ZeroDivisionError: no way" in caught.value.details()
        assert "INTERNAL: as you wish" in caught.value.details()
        assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_a_wrong_call_is_not_hidden_by_a_fallback(managed):
    with pytest.raises(errors.InvalidArgument):
        managed(policy(fallback=1)).get_sync_proxy("subject").count()


# ---------------------------------------------------------------- deadlines and cancellation


def test_a_deadline_may_be_set_for_the_service_the_method_or_the_call(managed):
    manager = managed(
        ServicePolicy(default=MethodPolicy(timeout=0.05), methods={"sleep": MethodPolicy(timeout=15)})
    )
    proxy = manager.get_sync_proxy("subject")
    gate = next(names)
    with pytest.raises(TimeoutError):
        proxy.hold(gate)
    proxy(gate, method="release", timeout=5)
    assert proxy.sleep(0.1) == 0.1
    assert proxy(0.1, method="sleep", timeout=5) == 0.1
    with pytest.raises(TimeoutError):
        proxy(0.5, method="sleep", timeout=0.05)


def test_cancelling_a_call_cancels_what_the_service_called_meanwhile(managed, subject):
    """cancel() here -> the service's call elsewhere ends, long before its deadline."""
    manager = managed()
    gate = next(names)
    proxy = manager.get_sync_proxy("subject")
    future = manager.get_async_proxy("subject").until_cancelled(subject[0].target, gate)
    assert proxy.wait_count(gate, 1, 10)
    assert future.cancel()
    assert proxy.wait_count(f"{gate} ended with CANCELLED", 1, 10)
    with pytest.raises(concurrent.futures.CancelledError):
        future.result(1)
    proxy.release(gate)


@pytest.mark.parametrize("how", ["deadline", "cancel"])
def test_a_declared_service_takes_its_deadline_along(shop, managed, how):  # noqa: F811
    """What its handler calls meanwhile ends with the call that it serves."""
    inner, gate = managed(), next(names)
    ended = queue.Queue()
    servicer = implement(shop)

    def get_price(request, context):
        try:
            return inner.get_sync_proxy("subject").hold(gate)
        except sage_rpc.RpcError as error:
            ended.put(error.code())
            raise

    servicer.GetPrice = get_price
    host = sage_rpc.ServiceHost("shop", servicer, add_to_server=shop[1].add_ShopServicer_to_server)
    with host, managed_shop(host, inner) as outer:
        timeout = 0.3 if how == "deadline" else 20
        future = outer.get_async_proxy("shop")(method="get_price", name="x", timeout=timeout)
        proxy = inner.get_sync_proxy("subject")
        assert proxy.wait_count(gate, 1, 10)
        if how == "cancel":
            assert future.cancel()
        # The caller's clock began first: on a busy machine its handler may see the cancellation before.
        expected = {"deadline": {"DEADLINE_EXCEEDED", "CANCELLED"}, "cancel": {"CANCELLED"}}
        assert ended.get(timeout=10).name in expected[how]
        proxy.release(gate)


def managed_shop(host, like):
    return sage_rpc.ServiceManager(
        {"shop": sage_rpc.ServiceEndpoint(host.address, "test.shop.Shop")}, options=like._options
    )


@only_threads
def test_policies_work_in_a_forked_child_too(subject, managed):
    """Timer, batches, flights and breaker of the parent are not the child's."""
    manager = managed(
        ServicePolicy(
            default=MethodPolicy(retry=QUICK, idempotent=True),
            methods={"echo": MethodPolicy(batch=BatchPolicy(max_delay=0.01))},
            breaker=BreakerPolicy(),
        )
    )
    later, key = manager.get_async_proxy("subject"), next(names)
    assert later.echo(1).result(10) == 1
    if "grpc" in manager.transport_of("subject"):
        pytest.skip("grpcio does not survive a fork after calls, unless it was told to")
    pending = later.echo(2)  # in a batch that has not left
    child = os.fork()
    if child == 0:
        try:
            fine = later.echo(3).result(10) == 3 and later.flaky(key, 2, "UNAVAILABLE").result(10) == 3
            os._exit(0 if fine else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert pending.result(10) == 2


# ---------------------------------------------------------------- the policy of a service may change


def test_a_new_policy_holds_for_proxies_and_methods_that_are_in_use(managed):
    manager = managed()
    method = manager.get_sync_proxy("subject").fail
    with pytest.raises(errors.RpcError):
        method("INTERNAL")
    manager.set_policy("subject", policy(fallback="now"))
    assert method("INTERNAL") == "now"
    gate = next(names)
    under_way = manager.get_async_proxy("subject").hold(gate)
    manager.set_policy("subject", ServicePolicy(pool=PoolPolicy(balancing="least_outstanding")))
    manager.get_sync_proxy("subject").release(gate)  # over a new connection
    assert under_way.result(10) is True


# ---------------------------------------------------------------- the design document's snippets, as written


class Caller:
    """What the document's `self` is: something that calls services."""

    def __init__(self, manager):
        self.manager = manager

    @property
    def call_service(self):
        manager = self.manager

        class ServiceProxy:
            def __getitem__(self, service_name: str):
                return manager.get_sync_proxy(service_name)

        return ServiceProxy()

    def fallback_processing(self, data):
        return f"default for {data}"

    local_fallback = fallback_processing

    def heavy(self, data):
        try:
            result = self.call_service["slow_service"].heavy_operation(data)
        except TimeoutError:
            # use a default, or degrade
            result = self.fallback_processing(data)
        return result

    def external(self, data):
        try:
            result = self.call_service["external_api"].call(data)
        except RuntimeError as e:
            if "connection refused" in str(e):
                # the service is degraded
                result = self.local_fallback(data)
            else:
                raise
        return result

    def call_with_retry(self, service_name, method_name, *args, max_retries=3, **kwargs):
        for attempt in range(max_retries):
            try:
                return self.call_service[service_name].__getattr__(method_name)(*args, **kwargs)
            except Exception:
                if attempt == max_retries - 1:
                    raise
                time.sleep(0.01 * 2**attempt)
        return None


def test_the_three_snippets_of_the_design_run_as_written(transport):
    class Slow:
        def heavy_operation(self, data):
            released.wait(10)

    class Flaky:
        tries = 0

        def get(self, key):
            self.tries += 1
            if self.tries < 3:
                raise OSError("not yet")
            return key

    released = threading.Event()
    with (
        sage_rpc.ServiceHost("slow_service", Slow()) as slow,
        sage_rpc.ServiceHost("flaky", Flaky()) as flaky,
        sage_rpc.ServiceHost("gone", Slow()) as gone,
    ):
        refused = gone.address
        gone.stop()
        with sage_rpc.ServiceManager(
            {"slow_service": slow.address, "external_api": refused, "flaky": flaky.address},
            timeout=0.5,
            options=[("sage_rpc.transport", transport)],
        ) as manager:
            caller = Caller(manager)
            assert caller.heavy("d") == "default for d"
            assert caller.external("d") == "default for d"
            assert caller.call_with_retry("flaky", "get", "k") == "k"
        released.set()
