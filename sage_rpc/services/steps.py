"""What takes several calls, written once for callers that wait and for asyncio.

It is a generator: it yields futures, gets how each of them ended, a result or an exception, and returns what
the whole gives. `run` waits for the futures, `arun` awaits them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Sequence
from typing import Any, TypeVar

__all__ = ["Steps", "arun", "run"]

T = TypeVar("T")
Steps = Generator[Sequence[Any], list[Any], T]


def run(steps: Steps[T]) -> T:
    """Wait for each step. -> what the generator returns."""
    try:
        futures = next(steps)
        while True:
            futures = steps.send([_end_of(future) for future in futures])
    except StopIteration as end:
        result: T = end.value
        return result


def _end_of(future: Any) -> Any:
    try:
        return future.result()
    except Exception as error:  # noqa: BLE001 - the generator's to judge
        return error


async def arun(steps: Steps[T]) -> T:
    """Await each step. -> what the generator returns."""
    try:
        futures = next(steps)
        while True:
            futures = steps.send(await asyncio.gather(*futures, return_exceptions=True))
    except StopIteration as end:
        result: T = end.value
        return result
