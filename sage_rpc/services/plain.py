"""Methods of plain classes: how a call of one travels."""

from __future__ import annotations

from typing import Any

from sage_rpc.encoding import buffers, values
from sage_rpc.encoding.plain import (
    DESERIALIZER,
    METHOD,
    SERIALIZER,
    check_plain,
    decode_plain,
    keep_plain,
)
from sage_rpc.proto.v1 import invoke_pb2
from sage_rpc.services.codec import Codec

__all__ = ["PlainCodecs"]


class PlainCodecs:
    """Methods of a plain class: any name may exist, the service knows."""

    def __init__(self, service: str) -> None:
        self._service = service

    def find(self, method: str) -> Codec:
        """The codec of a method, whether the service has it or not."""
        service = self._service
        encode_value = values.encode
        # A message is the concatenation of its fields: the first two are the same for every call.
        bare = invoke_pb2.ServiceRequest(service=service, method=method).SerializeToString()
        head, field = buffers.head, invoke_pb2.ServiceRequest.ARGUMENTS_FIELD_NUMBER

        def complain(args: tuple[Any, ...], kwargs: dict[str, Any]) -> values.UnserializableError:
            try:
                values.encode([list(args), kwargs], levels=values.CALL_LEVELS)
            except values.UnserializableError as error:
                text = str(error).replace("value[0]", "args", 1).replace("value[1]", "kwargs", 1)
                return values.UnserializableError(f"{service}.{method}: {text}")
            raise AssertionError("it can be encoded after all")

        def arguments(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bytes:
            try:
                return encode_value([list(args), kwargs], None, values.CALL_LEVELS)
            except values.UnserializableError:
                raise complain(args, kwargs) from None

        def encode(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            if not args and not kwargs:
                return bare
            large: list[Any] = []
            try:
                encoded = encode_value([list(args), kwargs], large, values.CALL_LEVELS)
            except values.UnserializableError:
                raise complain(args, kwargs) from None
            message = b"".join((bare, head(field, len(encoded)), encoded))
            return buffers.WithBuffers(message, large) if large else message

        return Codec(
            service=service,
            method=method,
            name=f"{service}.{method}",
            path=METHOD,
            serializer=SERIALIZER,
            deserializer=DESERIALIZER,
            encode=encode,
            check=check_plain,
            decode=decode_plain,
            copy=decode_plain,
            keep=keep_plain,
            sent=buffers.size_of,
            received=buffers.size_of,
            key=arguments,
        )
