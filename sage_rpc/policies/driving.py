"""What drives a chain of senders: threads, or one event loop.

The policies decide, and say what comes next: call this after so many seconds, end that future. Who does it is
a `Driver`, which is handed in; so one implementation of every policy serves threads and asyncio.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from sage_rpc import serving
from sage_rpc.policies.future import ServiceFuture
from sage_rpc.policies.sending import Pending
from sage_rpc.policies.timer import timer

__all__ = ["THREADS", "Driver"]


class Driver(Protocol):
    """Calls back, and makes the futures that users wait for."""

    def call_later(self, seconds: float, fn: Callable[[], None]) -> None:
        """Call `fn()` after so many seconds."""

    def future(
        self,
        pending: Pending | None = None,
        conclude: Callable[[Any, Any], Any] | None = None,
        check: Callable[[Any], None] | None = None,
    ) -> Any:
        """The future of a call; see `sage_rpc.policies.future.Concluding`."""

    def watch(self, served: serving.Serving, pending: Any) -> None:
        """Have `pending` end with the call that is being served."""


class _Threads:
    """Whoever waits receives; the timer's thread calls back."""

    call_later = staticmethod(timer.call_later)
    future = staticmethod(ServiceFuture)
    watch = staticmethod(serving.Serving.watch)


THREADS: Driver = _Threads()
