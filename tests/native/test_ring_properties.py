"""Properties of the frame and metadata codecs that Python sees; `tests/native` tests the C below them.

What must hold: what was encoded comes back; bytes that are no frame are refused with ProtocolViolation
and with nothing else; what is accepted adds up to the bytes that were given.
"""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sage_rpc import native

if not native.available():
    pytest.skip(native.why_not(), allow_module_level=True)

from sage_rpc.native import core

TYPE = core.FRAME_TYPES
FLAG = core.FRAME_FLAGS
HEADER = struct.Struct("<IBBHII")

KEYS = st.text("abcdefghijklmnopqrstuvwxyz0123456789_-.", min_size=1, max_size=20)
TEXTS = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40)
ENTRIES = st.lists(
    st.one_of(
        st.tuples(KEYS.filter(lambda key: not key.endswith("-bin")), TEXTS),
        st.tuples(KEYS.map(lambda key: key + "-bin"), st.binary(max_size=40)),
    ),
    max_size=8,
)


def block(data: bytes) -> bytes:
    return struct.pack("<I", len(data)) + data


@given(ENTRIES)
def test_metadata_comes_back_in_order_with_its_types(entries: list[tuple[str, str | bytes]]) -> None:
    assert [tuple(entry) for entry in core.decode_metadata(core.encode_metadata(entries))] == entries


@given(ENTRIES, st.data())
def test_a_cut_or_longer_metadata_block_is_refused(
    entries: list[tuple[str, str | bytes]], data: st.DataObject
) -> None:
    whole = core.encode_metadata(entries)
    cut = data.draw(st.integers(0, len(whole) - 1))
    for bad in (whole[:cut], whole + b"\0"):
        with pytest.raises(core.ProtocolViolation):
            core.decode_metadata(bad)


@given(st.sampled_from(["", "K", "a b", "k\n", "ä", "a:b"]))
def test_keys_that_grpc_forbids_are_refused(key: str) -> None:
    with pytest.raises(ValueError, match="metadata"):
        core.encode_metadata([(key, "v")])


@given(
    stream=st.integers(1, 2**32 - 1),
    method=st.integers(0, 2**32 - 1),
    timeout=st.none() | st.integers(0, 2**64 - 1),
    name=st.none() | st.binary(max_size=60),
    metadata=st.none() | st.binary(max_size=60),
    message=st.none() | st.binary(max_size=200),
)
def test_every_part_of_open_comes_back(
    stream: int,
    method: int,
    timeout: int | None,
    name: bytes | None,
    metadata: bytes | None,
    message: bytes | None,
) -> None:
    flags, body = FLAG["END"], b""
    if timeout is not None:
        flags, body = flags | FLAG["HAS_TIMEOUT"], body + struct.pack("<Q", timeout)
    if name is not None:
        flags, body = flags | FLAG["HAS_NAME"], body + block(name)
    if metadata is not None:
        flags, body = flags | FLAG["HAS_METADATA"], body + block(metadata)
    if message is not None:
        flags, body = flags | FLAG["HAS_MESSAGE"], body + message
    got = core.decode_frame(core.encode_frame(TYPE["OPEN"], flags, stream, method, body))
    assert (got["type"], got["flags"], got["stream"], got["aux"]) == (TYPE["OPEN"], flags, stream, method)
    assert got["timeout_ns"] == (timeout or 0)
    assert (got["name"], got["metadata"], got["message"]) == (name or b"", metadata or b"", message or b"")
    assert got["total"] == len(message or b"")


@given(st.integers(0, 9), st.integers(0, 255), st.integers(0, 2), st.binary(max_size=80))
def test_any_body_is_parsed_whole_or_refused(kind: int, flags: int, stream: int, body: bytes) -> None:
    frame = core.encode_frame(kind, flags, stream, 0, body)
    assert HEADER.unpack_from(frame) == (16 + len(body), kind, flags, 0, stream, 0)
    try:
        got = core.decode_frame(frame)
    except core.ProtocolViolation:
        return
    blocks = [part for part in ("name", "initial", "metadata", "details") if got[part]]
    used = sum(4 + len(got[part]) for part in blocks) + len(got["message"])
    assert used <= len(body)
    assert flags & FLAG["HAS_MESSAGE"] or not got["message"]


@given(st.binary(max_size=64))
def test_arbitrary_bytes_are_never_more_than_a_violation(frame: bytes) -> None:
    try:
        core.decode_frame(frame)
    except core.ProtocolViolation:
        return
    assert HEADER.unpack_from(frame)[0] == len(frame)
