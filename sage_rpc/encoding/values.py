"""Python values as bytes: the safe, typed encoding of plain-class services and named queues.

What arrives equals what was sent, type included, or was refused by name: docs/services.md has the table.
Decoding never runs code that the sender chose, imports nothing, and costs memory and time in proportion to
what was received. The format is MessagePack (`native/_codec.py`) with the extension types of docs/values.md.
Whoever has a place for large buffers beside the encoded value gives a list for them; the value then refers to
them by number.

An array is a read-only view of the received bytes. Where the sender can still write these, in shared memory,
that holds of floats alone: numpy checks indices, lengths and masks before it uses them, and they must not
change in between. Such arrays are copied, unless this process trusts its peers (`SAGE_RPC_TRUST_PEERS=1`).
"""

from __future__ import annotations

import datetime
import functools
import os
import re
import sys
from collections.abc import Sequence
from typing import Any

from sage_rpc.encoding import _codec
from sage_rpc.encoding._codec import LEAST_BYTES

__all__ = [
    "CALL_LEVELS",
    "LEAST_BYTES",
    "LEVELS",
    "UnserializableError",
    "array_of",
    "decode",
    "description",
    "dtype_of",
    "encode",
    "encode_list",
    "may_be_shared",
]

LEVELS = 64  # lists, tuples and dicts inside each other
CALL_LEVELS = LEVELS + 2  # arguments are in a list, which is in another
TRUSTS_PEERS = os.environ.get("SAGE_RPC_TRUST_PEERS") == "1"

_BIG_INT, _DATETIME, _DATE, _TIME, _TIMEDELTA, _ARRAY, _SCALAR, _BUFFER, _STRING = range(2, 11)
_MOST_HEADER = 1 << 16  # bytes of what says an array's type and shape
_MOST_EMPTY = (
    1 << 26
)  # along the sides of an array that holds nothing: as many as an array with elements may have
_MOST_TIME = 200  # bytes of a time with its zone
_DTYPE = re.compile(
    r"[<>|=]?(?:[biufcSUV][0-9]{1,10}|[mM]8(?:\[[0-9]{0,9}[A-Za-z]{1,2}\])?)(?:\+[0-9]{1,3})?"
)
_ZONE = re.compile(r"[A-Za-z0-9_+-]{1,32}(?:/[A-Za-z0-9_+-]{1,32}){0,3}")


class UnserializableError(TypeError):
    """A value of a type that does not travel; the text gives its path and type."""


def encode(value: Any, buffers: list[Any] | None = None, levels: int = LEVELS) -> bytes:
    """The bytes of `value`.

    Args:
        value: what is encoded.
        buffers: gets the large buffers of arrays and bytes, which are then no part of the encoded value;
            they are views of the objects in it and not copies.
        levels: how many lists, tuples and dicts may be inside each other.

    Raises:
        UnserializableError: some part of it has a type that does not travel, or there are more levels.
    """
    try:
        return _codec.encode(value, buffers, _other, levels)
    except (TypeError, ValueError, OverflowError, RuntimeError) as error:
        raise UnserializableError(_explain(value, error, levels)) from None


def encode_list(parts: list[bytes]) -> bytes:
    """The bytes of a list of the values whose bytes `encode` gave."""
    return _codec.encode_list(parts)


def decode(data: bytes | memoryview, buffers: Sequence[Any] = (), levels: int = LEVELS) -> Any:
    """The value that `encode` made `data` and `buffers` of. Arrays are read-only views of these, or copies.

    Raises:
        ValueError: the bytes are no encoded value, or there are more levels.
    """
    try:
        return _codec.decode(
            data if type(data) is bytes else bytes(data), list(buffers) if buffers else (), _extension, levels
        )
    except _codec.TooDeep:
        raise ValueError(f"malformed value: it has more than {levels} levels") from None
    except (ValueError, TypeError, OverflowError, LookupError) as error:
        raise ValueError(f"malformed value: {error}") from error


# ---------------------------------------------------------------- encoding


