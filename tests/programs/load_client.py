"""A client under load for tests: `load_client.py TARGET`.

Checks every answer, one blocking call and several futures at a time. Says "up FDS SEGMENTS THREADS" once
it has made some rounds, and "down T" (T: time.monotonic() when the last pending call ended) when the
server is lost; then it waits for a line, or the end, of its standard input. Any other failure
ends it with a traceback.
"""

from __future__ import annotations

import os
import random
import sys
import threading
import time

import grpc

import sage_rpc
from tests import segments

ROUNDS = 30
FUTURES = 8


def held() -> str:
    """Descriptors, mapped segments and threads of this process."""
    return f"{len(os.listdir('/proc/self/fd'))} {segments.mapped()} {threading.active_count()}"


def one_round(call: grpc.UnaryUnaryMultiCallable, number: int) -> None:
    """Raises ConnectionError when the server was lost, after every pending call has ended."""
    sizes = random.choices((1, 100, 20_000), k=FUTURES)
    payloads = [f"{os.getpid()}-{number}-{i}-".encode() * size for i, size in enumerate(sizes)]
    pending = [call.future(payload) for payload in payloads]
    lost = None
    try:
        payload = b"%d" % number
        assert call(payload) == payload, "a wrong answer"
    except ConnectionError as error:
        lost = error
    for payload, future in zip(payloads, pending, strict=True):
        error = future.exception(5)
        if error is None:
            assert future.result() == payload, "a wrong answer"
        else:
            assert error.code() is grpc.StatusCode.UNAVAILABLE, error
            lost = error
    if lost is not None:
        raise lost


def main() -> None:
    number = 0
    with sage_rpc.insecure_channel(sys.argv[1], options=[("sage_rpc.transport", "shm")]) as channel:
        call = channel.unary_unary("/test.Unary/echo")
        while True:
            good = 0
            try:
                while True:
                    number += 1
                    one_round(call, number)
                    good += 1
                    if good == ROUNDS:
                        print("up", held(), flush=True)
            except ConnectionError:
                print("down", time.monotonic(), flush=True)
            if not sys.stdin.readline():
                return


if __name__ == "__main__":
    main()
