"""What was done when user code raised: "loading", "__init__()", "setup()", and where from."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from sage_rpc.processes.parent import Drained, Stopped

__all__ = ["MachineryError", "StepError", "step"]

_OURS = tuple(
    str(Path(__file__).parents[1] / name) for name in ("processes", "operators", "supervisor", "hosting")
)


class MachineryError(Exception):
    """No error of user code, though it came up within it: `step` lets it through."""


class StepError(Exception):
    """User code raised."""

    def __init__(self, during: str, error: BaseException) -> None:
        super().__init__(during)
        self.during = during
        self.error = error


@contextlib.contextmanager
def step(during: str) -> Iterator[None]:
    """Remember what was done when user code raised.

    Raises:
        StepError: it raised; even SystemExit, which is no way to end a job.
    """
    try:
        yield
    except (Stopped, Drained, MachineryError, StepError, GeneratorExit):
        raise
    except BaseException as error:
        raise StepError(during, error.with_traceback(_of_the_user(error.__traceback__))) from error


def _of_the_user(traceback: TracebackType | None) -> TracebackType | None:
    """`traceback` from the first frame on that is not ours."""
    found = traceback
    while found is not None and found.tb_frame.f_code.co_filename.startswith(_OURS):
        found = found.tb_next
    return found or traceback
