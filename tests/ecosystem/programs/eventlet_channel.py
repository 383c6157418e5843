"""eventlet has patched everything: a channel uses gRPC, and says why. Calls hang there with grpcio itself."""

import eventlet

eventlet.monkey_patch()

import sage_rpc

with sage_rpc.insecure_channel("localhost:1") as channel:
    print(channel.transport_reason.partition(" ")[0])
