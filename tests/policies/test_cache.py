"""The manager's cache: what is kept, for how long, for whom, and what it costs."""

from __future__ import annotations

import concurrent.futures
import itertools
import queue
import threading

import grpc
import pytest

import sage_rpc
from sage_rpc import errors
from sage_rpc.policies import CachePolicy, MethodPolicy, ServicePolicy
from sage_rpc.policies.cache import ABANDONED, Cache
from tests.conftest import ServerProcess
from tests.waiting import until

SECONDS = 10
names = (f"key {number}" for number in itertools.count())


@pytest.fixture(scope="module")
def subject(tmp_path_factory):
    directory = tmp_path_factory.mktemp("cache")
    directory.chmod(0o700)
    with ServerProcess(program="policy_services.py", env={"SAGE_RPC_RUNTIME_DIR": str(directory)}) as process:
        yield process, directory


@pytest.fixture
def managed(subject, transport, face, monkeypatch):
    monkeypatch.setenv("SAGE_RPC_RUNTIME_DIR", str(subject[1]))
    opened = []

    def make(*methods, **cache):
        policy = MethodPolicy(cache=CachePolicy(**cache))
        manager = face(
            {"subject": subject[0].target},
            timeout=SECONDS,
            options=[("sage_rpc.transport", transport)],
            policy=ServicePolicy(methods=dict.fromkeys(methods or ("lookup",), policy)),
        )
        opened.append(manager)
        return manager

    yield make
    for manager in opened:
        manager.close()


def test_equal_arguments_are_fetched_once(managed):
    manager = managed()
    proxy, key = manager.get_sync_proxy("subject"), next(names)
    for _ in range(3):
        assert proxy.lookup(key) == {"key": key, "list": [1, 2]}
    assert manager.get_async_proxy("subject").lookup(key).result(SECONDS)["key"] == key
    assert proxy.count(key) == 1  # not cached itself: only `lookup` is
    info = manager.cache_info("subject", "lookup")
    assert (info.hits, info.misses, info.entries) == (3, 1, 1)
    row = manager.stats().of("subject", "lookup")
    assert (row.calls, row.cache_hits, row.cache_misses) == (1, 3, 1)
    assert manager.cache_info("subject", "count") is None


def test_what_a_caller_does_to_a_result_no_other_sees(managed):
    proxy, key = managed().get_sync_proxy("subject"), next(names)
    for _ in range(3):
        result = proxy.lookup(key)
        assert result["list"] == [1, 2]
        result["list"].append(3)


def test_arguments_are_told_apart_by_type_and_name(managed):
    proxy = managed("echo").get_sync_proxy("subject")
    for value in (1, True, 1.0, "1", b"1", (1,), [1], {"a": 1}, {"a": True}, None):
        assert repr(proxy.echo(value)) == repr(value)
        assert repr(proxy.echo(value)) == repr(value)
        assert repr(proxy.echo(value=value)) == repr(value)


def test_an_entry_expires(managed):
    proxy, key = managed(ttl=0.05).get_sync_proxy("subject"), next(names)
    proxy.lookup(key)
    threading.Event().wait(0.06)  # what is to pass is time itself
    proxy.lookup(key)
    assert proxy.count(key) == 2


def test_a_none_is_kept_as_long_as_the_policy_says(managed):
    proxy = managed(negative_ttl=0).get_sync_proxy("subject")
    before = proxy.count("nothing")
    assert [proxy.lookup("nothing") for _ in range(3)] == [None] * 3
    assert proxy.count("nothing") == before + 3
    proxy = managed().get_sync_proxy("subject")
    assert [proxy.lookup("nothing") for _ in range(3)] == [None] * 3
    assert proxy.count("nothing") == before + 4


def test_the_least_recently_used_goes_first(managed):
    manager = managed(max_entries=2)
    proxy = manager.get_sync_proxy("subject")
    a, b, c = next(names), next(names), next(names)
    for key in (a, b, a, c, a, b):
        proxy.lookup(key)
    assert [proxy.count(key) for key in (a, b, c)] == [1, 2, 1]
    assert manager.cache_info("subject", "lookup").evictions == 2


