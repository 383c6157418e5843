"""Event loops: the one that the tests of a session share, and loops in threads of their own.

`grpc.aio` binds a channel or a server to the loop that runs where it is made. `run` bounds all that a test
waits for, so the tests themselves need no timeouts.
"""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, TypeVar

import pytest

from tests.conformance.service import SECONDS

__all__ = ["LoopThread", "run"]

T = TypeVar("T")
LIMIT = 2 * SECONDS  # for a whole test, which may meet a deadline of SECONDS or two


def run(loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, T]) -> T:
    """What `coroutine` returns; it fails, with the line that it waits in, when it takes too long."""

    async def bounded() -> T:
        task = asyncio.ensure_future(coroutine)
        done, _ = await asyncio.wait({task}, timeout=LIMIT)
        if not done:
            stack = io.StringIO()
            task.print_stack(file=stack)
            task.cancel()
            await asyncio.wait({task}, timeout=1)
            pytest.fail(f"it still waits after {LIMIT:g} seconds:\n{stack.getvalue()}")
        return task.result()

    return loop.run_until_complete(bounded())


class LoopThread:
    """An event loop in a thread of its own; `run` uses it from another."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._main, daemon=True)

    def _main(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()

    async def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Await `coroutine` over there; the loop that asks goes on meanwhile."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(coroutine, self.loop))

    def __enter__(self) -> LoopThread:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(SECONDS)
        assert not self._thread.is_alive(), "the loop does not end"
