"""The value encoding of plain services: what arrives is what was sent or was refused, garbage is an error.

All of it holds for the compiled codec and for the same code where nothing is compiled.
"""

from __future__ import annotations

import array
import collections
import contextlib
import datetime
import decimal
import enum
import gc
import importlib.util
import math
import random
import re
import struct
import sys
import time
import tracemalloc
import zoneinfo
from pathlib import Path
from typing import NamedTuple

import msgpack
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

import sage_rpc
from sage_rpc.encoding import _codec, values
from tests.conftest import needs_native

UTC = datetime.timezone.utc
ROOT = Path(__file__).parents[2]


def interpreted():
    """The codec as it is where there is no compiler, and no Cython either."""
    source = ROOT / "sage_rpc" / "encoding" / "_codec.py"
    spec = importlib.util.spec_from_file_location("interpreted_codec", source)
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "cython", None)
        spec.loader.exec_module(module)
    return module


CODECS = {"interpreted": interpreted(), "as installed": _codec}


@pytest.fixture(params=CODECS, autouse=True)
def codec(request, monkeypatch):
    monkeypatch.setattr(values, "_codec", CODECS[request.param])
    return request.param


def round_trip(value, **more):
    return values.decode(values.encode(value, **more))


# ---------------------------------------------------------------- what arrives is what was sent

zones = st.none() | st.sampled_from(
    [
        UTC,
        datetime.timezone(datetime.timedelta(hours=5, minutes=30)),
        datetime.timezone(datetime.timedelta(hours=1), "CET"),
        zoneinfo.ZoneInfo("America/New_York"),
    ]
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.datetimes(timezones=zones)
    | st.dates()
    | st.times(timezones=zones)
    | st.timedeltas()
)
keys = st.text() | st.integers() | st.tuples(st.text(), st.integers()) | st.binary() | st.none()
nested = st.recursive(
    scalars,
    lambda children: (
        st.lists(children, max_size=5)
        | st.lists(children, max_size=5).map(tuple)
        | st.dictionaries(keys, children, max_size=5)
    ),
    max_leaves=20,
)
arrays = npst.arrays(
    dtype=npst.boolean_dtypes()
    | npst.integer_dtypes(endianness="?")
    | npst.floating_dtypes(endianness="?")
    | npst.complex_number_dtypes()
    | npst.datetime64_dtypes()
    | npst.timedelta64_dtypes()
    | npst.byte_string_dtypes()
    | npst.unicode_string_dtypes()
    | st.just(np.dtype([("id", "<i4"), ("score", "<f8", (2,))])),
    shape=npst.array_shapes(min_dims=0, max_dims=4, min_side=0),
)
EACH = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def same(a: object, b: object) -> bool:
    """Equal, of the same types all the way down, in the same order, with the same bits."""
    if type(a) is not type(b):
        return False
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return same(list(a.items()), list(b.items()))
    if isinstance(a, float):
        return struct.pack("d", a) == struct.pack("d", b)
    if isinstance(a, (datetime.datetime, datetime.time)):
        return (a.replace(tzinfo=None), a.fold, a.tzinfo, a.tzname(), a.utcoffset()) == (
            b.replace(tzinfo=None),
            b.fold,
            b.tzinfo,
            b.tzname(),
            b.utcoffset(),
        )
    if isinstance(a, np.ndarray):
        flags = (a.dtype.isalignedstruct, str(a.dtype), a.shape, a.tobytes())
        return a.dtype == b.dtype and flags == (b.dtype.isalignedstruct, str(b.dtype), b.shape, b.tobytes())
    if isinstance(a, (np.str_, np.bytes_)):
        return list(a) == list(b)
    if isinstance(a, np.generic):
        return a.dtype == b.dtype and a.tobytes() == b.tobytes()
    return a == b


@EACH
@given(nested)
def test_a_value_comes_back_equal_and_of_the_same_types(value):
    assert same(round_trip(value), value)


