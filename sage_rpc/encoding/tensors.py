"""numpy arrays in the messages of declared services: `sage.rpc.v1.Tensor`, with the fewest copies.

`tensor` and `array` convert between numpy and the protobuf message; protobuf copies the elements several
times on their way. `with_arrays` is for large ones: through the channel or server that it gives, messages
travel as `Arrays`, whose arrays are no part of the protobuf message. Over the memory queue they are sent from
where they are and read where they arrive (see `sage_rpc.empty`); over gRPC, and for a peer that knows nothing
of this, the bytes of the message are those of an ordinary one.

A tensor that is apart stands after all other fields of its message, its elements last, so whoever reads the
parts finds it as the field that goes on beyond the part that it begins in.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeGuard, TypeVar, cast

import grpc
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from sage_rpc.encoding import buffers, values
from sage_rpc.proto.v1.tensor_pb2 import Tensor

__all__ = ["Arrays", "Tensor", "array", "tensor", "with_arrays"]

_T = TypeVar("_T", grpc.Channel, grpc.Server)
_TENSOR = Tensor.DESCRIPTOR.full_name
_DATA = Tensor.DATA_FIELD_NUMBER


def tensor(array: Any) -> Tensor:
    """A `Tensor` message with a copy of a numpy array, or of what `numpy.asarray` takes.

    Raises:
        ValueError: its elements are Python objects or records.
    """
    head, flat = _split(array)
    head.data = bytes(flat)
    return head


def array(tensor: Tensor) -> Any:
    """The read-only numpy array of a `Tensor` message.

    Raises:
        ValueError: dtype, shape and data do not fit together.
    """
    return _view(tensor, tensor.data)


def _split(value: Any) -> tuple[Tensor, memoryview]:
    """A Tensor without its data, and the data."""
    import numpy

    if numpy.ma.isMaskedArray(value):
        raise ValueError("a tensor has no mask: send value.filled(...), and value.mask beside it")
    found = numpy.asarray(value)
    if found.dtype.hasobject or found.dtype.names is not None:
        raise ValueError(f"a tensor holds numbers, not {found.dtype}")
    try:
        name = values.description(found.dtype)
    except values.UnserializableError as error:
        raise ValueError(str(error)) from None
    flat = numpy.ascontiguousarray(found).reshape(-1).view(numpy.uint8)
    return Tensor(dtype=name, shape=found.shape), flat.data


def _view(head: Tensor, data: Any) -> Any:
    try:
        return values.array_of(data, 0, head.dtype, tuple(head.shape))
    except (TypeError, ValueError) as error:
        shape = list(head.shape[:8])
        text = f"bad tensor of dtype {head.dtype[:32]!r}, shape {shape}, {len(data)} bytes: {error}"
        raise ValueError(text) from None


class Arrays:
    """A protobuf message, some of whose `Tensor` fields are numpy arrays apart from it.

    Its attributes are the fields of the message; those of type `Tensor` are numpy arrays, the repeated
    ones lists of them. What was received is read-only.

        stub.Detect(sage_rpc.Arrays(DetectRequest(model="m"), image=frame)).boxes

    Args:
        message: the other fields.
        arrays: numpy arrays, or lists of them, by the names of fields.

    Raises:
        ValueError: the message has no such field, or none of this type, or sets it, too.
    """

    __slots__ = ("arrays", "message")

    message: Message
    arrays: dict[str, Any]

    def __init__(self, message: Message, /, **arrays: Any) -> None:
        self.message = message
        self.arrays = arrays
        for name, value in arrays.items():
            field = message.DESCRIPTOR.fields_by_name.get(name)
            if not _is_tensor(field):
                known = _tensor_fields(type(message))
                close = difflib.get_close_matches(name, known, n=1) or known
                hint = f"; it has {', '.join(close)}" if close else ""
                raise ValueError(f"{message.DESCRIPTOR.full_name} has no Tensor field {name!r}{hint}")
            if field.is_repeated != isinstance(value, list | tuple):
                what = "a list of arrays" if field.is_repeated else "one array"
                raise ValueError(f"{field.full_name} takes {what}, not {type(value).__name__}")
            if getattr(message, name) if field.is_repeated else message.HasField(name):
                raise ValueError(f"{field.full_name} is given as an array, and set in the message, too")

    def __getattr__(self, name: str) -> Any:
        if name in Arrays.__slots__:
            raise AttributeError(name)
        found = self.arrays.get(name)
        if found is not None:
            return found
        value = getattr(self.message, name)
        field = self.message.DESCRIPTOR.fields_by_name.get(name)
        if not _is_tensor(field):
            return value
        found = [array(each) for each in value] if field.is_repeated else array(value)
        self.arrays[name] = found
        return found

    def __repr__(self) -> str:
        apart = ", ".join(self.arrays)
        return f"<Arrays of {self.message.DESCRIPTOR.full_name}{': ' + apart if apart else ''}>"


def _tensor_fields(kind: type[Message]) -> list[str]:
    return [field.name for field in kind.DESCRIPTOR.fields if _is_tensor(field)]


# ---------------------------------------------------------------- serializing


def _parts(message: Arrays) -> list[Any]:
    """The bytes of the message; every array's data is a part of its own."""
    parts: list[Any] = [message.message.SerializeToString()]
    fields = message.message.DESCRIPTOR.fields_by_name
    for name, value in message.arrays.items():
        for each in value if fields[name].is_repeated else (value,):
            tensor, data = _split(each)
            head = tensor.SerializeToString() + buffers.head(_DATA, len(data))
            parts += (buffers.head(fields[name].number, len(head) + len(data)) + head, data)
    return parts


