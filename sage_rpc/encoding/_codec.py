# cython: language_level=3, annotation_typing=False, infer_types=True, boundscheck=True, wraparound=False
"""Values as MessagePack and back: what `sage_rpc.encoding.values` stands on.

Rules of this file:

1. It is Python that Cython compiles (types: `_codec.pxd`, C: `codec.h`). Where there is no compiler it runs
   as it is, does the same and is slower.
2. What an encoder holds belongs to one value: hooks may encode and decode meanwhile, as may signal handlers.
3. What a peer sent costs memory and time in proportion to its bytes. Nothing is made before its bytes are
   there, nothing is copied once per level, and levels are counted whatever they are made of.
4. Types that MessagePack lacks are the caller's: a hook gives code and payload of an extension, and takes
   them back. Tuples alone are known here, as they hold values: an extension with code TUPLE, whose payload
   is a list.

Levels: each list, tuple and dict is one, and so many may be inside each other.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence
from types import SimpleNamespace
from typing import Any

try:
    import cython
except ImportError:  # it is needed for compiling alone
    cython = SimpleNamespace(compiled=False)

__all__ = ["BUFFER", "LEAST_BYTES", "TUPLE", "Changed", "TooDeep", "decode", "encode", "encode_list"]

# Those with an underscore in front are numbers of C, and nobody else's.
TUPLE = _TUPLE = 1  # codes of extensions
BUFFER = _BUFFER = 9
LEAST_BYTES = _LEAST_BYTES = 32768  # a smaller buffer is better off inside the encoded value
_KEPT_BYTES = 65536  # an encoder that has grown beyond that is not kept
_FEW_KEYS = 64  # whatever they are, they collide in no time
_PROBES_PER_KEY = 100  # the worst of regular keys, multiples of a large power of two, need 32
_UNSIGNED_SHIFT = (1 << 59) - 1  # what is left of 64 bits that were shifted by 5

Other = Callable[[Any, Any], Any]


class TooDeep(ValueError):
    """More levels than there may be."""


class Changed(ValueError):
    """A container had another size when it had been encoded than before."""


if not cython.compiled:
    _DOUBLE = struct.Struct(">d")

    def load_double(data: bytes, at: int) -> float:
        """The double at a place."""
        number: float = _DOUBLE.unpack_from(data, at)[0]
        return number

    def store_double(out: bytearray, at: int, number: float) -> None:
        """Write a double to a place."""
        _DOUBLE.pack_into(out, at, number)

    def store(out: bytearray, at: int, data: bytes) -> None:
        """Write bytes to a place."""
        out[at : at + len(data)] = data

    def first(out: bytearray, size: int) -> bytes:
        """The first bytes."""
        return bytes(memoryview(out)[:size])


# ---------------------------------------------------------------- encoding


class Encoder:
    """One value on its way to bytes: the first `at` bytes of `out`."""

    def __init__(self) -> None:
        self.out = bytearray(256)
        self.at = 0
        self.buffers: list[Any] | None = None
        self.other: Other | None = None

    def room(self, more: int) -> int:
        """Have room for `more` bytes."""
        if self.at + more > len(self.out):
            self.out += bytes(max(more, len(self.out)))
        return 0

    def number(self, number: int, size: int) -> int:
        """Write an unsigned number; there is room."""
        at = self.at + size
        self.at = at
        while size > 0:
            at -= 1
            size -= 1
            self.out[at] = number & 0xFF
            number >>= 8
        return 0

    def head(self, size: int, few: int, few_marker: int, marker: int, short: bool) -> int:
        """Write what kind of thing follows, and how large it is.

        Args:
            size: bytes, elements or pairs.
            few: below that, both stand in one byte.
            few_marker: that byte, without the size.
            marker: the first of those with 1 (if `short`), 2 and 4 bytes of size.
            short: whether there is one with 1 byte.
        """
        self.room(5)
        if size < few:
            self.out[self.at] = few_marker | size
            self.at += 1
            return 0
        width = 0 if short and size < 0x100 else 1 if size < 0x10000 else 2
        if size > 0xFFFFFFFF:
            raise ValueError("MessagePack has nothing of more than 4 GiB")
        self.out[self.at] = marker + width - (0 if short else 1)
        self.at += 1
        self.number(size, 1 << width)
        return 0

    def put(self, value: Any, levels: int) -> int:
        """Write `value`, in which there may be so many levels."""
        kind = type(value)
        if kind is str:
            self.put_text(value)
        elif kind is int:
            self.put_int(value)
        elif kind is dict:
            self.put_dict(value, levels)
        elif kind is list:
            self.put_list(value, levels)
        elif kind is float:
            self.room(9)
            self.out[self.at] = 0xCB
            store_double(self.out, self.at + 1, value)
            self.at += 9
        elif value is None or kind is bool:
            self.room(1)
            self.out[self.at] = 0xC0 if value is None else 0xC3 if value else 0xC2
            self.at += 1
        elif kind is bytes:
            self.put_bytes(value)
        elif kind is tuple:
            self.put_tuple(value, levels)
        else:
            self.put_other(value)
        return 0

    def put_text(self, text: str) -> int:
        """Write a str."""
        data = text.encode()
        size = len(data)
        self.head(size, 32, 0xA0, 0xD9, True)
        self.room(size)
        store(self.out, self.at, data)
        self.at += size
        return 0

    def put_int(self, value: Any) -> int:
        """Write an int that fits into 8 bytes; others are the hook's."""
        if value < 0:
            return self.put_negative(value) if value >= -0x8000000000000000 else self.put_other(value)
        return self.put_positive(value) if value <= 0xFFFFFFFFFFFFFFFF else self.put_other(value)

    def put_positive(self, number: int) -> int:
        """Write a number that is not negative."""
        self.room(9)
        if number < 0x80:
            self.out[self.at] = number
            self.at += 1
            return 0
        width = 0 if number <= 0xFF else 1 if number <= 0xFFFF else 2 if number <= 0xFFFFFFFF else 3
        self.out[self.at] = 0xCC + width
        self.at += 1
        return self.number(number, 1 << width)

    def put_negative(self, number: int) -> int:
        """Write a negative number."""
        self.room(9)
        if number >= -32:
            self.out[self.at] = number & 0xFF
            self.at += 1
            return 0
        width = 0 if number >= -0x80 else 1 if number >= -0x8000 else 2 if number >= -0x80000000 else 3
        self.out[self.at] = 0xD0 + width
        self.at += 1
        self.number(number & 0xFFFFFFFFFFFFFFFF, 1 << width)
        return 0

    def put_bytes(self, data: bytes) -> int:
        """Write bytes, or their number among the buffers."""
        if self.buffers is not None and len(data) >= _LEAST_BYTES:
            begin = self.begin_ext(_BUFFER)
            self.head(1, 16, 0x90, 0xDC, False)
            self.put_int(len(self.buffers))
            self.end_ext(begin)
            self.buffers.append(data)
            return 0
        self.head(len(data), 0, 0, 0xC4, True)
        self.room(len(data))
        store(self.out, self.at, data)
        self.at += len(data)
        return 0

    def put_list(self, value: list[Any], levels: int) -> int:
        """Write a list."""
        if levels <= 0:
            raise TooDeep
        size = len(value)
        self.head(size, 16, 0x90, 0xDC, False)
        for each in value:
            size -= 1
            self.put(each, levels - 1)
        if size != 0:
            raise Changed
        return 0

    def put_tuple(self, value: tuple[Any, ...], levels: int) -> int:
        """Write a tuple: an extension of a list."""
        if levels <= 0:
            raise TooDeep
        begin = self.begin_ext(_TUPLE)
        self.head(len(value), 16, 0x90, 0xDC, False)
        for each in value:
            self.put(each, levels - 1)
        self.end_ext(begin)
        return 0

    def put_dict(self, value: dict[Any, Any], levels: int) -> int:
        """Write a dict."""
        if levels <= 0:
            raise TooDeep
        size = len(value)
        self.head(size, 16, 0x80, 0xDE, False)
        for key, each in value.items():
            size -= 1
            self.put(key, levels - 1)
            self.put(each, levels - 1)
        if size != 0:
            raise Changed
        return 0

    def put_other(self, value: Any) -> int:
        """Write what the hook makes of `value`: code and payload of an extension, or bytes."""
        if self.other is None:
            raise TypeError("it is of none of the types that may be here")
        found = self.other(value, self.buffers)
        if type(found) is bytes:
            return self.put_bytes(found)
        code, payload = found
        begin = self.begin_ext(code)
        self.room(len(payload))
        store(self.out, self.at, payload)
        self.at += len(payload)
        self.end_ext(begin)
        return 0

    def begin_ext(self, code: int) -> int:
        """Write an extension's head but for its size, which is not known yet. -> where it begins."""
        begin = self.at
        self.room(6)
        self.out[begin] = 0xC9
        self.out[begin + 5] = code
        self.at = begin + 6
        return begin

    def end_ext(self, begin: int) -> int:
        """Write the size of the extension that began there."""
        end = self.at
        if end - begin - 6 > 0xFFFFFFFF:
            raise ValueError("MessagePack has nothing of more than 4 GiB")
        self.at = begin + 1
        self.number(end - begin - 6, 4)
        self.at = end
        return 0

    def take(self) -> bytes:
        """What was written; the encoder is empty then, and may be kept for the next value."""
        data = first(self.out, self.at)
        self.at = 0
        self.buffers = self.other = None
        if len(self.out) <= _KEPT_BYTES:
            _spare.append(self)
        return data


