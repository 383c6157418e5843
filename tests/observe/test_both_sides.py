"""What both sides count of a call is what its caller saw: each outcome, kind and server."""

from __future__ import annotations

import asyncio
import contextlib
import json

import grpc
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.wrappers_pb2 import StringValue

import sage_rpc
import sage_rpc.aio
from tests.conftest import ServerProcess
from tests.waiting import until

SECONDS = 20
KINDS = {"Unary": (0, 0), "Watch": (0, 1), "Collect": (1, 0), "Chat": (1, 1)}  # requests, responses stream
OK, CANCELLED = grpc.StatusCode.OK, grpc.StatusCode.CANCELLED
OUTCOMES = {
    "ok": OK,
    "error": grpc.StatusCode.UNKNOWN,
    "abort": grpc.StatusCode.FAILED_PRECONDITION,
    "deadline": grpc.StatusCode.DEADLINE_EXCEEDED,
    "cancelled": CANCELLED,
    "abandoned": CANCELLED,
    "refused": grpc.StatusCode.PERMISSION_DENIED,
    "unknown method": grpc.StatusCode.UNIMPLEMENTED,
    "server gone": grpc.StatusCode.UNAVAILABLE,
}


@pytest.fixture(scope="module", autouse=True)
def declared():
    """The service as callers know it; each method has a namesake that no server has."""
    file = descriptor_pb2.FileDescriptorProto(
        name="counted.proto",
        package="counted",
        dependency=["google/protobuf/wrappers.proto"],
        syntax="proto3",
    )
    service = file.service.add(name="Counted")
    for name, (requests, responses) in KINDS.items():
        for each in (name, f"No{name}"):
            service.method.add(
                name=each,
                input_type=".google.protobuf.StringValue",
                output_type=".google.protobuf.StringValue",
                client_streaming=bool(requests),
                server_streaming=bool(responses),
            )
    descriptor_pool.Default().Add(file)


@pytest.fixture(scope="module", params=["sync", "aio", "threads"])
def server(request, tmp_path_factory):
    directory = tmp_path_factory.mktemp(request.param)
    directory.chmod(0o700)
    environment = {"SAGE_RPC_RUNTIME_DIR": str(directory)}
    with ServerProcess(request.param, program="counted_server.py", env=environment) as process:
        process.directory = directory
        yield process


class Caller:
    """One manager, and what the server says by a channel of its own."""

    def __init__(self, server, transport):
        self.transport = transport
        options = [("sage_rpc.transport", transport)]
        endpoint = sage_rpc.ServiceEndpoint(server.target, "counted.Counted")
        self.manager = sage_rpc.ServiceManager({"counted": endpoint}, timeout=SECONDS, options=options)
        self.channel = self.manager.channel_of("counted.Counted")
        self.raw = sage_rpc.insecure_channel(server.target, options)

    def tell(self, what):
        return self.raw.unary_unary(f"/counted.Control/{what}")(b"", timeout=SECONDS)

    def served(self, method):
        rows = json.loads(self.tell("Counted"))
        mine = (method, self.transport)
        return next((row for row in rows if (row["method"], row["transport"]) == mine), None)

    def method(self, name):
        streams = KINDS[name.removeprefix("No")]
        kind = "_".join("stream" if each else "unary" for each in streams)
        codec = StringValue.SerializeToString, StringValue.FromString
        return getattr(self.channel, kind)(f"/counted.Counted/{name}", *codec)


@pytest.fixture
def caller(server, transport, monkeypatch):
    monkeypatch.setenv("SAGE_RPC_RUNTIME_DIR", str(server.directory))
    made = Caller(server, transport)
    with made.manager, made.raw:
        made.tell("Stop")
        yield made
        made.tell("GoOn")


