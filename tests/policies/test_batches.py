"""Batches: many calls in one round trip, by hand and by themselves."""

from __future__ import annotations

import concurrent.futures
import itertools

import pytest

import sage_rpc
from sage_rpc import Arguments, errors
from sage_rpc.encoding.values import UnserializableError
from sage_rpc.policies import BatchPolicy, MethodPolicy, RetryPolicy, ServicePolicy
from sage_rpc.policies.batching import Coalescing
from sage_rpc.policies.future import completed
from tests.conftest import ServerProcess, only_threads
from tests.rpc.test_stubs import implement, shop  # noqa: F401 - a fixture

SECONDS = 10
names = (f"key {number}" for number in itertools.count())


@pytest.fixture(scope="module")
def subject(tmp_path_factory):
    directory = tmp_path_factory.mktemp("batches")
    directory.chmod(0o700)
    with ServerProcess(program="policy_services.py", env={"SAGE_RPC_RUNTIME_DIR": str(directory)}) as process:
        yield process, directory


@pytest.fixture
def managed(subject, transport, face, monkeypatch):
    monkeypatch.setenv("SAGE_RPC_RUNTIME_DIR", str(subject[1]))
    opened = []

    def make(policy=None):
        manager = face(
            {"subject": subject[0].target},
            timeout=SECONDS,
            options=[("sage_rpc.transport", transport)],
            policy=policy,
        )
        opened.append(manager)
        return manager

    yield make
    for manager in opened:
        manager.close()


@pytest.fixture
def proxy(managed):
    return managed().get_sync_proxy("subject")


def test_a_batch_gives_the_results_in_order(proxy):
    assert proxy.batch("echo", [1, "two", (3, 4), None]) == [1, "two", (3, 4), None]
    assert proxy.batch("echo", []) == []
    key = next(names)
    assert proxy.batch("add", [key] * 100) == list(range(1, 101))


def test_a_call_of_a_batch_may_have_any_arguments(proxy):
    assert proxy.batch("echo", [Arguments(), Arguments(value=2), 3]) == [None, 2, 3]


def test_one_exception_ends_one_call(proxy):
    items = [Arguments(next(names), 0, "INTERNAL"), Arguments("few")]
    with pytest.raises(sage_rpc.RemoteError, match=r"TypeError: .*missing 2 required"):
        proxy.batch("flaky", items)
    results = proxy.batch("flaky", items, return_errors=True)
    assert results[0] == 2
    assert isinstance(results[1], sage_rpc.RemoteError)
    assert results[1].remote_traceback


def test_an_argument_that_does_not_travel_is_named_with_its_item(proxy):
    with pytest.raises(
        UnserializableError, match=r"a batch of subject\.echo: item\[1\]: cannot serialise object"
    ):
        proxy.batch("echo", [1, object()])


def test_an_unknown_or_private_method_has_no_batch_either(proxy):
    with pytest.raises(errors.Unimplemented, match="has no method 'ecko'; did you mean echo"):
        proxy.batch("ecko", [1])
    with pytest.raises(AttributeError, match="private"):
        proxy.batch("_echo", [1])


def test_batch_query_of_the_design_simply_works(proxy):
    results = proxy.batch_query(["SELECT * FROM table1 WHERE id=1", "SELECT * FROM table2 WHERE id=2"])
    assert results == ["rows of SELECT * FROM table1 WHERE id=1", "rows of SELECT * FROM table2 WHERE id=2"]
    with pytest.raises(errors.Unimplemented):
        proxy.batch_nothing([1])


def test_a_stream_of_results_comes_while_the_batch_is_worked_on(proxy, managed):
    """The first result is here although the last call still waits for us."""
    gate = next(names)
    other = managed().get_sync_proxy("subject")
    proxy.release("open")
    results = proxy.batch_stream("hold", ["open", "open", gate], timeout=SECONDS)
    other.release(gate)
    assert list(results) == [True, True, True]
    streamed = proxy.batch_stream("echo", list(range(1000)))
    assert list(streamed) == list(range(1000))


def test_calls_made_at_the_same_time_travel_together(managed):
    key = next(names)
    policy = MethodPolicy(batch=BatchPolicy(max_size=16, max_delay=2.0))
    manager = managed(ServicePolicy(methods={"add": policy}))
    futures = [manager.get_async_proxy("subject").add(key) for _ in range(32)]  # two full batches
    assert sorted(future.result(SECONDS) for future in futures) == list(range(1, 33))
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        waiting = list(pool.map(manager.get_sync_proxy("subject").add, [key] * 16))
    assert sorted(waiting) == list(range(33, 49))
    assert manager.stats().of("subject", "add").calls == 48


