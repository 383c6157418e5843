"""Every way to invoke an RPC, behind one face: a promise about calls is tested for each of them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
from grpc import aio

__all__ = [
    "BY_KIND",
    "EVERY_WAY",
    "WAYS",
    "Outcome",
    "Way",
    "either_kind",
    "every_kind",
    "failure",
    "status",
    "ways",
]


@dataclass
class Outcome:
    """How a call ended.

    Attributes:
        call: the call.
        responses: what was received, in order.
        error: the `AioRpcError` or the `CancelledError` that was raised, or None.
    """

    call: Any
    responses: list[Any] = field(default_factory=list)
    error: Any = None


@dataclass(frozen=True)
class Way:
    """One kind of RPC, with its requests given and its responses taken in one way.

    Attributes:
        requests: "one", "async iterator", "iterator", or "write".
        responses: "await", "async for", or "read".
    """

    kind: str
    requests: str
    responses: str

    @property
    def request_streaming(self) -> bool:
        return self.kind.startswith("stream")

    @property
    def response_streaming(self) -> bool:
        return self.kind.endswith("stream")

    def start(self, method: Any, requests: Iterable[Any] = (b"request",), **arguments: Any) -> Any:
        """A call under way; for a unary request, `requests` holds it."""
        if self.requests == "one":
            (request,) = requests
            return method(request, **arguments)
        if self.requests == "iterator":
            return method(iter(requests), **arguments)
        if self.requests == "async iterator":
            return method(iterate(requests), **arguments)
        call = method(**arguments)
        writer = asyncio.ensure_future(write_all(call, requests))
        call.add_done_callback(lambda _call: writer.cancel())
        return call

    def begin(self, method: Any, **arguments: Any) -> Any:
        """A call under way that sends no message but a unary request: for calls that are cut short, as what
        is written just when a call ends, grpc.aio calls an internal error.
        """
        return method(b"request", **arguments) if self.requests == "one" else method(**arguments)

    async def cut_short(self, method: Any, **arguments: Any) -> Outcome:
        """`begin`, and wait for the end."""
        return await self.finish(self.begin(method, **arguments))

    async def finish(self, call: Any) -> Outcome:
        """Wait for the end of a call under way."""
        outcome = Outcome(call)
        try:
            await self.take(call, outcome.responses)
        except grpc.RpcError as error:
            outcome.error = error
        except asyncio.CancelledError as error:
            if not call.cancelled():
                raise
            outcome.error = error
        return outcome

    async def take(self, call: Any, responses: list[Any]) -> None:
        """Append all responses; raises what the call raises."""
        if self.responses == "await":
            responses.append(await call)
        elif self.responses == "async for":
            async for response in call:
                responses.append(response)  # noqa: PERF401 -- what came before an error counts
        else:
            while (response := await call.read()) is not aio.EOF:
                responses.append(response)

    async def run(self, method: Any, requests: Sequence[Any] = (b"request",), **arguments: Any) -> Outcome:
        """Invoke and wait for the end; an error of the call is part of the outcome."""
        return await self.finish(self.start(method, requests, **arguments))

    def __str__(self) -> str:
        return "-".join(part.replace(" ", "_") for part in (self.kind, self.requests, self.responses))


async def iterate(requests: Iterable[Any]) -> AsyncIterator[Any]:
    for request in requests:
        yield request


async def write_all(call: Any, requests: Iterable[Any]) -> None:
    """Write until the call ends; why it ended is told to whoever waits for it."""
    with contextlib.suppress(grpc.RpcError, asyncio.CancelledError, asyncio.InvalidStateError):
        for request in requests:
            await call.write(request)
        await call.done_writing()


SENDING = ("async iterator", "iterator", "write")
RECEIVING = ("async for", "read")
EVERY_WAY = (
    Way("unary_unary", "one", "await"),
    *(Way("unary_stream", "one", responses) for responses in RECEIVING),
    *(Way("stream_unary", requests, "await") for requests in SENDING),
    *(Way("stream_stream", requests, responses) for requests in SENDING for responses in RECEIVING),
)
# One way of each kind, where the way makes no difference; and where it does, the other style as well.
BY_KIND = {
    way.kind: way
    for way in EVERY_WAY
    if way.requests in {"one", "async iterator"} and way.responses in {"await", "async for"}
}
WAYS = (*BY_KIND.values(), Way("stream_stream", "write", "read"))

every_kind = pytest.mark.parametrize("kind", BY_KIND)
# A unary call and a stream, where the kinds hardly differ.
either_kind = pytest.mark.parametrize("kind", ["unary_unary", "stream_stream"])


def ways(chosen: Iterable[Way] = WAYS) -> pytest.MarkDecorator:
    """Parametrise a test over ways to invoke, as `way`."""
    return pytest.mark.parametrize("way", list(chosen), ids=str)


def failure(outcome: Outcome) -> tuple[grpc.StatusCode, str]:
    """Status and details of a call that must have raised."""
    assert isinstance(outcome.error, aio.AioRpcError), f"{outcome.error!r}, {outcome.responses}"
    return outcome.error.code(), outcome.error.details()


async def status(call: Any) -> tuple[grpc.StatusCode, str]:
    """What the call itself says of its end."""
    return await call.code(), await call.details()
