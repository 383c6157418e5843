"""The value encoding of plain services: what travels, what is refused, and that garbage is only an error."""

from __future__ import annotations

import contextlib
import datetime
import decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from sage_rpc import values

zones = st.none() | st.sampled_from(
    [datetime.timezone.utc, datetime.timezone(datetime.timedelta(hours=5, minutes=30))]
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.datetimes(timezones=zones)
    | st.dates()
    | st.times()
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


def same(a: object, b: object) -> bool:
    """Equal, and of the same types all the way down."""
    if type(a) is not type(b):
        return False
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    return a == b


@given(nested)
def test_a_value_comes_back_equal_and_of_the_same_types(value):
    assert same(values.decode(values.encode(value)), value)


@given(arrays)
def test_an_array_comes_back_with_type_shape_and_contents(array):
    back = values.decode(values.encode({"array": array}))["array"]
    assert back.dtype == array.dtype
    assert back.shape == array.shape
    assert back.tobytes() == array.tobytes()


def test_an_array_in_fortran_order_or_with_strides_keeps_its_contents():
    array = np.arange(24).reshape(2, 3, 4).transpose(2, 0, 1)[::2]
    assert np.array_equal(values.decode(values.encode(array)), array)


def test_a_decoded_array_is_a_read_only_view_of_what_arrived():
    back = values.decode(values.encode(np.arange(10)))
    assert not back.flags.writeable
    assert not back.flags.owndata


@pytest.mark.parametrize(
    "scalar", [np.float32(1.5), np.int64(-3), np.bool_(True), np.datetime64("2026-01-02")]
)
def test_a_numpy_scalar_stays_one(scalar):
    back = values.decode(values.encode(scalar))
    assert type(back) is type(scalar)
    assert back == scalar


def test_not_a_number_comes_back():
    assert np.isnan(values.decode(values.encode(float("nan"))))


@pytest.mark.parametrize("like", [bytearray(b"abc"), memoryview(b"abc")])
def test_what_is_like_bytes_comes_back_as_bytes(like):
    assert values.decode(values.encode(like)) == b"abc"


class Custom:
    pass


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (Custom(), "value: cannot serialise"),
        ([1, {"a": (2, Custom())}], "value[1]['a'][1]: cannot serialise"),
        ({"a": {decimal.Decimal(1): 2}}, "key Decimal('1') of value['a']"),
        ({1, 2}, "cannot serialise set"),
        (3j, "cannot serialise complex"),
        (lambda: None, "cannot serialise function"),
        (np.array([object()]), "numpy array of Python objects"),
    ],
)
def test_what_does_not_travel_is_refused_with_its_place_and_type(value, says):
    with pytest.raises(values.UnserializableError) as caught:
        values.encode(value)
    assert says in str(caught.value)
    assert "use None, bool, int" in str(caught.value)


def test_a_value_that_contains_itself_is_refused():
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(values.UnserializableError, match="contains itself"):
        values.encode(loop)


@given(st.binary(max_size=200))
def test_bytes_that_are_no_value_are_a_value_error(data):
    with contextlib.suppress(ValueError):
        values.decode(data)


@given(nested | arrays, st.data())
def test_an_encoded_value_with_a_wrong_byte_is_a_value_error_or_another_value(value, data):
    encoded = bytearray(values.encode(value))
    at = data.draw(st.integers(0, len(encoded) - 1))
    encoded[at] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ValueError):
        values.decode(bytes(encoded))


@given(nested, st.data())
def test_a_value_cut_short_is_a_value_error(value, data):
    encoded = values.encode(value)
    with pytest.raises(ValueError, match="malformed"):
        values.decode(encoded[: data.draw(st.integers(0, len(encoded) - 1))])


def test_decoding_a_hostile_array_is_a_value_error():
    import msgpack

    def array(descr: object, shape: object, data: bytes) -> bytes:
        header = msgpack.packb([descr, shape])
        return msgpack.packb(msgpack.ExtType(7, len(header).to_bytes(4, "little") + header + data))

    for hostile in (
        array("|O", [1], bytes(8)),
        array([["f", "|O"]], [1], bytes(8)),
        array("<f8", [-1], b""),
        array("<f8", [2**40, 2**40], b""),
        array("<f8", [1], bytes(7)),
        array("<f8", ["x"], bytes(8)),
        array("('f8, (2", [1], bytes(8)),
        array(None, None, b""),
        array("<f8", {}, bytes(8)),
    ):
        with pytest.raises(ValueError, match="malformed"):
            values.decode(hostile)
