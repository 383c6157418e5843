"""The server of the interop tests: `python -m tests.interop.server --implementation sage --api sync`.

Prints its port, alone on a line, when it serves. Ends with SIGTERM, with SIGINT, or with its standard input
when that is a pipe, so that it never outlives whoever started it. Exit code 0: it was asked to end; 1: it
could not listen; 2: wrong usage; 3: this installation lacks what was asked for.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import select
import signal
import stat
import sys
from collections.abc import Sequence

from tests.interop.interop_pb2_grpc import add_TestServiceServicer_to_server
from tests.interop.service import AioService, Service
from tests.interop.sides import Exit, Side, add_arguments, side_of

GRACE = 1.0  # seconds for calls under way at the end
STDIN = 0
ENDING = (signal.SIGTERM, signal.SIGINT)


def stdin_is_a_pipe() -> bool:
    """Whether somebody holds the other end of standard input, whose end is then ours."""
    try:
        mode = os.fstat(STDIN).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


class Ending:
    """Waits for a signal or the end of standard input; signals count from the moment it is made."""

    def __init__(self) -> None:
        self._woken, wakes = os.pipe()
        os.set_blocking(wakes, False)
        signal.set_wakeup_fd(wakes)
        for number in ENDING:
            signal.signal(number, lambda *_: None)

    def wait(self) -> None:
        watched = [self._woken, STDIN] if stdin_is_a_pipe() else [self._woken]
        while True:
            ready, _, _ = select.select(watched, [], [])
            if self._woken in ready or (STDIN in ready and not os.read(STDIN, 4096)):
                return


def ending_in_a_loop() -> asyncio.Event:
    """The same, of the running event loop."""
    loop = asyncio.get_running_loop()
    end = asyncio.Event()
    for number in ENDING:
        loop.add_signal_handler(number, end.set)

    def read() -> None:
        if not os.read(STDIN, 4096):
            loop.remove_reader(STDIN)
            end.set()

    if stdin_is_a_pipe():
        loop.add_reader(STDIN, read)
    return end


def serve(side: Side, address: str) -> None:
    ending = Ending()
    server = side.server()
    add_TestServiceServicer_to_server(Service(), server)
    port = server.add_insecure_port(address)
    server.start()
    print(port, flush=True)
    ending.wait()
    server.stop(GRACE).wait(GRACE + 5)


async def serve_in_a_loop(side: Side, address: str) -> None:
    end = ending_in_a_loop()
    server = side.server()
    add_TestServiceServicer_to_server(AioService(), server)
    port = server.add_insecure_port(address)
    await server.start()
    print(port, flush=True)
    await end.wait()
    await asyncio.wait_for(server.stop(GRACE), GRACE + 5)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.interop.server", description=__doc__.splitlines()[0].partition(":")[0]
    )
    add_arguments(parser)
    parser.add_argument("--host", default="127.0.0.1", help="where to listen; default: 127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="default: 0, any free one")
    chosen = parser.parse_args(arguments)
    side = side_of(parser, chosen)
    address = f"{chosen.host}:{chosen.port}"
    try:
        if side.api == "sync":
            serve(side, address)
        else:
            asyncio.run(serve_in_a_loop(side, address))
    except RuntimeError as error:
        print(f"{parser.prog}: cannot serve on {address}: {error}", file=sys.stderr)
        return Exit.FAILED
    return Exit.PASSED


if __name__ == "__main__":
    sys.exit(main())
