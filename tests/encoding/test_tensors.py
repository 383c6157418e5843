"""numpy arrays in messages of declared services, as Tensor messages and apart from them."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import time
from concurrent import futures
from types import SimpleNamespace

import grpc
import numpy as np
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

import sage_rpc
from sage_rpc import aio
from sage_rpc.proto.v1 import tensor_pb2
from tests.conftest import UNLIMITED, needs_native

MIB = 1 << 20
SERVICE = "tensors.Detector"
FIELD = descriptor_pb2.FieldDescriptorProto


def _messages() -> SimpleNamespace:
    file = descriptor_pb2.FileDescriptorProto(
        name="tests/tensors.proto",
        package="tensors",
        syntax="proto3",
        dependency=[tensor_pb2.DESCRIPTOR.name],
    )
    many = FIELD.LABEL_REPEATED
    shapes = {
        "Scene": [
            ("name", FIELD.TYPE_STRING, None, FIELD.LABEL_OPTIONAL),
            ("image", FIELD.TYPE_MESSAGE, ".sage.rpc.v1.Tensor", FIELD.LABEL_OPTIONAL),
            ("weight", FIELD.TYPE_DOUBLE, None, FIELD.LABEL_OPTIONAL),
            ("layers", FIELD.TYPE_MESSAGE, ".sage.rpc.v1.Tensor", many),
            ("count", FIELD.TYPE_FIXED32, None, FIELD.LABEL_OPTIONAL),
            ("tags", FIELD.TYPE_SINT64, None, many),
        ],
        "Note": [("text", FIELD.TYPE_STRING, None, FIELD.LABEL_OPTIONAL)],
    }
    for name, fields in shapes.items():
        message = file.message_type.add(name=name)
        for number, (field, kind, type_name, label) in enumerate(fields, 1):
            message.field.add(name=field, number=number, type=kind, type_name=type_name, label=label)
    pool = descriptor_pool.Default()
    pool.Add(file)
    kinds = (message_factory.GetMessageClass(pool.FindMessageTypeByName(f"tensors.{n}")) for n in shapes)
    return SimpleNamespace(**dict(zip(shapes, kinds, strict=True)))


MESSAGES = _messages()
Scene, Note = MESSAGES.Scene, MESSAGES.Note


class Detector:
    """The servicer: keeps what it was given, so that a test can look at it."""

    def __init__(self) -> None:
        self.seen: list[object] = []

    def echo(self, request, context):
        self.seen.append(request)
        return request

    def describe(self, request, context):
        return Note(text=f"{request.name} {request.image.shape} {request.image.dtype} {request.image.sum()}")

    def made(self, request, context):
        image = sage_rpc.empty(MIB, np.float32, context)
        image[:] = 3
        self.seen.append(image)
        return sage_rpc.Arrays(Scene(name=request.text), image=image)

    def each(self, request, context):
        for layer in request.layers:
            yield sage_rpc.Arrays(Scene(), image=layer)

    def handlers(self):
        def unary(method, request, response, kind=grpc.unary_unary_rpc_method_handler):
            return kind(method, request.FromString, response.SerializeToString)

        return {
            "Echo": unary(self.echo, Scene, Scene),
            "Describe": unary(self.describe, Scene, Note),
            "Made": unary(self.made, Note, Scene),
            "Each": unary(self.each, Scene, Scene, grpc.unary_stream_rpc_method_handler),
        }


def add(detector: Detector, server: grpc.Server) -> None:
    """As generated code does it."""
    handlers = detector.handlers()
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    if hasattr(server, "add_registered_method_handlers"):
        server.add_registered_method_handlers(SERVICE, handlers)


class Stub:
    def __init__(self, channel: grpc.Channel) -> None:
        def unary(name, request, response, kind="unary_unary"):
            return getattr(channel, kind)(
                f"/{SERVICE}/{name}",
                request_serializer=request.SerializeToString,
                response_deserializer=response.FromString,
                _registered_method=True,
            )

        self.Echo = unary("Echo", Scene, Scene)
        self.Describe = unary("Describe", Scene, Note)
        self.Made = unary("Made", Note, Scene)
        self.Each = unary("Each", Scene, Scene, "unary_stream")


@pytest.fixture
def detector():
    return Detector()


@pytest.fixture
def target(detector):
    server = sage_rpc.server(futures.ThreadPoolExecutor(4), options=UNLIMITED)
    add(detector, sage_rpc.with_arrays(server))
    port = server.add_insecure_port("localhost:0")
    server.start()
    yield f"localhost:{port}"
    server.stop(None).wait()


@pytest.fixture
def channel(target, transport):
    with sage_rpc.insecure_channel(target, [*UNLIMITED, ("sage_rpc.transport", transport)]) as made:
        yield made


@pytest.fixture
def stub(channel):
    return Stub(sage_rpc.with_arrays(channel))


ARRAYS = [
    np.arange(12, dtype=np.int32).reshape(3, 4),
    np.random.default_rng(1).random((200, 300)),
    np.zeros((0, 5), np.float32),
    np.array(2.5),
    np.arange(100_000)[::3],
    np.arange(60_000, dtype=">i4"),
    np.ones((3, 3), np.complex64),
    np.array([True, False]),
]


@pytest.mark.parametrize("array", ARRAYS, ids=lambda a: f"{a.dtype.name}{list(a.shape)}")
def test_a_tensor_is_an_array_and_back(array):
    back = sage_rpc.array(sage_rpc.Tensor.FromString(sage_rpc.tensor(array).SerializeToString()))
    assert back.dtype == array.dtype
    assert back.shape == array.shape
    assert np.array_equal(back, array)
    assert not back.flags.writeable


@pytest.mark.parametrize("array", ARRAYS, ids=lambda a: f"{a.dtype.name}{list(a.shape)}")
def test_arrays_of_every_kind_come_back(stub, array):
    back = stub.Echo(sage_rpc.Arrays(Scene(name="x", count=7), image=array), timeout=20)
    assert (back.name, back.count) == ("x", 7)
    assert back.image.dtype == array.dtype
    assert np.array_equal(back.image, array)


SMALL, LARGE = np.arange(10), np.arange(10_000)


@pytest.mark.parametrize("layers", list(itertools.product([SMALL, LARGE], repeat=3)), ids=lambda _: "")
def test_small_and_large_arrays_mix(stub, layers):
    message = Scene(name="n" * 200, weight=0.5, count=9, tags=[-1, 1 << 40])
    back = stub.Echo(sage_rpc.Arrays(message, image=LARGE, layers=list(layers)), timeout=20)
    assert (back.name, back.weight, back.count, list(back.tags)) == ("n" * 200, 0.5, 9, [-1, 1 << 40])
    assert np.array_equal(back.image, LARGE)
    assert [a.tolist() for a in back.layers] == [a.tolist() for a in layers]


def test_an_ordinary_message_is_as_good(stub):
    back = stub.Echo(Scene(name="plain", image=sage_rpc.tensor(LARGE)), timeout=20)
    assert np.array_equal(back.image, LARGE)
    assert back.layers == []
    assert stub.Describe(Scene(name="s", image=sage_rpc.tensor([1, 2])), timeout=20).text == "s (2,) int64 3"


def test_whoever_knows_nothing_of_it_sees_ordinary_messages(target, channel, detector):
    back = Stub(channel).Echo(Scene(name="plain", image=sage_rpc.tensor(LARGE)), timeout=20)
    assert type(back) is Scene
    assert np.array_equal(sage_rpc.array(back.image), LARGE)
    with grpc.insecure_channel(target, UNLIMITED) as stock:
        back = Stub(sage_rpc.with_arrays(stock)).Echo(sage_rpc.Arrays(Scene(), image=LARGE), timeout=20)
        assert np.array_equal(back.image, LARGE)


def test_streams_have_arrays_too(stub):
    layers = [np.full(n, n) for n in (1, 50_000)]
    got = list(stub.Each(sage_rpc.Arrays(Scene(), layers=layers), timeout=20))
    assert [each.image.tolist() for each in got] == [each.tolist() for each in layers]


@needs_native
@pytest.mark.parametrize("transport", ["shm"], indirect=True)
def test_nothing_is_copied_that_was_allocated_for_its_way(stub, channel, detector):
    image = sage_rpc.empty(MIB, np.float32, channel)
    image[:] = 1
    stub.Echo(sage_rpc.Arrays(Scene(), image=image), timeout=20)
    image[0] = 2
    assert detector.seen[0].image[0] == 2  # the handler got a view of this very memory
    back = stub.Made(Note(text="m"), timeout=20)
    assert back.image[0] == 3
    detector.seen[-1][0] = 4
    assert back.image[0] == 4
    stub.Echo(sage_rpc.Arrays(Scene(), image=np.ones(MIB, np.uint8)), timeout=20)
    assert detector.seen[-1].image.flags.owndata  # what may be an index is the receiver's own
    assert not detector.seen[-1].image.flags.writeable


@needs_native
def test_a_call_that_waits_for_its_server_sends_what_it_was_given():
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    image = np.ones(MIB, np.float32)
    server = sage_rpc.server(futures.ThreadPoolExecutor(1), options=UNLIMITED)
    add(Detector(), sage_rpc.with_arrays(server))
    options = [*UNLIMITED, ("sage_rpc.transport", "shm")]
    with sage_rpc.insecure_channel(f"localhost:{port}", options) as channel:
        echo = Stub(sage_rpc.with_arrays(channel)).Echo
        call = echo.future(sage_rpc.Arrays(Scene(), image=image), timeout=20, wait_for_ready=True)
        image[:] = 2
        assert server.add_insecure_port(f"localhost:{port}") == port
        server.start()
        assert np.all(call.result().image == 1)
    server.stop(None).wait()


def test_asyncio_has_the_same(transport):
    class AioDetector(Detector):
        async def echo(self, request, context):
            return sage_rpc.Arrays(Scene(name=str(request.image.dtype)), image=request.image)

    async def run():
        server = aio.server(options=UNLIMITED)
        add(AioDetector(), sage_rpc.with_arrays(server))
        port = server.add_insecure_port("localhost:0")
        await server.start()
        options = [*UNLIMITED, ("sage_rpc.transport", transport)]
        async with sage_rpc.with_arrays(aio.insecure_channel(f"localhost:{port}", options)) as channel:
            back = await Stub(channel).Echo(sage_rpc.Arrays(Scene(), image=LARGE), timeout=20)
            assert back.name == "int64"
            assert np.array_equal(back.image, LARGE)
        await server.stop(None)

    asyncio.run(run())


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: sage_rpc.Arrays(Scene(), imag=SMALL), "no Tensor field 'imag'; it has image"),
        (lambda: sage_rpc.Arrays(Scene(), name=SMALL), "no Tensor field 'name'; it has image, layers"),
        (lambda: sage_rpc.Arrays(Scene(), image=[SMALL]), "image takes one array, not list"),
        (lambda: sage_rpc.Arrays(Scene(), layers=SMALL), "layers takes a list of arrays, not ndarray"),
        (lambda: sage_rpc.Arrays(Scene(image=sage_rpc.tensor(1)), image=SMALL), "set in the message, too"),
        (lambda: sage_rpc.tensor(np.array([object()])), "holds numbers, not object"),
        (lambda: sage_rpc.tensor(np.zeros(2, "i4,i4")), "holds numbers"),
        (lambda: sage_rpc.tensor(np.ma.masked_array([1, 2], [True, False])), "has no mask"),
        (lambda: sage_rpc.tensor(np.zeros(2, np.dtype("f8", metadata={"a": 1}))), "metadata"),
        (lambda: sage_rpc.array(sage_rpc.Tensor(dtype="<f4", shape=[2**40, 0])), "too many of none"),
        (lambda: sage_rpc.array(sage_rpc.Tensor(dtype=",".join(["i1"] * 10**6), shape=[0])), "refused"),
        (lambda: sage_rpc.array(sage_rpc.Tensor(dtype="<f4", shape=[3], data=b"1234")), "bad tensor"),
        (lambda: sage_rpc.array(sage_rpc.Tensor(dtype="<f4", shape=[-1], data=b"1234")), "negative"),
        (lambda: sage_rpc.array(sage_rpc.Tensor(dtype="O", shape=[1], data=b"12345678")), "refused"),
        (lambda: sage_rpc.array(sage_rpc.Tensor(dtype="what", shape=[1], data=b"1")), "bad tensor"),
    ],
)
def test_what_is_wrong_is_named(make, complaint):
    with pytest.raises(ValueError, match=complaint):
        make()


def test_only_channels_and_servers_take_arrays():
    with pytest.raises(TypeError, match="a channel or a server"):
        sage_rpc.with_arrays(object())


def test_a_response_that_cannot_be_made_is_the_handlers_error(stub, detector):
    detector.echo = lambda request, context: sage_rpc.Arrays(Scene(), image=np.array([None]))
    server = sage_rpc.server(futures.ThreadPoolExecutor(1))
    add(detector, sage_rpc.with_arrays(server))
    port = server.add_insecure_port("localhost:0")
    server.start()
    with sage_rpc.insecure_channel(f"localhost:{port}") as channel:
        with pytest.raises(grpc.RpcError) as raised:
            Stub(sage_rpc.with_arrays(channel)).Echo(Scene(), timeout=20)
        assert raised.value.code() is grpc.StatusCode.INTERNAL
    server.stop(None).wait()


@pytest.mark.parametrize("endless", [b"\x80" * 1_000_000, b"\x08" + b"\xff" * 1_000_000 + b"\x01"])
def test_a_number_without_an_end_is_no_number(endless):
    """Ten bytes are the most that protobuf has for one; a million of them would take a minute."""
    from sage_rpc.encoding import buffers, tensors

    began = time.process_time()
    with contextlib.suppress(ValueError, DecodeError):
        tensors._received(Scene, [endless + buffers.head(3, 8), memoryview(bytes(8))])
    assert tensors._walk(endless, 0) is None
    assert time.process_time() - began < 2


def test_any_bytes_are_a_message_or_an_error():
    from sage_rpc.encoding import tensors

    random = np.random.default_rng(7)
    good = sage_rpc.Arrays(Scene(name="n", count=1), image=LARGE)
    parts = tensors._parts(good)
    for _ in range(2000):
        head = bytearray(parts[0] + parts[1])
        for _ in range(random.integers(1, 4)):
            head[random.integers(len(head))] = random.integers(256)
        cut = random.integers(len(head) + 1)
        with contextlib.suppress(ValueError, DecodeError):  # what a deserializer raises ends the call
            found = tensors._received(Scene, [bytes(head[: cut or None]), parts[2]])
            assert found is None or isinstance(found, sage_rpc.Arrays)
