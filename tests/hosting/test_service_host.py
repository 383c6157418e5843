"""The host of a service: admission, access, health, and errors that methods choose."""

from __future__ import annotations

import asyncio
import concurrent.futures
import functools
import itertools
import os
import subprocess
import sys
import threading
import time
import typing
from pathlib import Path

import grpc
import pytest
import trustme
from google.protobuf.empty_pb2 import Empty
from grpc_health.v1 import health_pb2, health_pb2_grpc

import sage_rpc
from sage_rpc import errors, serving
from sage_rpc.policies import AdmissionPolicy, MethodPolicy, RetryPolicy, ServicePolicy, method_policy
from sage_rpc.policies.access import Allowed, Peer
from sage_rpc.policies.admission import Gate, Line, RefusedError
from sage_rpc.proto.v1 import invoke_pb2
from sage_rpc.stubs import servicers
from tests import waiting
from tests.conftest import ServerProcess
from tests.rpc.test_stubs import implement, shop  # noqa: F401 - a fixture

SECONDS = 15
until = functools.partial(waiting.until, seconds=SECONDS)
names = (f"key {number}" for number in itertools.count())
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    directory = tmp_path_factory.mktemp("hosts")
    directory.chmod(0o700)
    env = {"SAGE_RPC_RUNTIME_DIR": str(directory)}
    with (
        ServerProcess("denying", program="policy_services.py", env=env) as denying,
        ServerProcess(program="policy_services.py", env=env) as plain,
    ):
        yield {"denying": denying, "plain": plain}, directory


@pytest.fixture
def reach(started, transport, monkeypatch):
    monkeypatch.setenv("SAGE_RPC_RUNTIME_DIR", str(started[1]))
    opened = []

    def make(which, policy=None):
        manager = sage_rpc.ServiceManager(
            {"subject": started[0][which].target},
            timeout=SECONDS,
            options=[("sage_rpc.transport", transport)],
            policy=policy,
        )
        opened.append(manager)
        return manager

    yield make
    for manager in opened:
        manager.close()


class _Gates(dict):
    def __missing__(self, gate):
        self[gate] = threading.Event()
        return self[gate]


GATES = _Gates()


class Worker:
    """Runs in this process, so that the tests can open its gates without a turn."""

    def __init__(self):
        self.order = []

    def hold(self, gate):
        return GATES[gate].wait(SECONDS)

    def echo(self, value):
        self.order.append(value)
        return value

    def fail(self, code):
        raise sage_rpc.Abort(grpc.StatusCode[code], "as you wish")


@pytest.fixture
def hosted(transport):
    """A host in this process: `hosted(admission)` -> (manager, worker, host)."""
    opened = []

    def make(admission=None, policy=None, **more):
        worker = Worker()
        host = sage_rpc.ServiceHost("subject", worker, admission=admission, **more).start()
        manager = sage_rpc.ServiceManager(
            {"subject": host.address},
            timeout=SECONDS,
            options=[("sage_rpc.transport", transport)],
            policy=policy,
        )
        opened.extend([manager, host])
        return manager, worker, host

    yield make
    for gate in GATES.values():
        gate.set()
    for each in opened:
        (each.close if isinstance(each, sage_rpc.ServiceManager) else each.stop)()


# ---------------------------------------------------------------- admission


def test_what_does_not_fit_is_refused_at_once_and_is_known_not_to_have_run(hosted):
    """One call runs, two wait; the fourth is RESOURCE_EXHAUSTED. As it never ran, it may be tried again."""
    patient = RetryPolicy(
        max_attempts=100, initial_backoff=0.02, max_backoff=0.05, codes=["RESOURCE_EXHAUSTED"]
    )
    retried = ServicePolicy(methods={"echo": MethodPolicy(retry=patient)})
    manager, worker, host = hosted(AdmissionPolicy(max_running=1, max_waiting=2))
    later, gate = manager.get_async_proxy("subject"), next(names)
    first = later.hold(gate)
    until(lambda: host.gate.running == 1)
    waiting = []
    for number in range(2):  # Two calls sent at once may arrive in either order.
        waiting.append(later.echo(number))
        until(lambda number=number: host.gate.waiting == number + 1)
    with pytest.raises(errors.RpcError, match="subject' is full: 1 calls run and 2 wait") as caught:
        manager.get_sync_proxy("subject").echo("more")
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    manager.set_policy("subject", retried)
    again = later.echo("again")
    GATES[gate].set()
    assert first.result(SECONDS) is True
    assert [future.result(SECONDS) for future in waiting] == [0, 1]
    assert again.result(SECONDS) == "again"
    assert worker.order == [0, 1, "again"]