def _received(kind: type[Message], parts: Sequence[Any]) -> Arrays | None:
    """The message in `parts`: bytes, and between them the data of arrays. None: divided in another way."""
    fields = {field.number: field for field in kind.DESCRIPTOR.fields if _is_tensor(field)}
    whole = inner = b""
    found: dict[str, Any] = {}
    for part in parts:
        if type(part) is bytes:
            inner = part
            continue
        last = buffers.head(_DATA, len(part))
        walked = _walk(inner, len(part)) if inner.endswith(last) else None
        if walked is None or walked[-1][0] not in fields:
            return None
        for number, _, _ in walked[:-1]:
            if number in fields and fields[number].is_repeated:
                found.setdefault(fields[number].name, []).append(None)  # it is in the message
        number, begin, value = walked[-1]
        made = _view(Tensor.FromString(inner[value : -len(last)]), part)
        if fields[number].is_repeated:
            found.setdefault(fields[number].name, []).append(made)
        else:
            found[fields[number].name] = made
        whole += inner[:begin]
        inner = b""
    message = kind.FromString(whole + inner)
    for name, given in found.items():
        if type(given) is list:
            inside = map(array, getattr(message, name))
            found[name] = [next(inside) if each is None else each for each in given] + list(inside)
            message.ClearField(name)
    return _made(message, found)


def _made(message: Message, arrays: dict[str, Any]) -> Arrays:
    """As `Arrays(message, **arrays)`, of what needs no check."""
    made = Arrays.__new__(Arrays)
    made.message = message
    made.arrays = arrays
    return made