@EACH
@given(arrays)
def test_an_array_comes_back_with_type_shape_and_contents(array):
    assert same(round_trip({"array": array}), {"array": array})


@EACH
@given(nested)
def test_compiled_or_not_the_bytes_are_the_same(value):
    one, other = (each.encode(value, None, values._other, 99) for each in CODECS.values())
    assert one == other


class Colour(enum.IntEnum):
    RED = 1


class Text(str):
    __slots__ = ()


class Moment(datetime.datetime):
    pass


class Elsewhere(datetime.tzinfo):
    """A zone that nobody else has."""

    def utcoffset(self, _moment):
        return datetime.timedelta(hours=5, minutes=30, seconds=15, microseconds=7)

    def dst(self, _moment):
        return None

    def tzname(self, _moment):
        return "elsewhere"


class Nowhere(Elsewhere):
    def utcoffset(self, _moment):
        return None


class Point(NamedTuple):
    x: int
    y: int


New_York = zoneinfo.ZoneInfo("America/New_York")
twice = datetime.datetime(2024, 11, 3, 1, 30, fold=1)  # noqa: DTZ001 - the second 01:30 of that night
aligned = np.dtype([("a", "i1"), ("b", "<f8"), ("c", [("x", "<i2"), ("y", "<i4", (2, 2))])], align=True)
spread = np.dtype({"names": ["b", "a"], "formats": ["<i4", "<i2"], "offsets": [8, 0], "itemsize": 32})
overlapping = np.dtype({"names": ["whole", "low"], "formats": ["<i4", "<i2"], "offsets": [0, 0]})
titled = np.dtype([(("a title", "a"), "<i4"), ("b", ">f8")])
nan = struct.unpack("d", struct.pack("Q", 0x7FF8_0000_DEAD_BEEF))[0]


def ml(name):
    return getattr(pytest.importorskip("ml_dtypes"), name)


class Refused:
    """What is sent is refused, with this in the text."""

    def __init__(self, value, text):
        self.value, self.text = value, text


class Becomes:
    """What is sent is documented to arrive as another value."""

    def __init__(self, sent, arrives):
        self.sent, self.arrives = sent, arrives


