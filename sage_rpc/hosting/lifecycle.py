"""The life of a service at its host, and what every host does with an instance.

    MADE -> SETTING_UP -> READY -> DRAINING -> OVER

1. Calls are begun in READY, and at the beginning of DRAINING, when callers have not heard of it yet. Others
   are UNAVAILABLE, and known not to have run, so that callers go elsewhere.
2. Health is SERVING in READY alone.
3. `setup()` runs once, before the first call; `cleanup()` once, after the last one, if `setup()` was begun.
"""

from __future__ import annotations

import contextlib
import enum
import inspect
import sys
import threading
import time
from typing import Any, Literal

import grpc

from sage_rpc import errors, serving
from sage_rpc.services.context import BaseService, Context
from sage_rpc.stubs import servicers

__all__ = ["Life", "Stage", "give_context", "hook_of", "max_workers_of", "print_by_lines"]

_LOOK = 0.005  # seconds between two looks at the calls of a host that comes to its end


class Stage(enum.Enum):
    """Of a life, in words for callers."""

    MADE = "has not been started"
    SETTING_UP = "is setting up"
    READY = "is ready"
    DRAINING = "is shutting down"
    OVER = "has been shut down"


_MOVES: dict[Stage, frozenset[Stage]] = {
    Stage.MADE: frozenset({Stage.SETTING_UP, Stage.OVER}),
    Stage.SETTING_UP: frozenset({Stage.READY, Stage.OVER}),
    Stage.READY: frozenset({Stage.DRAINING, Stage.OVER}),
    Stage.DRAINING: frozenset({Stage.OVER}),
    Stage.OVER: frozenset(),
}


class Life:
    """Where a service is in its life, and the calls that it serves.

    Args:
        name: of the service.
        stage: where it begins.

    Attributes:
        stage: where it is.
        open: every call is begun; otherwise `admit` decides.
        calls: those under way.
    """

    __slots__ = ("_late", "_noticed", "calls", "name", "open", "stage")

    def __init__(self, name: str, stage: Stage = Stage.MADE) -> None:
        self.name = name
        self.stage = stage
        self.open = stage is Stage.READY
        self._late = 0.0  # when the last call came of somebody who had not heard of the end
        self._noticed = False  # everybody has
        self.calls: set[serving.Serving] = set()

    def move(self, stage: Stage) -> None:
        """Go on to `stage`.

        Raises:
            RuntimeError: nothing leads there.
        """
        if stage not in _MOVES[self.stage]:
            raise RuntimeError(f"the service {self.name!r} {self.stage.value}: it cannot become {stage.name}")
        self.stage = stage
        self.open = stage is Stage.READY

    def enter(self, context: grpc.ServicerContext) -> serving.Serving:
        """A call begins, or is refused; `leave` must follow."""
        if not self.open:
            self.admit(context)
        served = serving.enter(context.time_remaining(), context)
        self.calls.add(served)
        return served

    def leave(self, served: serving.Serving) -> None:
        """A call has ended."""
        self.calls.discard(served)
        serving.leave(served)

    def admit(self, context: grpc.ServicerContext) -> None:
        """Let a call be begun though the service is not ready, or refuse it."""
        if self.stage is Stage.DRAINING and not self._noticed:
            self._late = time.monotonic()
            return
        context.set_trailing_metadata((errors.NOT_RUN,))
        context.abort(
            grpc.StatusCode.UNAVAILABLE,
            f"the service {self.name!r} {self.stage.value}: the call was not begun",
        )

    def drain(self, grace: float, notice: float) -> int:
        """Let calls come to their end. -> how many go on.

        Args:
            grace: seconds, at most.
            notice: seconds without a call before calls are refused; half of the grace is the most.
        """
        began, pause = time.monotonic(), threading.Event()
        self._late = began
        self._noticed = not notice
        self.move(Stage.DRAINING)
        while time.monotonic() < min(self._late + notice, began + grace / 2):
            pause.wait(_LOOK)
        self._noticed = True
        while self.calls and time.monotonic() < began + grace:
            pause.wait(_LOOK)
        return len(self.calls)

    def __repr__(self) -> str:
        return f"<Life of {self.name}: {self.stage.value}, {len(self.calls)} calls>"


def hook_of(instance: Any, name: Literal["setup", "cleanup", "health_check"]) -> Any:
    """What the host calls by itself; None where the instance has no such method, or serves one of that name.

    Raises:
        TypeError: it is async, and nobody would wait for it.
    """
    if isinstance(instance, servicers.Base) and any(rpc.method == name for rpc in instance.RPCS):
        return None
    found = getattr(instance, name, None)
    if not callable(found):
        return None
    if name != "health_check" and inspect.iscoroutinefunction(found):
        raise TypeError(
            f"{type(instance).__qualname__}.{name}() is async, and no event loop runs it: write it with `def`"
        )
    return found


def give_context(instance: Any, context: Context) -> None:
    """Let a service call others: a plain object gets what a BaseService has, unless the name is taken."""
    if isinstance(instance, BaseService):
        instance.ctx = context
        return
    for name, value in (
        ("call_service", context.services),
        ("call_service_async", context.async_services),
        ("logger", context.logger),
    ):
        if not hasattr(instance, name):
            with contextlib.suppress(AttributeError, TypeError):
                setattr(instance, name, value)


def max_workers_of(instance: Any) -> int | None:
    """How many threads may run the methods of `instance` at once, where its class says so."""
    found = getattr(instance, "max_workers", None)
    inherited = isinstance(instance, BaseService) and found == BaseService.max_workers
    return found if isinstance(found, int) and not inherited else None


def print_by_lines() -> None:
    """Whole lines of several processes on one output, at once, also where it is a pipe."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(line_buffering=True)