def test_priorities_overtake(hosted):
    manager, worker, host = hosted(AdmissionPolicy(max_running=1, max_waiting=10))
    gate = next(names)
    proxy = manager.get_sync_proxy("subject")
    first = manager.get_async_proxy("subject").hold(gate)
    until(lambda: host.gate.running == 1)
    started = []
    for number, priority in enumerate((0, -1, 5, 0, 7)):
        method = proxy.echo.with_options(priority=priority)
        started.append(method.start((f"{priority} {number}",), {}, SECONDS))
        until(lambda number=number: host.gate.waiting == number + 1)
    GATES[gate].set()
    assert first.result(SECONDS)
    for each in started:
        each.result(SECONDS)
    assert worker.order == ["7 4", "5 2", "0 0", "0 3", "-1 1"]


def test_a_call_that_waits_too_long_is_refused(hosted):
    manager, _, host = hosted(AdmissionPolicy(max_running=1, max_wait=0.05))
    gate = next(names)
    first = manager.get_async_proxy("subject").hold(gate)
    until(lambda: host.gate.running == 1)
    with pytest.raises(errors.RpcError, match=r"is busy: no turn came within 0\.05 s"):
        manager.get_sync_proxy("subject").echo(1)
    GATES[gate].set()
    assert first.result(SECONDS)
    assert manager.get_sync_proxy("subject").echo(2) == 2
    until(lambda: host.gate.running == 0)


def test_callers_take_turns():
    line = Line(fair=True)
    for number in range(3):
        line.join(f"busy {number}", "busy", 0)
    line.join("calm 0", "calm", 0)
    line.join("urgent", "busy", 3)
    assert [line.next() for _ in range(6)] == ["urgent", "busy 0", "calm 0", "busy 1", "busy 2", None]
    unfair = Line(fair=False)
    for item, caller in (("a1", "a"), ("a2", "a"), ("b1", "b")):
        unfair.join(item, caller, 0)
    assert unfair.leave("a2")
    assert not unfair.leave("a2")
    assert [unfair.next(), unfair.next(), len(unfair)] == ["a1", "b1", 0]


OTHER_CALLER = """
import sys, sage_rpc
target, transport = sys.argv[1:]
with sage_rpc.ServiceManager({"subject": target}, options=[("sage_rpc.transport", transport)]) as manager:
    futures = [manager.get_async_proxy("subject").echo(f"other {n}") for n in range(3)]
    print("sent", flush=True)
    for future in futures:
        future.result(15)
"""


