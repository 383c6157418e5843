"""One call to a plain service over a channel that is at hand: for supervisors and commands.

Whoever calls services for their own sake has a ServiceManager, with pools and policies; here is neither.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import grpc

from sage_rpc import errors
from sage_rpc.encoding import values
from sage_rpc.encoding.plain import METHOD
from sage_rpc.proto.v1 import invoke_pb2

__all__ = ["ask", "begin_to_ask"]


def ask(
    channel: grpc.Channel,
    service: str,
    method: str,
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    timeout: float,
) -> Any:
    """Call and wait at most `timeout` seconds.

    Raises:
        RemoteError: the method raised.
        RpcError: the call failed.
        UnserializableError: an argument does not travel.
    """
    return begin_to_ask(channel, service, method, args, kwargs, timeout=timeout)()


def begin_to_ask(
    channel: grpc.Channel,
    service: str,
    method: str,
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    timeout: float,
) -> Callable[[], Any]:
    """Begin a call. -> what waits for its result, and raises what `ask` does."""
    request = invoke_pb2.ServiceRequest(
        service=service,
        method=method,
        arguments=values.encode([list(args), dict(kwargs or {})], levels=values.CALL_LEVELS),
    )
    call = channel.unary_unary(
        METHOD,
        request_serializer=invoke_pb2.ServiceRequest.SerializeToString,
        response_deserializer=invoke_pb2.ServiceResponse.FromString,
    ).future(request, timeout=timeout)

    def result() -> Any:
        try:
            response = call.result()
        except grpc.RpcError as error:
            raise errors.from_grpc(error) from None
        if response.HasField("exception"):
            remote = response.exception
            raise errors.RemoteError(remote.type, remote.message, remote.traceback)
        return values.decode(response.result, response.buffers)

    return result
