"""A client over gRPC that forks: `forking_client.py TARGET [CA_FILE]`; prints what each process got, in turn.

grpcio must be told before it is imported that the program forks: GRPC_ENABLE_FORK_SUPPORT=1.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import grpc

import sage_rpc

SECONDS = 10


def use(channel: grpc.Channel, who: str) -> None:
    """A unary call and a stream, through multicallables made before the fork and after."""
    unary = channel.unary_unary("/t.T/echo")(who.encode(), timeout=SECONDS)
    stream = list(channel.stream_stream("/t.T/echo_all")(iter([b"a", b"b"]), timeout=SECONDS))
    print(who, unary == EARLY(who.encode(), timeout=SECONDS), stream, channel.transport, flush=True)


target, *ca_file = sys.argv[1:]
if ca_file:
    credentials = grpc.ssl_channel_credentials(Path(ca_file[0]).read_bytes())
    opened = sage_rpc.secure_channel(target, credentials)
else:
    opened = sage_rpc.insecure_channel(target, options=[("sage_rpc.transport", "grpc")])
EARLY = opened.unary_unary("/t.T/echo")

use(opened, "parent")
child = os.fork()
if child == 0:
    signal.alarm(2 * SECONDS)
    status = 1
    try:
        use(opened, "child")
        status = 0
    finally:
        os._exit(status)
print("status", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
use(opened, "parent")
opened.close()
