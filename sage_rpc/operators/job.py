"""A running job: its processes, and the one thread that watches over them.

Theory of operation. The supervisor thread launches every process, then goes through stages:

    every service has an address -> services, in order, are ready -> operators are ready -> rows flow
    -> operators have ended -> (autostop, or stop()) services, in reverse order, end

It waits for messages and deaths in one place (`_wait`), which raises when a worker fails or the job is
cancelled; then operators are stopped, then services, each within a limited time. However it went, at the
end no process of the job's group lives and no socket is left. If the main process is killed, the workers
see their lifelines end and the guard (guard.py) makes sure.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import selectors
import socket
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from sage_rpc.observe.stats import Stats
from sage_rpc.operators.launcher import KILL_AFTER, Worker, flatten, socket_pairs
from sage_rpc.operators.plan import Plan
from sage_rpc.operators.result import JobError, JobResult, OperatorCounts
from sage_rpc.operators.worker import Boot
from sage_rpc.processes.group import Group
from sage_rpc.processes.messages import (
    Bound,
    Done,
    Failed,
    Finish,
    Go,
    Lost,
    Message,
    Opened,
    Ready,
    Start,
    Stop,
)
from sage_rpc.services.context import AsyncServices, Services
from sage_rpc.services.manager import ServiceEndpoint, ServiceManager

__all__ = ["Job"]

_CAUSE_SECONDS = 0.5  # for the reason behind a failure that may be another's consequence to show up
_LOGGER = logging.getLogger("sage_rpc")
_live: weakref.WeakSet[Job] = weakref.WeakSet()


class _CancelledError(Exception):
    """cancel() was called."""


class _WorkerFailedError(Exception):
    """A worker failed or died."""

    def __init__(self, worker: Worker, report: Failed | Lost | str) -> None:
        super().__init__(worker, report)
        self.worker = worker
        self.report = report

    @property
    def rank(self) -> int:
        """How likely it is the cause and not a consequence: a death explains what cannot be reached."""
        if isinstance(self.report, str):
            return 3
        if isinstance(self.report, Lost):
            return 0
        return 1 if "UNAVAILABLE" in self.report.remote_traceback else 2


class Job:
    """A pipeline that runs; made by `LocalEnvironment.submit`. A context manager that ends with its block.

    Args:
        plan: what to run.
        autostop: end the services when the last row has arrived; otherwise `stop` does.
    """

    def __init__(self, plan: Plan, *, autostop: bool) -> None:
        self.name = plan.job
        self._plan = plan
        self._autostop = autostop
        self._pid = os.getpid()
        self._lock = threading.Lock()  # guards _manager
        self._manager: ServiceManager | None = None
        self._endpoints = dict(plan.endpoints)
        self._group: Group | None = None
        self._services: list[Worker] = []
        self._operators: list[Worker] = []
        self._sockets: list[socket.socket] = []
        self._selector = selectors.DefaultSelector()
        self._wake, self._woken = socket.socketpair()
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._finishing = False
        self._cancelling = False
        self._flowing = False
        self._told_sources = False
        self._started_at = 0.0
        self._error: BaseException | None = None
        self._result: JobResult | None = None
        self._services_ready = threading.Event()
        self._rows_done = threading.Event()
        self._ended = threading.Event()
        for result in plan.results:
            result._attach(self)
        _live.add(self)
        self._supervisor = threading.Thread(target=self._supervise, name=f"job {self.name}", daemon=True)
        self._supervisor.start()

    # -- for users

    def wait(self, timeout: float | None = None) -> JobResult:
        """Wait until the last row has arrived, and with autostop until everything has ended.

        Args:
            timeout: seconds; None for no limit.

        Raises:
            TimeoutError: the job goes on.
            JobError: it failed.
        """
        event = self._ended if self._autostop else self._rows_done
        if not event.wait(timeout):
            raise TimeoutError(f"the job {self.name!r} goes on after {timeout} s")
        if self._error is not None:
            raise self._error
        assert self._result is not None  # noqa: S101 - set before the event
        return self._result

    def stop(self) -> JobResult:
        """Let producers end, rows on their way arrive and services clean up; wait for all that.

        Rows of `results()` that nobody has read are dropped.

        Raises:
            JobError: the job failed.
        """
        if any(not result.exhausted for result in self._plan.results):
            return self.cancel()
        self._finishing = True
        return self._end()

    def cancel(self) -> JobResult:
        """Stop everything now, dropping rows on their way; operators and services still clean up.

        Raises:
            JobError: the job failed.
        """
        self._cancelling = True
        return self._end()

    @property
    def result(self) -> JobResult | None:
        """What it did; None until the last row has arrived, or the job has ended."""
        return self._result

    @property
    def call_service(self) -> Services:
        """The job's services, for the main program: `job.call_service["counter"].total()`.

        Waits until they are ready.

        Raises:
            JobError: the job failed.
            RuntimeError: it has ended.
        """
        return Services(self._services_manager())

    @property
    def call_service_async(self) -> AsyncServices:
        """As `call_service`, with methods that give futures."""
        return AsyncServices(self._services_manager())

    @property
    def endpoints(self) -> dict[str, ServiceEndpoint]:
        """Name -> endpoint of every service; waits until they are ready.

        Raises:
            JobError: the job failed.
            RuntimeError: it has ended.
        """
        self._services_manager()
        return dict(self._endpoints)

    @property
    def processes(self) -> dict[str, list[int]]:
        """Name -> process ids of every operator and service; waits until the services are ready.

        Raises:
            JobError: the job failed.
            RuntimeError: it has ended.
        """
        self._services_manager()
        found: dict[str, list[int]] = {}
        for worker in (*self._services, *self._operators):
            found.setdefault(worker.name, []).append(worker.process.pid)
        return found

    @property
    def state(self) -> str:
        """One of "starting", "running", "finished", "stopping", "ended" and "failed"."""
        if self._error is not None:
            return "failed"
        if self._ended.is_set():
            return "ended"
        if self._cancelling or self._finishing:
            return "stopping"
        if self._rows_done.is_set():
            return "finished"
        return "running" if self._flowing else "starting"

    def __enter__(self) -> Job:
        return self

    def __exit__(self, kind: type[BaseException] | None, *exc: object) -> None:
        if kind is None:
            self.stop()
            return
        with contextlib.suppress(JobError):
            self.cancel()

    def __repr__(self) -> str:
        operators, services = len(self._operators), len(self._services)
        return f"<Job {self.name} {self.state}, {operators} operator processes, {services} services>"

    # -- the user's side of the supervisor

    def _end(self) -> JobResult:
        if os.getpid() == self._pid:
            with contextlib.suppress(OSError):
                self._wake.send(b"x")
        return self._join()

    def _join(self) -> JobResult:
        self._ended.wait()
        for result in self._plan.results:
            result._detach()
        if self._error is not None:
            raise self._error
        assert self._result is not None  # noqa: S101 - set before the event
        return self._result

    def _services_manager(self) -> ServiceManager:
        self._services_ready.wait()
        if self._error is not None:
            raise self._error
        with self._lock:
            if self._ended.is_set():
                raise RuntimeError(f"the job {self.name!r} has ended, and its services with it")
            if self._manager is None:
                self._manager = ServiceManager(
                    self._endpoints, timeout=self._plan.timeout, options=self._plan.options
                )
            return self._manager

    def _forget(self) -> None:
        """In a forked child: the job is the parent's; keep no lifeline of it open."""
        for worker in (*self._services, *self._operators):
            worker.control.close()
        for sock in self._sockets:
            sock.close()
        if self._group is not None:
            self._group.forget()
        self._error = RuntimeError(f"the job {self.name!r} belongs to the process that submitted it")
        for event in (self._services_ready, self._rows_done, self._ended):
            event.set()

    # -- the supervisor thread

    def _supervise(self) -> None:
        try:
            self._launch()
            self._start_services()
            self._start_operators()
            self._wait(lambda: all(worker.done is not None for worker in self._operators), None)
            self._result = self._summary()
            self._rows_done.set()
            self._wait(lambda: self._autostop or self._finishing, None)
            self._finish_services()
        except _CancelledError:
            pass
        except _WorkerFailedError as failure:
            self._error = self._explain(self._root_cause(failure))
        except BaseException as error:  # noqa: BLE001 - whatever keeps a job from running is its user's to see
            self._error = error
        finally:
            try:
                self._shut_down()
            finally:
                self._result = replace(self._result or self._summary(), services=self._served())
                for result in self._plan.results:
                    result._settle()
                for event in (self._services_ready, self._rows_done, self._ended):
                    event.set()
                _live.discard(self)

    def _launch(self) -> None:
        plan = self._plan
        self._group = Group(KILL_AFTER)
        for service in plan.services:
            self._services.append(self._start_process(service.name, "service"))
        # Of each operator: its workers' incoming links, and per operator further down their outgoing ones.
        incoming: dict[str, list[list[socket.socket]]] = {}
        outgoing: dict[str, list[list[list[socket.socket]]]] = {}
        for sender, receiver, receivers in plan.edges():
            ours, theirs = socket_pairs(plan.workers(sender), receivers)
            self._sockets += flatten(ours) + flatten(theirs)
            outgoing.setdefault(sender, []).append(ours)
            if isinstance(receiver, str):
                incoming[receiver] = theirs
            else:
                for sock in theirs[0]:
                    self._sockets.remove(sock)
                receiver._connect(theirs[0], plan.queue_rows)
        for spec in plan.operators:
            for number in range(spec.parallelism):
                worker = self._start_process(
                    spec.name,
                    "operator",
                    number=number,
                    parallelism=spec.parallelism,
                    inputs=incoming.get(spec.name, [[]] * spec.parallelism)[number],
                    outputs=[edge[number] for edge in outgoing.get(spec.name, [])],
                )
                self._operators.append(worker)
        # From here on only the workers hold the links: a dead worker's neighbours see it.
        for sock in self._sockets:
            sock.close()
        self._sockets.clear()

    def _start_process(
        self,
        name: str,
        kind: str,
        *,
        number: int = 0,
        parallelism: int = 1,
        inputs: Sequence[socket.socket] = (),
        outputs: Sequence[Sequence[socket.socket]] = (),
    ) -> Worker:
        if self._cancelling:
            raise _CancelledError
        assert self._group is not None  # noqa: S101 - made first
        boot = Boot.here(
            job=self.name,
            name=name,
            worker=number,
            parallelism=parallelism,
            log_level=self._plan.log_level,
            capacity=self._plan.queue_rows,
            inputs=[sock.fileno() for sock in inputs],
            outputs=[[sock.fileno() for sock in socks] for socks in outputs],
        )
        worker = Worker(boot, kind, self._plan.payloads[kind, name], self._group)
        for readable in worker.watched:
            self._selector.register(readable, selectors.EVENT_READ, worker)
        return worker

    def _start_services(self) -> None:
        limit = self._plan.start_timeout
        declared = {spec.name: spec.declared for spec in self._plan.services}
        self._wait(lambda: all(worker.target for worker in self._services), limit)
        for worker in self._services:
            self._endpoints[worker.name] = ServiceEndpoint(
                worker.target or "", declared[worker.name], self._plan.policies.get(worker.name)
            )
        start = self._start_message()
        for worker in self._services:
            worker.tell(start)
            self._wait(lambda worker=worker: worker.ready, limit)  # type: ignore[misc]
        self._services_ready.set()

    def _start_operators(self) -> None:
        start = self._start_message()
        for worker in self._operators:
            worker.tell(start)
        self._wait(lambda: all(worker.ready for worker in self._operators), self._plan.start_timeout)
        self._started_at = time.monotonic()
        self._flowing = True
        for worker in self._operators:
            worker.tell(Go())

    def _start_message(self) -> Start:
        return Start(self._endpoints, self._plan.descriptors, self._plan.timeout, self._plan.options)

    def _finish_services(self) -> None:
        for worker in reversed(self._services):
            worker.tell(Finish())
            self._wait(lambda worker=worker: worker.done is not None, None)  # type: ignore[misc]

    # -- waiting

    def _wait(self, until: Callable[[], bool], limit: float | None) -> None:
        """Handle messages until a condition holds.

        Raises:
            _WorkerFailedError: a worker failed or died.
            _CancelledError: cancel() was called.
            TimeoutError: it does not hold after `limit` seconds.
        """
        deadline = None if limit is None else time.monotonic() + limit
        while True:
            if self._cancelling:
                raise _CancelledError
            if self._finishing and self._flowing and not self._told_sources:
                self._told_sources = True
                for worker in self._operators:
                    if worker.name in self._plan.producers:
                        worker.tell(Finish())
            if until():
                return
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                raise TimeoutError(self._overdue(limit))
            for failure in self._events(left):
                raise failure

    def _overdue(self, limit: float | None) -> str:
        waiting = [worker.label for worker in (*self._services, *self._operators) if not worker.ready]
        return (
            f"job {self.name!r}: {waiting[0]} is not ready after {limit} s; "
            f"LocalEnvironment(..., start_timeout=...) allows more"
        )

    def _events(self, timeout: float | None) -> Iterator[_WorkerFailedError]:
        """Handle what happens within `timeout` seconds, one round of it. -> failures."""
        for key, _ in self._selector.select(timeout):
            worker: Worker | None = key.data
            if worker is None:
                self._woken.recv(4096)
                continue
            try:
                for message in worker.read():
                    report = _note(worker, message, self._group)
                    if report is not None:
                        yield _WorkerFailedError(worker, report)
            except EOFError:
                for readable in worker.watched:
                    with contextlib.suppress(KeyError):  # both may be reported in one round
                        self._selector.unregister(readable)
                if worker.done is None and not worker.reported:
                    worker.reported = True
                    yield _WorkerFailedError(worker, worker.death())

    def _root_cause(self, failure: _WorkerFailedError) -> _WorkerFailedError:
        """What is behind `failure`: a worker that fails because another died may be the first to say so."""
        deadline = time.monotonic() + _CAUSE_SECONDS
        while failure.rank < 2 and (left := deadline - time.monotonic()) > 0:
            for other in self._events(left):
                if other.rank > failure.rank:
                    failure = other
        return failure

    def _explain(self, failure: _WorkerFailedError) -> JobError:
        worker, report = failure.worker, failure.report
        head = f"job {self.name!r}: {worker.label}"
        if isinstance(report, str):
            text = f"{head}, process {worker.process.pid}, {report}"
            return JobError(text, job=self.name, kind=worker.kind, name=worker.name)
        if isinstance(report, Lost):
            text = f"{head} lost a neighbour: {report.reason}"
            return JobError(text, job=self.name, kind=worker.kind, name=worker.name)
        text = f"{head} failed in {report.during}: {report.type_name}"
        if report.message:
            text += f": {report.message}"
        error = JobError(
            text.partition("\n\nRemote traceback:\n")[0],  # a RemoteError's is in its own traceback
            job=self.name,
            kind=worker.kind,
            name=worker.name,
            type_name=report.type_name,
            remote_traceback=report.remote_traceback,
        )
        error.__cause__ = report.exception()
        return error

    # -- the end

    def _shut_down(self) -> None:
        with self._lock:
            manager, self._manager = self._manager, None
        if manager is not None:
            manager.close()
        for workers in (self._operators, self._services):
            for worker in workers:
                if worker.done is None:
                    worker.tell(Stop())
            deadline = time.monotonic() + KILL_AFTER
            for worker in workers:
                self._reap(worker, deadline)
        if self._group is not None:
            self._group.end()
        for sock in (*self._sockets, self._wake, self._woken):
            sock.close()
        self._selector.close()

    def _reap(self, worker: Worker, deadline: float) -> None:
        with contextlib.suppress(EOFError, OSError):
            for message in worker.read():
                _note(worker, message, self._group)
        if not worker.end(deadline - time.monotonic()):
            _LOGGER.warning("%s did not end in time and was killed", worker.label)

    def _served(self) -> dict[str, Stats]:
        done = {worker.name: worker.done for worker in self._services}
        return {name: Stats.from_list(list(d.served)) for name, d in done.items() if d and d.served}

    def _summary(self) -> JobResult:
        counts: dict[str, OperatorCounts] = {}
        for spec in self._plan.operators:
            done = [w.done for w in self._operators if w.name == spec.name and w.done is not None]
            if len(done) == spec.parallelism:
                counts[spec.name] = OperatorCounts(
                    len(done), sum(d.rows_in for d in done), sum(d.rows_out for d in done)
                )
        seconds = time.monotonic() - self._started_at if self._flowing else 0.0
        return JobResult(self.name, self._finishing or self._cancelling, seconds, counts)


def _note(worker: Worker, message: Message, group: Group | None) -> Failed | Lost | None:
    """Remember what a worker says. -> what is a failure."""
    if isinstance(message, Bound):
        worker.target = message.target
    elif isinstance(message, Opened):
        if group is not None:
            for path in message.sockets:
                group.remember(path)
    elif isinstance(message, Ready):
        worker.ready = True
    elif isinstance(message, Done):
        worker.done = message
    elif isinstance(message, (Failed, Lost)):
        worker.reported = True
        return message
    return None


def _cancel_all() -> None:
    for job in list(_live):
        with contextlib.suppress(Exception):
            job.cancel()


def _forget_all() -> None:
    for job in list(_live):
        job._forget()
    _live.clear()


atexit.register(_cancel_all)
os.register_at_fork(after_in_child=_forget_all)