_spare: list[Encoder] = []  # as many as were in use at once; who takes one out has it alone


def encode(value: Any, buffers: list[Any] | None, other: Other | None, levels: int) -> bytes:
    """The bytes of `value`.

    Args:
        value: what is encoded.
        buffers: gets large bytes, which are then no part of the encoded value; None: they are.
        other: `other(value, buffers)` -> (code, payload) or bytes, of a value whose type is not known here.
        levels: how many there may be.

    Raises:
        TooDeep: there are more.
        Exception: a str does not encode, a dict changes meanwhile; what the hook raises.
    """
    try:
        encoder = _spare.pop()
    except IndexError:
        encoder = Encoder()
    encoder.buffers = buffers
    encoder.other = other
    encoder.put(value, levels)
    return encoder.take()


def encode_list(parts: list[bytes]) -> bytes:
    """The bytes of a list of the values whose bytes are `parts`."""
    encoder = Encoder()
    encoder.head(len(parts), 16, 0x90, 0xDC, False)
    return b"".join([encoder.take(), *parts])


# ---------------------------------------------------------------- decoding


class Decoder:
    """A value that is read from `data`, between `at` and `end`."""

    def __init__(
        self, data: bytes, buffers: Sequence[Any], other: Callable[[int, bytes, Any], Any] | None
    ) -> None:
        self.data = data
        self.at = 0
        self.end = len(data)
        self.buffers = buffers
        self.other = other

    def need(self, size: int) -> int:
        """There must be `size` more bytes."""
        if size > self.end - self.at:
            raise ValueError("it is cut short")
        return 0

    def number(self, size: int) -> int:
        """An unsigned number of 1, 2, 4 or 8 bytes."""
        self.need(size)
        at = self.at
        self.at += size
        number = self.data[at]
        while size > 1:
            at += 1
            size -= 1
            number = number << 8 | self.data[at]
        return number

    def size(self, size: int) -> int:
        """A size that is written in 1, 2 or 4 bytes."""
        return self.number(size)

    def get(self, levels: int) -> Any:
        """The next value, in which there may be so many levels."""
        self.need(1)
        first = self.data[self.at]
        self.at += 1
        if first < 0x80:
            return first
        if first < 0x90:
            return self.get_dict(first & 0x0F, levels)
        if first < 0xA0:
            return self.get_list(first & 0x0F, levels)
        if first < 0xC0:
            return self.get_text(first & 0x1F)
        if first >= 0xE0:
            return first - 0x100
        if first == 0xC0:
            return None
        if first == 0xC2:
            return False
        if first == 0xC3:
            return True
        if first < 0xC4:
            raise ValueError("it holds a byte that begins nothing")
        if first < 0xC7:
            return self.get_bytes(self.size(1 << (first - 0xC4)))
        if first < 0xCA:
            return self.get_ext(self.size(1 << (first - 0xC7)), levels)
        if first == 0xCA:
            return self.get_float()
        if first == 0xCB:
            return self.get_double()
        if first < 0xD0:
            return self.number(1 << (first - 0xCC))
        if first < 0xD4:
            return self.get_int(1 << (first - 0xD0))
        if first < 0xD9:
            return self.get_ext(1 << (first - 0xD4), levels)
        if first < 0xDC:
            return self.get_text(self.size(1 << (first - 0xD9)))
        if first < 0xDE:
            return self.get_list(self.size(2 << (first - 0xDC)), levels)
        return self.get_dict(self.size(2 << (first - 0xDE)), levels)

    def get_int(self, size: int) -> int:
        """A signed number."""
        return int.from_bytes(self.get_bytes(size), "big", signed=True)

    def get_float(self) -> float:
        """A float of 4 bytes: other encoders write such."""
        number: float = struct.unpack(">f", self.get_bytes(4))[0]
        return number

    def get_double(self) -> float:
        """A float of 8 bytes."""
        self.need(8)
        self.at += 8
        return load_double(self.data, self.at - 8)

    def get_text(self, size: int) -> str:
        """So many bytes of UTF-8."""
        self.need(size)
        at = self.at
        self.at += size
        return self.data[at : at + size].decode()

    def get_bytes(self, size: int) -> bytes:
        """So many bytes."""
        self.need(size)
        at = self.at
        self.at += size
        return self.data[at : at + size]

    def get_list(self, size: int, levels: int) -> list[Any]:
        """So many elements."""
        if levels <= 0:
            raise TooDeep
        self.need(size)  # an element has a byte at least
        found: list[Any] = []
        while size > 0:
            size -= 1
            found.append(self.get(levels - 1))
        return found

    def get_dict(self, size: int, levels: int) -> dict[Any, Any]:
        """So many pairs."""
        if levels <= 0:
            raise TooDeep
        self.need(2 * size)
        found: dict[Any, Any] = {}
        probes: Probes | None = None
        left = size
        while left > 0:
            left -= 1
            key = self.get(levels - 1)
            # Hashes of str and bytes cannot be foretold; those of numbers and tuples can.
            if probes is None and size > _FEW_KEYS and type(key) is not str and type(key) is not bytes:
                probes = Probes(found)
            if probes is not None:
                probes.add(hash(key))
            found[key] = self.get(levels - 1)
        if len(found) != size:
            raise ValueError("a dict has a key twice")
        return found

    def get_ext(self, size: int, levels: int) -> Any:
        """An extension: its code, and so many bytes."""
        code = self.number(1)
        if code == _TUPLE:
            return self.get_tuple(size, levels)
        payload = self.get_bytes(size)
        if self.other is None:
            raise ValueError("it holds an extension where none may be")
        return self.other(code, payload, self.buffers)

    def get_tuple(self, size: int, levels: int) -> tuple[Any, ...]:
        """The list that the next `size` bytes are, as a tuple; read where it is."""
        self.need(size)
        end = self.end
        self.end = self.at + size
        first = self.number(1)
        if 0x90 <= first < 0xA0:
            found = self.get_list(first & 0x0F, levels)
        elif 0xDC <= first < 0xDE:
            found = self.get_list(self.size(2 << (first - 0xDC)), levels)
        else:
            raise ValueError("it holds a tuple that is no list")
        if self.at != self.end:
            raise ValueError("it holds a tuple that is longer than its list")
        self.end = end
        return tuple(found)