def test_a_caller_that_sends_much_does_not_keep_another_waiting(hosted, transport):
    """Six calls of this process wait already when three of another one come: they take turns."""
    manager, worker, host = hosted(AdmissionPolicy(max_running=1, max_waiting=20))
    gate = next(names)
    later = manager.get_async_proxy("subject")
    first = later.hold(gate)
    until(lambda: host.gate.running == 1)
    busy = []
    for number in range(6):
        busy.append(later.echo(f"busy {number}"))
        until(lambda number=number: host.gate.waiting == number + 1)
    other = subprocess.Popen(
        [sys.executable, "-c", OTHER_CALLER, host.address, transport],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    with other:
        assert other.stdout.readline() == "sent\n"
        until(lambda: host.gate.waiting == 9)
        GATES[gate].set()
        assert first.result(SECONDS)
        for future in busy:
            future.result(SECONDS)
        assert other.wait(SECONDS) == 0
    callers = [who.split()[0] for who in worker.order]
    assert callers[:6].count("other") == 3
    assert [who for who in worker.order if who.startswith("busy")] == [f"busy {n}" for n in range(6)]


def test_a_gate_never_lets_more_run_than_it_should():
    gate = Gate("s", AdmissionPolicy(max_running=3, max_waiting=50))
    running, most, lock = 0, 0, threading.Lock()

    def work(caller):
        nonlocal running, most
        gate.enter(caller, 0, SECONDS)
        with lock:
            running += 1
            most = max(most, running)
        threading.Event().wait(0.002)
        with lock:
            running -= 1
        gate.leave()

    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        list(pool.map(work, map(str, range(40))))
    assert (most, gate.running, gate.waiting) == (3, 0, 0)


def test_a_gate_without_room_to_wait_refuses():
    gate = Gate("s", AdmissionPolicy(max_running=1, max_waiting=0))
    gate.enter("first", 0, None)
    with pytest.raises(RefusedError, match="'s' is full: 1 calls run and 0 wait"):
        gate.enter("second", 0, None)
    gate.leave()
    gate.enter("second", 0, None)


# ---------------------------------------------------------------- access


def test_the_hook_refuses_with_its_text(reach):
    proxy = reach("denying").get_sync_proxy("subject")
    with pytest.raises(PermissionError) as caught:
        proxy.echo(1)
    assert "may not call subject.echo" in caught.value.details()
    with pytest.raises(errors.PermissionDenied, match="say the word"):
        proxy.add("x")
    with pytest.raises(errors.PermissionDenied, match="say the word"):
        proxy.batch("add", ["x", "y"])
    assert isinstance(proxy.pid(), int)  # by the peer's uid over the memory queue
    assert proxy.count("x") == 0


def test_a_token_is_for_the_hook_to_verify(started, reach):
    from sage_rpc.proto.v1 import invoke_pb2

    reach("denying")
    request = invoke_pb2.ServiceRequest(service="subject", method="add", arguments=b"\x92\x91\xa1t\x80")
    with sage_rpc.insecure_channel(started[0]["denying"].target) as channel:
        call = channel.unary_unary(
            "/sage.rpc.v1.Invocation/Call",
            request_serializer=invoke_pb2.ServiceRequest.SerializeToString,
            response_deserializer=invoke_pb2.ServiceResponse.FromString,
        )
        metadata = (("authorization", "Bearer open sesame"),)
        assert call(request, timeout=SECONDS, metadata=metadata).result
        with pytest.raises(grpc.RpcError) as caught:
            call(request, timeout=SECONDS, metadata=(("authorization", "Bearer guess"),))
        assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED


def test_a_hook_that_raises_lets_nobody_in(transport, hosted):
    def access(peer, method):
        raise ZeroDivisionError

    manager, _, _ = hosted(access=access)
    with pytest.raises(errors.PermissionDenied):
        manager.get_sync_proxy("subject").echo(1)


def test_nothing_is_decoded_for_a_call_that_may_not_be_made_or_must_wait(hosted, transport):
    """Arguments that are no value tell when somebody looks at them."""
    from sage_rpc.proto.v1 import invoke_pb2

    def code(host, kind, garbage=b"\xc1"):
        request = (
            invoke_pb2.ServiceRequest(service="subject", method="echo", arguments=garbage)
            if kind == "Call"
            else invoke_pb2.BatchRequest(service="subject", method="echo", calls=garbage)
        )
        with sage_rpc.insecure_channel(host.address, [("sage_rpc.transport", transport)]) as channel:
            make = channel.unary_stream if kind == "BatchStream" else channel.unary_unary
            call = make(f"/sage.rpc.v1.Invocation/{kind}", type(request).SerializeToString)
            with pytest.raises(grpc.RpcError) as caught:
                list(call(request, timeout=SECONDS))
            return caught.value.code()

    kinds = ("Call", "Batch", "BatchStream")
    _, _, host = hosted(access=lambda peer, method: False)
    assert [code(host, kind) for kind in kinds] == [grpc.StatusCode.PERMISSION_DENIED] * 3
    manager, _, host = hosted(AdmissionPolicy(max_running=1, max_waiting=0))
    assert [code(host, kind) for kind in kinds] == [grpc.StatusCode.INVALID_ARGUMENT] * 3
    gate = next(names)
    running = manager.get_async_proxy("subject").hold(gate)
    until(lambda: host.gate.running == 1)
    assert [code(host, kind) for kind in kinds] == [grpc.StatusCode.RESOURCE_EXHAUSTED] * 3
    GATES[gate].set()
    assert running.result(SECONDS)


@pytest.mark.parametrize("answer", [b"\xc1", b"\x91" * 1000, b""])
def test_an_answer_that_is_no_value_is_an_error_of_the_family(transport, answer):
    from sage_rpc.proto.v1 import invoke_pb2

    def call(request, context):
        return invoke_pb2.ServiceResponse(result=answer).SerializeToString()

    server = sage_rpc.server(concurrent.futures.ThreadPoolExecutor(1))
    handlers = {"Call": grpc.unary_unary_rpc_method_handler(call)}
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("sage.rpc.v1.Invocation", handlers),)
    )
    target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    with sage_rpc.ServiceManager({"x": target}, options=[("sage_rpc.transport", transport)]) as manager:
        with pytest.raises(errors.RpcError, match="malformed value") as caught:
            manager.get_sync_proxy("x").get()
        assert caught.value.code() is grpc.StatusCode.INTERNAL
        assert isinstance(manager.get_async_proxy("x").get().exception(SECONDS), errors.RpcError)
    server.stop(None).wait()


