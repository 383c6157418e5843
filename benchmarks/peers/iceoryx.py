"""Peer iceoryx2: its request-response pattern with slices of bytes; both ends poll and never sleep.

Payloads are copied into the loaned memory and out of it again, because a caller has bytes and wants
bytes. iceoryx2 has nothing that wakes a waiting client or server here, so a polling end uses one CPU.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import iceoryx2 as iox2

POLLS_BETWEEN_LOOKS = 10_000


def _node() -> Any:
    iox2.set_log_level(iox2.LogLevel.Error)
    return (
        iox2.NodeBuilder.new()
        .signal_handling_mode(iox2.SignalHandlingMode.Disabled)
        .create(iox2.ServiceType.Ipc)
    )


def _service(node: Any, name: str) -> Any:
    payload = iox2.Slice[ctypes.c_uint8]
    return (
        node.service_builder(iox2.ServiceName.new(name)).request_response(payload, payload).open_or_create()
    )


def _echo(node: Any, name: str, size: int, stopping: threading.Event) -> None:
    """Answer until told to stop; iceoryx2's objects belong to the thread that made them."""
    server = _service(node, name).server_builder().initial_max_slice_len(max(size, 1)).create()
    while not stopping.is_set():
        for _ in range(POLLS_BETWEEN_LOOKS):
            request = server.receive()
            if request is not None:
                received = request.payload()
                response = request.loan_slice_uninit(received.len())
                ctypes.memmove(response.payload_ptr, received.as_ptr(), received.len())
                response.assume_init().send()


@contextlib.contextmanager
def serve(peer: str, directory: Path, size: int) -> Iterator[str]:
    name = f"sage_rpc/benchmarks/{os.getpid()}"
    node = _node()
    kept = _service(node, name)  # the service is there before a client asks for it
    stopping = threading.Event()
    thread = threading.Thread(target=_echo, args=(node, name, size, stopping), daemon=True)
    thread.start()
    yield name
    stopping.set()
    thread.join()
    del kept, node


class PollingCaller:
    """One client port."""

    shared = False

    def __init__(self, client: Any, size: int) -> None:
        self._client = client
        self._size = size

    def prepare(self, payload: bytes) -> bytes:
        return payload

    def call(self, request: bytes) -> bytes:
        loan = self._client.loan_slice_uninit(self._size)
        ctypes.memmove(loan.payload_ptr, request, self._size)
        pending = loan.assume_init().send()
        receive = pending.receive
        response = receive()
        while response is None:
            response = receive()
        received = response.payload()
        return ctypes.string_at(received.as_ptr(), received.len())

    def start(self, request: Any) -> Any:
        raise NotImplementedError("iceoryx2 has no futures")

    finish = start


@contextlib.contextmanager
def connect(peer: str, address: str, size: int) -> Iterator[PollingCaller]:
    node = _node()
    service = _service(node, address)
    client = service.client_builder().initial_max_slice_len(max(size, 1)).create()
    # A request sent before the server's port exists is lost.
    while service.dynamic_config.number_of_servers == 0:
        pass
    yield PollingCaller(client, size)
