"""The format of calls to plain classes, `sage.rpc.v1.Invocation`."""

from __future__ import annotations

from typing import Any

import grpc

from sage_rpc import errors
from sage_rpc.encoding import buffers, values
from sage_rpc.proto.v1 import invoke_pb2

__all__ = [
    "BATCH_METHOD",
    "BATCH_STREAM_METHOD",
    "DESERIALIZER",
    "METHOD",
    "SERIALIZER",
    "check_plain",
    "decode_plain",
    "keep_plain",
]

METHOD = "/sage.rpc.v1.Invocation/Call"
BATCH_METHOD = "/sage.rpc.v1.Invocation/Batch"
BATCH_STREAM_METHOD = "/sage.rpc.v1.Invocation/BatchStream"


class _PlainResponse:
    """What is made of a ServiceResponse: the encoded result, with buffers or without, or the exception."""

    @staticmethod
    def FromString(data: bytes) -> Any:
        # Most are short and hold nothing but field 1, a result: tag, length, bytes.
        if len(data) < 130 and data[:1] == b"\x0a" and data[1] == len(data) - 2:
            return data[2:]
        response = invoke_pb2.ServiceResponse.FromString(data)
        if response.HasField("exception"):
            remote = response.exception
            return errors.RemoteError(remote.type, remote.message, remote.traceback)
        if response.buffers:
            return buffers.WithBuffers(response.result, response.buffers)
        return response.result


SERIALIZER = buffers.serializer(invoke_pb2.ServiceRequest.BUFFERS_FIELD_NUMBER)
_plain_response: Any = _PlainResponse
DESERIALIZER = buffers.deserializer(_plain_response, invoke_pb2.ServiceResponse.BUFFERS_FIELD_NUMBER)


def check_plain(response: Any) -> None:
    """Raise what came instead of a result."""
    if type(response) is errors.RemoteError:
        raise response


def decode_plain(response: Any) -> Any:
    """The result.

    Raises:
        Internal: what came is no value.
    """
    try:
        if type(response) is bytes:
            return values.decode(response)
        return values.decode(response.message, response.buffers)
    except ValueError as error:
        raise errors.rpc_error(grpc.StatusCode.INTERNAL, f"the service's answer: {error}") from error


def keep_plain(response: Any) -> Any:
    """A response that holds no memory of its sender."""
    if type(response) is bytes:
        return response
    return response.kept()
