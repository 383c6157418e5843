"""TestService for either API. What a request asks for is read in one place; the two classes only act on it.

A server in Python cannot tell whether a request came compressed, so `expect_compressed` is not looked at.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable
from typing import Any

import grpc

from tests.interop.interop_pb2 import (
    COMPRESSABLE,
    Empty,
    Payload,
    ResponseParameters,
    SimpleResponse,
    StreamingInputCallResponse,
    StreamingOutputCallResponse,
)
from tests.interop.interop_pb2_grpc import TestServiceServicer
from tests.interop.messages import INITIAL, TRAILING

_CODES = {code.value[0]: code for code in grpc.StatusCode}
_MICROSECONDS = 1e-6


def payload(request: Any, size: int) -> Payload:
    return Payload(type=request.response_type, body=bytes(size))


def answer(request: Any, parameters: ResponseParameters) -> StreamingOutputCallResponse:
    return StreamingOutputCallResponse(payload=payload(request, parameters.size))


def metadata_to_echo(context: Any, key: str) -> list[tuple[str, Any]]:
    return [(key, value) for found, value in context.invocation_metadata() or () if found == key]


def echo_trailing(context: Any) -> None:
    if found := metadata_to_echo(context, TRAILING[0]):
        context.set_trailing_metadata(tuple(found))


def end_at_once(request: Any, context: Any) -> bool:
    """Whether `request` asks for a status, or for what there is not; the status is set then."""
    if request.HasField("response_status"):
        status = request.response_status
        context.set_code(_CODES.get(status.code, grpc.StatusCode.UNKNOWN))
        context.set_details(status.message)
        return True
    if request.response_type != COMPRESSABLE:
        context.set_code(grpc.StatusCode.INVALID_ARGUMENT)
        context.set_details(f"there are no payloads of type {request.response_type}")
        return True
    return False


def compress(context: Any, flags: Iterable[bool]) -> bool:
    """Compress the responses, if one of them is to be; must be called before anything is sent."""
    if any(flags):
        context.set_compression(grpc.Compression.Gzip)
        return True
    return False


class Service(TestServiceServicer):
    """For `grpc.server` and `sage_rpc.server`."""

    def EmptyCall(self, request, context):
        self._echo_metadata(context)
        return Empty()

    def UnaryCall(self, request, context):
        compress(context, [request.response_compressed.value])
        self._echo_metadata(context)
        if end_at_once(request, context):
            return SimpleResponse()
        return SimpleResponse(payload=payload(request, request.response_size))

    def StreamingOutputCall(self, request, context):
        compress(context, [parameters.compressed.value for parameters in request.response_parameters])
        self._echo_metadata(context)
        if not end_at_once(request, context):
            yield from self._answers(request, context)

    def StreamingInputCall(self, request_iterator, context):
        self._echo_metadata(context)
        size = sum(len(request.payload.body) for request in request_iterator)
        return StreamingInputCallResponse(aggregated_payload_size=size)

    def FullDuplexCall(self, request_iterator, context):
        self._echo_metadata(context)
        for request in request_iterator:
            if end_at_once(request, context):
                return
            yield from self._answers(request, context)

    def HalfDuplexCall(self, request_iterator, context):
        return self.FullDuplexCall(iter(list(request_iterator)), context)

    def _echo_metadata(self, context) -> None:
        echo_trailing(context)
        if found := metadata_to_echo(context, INITIAL[0]):
            context.send_initial_metadata(tuple(found))

    def _answers(self, request, context):
        ended = threading.Event()  # a pause ends with the call, and gives the thread back
        if any(parameters.interval_us for parameters in request.response_parameters):
            context.add_callback(ended.set)
        for parameters in request.response_parameters:
            if parameters.interval_us > 0:
                ended.wait(parameters.interval_us * _MICROSECONDS)
            if not parameters.compressed.value:
                context.disable_next_message_compression()
            yield answer(request, parameters)


class AioService(TestServiceServicer):
    """For `grpc.aio.server` and `sage_rpc.aio.server`."""

    async def EmptyCall(self, request, context):
        await self._echo_metadata(context)
        return Empty()

    async def UnaryCall(self, request, context):
        # grpc.aio forgets the compression of a unary response whose initial metadata goes with it: it is
        # sent before.
        at_once = compress(context, [request.response_compressed.value])
        await self._echo_metadata(context, at_once=at_once)
        if end_at_once(request, context):
            return SimpleResponse()
        return SimpleResponse(payload=payload(request, request.response_size))

    async def StreamingOutputCall(self, request, context):
        compress(context, [parameters.compressed.value for parameters in request.response_parameters])
        await self._echo_metadata(context)
        if not end_at_once(request, context):
            async for response in self._answers(request, context):
                yield response

    async def StreamingInputCall(self, request_iterator, context):
        await self._echo_metadata(context)
        size = 0
        async for request in request_iterator:
            size += len(request.payload.body)
        return StreamingInputCallResponse(aggregated_payload_size=size)

    async def FullDuplexCall(self, request_iterator, context):
        await self._echo_metadata(context)
        async for request in request_iterator:
            if end_at_once(request, context):
                return
            async for response in self._answers(request, context):
                yield response

    async def HalfDuplexCall(self, request_iterator, context):
        await self._echo_metadata(context)
        for request in [request async for request in request_iterator]:
            if end_at_once(request, context):
                return
            async for response in self._answers(request, context):
                yield response

    async def UnimplementedCall(self, request, context):
        # The generated base class answers in the way of the synchronous API only.
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, "Method not implemented!")

    async def _echo_metadata(self, context, *, at_once: bool = False) -> None:
        echo_trailing(context)
        found = metadata_to_echo(context, INITIAL[0])
        if found or at_once:
            await context.send_initial_metadata(tuple(found))

    async def _answers(self, request, context):
        for parameters in request.response_parameters:
            if parameters.interval_us > 0:
                await asyncio.sleep(parameters.interval_us * _MICROSECONDS)
            if not parameters.compressed.value:
                context.disable_next_message_compression()
            yield answer(request, parameters)
