"""A generated stub as a Caller, and its servicer; over whose channel is not its business."""

from __future__ import annotations

from typing import Any

import grpc

from benchmarks import echo_pb2, echo_pb2_grpc

__all__ = ["UNLIMITED", "WORKERS", "EchoServicer", "StubCaller"]

WORKERS = 16  # threads of every server here: as many as the busiest scenario has callers in one process
UNLIMITED = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


class EchoServicer(echo_pb2_grpc.EchoServicer):
    """Gives the request back."""

    def Call(self, request: echo_pb2.Blob, context: grpc.ServicerContext) -> echo_pb2.Blob:
        return request


class StubCaller:
    """Calls through the generated stub; reads the payload of every response, as a user would."""

    shared = True

    def __init__(self, channel: grpc.Channel) -> None:
        self._call = echo_pb2_grpc.EchoStub(channel).Call  # type: ignore[no-untyped-call]
        self.start = self._call.future

    def prepare(self, payload: bytes) -> echo_pb2.Blob:
        return echo_pb2.Blob(payload=payload)

    def call(self, request: echo_pb2.Blob) -> bytes:
        payload: bytes = self._call(request).payload
        return payload

    def finish(self, future: Any) -> bytes:
        payload: bytes = future.result().payload
        return payload