# By the rows of the table in docs/services.md; what is neither of the two above arrives as it is.
ROWS = {
    "`None`, `bool`, `int`": [None, True, False, 0, -1, 127, 128, -32, -33, 255, 256, 65535, 65536]
    + [
        sign * 2**bits + more
        for bits in (31, 32, 63, 64, 100, 5000)
        for sign in (1, -1)
        for more in (-1, 0, 1)
    ],
    "`float`": [0.0, -0.0, 1.5, math.inf, -math.inf, nan, 5e-324, sys.float_info.max],
    "`str`, `bytes`": [
        "",
        "é\x00\U0010ffff",
        "x" * 70000,
        b"",
        b"\x00\xff" * 200,
        b"x" * 70000,
        Refused(chr(0xD800), "surrogates not allowed"),
    ],
    "`list`, `tuple`": [[], (), [[]], ((),), [(1, [2, (3,)])], tuple(range(70_000)), list(range(20))],
    "`dict`": [
        {},
        {"z": 1, "a": 2, "m": 3},
        {1: "int", "1": "str", b"1": "bytes", None: 0, 1.5: 0, (1, (2,)): 0},
        {True: "bool", 2: "int"},
        {datetime.date(2026, 1, 2): 1, np.float64(2.5): 2},
        dict.fromkeys(range(100000)),
    ],
    "`bytearray`, `memoryview`": [
        Becomes(bytearray(b"abc"), b"abc"),
        Becomes(memoryview(b"abc"), b"abc"),
        Becomes(memoryview(b"abcdef")[::2], b"ace"),
        Becomes(memoryview(array.array("i", [1, 2])), array.array("i", [1, 2]).tobytes()),
        Becomes(bytearray(70_000), bytes(70_000)),
    ],
    "`datetime`, `time`": [
        twice,
        twice.replace(tzinfo=New_York),
        twice.replace(tzinfo=New_York, fold=0),
        datetime.datetime.min.replace(tzinfo=UTC),
        datetime.datetime.max.replace(tzinfo=UTC),
        datetime.datetime(2026, 1, 2, tzinfo=UTC),
        datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone(datetime.timedelta(hours=1), "CET")),
        datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone(-datetime.timedelta(seconds=1))),
        datetime.time(9, 0, tzinfo=New_York),
        datetime.time(9, 0, 0, 7, tzinfo=UTC, fold=1),
        datetime.time.max,
    ],
    "`datetime`, `time` in a zone of another class": [
        Becomes(
            datetime.datetime(2026, 1, 2, tzinfo=Elsewhere()),
            datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone(Elsewhere().utcoffset(None))),
        ),
        Refused(datetime.time(9, 0, tzinfo=Nowhere()), "whose offset it does not have"),
        Refused(datetime.datetime(2026, 1, 2, tzinfo=Nowhere()), "zoneinfo.ZoneInfo travels"),
    ],
    "`date`, `timedelta`": [
        datetime.date.min,
        datetime.date.max,
        datetime.timedelta.min,
        datetime.timedelta.max,
        datetime.timedelta(microseconds=-1),
    ],
    "numpy arrays": [
        np.arange(24, dtype=">i4").reshape(2, 3, 4).transpose(2, 0, 1)[::2],
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.float32(3) * np.ones(()),
        np.zeros((3, 0, 2), np.uint16),
        np.zeros((0,), bool),
        np.broadcast_to(np.int8(3), (4, 5)),
        np.array(["NaT", "2026-01-02"], "M8[D]"),
        np.array([1, 2], "m8[25us]"),
        np.array([b"a\0", b"\0\0b"]),
        np.array(["ä", ""]),
        np.array([b"raw", b"\0"], "V3"),
        np.array([nan, -0.0]),
        np.arange(3, dtype=np.longdouble),
        np.arange(9000.0),
    ],
    "numpy records": [
        np.zeros(3, aligned),
        np.zeros((2, 2), spread),
        np.ones(3, overlapping),
        np.ones(3, titled),
        np.zeros(9000, titled),
    ],
    "numpy scalars": [
        np.float32(1.5),
        np.float64(nan),
        np.int64(-3),
        np.bool_(True),
        np.complex64(1 + 2j),
        np.datetime64("2026-01-02"),
        np.timedelta64(3, "h"),
        np.str_(""),
        np.str_("ends in \0\0"),
        np.bytes_(b"ends in \0\0"),
        np.void(b"abc"),
        np.ones(1, titled)[0],
        np.longdouble("1.1"),
    ],
    "subclasses": [
        Refused(Colour.RED, "Colour"),
        Refused(Text("a"), "Text"),
        Refused(Moment(2026, 1, 2), "Moment"),
        Refused(Point(1, 2), "Point"),
        Refused(collections.OrderedDict(a=1), "OrderedDict"),
        Refused(collections.defaultdict(list), "defaultdict"),
        Refused(np.ma.masked_array([1, 2], [True, False]), "MaskedArray"),
        Refused(np.asmatrix([[1]]), "matrix"),
        Refused(np.ones(3, titled).view(np.recarray), "recarray"),
        Refused(np.ones(3, titled).view(np.recarray)[0], "record"),
    ],
    "numpy dtypes that do not come back as they are": [
        Refused(np.array([object()]), "numpy array of Python objects"),
        Refused(np.zeros(3, "V0"), "without a size"),
        Refused(np.zeros(3, np.dtype("f8", metadata={"unit": "m"})), "with metadata"),
        Refused(np.zeros(3, [("a", "f8", (2, 0)), ("b", "i1")]), "without a size"),
        Refused(np.zeros(3, np.dtype((np.record, [("a", "i4")]))), "records"),
        Refused(np.zeros(3, [(f"field {n}", "i1") for n in range(9000)]), "too many fields"),
        Refused(lambda: np.arange(4).astype(ml("bfloat16")), "bfloat16"),
        Refused(lambda: np.arange(40_000).astype(ml("float8_e5m2")), "float8_e5m2"),
        Refused(lambda: np.arange(4).astype(ml("int4")), "int4"),
        Refused(lambda: ml("bfloat16")(1.5), "bfloat16"),
    ],
    "anything else": [
        Refused({1, 2}, "set"),
        Refused(3j, "complex"),
        Refused(len, "builtin_function"),
        Refused(decimal.Decimal(1), "decimal.Decimal"),
        Refused(array.array("i", [1]), "array.array"),
    ],
}


