"""Python values as bytes: the safe, typed encoding of plain-class services and named queues.

Carries None, bool, int of any size, float, str, bytes, list, tuple, dict, datetime, date, time,
timedelta, and numpy arrays and scalars. What it does not know it refuses, and says where it stood;
decoding never runs code that the sender chose. The format is MessagePack with the extension types
below; a numpy array decodes to a read-only view of the received bytes. Whoever has a place for large
buffers beside the encoded value gives a list for them; the value then refers to them by number.
"""

from __future__ import annotations

import datetime
import functools
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any

import msgpack

__all__ = ["LEAST_BYTES", "UnserializableError", "decode", "encode"]

LEAST_BYTES = 32768  # a smaller buffer is better off inside the encoded value
_FEW = 16

_TUPLE, _BIG_INT, _DATETIME, _DATE, _TIME, _TIMEDELTA, _ARRAY, _SCALAR, _BUFFER = range(1, 10)

# To make a packer costs more than to pack what most calls carry, so each thread keeps its own; not one that
# has made more than this many bytes, as it keeps its buffer.
_KEPT_BYTES = 1 << 20
_packers = threading.local()


class UnserializableError(TypeError):
    """A value of a type that does not travel; the text gives its path and type."""


def encode(value: Any, buffers: list[Any] | None = None) -> bytes:
    """The bytes of `value`.

    Args:
        value: what is encoded.
        buffers: gets the large buffers of arrays and bytes, which are then no part of the encoded value;
            they are views of the objects in it and not copies.

    Raises:
        UnserializableError: some part of it has a type that does not travel.
    """
    try:
        if buffers is None:
            return _pack_here("all", _default, value)
        # Most values are small: they are packed before anything is looked for in them, but large bytes.
        try:
            packed = None if _has_large_bytes(value) else _pack_here("small", _default_small, value)
        except _LargeFound:
            packed = None
        if packed is not None and len(packed) < LEAST_BYTES:
            return packed
        marked = _mark_large(value)
        return packed if packed is not None and marked is value else _Packer(buffers).pack(marked)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise UnserializableError(_explain(value, error)) from None


def decode(data: bytes | memoryview, buffers: Sequence[Any] = ()) -> Any:
    """The value that `encode` made `data` and `buffers` of; arrays are read-only views of the buffers.

    Raises:
        ValueError: the bytes are no encoded value.
    """
    try:
        if not buffers:
            return msgpack.unpackb(data, ext_hook=_extension, strict_map_key=False)
        return msgpack.unpackb(data, ext_hook=_Unpacker(buffers).extension, strict_map_key=False)
    except (
        ValueError,
        TypeError,
        OverflowError,
        RecursionError,
        LookupError,
        msgpack.exceptions.UnpackException,
    ) as error:
        raise ValueError(f"malformed value: {error}") from error


def _pack(value: Any) -> bytes:
    return bytes(msgpack.packb(value, default=_default, strict_types=True))


def _pack_here(kind: str, default: Callable[[Any], Any], value: Any) -> bytes:
    """`value` packed by this thread's packer of that kind."""
    pack = getattr(_packers, kind, None)
    if pack is None:
        pack = msgpack.Packer(default=default, strict_types=True).pack
        setattr(_packers, kind, pack)
    packed: bytes = pack(value)
    if len(packed) > _KEPT_BYTES:
        delattr(_packers, kind)
    return packed


class _LargeFound(Exception):
    """There is a large buffer in a value, which is better off beside it."""


def _default_small(value: Any) -> Any:
    kind = type(value)
    if kind is tuple:
        listed = list(value)
        if _mark_large(listed) is not listed:
            raise _LargeFound
        return msgpack.ExtType(_TUPLE, msgpack.packb(listed, default=_default_small, strict_types=True))
    if kind in (bytearray, memoryview):
        if memoryview(value).nbytes >= LEAST_BYTES:
            raise _LargeFound
    else:
        numpy = sys.modules.get("numpy")
        if numpy is not None and kind is numpy.ndarray and value.nbytes >= LEAST_BYTES:
            raise _LargeFound
    return _default(value)