def _walk(data: bytes, more: int) -> list[tuple[int, int, int]] | None:
    """The fields in `data` that have a length; the value of the last one ends `more` bytes after it.

    -> of each its number, where it begins, where its value begins; None when it is not so.
    """
    found: list[tuple[int, int, int]] = []
    at = 0
    try:
        while at < len(data):
            begin = at
            tag, at = _varint(data, at)
            kind = tag & 7
            if kind == 2:
                size, at = _varint(data, at)
                found.append((tag >> 3, begin, at))
                at += size
            elif kind == 0:
                _, at = _varint(data, at)
            elif kind in (1, 5):
                at += 8 if kind == 1 else 4
            else:
                return None
    except IndexError:
        return None
    return found if found and at == len(data) + more else None


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number of at most ten bytes, as in protobuf, and where it ends.

    Raises:
        IndexError: it does not end there.
    """
    value = 0
    for shift in range(0, 70, 7):
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise IndexError


def _is_tensor(field: Any) -> TypeGuard[FieldDescriptor]:
    return field is not None and field.message_type is not None and field.message_type.full_name == _TENSOR


def _serializer(serialize: Callable[[Any], bytes] | None) -> Callable[[Any], bytes] | None:
    if serialize is None:
        return None
    plain = serialize
    return buffers.parts_serializer(
        lambda message: _parts(message) if type(message) is Arrays else plain(message)
    )


def _deserializer(deserialize: Callable[[bytes], Any] | None) -> Callable[[bytes], Any] | None:
    found = getattr(deserialize, "__self__", None)
    if not (isinstance(found, type) and issubclass(found, Message)) or not _tensor_fields(found):
        return deserialize
    kind: type[Message] = found
    return buffers.parts_deserializer(
        lambda data: _made(kind.FromString(data), {}), lambda parts: _received(kind, parts)
    )


# ---------------------------------------------------------------- channels and servers


def with_arrays(end: _T) -> _T:
    """`end`, a channel or a server, for messages with arrays.

    Through the channel, requests may be `Arrays`, and responses that have `Tensor` fields are. Handlers that
    are added through the server get requests with `Tensor` fields as `Arrays`, and may give such responses.
    Both work with any channel and server of gRPC's, synchronous ones and those of asyncio.

        stub = DetectorStub(sage_rpc.with_arrays(channel))
        add_DetectorServicer_to_server(Detector(), sage_rpc.with_arrays(server))

    Raises:
        TypeError: it is neither a channel nor a server.
    """
    if hasattr(end, "unary_unary"):
        return cast("_T", _Channel(end))
    if hasattr(end, "add_generic_rpc_handlers"):
        return cast("_T", _Server(end))
    raise TypeError(f"expected a channel or a server, not {type(end).__name__}")


class _Channel:
    """Makes the multicallables of another channel, for messages with arrays; in all else it is that one."""

    def __init__(self, channel: Any) -> None:
        self._channel = channel

    def _multicallable(
        self,
        kind: str,
        method: str,
        request_serializer: Any = None,
        response_deserializer: Any = None,
        **others: Any,
    ) -> Any:
        make = getattr(self._channel, kind)
        return make(method, _serializer(request_serializer), _deserializer(response_deserializer), **others)

    def unary_unary(self, method: str, *args: Any, **kwargs: Any) -> Any:
        return self._multicallable("unary_unary", method, *args, **kwargs)

    def unary_stream(self, method: str, *args: Any, **kwargs: Any) -> Any:
        return self._multicallable("unary_stream", method, *args, **kwargs)

    def stream_unary(self, method: str, *args: Any, **kwargs: Any) -> Any:
        return self._multicallable("stream_unary", method, *args, **kwargs)

    def stream_stream(self, method: str, *args: Any, **kwargs: Any) -> Any:
        return self._multicallable("stream_stream", method, *args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._channel, name)

    def __enter__(self) -> Any:
        self._channel.__enter__()
        return self

    def __exit__(self, *error: object) -> Any:
        return self._channel.__exit__(*error)

    async def __aenter__(self) -> Any:
        await self._channel.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> Any:
        return await self._channel.__aexit__(*error)

    def __repr__(self) -> str:
        return f"<with arrays: {self._channel!r}>"


class _Server:
    """Adds handlers to another server, for messages with arrays; in all else it is that server."""

    def __init__(self, server: Any) -> None:
        self._server = server

    def add_generic_rpc_handlers(self, handlers: Iterable[grpc.GenericRpcHandler]) -> None:
        self._server.add_generic_rpc_handlers(tuple(_Handlers(each) for each in handlers))

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Any]) -> None:
        changed = {name: _with_arrays(handler) for name, handler in handlers.items()}
        self._server.add_registered_method_handlers(service, changed)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._server, name)

    def __repr__(self) -> str:
        return f"<with arrays: {self._server!r}>"


class _Handlers(grpc.GenericRpcHandler):
    def __init__(self, handlers: grpc.GenericRpcHandler) -> None:
        self._handlers = handlers

    def service(self, details: grpc.HandlerCallDetails) -> Any:
        found = self._handlers.service(details)
        return None if found is None else _with_arrays(found)


def _with_arrays(handler: Any) -> Any:
    return handler._replace(
        request_deserializer=_deserializer(handler.request_deserializer),
        response_serializer=_serializer(handler.response_serializer),
    )
