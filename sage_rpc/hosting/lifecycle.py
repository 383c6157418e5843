"""What every process that hosts a service does with its instance: context, hooks."""

from __future__ import annotations

import contextlib
import sys
from typing import Any, Literal

from sage_rpc.services.context import BaseService, Context

__all__ = ["give_context", "max_workers_of", "print_by_lines", "run_hook"]


def give_context(instance: Any, context: Context) -> None:
    """Let a service call others: a plain object gets what a BaseService has, unless the name is taken."""
    if isinstance(instance, BaseService):
        instance.ctx = context
        return
    for name, value in (
        ("call_service", context.services),
        ("call_service_async", context.async_services),
        ("logger", context.logger),
    ):
        if not hasattr(instance, name):
            with contextlib.suppress(AttributeError, TypeError):
                setattr(instance, name, value)


def max_workers_of(instance: Any) -> int:
    """How many threads may run the methods of `instance` at once."""
    found = getattr(instance, "max_workers", None)
    return found if isinstance(found, int) else BaseService.max_workers


def run_hook(instance: Any, name: Literal["setup", "cleanup"]) -> None:
    """Call the hook `name` where the instance has it."""
    hook = getattr(instance, name, None)
    if hook is not None:
        hook()


def print_by_lines() -> None:
    """Whole lines of several processes on one output, at once, also where it is a pipe."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(line_buffering=True)
