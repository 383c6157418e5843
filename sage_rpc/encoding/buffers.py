"""Large buffers beside their protobuf message: sent from where they are, read where they arrive.

A message of a plain-class service carries its large buffers in a repeated bytes field, the last of its
fields. Over gRPC that is what it is. Over the memory queue nobody copies them into the message: the field's
tags and lengths are written between them, and the message travels in parts, which are the same bytes.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any, Protocol, SupportsIndex

import grpc
from google.protobuf.message import EncodeError, Message

from sage_rpc import serving
from sage_rpc.encoding.values import LEAST_BYTES, may_be_shared
from sage_rpc.native import available, core

__all__ = [
    "WithBuffers",
    "deserializer",
    "empty",
    "gives_parts",
    "head",
    "parts_deserializer",
    "parts_serializer",
    "serializer",
    "size_of",
    "wrapped_deserializer",
]

_OVER_MEMORY: Any = core.ServicerContext if available() else ()  # their responses may lie in shared memory


class WithBuffers:
    """A protobuf message and the values of its last field, which it lacks.

    Attributes:
        message: without the field's values; bytes, where it is serialized already.
        buffers: the field's values in order: bytes, and whatever else gives its bytes one by one.
    """

    __slots__ = ("buffers", "message")

    def __init__(self, message: Any, buffers: Sequence[Any]) -> None:
        self.message = message
        self.buffers = buffers

    def kept(self) -> WithBuffers:
        """The same, with no memory of anybody else's."""
        return WithBuffers(self.message, [bytes(each) for each in self.buffers])


def size_of(message: Any) -> int:
    """Bytes of a request or response on the wire; 0 of what only its serializer knows."""
    if type(message) is bytes:
        return len(message)
    if type(message) is WithBuffers:
        return len(message.message) + sum(map(len, message.buffers))
    if isinstance(message, Message):
        try:
            return message.ByteSize()
        except EncodeError:  # without a required field; protobuf parses it, and so takes it
            return len(message.SerializePartialToString())
    return 0


def empty(shape: int | Sequence[int], dtype: Any = float, channel: Any = None) -> Any:
    """A numpy array, as `numpy.empty` makes it, that a call can send without copying it.

    Its memory is shared with the process at the other end, which sees what is written into it for as long
    as it holds what it received. Where there is no such memory (calls go over gRPC, the arena is full, or the
    array has less than 32 KiB), the array is an ordinary one; so the same code works everywhere. So is one
    whose elements are no floats, unless this process trusts its peers: the other process could write it, too,
    and what may be an index must not change while numpy uses it (`SAGE_RPC_TRUST_PEERS`, docs/security.md).

    Args:
        shape: the array's shape.
        dtype: its dtype, one without Python objects.
        channel: the `Channel`, or the proxy of a service, that will send it, or the `ServicerContext` of the
            call that it answers. None: the call that this thread serves.

    Raises:
        ValueError: the dtype holds Python objects.
        TypeError: `channel` is nothing that sends messages.
    """
    import numpy

    dtype = numpy.dtype(dtype)
    if dtype.hasobject:
        raise ValueError(f"an array of {dtype} cannot be sent: it holds Python objects")
    if channel is None:
        served = serving.current()
        if served is not None and isinstance(served.context, _OVER_MEMORY):
            channel = served.context
    elif not hasattr(channel, "__sage_rpc_allocate__"):
        if not isinstance(channel, (grpc.Channel, grpc.ServicerContext)):
            raise TypeError(f"expected a channel, a proxy or a ServicerContext, not {type(channel).__name__}")
        channel = None  # of gRPC
    size = dtype.itemsize
    for n in (shape,) if isinstance(shape, SupportsIndex) else shape:
        size *= operator.index(n)
    shared = channel is not None and size >= LEAST_BYTES and may_be_shared(dtype)
    block = channel.__sage_rpc_allocate__(size) if shared else None
    if block is None:
        return numpy.empty(shape, dtype)
    return numpy.frombuffer(block, dtype).reshape(shape)


def parts_serializer(serialize: Callable[[Any], bytes | list[Any]]) -> Callable[[Any], bytes]:
    """A serializer for channels and handlers, of a function that may give the message as a list of parts.

    The parts are bytes, and whatever else gives its bytes one by one; the message is all of them in order.
    """
    if not available():

        def joined(message: Any) -> bytes:
            data = serialize(message)
            return b"".join(data) if type(data) is list else data  # type: ignore[return-value]  # no list

        return joined

    def in_parts(message: Any) -> Any:
        data = serialize(message)
        return core.Parts(data) if type(data) is list else data

    return core.PartsSerializer(in_parts)


def parts_deserializer(
    whole: Callable[[bytes], Any], apart: Callable[[Sequence[Any]], Any]
) -> Callable[[bytes], Any]:
    """A deserializer for channels and handlers that makes a message of its bytes, or of its parts.

    `apart` gets those as they arrived, and gives None when it can make nothing of them: then they are joined.
    """
    if not available():
        return whole

    def deserialize(data: Any) -> Any:
        if type(data) is bytes:
            return whole(data)
        found = apart(data.parts)
        return whole(data.join()) if found is None else found

    return core.PartsDeserializer(deserialize)


def wrapped_deserializer(function: Callable[[Any], Any], wrapped: Any) -> Callable[[Any], Any]:
    """`function`, which calls the deserializer `wrapped`, for messages as that takes them."""
    return (
        core.PartsDeserializer(function)
        if available() and type(wrapped) is core.PartsDeserializer
        else function
    )


def gives_parts(serializer: Any) -> bool:
    """Whether a serializer may give the message as parts."""
    return available() and type(serializer) is core.PartsSerializer


def serializer(field: int) -> Callable[[Any], bytes]:
    """The serializer of messages whose field number `field`, their last, may be apart (`WithBuffers`)."""

    def serialize(message: Any) -> Any:
        if type(message) is not WithBuffers:
            return _serialized(message)
        parts: list[Any] = [_serialized(message.message)]
        for buffer in message.buffers:
            parts += (head(field, len(buffer)), buffer)
        return parts

    return parts_serializer(serialize)


def _serialized(message: Any) -> bytes:
    return message if type(message) is bytes else message.SerializeToString()


class Parser(Protocol):
    """What makes something of a message's bytes: a class of messages, for example."""

    def FromString(self, data: bytes, /) -> Any:
        """What `data` stands for."""


def deserializer(kind: Parser, field: int) -> Callable[[bytes], Any]:
    """The deserializer that goes with `serializer(field)`: gives what `kind` does, or `WithBuffers` of it."""

    def apart(parts: Sequence[Any]) -> Any:
        found = _apart(parts, field)
        return None if found is None else WithBuffers(kind.FromString(found[0]), found[1])

    return parts_deserializer(kind.FromString, apart)


def _apart(parts: Sequence[Any], field: int) -> tuple[bytes, list[Any]] | None:
    """The message and the buffers that came in `parts`; None where they are divided in another way."""
    buffers = list(parts[1::2])
    heads = parts[::2]
    if len(heads) != len(buffers) or any(type(each) is not bytes for each in heads):
        return None
    expected = [head(field, len(buffer)) for buffer in buffers]
    if heads[1:] != expected[1:] or not heads[0].endswith(expected[0]):
        return None
    return heads[0][: -len(expected[0])], buffers


@functools.lru_cache(maxsize=1024)
def head(field: int, size: int) -> bytes:
    """Tag and length of one value of a bytes field."""
    return _varint(field << 3 | 2) + _varint(size)


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)
