"""How a job went: JobResult, or JobError."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sage_rpc.observe.stats import Stats

__all__ = ["JobError", "JobResult", "OperatorCounts"]


class JobError(RuntimeError):
    """A job failed; everything it had started was stopped.

    Attributes:
        job: name of the environment.
        kind: "operator" or "service".
        name: which one.
        type_name: qualified name of the exception there; "" when its process died.
        remote_traceback: its traceback as the worker's interpreter prints it; "" when its process died.

    Its `__cause__` is the exception itself, where that could be pickled.
    """

    def __init__(
        self, text: str, *, job: str, kind: str, name: str, type_name: str = "", remote_traceback: str = ""
    ) -> None:
        super().__init__(text)
        self.job = job
        self.kind = kind
        self.name = name
        self.type_name = type_name
        self.remote_traceback = remote_traceback

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self.args[0], {**self.__dict__, "__cause__": self.__cause__})

    def __str__(self) -> str:
        text = super().__str__()
        return f"{text}\n\nRemote traceback:\n{self.remote_traceback}" if self.remote_traceback else text


def _rebuild(text: str, state: dict[str, Any]) -> JobError:
    cause = state.pop("__cause__")
    error = JobError(text, **state)
    error.__cause__ = cause
    return error


@dataclass(frozen=True)
class OperatorCounts:
    """What passed through one operator, all its workers together.

    Attributes:
        workers: number of worker processes.
        rows_in: rows it took.
        rows_out: rows it gave on.
    """

    workers: int
    rows_in: int
    rows_out: int


@dataclass(frozen=True)
class JobResult:
    """What a job did.

    Attributes:
        job: name of the environment.
        stopped: it was cancelled, or stopped before its producers had ended.
        seconds: from the first row possible to the last operator's end.
        operators: name -> counts; those that had not ended are missing.
        services: name -> the calls it has served, of those hosted with `stats=True`, when all has ended.
    """

    job: str
    stopped: bool
    seconds: float
    operators: dict[str, OperatorCounts]
    services: dict[str, Stats] = field(default_factory=dict)
