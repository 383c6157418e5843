"""A client in another language: Node's @grpc/grpc-js finds our services by reflection and calls them by TCP.

npm fetches the client into a temporary directory; where there is no node, no npm or no registry, the tests
are skipped and say why. Python's own reflection client asks the same server over the same port.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import shutil
import subprocess
import sys
import threading
from concurrent import futures
from importlib import resources
from pathlib import Path

import grpc
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from grpc_reflection.v1alpha import reflection, reflection_pb2
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from grpc_tools import protoc

import sage_rpc
from sage_rpc import aio
from tests.ecosystem.conftest import SECONDS

PROTOS = Path(__file__).parents[1] / "protos"
PACKAGES = ("@grpc/grpc-js@1", "@grpc/proto-loader@0.8")
NPM_SECONDS = 20
SHOP = "test.shop.Shop"


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """The modules (shop_pb2, shop_pb2_grpc) that grpcio-tools makes now."""
    into = tmp_path_factory.mktemp("generated")
    includes = [f"-I{PROTOS}", f"-I{resources.files('grpc_tools') / '_proto'}"]
    outputs = [f"--python_out={into}", f"--grpc_python_out={into}"]
    assert protoc.main(["protoc", *includes, *outputs, "shop.proto"]) == 0
    sys.path.insert(0, str(into))
    try:
        yield importlib.import_module("shop_pb2"), importlib.import_module("shop_pb2_grpc")
    finally:
        sys.path.remove(str(into))


def threaded(shop):
    """The port of a threaded server."""
    messages, stubs = shop

    class Shop(stubs.ShopServicer):
        def GetPrice(self, request, context):
            metadata = dict(context.invocation_metadata())
            context.send_initial_metadata((("seen", metadata.get("token", "nothing")),))
            if request.name == "wait":
                ended = threading.Event()
                context.add_callback(ended.set)
                ended.wait(SECONDS)
            return self.price(request, context)

        def WatchPrices(self, request_iterator, context):
            for item in request_iterator:
                yield self.price(item, context)

        def price(self, item, context):
            if not item.name:
                context.set_trailing_metadata((("why", "because"),))
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, "an item needs a name: café")
            return messages.Price(amount=len(item.name) * max(1, item.count), currency="EUR")

    server = sage_rpc.server(futures.ThreadPoolExecutor(4))
    stubs.add_ShopServicer_to_server(Shop(), server)
    reflection.enable_server_reflection((SHOP, reflection.SERVICE_NAME), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield port
    server.stop(None).wait()


async def serve_shop(shop, started: futures.Future[tuple[int, asyncio.Event]]) -> None:
    """The same as an asyncio server, until its event is set."""
    messages, stubs = shop

    class Shop(stubs.ShopServicer):
        async def GetPrice(self, request, context):
            metadata = dict(context.invocation_metadata())
            await context.send_initial_metadata((("seen", metadata.get("token", "nothing")),))
            if request.name == "wait":
                await asyncio.sleep(SECONDS)
            return await self.price(request, context)

        async def WatchPrices(self, request_iterator, context):
            async for item in request_iterator:
                yield await self.price(item, context)

        async def price(self, item, context):
            if not item.name:
                context.set_trailing_metadata((("why", "because"),))
                await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "an item needs a name: café")
            return messages.Price(amount=len(item.name) * max(1, item.count), currency="EUR")

    server = aio.server()
    stubs.add_ShopServicer_to_server(Shop(), server)
    reflection.enable_server_reflection((SHOP, reflection.SERVICE_NAME), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    end = asyncio.Event()
    started.set_result((port, end))
    await end.wait()
    await server.stop(None)


def in_a_loop(shop):
    """The port of an asyncio server, which lives in a thread."""
    started = futures.Future()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_until_complete, args=(serve_shop(shop, started),))
    thread.start()
    port, end = started.result(SECONDS)
    yield port
    loop.call_soon_threadsafe(end.set)
    thread.join(SECONDS)
    assert not thread.is_alive()
    loop.close()


@pytest.fixture(params=[threaded, in_a_loop], ids=["threaded", "asyncio"])
def port(shop, request):
    yield from request.param(shop)


@pytest.fixture(scope="module")
def node_modules(tmp_path_factory) -> Path:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("needs node and npm on the PATH")
    place = tmp_path_factory.mktemp("node")
    quiet = ["--no-audit", "--no-fund", "--no-save", "--ignore-scripts", "--fetch-retries=0"]
    try:
        done = subprocess.run(
            [npm, "install", *quiet, *PACKAGES],
            cwd=place,
            capture_output=True,
            text=True,
            timeout=NPM_SECONDS,
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"npm did not get @grpc/grpc-js within {NPM_SECONDS} s")
    if done.returncode:
        why = [line for line in done.stderr.splitlines() if "error" in line.lower()]
        pytest.skip(f"npm cannot get @grpc/grpc-js: {' '.join(why[:2])}")
    return place


@pytest.fixture
def seen(node_modules, port, tmp_path) -> dict:
    """What the Node client saw."""
    described = FileDescriptorSet()
    reflection_pb2.DESCRIPTOR.CopyToProto(described.file.add())
    (tmp_path / "reflection.binpb").write_bytes(described.SerializeToString())
    # Beside the packages: require() looks for them from where the program is.
    program = shutil.copy(Path(__file__).parent / "client.js", node_modules)
    done = subprocess.run(
        ["node", program, f"127.0.0.1:{port}", tmp_path / "reflection.binpb"],
        capture_output=True, text=True, timeout=SECONDS * 2,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_node_client_gets_what_a_python_client_gets(seen):
    assert seen["services"] == sorted([SHOP, reflection.SERVICE_NAME])
    assert seen["price"] == {"amount": 15, "currency": "EUR", "initial": "from node"}
    assert seen["big"]["amount"] == 1 << 20
    refused = seen["refused"]
    assert (refused["code"], refused["details"]) == (3, "an item needs a name: café")
    assert refused["trailer"]["why"] == "because"
    assert seen["late"]["code"] == 4
    assert (seen["stream"]["seen"], seen["stream"]["code"]) == ([1, 2, 3], 0)
    broken = seen["brokenStream"]
    assert (broken["seen"], broken["code"], broken["details"]) == ([1], 3, "an item needs a name: café")


@pytest.mark.parametrize("make", [grpc.insecure_channel, sage_rpc.insecure_channel])
def test_a_reflection_client_learns_the_services_from_the_port(port, make):
    with make(f"127.0.0.1:{port}") as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        assert SHOP in database.get_services()
        assert database.FindFileContainingSymbol(SHOP).name == "shop.proto"
