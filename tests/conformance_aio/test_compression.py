"""Compression may be asked for anywhere; messages arrive as they were."""

from __future__ import annotations

import grpc
import pytest

from tests.conformance_aio.invocation import BY_KIND, either_kind, every_kind
from tests.conformance_aio.service import KINDS, SERVICE, echo, handler_of

every_compression = pytest.mark.parametrize(
    "compression", [grpc.Compression.Gzip, grpc.Compression.Deflate], ids=str
)
TEXT = b"the same again " * 1000


@every_kind
@every_compression
async def test_a_call_may_be_compressed(rpc, kind, compression):
    outcome = await BY_KIND[kind].run(rpc.method(kind, echo(kind)), [TEXT], compression=compression)
    assert outcome.responses == [TEXT]


@either_kind
@every_compression
async def test_a_channel_may_be_compressed(rpc, kind, compression):
    async with rpc.column.channel(rpc.target, compression=compression) as channel:
        outcome = await BY_KIND[kind].run(rpc.method(kind, echo(kind), channel=channel), [TEXT])
        assert outcome.responses == [TEXT]


@every_compression
async def test_a_server_may_be_compressed(serve, compression):
    served = await serve(
        registered={kind: handler_of(kind, echo(kind)) for kind in KINDS}, compression=compression
    )
    for kind in KINDS:
        outcome = await BY_KIND[kind].run(getattr(served.channel, kind)(f"/{SERVICE}/{kind}"), [TEXT])
        assert outcome.responses == [TEXT]


@either_kind
@every_compression
async def test_a_handler_may_set_the_compression_of_its_call(rpc, kind, compression):
    act = lambda context: context.set_compression(compression)
    assert (await BY_KIND[kind].run(rpc.method(kind, echo(kind, act)), [TEXT])).responses == [TEXT]


@either_kind
async def test_a_handler_may_leave_a_message_uncompressed(rpc, kind):
    async def act(context):
        context.set_compression(grpc.Compression.Gzip)
        context.disable_next_message_compression()

    assert (await BY_KIND[kind].run(rpc.method(kind, echo(kind, act)), [TEXT])).responses == [TEXT]


@either_kind
async def test_compression_is_set_before_initial_metadata_is_sent(rpc, kind):
    errors = []

    async def act(context):
        await context.send_initial_metadata(())
        try:
            context.set_compression(grpc.Compression.Gzip)
        except RuntimeError as error:
            errors.append(error)

    await BY_KIND[kind].run(rpc.method(kind, echo(kind, act)))
    assert len(errors) == 1
