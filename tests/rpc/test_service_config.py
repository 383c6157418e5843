"""One service config means one thing: to gRPC's core, to the memory queue, to asyncio, to policies."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from concurrent import futures
from typing import Any

import grpc
import pytest

import sage_rpc
import sage_rpc.aio
from sage_rpc.policies import from_service_config
from sage_rpc.transport.service_config import ChannelConfig
from tests.conformance.invocation import WAYS, Way
from tests.conformance.service import KINDS, echo, handler_of
from tests.conformance_aio import invocation as aio_invocation
from tests.conftest import needs_native

pytestmark = needs_native
SERVICE = "one.Config"
RETRY: dict[str, Any] = {
    "maxAttempts": 3,
    "initialBackoff": "0.01s",
    "maxBackoff": "0.02s",
    "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE"],
}


def retried(**more: Any) -> dict[str, Any]:
    return {"methodConfig": [{"name": [{}], "retryPolicy": {**RETRY, **more}}]}


def throttled(tokens: Any, ratio: Any) -> dict[str, Any]:
    return {**retried(maxAttempts=5), "retryThrottling": {"maxTokens": tokens, "tokenRatio": ratio}}


class Subject:
    """Methods that fail as their caller asks, and count."""

    def __init__(self) -> None:
        self.attempts: dict[str, list[str]] = {}
        handlers = {kind: handler_of(kind, echo(kind, self._begun)) for kind in KINDS}
        self.server = sage_rpc.server(futures.ThreadPoolExecutor(8))
        self.server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
        self.target = f"127.0.0.1:{self.server.add_insecure_port('127.0.0.1:0')}"
        self.server.start()

    def _begun(self, context: Any) -> None:
        told = dict(context.invocation_metadata())
        attempts = self.attempts.setdefault(told["call"], [])
        attempts.append(told.get("grpc-previous-rpc-attempts", "0"))
        if len(attempts) <= int(told.get("fails", 0)):
            if "pushback" in told:
                context.set_trailing_metadata((("grpc-retry-pushback-ms", told["pushback"]),))
            context.abort(
                getattr(grpc.StatusCode, told.get("code", "UNAVAILABLE")), f"failure {len(attempts)}"
            )


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Subject, str]]:
    directory = tmp_path_factory.mktemp("one")
    directory.chmod(0o700)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAGE_RPC_RUNTIME_DIR", str(directory))
        patch.delenv("SAGE_RPC_TRANSPORT", raising=False)
        found = Subject()
    yield found, str(directory)
    found.server.stop(None).wait(10)


@pytest.fixture
def subject(served: tuple[Subject, str], monkeypatch: pytest.MonkeyPatch) -> Subject:
    monkeypatch.setenv("SAGE_RPC_RUNTIME_DIR", served[1])
    return served[0]


# What calls say of how they are to fail, one after the other on one channel; and how long they may take.
FAILS = [{"fails": "1"}, {"fails": "2"}, {"fails": "9"}]
CASES: dict[str, tuple[dict[str, Any], list[dict[str, str]]]] = {
    "nothing": ({}, FAILS),
    "retries": (retried(), FAILS),
    "of another service": ({"methodConfig": [{"name": [{"service": "x"}], "retryPolicy": RETRY}]}, FAILS),
    "of one method": (
        {"methodConfig": [{"name": [{"service": SERVICE, "method": KINDS[0]}], "retryPolicy": RETRY}]},
        FAILS,
    ),
    "numbers as text": (retried(maxAttempts="4", backoffMultiplier="1.5"), FAILS),
    "more attempts than there are": (retried(maxAttempts=9), FAILS),
    "other codes": (
        retried(retryableStatusCodes=["ABORTED", "INTERNAL"]),
        [{"fails": "1", "code": code} for code in ("ABORTED", "INTERNAL", "UNAVAILABLE", "OUT_OF_RANGE")],
    ),
    "pushback": (
        retried(initialBackoff="100s", maxBackoff="100s"),
        [{"fails": "2", "pushback": pushback} for pushback in ("1", "20", "-1", "soon")],
    ),
    "throttling": (throttled(4, 0.5), [*FAILS, *[{}] * 3, *FAILS, *[{}] * 2, *FAILS]),
    "throttling that counts in thousandths": (throttled("3", 0.3349), [{"fails": "9"}, *[{}] * 9, *FAILS]),
    "a timeout of 0 is none": ({"methodConfig": [{"name": [{}], "timeout": "0s"}]}, [{}]),
}


def metadata(call: str, said: dict[str, str]) -> tuple[tuple[str, str], ...]:
    return (("call", call), *said.items())


def options(transport: str, name: str) -> list[tuple[str, str]]:
    """The name, too: gRPC would give channels of equal options one connection."""
    return [
        ("sage_rpc.transport", transport),
        ("grpc.service_config", json.dumps(CASES[name][0])),
        ("test", f"{transport} {name}"),
    ]


def sync_outcomes(subject: Subject, transport: str, name: str, way: Way, *requests: bytes) -> list[Any]:
    found = []
    with sage_rpc.insecure_channel(subject.target, options(transport, name)) as channel:
        method = getattr(channel, way.kind)(f"/{SERVICE}/{way.kind}")
        for number, said in enumerate(CASES[name][1]):
            call = f"{transport} {name} {way} {number}"
            outcome = way.run(method, requests, timeout=20, metadata=metadata(call, said))
            found.append((outcome.responses, outcome.status, subject.attempts.pop(call, [])))
        assert channel.transport == transport
    return found


async def aio_outcomes(subject: Subject, transport: str, name: str, kind: str, *requests: bytes) -> list[Any]:
    found, way = [], next(way for way in aio_invocation.EVERY_WAY if way.kind == kind)
    async with sage_rpc.aio.insecure_channel(subject.target, options(transport, name)) as channel:
        method = getattr(channel, kind)(f"/{SERVICE}/{kind}")
        for number, said in enumerate(CASES[name][1]):
            call = f"aio {transport} {name} {kind} {number}"
            outcome = await way.run(method, requests, timeout=20, metadata=metadata(call, said))
            status = await outcome.call.code(), await outcome.call.details()
            found.append((outcome.responses, status, subject.attempts.pop(call, [])))
    return found


@pytest.fixture
def alone(subject: Subject, name: str) -> Iterator[Subject]:
    """A server of the test's own where calls are throttled: gRPC counts tokens for each address."""
    if not name.startswith("throttling"):
        yield subject
        return
    found = Subject()
    yield found
    found.server.stop(None).wait(10)


