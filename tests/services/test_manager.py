"""The service manager and its proxies: plain classes and declared services, over both transports."""

from __future__ import annotations

import concurrent.futures
import os
import pickle
import threading

import grpc
import numpy as np
import pytest

import sage_rpc
from sage_rpc import errors
from sage_rpc.encoding.values import UnserializableError
from sage_rpc.hosting.dispatch import PlainServices
from sage_rpc.hosting.host import ServiceHost
from tests.conftest import ServerProcess, only_threads
from tests.rpc.test_stubs import implement, shop  # noqa: F401 - a fixture

NAMES = ("cache", "sick", "relay")


@pytest.fixture(scope="module")
def services(tmp_path_factory):
    directory = tmp_path_factory.mktemp("services")
    directory.chmod(0o700)
    with ServerProcess(program="plain_services.py", env={"SAGE_RPC_RUNTIME_DIR": str(directory)}) as process:
        yield process, directory


@pytest.fixture
def manager(services, transport, face, monkeypatch):
    process, directory = services
    monkeypatch.setenv("SAGE_RPC_RUNTIME_DIR", str(directory))
    endpoints = dict.fromkeys(NAMES, process.target)
    with face(endpoints, timeout=20, options=[("sage_rpc.transport", transport)]) as made:
        yield made


@pytest.fixture
def cache(manager):
    return manager.get_sync_proxy("cache")


# ---------------------------------------------------------------- calling plain classes


def test_a_method_of_a_plain_class_is_called_by_its_name(manager, cache, transport):
    assert cache.put("k", {"a": (1, 2.5, None)}) >= 1
    assert cache.get("k") == {"a": (1, 2.5, None)}
    assert cache.get(key="nothing", default=b"\x00") == b"\x00"
    assert manager.transport_of("cache") == transport


def test_every_spelling_calls_the_same_method(manager, cache):
    cache.put("spelled", 1)
    assert cache("spelled", method="get", timeout=5.0) == 1
    assert manager.call_service_sync("cache", "get", "spelled", timeout=5.0) == 1
    assert manager.call_service_async("cache", "get", "spelled").result(5) == 1
    proxy = manager.get_async_proxy("cache")
    assert proxy.get("spelled").result(5) == 1
    assert proxy("spelled", method="get").result(timeout=5) == 1


def test_arrays_travel_both_ways(cache):
    array = np.arange(12, dtype=np.float32).reshape(3, 4)
    assert np.array_equal(cache.total(array), array.sum(axis=0))
    zeros = cache.zeros(1000, 1000)
    assert zeros.shape == (1000, 1000)
    assert zeros.dtype == np.float64


def test_arguments_keep_their_types(cache):
    args = [1, (2, 3), {"x": b"y", 4: None}, 2**100]
    assert cache.echo(*args, key="word") == [args, {"key": "word"}]


def test_a_future_is_one_of_the_standard_library(manager):
    proxy = manager.get_async_proxy("cache")
    pending = [proxy.echo(i) for i in range(50)]
    assert all(isinstance(f, concurrent.futures.Future) for f in pending)
    done, not_done = concurrent.futures.wait(pending, timeout=20)
    assert (len(done), len(not_done)) == (50, 0)
    assert [f.result()[0][0] for f in pending] == list(range(50))
    assert {
        f.result()[0][0] for f in concurrent.futures.as_completed([proxy.echo(i) for i in range(9)], 20)
    } == set(range(9))


def test_a_done_callback_runs_although_nobody_waits(manager):
    called = threading.Event()
    manager.get_async_proxy("cache").get("k").add_done_callback(lambda future: called.set())
    assert called.wait(10)


@only_threads
def test_a_future_can_be_cancelled(manager):
    proxy = manager.get_async_proxy("cache")
    future = proxy.wait("never")
    assert future.cancel()
    assert future.cancelled()
    with pytest.raises(concurrent.futures.CancelledError):
        future.result(5)
    assert not future.cancel()


def test_a_future_that_is_not_done_in_time_goes_on(manager, cache, transport):
    gate = f"{transport} {type(manager)}"
    future = manager.get_async_proxy("cache").wait(gate)
    with pytest.raises(concurrent.futures.TimeoutError):
        future.result(0.05)
    cache.release(gate)
    assert future.result(10) is True


# ---------------------------------------------------------------- failures


def test_an_exception_of_the_method_comes_with_type_and_traceback(cache):
    cache.put("once", 1)
    with pytest.raises(sage_rpc.RemoteError) as caught:
        cache.put("once", 2, overwrite=False)
    error = caught.value
    assert (error.type_name, error.message) == ("builtins.KeyError", "'once'")
    assert "in put" in error.remote_traceback
    assert error.code() is grpc.StatusCode.UNKNOWN


