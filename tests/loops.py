"""Tests that are coroutines, each in an event loop of its own which tolerates nothing.

Such a test fails when it takes too long, when anything was reported to its loop (a task that nobody waited
for, an error in a callback, a task destroyed under way), and when it leaves a task behind.

One report is not ours: grpc.aio has one poller per process, which wakes every loop it was used in, and says
"Event loop is closed" to a loop that runs when it comes upon one that does not any more.
"""

from __future__ import annotations

import asyncio
import functools
import gc
import importlib.util
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

__all__ = ["LOOPS", "SECONDS", "eventually", "in_loop", "run_in_loop"]

SECONDS = 30.0  # for a whole test

LOOPS = [
    pytest.param("asyncio", id="asyncio"),
    pytest.param(
        "uvloop",
        id="uvloop",
        marks=pytest.mark.skipif(not importlib.util.find_spec("uvloop"), reason="uvloop is not installed"),
    ),
]


def new_loop(kind: str = "asyncio") -> asyncio.AbstractEventLoop:
    if kind == "uvloop":
        import uvloop

        return uvloop.new_event_loop()
    return asyncio.new_event_loop()


def run_in_loop(
    coroutine: Coroutine[Any, Any, None],
    *,
    seconds: float = SECONDS,
    debug: bool = False,
    kind: str = "asyncio",
) -> None:
    """Run a test to its end, and look at what it leaves."""
    reports: list[str] = []
    loop = new_loop(kind)
    loop.set_debug(debug)

    def report(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if "PollerCompletionQueue._handle_events" in context["message"] and isinstance(
            context.get("exception"), RuntimeError
        ):
            return
        reports.append(repr(context))

    loop.set_exception_handler(report)

    async def whole() -> None:
        me = asyncio.current_task()
        before = asyncio.all_tasks()
        await asyncio.wait_for(coroutine, seconds)
        others = asyncio.all_tasks() - before
        if others:
            _, others = await asyncio.wait(others, timeout=2.0)
        assert not {task for task in others if task is not me}, "tasks are left"

    try:
        loop.run_until_complete(whole())
    finally:
        try:
            for task in asyncio.all_tasks(loop):
                task.cancel()
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.run_until_complete(loop.shutdown_default_executor())
        finally:
            asyncio.set_event_loop(None)
            loop.close()
    del loop
    gc.collect()
    assert reports == [], reports


def in_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """The coroutine function `test` as a test; its fixtures are made outside the loop."""

    @functools.wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        run_in_loop(test(*args, **kwargs))

    return run


async def eventually(condition: Callable[[], Any], what: str, seconds: float = 10.0) -> Any:
    """Wait until `condition()`, or what it awaits, is true; -> that. The loop goes on meanwhile."""
    limit = asyncio.get_running_loop().time() + seconds
    while True:
        found = condition()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return found
        assert asyncio.get_running_loop().time() < limit, f"in vain: {what}"
        await asyncio.sleep(0.005)