def test_the_bytes_are_bounded_and_what_is_too_large_is_not_kept(managed):
    manager = managed("echo", max_bytes=3000)
    proxy = manager.get_sync_proxy("subject")
    for number in range(5):
        proxy.echo(bytes([number]) * 1000)
    proxy.echo(bytes(5000))
    info = manager.cache_info("subject", "echo")
    assert info.entries == 2
    assert info.bytes <= 3000


def test_who_asks_for_what_is_being_fetched_waits_for_it(managed):
    manager = managed("hold")
    proxy, gate = manager.get_sync_proxy("subject"), next(names)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(proxy.hold, gate) for _ in range(4)]
        assert proxy.wait_count(gate, 1, SECONDS)
        futures = [manager.get_async_proxy("subject").hold(gate) for _ in range(4)]
        with pytest.raises(TimeoutError, match="another caller's call of subject"):
            proxy(gate, method="hold", timeout=0.05)
        proxy.release(gate)
        assert [each.result(SECONDS) for each in (*waiting, *futures)] == [True] * 8
    assert proxy.count(gate) == 1


def test_a_failure_is_told_to_those_who_wait_and_not_kept(managed):
    proxy, key = managed("flaky").get_sync_proxy("subject"), next(names)
    with pytest.raises(errors.RpcError, match="failure 1"):
        proxy.flaky(key, 1, "INTERNAL")
    assert proxy.flaky(key, 1, "INTERNAL") == 2
    with pytest.raises(sage_rpc.RemoteError, match="KeyError"):
        managed("broken").get_sync_proxy("subject").broken("x")


def test_results_are_forgotten_on_demand(managed):
    proxy, a, b = managed().get_sync_proxy("subject"), next(names), next(names)
    proxy.lookup(a), proxy.lookup(b)
    proxy.lookup.invalidate(a)
    proxy.lookup(a), proxy.lookup(b)
    assert [proxy.count(a), proxy.count(b)] == [2, 1]
    proxy.lookup.invalidate()
    proxy.lookup(b)
    assert proxy.count(b) == 2
    with pytest.raises(ValueError, match=r"subject\.count has no cache"):
        proxy.count.invalidate()


def test_what_is_fetched_before_an_invalidation_is_not_kept_after_it():
    cache = Cache("s.m", CachePolicy(), lambda args, kwargs: b"")
    _, ours, epoch = cache.board("k")
    assert ours
    cache.invalidate()
    cache.land("k", epoch, b"old", "old", 3)
    assert cache.get("k") is None


def test_a_key_function_decides_and_must_give_what_can_be_hashed(managed):
    proxy = managed("echo", key=lambda value: value["id"]).get_sync_proxy("subject")
    assert proxy.echo({"id": 1, "at": "noon"}) == proxy.echo({"id": 1, "at": "night"})
    proxy = managed("echo", key=lambda value: [value]).get_sync_proxy("subject")
    with pytest.raises(
        TypeError, match=r"the cache of subject\.echo: its key function gave \[1\], which cannot"
    ):
        proxy.echo(1)


def test_an_array_is_kept_without_its_senders_memory(managed):
    np = pytest.importorskip("numpy")
    proxy = managed("echo").get_sync_proxy("subject")
    array = np.arange(20_000)
    for _ in range(2):
        assert np.array_equal(proxy.echo(array), array)


# ---------------------------------------------------------------- a leader that gives up


class Fetched:
    """Answers when it is let: each call takes one of `answers`, which says what it does."""

    def __init__(self):
        self.begun = threading.Semaphore(0)
        self.answers = queue.SimpleQueue()
        self.calls = 0

    def lookup(self, key):
        self.calls += 1
        self.begun.release()
        return self.answers.get(timeout=SECONDS)