def test_a_batch_that_is_not_full_leaves_after_its_delay(managed):
    manager = managed(ServicePolicy(default=MethodPolicy(batch=BatchPolicy(max_delay=0.01))))
    assert manager.get_sync_proxy("subject").echo("alone") == "alone"


def test_an_argument_that_does_not_travel_is_refused_at_once_in_a_coalesced_batch_too(managed):
    policy = MethodPolicy(batch=BatchPolicy(max_size=2, max_delay=2.0))
    proxy = managed(ServicePolicy(methods={"echo": policy})).get_async_proxy("subject")
    good = proxy.echo(1)
    with pytest.raises(UnserializableError, match=r"subject.echo: args\[0\]: cannot serialise object"):
        proxy.echo(object())
    other = proxy.echo(2)
    assert (good.result(SECONDS), other.result(SECONDS)) == (1, 2)


def test_a_call_of_a_batch_sends_what_its_arguments_were_when_it_was_made(managed):
    policy = MethodPolicy(batch=BatchPolicy(max_size=3, max_delay=2.0))
    proxy = managed(ServicePolicy(methods={"echo": policy})).get_async_proxy("subject")
    rows = [1]
    calls = []
    for number in (2, 3, 4):
        calls.append(proxy.echo(rows))
        rows.append(number)
    assert [call.result(SECONDS) for call in calls] == [[1], [1, 2], [1, 2, 3]]


def test_a_result_of_a_batch_is_what_the_method_returned(proxy):
    """The next call of the same batch changes the very list."""
    key = next(names)
    calls = [Arguments(key, number) for number in (1, 2, 3)]
    assert proxy.batch("push", calls) == [[1], [1, 2], [1, 2, 3]]
    assert list(proxy.batch_stream("push", calls)) == [[1, 2, 3, 1], [1, 2, 3, 1, 2], [1, 2, 3, 1, 2, 3]]


def test_a_coalesced_call_has_its_own_deadline_and_can_be_cancelled(managed):
    policy = MethodPolicy(batch=BatchPolicy(max_size=3, max_delay=2.0))
    manager = managed(ServicePolicy(methods={"hold": policy}))
    proxy, gate = manager.get_async_proxy("subject"), next(names)
    patient = proxy(gate, method="hold", timeout=SECONDS)
    hasty = proxy(gate, method="hold", timeout=0.2)
    cancelled = proxy(gate, method="hold", timeout=SECONDS)
    assert cancelled.cancel()
    with pytest.raises(TimeoutError):
        hasty.result(SECONDS)
    manager.get_sync_proxy("subject").release(gate)
    assert patient.result(SECONDS) is True


def test_a_batch_is_tried_again_like_its_method(managed):
    policy = MethodPolicy(
        idempotent=True, retry=RetryPolicy(max_attempts=2, initial_backoff=0.001, codes=["UNKNOWN"])
    )
    proxy = managed(ServicePolicy(methods={"echo": policy})).get_sync_proxy("subject")
    assert proxy.batch("echo", [1, 2]) == [1, 2]


@pytest.fixture(params=["ours", "stock"])
def declared(request, shop, transport, face):  # noqa: F811
    """A declared service at a host of ours, which knows batches, and at one that does not."""
    servicer, add = implement(shop), shop[1].add_ShopServicer_to_server
    calls = []
    original = servicer.GetPrice

    def counted(request, context):
        calls.append(request.name)
        return original(request, context)

    servicer.GetPrice = counted
    if request.param == "ours":
        host = sage_rpc.ServiceHost("shop", servicer, add_to_server=add).start()
        address, stop = host.address, host.stop
    else:
        server = sage_rpc.server(concurrent.futures.ThreadPoolExecutor(4))
        add(servicer, server)
        address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        server.start()

        def stop():
            server.stop(None)

    opened = []

    def make(policy=None):
        manager = face(
            {"shop": sage_rpc.ServiceEndpoint(address, "test.shop.Shop")},
            timeout=SECONDS,
            options=[("sage_rpc.transport", transport)],
            policy=policy,
        )
        opened.append(manager)
        return manager

    yield make, calls
    for manager in opened:
        manager.close()
    stop()