@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.parametrize("name", CASES)
def test_a_config_holds_over_the_memory_queue_as_over_grpc(alone: Subject, name: str, way: Way) -> None:
    over_shm, over_grpc = (sync_outcomes(alone, each, name, way, b"request") for each in ("shm", "grpc"))
    assert over_shm == over_grpc


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", CASES)
def test_a_config_holds_with_asyncio_as_without(alone: Subject, name: str, kind: str) -> None:
    # Requests that are written while an attempt ends grpc.aio loses, or takes for an error, now and then.
    requests = [] if kind.startswith("stream") else [b"request"]
    found = asyncio.run(aio_outcomes(alone, "shm", name, kind, *requests))
    way = next(way for way in WAYS if way.kind == kind)
    assert found == sync_outcomes(alone, "shm", name, way, *requests)
    if not (
        name.startswith("throttling") and kind == "stream_unary"
    ):  # whose successes grpc.aio does not count
        assert found == asyncio.run(aio_outcomes(alone, "grpc", name, kind, *requests))


TAKEN = {
    **{name: config for name, (config, _) in CASES.items()},
    "codes by number": retried(retryableStatusCodes=[14]),
    "codes in small letters": retried(retryableStatusCodes=["unavailable"]),
    "no codes": retried(retryableStatusCodes=[]),
    "no such code": retried(retryableStatusCodes=["NOPE"]),
    "one attempt": retried(maxAttempts=1),
    "half an attempt": retried(maxAttempts=2.5),
    "no backoff": retried(initialBackoff="0s"),
    "backoff of no digits": retried(initialBackoff=".1s"),
    "a multiplier of 0": retried(backoffMultiplier=0),
    "half a token": throttled(10.5, 0.1),
    "no token": throttled(0, 0.1),
    "a ratio of almost nothing": throttled(10, 0.0001),
    "a name that stands twice": {"methodConfig": [{"name": [{}]}, {"name": [{}]}]},
    "a method of no service": {"methodConfig": [{"name": [{"method": "m"}]}]},
    "a timeout without a unit": {"methodConfig": [{"name": [{}], "timeout": "1"}]},
    "a limit below 0": {"methodConfig": [{"name": [{}], "maxRequestMessageBytes": -1}]},
    "waiting as text": {"methodConfig": [{"name": [{}], "waitForReady": "true"}]},
    "no balancing": {"loadBalancingConfig": []},
    "two balancings in one": {"loadBalancingConfig": [{"pick_first": {}, "round_robin": {}}]},
}


@pytest.mark.parametrize("name", TAKEN)
def test_what_grpc_does_not_take_nobody_takes_and_all_say_why(subject: Subject, name: str) -> None:
    text = json.dumps(TAKEN[name])
    with grpc.insecure_channel(subject.target, [("grpc.service_config", text), ("test", name)]) as channel:
        error = channel.unary_unary("/x/y").future(b"", timeout=20).exception(20)
    grpc_takes = "validating service config" not in error.details()
    said: list[str] = []
    for take in (
        lambda: ChannelConfig(text, retries=True, retry_buffer=1000),
        lambda: from_service_config(text, SERVICE),
    ):
        try:
            take()
        except ValueError as refusal:
            said.append(str(refusal))
    assert len(said) == (0 if grpc_takes else 2)
    assert len(set(said)) <= 1


def test_the_calls_of_a_channel_share_its_tokens_whatever_thread_makes_them(subject: Subject) -> None:
    said = [("sage_rpc.transport", "shm"), ("grpc.service_config", json.dumps(throttled(20, 0.001)))]
    with sage_rpc.insecure_channel(subject.target, said) as channel:
        method = channel.unary_unary(f"/{SERVICE}/unary_unary")

        def fail(number: int) -> None:
            for each in range(5):
                call = metadata(f"shared {number} {each}", {"fails": "9"})
                method.future(b"", timeout=20, metadata=call).exception(20)

        threads = [threading.Thread(target=fail, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    made = sum(len(found) for call, found in subject.attempts.items() if call.startswith("shared"))
    assert 20 <= made <= 20 + 10  # ten failures take half of the tokens