class _Packer:
    """Encodes values with their large buffers apart.

    An object and no closure that calls itself: what it refers to must be free as soon as it is not used.
    """

    __slots__ = ("_buffers",)

    def __init__(self, buffers: list[Any]) -> None:
        self._buffers = buffers

    def pack(self, value: Any) -> bytes:
        return bytes(msgpack.packb(value, default=self._default, strict_types=True))

    def _default(self, value: Any) -> Any:
        kind = type(value)
        if kind is _Large:
            return self._apart(value.data, None)
        if kind is tuple:
            return msgpack.ExtType(_TUPLE, self.pack(_mark_large(list(value))))
        if kind in (bytearray, memoryview):
            return self._apart(value, None) if memoryview(value).nbytes >= LEAST_BYTES else bytes(value)
        numpy = sys.modules.get("numpy")
        if numpy is not None and kind is numpy.ndarray and value.nbytes >= LEAST_BYTES:
            return self._apart(value, numpy)
        return _default(value)

    def _apart(self, value: Any, numpy: Any) -> Any:
        """Put the bytes of `value` into the buffers. -> what stands for it."""
        number = len(self._buffers)
        if numpy is None:
            flat = value if type(value) is bytes else _flat(value)
            array = []
        else:
            array = [_description(value), list(value.shape)]
            flat = memoryview(numpy.ascontiguousarray(value).reshape(-1).view(numpy.uint8))
        self._buffers.append(flat)
        return msgpack.ExtType(_BUFFER, _pack([number, *array]))


def _flat(value: Any) -> memoryview | bytes:
    """The bytes of a bytearray or memoryview, one by one; a copy only where they do not follow each other."""
    view = memoryview(value)
    return view.cast("B") if view.c_contiguous else view.tobytes()


class _Large:
    """Stands for bytes, which MessagePack would copy without asking."""

    __slots__ = ("data",)

    def __init__(self, data: bytes) -> None:
        self.data = data


def _has_large_bytes(value: Any) -> bool:
    """Whether there are large bytes where a call has them: to pack `value` would be in vain.

    This is a look and no search: what it does not see is packed twice.
    """
    kind = type(value)
    if kind is bytes:
        return len(value) >= LEAST_BYTES
    if kind is list and len(value) <= _FEW:  # the arguments of a call, by position and by name
        for part in value:
            kind = type(part)
            if kind is dict:
                part = part.values()  # noqa: PLW2901
            elif kind is not list or len(part) > _FEW:
                continue
            for each in part:
                if type(each) is bytes and len(each) >= LEAST_BYTES:
                    return True
    return False


def _mark_large(value: Any, depth: int = 3) -> Any:
    """`value` with `_Large` for the large bytes in its outer containers; itself where there are none."""
    kind = type(value)
    if kind is bytes:
        return _Large(value) if len(value) >= LEAST_BYTES else value
    if kind is list and value and depth:
        for number, each in enumerate(value):
            marked = _mark_large(each, depth - 1)
            if marked is not each:
                return [*value[:number], marked, *(_mark_large(e, depth - 1) for e in value[number + 1 :])]
    elif kind is dict and value and depth:
        for each in value.values():
            if _mark_large(each, depth - 1) is not each:
                return {key: _mark_large(e, depth - 1) for key, e in value.items()}
    return value


