"""Unary calls: what gRPC promises, on both transports of the same server."""

from __future__ import annotations

import threading
import time
from concurrent import futures

import grpc
import pytest

import sage_rpc
from tests.conftest import UNLIMITED, ServerProcess


@pytest.fixture
def server(lasting_server):
    process = lasting_server("127.0.0.1:0")
    with grpc.insecure_channel(process.target) as stock:
        method(stock, "reset")(b"")
    return process


def method(channel: grpc.Channel, name: str):
    return channel.unary_unary(f"/test.Unary/{name}")


def status_of(call) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return caught.value.code(), caught.value.details()


@pytest.mark.parametrize("size", [0, 1, 64, 4096, 131_000, 131_072, 524_288, 3_000_001, 64 << 20])
def test_a_message_of_any_size_comes_back_as_it_was(channel, transport, size):
    payload = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    assert method(channel, "echo")(payload) == payload
    assert channel.transport == transport


def test_a_message_over_the_servers_limit_is_resource_exhausted(channel):
    code, details = status_of(lambda: method(channel, "echo")(bytes((65 << 20) + 1)))
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "larger than max" in details


def test_a_response_over_the_clients_limit_is_resource_exhausted(server, transport):
    options = [("grpc.max_receive_message_length", 1000), ("sage_rpc.transport", transport)]
    with sage_rpc.insecure_channel(server.target, options=options) as channel:
        code, details = status_of(lambda: method(channel, "echo")(bytes(1001)))
        assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert "larger than max (1001 vs. 1000)" in details
        assert method(channel, "echo")(bytes(1000)) == bytes(1000)


def test_a_request_over_the_clients_limit_is_resource_exhausted(server, transport):
    options = [("grpc.max_send_message_length", 1000), ("sage_rpc.transport", transport)]
    with sage_rpc.insecure_channel(server.target, options=options) as channel:
        code, details = status_of(lambda: method(channel, "echo")(bytes(1001)))
        assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert "larger than max (1001 vs. 1000)" in details


def test_four_mebibytes_are_the_default_limit(server, transport):
    with sage_rpc.insecure_channel(server.target, options=[("sage_rpc.transport", transport)]) as channel:
        assert len(method(channel, "echo")(bytes(4 << 20))) == 4 << 20
        code, _ = status_of(lambda: method(channel, "echo")(bytes((4 << 20) + 1)))
        assert code is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_an_exception_in_the_handler_is_unknown(channel):
    assert status_of(lambda: method(channel, "fail")(b"boom")) == (
        grpc.StatusCode.UNKNOWN, "Exception calling application: boom",
    )  # fmt: skip


def test_abort_gives_its_status_and_the_trailing_metadata(channel):
    with pytest.raises(grpc.RpcError) as caught:
        method(channel, "abort")(b"")
    error = caught.value
    assert (error.code(), error.details()) == (grpc.StatusCode.NOT_FOUND, "no such thing")
    assert {("why", "because"), ("raw-bin", b"\x00\xff")} <= set(error.trailing_metadata())
    assert isinstance(error, grpc.Call)


def test_a_code_that_was_set_wins_over_the_response(channel):
    assert status_of(lambda: method(channel, "set_code")(b"")) == (
        grpc.StatusCode.ALREADY_EXISTS, "it was there",
    )  # fmt: skip


def test_metadata_travels_both_ways(channel):
    response, call = method(channel, "metadata").with_call(
        b"", metadata=(("key", "value"), ("key-bin", b"\xfe\x00"))
    )
    assert response == b"ok"
    assert {("first", "1"), ("first-bin", b"\x01")} <= set(call.initial_metadata())
    assert {("last", "value"), ("last-bin", b"\xfe\x00")} <= set(call.trailing_metadata())
    assert call.code() is grpc.StatusCode.OK


@pytest.mark.parametrize("bad", [(("Upper", "x"),), (("key", "line\nbreak"),), (("", "x"),)])
def test_metadata_with_forbidden_characters_is_internal(channel, bad):
    assert status_of(lambda: method(channel, "echo")(b"", metadata=bad)) == (
        grpc.StatusCode.INTERNAL, "Invalid metadata",
    )  # fmt: skip
    assert method(channel, "echo")(b"still") == b"still"


@pytest.mark.parametrize("bad", [(("key", 5),), ((5, "x"),), ("key",), 5])
def test_metadata_of_the_wrong_type_is_an_error_before_anything_is_sent(channel, bad):
    with pytest.raises((TypeError, ValueError, AttributeError)):
        method(channel, "echo")(b"", metadata=bad)
    assert method(channel, "echo")(b"still") == b"still"


def test_an_unknown_method_is_unimplemented(channel):
    assert status_of(lambda: method(channel, "nothing")(b"")) == (
        grpc.StatusCode.UNIMPLEMENTED, "Method not found!",
    )  # fmt: skip


