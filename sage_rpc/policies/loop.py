"""The driver of asyncio: chains that live in one event loop.

Everything happens in the thread of the loop; nothing here waits.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import grpc

from sage_rpc import errors, serving
from sage_rpc.policies.future import Concluding
from sage_rpc.policies.sending import CANCELLED_HERE, Pending

__all__ = ["LoopDriver", "LoopFuture"]


class LoopFuture(Concluding, asyncio.Future[Any]):
    """The future of a call; see `Concluding`. Cancelling it, or the task that awaits it, ends the call."""

    def __init__(
        self,
        driver: LoopDriver,
        pending: Pending | None,
        conclude: Callable[[Any, Any], Any] | None,
        check: Callable[[Any], None] | None,
    ) -> None:
        asyncio.Future.__init__(self, loop=driver.loop)
        self._under_way = driver.under_way
        if pending is not None:
            self._under_way.add(self)
        self._cancelling = self._claimed = False
        Concluding.__init__(self, pending, conclude, check)

    def _claim(self) -> bool:
        claimed, self._claimed = self._claimed, True
        self._under_way.discard(self)
        return not claimed

    def _finish_cancelled(self) -> None:
        if self._cancelling:
            asyncio.Future.cancel(self)
        else:  # whoever awaits it was not cancelled
            self.set_exception(errors.rpc_error(grpc.StatusCode.CANCELLED, CANCELLED_HERE))

    def cancel(self, msg: Any = None) -> bool:
        """End the call, at the server too. -> False when it had ended."""
        pending = self._pending
        if self.done() or pending is None:
            return False
        self._cancelling = True
        pending.cancel()
        self._settle(pending)
        return self.cancelled()

    def give_up(self) -> None:
        """End the call with CANCELLED, which whoever awaits it is told as an error."""
        if self._pending is not None:
            self._pending.cancel()
            self._settle(self._pending)

    def result(self, timeout: float | None = None) -> Any:
        """As of any future of asyncio, which does not wait."""
        return asyncio.Future.result(self)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """As of any future of asyncio, which does not wait."""
        return asyncio.Future.exception(self)


class LoopDriver:
    """See `sage_rpc.policies.driving.Driver`; belongs to the loop that runs when it is first used.

    Attributes:
        under_way: the futures that have not ended.
    """

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timers: set[asyncio.TimerHandle] = set()
        self.under_way: set[LoopFuture] = set()

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The running one.

        Raises:
            RuntimeError: none runs, or another than before.
        """
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            if self._loop is not None:
                raise RuntimeError(
                    "a manager of asyncio belongs to the event loop in which it was first used, and another "
                    "one runs: make one for each loop"
                )
            self._loop = loop
        return loop

    def check(self) -> None:
        """Raises what `loop` does."""
        self.loop  # noqa: B018

    def call_later(self, seconds: float, fn: Callable[[], None]) -> None:
        """See Driver."""

        def due() -> None:
            self._timers.discard(handle)
            fn()

        handle = self.loop.call_later(seconds, due)
        self._timers.add(handle)

    def future(
        self,
        pending: Pending | None = None,
        conclude: Callable[[Any, Any], Any] | None = None,
        check: Callable[[Any], None] | None = None,
    ) -> LoopFuture:
        """See Driver."""
        return LoopFuture(self, pending, conclude, check)

    def watch(self, served: serving.Serving, pending: Pending) -> None:
        """See Driver. A call that is served by a thread is cancelled by another."""
        if served.context is not None:
            served.watch(_Elsewhere(self.loop, pending))

    def end(self) -> None:
        """Call nothing back any more; calls under way end with CANCELLED, those that wait for a retry too."""
        for handle in self._timers:
            handle.cancel()
        self._timers.clear()
        for future in list(self.under_way):
            future.give_up()

    def __repr__(self) -> str:
        return f"<LoopDriver {len(self.under_way)} calls under way>"


class _Elsewhere:
    """A call of a loop, for other threads to cancel."""

    def __init__(self, loop: asyncio.AbstractEventLoop, pending: Pending) -> None:
        self._loop = loop
        self._pending = pending

    def add_done_callback(self, fn: Callable[[Any], None]) -> None:
        self._pending.add_done_callback(lambda _pending: fn(self))

    def cancel(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
            self._loop.call_soon_threadsafe(self._pending.cancel)