def call(caller, kind, outcome, after=lambda: None):
    """Make a call. -> (the status its caller got, responses it got)."""
    requests_stream, responses_stream = KINDS[kind]
    method = caller.method(f"No{kind}" if outcome == "unknown method" else kind)
    how = outcome if outcome in {"ok", "error", "abort"} else "hold"
    given = [StringValue(value=each) for each in (how, "b", "c")]
    options = {"timeout": 0.3 if outcome == "deadline" else SECONDS}
    if outcome == "refused":
        options["metadata"] = (("door", "shut"),)
    request = iter(given) if requests_stream else given[0]
    got = 0
    try:
        if responses_stream:
            started = method(request, **options)
            if how == "hold" and outcome not in {"refused", "unknown method"}:
                got += len([next(started) for _ in range(1 if kind == "Chat" else 2)])
                after()
            if outcome == "abandoned":
                del started
                return CANCELLED, got
            if outcome == "cancelled":
                started.cancel()
            for _ in started:
                got += 1
        elif outcome in {"cancelled", "server gone"}:
            future = method.future(request, **options)
            after()
            if outcome == "cancelled":
                future.cancel()
                return CANCELLED, 0
            future.result(SECONDS)
        else:
            method(request, **options)
            got = 1
    except grpc.RpcError as error:
        return error.code(), got
    return OK, got


def codes(row):
    found = {} if row is None else {"OK": row["successes"], **row["failures"]}
    return {code: number for code, number in found.items() if number}


def since(row, before):
    return {
        code: n - codes(before).get(code, 0)
        for code, n in codes(row).items()
        if n != codes(before).get(code, 0)
    }


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("outcome", [name for name in OUTCOMES if name != "server gone"])
def test_both_sides_count_what_the_caller_saw(caller, kind, outcome, request):
    if outcome == "abandoned" and not KINDS[kind][1]:
        pytest.skip("a call with one response is abandoned by cancelling it")
    if request.node.callspec.id == f"threads-grpc-abort-{kind}" and KINDS[kind][1]:
        pytest.skip("grpc.aio loses the abort of a handler that streams in a thread, now and then")
    name = "(unknown)" if outcome == "unknown method" else kind
    before = caller.served(name)

    def after():
        assert caller.tell("Held") == b"yes"

    code, got = call(caller, kind, outcome, after)
    assert code is OUTCOMES[outcome]
    until(
        lambda: any(row.calls for row in caller.manager.stats()), SECONDS
    )  # a future's end is told by a thread
    (row,) = (row for row in caller.manager.stats() if row.calls)
    assert row.method == (f"no_{kind}" if outcome == "unknown method" else kind).lower()
    assert codes(row.to_dict()) == {code.name: 1}
    assert (row.in_flight, row.messages_received) == (0, got)
    assert row.transport == caller.transport
    # The handler goes on only now: what it makes of the call comes too late for its caller.
    until(lambda: caller.tell("GoOn") == b"" and since(caller.served(name), before), SECONDS)
    row, theirs = row.to_dict(), caller.served(name)
    assert since(theirs, before) == {code.name: 1}
    assert theirs["in_flight"] == 0
    counted = {
        field: theirs[field] - (0 if before is None else before[field])
        for field in ("messages_sent", "messages_received", "bytes_sent", "bytes_received")
    }
    if outcome == "ok":
        for one, other in (("sent", "received"), ("received", "sent")):
            assert counted[f"messages_{one}"] == row[f"messages_{other}"] == (3 if streams(kind, one) else 1)
            assert counted[f"bytes_{one}"] == row[f"bytes_{other}"] > 0
    assert counted["messages_received"] <= row["messages_sent"]
    assert counted["messages_sent"] >= got