def test_a_batch_of_a_declared_service(declared):
    make, calls = declared
    proxy = make().get_sync_proxy("shop")
    items = [{"name": "apple", "count": count} for count in (1, 2, 3)]
    assert [price.amount for price in proxy.batch("get_price", items)] == [5, 10, 15]
    results = proxy.batch("get_price", [*items, {}], return_errors=True)
    assert isinstance(results[3], errors.InvalidArgument)
    assert "an item needs a name" in results[3].details()
    assert len(calls) == 7
    with pytest.raises(errors.InvalidArgument, match="an item needs a name"):
        proxy.batch("get_price", [{}])
    with pytest.raises(errors.InvalidArgument, match="no field 'colour'"):
        proxy.batch("get_price", [{"colour": "red"}])
    with pytest.raises(AttributeError, match="has no method 'get_prise'; did you mean get_price"):
        proxy.batch("get_prise", items)
    with pytest.raises(AttributeError, match="declared service: give it a streaming method"):
        list(proxy.batch_stream("get_price", items))


def test_calls_of_a_declared_service_travel_together(declared):
    make, calls = declared
    policy = MethodPolicy(batch=BatchPolicy(max_size=4, max_delay=2.0))
    manager = make(ServicePolicy(methods={"get_price": policy}))
    later = manager.get_async_proxy("shop")
    for _ in range(2):  # the second time it is known what the server knows
        futures = [later.get_price(name="apple", count=count) for count in (1, 2, 3)]
        wrong = later.get_price()
        assert [future.result(SECONDS).amount for future in futures] == [5, 10, 15]
        with pytest.raises(errors.InvalidArgument, match="an item needs a name"):
            wrong.result(SECONDS)
    assert len(calls) == 8
    with pytest.raises(errors.InvalidArgument, match="no field 'colour'"):
        later.get_price(colour="red")
    assert manager.stats().of("shop", "get_price").failures == {"INVALID_ARGUMENT": 2}


def test_a_call_of_a_declared_batch_sends_the_request_that_it_was_given(declared, shop):  # noqa: F811
    make, _ = declared
    manager = make(ServicePolicy(default=MethodPolicy(batch=BatchPolicy(max_size=3, max_delay=2.0))))
    request, calls = shop[0].Item(name="apple"), []
    for count in (1, 2, 3):
        request.count = count
        calls.append(manager.get_async_proxy("shop").get_price(request))
    request.count = 100
    assert [call.result(SECONDS).amount for call in calls] == [5, 10, 15]


# ---------------------------------------------------------------- whatever happens, every call ends


class _NoBatch:
    """A batch of which nothing works."""

    name = "subject.lookup"

    def __init__(self, failing):
        self._failing = failing

    def joined(self, calls):
        if self._failing == "join":
            raise MemoryError("no room")
        return calls

    def results(self, response):
        raise SystemExit("results")


class _Inner:
    """Sends nothing: answers at once, or refuses."""

    check = None

    def __init__(self, failing):
        self._failing = failing

    def start(self, request, timeout, metadata, key):
        if self._failing == "start":
            raise ValueError("the channel is closed")
        return completed(lambda: request)


@pytest.mark.parametrize("failing", ["join", "start", "results"])
def test_whatever_fails_in_a_batch_ends_all_of_its_calls(failing):
    coalescing = Coalescing(_NoBatch(failing), _Inner(failing), BatchPolicy(max_size=8, max_delay=0.01))
    calls = [coalescing.start(bytes([number]), None, None, None) for number in range(3)]
    for call in calls:
        assert isinstance(call.exception(SECONDS), errors.RpcError)
    assert "0 waiting" in repr(coalescing)


def test_a_call_whose_time_is_shorter_than_the_batchs_ends_in_its_time(managed):
    policy = ServicePolicy(default=MethodPolicy(batch=BatchPolicy(max_delay=5.0)))
    proxy = managed(policy).get_async_proxy("subject")
    call = proxy(next(names), method="lookup", timeout=0.05)
    with pytest.raises(errors.DeadlineExceeded):
        call.result(4.0)


@only_threads
def test_a_callback_that_exits_keeps_nobody_waiting(managed):
    policy = ServicePolicy(default=MethodPolicy(batch=BatchPolicy(max_delay=0.02)))
    proxy = managed(policy).get_async_proxy("subject")

    def leave(_call):
        raise SystemExit("a callback")

    calls = [proxy.lookup(next(names)) for _ in range(4)]
    for call in calls:
        call.add_done_callback(leave)
    assert all(call.result(SECONDS)["list"] == [1, 2] for call in calls)
    assert proxy.lookup(next(names)).result(SECONDS)["list"] == [1, 2]  # the timer goes on, too
