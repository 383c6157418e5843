"""Admission to a service: how many calls run, who waits, who is refused, whose turn it is.

`Line` decides and knows neither threads nor clocks; `Gate` is the line with threads waiting in it. Whose turn
it is: the greatest priority; among equals, with `fair`, the caller whose turn was longest ago; among the
    calls of one caller, the first.
"""

from __future__ import annotations

import itertools
import threading
from collections import OrderedDict, deque
from typing import Generic, TypeVar

from sage_rpc.policies.settings import AdmissionPolicy

__all__ = ["Gate", "Line", "RefusedError"]

T = TypeVar("T")


class RefusedError(Exception):
    """The call was not admitted; the text says why."""


class Line(Generic[T]):
    """Who waits, and whose turn it is."""

    def __init__(self, *, fair: bool) -> None:
        self._fair = fair
        # priority -> caller -> those who wait; callers in the order of their last turns.
        self._waiting: dict[int, OrderedDict[str, deque[T]]] = {}
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def join(self, item: T, caller: str, priority: int) -> None:
        """`item` of `caller` waits."""
        callers = self._waiting.setdefault(priority, OrderedDict())
        callers.setdefault(caller if self._fair else "", deque()).append(item)
        self._size += 1

    def leave(self, item: T) -> bool:
        """`item` does not wait any more. -> whether it did."""
        for callers in self._waiting.values():
            for queue in callers.values():
                if item in queue:
                    queue.remove(item)
                    self._size -= 1
                    return True
        return False

    def next(self) -> T | None:
        """Whose turn it is; it waits no more."""
        for priority in sorted(self._waiting, reverse=True):
            callers = self._waiting[priority]
            for caller in list(callers):
                queue = callers[caller]
                if not queue:
                    del callers[caller]
                    continue
                item = queue.popleft()
                self._size -= 1
                callers.move_to_end(caller)
                if not queue:
                    del callers[caller]
                return item
            del self._waiting[priority]
        return None


class _Ticket:
    """A thread that waits for its turn."""

    __slots__ = ("number", "turn")

    def __init__(self, number: int) -> None:
        self.number = number
        self.turn = threading.Event()


class Gate:
    """The admission to one service.

    Args:
        name: of the service, for errors.
        policy: how many.
    """

    def __init__(self, name: str, policy: AdmissionPolicy) -> None:
        self.name = name
        self.policy = policy
        self._lock = threading.Lock()  # guards everything below
        self._line: Line[_Ticket] = Line(fair=policy.fair)
        self._numbers = itertools.count()
        self.running = 0
        self.refused = 0

    @property
    def waiting(self) -> int:
        """Calls that wait for their turn."""
        return len(self._line)

    def enter(self, caller: str, priority: int, left: float | None) -> None:
        """Wait for a turn; `leave` must follow.

        Args:
            caller: who takes turns with others.
            priority: the greatest goes first.
            left: seconds until the call's deadline; None: it has none.

        Raises:
            RefusedError: there is no room, or no turn came in time.
        """
        policy = self.policy
        with self._lock:
            if self.running < policy.max_running and not self._line:
                self.running += 1
                return
            if len(self._line) >= policy.max_waiting:
                self.refused += 1
                raise RefusedError(
                    f"the service {self.name!r} is full: {self.running} calls run and {len(self._line)} "
                    "wait, as many as its admission allows; try again later"
                )
            ticket = _Ticket(next(self._numbers))
            self._line.join(ticket, caller, priority)
        limits = [seconds for seconds in (policy.max_wait, left) if seconds is not None]
        if ticket.turn.wait(min(limits) if limits else None):
            return
        with self._lock:
            if not self._line.leave(ticket):  # its turn came at the last moment
                return
            self.refused += 1
        raise RefusedError(f"the service {self.name!r} is busy: no turn came within {min(limits):g} s")

    def leave(self) -> None:
        """A call that had entered has ended: the next one may run."""
        with self._lock:
            ticket = self._line.next()
            if ticket is None:
                self.running -= 1
        if ticket is not None:
            ticket.turn.set()

    def __repr__(self) -> str:
        return f"<Gate {self.name}: {self.running} run, {self.waiting} wait, {self.refused} refused>"