def _other(value: Any, buffers: list[Any] | None) -> Any:
    """What stands for a value that MessagePack does not know: bytes, or code and payload of an extension."""
    kind = type(value)
    if kind is bytearray or kind is memoryview:
        view = memoryview(value)
        if buffers is None or view.nbytes < LEAST_BYTES or not view.c_contiguous:
            return view.tobytes()
        return _BUFFER, _header([_number_of(view.cast("B"), buffers)])
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        if kind is numpy.ndarray:
            return _array(value, buffers, numpy)
        if isinstance(value, numpy.generic):
            return _scalar(value, numpy)
        if isinstance(value, numpy.ndarray):
            raise UnserializableError("a subclass of numpy.ndarray; what numpy.asarray makes of it travels")
    if kind is int:
        return _BIG_INT, value.to_bytes((value.bit_length() + 8) // 8, "little", signed=True)
    if kind is datetime.datetime:
        return _DATETIME, _time_text(value)
    if kind is datetime.date:
        return _DATE, value.isoformat().encode()
    if kind is datetime.time:
        return _TIME, _time_text(value)
    if kind is datetime.timedelta:
        return _TIMEDELTA, _codec.encode([value.days, value.seconds, value.microseconds], None, None, 1)
    raise UnserializableError(_name(value))


def _number_of(view: memoryview, buffers: list[Any]) -> int:
    """Put bytes apart. -> by which number the value refers to them."""
    buffers.append(view)
    return len(buffers) - 1


def _array(value: Any, buffers: list[Any] | None, numpy: Any) -> tuple[int, bytes]:
    head = [description(value.dtype), list(value.shape)]
    if buffers is not None and value.nbytes >= LEAST_BYTES:
        flat = memoryview(numpy.ascontiguousarray(value).reshape(-1).view(numpy.uint8))
        return _BUFFER, _header([_number_of(flat, buffers), *head])
    return _ARRAY, _with_header(head, value.tobytes())


def _scalar(value: Any, numpy: Any) -> tuple[int, bytes]:
    kind = type(value)
    if kind is numpy.str_:  # an array would drop zeros at its end
        return _STRING, _codec.encode(str.__add__(value, ""), None, None, 0)
    if kind is numpy.bytes_:
        return _STRING, _codec.encode(bytes(memoryview(value)), None, None, 0)
    if kind is not value.dtype.type:
        raise UnserializableError(_name(value))
    return _SCALAR, _with_header([description(value.dtype), []], value.tobytes())


def _header(head: list[Any]) -> bytes:
    encoded = _codec.encode(head, None, None, LEVELS)
    if len(encoded) > _MOST_HEADER:
        raise UnserializableError("a numpy dtype of too many fields")
    return encoded


def _with_header(head: list[Any], data: bytes) -> bytes:
    encoded = _header(head)
    return b"".join((len(encoded).to_bytes(4, "little"), encoded, data))


def description(dtype: Any) -> Any:
    """A numpy dtype as a value: its name, or of a record [names, formats, offsets, size, aligned, titles].

    Raises:
        UnserializableError: it would not come back as it is.
    """
    if dtype.hasobject:
        raise UnserializableError("numpy array of Python objects")
    if dtype.metadata:
        raise UnserializableError("a numpy dtype with metadata, which would be lost")
    if not dtype.itemsize:
        raise UnserializableError(f"a numpy dtype without a size, {dtype!r}")
    if dtype.names is None:
        return _known_name(dtype)
    if dtype.type.__module__ != "numpy" or dtype.type.__name__ != "void":
        raise UnserializableError(f"a numpy dtype of {dtype.type.__name__}s")
    fields = [dtype.fields[name] for name in dtype.names]
    return [
        list(dtype.names),
        [_format(field[0]) for field in fields],
        [field[1] for field in fields],
        dtype.itemsize,
        dtype.isalignedstruct,
        [field[2] if len(field) > 2 else None for field in fields],
    ]


def _format(dtype: Any) -> Any:
    """The dtype of a field: that of elements, or [that, shape] of arrays in each record."""
    if dtype.subdtype is None:
        return description(dtype)
    if not dtype.itemsize:
        raise UnserializableError(f"a numpy dtype without a size, {dtype!r}")
    element, shape = dtype.subdtype
    return [description(element), list(shape)]


@functools.lru_cache(maxsize=64)
def _known_name(dtype: Any) -> str:
    name: str = dtype.str
    if dtype.char in "gG":  # long doubles of one size have different bits on different machines
        name += f"+{_long_double_bits()}"
    try:
        if dtype_of(name) == dtype:
            return name
    except ValueError:
        pass
    raise UnserializableError(f"a numpy dtype that is not known by numpy's own names, {dtype!r}")


def _time_text(value: Any) -> bytes:
    """ISO 8601, and in brackets what that lacks: the zone's key, the fixed offset's name, the fold."""
    text = value.isoformat()
    zone = value.tzinfo
    if zone is not None and zone is not datetime.timezone.utc:
        known = sys.modules.get("zoneinfo")
        if known is not None and type(zone) is known.ZoneInfo:
            if zone.key is None or not _ZONE.fullmatch(zone.key):
                raise UnserializableError("a time in a zone that has no name")
            text += f"[{zone.key}]"
        elif value.utcoffset() is None:
            raise UnserializableError(
                f"a time in a zone of {_name(zone)}, whose offset it does not have; zoneinfo.ZoneInfo travels"
            )
        elif type(zone) is datetime.timezone:
            name = zone.tzname(None)
            if name != datetime.timezone(zone.utcoffset(None)).tzname(None):
                if "[" in name or "]" in name:
                    raise UnserializableError("a time in a zone with brackets in its name")
                text += f"[={name}]"
    if value.fold:
        text += "[fold=1]"
    encoded: bytes = text.encode()
    if len(encoded) > _MOST_TIME:
        raise UnserializableError("a time in a zone with a long name")
    return encoded


# ---------------------------------------------------------------- decoding


def _extension(code: int, data: bytes, buffers: Any) -> Any:
    if code == _BUFFER:
        number, *array = _header_of(data)
        buffer = buffers[number]
        if buffer is None:
            raise ValueError("it refers to a buffer twice")
        buffers[number] = None
        return array_of(buffer, 0, *array) if array else bytes(buffer)
    if code == _ARRAY:
        return _decoded_array(data)
    if code == _SCALAR:
        return _decoded_array(data)[()]
    if code == _STRING:
        text = _codec.decode(data, (), None, 0)
        if type(text) is str:
            return _numpy().str_(text)
        if type(text) is bytes:
            return _numpy().bytes_(text)
        raise ValueError("a numpy string that is none")
    if code == _BIG_INT:
        return int.from_bytes(data, "little", signed=True)
    if code == _DATETIME:
        return _time_of(datetime.datetime, data)
    if code == _DATE:
        return datetime.date.fromisoformat(data.decode())
    if code == _TIME:
        return _time_of(datetime.time, data)
    if code == _TIMEDELTA:
        days, seconds, microseconds = _codec.decode(data, (), None, 1)
        return datetime.timedelta(days, seconds, microseconds)
    raise ValueError(f"unknown extension type {code}")


def _header_of(data: bytes) -> Any:
    if len(data) > _MOST_HEADER:
        raise ValueError("a numpy dtype of too many fields")
    return _codec.decode(data, (), None, LEVELS)


def _decoded_array(data: bytes) -> Any:
    end = 4 + int.from_bytes(data[:4], "little")
    descr, shape = _header_of(data[4:end])
    return array_of(data, end, descr, shape)


def array_of(data: Any, offset: int, descr: Any, shape: Sequence[int]) -> Any:
    """The array whose elements are the bytes of `data` from `offset` on, read-only.

    Raises:
        ValueError: these do not fit together.
    """
    numpy = _numpy()
    dtype = dtype_of(descr) if type(descr) is str else _record(descr)
    count = sides = 1
    for n in shape:
        if type(n) is not int or n < 0:
            raise ValueError("a numpy array has a dimension that is negative or no int")
        count *= n
        sides *= n or 1
    if len(data) - offset != count * dtype.itemsize:
        raise ValueError("a numpy array has another size than its shape says")
    if not count and sides > _MOST_EMPTY:
        raise ValueError("a numpy array without elements has too many of none")
    array = numpy.frombuffer(data, dtype, count, offset=offset).reshape(shape)
    if type(data) is not bytes and not may_be_shared(dtype):
        array = array.copy()
        array.flags.writeable = False
    return array


def may_be_shared(dtype: Any) -> bool:
    """Whether an array of that dtype may lie in memory that a peer can write while this process uses it."""
    return TRUSTS_PEERS or _is_float(dtype)


def _is_float(dtype: Any) -> bool:
    """Nothing of it can be an index, a length, a mask or a code point."""
    if dtype.names is not None:
        return all(_is_float(dtype.fields[name][0]) for name in dtype.names)
    return dtype.base.kind in "fc"


def _numpy() -> Any:
    try:
        import numpy
    except ImportError as error:
        raise ValueError("the value holds a numpy array; pip install numpy to read it") from error
    return numpy


def dtype_of(name: str) -> Any:
    """The numpy dtype of that name.

    Raises:
        ValueError: it has none, or is one of records, objects or nothing.
    """
    if len(name) > 32:
        raise ValueError(f"the numpy dtype {name[:32]!r}... is refused")
    return _dtype_by_name(name)


@functools.lru_cache(maxsize=64)  # few are in use, and each is looked for often
def _dtype_by_name(name: str) -> Any:
    if not _DTYPE.fullmatch(name):
        raise ValueError(f"the numpy dtype {name!r} is refused")
    numpy = _numpy()
    name, _, bits = name.partition("+")
    try:
        dtype = numpy.dtype(name)
    except TypeError as error:
        raise ValueError(str(error)) from None
    if dtype.char in "gG" and bits != str(_long_double_bits()):
        raise ValueError("long doubles are others where it comes from")
    if not dtype.itemsize:
        raise ValueError(f"{name!r} is a numpy dtype without a size")
    return dtype


def _long_double_bits() -> int:
    """Bits of the mantissa of this machine's long double."""
    return int(_numpy().finfo(_numpy().longdouble).nmant)


def _record(descr: Any) -> Any:
    names, formats, offsets, size, aligned, titles = descr
    if not names or type(aligned) is not bool:
        raise ValueError("a numpy record is none")
    spec = {
        "names": names,
        "formats": [_format_of(each) for each in formats],
        "offsets": offsets,
        "itemsize": size,
        "aligned": aligned,
    }
    if any(title is not None for title in titles):
        spec["titles"] = titles
    return _numpy().dtype(spec)


def _format_of(descr: Any) -> Any:
    if type(descr) is str:
        return dtype_of(descr)
    if len(descr) != 2:
        return _record(descr)
    element, shape = descr
    if not all(type(n) is int and n > 0 for n in shape):
        raise ValueError("a numpy record has a field without a size")
    return _numpy().dtype((_format_of(element), tuple(shape)))


def _time_of(kind: Any, data: bytes) -> Any:
    if len(data) > _MOST_TIME:
        raise ValueError("a time is too long")
    if b"[" not in data:
        return kind.fromisoformat(data.decode())
    text, *said = data.decode().split("[")
    value = kind.fromisoformat(text)
    for each in said:
        if each[-1:] != "]":
            raise ValueError("a time ends in the middle")
        if each == "fold=1]":
            value = value.replace(fold=1)
    for each in said:
        if each[:1] == "=":
            value = value.replace(tzinfo=datetime.timezone(value.utcoffset(), each[1:-1]))
        elif each != "fold=1]":
            value = _in_zone(value, each[:-1])
    return value


def _in_zone(value: Any, key: str) -> Any:
    import zoneinfo

    if not _ZONE.fullmatch(key):
        raise ValueError("a time is in a zone that is none")
    offset = value.utcoffset()
    try:
        value = value.replace(tzinfo=zoneinfo.ZoneInfo(key))
    except (LookupError, OSError, ValueError):
        raise ValueError(f"the time zone {key} is not known here; pip install tzdata") from None
    if offset is not None and value.utcoffset() != offset:
        raise ValueError(f"the time zone {key} has other offsets here: the databases differ")
    return value


# ---------------------------------------------------------------- errors


def _name(value: Any) -> str:
    kind = type(value)
    return f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")


def _explain(value: Any, error: Exception, levels: int) -> str:
    if isinstance(error, _codec.TooDeep):
        return f"cannot serialise a value that has more than {LEVELS} levels, or contains itself"
    if isinstance(error, (_codec.Changed, RuntimeError)):
        return "cannot serialise a value that another thread changes meanwhile"
    found = _locate(value, "value", levels)
    if found is None:
        return f"cannot serialise the value: {error}"
    path, part = found
    return (
        f"{path}: cannot serialise {_name(part)} ({error}); "
        "use None, bool, int, float, str, bytes, list, tuple, dict, datetime or numpy arrays"
    )


def _locate(value: Any, path: str, levels: int) -> tuple[str, Any] | None:
    """The first part of `value` that does not encode by itself."""
    if type(value) in (list, tuple):
        parts = ((f"{path}[{i}]", part) for i, part in enumerate(list(value)))
    elif type(value) is dict:
        parts = (
            pair
            for key, part in list(value.items())
            for pair in ((f"key {key!r} of {path}", key), (f"{path}[{key!r}]", part))
        )
    else:
        try:
            _codec.encode(value, None, _other, 0)
        except Exception:  # noqa: BLE001 - any failure means: this is the part
            return path, value
        return None
    for where, part in parts if levels > 0 else ():
        found = _locate(part, where, levels - 1)
        if found is not None:
            return found
    return None