def cases():
    for row, given_values in ROWS.items():
        for number, value in enumerate(given_values):
            yield pytest.param(value, id=f"{row.replace('`', '')} {number}")


@pytest.mark.parametrize("apart", [False, True], ids=["inline", "with buffers"])
@pytest.mark.parametrize("case", list(cases()))
def test_what_is_in_the_table_arrives_as_it_says_or_is_refused(case, apart):
    buffers = [] if apart else None
    if type(case) is Refused:
        value = case.value() if callable(case.value) and case.value is not len else case.value
        with pytest.raises(values.UnserializableError, match=re.escape(case.text)) as caught:
            values.encode([{"a": value}], buffers)
        assert str(caught.value).startswith("value[0]['a']: cannot serialise")
        return
    sent, arrives = (case.sent, case.arrives) if type(case) is Becomes else (case, case)
    encoded = values.encode([sent], buffers)
    for _ in range(2):  # whoever keeps it can decode it again
        assert same(values.decode(encoded, [bytes(each) for each in buffers or ()]), [arrives])


def test_the_table_in_the_documents_is_the_one_that_is_tested():
    text = (ROOT / "docs" / "services.md").read_text()
    table = text[text.index("| what is sent |") :].split("\n\n")[0].splitlines()[2:]
    assert [line.split(" | ")[0].removeprefix("| ") for line in table] == list(ROWS)


def test_a_decoded_array_is_a_read_only_view_of_what_arrived():
    back = round_trip(np.arange(10))
    assert not back.flags.writeable
    assert not back.flags.owndata


@pytest.mark.parametrize("sent", [twice, np.arange(100_000.0), {"rows": [(1, "a")] * 40}])
def test_services_give_back_what_they_got(transport, sent):
    class Echo:
        def echo(self, value):
            return value

    with (
        sage_rpc.ServiceHost("echo", Echo()) as host,
        sage_rpc.ServiceManager(
            {"echo": host.address}, options=[("sage_rpc.transport", transport)]
        ) as manager,
    ):
        proxy = manager.get_sync_proxy("echo")
        assert same(proxy.echo(sent), sent)
        assert same(proxy.batch("echo", [sent, None]), [sent, None])
        assert same(manager.get_async_proxy("echo").echo(value=sent).result(20), sent)


class Custom:
    pass


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (Custom(), "value: cannot serialise"),
        ([1, {"a": (2, Custom())}], "value[1]['a'][1]: cannot serialise"),
        ({"a": {decimal.Decimal(1): 2}}, "key Decimal('1') of value['a']"),
    ],
)
def test_what_does_not_travel_is_refused_with_its_place_and_type(value, says):
    with pytest.raises(values.UnserializableError) as caught:
        values.encode(value)
    assert says in str(caught.value)
    assert "use None, bool, int" in str(caught.value)


# ---------------------------------------------------------------- when a value is encoded


class Busy(datetime.tzinfo):
    """A zone that encodes, decodes and refuses other values whenever it is asked."""

    asked = 0

    def utcoffset(self, _moment):
        Busy.asked += 1
        other = {"other": [(Busy.asked, datetime.date(2026, 1, 2))] * 50}
        assert round_trip(other) == other
        with contextlib.suppress(TypeError):
            values.encode([1, 2, object()])
        return datetime.timedelta(hours=1)


