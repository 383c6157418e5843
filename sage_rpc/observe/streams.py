"""Calls that are made and that stream: counted, and traced, message by message.

`CountedRequests` counts requests, `CountedCall` a call and its responses. A call whose user lets go of it
before its end is cancelled, as one of grpc is that no callback keeps alive. So every call has its end.
"""

from __future__ import annotations

import abc
import contextlib
import functools
import weakref
from collections.abc import AsyncIterator, Iterator
from typing import Any

import grpc

from sage_rpc import errors
from sage_rpc.encoding.buffers import size_of
from sage_rpc.observe.stats import StreamRecord

__all__ = ["CountedCall", "CountedRequests", "CountedResponses", "end_of"]


def end_of(call: Any) -> errors.RpcError | None:
    """What a call that has ended failed with; None: it did not."""
    code = call.code()
    return None if code is grpc.StatusCode.OK else errors.rpc_error(code, call.details() or "")


class CountedRequests:
    """The requests of a call, for a channel, an asyncio one as well.

    Attributes:
        record: counts them.

    Args:
        requests: an iterable of them, or an asynchronous one.
        record: counts them.
    """

    def __init__(self, requests: Any, record: StreamRecord) -> None:
        self._requests = aiter(requests) if hasattr(requests, "__aiter__") else iter(requests)
        self.record = record

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        request = next(self._requests)
        self.record.message_sent(size_of(request))
        return request

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        if hasattr(self._requests, "__anext__"):
            request = await anext(self._requests)
            self.record.message_sent(size_of(request))
            return request
        try:
            return next(self)
        except StopIteration:
            raise StopAsyncIteration from None


class CountedCall(grpc.Call, grpc.Future):
    """A call whose responses come one by one; it has what the call itself has.

    Args:
        call: of grpc or of the memory queue.
        record: counts its responses, and its end.
    """

    def __init__(self, call: Any, record: StreamRecord) -> None:
        self._call = call
        self._record = record
        call.add_done_callback(functools.partial(_ended, weakref.ref(self), record))

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        try:
            response = next(self._call)
        except StopIteration:
            self._record.end(None)
            raise
        except grpc.RpcError as error:
            self._record.end(errors.from_grpc(error))
            raise
        self._record.message_received(size_of(response))
        return response

    def cancel(self) -> bool:
        """As grpc's; nothing more is read, so that the call is counted."""
        cancelled = bool(self._call.cancel())
        if cancelled:
            self._record.end(end_of(self._call))
        return cancelled

    def next(self) -> Any:
        """As of grpc's calls."""
        return self.__next__()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._call, name)

    def __repr__(self) -> str:
        return repr(self._call)

    def __del__(self) -> None:
        with contextlib.suppress(Exception):  # the interpreter ends
            self._call.cancel()
            self._record.end(end_of(self._call))


def _ended(counted: weakref.ref[CountedCall], record: StreamRecord, call: Any) -> None:
    """The transport says so; what has come may still be read, where there is somebody to read it."""
    if counted() is None:
        record.end(end_of(call))


class CountedResponses:
    """The responses of a call of asyncio, one by one.

    Args:
        call: of grpc.aio or of the memory queue.
        record: counts them; who waits for the call's end tells `over`.
    """

    def __init__(self, call: Any, record: StreamRecord) -> None:
        self._responses = aiter(call)
        self._record = record
        self._over: list[errors.RpcError | None] = []  # how the call has ended, once it has

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        try:
            response = await anext(self._responses)
        except StopAsyncIteration:
            self._record.end(None)
            raise
        except grpc.RpcError as error:
            self._record.end(errors.from_grpc(error))
            raise
        self._record.message_received(size_of(response))
        return response

    def over(self, error: errors.RpcError | None) -> None:
        """The transport says so; what has come may still be read, unless this side has ended the call."""
        self._over.append(error)
        if error is not None and error.code() is grpc.StatusCode.CANCELLED:
            self._record.end(error)

    def __del__(self) -> None:
        for error in self._over:
            self._record.end(error)


def _passed_on(name: str) -> Any:
    def pass_on(self: CountedCall, *args: Any, **kwargs: Any) -> Any:
        return getattr(self._call, name)(*args, **kwargs)

    return pass_on


for _name in sorted(CountedCall.__abstractmethods__):
    setattr(CountedCall, _name, _passed_on(_name))
abc.update_abstractmethods(CountedCall)
