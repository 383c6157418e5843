"""Serves test.kinds.Kinds.Echo and nothing else, as fast as a handler can: what comes goes back.

Prints its port and ends with its standard input.
"""

from __future__ import annotations

import sys
from concurrent import futures

import sage_rpc
from tests.codegen.golden import kinds_pb2_grpc


class Echo(kinds_pb2_grpc.KindsServicer):
    def Echo(self, request, context):
        return request


if __name__ == "__main__":
    server = sage_rpc.server(futures.ThreadPoolExecutor(2))
    kinds_pb2_grpc.add_KindsServicer_to_server(Echo(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    sys.stdin.read()
    server.stop(None).wait()