def test_a_value_may_be_encoded_while_another_one_is():
    sent = [
        (number, datetime.datetime(2026, 1, 2, 3, 4, number % 60, tzinfo=Busy())) for number in range(100)
    ]
    back = round_trip(sent)
    assert Busy.asked >= 100
    assert back == sent
    assert [number for number, _ in back] == list(range(100))


def test_what_changes_while_it_is_encoded_is_refused_and_never_half_sent():
    changing: list[object] = [1, None, 2]

    class Hostile(datetime.tzinfo):
        def utcoffset(self, _moment):
            changing.append(3)
            return datetime.timedelta(0)

    changing[1] = datetime.datetime(2026, 1, 2, tzinfo=Hostile())
    with pytest.raises(values.UnserializableError, match="changes meanwhile"):
        values.encode(changing)
    table: dict[object, object] = {"a": None, "b": 1}

    class Growing(datetime.tzinfo):
        def utcoffset(self, _moment):
            table[len(table)] = 1
            return datetime.timedelta(0)

    table["a"] = datetime.datetime(2026, 1, 2, tzinfo=Growing())
    with pytest.raises(values.UnserializableError, match="changes meanwhile"):
        values.encode(table)


# ---------------------------------------------------------------- levels


def in_levels(make, levels):
    value = make(None)
    for _ in range(levels - 1):
        value = make(value)
    return value


MAKERS = {
    "lists": lambda inner: [inner],
    "tuples": lambda inner: (inner,),
    "dicts": lambda inner: {"a": inner},
    "keys": lambda inner: {(inner,): 1} if inner is None or type(inner) is tuple else {"a": inner},
    "mixed": lambda inner: [(inner,)] if type(inner) is dict else {"a": inner},
}


@pytest.mark.parametrize("kind", MAKERS)
def test_a_value_may_have_as_many_levels_as_the_documents_say_and_no_more(kind):
    value, levels = None, 0
    while levels < values.LEVELS - 1:
        value = MAKERS[kind](value)
        levels = depth(value)
    while depth(value) < values.LEVELS:
        value = [value]
    assert same(round_trip(value), value)
    for deeper in ([value], (value,), {"a": value}):
        with pytest.raises(values.UnserializableError, match="more than 64 levels"):
            values.encode(deeper)
        encoded = values.encode(deeper, levels=values.LEVELS + 1)
        with pytest.raises(ValueError, match="more than 64 levels"):
            values.decode(encoded)


def depth(value):
    if type(value) in (list, tuple):
        return 1 + max(map(depth, value), default=0)
    if type(value) is dict:
        return 1 + max((depth(each) for pair in value.items() for each in pair), default=0)
    return 0


@pytest.mark.parametrize("kind", ["lists", "tuples", "dicts"])
@pytest.mark.parametrize("levels", [65, 250, 100_000])
def test_deeper_values_are_errors_and_no_crash(kind, levels):
    value = in_levels(MAKERS[kind], levels)
    with pytest.raises(values.UnserializableError, match="more than 64 levels, or contains itself"):
        values.encode(value)
    while value:  # taken apart, as the interpreter takes its time, too
        value = value["a"] if type(value) is dict else value[0]
    head = {"lists": b"\x91", "dicts": b"\x81\x01"}.get(kind)
    data = b"\xc0"
    if head is not None:
        data = head * levels + data
    else:
        size = 1
        parts = []
        for _ in range(levels):
            parts.append(b"\xc9" + struct.pack(">IB", size + 1, 1) + b"\x91")
            size += 7
        data = b"".join(reversed(parts)) + data
    with pytest.raises(ValueError, match="more than 64 levels"):
        values.decode(data)


def test_a_value_that_contains_itself_is_refused():
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(values.UnserializableError, match="contains itself"):
        values.encode(loop)