def test_an_unknown_service_is_unimplemented(channel):
    code, _ = status_of(lambda: channel.unary_unary("/no.Such/echo")(b""))
    assert code is grpc.StatusCode.UNIMPLEMENTED


def test_a_deadline_ends_the_call_on_both_sides(channel):
    begun = time.monotonic()
    code, details = status_of(lambda: method(channel, "wait")(b"", timeout=0.2))
    assert (code, details) == (grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded")
    assert 0.15 < time.monotonic() - begun < 5.0
    assert method(channel, "was_terminated")(b"", timeout=5.0) == b"yes"


def test_a_deadline_on_the_memory_queue_is_a_timeout_error(server):
    with sage_rpc.insecure_channel(server.target, options=[("sage_rpc.transport", "shm")]) as channel:
        with pytest.raises(TimeoutError):
            method(channel, "wait")(b"", timeout=0.05)


def test_the_handler_sees_the_time_that_is_left(channel):
    without = method(channel, "remaining")(b"")
    assert without == b"None" or float(without) > 1e9  # grpcio documents the one and gives the other
    assert 50 < float(method(channel, "remaining")(b"", timeout=60)) < 61  # grpcio rounds up


def test_a_deadline_in_the_past_is_over_at_once(channel):
    # With a handler that waits: grpcio ends such a call by a timer, and an answer may be there before.
    code, _ = status_of(lambda: method(channel, "wait")(b"", timeout=-1))
    assert code is grpc.StatusCode.DEADLINE_EXCEEDED


def test_cancelling_a_future_ends_the_call_on_both_sides(channel):
    future = method(channel, "wait").future(b"")
    assert not future.done()
    assert future.cancel()
    assert future.cancelled()
    assert future.done()
    with pytest.raises(grpc.FutureCancelledError):
        future.result()
    assert future.code() is grpc.StatusCode.CANCELLED
    assert future.details() == "Locally cancelled by application!"


def test_a_running_handler_hears_of_the_cancellation(channel):
    future = method(channel, "wait").future(b"")
    assert method(channel, "has_begun")(b"") == b"yes"
    future.cancel()
    assert method(channel, "was_terminated")(b"") == b"yes"


def test_a_future_gives_its_result_and_runs_its_callbacks_once(channel):
    called = []
    done = threading.Event()
    future = method(channel, "double").future(b"21")
    future.add_done_callback(lambda f: (called.append(f), done.set()))
    assert future.result(timeout=10) == b"42"
    assert done.wait(10)
    assert called == [future]
    assert future.exception() is None
    assert future.code() is grpc.StatusCode.OK


def test_a_callback_runs_although_nobody_waits(channel):
    done = threading.Event()
    method(channel, "double").future(b"1").add_done_callback(lambda _: done.set())
    assert done.wait(10)


def test_a_future_that_failed_says_so(channel):
    future = method(channel, "fail").future(b"late")
    assert future.exception(timeout=10).code() is grpc.StatusCode.UNKNOWN
    with pytest.raises(grpc.RpcError):
        future.result()


def test_a_future_times_out_without_ending(channel):
    future = method(channel, "wait").future(b"")
    with pytest.raises(grpc.FutureTimeoutError):
        future.result(timeout=0.05)
    assert future.running()
    method(channel, "open_gate")(b"")
    assert future.result(timeout=10) == b"through"


def test_a_future_meets_its_deadline_with_nobody_waiting(channel):
    done = threading.Event()
    future = method(channel, "wait").future(b"", timeout=0.1)
    future.add_done_callback(lambda _: done.set())
    assert done.wait(10)
    assert future.code() is grpc.StatusCode.DEADLINE_EXCEEDED


def test_an_earlier_deadline_overtakes_a_later_one(channel):
    done = threading.Event()
    late = method(channel, "wait").future(b"", timeout=60)
    late.add_done_callback(lambda _: None)
    early = method(channel, "wait").future(b"", timeout=0.1)
    early.add_done_callback(lambda _: done.set())
    assert done.wait(10)
    late.cancel()


def test_many_threads_share_a_channel(channel):
    wrong = []

    def work(seed: int) -> None:
        double = method(channel, "double")
        for i in range(200):
            n = seed * 1000 + i
            if double(str(n).encode()) != str(2 * n).encode():
                wrong.append(n)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(16)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(25)
        assert not t.is_alive()
    assert wrong == []


def test_futures_and_waiting_threads_mix(channel):
    stop = threading.Event()
    failures = []

    def waiting() -> None:
        while not stop.is_set():
            if method(channel, "echo")(b"w") != b"w":
                failures.append("waiting")

    threads = [threading.Thread(target=waiting) for _ in range(3)]
    for t in threads:
        t.start()
    try:
        for _ in range(30):
            batch = [method(channel, "double").future(str(i).encode()) for i in range(40)]
            assert [int(f.result(timeout=20)) for f in batch] == [2 * i for i in range(40)]
    finally:
        stop.set()
        for t in threads:
            t.join(20)
    assert failures == []


def test_a_blocking_handler_does_not_stall_the_others(channel):
    """Ten workers: nine blocked handlers leave one, whichever thread reads the requests."""
    blocked = [method(channel, "wait").future(b"") for _ in range(9)]
    for i in range(50):
        assert method(channel, "double")(str(i).encode(), timeout=10) == str(2 * i).encode()
    method(channel, "open_gate")(b"", timeout=10)
    assert {f.result(timeout=10) for f in blocked} == {b"through"}


def test_handlers_that_block_run_side_by_side(channel):
    futures = [method(channel, "pause").future(b"0.5") for _ in range(8)]
    begun = time.monotonic()
    for f in futures:
        f.result(timeout=20)
    assert time.monotonic() - begun < 3  # one after the other: 4 s


def test_the_limit_of_concurrent_rpcs_holds(transport):
    with (
        ServerProcess("127.0.0.1:0", "10", "2") as process,
        sage_rpc.insecure_channel(process.target, options=[("sage_rpc.transport", transport)]) as channel,
    ):
        held = [method(channel, "wait").future(b"") for _ in range(2)]
        deadline = time.monotonic() + 10
        while True:  # over TCP one of the two may arrive after an echo, and be the one refused
            held = [method(channel, "wait").future(b"") if f.done() else f for f in held]
            try:
                method(channel, "echo")(b"")
            except grpc.RpcError as error:
                assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED  # noqa: PT017
                assert error.details() == "Concurrent RPC limit exceeded!"  # noqa: PT017
                break
            assert time.monotonic() < deadline
        for f in held:
            f.cancel()


def test_a_response_that_does_not_serialise_is_internal(channel):
    code, _ = status_of(lambda: method(channel, "not_bytes")(b""))
    assert code in (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN)
    assert method(channel, "echo")(b"on") == b"on"


def test_a_request_that_does_not_serialise_is_internal(channel):
    def broken(request: object) -> bytes:
        raise ValueError("cannot")

    code, details = status_of(lambda: channel.unary_unary("/test.Unary/echo", broken)(b""))
    assert (code, details) == (grpc.StatusCode.INTERNAL, "Exception serializing request!")


def test_a_response_that_does_not_parse_is_internal(channel):
    def broken(response: bytes) -> object:
        raise ValueError("cannot")

    code, details = status_of(lambda: channel.unary_unary("/test.Unary/echo", None, broken)(b"x"))
    assert (code, details) == (grpc.StatusCode.INTERNAL, "Exception deserializing response!")


def test_a_closed_channel_refuses_calls(channel):
    echo = method(channel, "echo")
    assert echo(b"1") == b"1"
    channel.close()
    with pytest.raises(ValueError, match="closed channel"):
        echo(b"2")


def test_closing_a_channel_ends_its_calls(channel):
    future = method(channel, "wait").future(b"")
    channel.close()
    assert future.code() is grpc.StatusCode.CANCELLED


def test_streams_work_on_the_same_channel(server):
    with sage_rpc.insecure_channel(server.target, options=UNLIMITED) as channel:
        assert method(channel, "echo")(b"u") == b"u"
        assert channel.transport == "shm"
        assert list(channel.stream_stream("/test.Unary/stream")(iter([b"a", b"b"]))) == [b"a", b"b"]


def test_a_pool_of_one_thread_serves_both_transports():
    with ServerProcess("127.0.0.1:0", "1") as process:
        channels = [
            sage_rpc.insecure_channel(process.target, options=[("sage_rpc.transport", t)])
            for t in ("shm", "grpc")
        ]
        for i in range(20):
            for channel in channels:
                assert method(channel, "double")(str(i).encode(), timeout=10) == str(2 * i).encode()
        for channel in channels:
            channel.close()


def test_the_handler_sees_who_calls(server):
    with sage_rpc.insecure_channel(server.target, options=[("sage_rpc.transport", "shm")]) as channel:
        import os

        text = method(channel, "peer")(b"").decode()
        assert f"shm:pid:{os.getpid()}" in text
        assert f"'uid': [b'{os.getuid()}']" in text


def test_a_big_answer_under_way_arrives_within_the_grace_of_a_stop(transport):
    """The handler is done, its answer is not yet through the ring."""
    answered = threading.Event()

    def big(request: bytes, context: grpc.ServicerContext) -> bytes:
        context.add_callback(answered.set)
        return bytes(64 << 20)

    server = sage_rpc.server(futures.ThreadPoolExecutor(2))
    handler = grpc.unary_unary_rpc_method_handler(big)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Unary", {"big": handler}),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with sage_rpc.insecure_channel(
        f"127.0.0.1:{port}", options=[*UNLIMITED, ("sage_rpc.transport", transport)]
    ) as channel:
        pending = method(channel, "big").future(b"")
        assert answered.wait(10)
        stopped = server.stop(10)
        assert len(pending.result(10)) == 64 << 20
        assert stopped.wait(10)