def test_a_batch_of_a_declared_service_is_decoded_when_it_may_be_called(shop, transport):  # noqa: F811
    from sage_rpc.proto.v1 import invoke_pb2

    add = shop[1].add_ShopServicer_to_server
    closed = {"add_to_server": add, "access": lambda peer, method: False}
    with (
        sage_rpc.ServiceHost("shop", implement(shop), **closed) as host,
        sage_rpc.insecure_channel(host.address, [("sage_rpc.transport", transport)]) as channel,
    ):
        request = invoke_pb2.BatchRequest(service="test.shop.Shop", method="GetPrice", calls=b"\xc1")
        call = channel.unary_unary("/sage.rpc.v1.Invocation/Batch", type(request).SerializeToString)
        with pytest.raises(grpc.RpcError) as caught:
            call(request, timeout=SECONDS)
        assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED


def test_the_identity_of_a_certificate_decides_across_hosts():
    """mTLS: the hook sees the names in the caller's certificate, which the caller cannot choose."""
    authority = trustme.CA()
    server = authority.issue_cert("localhost")
    seen = []

    def access(peer, method):
        seen.append(peer)
        return "alice@example.org" in peer.identities

    root = authority.cert_pem.bytes()
    host = sage_rpc.ServiceHost(
        "subject",
        Worker(),
        "localhost:0",
        access=access,
        credentials=grpc.ssl_server_credentials(
            [(server.private_key_pem.bytes(), server.cert_chain_pems[0].bytes())], root, True
        ),
    )
    with host:
        outcomes = []
        for name in ("alice@example.org", "mallory@example.org"):
            client = authority.issue_cert(name)
            credentials = grpc.ssl_channel_credentials(
                root, client.private_key_pem.bytes(), client.cert_chain_pems[0].bytes()
            )
            with sage_rpc.secure_channel(host.address, credentials) as channel:
                check = channel.unary_unary("/sage.rpc.v1.Invocation/Call")
                request = b"\n\x07subject\x12\x04echo\x1a\x04\x92\x91\x01\x80"
                try:
                    check(request, timeout=SECONDS)
                    outcomes.append("let in")
                except grpc.RpcError as error:
                    outcomes.append(error.code().name)
    assert outcomes == ["let in", "PERMISSION_DENIED"]
    assert [peer.transport for peer in seen] == ["grpc", "grpc"]


def test_whoever_is_named_may_call():
    named = Allowed(uids=(7,), identities=("billing",), tokens=("open sesame",))
    assert named(Peer("shm:1", "shm", uid=7), "m")
    assert named(Peer("ipv4:1", "grpc", identities=("billing", "b.example")), "m")
    assert named(Peer("ipv4:1", "grpc", token="open sesame"), "m")
    assert not named(Peer("shm:1", "shm", uid=8, token="open"), "m")
    assert not named(Peer("ipv4:1", "grpc"), "m")
    assert not Allowed(uids=(0,))(Peer("ipv4:1", "grpc"), "m")


