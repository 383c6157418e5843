"""What takes several calls, written once for callers that wait and for asyncio.

It is a generator: it yields futures, gets how each of them ended, a result or an exception, and returns what
the whole gives. `run` waits for the futures, `arun` awaits them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Sequence
from typing import Any, NamedTuple, TypeVar

__all__ = ["Begin", "Steps", "arun", "run"]

T = TypeVar("T")
Steps = Generator[Sequence[Any], list[Any], T]


class Begin(NamedTuple):
    """Stands for the future of a call that has not begun; one that is alone is made without, and quicker."""

    method: Any
    args: tuple[Any, ...]
    timeout: float | None

    def start(self) -> Any:
        """-> its future."""
        return self.method.start(self.args, {}, self.timeout)

    def result(self) -> Any:
        """Call and wait."""
        return self.method.call(self.args, {}, self.timeout)


def run(steps: Steps[T]) -> T:
    """Wait for each step. -> what the generator returns."""
    try:
        waiting = next(steps)
        while True:
            futures = waiting if len(waiting) == 1 else _begun(waiting)
            waiting = steps.send([_end_of(future) for future in futures])
    except StopIteration as end:
        result: T = end.value
        return result


def _begun(waiting: Sequence[Any]) -> list[Any]:
    return [each.start() if type(each) is Begin else each for each in waiting]


def _end_of(future: Any) -> Any:
    try:
        return future.result()
    except Exception as error:  # noqa: BLE001 - the generator's to judge
        return error


async def arun(steps: Steps[T]) -> T:
    """Await each step. -> what the generator returns."""
    try:
        waiting = next(steps)
        while True:
            waiting = steps.send(await asyncio.gather(*_begun(waiting), return_exceptions=True))
    except StopIteration as end:
        result: T = end.value
        return result
