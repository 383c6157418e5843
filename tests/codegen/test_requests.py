"""Requests from keyword arguments: what a generated signature allows is taken, what it does not is named."""

from __future__ import annotations

import collections
import datetime
import re
import types

import pytest

from sage_rpc import errors
from sage_rpc.encoding.messages import request_of
from tests.codegen.golden.awkward.fields_pb2 import LIGHT, Everything

WHEN = datetime.datetime(2024, 2, 29, 12, 0, 0, 250_000, tzinfo=datetime.timezone.utc)
LONG = datetime.timedelta(days=-1, microseconds=5)
EXPECTED = Everything()
EXPECTED.at.FromDatetime(WHEN)
EXPECTED.lasting.FromTimedelta(LONG)
EXPECTED.waits[True].FromTimedelta(LONG)
EXPECTED.times.add().FromDatetime(WHEN)


def only(*names: str, **scalars: object) -> Everything:
    """A message with these fields of EXPECTED, and others."""
    found = Everything(**scalars)
    for name in names:
        part = Everything()
        part.CopyFrom(EXPECTED)
        for other in EXPECTED.DESCRIPTOR.fields:
            if other.name != name:
                part.ClearField(other.name)
        found.MergeFrom(part)
    return found


def fixed(**entries: object) -> types.MappingProxyType[str, object]:
    """A mapping that is no dict."""
    return types.MappingProxyType(entries)


def made(**fields: object) -> Everything:
    return request_of("S.Set", Everything, None, fields)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"at": WHEN, "lasting": LONG}, only("at", "lasting")),
        ({"waits": {True: LONG}}, only("waits")),
        ({"waits": fixed() | {True: LONG}}, only("waits")),
        ({"times": [WHEN]}, only("times")),
        ({"times": (each for each in [WHEN])}, only("times")),
        ({"whole": fixed(times=[WHEN], a_string="a")}, Everything(whole=only("times", a_string="a"))),
        ({"whole": {"waits": collections.ChainMap({True: LONG})}}, Everything(whole=only("waits"))),
        ({"wholes": [fixed(at=WHEN), {"lasting": LONG}]}, Everything(wholes=[only("at"), only("lasting")])),
        ({"wholes": iter([{"whole": fixed(whole=fixed(shade="LIGHT"))}])}, None),
        ({"shade": "LIGHT", "maybe_shade": LIGHT}, Everything(shade=LIGHT, maybe_shade=LIGHT)),
        ({"blobs": collections.UserDict(a=b"1")}, Everything(blobs={"a": b"1"})),
        ({"doubles": {1: "one", 2: "two"}}, Everything(doubles=[1, 2])),
        ({"mask": fixed(paths=("a", "b")), "wrapped": fixed(value="c")}, None),
        ({"any_value": fixed(string_value="d"), "anything": fixed(type_url="e")}, None),
        ({"whole": {"a_string": None, "at": None, "times": None}}, Everything(whole=Everything())),
    ],
)
def test_what_the_signature_allows_is_taken(fields, expected):
    found = made(**fields)
    if expected is not None:
        assert found == expected
    assert {field.name for field, _ in found.ListFields()} == set(fields)


def test_a_struct_takes_a_mapping_of_what_it_is_to_hold():
    found = made(any_fields=fixed(a=1, b=["c", None]), whole={"any_fields": {"d": True}})
    assert (found.any_fields["a"], list(found.any_fields["b"])) == (1, ["c", None])
    assert found.whole.any_fields["d"] is True


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"doubles": (each for each in [1, "two", 3]), "a_string": "fine"}, r"field 'doubles': .*'two'"),
        ({"doubles": iter([1, None])}, r"field 'doubles': "),
        ({"waits": {True: WHEN}, "at": WHEN}, r"field 'waits': .*datetime"),
        ({"waits": 5}, r"field 'waits': "),
        ({"times": [WHEN, LONG]}, r"field 'times': .*timedelta"),
        ({"whole": fixed(nme=1)}, r"field 'whole': .*nme"),
        ({"whole": fixed(waits={True: "long"})}, r"field 'whole': "),
        ({"wholes": "text"}, r"field 'wholes': "),
        ({"shade": "DARK"}, r"field 'shade': .*DARK"),
        ({"any_fields": {"a": object()}}, r"field 'any_fields': "),
        ({"a_strin": "a"}, r"no field 'a_strin'; the fields are a_double, .*, gone$"),
    ],
)
def test_any_other_is_named_with_its_field(fields, problem):
    with pytest.raises(errors.InvalidArgument) as caught:
        made(**fields)
    assert re.match(rf"S\.Set: {problem}", caught.value.details())
    assert isinstance(caught.value, (TypeError, ValueError))


def test_what_a_generator_of_values_raises_is_its_callers():
    def values():
        yield 1.0
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        made(doubles=values())


def test_a_value_that_cannot_be_shown_is_named_all_the_same():
    class Shy:
        def __repr__(self):
            raise RuntimeError

    with pytest.raises(errors.InvalidArgument, match="field 'a_double'"):
        made(a_double=Shy())