def streams(kind, served):
    """Whether what the server has sent, or received, is a stream."""
    return KINDS[kind][served == "sent"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", ["sync", "aio"])
def test_a_call_whose_server_dies_is_counted_by_its_caller(way, kind, transport, tmp_path, monkeypatch):
    tmp_path.chmod(0o700)
    monkeypatch.setenv("SAGE_RPC_RUNTIME_DIR", str(tmp_path))
    with ServerProcess(way, program="counted_server.py") as process:
        caller = Caller(process, transport)
        with caller.manager, contextlib.closing(caller.raw):

            def after():
                assert caller.tell("Held") == b"yes"
                process.kill()

            code, got = call(caller, kind, "server gone", after)
            assert code is grpc.StatusCode.UNAVAILABLE
            (row,) = caller.manager.stats()
            assert (codes(row.to_dict()), row.messages_received) == ({"UNAVAILABLE": 1}, got)


def garbled(_message):
    """What is no StringValue."""
    return b"\xff\xff"


@pytest.mark.parametrize("kind", KINDS)
def test_a_request_that_cannot_be_read_is_counted_as_its_caller_hears_of_it(caller, kind):
    before = caller.served(kind)
    streams = "_".join("stream" if each else "unary" for each in KINDS[kind])
    method = getattr(caller.raw, streams)(f"/counted.Counted/{kind}", garbled, StringValue.FromString)
    with pytest.raises(grpc.RpcError) as caught:
        list(method(iter([b""]) if KINDS[kind][0] else b"", timeout=SECONDS))
    until(lambda: since(caller.served(kind), before), SECONDS)
    assert since(caller.served(kind), before) == {caught.value.code().name: 1}


async def aio_call(channel, kind, outcome, after):
    """Make a call with asyncio. -> (the status its caller got, responses it got)."""
    requests_stream, responses_stream = KINDS[kind]
    name = f"No{kind}" if outcome == "unknown method" else kind
    streams = "_".join("stream" if each else "unary" for each in KINDS[kind])
    codec = StringValue.SerializeToString, StringValue.FromString
    method = getattr(channel, streams)(f"/counted.Counted/{name}", *codec)
    how = outcome if outcome in {"ok", "error", "abort"} else "hold"
    given = [StringValue(value=each) for each in (how, "b", "c")]
    if requests_stream and outcome in {"refused", "unknown method"}:
        given = []  # grpc.aio makes INTERNAL of what it cannot send any more, now and then
    started = method(
        iter(given) if requests_stream else given[0],
        timeout=0.3 if outcome == "deadline" else SECONDS,
        metadata=(("door", "shut"),) if outcome == "refused" else None,
    )
    held = outcome == "cancelled"
    got = 0
    try:
        if responses_stream:
            responses = aiter(started)
            if held:
                for _ in range(1 if kind == "Chat" else 2):
                    await anext(responses)
                    got += 1
                await asyncio.to_thread(after)
                started.cancel()
            async for _ in responses:
                got += 1
        else:
            waiting = asyncio.ensure_future(started)
            if held:
                await asyncio.to_thread(after)
                waiting.cancel()
            await waiting
            got = 1
    except asyncio.CancelledError:
        return CANCELLED, got
    except grpc.RpcError as error:
        return error.code(), got
    return OK, got


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("outcome", [name for name in OUTCOMES if name not in {"server gone", "abandoned"}])
@pytest.mark.parametrize("server", ["sync"], indirect=True)
def test_a_caller_of_asyncio_counts_the_same(caller, transport, server, kind, outcome):
    name = "(unknown)" if outcome == "unknown method" else kind
    before = caller.served(name)

    def after():
        assert caller.tell("Held") == b"yes"

    async def main():
        endpoint = sage_rpc.ServiceEndpoint(server.target, "counted.Counted")
        options = [("sage_rpc.transport", transport)]
        async with sage_rpc.aio.ServiceManager(
            {"counted": endpoint}, timeout=SECONDS, options=options
        ) as manager:
            channel = manager.channel_of("counted.Counted")
            code, got = await aio_call(channel, kind, outcome, after)
            await asyncio.to_thread(until, lambda: any(row.calls for row in manager.stats()), SECONDS)
            (row,) = (row for row in manager.stats() if row.calls)
            await asyncio.to_thread(caller.tell, "GoOn")
            return code, got, row

    code, got, row = asyncio.run(asyncio.wait_for(main(), SECONDS))
    assert code is OUTCOMES[outcome]
    assert codes(row.to_dict()) == {code.name: 1}
    assert (row.in_flight, row.messages_received, row.transport) == (0, got, transport)
    until(lambda: since(caller.served(name), before), SECONDS)
    assert since(caller.served(name), before) == {code.name: 1}
    if outcome == "ok":
        assert row.messages_sent == (3 if KINDS[kind][0] else 1)
