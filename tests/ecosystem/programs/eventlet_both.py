"""eventlet has patched everything: both ends use gRPC, and say why."""

import eventlet

eventlet.monkey_patch()

from concurrent import futures

import sage_rpc

server = sage_rpc.server(futures.ThreadPoolExecutor(2))
server.add_insecure_port("localhost:0")
server.start()
with sage_rpc.insecure_channel("localhost:1") as channel:
    print(channel.transport_reason.partition(" ")[0], server.published)
server.stop(None)
