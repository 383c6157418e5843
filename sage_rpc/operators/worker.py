"""What operator and service processes have in common: `run`, from the boot file to the exit code."""

from __future__ import annotations

import logging
import os
import pickle
import socket
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from google.protobuf import descriptor_pool

from sage_rpc.hosting.lifecycle import print_by_lines
from sage_rpc.operators.links import LinkLostError
from sage_rpc.operators.plan import OperatorSpec
from sage_rpc.processes.child import here
from sage_rpc.processes.messages import Done, Failed, Lost, Start
from sage_rpc.processes.parent import Parent, Stopped
from sage_rpc.processes.steps import StepError, step
from sage_rpc.services.context import Context
from sage_rpc.services.manager import ServiceManager

if TYPE_CHECKING:
    from sage_rpc.observe.tracing import Tracing

__all__ = ["Boot", "make_context", "run"]

_FAILED, _STOPPED = 1, 143  # exit codes


@dataclass(frozen=True)
class Boot:
    """The first line of a worker's boot file, as JSON.

    Attributes:
        path: the parent's `sys.path`.
        argv: the parent's `sys.argv`.
        job: name of the environment.
        name: name of the operator or service.
        worker: number of this worker, from 0.
        parallelism: how many there are.
        log_level: for the root logger.
        capacity: rows held for each operator further down.
        inputs: descriptors of the links to read.
        outputs: descriptors of the links to write, a list for each operator further down.
    """

    path: list[str]
    argv: list[str]
    job: str
    name: str
    worker: int
    parallelism: int
    log_level: int
    capacity: int
    inputs: list[int]
    outputs: list[list[int]]

    @classmethod
    def here(cls, **known: Any) -> Boot:
        """A Boot with what is to be taken from this process."""
        return cls(**{**here(), **known})


def run(title: str, header: dict[str, Any], payload: bytes, control: socket.socket) -> int:
    """Run one operator's or service's process. -> its exit code."""
    boot = Boot(**header)
    for fd in (control.fileno(), *boot.inputs, *(fd for fds in boot.outputs for fd in fds)):
        os.set_inheritable(fd, False)
    parent = Parent(control)
    print_by_lines()
    logging.basicConfig(
        level=boot.log_level, stream=sys.stderr, format=f"%(asctime)s %(levelname)s [{title}] %(message)s"
    )
    code = _STOPPED
    try:
        parent.send(_work(boot, payload, parent))
        code = 0
    except Stopped:
        pass
    except LinkLostError as error:
        code = _FAILED
        parent.send(Lost(str(error)))
        parent.wait_for_stop()
    except StepError as error:
        code = _FAILED
        parent.send(Failed.of(error.during, error.error))
    finally:
        parent.finish(code)
    return code


def _work(boot: Boot, payload: bytes, parent: Parent) -> Done:
    from sage_rpc.operators import operator_process, service_process

    with parent.interruptible(), step("loading"):
        spec = pickle.loads(payload)  # noqa: S301 - from our parent
    if isinstance(spec, OperatorSpec):
        return operator_process.work(boot, spec, parent)
    return service_process.work(boot, spec, parent)


def make_context(boot: Boot, start: Start, *, tracing: Tracing | bool = False) -> Context:
    """The context of this worker, with a manager of its own, which traces where the worker does."""
    pool = descriptor_pool.Default()
    for file in start.descriptors:
        pool.AddSerializedFile(file)
    manager = ServiceManager(start.endpoints, timeout=start.timeout, options=start.options, tracing=tracing)
    return Context(boot.job, boot.name, boot.worker, boot.parallelism, manager)
