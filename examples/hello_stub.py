"""Generated stubs, unchanged, over the memory queue: a server process, and a client that calls it.

python examples/hello_stub.py            # both
python examples/hello_stub.py serve      # the server alone; it prints its address
python examples/hello_stub.py call localhost:50051 Ada
"""

from __future__ import annotations

import subprocess
import sys
from concurrent import futures

import grpc
import hello_pb2
import hello_pb2_grpc

import sage_rpc


class Greeter(hello_pb2_grpc.GreeterServicer):
    def Hello(self, request: hello_pb2.HelloRequest, context: grpc.ServicerContext) -> hello_pb2.HelloReply:
        if not request.name:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "whom shall I greet?")
        return hello_pb2.HelloReply(text=f"Hello, {request.name}!")


def serve() -> None:
    server = sage_rpc.server(futures.ThreadPoolExecutor(8))  # grpc.server, and the memory queue
    hello_pb2_grpc.add_GreeterServicer_to_server(Greeter(), server)
    port = server.add_insecure_port("localhost:0")
    server.start()
    print(f"localhost:{port}", flush=True)
    sys.stdin.read()  # serve until whoever started us is gone
    server.stop(grace=1.0).wait()


def call(target: str, name: str) -> None:
    with sage_rpc.insecure_channel(target) as channel:  # grpc.insecure_channel, and the picker
        stub = hello_pb2_grpc.GreeterStub(channel)
        print(stub.Hello(hello_pb2.HelloRequest(name=name), timeout=2.0).text)
        try:
            stub.Hello(hello_pb2.HelloRequest(), timeout=2.0)
        except grpc.RpcError as error:
            print(f"{error.code().name}: {error.details()}")
        print(f"carried by: {channel.transport}")  # "shm" on the server's host, "grpc" elsewhere


def both() -> None:
    command = [sys.executable, __file__, "serve"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        call(server.stdout.readline().strip(), "Ada")


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve()
    elif sys.argv[1:2] == ["call"] and len(sys.argv) == 4:
        call(*sys.argv[2:])
    elif not sys.argv[1:]:
        both()
    else:
        sys.exit(__doc__)
