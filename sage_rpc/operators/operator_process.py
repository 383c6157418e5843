"""One worker of an operator: rows in, `execute`, rows out.

`setup` runs when the services can be reached, `execute` when every operator of the job is ready,
`cleanup` whenever `setup` was begun.
"""

from __future__ import annotations

import inspect
import itertools
import socket
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from sage_rpc.operators.functions import BaseFunction, StopSignal
from sage_rpc.operators.links import LinkLostError, RowInput, RowOutput, dump_row, load_row
from sage_rpc.operators.plan import Kind, OperatorSpec
from sage_rpc.operators.worker import Boot, make_context
from sage_rpc.processes.messages import Done, Finish, Go, Ready, Start
from sage_rpc.processes.parent import Drained, Parent, Stopped
from sage_rpc.processes.steps import StepError, step

__all__ = ["work"]


def work(boot: Boot, spec: OperatorSpec, parent: Parent) -> Done:
    """Run the operator to its end.

    Raises:
        StepError: user code raised.
        LinkLostError: a neighbour died.
        Stopped: the job was stopped.
    """
    with parent.interruptible(), step("__init__()"):
        code = spec.code(*spec.args, **spec.kwargs) if _is_operator_class(spec.code) else spec.code
    start = parent.receive()
    assert isinstance(start, Start), start  # noqa: S101 - the parent's part of the protocol
    context = make_context(boot, start)
    with context.service_manager:
        if not isinstance(code, BaseFunction):
            return _run(boot, spec.kind, code, parent)
        code.ctx = context
        try:
            with parent.interruptible(), step("setup()"):
                code.setup()
            done = _run(boot, spec.kind, code, parent)
        except (StepError, LinkLostError, Stopped):
            try:
                code.cleanup()
            except Exception:  # the first error is the one to report
                context.logger.exception("cleanup() failed, too")
            raise
        with parent.interruptible(), step("cleanup()"):
            code.cleanup()
        return done


def _is_operator_class(code: Any) -> bool:
    return isinstance(code, type) and issubclass(code, BaseFunction)


def _run(boot: Boot, kind: Kind, code: Any, parent: Parent) -> Done:
    parent.send(Ready())
    go = parent.receive()
    assert isinstance(go, (Go, Finish)), go  # noqa: S101 - the parent's part of the protocol
    with parent.interruptible():
        outputs = [RowOutput([socket.socket(fileno=fd) for fd in fds], boot.capacity) for fds in boot.outputs]
        emitter = _Emitter(outputs)
        if kind.produces:
            rows_in = 0
            for row in _produce(boot, kind, code, parent):
                emitter.emit(row)
        else:
            execute = code.execute if isinstance(code, BaseFunction) else code
            incoming = RowInput([socket.socket(fileno=fd) for fd in boot.inputs], boot.capacity)
            rows_in = _consume(kind, execute, incoming, emitter)
        for output in outputs:
            output.finish()
    return Done(rows_in, emitter.count)


class _Emitter:
    """Gives rows to every operator further down."""

    def __init__(self, outputs: list[RowOutput]) -> None:
        self._outputs = outputs
        self.count = 0

    def emit(self, row: Any) -> None:
        try:
            data = dump_row(row)
        except Exception as error:
            raise StepError(f"sending on a row of type {type(row).__qualname__}", error) from error
        self.pass_on(data)

    def pass_on(self, data: bytes) -> None:
        for output in self._outputs:
            output.put(data)
        self.count += 1


def _consume(kind: Kind, execute: Callable[[Any], Any], incoming: RowInput, emitter: _Emitter) -> int:
    """Feed every incoming row to `execute`. -> how many there were."""
    emit, pass_on = emitter.emit, emitter.pass_on
    count = 0
    with step("execute()"):
        for batch in incoming.batches():
            for data in batch:
                count += 1
                try:
                    row = load_row(data)
                except Exception as error:
                    raise StepError("reading a row", error) from error
                result = execute(row)
                if kind is Kind.MAP:
                    emit(result)
                elif kind is Kind.FILTER:
                    if result:
                        pass_on(bytes(data))
                elif kind is Kind.FLATMAP:
                    for part in () if result is None else result:
                        emit(part)
    return count


def _produce(boot: Boot, kind: Kind, code: Any, parent: Parent) -> Iterator[Any]:
    """The rows of a producer, until its end or until the job is drained."""
    if not isinstance(code, BaseFunction) and not callable(code):
        with step("iterating"):
            rows = _share(code, boot)
    else:
        execute = code.execute if isinstance(code, BaseFunction) else code
        rows = execute() if inspect.isgeneratorfunction(execute) else _repeat(execute, kind)
    while not parent.draining:
        try:
            with step("execute()"), parent.drainable():
                row = next(rows, _END)
        except Drained:
            return
        if row is _END:
            return
        yield row


_END = object()


def _share(rows: Iterable[Any], boot: Boot) -> Iterator[Any]:
    """This worker's part of a collection."""
    return itertools.islice(iter(rows), boot.worker, None, boot.parallelism)


def _repeat(execute: Callable[[], Any], kind: Kind) -> Iterator[Any]:
    while True:
        row = execute()
        if isinstance(row, StopSignal):
            return
        if row is not None:
            yield row
        elif kind is Kind.BATCH:
            return