def test_a_hook_is_asked_about_the_method_whatever_it_is_called_by(hosted):
    """`batch_echo` runs `echo`, and whoever may call nothing learns no names."""
    asked = []

    def access(peer, method):
        asked.append(method)
        return False

    manager, worker, _ = hosted(access=access)
    proxy = manager.get_sync_proxy("subject")
    for call in (
        lambda: proxy.batch_echo([1]),
        lambda: proxy.batch("batch_echo", [[1]]),
        lambda: list(proxy.batch_stream("echo", [1])),
    ):
        with pytest.raises(errors.PermissionDenied, match=r"may not call subject\.echo"):
            call()
    assert set(asked) == {"echo"}
    with pytest.raises(errors.PermissionDenied, match=r"may not call subject\.ecko"):
        proxy.ecko()
    assert worker.order == []


class Catchall(grpc.GenericRpcHandler):
    """Finds handlers by itself, as a proxy does."""

    def service(self, details):
        return grpc.unary_unary_rpc_method_handler(lambda request, context: details.method.encode())


def test_a_handler_that_somebody_wrote_himself_is_guarded_and_counted_under_one_name(transport):
    def access(peer, method):
        return method == "Open"

    def add_to_server(instance, server):
        server.add_generic_rpc_handlers((instance,))

    options = [("sage_rpc.transport", transport)]
    with (
        sage_rpc.ServiceHost(
            "any", Catchall(), add_to_server=add_to_server, access=access, stats=True
        ) as host,
        sage_rpc.insecure_channel(host.address, options) as channel,
    ):
        assert channel.unary_unary("/x.Y/Open")(b"", timeout=SECONDS) == b"/x.Y/Open"
        for path in ("/x.Y/Closed", "/x.Y/Secret"):
            with pytest.raises(grpc.RpcError, match=r"may not call x\.Y") as caught:
                channel.unary_unary(path)(b"", timeout=SECONDS)
            assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
        until(lambda: host.meter.stats().of("any", "(generic)").calls == 3)


# ---------------------------------------------------------------- life


def test_hooks_that_nobody_would_wait_for_are_an_error():
    class Later:
        async def cleanup(self):
            pass

    with pytest.raises(TypeError, match=r"Later\.cleanup\(\) is async, and no event loop runs it"):
        sage_rpc.ServiceHost("later", Later())


def test_cleanup_belongs_to_a_service_whose_setup_was_begun():
    life = []

    class Noting:
        def setup(self):
            life.append("setup")

        def cleanup(self):
            life.append("cleanup")

    host = sage_rpc.ServiceHost("noting", Noting())
    host.stop()
    assert life == []
    with sage_rpc.ServiceHost("noting", Noting()) as host:
        host.stop()
    assert life == ["setup", "cleanup"]


def test_a_host_is_started_once(transport):
    options = [("sage_rpc.transport", transport)]
    with (
        sage_rpc.ServiceHost("subject", Worker()) as host,
        sage_rpc.ServiceManager({"subject": host.address}, options=options) as manager,
    ):
        with pytest.raises(RuntimeError, match="the service 'subject' is ready: a host is started once"):
            host.start()
        assert manager.get_sync_proxy("subject").echo("still here") == "still here"


def test_what_cleanup_raises_is_raised_when_everything_is_stopped():
    class Broken:
        def cleanup(self):
            raise OSError("the disk is full")

    host = sage_rpc.ServiceHost("broken", Broken()).start()
    with pytest.raises(OSError, match="the disk is full"):
        host.stop()
    with (
        sage_rpc.insecure_channel(host.address) as channel,
        pytest.raises(grpc.RpcError, match=r"refused|failed to connect"),
    ):
        channel.unary_unary("/x.Y/Z")(b"", timeout=SECONDS)


