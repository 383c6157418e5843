"""Calls that never reach their handler, and those that stand for several, are counted on both sides."""

from __future__ import annotations

import threading

import grpc
import pytest

import sage_rpc
from sage_rpc import errors
from sage_rpc.observe.prometheus import StatsCollector, registry_of
from sage_rpc.policies import (
    AdmissionPolicy,
    BatchPolicy,
    CachePolicy,
    MethodPolicy,
    RetryPolicy,
    ServicePolicy,
)
from tests.waiting import until

SECONDS = 20


class Subject:
    def __init__(self):
        self.go_on = threading.Event()
        self.failed = False

    def get(self, key):
        if key == "bad":
            raise KeyError(key)
        return key

    def hold(self):
        return self.go_on.wait(SECONDS)

    def secret_of(self, key):
        return key

    def fails_once(self):
        if not self.failed:
            self.failed = True
            raise sage_rpc.Abort(grpc.StatusCode.UNAVAILABLE, "not yet")
        return "now"


def only_public(peer, method):
    return method != "secret_of"


@pytest.fixture
def both(transport):
    """A host that counts, what it serves, and a manager of it."""
    subject = Subject()
    host = sage_rpc.ServiceHost(
        "s", subject, stats=True, access=only_public, admission=AdmissionPolicy(max_running=1, max_waiting=0)
    )
    policy = ServicePolicy(
        methods={
            "get": MethodPolicy(cache=CachePolicy(ttl=SECONDS)),
            "fails_once": MethodPolicy(
                idempotent=True, retry=RetryPolicy(max_attempts=2, initial_backoff=0.001)
            ),
        }
    )
    options = [("sage_rpc.transport", transport)]
    with (
        host,
        sage_rpc.ServiceManager(
            {"s": host.address}, policies={"s": policy}, timeout=SECONDS, options=options
        ) as manager,
    ):
        yield host, subject, manager


def codes(stats, method):
    row = stats.of("s", method)
    return {code: n for code, n in {"OK": row.successes, **row.failures}.items() if n}


def test_calls_that_are_refused_or_shed(both):
    host, subject, manager = both
    meter = host.meter
    proxy, later = manager.get_sync_proxy("s"), manager.get_async_proxy("s")
    held = later.hold()
    until(lambda: meter.active == 1, SECONDS)
    with pytest.raises(errors.RpcError, match="RESOURCE_EXHAUSTED"):
        proxy.hold()
    with pytest.raises(errors.PermissionDenied):
        proxy.secret_of("k")
    with sage_rpc.insecure_channel(host.address) as channel, pytest.raises(grpc.RpcError):
        channel.unary_unary("/some.Other/Method")(b"", timeout=SECONDS)
    subject.go_on.set()
    assert held.result(SECONDS)
    until(lambda: meter.active == 0, SECONDS)
    with pytest.raises(errors.Unimplemented):
        proxy.nobody_has_this()
    until(lambda: codes(meter.stats(), "hold").get("OK"), SECONDS)
    for counted in (meter.stats(), manager.stats()):
        assert codes(counted, "hold") == {"OK": 1, "RESOURCE_EXHAUSTED": 1}
        assert codes(counted, "secret_of") == {"PERMISSION_DENIED": 1}
    assert codes(manager.stats(), "nobody_has_this") == {"UNIMPLEMENTED": 1}
    assert codes(meter.stats(), "(unknown)") == {"UNIMPLEMENTED": 2}


def test_calls_answered_by_the_cache_and_attempts(both):
    host, _, manager = both
    meter = host.meter
    proxy = manager.get_sync_proxy("s")
    assert [proxy.get("k") for _ in range(5)] == ["k"] * 5
    assert proxy.fails_once() == "now"
    until(lambda: codes(meter.stats(), "fails_once").get("OK"), SECONDS)
    made = manager.stats()
    row = made.of("s", "get")
    assert (row.calls, row.cache_hits, row.cache_misses) == (1, 4, 1)
    assert codes(meter.stats(), "get") == {"OK": 1}
    assert (codes(made, "fails_once"), made.of("s", "fails_once").retries) == ({"OK": 1}, 1)
    assert codes(meter.stats(), "fails_once") == {"OK": 1, "UNAVAILABLE": 1}


@pytest.mark.parametrize("way", ["batch", "stream"])
def test_the_calls_of_a_batch_are_calls_and_it_is_one(both, way):
    host, _, manager = both
    meter = host.meter
    proxy = manager.get_sync_proxy("s")
    items = ["a", "bad", "c"]
    results = (
        proxy.batch("get", items, return_errors=True)
        if way == "batch"
        else list(proxy.batch_stream("get", items))
    )
    assert [type(each) for each in results] == [str, sage_rpc.RemoteError, str]
    until(lambda: codes(meter.stats(), "batch of get"), SECONDS)
    for counted in (meter.stats(), manager.stats()):
        assert codes(counted, "batch of get") == {"OK": 1}
        assert codes(counted, "get") == {"OK": 2, "UNKNOWN": 1}


def test_calls_that_are_gathered_are_calls(transport):
    with sage_rpc.ServiceHost("s", Subject(), stats=True) as host:
        policy = ServicePolicy(methods={"get": MethodPolicy(batch=BatchPolicy(max_size=3, max_delay=5.0))})
        options = [("sage_rpc.transport", transport)]
        with sage_rpc.ServiceManager(
            {"s": host.address}, policies={"s": policy}, timeout=SECONDS, options=options
        ) as manager:
            get = manager.get_async_proxy("s").get
            futures = [get(key) for key in ("a", "bad", "c")]
            assert [each.exception(SECONDS) is None for each in futures] == [True, False, True]
            until(lambda: host.meter.active == 0, SECONDS)
            for counted in (host.meter.stats(), manager.stats()):
                assert codes(counted, "get") == {"OK": 2, "UNKNOWN": 1}


def test_both_are_histograms_that_prometheus_reads(both):
    from prometheus_client import generate_latest
    from prometheus_client.parser import text_string_to_metric_families

    host, _, manager = both
    meter = host.meter
    for number in range(20):
        manager.get_sync_proxy("s").get(number)
    until(lambda: codes(meter.stats(), "get") == {"OK": 20}, SECONDS)
    text = generate_latest(registry_of(StatsCollector(manager.stats, meter.stats))).decode()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    for name in ("sage_rpc_call_seconds", "sage_rpc_served_seconds"):
        assert families[name].type == "histogram"
        samples = [sample for sample in families[name].samples if sample.labels["method"] == "get"]
        buckets = [sample.value for sample in samples if sample.name == f"{name}_bucket"]
        assert buckets == sorted(buckets)
        assert buckets[-1] == 20 == next(s.value for s in samples if s.name == f"{name}_count")
        assert next(s.value for s in samples if s.name == f"{name}_sum") > 0
    served = {
        s.name: s.value
        for s in families["sage_rpc_served_messages_received"].samples
        if s.labels["method"] == "get"
    }
    assert served == {"sage_rpc_served_messages_received_total": 20}
