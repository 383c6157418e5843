"""Peer iceoryx2: its request-response pattern with payloads of a fixed size; both ends poll and never sleep.

Payloads are copied into the loaned memory and out of it again, because a caller has bytes and wants
bytes. A fixed-size structure is the faster of iceoryx2's two ways to carry them (the other is a slice).
Nothing wakes a waiting client or server in this pattern, so each end uses one CPU for as long as it runs.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import iceoryx2 as iox2  # type: ignore[import-untyped]

POLLS_BETWEEN_LOOKS = 10_000


def _node() -> Any:
    iox2.set_log_level(iox2.LogLevel.Error)
    builder = iox2.NodeBuilder.new().signal_handling_mode(iox2.SignalHandlingMode.Disabled)
    return builder.create(iox2.ServiceType.Ipc)


def _service(node: Any, name: str, size: int) -> Any:
    payload = type("Payload", (ctypes.Structure,), {"_fields_": [("data", ctypes.c_uint8 * size)]})
    return (
        node.service_builder(iox2.ServiceName.new(name)).request_response(payload, payload).open_or_create()
    )


def _echo(service: Any, size: int, stopping: threading.Event) -> None:
    """Answer until told to stop; a port belongs to the thread that made it."""
    server = service.server_builder().create()
    while not stopping.is_set():
        for _ in range(POLLS_BETWEEN_LOOKS):
            request = server.receive()
            if request is not None:
                response = request.loan_uninit()
                ctypes.memmove(response.payload_ptr, request.payload_ptr, size)
                response.assume_init().send()


@contextlib.contextmanager
def serve(peer: str, directory: Path, size: int) -> Iterator[str]:
    name = f"sage_rpc/benchmarks/{os.getpid()}"
    service = _service(_node(), name, size)  # there before a client asks for it
    stopping = threading.Event()
    thread = threading.Thread(target=_echo, args=(service, size, stopping), daemon=True)
    thread.start()
    yield name
    stopping.set()
    thread.join()


class PollingCaller:
    """One client port."""

    shared = False

    def __init__(self, client: Any, size: int) -> None:
        self._loan = client.loan_uninit
        self._size = size

    def prepare(self, payload: bytes) -> bytes:
        return payload

    def call(self, request: bytes) -> bytes:
        loan = self._loan()
        ctypes.memmove(loan.payload_ptr, request, self._size)
        pending = loan.assume_init().send()
        receive = pending.receive
        response = receive()
        while response is None:
            response = receive()
        return ctypes.string_at(response.payload_ptr, self._size)

    def start(self, request: Any) -> Any:
        raise NotImplementedError("iceoryx2 has no futures")

    finish = start


@contextlib.contextmanager
def connect(peer: str, address: str, size: int) -> Iterator[PollingCaller]:
    service = _service(_node(), address, size)
    client = service.client_builder().create()
    # A request sent before the server's port exists is lost.
    while service.dynamic_config.number_of_servers == 0:
        pass
    yield PollingCaller(client, size)
