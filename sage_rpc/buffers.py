"""Large buffers beside the protobuf message that they belong to: sent from where they are, read where they arrive.

A message of a plain-class service carries its large buffers in a repeated bytes field, the last of its fields. Over
gRPC that is what it is. Over the memory queue nobody puts them into the message: the field's tags and
lengths are written between them, and the message travels in parts (`Parts`), whose bytes are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from google.protobuf.message import Message

from sage_rpc.native import available

if TYPE_CHECKING:
    from sage_rpc.native._core import Block, Parts

__all__ = ["LEAST_BYTES", "Buffer", "WithBuffers", "deserializer", "serializer"]

LEAST_BYTES = 32768  # a smaller buffer is part of the encoded value

Buffer: TypeAlias = "bytes | memoryview | Block"


class WithBuffers:
    """A protobuf message and the values of its last field, which it lacks.

    Attributes:
        message: without the field's values.
        buffers: the field's values, in order.
    """

    __slots__ = ("buffers", "message")

    def __init__(self, message: Any, buffers: Sequence[Buffer]) -> None:
        self.message = message
        self.buffers = buffers


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _head(field: int, size: int) -> bytes:
    """Tag and length of one value of a bytes field."""
    return _varint(field << 3 | 2) + _varint(size)


def serializer(field: int) -> Callable[[Any], bytes]:
    """The serializer of messages whose field number `field`, their last, may be apart (`WithBuffers`)."""

    def parts(request: WithBuffers) -> list[Buffer]:
        out: list[Buffer] = [request.message.SerializeToString()]
        for buffer in request.buffers:
            out[-1] = bytes(out[-1]) + _head(field, len(buffer)) if len(out) == 1 else _head(field, len(buffer))
            out.append(buffer)
        return out

    raise NotImplementedError
