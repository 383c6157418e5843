"""Requests of the cases and what their answers must be: nothing here calls anything, both APIs share it.

Sizes, texts and keys are those of gRPC's descriptions of its interop tests; servers of other languages
expect them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any

import grpc

from tests.interop.interop_pb2 import (
    COMPRESSABLE,
    BoolValue,
    EchoStatus,
    Payload,
    ResponseParameters,
    SimpleRequest,
    StreamingInputCallRequest,
    StreamingOutputCallRequest,
)

LARGE_REQUEST, LARGE_RESPONSE = 271828, 314159  # bytes
REQUESTS = (27182, 8, 1828, 45904)
RESPONSES = (31415, 9, 2653, 58979)
AGGREGATED = 74922  # of REQUESTS
COMPRESSED_REQUESTS = (27182, 45904)  # the first one compressed, the second one not
COMPRESSED_RESPONSES = (31415, 92653)

INITIAL = ("x-grpc-test-echo-initial", "test_initial_metadata_value")
TRAILING = ("x-grpc-test-echo-trailing-bin", b"\xab\xab\xab")

STATUS = EchoStatus(code=2, message="test status message")
SPECIAL_STATUS = EchoStatus(
    code=2, message="\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \U0001f608\t\n"
)


class Failed(AssertionError):
    """A case did not see what it must see."""


def zeros(size: int) -> Payload:
    return Payload(type=COMPRESSABLE, body=bytes(size))


def flag(value: bool | None) -> BoolValue | None:
    return None if value is None else BoolValue(value=value)


def large(*, sent_compressed: bool | None = None, answer_compressed: bool | None = None) -> SimpleRequest:
    return SimpleRequest(
        response_type=COMPRESSABLE,
        response_size=LARGE_RESPONSE,
        payload=zeros(LARGE_REQUEST),
        expect_compressed=flag(sent_compressed),
        response_compressed=flag(answer_compressed),
    )


def upload(size: int, *, sent_compressed: bool | None = None) -> StreamingInputCallRequest:
    return StreamingInputCallRequest(payload=zeros(size), expect_compressed=flag(sent_compressed))


def download(*sizes: int) -> StreamingOutputCallRequest:
    return StreamingOutputCallRequest(
        response_type=COMPRESSABLE, response_parameters=[ResponseParameters(size=size) for size in sizes]
    )


def compressed_download() -> StreamingOutputCallRequest:
    request = download(*COMPRESSED_RESPONSES)
    request.response_parameters[0].compressed.value = True
    request.response_parameters[1].compressed.value = False
    return request


def turn(request_size: int, *response_sizes: int) -> StreamingOutputCallRequest:
    """One message of a conversation: so many bytes there, and responses of these sizes back."""
    request = download(*response_sizes)
    request.payload.CopyFrom(zeros(request_size))
    return request


def expect(what: str, got: object, wanted: object) -> None:
    if got != wanted:
        raise Failed(f"{what}: expected {wanted!r}, got {got!r}")


def expect_payload(what: str, response: Any, size: int) -> None:
    expect(f"type of the {what}", response.payload.type, COMPRESSABLE)
    expect(f"size of the {what}", len(response.payload.body), size)
    expect(f"whether the {what} is zeros", response.payload.body == bytes(size), True)


def expect_payloads(responses: Iterable[Any], sizes: Iterable[int]) -> None:
    responses = list(responses)
    expect("sizes of the responses", [len(response.payload.body) for response in responses], list(sizes))
    for number, response in enumerate(responses, start=1):
        expect_payload(f"response {number}", response, len(response.payload.body))


def expect_echoed(initial: Iterable[Any], trailing: Iterable[Any]) -> None:
    """The two metadata of a response have what `INITIAL` and `TRAILING` sent, once."""
    for what, metadata, (key, value) in (("initial", initial, INITIAL), ("trailing", trailing, TRAILING)):
        found = [entry[1] for entry in metadata if entry[0] == key]
        expect(f"{key} in the {what} metadata", found, [value])


def code_of(status: EchoStatus) -> grpc.StatusCode:
    return next(code for code in grpc.StatusCode if code.value[0] == status.code)


@contextlib.contextmanager
def ends_with(code: grpc.StatusCode, details: str | None = None) -> Iterator[None]:
    """What is awaited or called inside must raise an RpcError of this status."""
    try:
        yield
    except grpc.RpcError as error:
        expect("status code", error.code(), code)
        if details is not None:
            expect("status message", error.details(), details)
    else:
        raise Failed(f"status code: expected {code}, but the call succeeded")
