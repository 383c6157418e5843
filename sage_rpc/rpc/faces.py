"""The shapes that grpcio gives channels and multicallables, each signature written down once.

What stands behind them is one function of a channel, and one or two of a multicallable.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc

__all__ = ["ChannelFace", "ManyResponsesFace", "OneResponseFace"]


class ChannelFace(grpc.Channel):
    """A channel whose multicallables come from `multicallable`."""

    def multicallable(
        self,
        kind: str,
        method: str | bytes,
        serializer: Callable[[Any], bytes] | None,
        deserializer: Callable[[bytes], Any] | None,
        registered: bool | None,
    ) -> Any:
        """The multicallable of a method; `kind` is the name of the function of grpc's that gives it."""
        raise NotImplementedError

    def unary_unary(
        self,
        method: str | bytes,
        request_serializer: Callable[[Any], bytes] | None = None,
        response_deserializer: Callable[[bytes], Any] | None = None,
        _registered_method: bool | None = False,
    ) -> grpc.UnaryUnaryMultiCallable:
        """As grpc's."""
        made: grpc.UnaryUnaryMultiCallable = self.multicallable(
            "unary_unary", method, request_serializer, response_deserializer, _registered_method
        )
        return made

    def unary_stream(
        self,
        method: str | bytes,
        request_serializer: Callable[[Any], bytes] | None = None,
        response_deserializer: Callable[[bytes], Any] | None = None,
        _registered_method: bool | None = False,
    ) -> grpc.UnaryStreamMultiCallable:
        """As grpc's."""
        made: grpc.UnaryStreamMultiCallable = self.multicallable(
            "unary_stream", method, request_serializer, response_deserializer, _registered_method
        )
        return made

    def stream_unary(
        self,
        method: str | bytes,
        request_serializer: Callable[[Any], bytes] | None = None,
        response_deserializer: Callable[[bytes], Any] | None = None,
        _registered_method: bool | None = False,
    ) -> grpc.StreamUnaryMultiCallable:
        """As grpc's."""
        made: grpc.StreamUnaryMultiCallable = self.multicallable(
            "stream_unary", method, request_serializer, response_deserializer, _registered_method
        )
        return made

    def stream_stream(
        self,
        method: str | bytes,
        request_serializer: Callable[[Any], bytes] | None = None,
        response_deserializer: Callable[[bytes], Any] | None = None,
        _registered_method: bool | None = False,
    ) -> grpc.StreamStreamMultiCallable:
        """As grpc's."""
        made: grpc.StreamStreamMultiCallable = self.multicallable(
            "stream_stream", method, request_serializer, response_deserializer, _registered_method
        )
        return made

    def __exit__(self, *exc: object) -> None:
        self.close()


class _Face:
    def started(self, start: str, request: Any, timeout: float | None, metadata: Any, *rest: Any) -> Any:
        """A call that nobody waits for here.

        Args:
            start: the name of the function of grpc's that was called.
            request: one, or an iterator.
            timeout: seconds, or None.
            metadata: of the call.
            rest: credentials, wait_for_ready and compression.
        """
        raise NotImplementedError


class OneResponseFace(_Face):
    """A multicallable with one response."""

    def waited(self, start: str, request: Any, timeout: float | None, metadata: Any, *rest: Any) -> Any:
        """The answer to a call; as of `started`."""
        raise NotImplementedError

    def __call__(
        self,
        request: Any,
        timeout: float | None = None,
        metadata: Any = None,
        credentials: grpc.CallCredentials | None = None,
        wait_for_ready: bool | None = None,
        compression: grpc.Compression | None = None,
    ) -> Any:
        """As grpc's."""
        return self.waited("__call__", request, timeout, metadata, credentials, wait_for_ready, compression)

    def with_call(
        self,
        request: Any,
        timeout: float | None = None,
        metadata: Any = None,
        credentials: grpc.CallCredentials | None = None,
        wait_for_ready: bool | None = None,
        compression: grpc.Compression | None = None,
    ) -> Any:
        """As grpc's."""
        return self.waited("with_call", request, timeout, metadata, credentials, wait_for_ready, compression)

    def future(
        self,
        request: Any,
        timeout: float | None = None,
        metadata: Any = None,
        credentials: grpc.CallCredentials | None = None,
        wait_for_ready: bool | None = None,
        compression: grpc.Compression | None = None,
    ) -> Any:
        """As grpc's."""
        return self.started("future", request, timeout, metadata, credentials, wait_for_ready, compression)


class ManyResponsesFace(_Face):
    """A multicallable with a stream of responses."""

    def __call__(
        self,
        request: Any,
        timeout: float | None = None,
        metadata: Any = None,
        credentials: grpc.CallCredentials | None = None,
        wait_for_ready: bool | None = None,
        compression: grpc.Compression | None = None,
    ) -> Any:
        """As grpc's."""
        return self.started("__call__", request, timeout, metadata, credentials, wait_for_ready, compression)