def test_methods_of_a_declared_service_are_no_hooks_whatever_their_names(transport):
    class Named(servicers.Base):
        SERVICE = "test.Named"
        RPCS = tuple(
            servicers.Rpc(name, method, Empty, Empty)
            for name, method in (("Setup", "setup"), ("Cleanup", "cleanup"), ("HealthCheck", "health_check"))
        )

        def setup(self, request, context):
            return request

        cleanup = health_check = setup

    options = [("sage_rpc.transport", transport)]
    with (
        sage_rpc.ServiceHost("named", Named()) as host,
        sage_rpc.insecure_channel(host.address, options) as channel,
    ):
        stub = health_pb2_grpc.HealthStub(channel)
        assert stub.Check(about("test.Named"), timeout=SECONDS).status == SERVING
        assert channel.unary_unary("/test.Named/Cleanup")(b"", timeout=SECONDS) == b""


def test_calls_of_a_batch_that_streams_have_what_is_left_of_its_time():
    class Waiting:
        def left(self, seconds):
            time.sleep(seconds)
            return serving.limit(None)

    with (
        sage_rpc.ServiceHost("waiting", Waiting()) as host,
        sage_rpc.ServiceManager({"waiting": host.address}) as manager,
    ):
        first, *_, last = manager.get_sync_proxy("waiting").batch_stream("left", [0.1] * 3, timeout=SECONDS)
    assert last < first - 0.19


def test_a_method_that_nobody_would_wait_for_says_so(transport):
    class Later:
        async def get(self):
            raise AssertionError("no event loop runs it")

        async def watch(self):
            yield 1

    options = [("sage_rpc.transport", transport)]
    with (
        sage_rpc.ServiceHost("later", Later()) as host,
        sage_rpc.ServiceManager({"later": host.address}, options=options) as manager,
    ):
        proxy = manager.get_sync_proxy("later")
        for call in (proxy.get, proxy.watch, lambda: proxy.batch_get([1]), lambda: proxy.batch("get", [1])):
            with pytest.raises(errors.Unimplemented, match=r"later\.\w+ is async, and no event loop"):
                call()


def test_a_class_says_how_many_of_its_calls_may_run(transport):
    class One(Worker):
        max_workers = 1

    with pytest.raises(ValueError, match="max_workers=1, and its admission lets 2 calls run"):
        sage_rpc.ServiceHost("one", One(), admission=AdmissionPolicy(max_running=2))
    gate = next(names)
    worker = One()
    with (
        sage_rpc.ServiceHost("one", worker) as host,
        sage_rpc.ServiceManager(
            {"one": host.address}, options=[("sage_rpc.transport", transport)]
        ) as manager,
    ):
        first = manager.get_async_proxy("one").hold(gate)
        until(lambda: len(host.life.calls) == 1)
        second = manager.get_async_proxy("one").echo("after")
        with pytest.raises(concurrent.futures.TimeoutError):
            second.result(0.05)
        GATES[gate].set()
        assert first.result(SECONDS)
        assert second.result(SECONDS) == "after"


# ---------------------------------------------------------------- health


@pytest.fixture
def health(started, reach, transport):
    reach("plain")
    with sage_rpc.insecure_channel(
        started[0]["plain"].target, options=[("sage_rpc.transport", transport)]
    ) as channel:
        yield health_pb2_grpc.HealthStub(channel)


def about(service):
    return health_pb2.HealthCheckRequest(service=service)


def test_every_hosted_service_answers_about_its_health(reach, health):
    proxy = reach("plain").get_sync_proxy("subject")
    assert health.Check(about("subject"), timeout=SECONDS).status == SERVING
    assert health.Check(about(""), timeout=SECONDS).status == SERVING
    proxy.become(False)
    assert health.Check(about("subject"), timeout=SECONDS).status == NOT_SERVING
    assert health.Check(about(""), timeout=SECONDS).status == NOT_SERVING
    assert reach("plain").health_check_all_services() == {"subject": "unhealthy"}
    proxy.become(True)
    assert health.Check(about(""), timeout=SECONDS).status == SERVING
    assert reach("plain").health_check_all_services() == {"subject": "healthy"}
    with pytest.raises(grpc.RpcError) as caught:
        health.Check(about("nobody"), timeout=SECONDS)
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


class _Feeling:
    def __init__(self, feeling):
        self._feeling = feeling

    def health_check(self):
        return self._feeling()


