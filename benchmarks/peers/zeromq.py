"""Peer pyzmq: REQ and REP sockets over ipc, with pyzmq's defaults."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import zmq


def _echo(socket: zmq.Socket[bytes]) -> None:
    with contextlib.suppress(zmq.ContextTerminated), socket:
        while True:
            socket.send(socket.recv())


@contextlib.contextmanager
def serve(peer: str, directory: Path, size: int) -> Iterator[str]:
    address = f"ipc://{directory}/zmq.sock"
    with zmq.Context() as context:
        socket = context.socket(zmq.REP)
        socket.linger = 0
        socket.bind(address)
        thread = threading.Thread(target=_echo, args=(socket,), daemon=True)
        thread.start()
        yield address
        context.term()
        thread.join()


class ReqCaller:
    """One REQ socket, which takes requests and responses strictly in turn."""

    shared = False

    def __init__(self, socket: zmq.Socket[bytes]) -> None:
        self._socket = socket

    def prepare(self, payload: bytes) -> bytes:
        return payload

    def call(self, request: bytes) -> bytes:
        self._socket.send(request)
        return self._socket.recv()

    def start(self, request: Any) -> Any:
        raise NotImplementedError("REQ sockets have no futures")

    finish = start


@contextlib.contextmanager
def connect(peer: str, address: str, size: int) -> Iterator[ReqCaller]:
    # All sockets of a process share the library's one context, as its guide asks for.
    socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.REQ)
    with socket:
        socket.linger = 0
        socket.connect(address)
        yield ReqCaller(socket)
