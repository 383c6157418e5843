"""What sage_rpc offers to users' tests: fakes, faults and fixtures, tried as a user would."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import grpc
import pytest

import sage_rpc
from sage_rpc import errors
from sage_rpc.operators import MapFunction
from sage_rpc.policies import MethodPolicy, RetryPolicy, ServicePolicy
from sage_rpc.testing import FakeService, FakeServices, Fault, FaultInjector, Recorded

pytest_plugins = ["sage_rpc.testing.pytest_plugin"]
ROOT = Path(__file__).parents[2]
SECONDS = 10


class Lookup(MapFunction):
    """What a user tests."""

    def execute(self, row):
        hit = self.call_service["cache"].get(row["id"])
        if hit is None:
            hit = self.call_with_retry("db", "query", row["id"], max_retries=2, initial_backoff=0.001)
            self.call_service_async["cache"].put(row["id"], hit).result(SECONDS)
        return hit


class Database:
    def query(self, key):
        return f"row {key}"


# ---------------------------------------------------------------- fakes


def test_an_operator_calls_fakes_and_the_test_sees_what_it_called(transport):
    with FakeServices(
        {"options": [("sage_rpc.transport", transport)]},
        cache={"get": None, "put": lambda key, value: True},
        db=Database(),
    ) as services:
        operator = services.bind(Lookup())
        assert operator.execute({"id": 7}) == "row 7"
        assert services["cache"].calls == [Recorded("get", (7,), {}), Recorded("put", (7, "row 7"), {})]
        services["cache"].set("get", "hit")
        services["cache"].reset()
        assert operator.execute({"id": 7}) == "hit"
        assert len(services["cache"].calls_of("get")) == 1
        assert len(services["db"].calls) == 1
        assert services.manager.transport_of("cache") == transport


def test_a_fake_raises_what_it_is_told():
    with FakeServices(
        cache={"get": KeyError("k"), "put": sage_rpc.Abort(grpc.StatusCode.ABORTED, "no")}
    ) as services:
        proxy = services.manager.get_sync_proxy("cache")
        with pytest.raises(sage_rpc.RemoteError, match="KeyError"):
            proxy.get("k")
        with pytest.raises(errors.RpcError, match="no") as caught:
            proxy.put("k")
        assert caught.value.code() is grpc.StatusCode.ABORTED
        with pytest.raises(errors.Unimplemented, match="has no method 'gett'"):
            proxy.gett("k")


def test_a_fake_that_is_stopped_is_refused():
    with FakeServices(cache={"get": 1}) as services:
        services.stop("cache")
        with pytest.raises(ConnectionError, match="connection refused"):
            services.manager.get_sync_proxy("cache").get("k")


def test_a_bad_name_of_a_method_is_refused():
    with pytest.raises(ValueError, match="'_get' is no name of a method"):
        FakeService({"_get": 1})


# ---------------------------------------------------------------- faults


@pytest.fixture
def faulty(sage_services, sage_faults, transport):
    """(manager with faults, fake, injector)"""
    services = sage_services(cache={"get": lambda key: key})
    manager = sage_faults.manager(
        {"cache": services.address_of("cache")}, timeout=5, options=[("sage_rpc.transport", transport)]
    )
    with manager:
        yield manager, services["cache"], sage_faults


@pytest.fixture(params=["waits", "future"])
def call(request, faulty):
    manager = faulty[0]

    def call(key="k", timeout=5):
        if request.param == "waits":
            return manager.call_service_sync("cache", "get", key, timeout=timeout)
        return manager.call_service_async("cache", "get", key, timeout=timeout).result(SECONDS)

    return call


def test_a_call_fails_with_the_code_as_often_as_it_should(call, faulty):
    _, fake, injector = faulty
    injector.add(Fault(code="RESOURCE_EXHAUSTED", details="too much", times=2))
    for _ in range(2):
        with pytest.raises(errors.RpcError, match="too much") as caught:
            call()
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert call() == "k"
    assert (len(fake.calls), injector.injected) == (1, 2)


def test_a_call_is_delayed(call, faulty):
    faulty[2].add(Fault(delay=0.1))
    began = time.monotonic()
    assert call() == "k"
    assert time.monotonic() - began >= 0.1
    with pytest.raises(TimeoutError):
        call(timeout=0.02)


def test_a_dropped_request_never_runs_and_a_dropped_response_has_run(call, faulty):
    _, fake, injector = faulty
    for drop, ran in (("request", 0), ("response", 1)):
        fault = injector.add(Fault(drop=drop))
        with pytest.raises(TimeoutError):
            call(timeout=0.2)
        assert len(fake.calls) == ran
        injector.remove(fault)
    assert call() == "k"


def test_a_broken_connection_leaves_open_whether_the_call_ran(call, faulty):
    _, fake, injector = faulty
    injector.add(Fault(disconnect=True, times=1))
    with pytest.raises(errors.Unavailable):
        call()
    assert len(fake.calls) == 1


def test_faults_meet_policies(sage_services, sage_faults):
    services = sage_services(cache={"get": lambda key: key})
    retry = RetryPolicy(max_attempts=4, initial_backoff=0.001)
    policy = ServicePolicy(default=MethodPolicy(retry=retry, idempotent=True))
    with sage_faults.manager({"cache": services.address_of("cache")}, policy=policy) as manager:
        sage_faults.add(Fault(code=grpc.StatusCode.UNAVAILABLE, times=3))
        assert manager.get_sync_proxy("cache").get("k") == "k"
        assert manager.stats().of("cache").retries == 3


def test_faults_of_one_method_leave_the_others(sage_services, sage_faults):
    services = sage_services(cache={"get": 1})
    with sage_faults.channel(sage_rpc.insecure_channel(services.address_of("cache"))) as channel:
        sage_faults.add(Fault(method="/other.Service/*", code="INTERNAL"))
        check = channel.unary_unary("/grpc.health.v1.Health/Check")
        assert check(b"", timeout=SECONDS) == b"\x08\x01"
        sage_faults.add(Fault(method="/grpc.health.v1.*", code="INTERNAL"))
        with pytest.raises(grpc.RpcError):
            check(b"", timeout=SECONDS)
        watch = channel.unary_stream("/grpc.health.v1.Health/Watch")
        with pytest.raises(grpc.RpcError):
            next(watch(b"", timeout=SECONDS))
        sage_faults.clear()
        stream = watch(b"", timeout=SECONDS)
        assert next(stream) == b"\x08\x01"
        stream.cancel()


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (Fault, "does nothing"),
        (lambda: Fault(code="NOPE"), "'NOPE' is no status code"),
        (lambda: Fault(code="OK"), "Fault.code is OK"),
        (lambda: Fault(code="ABORTED", disconnect=True), "ends a call in one way"),
        (lambda: Fault(drop="both"), "expected 'request', 'response' or None"),
        (lambda: Fault(delay=-1), "Fault.delay is -1"),
        (lambda: Fault(delay=1, times=0), "Fault.times is 0"),
    ],
)
def test_an_impossible_fault_is_named(make, says):
    with pytest.raises(ValueError, match=says):
        make()


def test_a_dropped_call_without_a_deadline_is_refused():
    injector = FaultInjector()
    injector.add(Fault(drop="request"))
    with injector.channel(sage_rpc.insecure_channel("localhost:1")) as channel:
        with pytest.raises(ValueError, match="needs a deadline"):
            channel.unary_unary("/a/b")(b"")


# ---------------------------------------------------------------- the plugin, in a user's own test run

USERS_TEST = """
import grpc
from sage_rpc.testing import Fault

pytest_plugins = ["sage_rpc.testing.pytest_plugin"]


def test_hit(sage_services, sage_faults, sage_runtime_dir):
    services = sage_services(cache={"get": "hit"})
    assert services.manager.get_sync_proxy("cache").get("k") == "hit"
    assert services["cache"].calls[0].args == ("k",)
    sage_faults.add(Fault(code="UNAVAILABLE"))
    with sage_faults.manager({"cache": services.address_of("cache")}) as manager:
        assert manager.get_sync_proxy("cache")("k", method="get", fallback="degraded") == "degraded"
    assert sage_runtime_dir.exists()
"""


def test_the_plugin_works_in_a_project_of_its_own(tmp_path):
    (tmp_path / "test_users.py").write_text(USERS_TEST)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=50,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