class Probes:
    """How many slots CPython's dict looks at for keys with these hashes, which a peer may have chosen.

    It does what Objects/dictobject.c does, with nothing but hashes, and ahead of the dict: keys that would
    keep it busy are refused before they do.
    """

    def __init__(self, keys: Iterable[Any]) -> None:
        self.hashes: list[int] = []
        self.slots = bytearray(128)
        self.mask = 127
        self.count = 0
        for key in keys:
            self.add(hash(key))

    def add(self, number: int) -> int:
        """One more key.

        Raises:
            ValueError: the keys collide.
        """
        if 3 * len(self.hashes) >= 2 * (self.mask + 1):
            self.slots = bytearray(2 * (self.mask + 1))
            self.mask = 2 * self.mask + 1
            for each in self.hashes:
                self.occupy(each)
        self.hashes.append(number)
        return self.occupy(number)

    def occupy(self, number: int) -> int:
        """Find the slot of a key."""
        at = number & self.mask
        while self.slots[at]:
            number = number >> 5 & _UNSIGNED_SHIFT
            at = 5 * at + number + 1 & self.mask
            self.count += 1
        self.slots[at] = 1
        if self.count > _PROBES_PER_KEY * len(self.hashes) + 1024:
            raise ValueError("the keys of a dict collide")
        return 0


def decode(
    data: bytes, buffers: Sequence[Any], other: Callable[[int, bytes, Any], Any] | None, levels: int
) -> Any:
    """The value whose bytes `data` is.

    Args:
        data: all of it.
        buffers: for the hook.
        other: `other(code, payload, buffers)` -> the value of an extension.
        levels: how many there may be.

    Raises:
        TooDeep: there are more.
        ValueError: it is none.
        Exception: a text is no UTF-8, a key has no hash; what the hook raises.
    """
    decoder = Decoder(data, buffers, other)
    value = decoder.get(levels)
    if decoder.at != decoder.end:
        raise ValueError("there is something behind it")
    return value
