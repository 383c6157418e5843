"""gevent has patched everything: greenlets go on while others wait for calls, at both ends."""

import gevent.monkey

gevent.monkey.patch_all()

import time

import grpc.experimental.gevent

grpc.experimental.gevent.init_gevent()
import gevent
import grpc
from calls import Text, serve

ticks = 0


def tick():
    global ticks
    while True:
        gevent.sleep(0.02)
        ticks += 1


import calls

usual = calls.handlers


def slow(request, _context):
    time.sleep(0.5)
    return request


calls.handlers = lambda: {
    **usual(),
    "Slow": grpc.unary_unary_rpc_method_handler(slow, Text.FromString, Text.SerializeToString),
}
server, target = serve()
channel = grpc.insecure_channel(target)
method = channel.unary_unary("/t.T/Slow", Text.SerializeToString, Text.FromString)
gevent.spawn(tick)
waiting = [gevent.spawn(method, Text(value=str(number)), timeout=20) for number in range(3)]
gevent.joinall(waiting, timeout=20)
print([each.value.value for each in waiting], "ticked on", ticks >= 5)
print("gRPC and why", getattr(channel, "transport_reason", "gevent").partition(" ")[0])
channel.close()
server.stop(None)
