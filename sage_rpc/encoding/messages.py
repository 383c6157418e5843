"""Requests of declared services: made from keyword arguments, and complete before anything is sent.

What protobuf says about a wrong value names neither the method nor, always, the field. Here each error does,
and is an InvalidArgument: a ValueError and a TypeError. Values are looked at only once protobuf has refused
them: the usual request costs its constructor and no more.
"""

from __future__ import annotations

import datetime
import reprlib
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import grpc
from google.protobuf import message_factory
from google.protobuf.message import Message

from sage_rpc import errors
from sage_rpc.text.exceptions import text_of
from sage_rpc.text.foreign import shown

__all__ = ["check_complete", "invalid", "made", "may_be_incomplete", "missing_fields", "request_of"]

RequestT = TypeVar("RequestT", bound=Message)


def request_of(
    method: str, kind: type[RequestT], request: RequestT | None, fields: Mapping[str, Any]
) -> RequestT:
    """The request of a call: `request`, or one of `kind` with those `fields` that are not None.

    Raises:
        InvalidArgument: a field has no such value, both are given, or `request` is of another type. Its text
            names `method` and the field.
    """
    if request is None:
        return made(method, kind, fields)
    if not isinstance(request, kind):
        full_name = kind.DESCRIPTOR.full_name
        hint = ", ".join(fields) or "it has none"
        raise invalid(
            f"{method} takes a {full_name} or its fields by keyword ({hint}), not {type(request).__name__}"
        )
    for value in fields.values():
        if value is not None:
            break
    else:
        return request
    given = ", ".join(name for name, value in fields.items() if value is not None)
    raise invalid(
        f"{method}: both a {kind.DESCRIPTOR.full_name} and fields are given ({given}): give one or the other"
    )


def made(method: str, kind: type[RequestT], fields: Mapping[str, Any]) -> RequestT:
    """A message of `kind` with those `fields` that are not None.

    A field that is a message takes a mapping of its fields as well, a `Timestamp` a datetime and a `Duration`
    a timedelta (without time zone: UTC), an enum its name: in maps and repeated fields, too, at any depth.

    Raises:
        InvalidArgument: a field has no such value; its text names `method` and the field.
    """
    for name, value in fields.items():
        # What can be read once only is read here: it may have to be looked at again.
        if type(value) not in _READ_AGAIN and isinstance(value, Iterator):
            fields = {**fields, name: _read(method, name, value)}
    try:
        return kind(**fields)
    except _REFUSALS:
        pass
    known = kind.DESCRIPTOR.fields_by_name
    for name in fields:
        if name not in known:
            raise invalid(f"{method}: no field {shown(name)}; the fields are {', '.join(known) or 'none'}")
    accepted: dict[str, Any] = {}
    for name, value in fields.items():
        try:
            accepted[name] = None if value is None else _accepted(known[name], value)
            kind(**{name: accepted[name]})
        except _REFUSALS as problem:
            raise _wrong(method, name, problem, value) from problem
    try:
        return kind(**accepted)
    except _REFUSALS as problem:
        raise invalid(f"{method}: {text_of(problem)}") from problem


# What protobuf refuses values with; the last is protobuf 6's for what is no datetime.
_REFUSALS = (TypeError, ValueError, AttributeError)
_READ_AGAIN = frozenset({bool, bytes, dict, float, int, list, set, str, tuple, type(None)})
_SHOWN = reprlib.Repr()
_SHOWN.maxstring = _SHOWN.maxother = 80


def _read(method: str, name: str, values: Iterator[Any]) -> list[Any]:
    try:
        return list(values)
    except (TypeError, ValueError) as problem:
        raise _wrong(method, name, problem, values) from problem


def _wrong(method: str, name: str, problem: Exception, value: Any) -> errors.InvalidArgument:
    text = _SHOWN.repr(value)
    given = text if len(text) <= 80 else f"{text[:77]}..."
    return invalid(f"{method}: field {name!r}: {text_of(problem)} (given: {given})")


def _accepted(field: Any, value: Any) -> Any:
    """A value of a field as protobuf's own constructors take it; what they refuse is left as it is."""
    message = field.message_type
    if message is not None and message.GetOptions().map_entry:
        item_field = message.fields_by_name["value"]
        if not isinstance(value, Mapping):
            return value
        return {key: _accepted_item(item_field, item) for key, item in value.items()}
    if _is_repeated(field):
        return value if isinstance(value, (str, bytes)) else [_accepted_item(field, item) for item in value]
    return _accepted_item(field, value)


def _accepted_item(field: Any, value: Any) -> Any:
    """The same for one value of a field, perhaps of many."""
    if field.enum_type is not None and isinstance(value, str):
        found = field.enum_type.values_by_name.get(value)
        return value if found is None else found.number
    message = field.message_type
    if message is None or isinstance(value, Message):
        return value
    kind = message_factory.GetMessageClass(message)
    made: Any = kind()
    if message.full_name == "google.protobuf.Timestamp" and isinstance(value, datetime.datetime):
        made.FromDatetime(value)
    elif message.full_name == "google.protobuf.Duration" and isinstance(value, datetime.timedelta):
        made.FromTimedelta(value)
    elif message.full_name == "google.protobuf.Struct" and isinstance(value, Mapping):
        made.update(value)
    elif isinstance(value, Mapping):
        known = message.fields_by_name
        made = kind(
            **{
                name: _accepted(known[name], inner) if name in known and inner is not None else inner
                for name, inner in value.items()
            }
        )
    else:
        return value
    return made


def _is_repeated(field: Any) -> bool:
    # protobuf 7 has no labels any more, and its predecessors no other way to ask.
    asked = getattr(field, "is_repeated", None)
    return bool(field.label == field.LABEL_REPEATED) if asked is None else bool(asked)


def may_be_incomplete(kind: type[Message]) -> bool:
    """Whether a message of `kind` may lack a required field, its own or one of a message in it."""
    seen: set[str] = set()
    pending: list[Any] = [kind.DESCRIPTOR]
    while pending:
        message = pending.pop()
        if message.full_name in seen:
            continue
        seen.add(message.full_name)
        # What extends a message is not known here, and may have required fields of its own.
        if message.is_extendable or not message_factory.GetMessageClass(message)().IsInitialized():
            return True
        pending += [field.message_type for field in message.fields if field.message_type is not None]
    return False


def check_complete(method: str, request: Message) -> None:
    """Refuse a request that lacks a required field, which protobuf does not serialize.

    Raises:
        InvalidArgument: the text names what is missing.
    """
    if not request.IsInitialized():
        name = request.DESCRIPTOR.full_name
        raise invalid(f"{method}: required fields of {name} are missing: {missing_fields(request)}")


def missing_fields(message: Any) -> str:
    """Which required fields a message lacks, with commas between."""
    return ", ".join(message.FindInitializationErrors())


def invalid(text: str) -> errors.InvalidArgument:
    """The error of a call that cannot be made as it was asked for."""
    return errors.InvalidArgument(grpc.StatusCode.INVALID_ARGUMENT, text)
