"""Progress on stderr: a bar where rich is installed and a terminal reads it, else lines."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

__all__ = ["Report", "progress"]

Report = Callable[[str], None]


@contextlib.contextmanager
def progress(total: int) -> Iterator[Report]:
    """-> what to call with a line of text after each of `total` measurements."""
    try:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    except ImportError:
        rich = False
    else:
        rich = sys.stderr.isatty()
    if not rich:
        yield _plain(total)
        return
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=total)
        yield lambda text: bar.update(task, advance=1, description=text)


def _plain(total: int) -> Report:
    began = time.monotonic()
    done = 0

    def report(text: str) -> None:
        nonlocal done
        done += 1
        print(f"[{done}/{total} {time.monotonic() - began:.0f} s] {text}", file=sys.stderr, flush=True)

    return report