class _FeelingLater(_Feeling):
    async def health_check(self):
        await asyncio.sleep(0)
        return self._feeling()


@pytest.mark.parametrize("kind", [_Feeling, _FeelingLater])
@pytest.mark.parametrize(
    ("feeling", "told"),
    [
        (lambda: None, "healthy"),
        (lambda: {"rows": 3}, "healthy"),
        (lambda: False, "unhealthy"),
        (lambda: 0, "unhealthy"),
        (lambda: 1 / 0, "unhealthy"),
        (lambda: sys.exit("no database"), "unhealthy"),
    ],
    ids=["nothing", "something", "false", "zero", "raises", "exits"],
)
def test_what_a_health_check_gives_means_what_the_docs_say(transport, kind, feeling, told):
    options = [("sage_rpc.transport", transport)]
    with (
        sage_rpc.ServiceHost("subject", kind(feeling)) as host,
        sage_rpc.ServiceManager({"subject": host.address}, timeout=SECONDS, options=options) as manager,
    ):
        assert manager.health_check_all_services() == {"subject": told}


def test_a_watch_is_told_when_the_service_feels_otherwise(reach, health):
    proxy = reach("plain").get_sync_proxy("subject")
    watch = health.Watch(about("subject"), timeout=SECONDS)
    seen = [next(watch).status]
    proxy.become(False)
    seen.append(next(watch).status)
    proxy.become(True)
    seen.append(next(watch).status)
    watch.cancel()
    assert seen == [SERVING, NOT_SERVING, SERVING]


def test_a_declared_service_is_known_by_its_full_name(shop, transport):  # noqa: F811
    host = sage_rpc.ServiceHost("shop", implement(shop), add_to_server=shop[1].add_ShopServicer_to_server)
    with (
        host,
        sage_rpc.insecure_channel(host.address, options=[("sage_rpc.transport", transport)]) as channel,
    ):
        stub = health_pb2_grpc.HealthStub(channel)
        for name in ("test.shop.Shop", "shop", ""):
            assert stub.Check(about(name), timeout=SECONDS).status == SERVING


def test_services_that_do_not_answer_are_said_to(transport):
    with sage_rpc.ServiceManager(
        {"a": "localhost:1", "b": "localhost:1"}, options=[("sage_rpc.transport", transport)]
    ) as manager:
        told = manager.health_check_all_services(timeout=2.0)
    assert set(told) == {"a", "b"}
    assert all(text.startswith("error: UNAVAILABLE: ") for text in told.values())


# ---------------------------------------------------------------- errors that methods choose


def test_a_method_may_choose_the_status_of_its_call(hosted):
    manager, _, _ = hosted()
    with pytest.raises(errors.NotFound, match="as you wish"):
        manager.get_sync_proxy("subject").fail("NOT_FOUND")
    with pytest.raises(ValueError, match="is no status that a call can fail with"):
        sage_rpc.Abort(grpc.StatusCode.OK, "")


# ---------------------------------------------------------------- what can be called


def logged(function):
    @functools.wraps(function)
    def around(*args, **kwargs):
        return function(*args, **kwargs)

    return around


class Counted:
    """A decorator that is an object, as those of wrapt and functools are."""

    def __init__(self, function):
        functools.update_wrapper(self, function)
        self._function = function

    def __call__(self, *args):
        return self._function(*args)

    def __get__(self, instance, owner=None):
        return functools.partial(self, instance)


class Lazy:
    """A property, as packages make them."""

    def __init__(self, function):
        functools.update_wrapper(self, function)
        self._function = function

    def __get__(self, instance, owner=None):
        return self._function(instance)


class Ancestor:
    def inherited(self, value):
        return f"inherited {value}"