def test_a_type_error_inside_the_method_is_the_methods(cache):
    with pytest.raises(sage_rpc.RemoteError, match="TypeError: object of type 'int' has no len"):
        cache.wrong_inside()


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda c: c.get(), "missing 1 required positional argument: 'key'"),
        (lambda c: c.get("k", 1, 2), "takes from 2 to 3 positional arguments but 4 were given"),
        (lambda c: c.get("k", colour="red"), "unexpected keyword argument 'colour'"),
    ],
)
def test_wrong_arguments_are_named(cache, call, says):
    with pytest.raises(errors.InvalidArgument) as caught:
        call(cache)
    assert says in caught.value.details()
    assert "cache.get" in caught.value.details()
    assert isinstance(caught.value, TypeError)


@pytest.mark.parametrize("name", ["gett", "put_all", "limit", "setup", "health_chek"])
def test_an_unknown_method_is_named_and_a_close_one_suggested(cache, name):
    with pytest.raises(errors.Unimplemented) as caught:
        getattr(cache, name)()
    assert f"has no method '{name}'" in caught.value.details()
    if name == "gett":
        assert "did you mean get" in caught.value.details()


def test_private_names_are_no_methods(cache):
    with pytest.raises(AttributeError):
        cache._private()
    for name in ("__init__", "_name", "_private"):
        with pytest.raises(AttributeError, match="is private"):
            cache(method=name)


def test_an_unknown_service_is_named_with_those_there_are(manager):
    with pytest.raises(
        errors.NotFound, match="no service named 'chache' is registered; registered: cache, relay, sick"
    ):
        manager.get_sync_proxy("chache")


def test_a_service_that_its_host_does_not_serve_is_named(services, manager):
    manager.register("other", services[0].target)
    with pytest.raises(errors.NotFound, match="no service 'other' here; served: cache, relay, sick"):
        manager.call_service_sync("other", "get")


def test_an_argument_that_does_not_travel_is_named(cache):
    with pytest.raises(UnserializableError, match=r"cache\.echo: kwargs\['when'\]: cannot serialise"):
        cache.echo(1, when=object())
    assert cache.echo(1) == [[1], {}]


def test_a_result_that_does_not_travel_is_named(cache):
    with pytest.raises(sage_rpc.RpcError, match=r"the result of cache\.bad: .*cannot serialise object"):
        cache.bad()


def test_a_message_over_the_limit_is_named(cache):
    with pytest.raises(sage_rpc.RpcError, match="larger than max") as caught:
        cache.echo(bytes(65 << 20))
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    with pytest.raises(sage_rpc.RpcError, match="larger than max"):
        cache.zeros(9 << 20)


def test_a_missed_deadline_is_a_timeout_error(manager, cache):
    with pytest.raises(TimeoutError):
        cache("never", method="wait", timeout=0.1)
    with pytest.raises(TimeoutError):
        manager.call_service_async("cache", "wait", "never", timeout=0.1).result(10)


def test_a_call_of_a_service_ends_with_the_call_it_serves(manager):
    """The relay would wait thirty seconds; the caller's deadline travels along."""
    with pytest.raises(TimeoutError):
        manager.call_service_sync("relay", "wait", "never", timeout=2.0)  # time for it to begin
    # The caller's clock began first: on a busy machine the relay hears that it was cancelled before.
    ended = manager.call_service_sync("relay", "how_it_ended", timeout=10)
    assert ended in ("DeadlineExceeded", type(errors.rpc_error(grpc.StatusCode.CANCELLED, "")).__name__)


def test_a_service_that_is_gone_is_a_connection_error_that_says_refused(transport):
    with ServerProcess(program="plain_services.py") as process:
        options = [("sage_rpc.transport", transport)]
        with sage_rpc.ServiceManager({"cache": process.target}, timeout=20, options=options) as manager:
            assert manager.call_service_sync("cache", "pid") == process.process.pid
            process.kill()
            for _ in range(2):  # the connection breaks; then there is none
                with pytest.raises(ConnectionError) as caught:
                    manager.call_service_sync("cache", "pid")
            assert "connection refused" in str(caught.value)
            assert isinstance(caught.value, RuntimeError)
            assert manager.health_check_all_services()["cache"].startswith("error: UNAVAILABLE")


# ---------------------------------------------------------------- the manager itself


def test_health_of_all_services(manager):
    assert manager.health_check_all_services() == {
        "cache": "healthy",
        "sick": "unhealthy",
        "relay": "healthy",
    }


@pytest.mark.parametrize("target", ["", None, 5])
def test_a_target_that_is_none_is_refused(target):
    with pytest.raises(ValueError, match="must be an address"):
        sage_rpc.ServiceManager({"cache": target})


def test_a_name_is_registered_once():
    manager = sage_rpc.ServiceManager({"cache": "localhost:1"})
    with pytest.raises(ValueError, match="registered already, at localhost:1"):
        manager.register("cache", "localhost:2")