@pytest.fixture
def fetched(transport, face):
    """-> (service, manager), both in this process; `lookup` is cached."""
    service = Fetched()
    policy = ServicePolicy(methods={"lookup": MethodPolicy(cache=CachePolicy(ttl=60))})
    with (
        sage_rpc.ServiceHost("subject", service, max_workers=4) as host,
        face(
            {"subject": host.address},
            timeout=SECONDS,
            options=[("sage_rpc.transport", transport)],
            policy=policy,
        ) as manager,
    ):
        yield service, manager
        for _ in range(8):
            service.answers.put(None)


def follow(manager, wait, key="k"):
    """Begin a call that waits for the one under way. -> its future."""
    before = manager.cache_info("subject", "lookup").hits
    if wait == "future":
        following = manager.get_async_proxy("subject").lookup(key)
    else:
        pool = concurrent.futures.ThreadPoolExecutor(1)
        following = pool.submit(manager.get_sync_proxy("subject").lookup, key)
        pool.shutdown(wait=False)
    until(lambda: manager.cache_info("subject", "lookup").hits > before)
    return following


@pytest.mark.parametrize("wait", ["future", "thread"])
@pytest.mark.parametrize("end", ["cancelled", "out of time"])
def test_who_follows_a_leader_that_gives_up_leads(fetched, end, wait):
    service, manager = fetched
    timeout = 0.3 if end == "out of time" else SECONDS
    leader = manager.get_async_proxy("subject")("k", method="lookup", timeout=timeout)
    assert service.begun.acquire(timeout=SECONDS)
    followers = [follow(manager, wait), follow(manager, wait)]
    if end == "cancelled":
        assert leader.cancel()
    else:
        with pytest.raises(errors.DeadlineExceeded):
            leader.result(SECONDS)
    assert service.begun.acquire(timeout=SECONDS)  # one of them has become the leader, with its own time
    service.answers.put("for nobody")
    service.answers.put("the answer")
    service.answers.put("the answer")
    assert {follower.result(SECONDS) for follower in followers} <= {"for nobody", "the answer"}
    assert service.calls == 2
    info = manager.cache_info("subject", "lookup")
    assert (info.hits, info.misses) == (1, 2)


def test_who_hears_late_that_its_leader_gave_up_gets_what_the_next_one_fetched():
    """Even after that has landed: it is kept, so nobody fetches it again."""
    cache = Cache("subject.lookup", CachePolicy(ttl=60), lambda args, kwargs: b"")
    first, ours, _ = cache.board("k")
    assert ours
    followed = [cache.board("k")[0] for _ in range(2)]
    cache.crash("k", errors.rpc_error(grpc.StatusCode.CANCELLED, "cancelled"))
    assert first.result(0) is ABANDONED
    assert [flight.result(0) for flight in followed] == [ABANDONED] * 2
    _, ours, epoch = cache.board("k", again=True)
    assert ours
    cache.land("k", epoch, b"response", "value", 8)
    flight, ours, _ = cache.board("k", again=True)
    assert (flight.result(0), ours) == (b"response", False)
    assert (cache.hits, cache.misses) == (1, 2)


def test_a_follower_has_its_own_deadline_and_can_be_cancelled(fetched):
    service, manager = fetched
    proxy = manager.get_async_proxy("subject")
    leader = proxy.lookup("k")
    assert service.begun.acquire(timeout=SECONDS)
    short, cancelled = proxy("k", method="lookup", timeout=0.05), proxy.lookup("k")
    assert cancelled.cancel()
    with pytest.raises(concurrent.futures.CancelledError):
        cancelled.result(SECONDS)
    with pytest.raises(errors.DeadlineExceeded):
        short.result(SECONDS)
    assert not leader.done()
    service.answers.put("the answer")
    assert leader.result(SECONDS) == "the answer"


def test_the_last_follower_may_give_up_too_and_the_next_caller_fetches(fetched):
    service, manager = fetched
    leader = manager.get_async_proxy("subject").lookup("k")
    assert service.begun.acquire(timeout=SECONDS)
    follower = follow(manager, "future")
    assert follower.cancel()
    assert leader.cancel()
    service.answers.put("for nobody")
    again = manager.get_async_proxy("subject").lookup("k")
    service.answers.put("the answer")
    assert again.result(SECONDS) in ("for nobody", "the answer")