def _default(value: Any) -> Any:
    kind = type(value)
    if kind is tuple:
        return msgpack.ExtType(_TUPLE, _pack(list(value)))
    if kind is int:
        return msgpack.ExtType(_BIG_INT, value.to_bytes((value.bit_length() + 8) // 8, "little", signed=True))
    if kind is datetime.datetime:
        return msgpack.ExtType(_DATETIME, value.isoformat().encode())
    if kind is datetime.date:
        return msgpack.ExtType(_DATE, value.isoformat().encode())
    if kind is datetime.time:
        return msgpack.ExtType(_TIME, value.isoformat().encode())
    if kind is datetime.timedelta:
        return msgpack.ExtType(_TIMEDELTA, _pack([value.days, value.seconds, value.microseconds]))
    if kind in (bytearray, memoryview):
        return bytes(value)  # packed as such
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        if kind is numpy.ndarray:
            return msgpack.ExtType(_ARRAY, _encode_array(value))
        if isinstance(value, numpy.generic):
            return msgpack.ExtType(_SCALAR, _encode_array(numpy.asarray(value)))
    raise UnserializableError(_name(value))


def _description(array: Any) -> Any:
    """The dtype of `array` as a value."""
    if array.dtype.hasobject:
        raise UnserializableError("numpy array of Python objects")
    if array.dtype.names is None:
        return array.dtype.str
    from numpy.lib import format as numpy_format

    return numpy_format.dtype_to_descr(array.dtype)


def _encode_array(array: Any) -> bytes:
    header = _pack([_description(array), list(array.shape)])
    return b"".join((len(header).to_bytes(4, "little"), header, array.tobytes()))


def _decode_array(data: bytes) -> Any:
    size = int.from_bytes(data[:4], "little")
    descr, shape = decode(data[4 : 4 + size])
    return _view(data, 4 + size, descr, shape)


def _view(data: Any, offset: int, descr: Any, shape: Any) -> Any:
    """The array whose elements are the bytes of `data` from `offset` on."""
    try:
        import numpy
    except ImportError as error:
        raise ValueError("the value holds a numpy array; pip install numpy to read it") from error
    dtype = _dtype_by_name(descr) if type(descr) is str else _dtype(descr)
    if dtype.hasobject:
        raise ValueError("a numpy array of Python objects is refused")
    count = 1
    for n in shape:
        if n < 0:
            raise ValueError("a numpy array has a negative dimension")
        count *= n
    if len(data) - offset != count * dtype.itemsize:
        raise ValueError("a numpy array has another size than its shape says")
    return numpy.frombuffer(data, dtype, count, offset=offset).reshape(shape)


def _dtype(descr: Any) -> Any:
    from numpy.lib import format as numpy_format

    return numpy_format.descr_to_dtype(descr)


_dtype_by_name = functools.lru_cache(maxsize=64)(_dtype)  # few are in use, and each is looked for often


class _Unpacker:
    """Decodes the extension types of a value whose large buffers are apart.

    As `_Packer`, it is in no reference cycle.
    """

    __slots__ = ("_buffers",)

    def __init__(self, buffers: Sequence[Any]) -> None:
        self._buffers = buffers

    def extension(self, code: int, data: bytes) -> Any:
        if code == _TUPLE:
            return tuple(msgpack.unpackb(data, ext_hook=self.extension, strict_map_key=False))
        if code != _BUFFER:
            return _extension(code, data)
        number, *array = decode(data)
        buffer = self._buffers[number]
        if not array:
            return bytes(buffer)
        descr, shape = array
        return _view(buffer, 0, descr, shape)


def _extension(code: int, data: bytes) -> Any:
    if code == _TUPLE:
        return tuple(msgpack.unpackb(data, ext_hook=_extension, strict_map_key=False))
    if code == _BIG_INT:
        return int.from_bytes(data, "little", signed=True)
    if code == _DATETIME:
        return datetime.datetime.fromisoformat(data.decode())
    if code == _DATE:
        return datetime.date.fromisoformat(data.decode())
    if code == _TIME:
        return datetime.time.fromisoformat(data.decode())
    if code == _TIMEDELTA:
        days, seconds, microseconds = decode(data)
        return datetime.timedelta(days, seconds, microseconds)
    if code == _ARRAY:
        return _decode_array(data)
    if code == _SCALAR:
        return _decode_array(data)[()]
    raise ValueError(f"unknown extension type {code}")


def _name(value: Any) -> str:
    kind = type(value)
    return f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")


def _explain(value: Any, error: Exception) -> str:
    try:
        found = _locate(value, "value")
    except RecursionError:
        return "cannot serialise a value that is nested too deeply or contains itself"
    if found is None:
        return f"cannot serialise the value: {error}"
    path, part = found
    return (
        f"{path}: cannot serialise {_name(part)} ({error}); "
        "use None, bool, int, float, str, bytes, list, tuple, dict, datetime or numpy arrays"
    )


def _locate(value: Any, path: str) -> tuple[str, Any] | None:
    """The first part of `value` that does not encode by itself."""
    if type(value) in (list, tuple):
        parts = ((f"{path}[{i}]", part) for i, part in enumerate(value))
    elif type(value) is dict:
        parts = (
            pair
            for key, part in value.items()
            for pair in ((f"key {key!r} of {path}", key), (f"{path}[{key!r}]", part))
        )
    else:
        try:
            _pack(value)
        except Exception:  # noqa: BLE001 - any failure means: this is the part
            return path, value
        return None
    for where, part in parts:
        found = _locate(part, where)
        if found is not None:
            return found
    return None
