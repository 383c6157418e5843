"""One call to a plain service over a channel that is at hand: for supervisors and commands.

Whoever calls services for their own sake has a ServiceManager, with pools and policies; here is neither.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import grpc

from sage_rpc import errors
from sage_rpc.encoding.plain import check_plain
from sage_rpc.services.plain import PlainCodecs

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
    codec = PlainCodecs(service).find(method)
    call = channel.unary_unary(
        codec.path, request_serializer=codec.serializer, response_deserializer=codec.deserializer
    ).future(codec.encode(tuple(args), dict(kwargs or {})), timeout=timeout)

    def result() -> Any:
        try:
            response = call.result()
        except grpc.RpcError as error:
            raise errors.from_grpc(error) from None
        check_plain(response)
        return codec.decode(response)

    return result