def test_a_closed_manager_says_so():
    manager = sage_rpc.ServiceManager({"cache": "localhost:1"})
    manager.close()
    with pytest.raises(ValueError, match="closed"):
        manager.get_sync_proxy("cache")


@only_threads
def test_a_manager_pickles_and_connects_where_it_is_unpickled(manager, transport):
    pid = manager.call_service_sync("cache", "pid")
    with pickle.loads(pickle.dumps(manager)) as copy:
        assert copy.call_service_sync("cache", "pid") == pid
        assert copy.transport_of("cache") == transport
        assert copy.services == manager.services


@only_threads
def test_proxies_pickle_with_their_manager(manager, cache):
    pid = cache.pid()
    assert pickle.loads(pickle.dumps(cache)).pid() == pid
    assert pickle.loads(pickle.dumps(manager.get_async_proxy("cache"))).pid().result(10) == pid


def test_a_manager_works_in_a_forked_child(services, monkeypatch):
    process, directory = services
    monkeypatch.setenv("SAGE_RPC_RUNTIME_DIR", str(directory))
    with sage_rpc.ServiceManager({"cache": process.target}, timeout=10) as manager:
        pid = manager.call_service_sync("cache", "pid")
        child = os.fork()
        if child == 0:
            try:
                os._exit(0 if manager.call_service_sync("cache", "pid") == pid else 1)
            finally:
                os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert manager.call_service_sync("cache", "pid") == pid


def test_one_host_serves_a_name_once():
    services = PlainServices()
    services.add("a", object())
    with pytest.raises(ValueError, match="'a' is served here already"):
        services.add("a", object())


def test_a_host_serves_one_object_in_this_process(transport):
    class Adder:
        def add(self, a, b):
            return a + b

    with ServiceHost("adder", Adder()) as host:
        options = [("sage_rpc.transport", transport)]
        with sage_rpc.ServiceManager({"adder": host.address}, options=options) as manager:
            assert manager.get_sync_proxy("adder").add(2, b=3) == 5


# ---------------------------------------------------------------- declared services


@pytest.fixture
def declared(shop, transport, face):  # noqa: F811
    host = ServiceHost("shop", implement(shop), add_to_server=shop[1].add_ShopServicer_to_server)
    with host:
        endpoint = sage_rpc.ServiceEndpoint(host.address, "test.shop.Shop")
        with face({"shop": endpoint}, options=[("sage_rpc.transport", transport)]) as manager:
            yield manager, shop[0]


def test_keyword_arguments_become_fields_of_the_request(declared):
    manager, messages = declared
    proxy = manager.get_sync_proxy("shop")
    assert proxy.get_price(name="apple", count=3, tags=["x"]) == messages.Price(amount=15, currency="EUR")
    assert proxy.GetPrice(name="fig").amount == 3
    assert proxy.get_price(messages.Item(name="fig")).amount == 3
    assert manager.get_async_proxy("shop").get_price(name="fig").result(10).amount == 3
    assert manager.call_service_sync("shop", "get_price", name="fig").amount == 3


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda p: p.get_price(colour="red"), "no field 'colour'; the fields are name, count, tags"),
        (lambda p: p.get_price(name=5), "test.shop.Shop.GetPrice: .*"),
        (
            lambda p: p.get_price("apple"),
            "takes one test.shop.Item or its fields by keyword: name, count, tags",
        ),
    ],
)
def test_wrong_fields_are_named(declared, call, says):
    with pytest.raises(errors.InvalidArgument, match=says):
        call(declared[0].get_sync_proxy("shop"))


def test_an_unknown_declared_method_is_named(declared):
    with pytest.raises(
        AttributeError, match=r"test\.shop\.Shop has no method 'get_prise'; did you mean get_price"
    ):
        declared[0].get_sync_proxy("shop").get_prise()


def test_a_streaming_method_is_refused_with_the_way_to_call_it(declared):
    with pytest.raises(AttributeError, match="streaming method; use the generated stub"):
        declared[0].get_sync_proxy("shop").watch_prices()


def test_an_abort_of_a_declared_service_is_of_the_family(declared):
    with pytest.raises(errors.InvalidArgument, match="an item needs a name"):
        declared[0].get_sync_proxy("shop").get_price()


def test_a_declared_service_nobody_imported_is_refused():
    with pytest.raises(
        ValueError, match=r"no protobuf service 'no\.Such' is known here; import its generated"
    ):
        sage_rpc.ServiceManager({"x": sage_rpc.ServiceEndpoint("localhost:1", "no.Such")})


def test_a_declared_service_without_health_service_is_healthy_when_it_answers(declared):
    assert declared[0].health_check_all_services() == {"shop": "healthy"}
