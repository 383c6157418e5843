"""Discovery on one host: the runtime directory as registry, watches, and `sage:///name` targets."""

from __future__ import annotations

import collections
import contextlib
import multiprocessing
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
import pytest

import sage_rpc
from sage_rpc import DiscoveredChannel
from sage_rpc.discovery import (
    Directory,
    Endpoint,
    JoinedRegistry,
    LocalRegistry,
    RegistryError,
    StaticRegistry,
    host_identity,
    open_registry,
)
from sage_rpc.discovery.joined import joined, reachable_from_elsewhere
from sage_rpc.endpoints.pool import Pool
from sage_rpc.endpoints.resolver import Resolver
from sage_rpc.endpoints.subchannel import Dialer
from sage_rpc.policies import PoolPolicy
from tests.conftest import needs_native

ROOT = Path(__file__).parents[2]
REGISTRANT = """
import sys
from sage_rpc.discovery import Endpoint, LocalRegistry
registry = LocalRegistry()
kept = [registry.register_service(Endpoint(f"service-{i % 50}", f"localhost:{1000 + i}", memory="m"))
        for i in range(int(sys.argv[1]))]
print("registered", flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def registrant(count: int = 1) -> Iterator[subprocess.Popen[str]]:
    """A process that has registered `count` endpoints; ends with its standard input."""
    process = subprocess.Popen(
        [sys.executable, "-c", REGISTRANT, str(count)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    try:
        assert process.stdout.readline() == "registered\n"
        yield process
    finally:
        process.kill()
        process.communicate()


class States:
    """What a watcher was told."""

    def __init__(self) -> None:
        self.told: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def __call__(self, state: Any) -> None:
        self.told.put({name: [e.health for e in info.endpoints] for name, info in state.items()})

    def until(self, expected: dict[str, list[str]], seconds: float = 10.0) -> float:
        """Wait to be told `expected`. -> the seconds it took."""
        began = time.monotonic()
        last = None
        while last != expected:
            try:
                last = self.told.get(timeout=max(0.0, began + seconds - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"{expected} was never told; last: {last}") from None
        return time.monotonic() - began


class Greeter:
    def __init__(self, name: str) -> None:
        self.name = name

    def greet(self) -> str:
        return self.name


@contextlib.contextmanager
def served(service: str, name: str, registry: LocalRegistry, **known: Any) -> Iterator[Any]:
    with sage_rpc.ServiceHost(service, Greeter(name)) as host:
        memory = host.server.endpoints[0]
        endpoint = Endpoint(service, host.address, host=host_identity(), memory=memory, **known)
        with registry.register_service(endpoint) as registration:
            yield registration


def test_what_is_registered_is_found_and_goes_with_its_registration() -> None:
    registry = LocalRegistry()
    endpoint = Endpoint(
        "cache", "10.0.0.2:50051", host="h", memory="m", version="2", weight=7, metadata={"zone": "a"}
    )
    with registry.register_service(endpoint) as registration:
        assert LocalRegistry().discover_services()["cache"].endpoints == (endpoint,)
        registration.update("draining")
        info = LocalRegistry().discover_services()["cache"]
        assert [e.health for e in info.endpoints] == ["draining"]
        assert info.serving == ()
    assert LocalRegistry().discover_services() == {}


def test_what_is_registered_is_known_at_once() -> None:
    """Whoever starts a service and calls it does not wait for the watch to have had its turn."""
    registry = LocalRegistry()
    directory = Directory()
    assert directory.endpoints("before") == ()
    for number in range(100):
        endpoint = Endpoint(f"s{number}", f"10.0.0.2:{number + 1}", host="h")
        with registry.register_service(endpoint):
            assert directory.endpoints(f"s{number}") == (endpoint,)
    directory.close()
    registry.close()


def test_an_endpoint_of_a_killed_process_is_gone_and_its_file_too(runtime_directory: Path) -> None:
    with registrant(3) as process:
        assert len(LocalRegistry().discover_services()) == 3
        process.kill()
        process.wait()
        assert LocalRegistry().discover_services() == {}
    assert list((runtime_directory / "registry").iterdir()) == []


def test_a_forked_child_does_not_keep_an_endpoint_alive() -> None:
    script = REGISTRANT.replace(
        'print("registered"',
        "import os, signal\nreader, writer = os.pipe()\npid = os.fork()\nif pid == 0:\n"
        "    os.write(writer, b'.')\n    signal.pause()\nos.read(reader, 1)\n"
        'print(pid, flush=True)\nprint("registered"',
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, "1"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    child = int(process.stdout.readline())
    try:
        assert process.stdout.readline() == "registered\n"
        assert LocalRegistry().discover_services() != {}
        process.kill()
        process.wait()
        os.kill(child, 0)
        assert LocalRegistry().discover_services() == {}
    finally:
        os.kill(child, signal.SIGKILL)
        process.communicate()


def test_a_watcher_is_told_of_coming_changing_going_and_dying() -> None:
    registry, states = LocalRegistry(), States()
    with registry, registry.watch(states):
        states.until({})
        registration = LocalRegistry().register_service(Endpoint("cache", "localhost:1"))
        states.until({"cache": ["serving"]})
        registration.update("draining")
        states.until({"cache": ["draining"]})
        registration.close()
        states.until({})
        with registrant() as process:
            states.until({"service-0": ["serving"]})
            process.kill()
            states.until({})


def test_a_second_watcher_is_told_the_state_at_once_and_a_closed_one_nothing() -> None:
    registry, first, second = LocalRegistry(), States(), States()
    with registry, registry.register_service(Endpoint("cache", "localhost:1")):
        watch = registry.watch(first)
        first.until({"cache": ["serving"]})
        with registry.watch(second):
            second.until({"cache": ["serving"]})
            watch.close()
            while not first.told.empty():
                first.told.get()
            with registry.register_service(Endpoint("db", "localhost:2")):
                second.until({"cache": ["serving"], "db": ["serving"]})
            assert first.told.empty()


def test_two_hundred_processes_of_fifty_services_are_found_and_seen_in_time() -> None:
    """Registered by few processes, which is the same to a reader: a file and a lock each.

    The best of several times counts: what a busy machine adds is not what finding takes.
    """
    looking, appearing, vanishing = [], [], []
    with contextlib.ExitStack() as stack:
        registrants = [stack.enter_context(registrant(100)) for _ in range(2)]
        for _ in range(5):
            began = time.monotonic()
            found = LocalRegistry().discover_services()
            looking.append(time.monotonic() - began)
            assert len(found) == 50
            assert sum(len(info.endpoints) for info in found.values()) == 200
        registry, states = LocalRegistry(), States()
        with registry, registry.watch(states):
            everything = {name: ["serving"] * 4 for name in found}
            states.until(everything)
            for number in range(3):
                began = time.monotonic()
                with LocalRegistry().register_service(Endpoint(f"new-{number}", "localhost:1")):
                    states.until({**everything, f"new-{number}": ["serving"]})
                    appearing.append(time.monotonic() - began)
                states.until(everything)
            for process, left in zip(
                registrants, ({name: ["serving"] * 2 for name in found}, {}), strict=True
            ):
                began = time.monotonic()
                process.kill()
                states.until(left)
                vanishing.append(time.monotonic() - began)
    assert min(looking) < 0.05
    assert min(appearing) < 0.2
    assert min(vanishing) < 0.2


def test_a_record_that_is_torn_or_nonsense_is_passed_over(runtime_directory: Path) -> None:
    registry = LocalRegistry()
    with registry.register_service(Endpoint("cache", "localhost:1")) as registration:
        path = next((runtime_directory / "registry").glob("*.endpoint"))
        whole = path.read_bytes()
        with path.open("r+b") as file:
            file.write(b"00000000")
        assert registry.discover_services() == {}
        with path.open("r+b") as file:
            file.write(whole)
        assert list(registry.discover_services()) == ["cache"]
        assert registration.endpoint.service == "cache"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"service": "a"}',
        '{"service": "a", "address": 1}',
        '{"service":"a","address":"b","health":"?"}',
    ],
)
def test_what_is_no_endpoint_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match="no endpoint"):
        Endpoint.from_json(text)


def test_an_endpoint_of_a_later_version_is_understood() -> None:
    assert Endpoint.from_json('{"service":"a","address":"b:1","id":"i","colour":"red"}') == Endpoint(
        "a", "b:1", id="i"
    )


def test_too_much_metadata_is_refused() -> None:
    with pytest.raises(RegistryError, match="less metadata"):
        LocalRegistry().register_service(Endpoint("cache", "localhost:1", metadata={"note": "x" * 5000}))


def test_a_runtime_directory_open_to_others_is_refused(runtime_directory: Path) -> None:
    runtime_directory.chmod(0o777)
    with pytest.raises(RegistryError, match=r"chmod 700"):
        LocalRegistry().discover_services()
    runtime_directory.chmod(0o700)


def test_the_host_is_the_runtime_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = host_identity()
    with futures.ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: host_identity(), range(50))) == {mine}
    other = tmp_path / "other"
    monkeypatch.setenv("SAGE_RPC_RUNTIME_DIR", str(other))
    assert host_identity() != mine


# -- targets


@needs_native
def test_a_service_is_called_by_name_over_the_memory_queue() -> None:
    with LocalRegistry() as registry, served("hello", "Ada", registry):
        with sage_rpc.ServiceManager({"hello": "sage:///hello"}) as manager:
            assert manager.get_sync_proxy("hello").greet() == "Ada"
            assert manager.transport_of("hello") == "shm"
            assert manager.get_async_proxy("hello").greet().result(5.0) == "Ada"


@needs_native
@pytest.mark.parametrize("address", ["192.0.2.1:50051", "dns:///service.invalid:50051"])
def test_the_memory_queue_is_found_where_the_address_alone_does_not_lead_to_it(address: str) -> None:
    """As of a container with a network of its own: nothing listens at the address from here."""
    with LocalRegistry() as registry, sage_rpc.ServiceHost("hello", Greeter("Ada")) as host:
        memory = host.server.endpoints[0]
        endpoint = Endpoint("hello", address, host=host_identity(), memory=memory, secure=True)
        with registry.register_service(endpoint):
            with sage_rpc.insecure_channel("sage:///hello") as channel:
                assert isinstance(channel, DiscoveredChannel)
                with sage_rpc.ServiceManager({"hello": "sage:///hello"}) as manager:
                    assert manager.call_service_sync("hello", "greet", timeout=5.0) == "Ada"
                    assert manager.transport_of("hello") == "shm"


def test_calls_are_spread_and_follow_what_comes_and_goes() -> None:
    with LocalRegistry() as registry, served("hello", "a", registry):
        with sage_rpc.ServiceManager({"hello": "sage:///hello"}) as manager:
            greet = manager.get_sync_proxy("hello").greet
            assert {greet() for _ in range(4)} == {"a"}
            with served("hello", "b", registry) as second:
                _until(lambda: {greet() for _ in range(4)} == {"a", "b"})
                second.update("draining")
                _until(lambda: {greet() for _ in range(4)} == {"a"})
                second.update("serving")
                _until(lambda: {greet() for _ in range(4)} == {"a", "b"})


def test_an_endpoint_that_is_not_there_costs_no_call(monkeypatch: pytest.MonkeyPatch) -> None:
    with LocalRegistry() as registry, served("hello", "a", registry):
        with registry.register_service(Endpoint("hello", "localhost:1", host=host_identity(), memory="none")):
            with sage_rpc.ServiceManager({"hello": "sage:///hello"}) as manager:
                assert [manager.call_service_sync("hello", "greet", timeout=10.0) for _ in range(8)] == [
                    "a"
                ] * 8


def test_nobody_registered_is_unavailable_and_says_so() -> None:
    with sage_rpc.ServiceManager({"hello": "sage:///hello"}) as manager:
        with pytest.raises(ConnectionError, match="'hello' is registered: connection refused"):
            manager.call_service_sync("hello", "greet")


def test_waiting_for_ready_waits_for_the_first_endpoint_or_the_deadline() -> None:
    with sage_rpc.insecure_channel("sage:///late") as channel:
        call = channel.unary_unary("/sage.rpc.v1.Invocation/Call")
        with pytest.raises(grpc.RpcError) as caught:
            call(b"", timeout=0.2, wait_for_ready=True)
        assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        request = sage_rpc.ServiceRequest(service="late", method="greet").SerializeToString()
        with futures.ThreadPoolExecutor(1) as pool, LocalRegistry() as registry:
            waiting = pool.submit(call, request, timeout=20.0, wait_for_ready=True)
            with served("late", "Ada", registry):
                assert sage_rpc.ServiceResponse.FromString(waiting.result()).result


def test_the_state_of_a_name_can_be_watched() -> None:
    with sage_rpc.insecure_channel("sage:///hello") as channel, LocalRegistry() as registry:
        ready = grpc.channel_ready_future(channel)
        with served("hello", "a", registry):
            ready.result(timeout=10.0)


def test_a_channel_pickles_and_works_in_a_forked_child() -> None:
    with LocalRegistry() as registry, served("hello", "Ada", registry):
        with sage_rpc.ServiceManager({"hello": "sage:///hello"}) as manager:
            assert manager.call_service_sync("hello", "greet") == "Ada"
            again = pickle.loads(pickle.dumps(manager))
            with again:
                assert again.call_service_sync("hello", "greet") == "Ada"
            here, there = multiprocessing.get_context("fork").Pipe()
            child = multiprocessing.get_context("fork").Process(
                target=lambda: there.send(manager.call_service_sync("hello", "greet", timeout=10.0))
            )
            child.start()
            assert here.poll(20.0)
            assert here.recv() == "Ada"
            child.join(10.0)


@pytest.mark.parametrize("target", ["sage:", "sage:///"])
def test_a_target_without_a_name_is_refused(target: str) -> None:
    with pytest.raises(ValueError, match="names no service"):
        sage_rpc.insecure_channel(target)


def test_weights_share_the_calls_and_this_host_comes_first() -> None:
    def taken(calls: int) -> collections.Counter[str]:
        pool = Pool("s", Resolver(["sage:///s"]), PoolPolicy(), Dialer(), "s")
        return collections.Counter(pool.take(None).target for _ in range(calls))

    light, heavy = Endpoint("s", "198.51.100.1:1", weight=10), Endpoint("s", "198.51.100.2:1", weight=30)
    with LocalRegistry() as registry, registry.register_service(light):
        with registry.register_service(Endpoint("s", "198.51.100.3:1", weight=0)):
            _until(lambda: taken(4) == {light.address: 4})
        with registry.register_service(heavy):
            _until(lambda: taken(40) == {light.address: 10, heavy.address: 30})
            here = Endpoint("s", "198.51.100.4:1", host=host_identity(), memory="m")
            with registry.register_service(here):
                _until(lambda: taken(4) == {here.address: 4})


# -- where the registry is


def test_static_addresses_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with sage_rpc.ServiceHost("hello", Greeter("Ada")) as host:
        monkeypatch.setenv("SAGE_RPC_REGISTRY", f"static:hello={host.address};other=dns:///x.invalid:1")
        registry = open_registry()
        assert sorted(registry.discover_services()) == ["hello", "other"]
        with DiscoveredChannel("sage:///hello", directory=Directory(registry)) as channel:
            request = sage_rpc.ServiceRequest(service="hello", method="greet").SerializeToString()
            answer = channel.unary_unary("/sage.rpc.v1.Invocation/Call")(request, timeout=10.0)
            assert sage_rpc.ServiceResponse.FromString(answer).result


@pytest.mark.parametrize(
    ("location", "complaint"),
    [
        ("zookeeper://x", "is no registry"),
        ("static:cache", "'cache' is not NAME=HOST:PORT"),
        ("etcd://", "names no member"),
        ("etcd://h?tll=3", "unknown option 'tll'"),
        ("etcd://h?ttl=soon", "no number of seconds"),
    ],
)
def test_what_is_no_location_is_refused(location: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        open_registry(location)


def test_etcd_over_tls_with_a_file_that_is_not_there_is_refused() -> None:
    with pytest.raises(RegistryError, match=r"cannot read /nowhere/ca\.pem"):
        open_registry("etcds://h?ca=/nowhere/ca.pem")


def test_of_this_host_the_local_registry_knows_the_truth() -> None:
    mine, dead = (Endpoint("s", "x:1", host=host_identity(), id=i) for i in ("mine", "dead"))
    away = Endpoint("s", "y:1", host="elsewhere", id="away")
    local, remote = StaticRegistry({}), StaticRegistry({})
    state = joined(
        {"s": sage_rpc.ServiceInfo("s", (mine,))}, {"s": sage_rpc.ServiceInfo("s", (mine, dead, away))}
    )
    assert state["s"].endpoints == (away, mine)
    assert JoinedRegistry(local, remote).discover_services() == {}


@pytest.mark.parametrize(
    ("address", "reachable"),
    [
        ("unix:/run/x", False),
        ("localhost:1", False),
        ("127.0.0.1:1", False),
        ("[::1]:1", False),
        ("10.0.0.2:1", True),
        ("db.example:1", True),
        ("dns:///db:1", True),
    ],
)
def test_only_addresses_that_mean_the_same_elsewhere_are_told_elsewhere(
    address: str, reachable: bool
) -> None:
    assert reachable_from_elsewhere(address) is reachable


def _until(condition: Any, seconds: float = 10.0) -> None:
    changed = threading.Event()
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        changed.wait(0.005)