class Open(Ancestor):
    """Everything that a class may have under a public name."""

    hook = staticmethod(eval)
    builtin = len
    kind = dict
    attribute = 5
    chosen = "abc".index
    bound = Path("/").joinpath
    evaluated: typing.ClassVar[list[str]] = []

    class Config:
        pass

    def __init__(self):
        self.is_set_up = False
        self.client = lambda: "set on the instance"
        self.set_kind = dict
        self.replaced = functools.lru_cache(self.replaced)
        self.hidden = eval

    @property
    def prop(self):
        self.evaluated.append("prop")
        return lambda *_: "the result of a property"

    @functools.cached_property
    def cached_prop(self):
        self.evaluated.append("cached_prop")
        return lambda *_: "the result of a property"

    @Lazy
    def lazy_prop(self):
        self.evaluated.append("lazy_prop")
        return lambda *_: "the result of a property"

    def plain(self, value):
        return f"plain {value}"

    @staticmethod
    def static(value):
        return f"static {value}"

    @classmethod
    def of_class(cls, value):
        return f"{cls.__name__} {value}"

    @logged
    def wrapped(self, value):
        return f"wrapped {value}"

    @Counted
    def counted(self, value):
        return f"counted {value}"

    @functools.cache  # noqa: B019 - the instance lives as long as the process
    def cached(self, value):
        return f"cached {value}"

    @method_policy(idempotent=True)
    def declared(self, value):
        return f"declared {value}"

    def _say(self, what, value):
        return f"{what} {value}"

    partial = functools.partialmethod(_say, "partial")

    def replaced(self, value):
        return f"replaced {value}"

    def hidden(self, value):
        return f"hidden {value}"

    def setup(self):
        assert not self.is_set_up, "only the host calls it, and once"
        self.is_set_up = True


@pytest.fixture(scope="module")
def opened():
    with (
        sage_rpc.ServiceHost("open", Open()) as host,
        sage_rpc.ServiceManager({"open": host.address}) as manager,
    ):
        yield manager.get_sync_proxy("open")


METHODS = "plain static of_class inherited wrapped counted cached declared partial replaced"


@pytest.mark.parametrize("method", METHODS.split())
def test_functions_of_the_class_can_be_called_however_they_are_decorated(opened, method):
    said = "Open" if method == "of_class" else method
    assert opened("x", method=method, timeout=SECONDS) == f"{said} x"
    assert opened(["x", "y"], method=f"batch_{method}", timeout=SECONDS) == [f"{said} x", f"{said} y"]
    assert opened.batch(method, ["x"], timeout=SECONDS) == [f"{said} x"]


OUT_OF_REACH = """
    hook builtin kind chosen bound Config attribute evaluated client set_kind hidden prop cached_prop
    lazy_prop setup cleanup call_service plain.__call__ client.run
"""


@pytest.mark.parametrize("method", [*OUT_OF_REACH.split(), "", "plain\0"])
def test_nothing_else_can_and_no_property_is_evaluated(opened, method):
    for call in (
        lambda: opened("1 + 1", method=method, timeout=SECONDS),
        lambda: opened(["1 + 1"], method=f"batch_{method}", timeout=SECONDS),
        lambda: opened.batch(method, ["1 + 1"], timeout=SECONDS),
        lambda: list(opened.batch_stream(method, ["1 + 1"], timeout=SECONDS)),
    ):
        with pytest.raises(errors.Unimplemented, match="has no method"):
            call()
    assert Open.evaluated == []


@pytest.mark.parametrize("method", ["_say", "__init__", "__class__"])
def test_no_client_gets_at_private_names(method):
    """Ours do not ask; another may."""
    with sage_rpc.ServiceHost("open", Open()) as host, grpc.insecure_channel(host.address) as channel:
        call = channel.unary_unary("/sage.rpc.v1.Invocation/Call")
        for name in (method, f"batch_{method}"):
            request = invoke_pb2.ServiceRequest(service="open", method=name).SerializeToString()
            with pytest.raises(grpc.RpcError, match="has no method"):
                call(request, timeout=SECONDS)


def test_a_name_that_nobody_has_costs_what_it_took_to_send_it(opened):
    """A name of megabytes is neither compared with others nor sent back."""
    name = "plain" * 1_000_000
    began = time.process_time()
    with pytest.raises(errors.Unimplemented, match="has no method") as caught:
        opened(method=name, timeout=SECONDS)
    assert time.process_time() - began < 2.0
    assert len(str(caught.value.details())) < 1000
    with pytest.raises(errors.Unimplemented, match="did you mean plain"):
        opened(method="plian", timeout=SECONDS)