# ---------------------------------------------------------------- garbage


@EACH
@given(st.binary(max_size=200))
def test_bytes_that_are_no_value_are_a_value_error(data):
    with contextlib.suppress(ValueError):
        values.decode(data)


@EACH
@given(nested | arrays, st.data())
def test_an_encoded_value_with_a_wrong_byte_is_a_value_error_or_another_value(value, data):
    encoded = bytearray(values.encode(value))
    at = data.draw(st.integers(0, len(encoded) - 1))
    encoded[at] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ValueError):
        values.decode(bytes(encoded))


@EACH
@given(nested, st.data())
def test_a_value_cut_short_is_a_value_error(value, data):
    encoded = values.encode(value)
    with pytest.raises(ValueError, match="malformed"):
        values.decode(encoded[: data.draw(st.integers(0, len(encoded) - 1))])


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(),
    lambda children: st.lists(children, max_size=20) | st.dictionaries(st.text(), children, max_size=20),
    max_leaves=40,
)


@EACH
@given(plain)
def test_it_is_messagepack(value):
    assert msgpack.unpackb(values.encode(value)) == value
    assert same(values.decode(msgpack.packb(value)), value)
    assert values.decode(msgpack.packb(1.5, use_single_float=True)) == 1.5


def ext(code: int, data: bytes) -> bytes:
    return msgpack.packb(msgpack.ExtType(code, data))


def hostile_array(descr: object, shape: object, data: bytes, code: int = 7) -> bytes:
    header = msgpack.packb([descr, shape])
    return ext(code, len(header).to_bytes(4, "little") + header + data)


def record(names, formats, offsets, size):
    return [names, formats, offsets, size, False, [None] * len(names)]


@pytest.mark.parametrize(
    "hostile",
    [
        hostile_array("|O", [1], bytes(8)),
        hostile_array("O", [1], bytes(8)),
        hostile_array(record(["f"], ["|O"], [0], 8), [1], bytes(8)),
        hostile_array("<f8", [-1], b""),
        hostile_array("<f8", [2**40, 2**40], b""),
        hostile_array("<f8", [1], bytes(7)),
        hostile_array("<f8", ["x"], bytes(8)),
        hostile_array("<f8", [True], bytes(8)),
        hostile_array("('f8, (2", [1], bytes(8)),
        hostile_array("i4,i4", [1], bytes(8)),
        hostile_array("(1099511627776,)V0", [1], b""),
        hostile_array("|V0", [2**40], b""),
        hostile_array("<f8", [2**40, 0], b""),
        hostile_array(record(["f"], [["<f8", [2**40, 0]]], [0], 8), [1], bytes(8)),
        hostile_array(record(["f"], [["|V0", [2**40]]], [0], 8), [1], bytes(8)),
        hostile_array(record(["f"], ["<f8"], [8], 8), [1], bytes(8)),
        hostile_array(record(["f", "f"], ["<f8", "<f8"], [0, 0], 8), [1], bytes(8)),
        hostile_array(record([], [], [], 0), [2**40], b""),
        hostile_array(None, None, b""),
        hostile_array("<f8", {}, bytes(8)),
        hostile_array("<f16+3", [1], bytes(16)),
        ext(9, msgpack.packb([0])),
        ext(9, msgpack.packb(["x"])),
        ext(10, msgpack.packb(10**9)),
        ext(1, b"\x80"),
        ext(1, b"\x90\x00"),
        ext(1, b"\x91"),
        ext(5, msgpack.packb([1] * 3)[:-1]),
        ext(5, msgpack.packb([10**9, 0, 0])),
        ext(3, b"2024-01-01T00:00:00[../../etc/passwd]"),
        ext(3, b"2024-01-01T00:00:00+01:00[America/New_York]"),
        ext(3, b"2024-01-01T00:00:00[No/Where]"),
        ext(3, b"2024-01-01T00:00:00[fold=1" + b"]" * 1000),
        ext(77, b""),
        b"\x82\x01\x02\x01\x03",
        b"\x82\x01\x02\xc3\x03",
        b"\xc1",
        b"\x81\x90\x01",
        b"",
    ],
)
def test_a_hostile_value_is_a_value_error(hostile):
    with pytest.raises(ValueError, match="malformed"):
        values.decode(hostile)


