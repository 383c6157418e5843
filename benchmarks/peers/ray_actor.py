"""Peer ray: methods of an actor of Ray, in a cluster of this host alone, with its defaults.

The cluster is the server process's and ends with it. Payloads are arguments and results of the method; Ray
carries small ones in the call and large ones through its object store.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Before the import, which reads it: Ray would write a token into the user's home. This cluster lives for one
# measurement.
os.environ.setdefault("RAY_AUTH_MODE", "disabled")

import ray  # type: ignore[import-not-found, unused-ignore]

NAME = "echo"
STORE_BYTES = 1 << 30  # of the object store: several of the largest payloads at a time


@ray.remote
class Echo:
    """Gives back what it got."""

    def call(self, payload: Any) -> Any:
        return payload

    def pid(self) -> int:
        return os.getpid()


@contextlib.contextmanager
def serve(peer: str, directory: Path, size: int) -> Iterator[tuple[str, int]]:
    context = ray.init(
        include_dashboard=False,
        log_to_driver=False,
        logging_level="error",
        object_store_memory=STORE_BYTES,
        namespace=NAME,
        _temp_dir=str(directory),
    )
    try:
        actor = Echo.options(name=NAME, num_cpus=0).remote()
        yield context.address_info["gcs_address"], ray.get(actor.pid.remote())
    finally:
        ray.shutdown()


class ActorCaller:
    """A handle of the actor."""

    shared = True

    def __init__(self, actor: Any) -> None:
        self.start = actor.call.remote
        self.finish = ray.get

    def prepare(self, payload: bytes) -> bytes:
        return payload

    def call(self, request: Any) -> bytes:
        payload: bytes = self.finish(self.start(request))
        return payload

    def arrays(self) -> ArrayActorCaller:
        return ArrayActorCaller(self.start)


class ArrayActorCaller:
    """The same with numpy arrays: what comes back is a view of the object store."""

    shared = True

    def __init__(self, start: Any) -> None:
        self._start = start

    def prepare(self, payload: bytes) -> Any:
        import numpy as np

        return np.frombuffer(payload, np.float32)

    def call(self, request: Any) -> memoryview:
        view: memoryview = ray.get(self._start(request)).data.cast("B")
        return view

    def start(self, request: Any) -> Any:
        raise NotImplementedError("no scenario has futures of arrays")

    finish = start


@contextlib.contextmanager
def connect(peer: str, address: str, size: int) -> Iterator[ActorCaller]:
    ray.init(address=address, log_to_driver=False, logging_level="error", namespace=NAME)
    try:
        yield ActorCaller(ray.get_actor(NAME))
    finally:
        ray.shutdown()
