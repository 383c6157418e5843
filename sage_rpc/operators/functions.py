"""The operators' base classes: one per role, each with an `execute` of its own shape.

They follow SAGE's conventions: a batch ends when its `execute` gives None, a source when it gives a
`StopSignal`. An `execute` of these two that is a generator function is simply run to its end.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

from sage_rpc.services.context import InContext

__all__ = [
    "BaseFunction",
    "BatchFunction",
    "FilterFunction",
    "FlatMapFunction",
    "MapFunction",
    "SinkFunction",
    "SourceFunction",
    "StopSignal",
]


class StopSignal:
    """What `SourceFunction.execute` gives when there is nothing more to come.

    Args:
        name: why, for the log.
    """

    def __init__(self, name: str = "stop") -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"<StopSignal {self.name}>"


class BaseFunction(InContext, ABC):
    """An operator: `setup`, then `execute` for every row, then `cleanup`, in a worker process."""

    @abstractmethod
    def execute(self, *args: Any) -> Any:
        """What the operator does; each kind says with what."""


class BatchFunction(BaseFunction):
    """Produces rows until there are no more."""

    @abstractmethod
    def execute(self) -> Any:
        """The next row; None ends the batch."""


class SourceFunction(BaseFunction):
    """Produces rows until it gives a StopSignal, or the job is stopped."""

    @abstractmethod
    def execute(self) -> Any:
        """The next row; None for none this time; a StopSignal for the end."""


class MapFunction(BaseFunction):
    """One row in, one row out; None is a row too."""

    @abstractmethod
    def execute(self, row: Any) -> Any:
        """The row that replaces `row`."""


class FilterFunction(BaseFunction):
    """Lets rows pass, unchanged, or not."""

    @abstractmethod
    def execute(self, row: Any) -> bool:
        """Whether `row` passes."""


class FlatMapFunction(BaseFunction):
    """One row in, any number out."""

    @abstractmethod
    def execute(self, row: Any) -> Iterable[Any] | None:
        """The rows that replace `row`; None for none."""


class SinkFunction(BaseFunction):
    """The end of a stream."""

    @abstractmethod
    def execute(self, row: Any) -> Any:
        """Do something with `row`; what it returns is ignored."""