def test_a_buffer_stands_for_one_value():
    reference = ext(9, msgpack.packb([0]))
    assert values.decode(b"\x91" + reference, [b"once"]) == [b"once"]
    with pytest.raises(ValueError, match="twice"):
        values.decode(b"\x92" + 2 * reference, [b"twice"])


# ---------------------------------------------------------------- what it costs


def peak_of(function):
    """Bytes that `function` holds at once, at most, and gives back or not."""
    gc.collect()
    tracemalloc.start()
    try:
        with contextlib.suppress(ValueError):
            function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def seconds_of(function):
    """CPU time of `function`, the best of three."""
    best = math.inf
    for _ in range(3):
        began = time.process_time()
        with contextlib.suppress(ValueError):
            function()
        best = min(best, time.process_time() - began)
    return best


def wrapped(data, levels):
    """`data` in so many tuples."""
    for _ in range(levels):
        data = b"\xc9" + struct.pack(">IB", len(data) + 1, 1) + b"\x91" + data
    return data


def lists_that_claim(count):
    return b"".join(b"\xdd" + struct.pack(">I", count) for _ in range(60)) + bytes(count)


HEAVY = {
    "bytes in tuples": lambda size: wrapped(b"\xc6" + struct.pack(">I", size) + bytes(size), 60),
    "an array in tuples": lambda size: wrapped(hostile_array("|u1", [size], bytes(size)), 60),
    "lists that claim more than there is": lambda size: lists_that_claim(size // 8),
    "dicts that claim more than there is": lambda size: (
        b"".join(b"\xdf" + struct.pack(">I", size // 2) + b"\x01" for _ in range(60)) + bytes(size)
    ),
    "an array's type in an array's type": lambda size: (
        b"\x91" * 60 + hostile_array("|u1", [size], bytes(size))
    ),
    "a long name of a type": lambda size: hostile_array(",".join(["i1"] * (size // 3)), [0], b""),
    "a type of many fields": lambda size: hostile_array(
        record(
            [str(n) for n in range(size // 16)], ["|i1"] * (size // 16), list(range(size // 16)), size // 16
        ),
        [0],
        b"",
    ),
}


@pytest.mark.parametrize("kind", HEAVY)
def test_memory_is_in_proportion_to_what_was_received(kind):
    data = HEAVY[kind](1 << 20)
    assert len(data) < 3 << 20
    assert peak_of(lambda: values.decode(data)) < 12 * len(data)
    if kind == "a long name of a type":  # and nothing of it stays
        before = peak_of(lambda: None)
        for size in range(40):
            with contextlib.suppress(ValueError):
                values.decode(HEAVY[kind]((1 << 18) + 3 * size))
        assert peak_of(lambda: None) <= before + 1000


LINEAR = {
    "tuples in tuples": lambda n: b"\xdd" + struct.pack(">I", n) + n * wrapped(b"\xc0", 50),
    "big ints": lambda n: b"\xdd" + struct.pack(">I", n) + n * ext(2, bytes(1000)),
    "a large int": lambda n: ext(2, b"\x7f" * (1000 * n)),
    "ints as keys": lambda n: values.encode(dict.fromkeys(range(30 * n))),
    "tuples as keys": lambda n: values.encode({(number, -number): None for number in range(10 * n)}),
    "names of types": lambda n: (
        b"\xdd"
        + struct.pack(">I", n)
        + b"".join(hostile_array(f"|S{number + 1}", [0], b"") for number in range(n))
    ),
}


@pytest.mark.parametrize("kind", LINEAR)
def test_time_is_in_proportion_to_what_was_received(kind):
    """Eight times as much takes about eight times as long: 64 times would be the square of it."""
    few, many = LINEAR[kind](300), LINEAR[kind](2400)
    assert values.decode(many) is not None
    assert seconds_of(lambda: values.decode(many)) < 24 * max(seconds_of(lambda: values.decode(few)), 0.0005)


MERSENNE = sys.hash_info.modulus  # ints that differ by it have one hash


def colliding_tuples(count):
    """Pairs of ints with one hash: the last step of a tuple's hash can be turned round."""
    p1, p2, p5 = 11400714785074694791, 14029467366897019727, 2870177450012600261
    mask = 2**64 - 1

    def after(accumulator, lane):
        accumulator = (accumulator + lane * p2) & mask
        return ((accumulator << 31 | accumulator >> 33) & mask) * p1 & mask

    inverse = pow(p2, -1, 2**64)
    goal = 0x1234_5678_9ABC_DEF0
    found = []
    first = 0
    while len(found) < count:
        first += 1
        lane = (goal - after(p5, first)) * inverse & mask
        if lane < MERSENNE:
            found.append((first, lane))
    assert len({hash(pair) for pair in found}) == 1
    return found


COLLIDING = {
    "ints": lambda count: [number * MERSENNE for number in range(1, count)],
    "negative ints": lambda count: [-number * MERSENNE for number in range(1, count)],
    "tuples": colliding_tuples,
    "tuples of them": lambda count: [("x", number * MERSENNE) for number in range(1, count)],
}


@pytest.mark.parametrize("kind", COLLIDING)
def test_keys_that_collide_are_refused_before_they_cost_anything(kind):
    def encoded(count):
        chosen = COLLIDING[kind](count)
        pairs = b"".join(values.encode(key) + b"\xc0" for key in chosen)
        return b"\xdf" + struct.pack(">I", len(chosen)) + pairs

    data = encoded(30_000)
    with pytest.raises(ValueError, match="keys of a dict collide"):
        values.decode(data)
    assert seconds_of(lambda: values.decode(data)) < 0.5  # a dict of them would take 10 s
    small = COLLIDING[kind](50)  # whoever has some such keys keeps them
    assert round_trip(dict.fromkeys(small)) == dict.fromkeys(small)


def test_keys_that_anybody_uses_are_no_collision():
    rng = random.Random(1)
    for shift in range(0, 64, 6):  # 12 and 48 are the worst
        for chosen in (
            [number << shift for number in range(2000)],
            [-(number << shift) for number in range(2000)],
            [(number << shift, number) for number in range(2000)],
            [number / 2**shift for number in range(2000)],
            [rng.getrandbits(shift + 1) for _ in range(2000)],
            ["text", *(number << shift for number in range(2000)), b"bytes"],
        ):
            sent = dict.fromkeys(chosen)
            assert round_trip(sent) == sent


# ---------------------------------------------------------------- memory that a peer can write


@needs_native
def test_floats_alone_are_read_where_a_peer_can_still_write():
    """A bytearray stands for such memory: it is no bytes."""
    floats = np.dtype([("x", "<f8"), ("y", "<c8", (3,))])
    for dtype in (
        "<f8",
        ">f2",
        "<c16",
        "|u1",
        "<i8",
        "|b1",
        "<M8[s]",
        "<m8[s]",
        "<U8",
        "|S8",
        "|V8",
        floats,
        titled,
    ):
        sent = np.zeros(40_000, dtype)
        buffers: list[object] = []
        encoded = values.encode(sent, buffers)
        memory = bytearray(buffers[0])
        back = values.decode(encoded, [memory])
        assert same(back, sent)
        memory[:] = b"\x01" * len(memory)
        shared = same(back, np.frombuffer(memory, dtype))
        assert shared == (np.dtype(dtype).kind in "fc" or dtype is floats), dtype
        assert same(back, sent) != shared
