"""Python values as bytes: the safe, typed encoding of plain-class services and named queues.

Carries None, bool, int of any size, float, str, bytes, list, tuple, dict, datetime, date, time,
timedelta, and numpy arrays and scalars. What it does not know it refuses, and says where it stood;
decoding never runs code that the sender chose. The format is MessagePack with the extension types
below; a numpy array decodes to a read-only view of the received bytes.
"""

from __future__ import annotations

import datetime
import sys
from typing import Any

import msgpack

__all__ = ["UnserializableError", "decode", "encode"]

_TUPLE, _BIG_INT, _DATETIME, _DATE, _TIME, _TIMEDELTA, _ARRAY, _SCALAR = range(1, 9)


class UnserializableError(TypeError):
    """A value of a type that does not travel; the text gives its path and type."""


def encode(value: Any) -> bytes:
    """The bytes of `value`.

    Raises:
        UnserializableError: some part of it has a type that does not travel.
    """
    try:
        return bytes(msgpack.packb(value, default=_default, strict_types=True))
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise UnserializableError(_explain(value, error)) from None


def decode(data: bytes | memoryview) -> Any:
    """The value that `encode` made `data` of.

    Raises:
        ValueError: the bytes are no encoded value.
    """
    try:
        return msgpack.unpackb(data, ext_hook=_extension, strict_map_key=False)
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


def _encode_array(array: Any) -> bytes:
    from numpy.lib import format as numpy_format

    if array.dtype.hasobject:
        raise UnserializableError("numpy array of Python objects")
    descr = array.dtype.str if array.dtype.names is None else numpy_format.dtype_to_descr(array.dtype)
    header = _pack([descr, list(array.shape)])
    return b"".join((len(header).to_bytes(4, "little"), header, array.tobytes()))


def _decode_array(data: bytes) -> Any:
    try:
        import numpy
        from numpy.lib import format as numpy_format
    except ImportError as error:
        raise ValueError("the value holds a numpy array; pip install numpy to read it") from error
    size = int.from_bytes(data[:4], "little")
    descr, shape = decode(data[4 : 4 + size])
    dtype = numpy_format.descr_to_dtype(descr)
    if dtype.hasobject:
        raise ValueError("a numpy array of Python objects is refused")
    count = 1
    for n in shape:
        if n < 0:
            raise ValueError("a numpy array has a negative dimension")
        count *= n
    if len(data) - 4 - size != count * dtype.itemsize:
        raise ValueError("a numpy array has another size than its shape says")
    return numpy.frombuffer(data, dtype, count, offset=4 + size).reshape(shape)


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
