"""ServiceProcessManager: services in processes, started, watched, restarted, rolled over and stopped.

Theory of operation. One thread, the loop, owns all state: it waits for messages and output of processes,
their ends, answers to health checks, timers, and orders from other threads, which are functions that it
runs. A service has `process_count` slots; a slot has a process, or waits to start one again after a death
(backoff), or has given up (too many deaths). A rolling restart replaces the processes one by one: the new one
serves before the old one drains.

1. Nothing in the loop waits: checks are made by threads that answer later, a process that must go has a time
   to be killed at, and what processes print is the business of other threads (output.py).
2. A process that has ended without being asked is restarted; one that was asked is forgotten.
3. Who waits for a change is told how it ended, whatever comes between: a drain, a stop, another death.
4. All processes are in one group with a guard (sage_rpc.processes): none outlives this process.
"""

from __future__ import annotations

import contextlib
import enum
import functools
import heapq
import itertools
import logging
import os
import queue
import random
import selectors
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent import futures
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import cloudpickle
import grpc

from sage_rpc.config import ServiceConfig
from sage_rpc.processes.group import Group
from sage_rpc.processes.messages import Finish, Policies, Stop
from sage_rpc.services.asking import begin_to_ask
from sage_rpc.supervisor.output import Output
from sage_rpc.supervisor.process import ServiceProcess, State
from sage_rpc.supervisor.serving import GRACE, REPORT
from sage_rpc.supervisor.task import Task
from sage_rpc.text.exceptions import text_of

__all__ = ["ProcessStatus", "ServiceProcessManager", "ServiceStartError"]

_LOGGER = logging.getLogger("sage_rpc.supervisor")
_GUARD_GRACE = GRACE + 0.2  # seconds that processes have after this one was killed
_POLL = 0.01  # seconds between two looks whether a process whose socket is closed has ended
_STOP_SECONDS = 2.0  # for cleanup(), beyond a service's stop_grace


class ServiceStartError(RuntimeError):
    """A service could not be started; the text says which and why."""


class SlotState(enum.Enum):
    """Of a place for a process."""

    RUNNING = "running"
    BACKOFF = "backoff"
    FAILED = "failed"
    EMPTY = "empty"


@dataclass(frozen=True)
class ProcessStatus:
    """One process, or the place for one.

    Attributes:
        service: its name.
        number: of the place, from 0.
        state: "starting", "serving", "unhealthy", "draining", "backoff", or "failed": given up.
        pid: 0 where there is none.
        uptime: seconds since it was started.
        restarts: how often a process in this place was started again after a death.
        target: how it is reached on this host.
        rss: resident memory in bytes, 0 where unknown.
        error: what went wrong last; "" for nothing.
    """

    service: str
    number: int
    state: str
    pid: int
    uptime: float
    restarts: int
    target: str
    rss: int
    error: str


@dataclass
class _Slot:
    """A place for one process of a service."""

    number: int
    state: SlotState = SlotState.EMPTY
    process: ServiceProcess | None = None
    next: ServiceProcess | None = None  # that replaces it as soon as it serves
    leaving: list[ServiceProcess] = field(default_factory=list)
    deaths: deque[float] = field(default_factory=deque)
    row: int = 0  # deaths in a row
    restarts: int = 0
    error: str = ""
    ticket: int = 0  # of the last backoff: an earlier one's timer finds nothing to do
    rolled: Callable[[str], None] | None = None  # told "" or what went wrong when the replacement is done


class _Service:
    """A service and its slots; `code` is its class with its arguments, pickled, where it has no name."""

    def __init__(self, name: str, config: ServiceConfig, code: bytes | None) -> None:
        self.name = name
        self.config = config
        self.code = code
        self.slots = [_Slot(number) for number in range(config.process_count)]
        self.stopping = False


class ServiceProcessManager:
    """Runs services in processes of their own; a context manager.

    Args:
        name: of this supervisor.
        python_path: where processes find modules, before this process's places.
        env: environment of the processes; None for this process's.
        log_level: of the processes.
        output: where what they print goes; None: standard output of this process.

    Example:
        with ServiceProcessManager() as manager:
            manager.start_service_process("cache", CacheService, cache_size=10, process_count=2)
            with ServiceManager({"cache": "sage:///cache"}) as services:
                services.get_sync_proxy("cache").get("k")
    """

    def __init__(
        self,
        name: str = "sage",
        *,
        python_path: list[str] | None = None,
        env: Mapping[str, str] | None = None,
        log_level: str = "info",
        output: Output | None = None,
    ) -> None:
        self.name = name
        self.output = output or Output()
        self._python_path = list(python_path or ())
        self._env = dict(os.environ if env is None else env)
        self._log_level = log_level
        self._group = Group(_GUARD_GRACE)
        self._selector = selectors.DefaultSelector()
        self._orders: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._wake, self._waker = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._waking = threading.Lock()  # guards _waker, which is -1 when it is closed
        self._selector.register(self._wake, selectors.EVENT_READ, self._orders_came)
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._ties = itertools.count()
        self._services: dict[str, _Service] = {}
        self._policies: dict[str, dict[str, Any]] = {}
        self._processes: set[ServiceProcess] = set()
        self._closing = False
        self._changed = threading.Condition()  # guards _generation
        self._generation = 0  # grows with every turn of the loop
        self._loop = threading.Thread(target=self._run, name="sage_rpc supervisor", daemon=True)
        self._loop.start()

    # -- for everybody

    def start_service_process(
        self,
        name: str,
        service: ServiceConfig | type | Callable[..., Any],
        *args: Any,
        process_count: int = 1,
        wait: bool = True,
        **kwargs: Any,
    ) -> None:
        """Start a service.

        Args:
            name: what callers use.
            service: how it is configured; or its class, of which `args` and `kwargs` are the arguments.
            args: of the class.
            process_count: processes, where a class is given.
            wait: return when all processes serve.
            kwargs: of the class.

        Raises:
            ValueError: a service of that name runs already.
            TypeError: an argument, or the class, cannot be sent to a process; pickling may raise others, too.
            ServiceStartError: a process could not start; the service is stopped again.
        """
        if isinstance(service, ServiceConfig):
            config, code = service, None
        else:
            # Here, and once: what cannot be sent is the caller's to see, and no restart can fail for it.
            code = cloudpickle.dumps((service, args, kwargs))
            where = f"{service.__module__}.{service.__qualname__}"
            named = where if where.replace(".", "").replace("_", "").isalnum() else "sage_rpc.service"
            config = ServiceConfig.model_validate(
                {"class": named, "args": list(args), "kwargs": kwargs, "process_count": process_count}
            )
        self._order(lambda: self._start(name, config, code))
        if wait:
            self.wait_until_serving([name])

    def wait_until_serving(self, names: list[str] | None = None) -> None:
        """Wait until every process of the services serves, or one has failed to.

        Raises:
            ServiceStartError: one has, and its service is stopped again.
        """

        def state() -> tuple[bool, str, str]:
            for service in self._services.values():
                if names is not None and service.name not in names:
                    continue
                for slot in service.slots:
                    if slot.state is SlotState.EMPTY:
                        continue  # drained, and to stay so
                    if slot.error and (slot.state is not SlotState.RUNNING):
                        return True, service.name, slot.error
                    if slot.process is None or slot.process.ready_at is None:
                        return False, "", ""
            return True, "", ""

        while True:
            generation = self._generation
            done, name, error = self._order(state)
            if done:
                break
            self._wait_for_change(generation)
        if error:
            self.stop(name)
            raise ServiceStartError(f"service {name!r} cannot start: {error}")

    def monitor_service_health(self, timeout: float = 5.0) -> dict[str, list[str]]:
        """Ask every process now: service -> for each process "serving", or what is wrong.

        Args:
            timeout: seconds at most.
        """
        answers: dict[ServiceProcess, futures.Future[str]] = {}

        def ask() -> list[tuple[str, ServiceProcess | None, str]]:
            found: list[tuple[str, ServiceProcess | None, str]] = []
            for service in self._services.values():
                for slot in service.slots:
                    process = slot.process
                    if process is None or process.state not in (State.SERVING, State.UNHEALTHY):
                        state = process.state.value if process is not None else slot.state.value
                        found.append((service.name, None, slot.error or state))
                        continue
                    answer: futures.Future[str] = futures.Future()
                    try:
                        process.check(answer.set_result)
                    except (RuntimeError, OSError, ValueError) as error:
                        answer.set_result(f"it cannot be asked: {error}")
                    answers[process] = answer
                    found.append((service.name, process, ""))
            return found

        end = time.monotonic() + timeout
        health: dict[str, list[str]] = {}
        for name, process, text in self._order(ask):
            if process is not None:
                try:
                    text = answers[process].result(max(0.0, end - time.monotonic())) or "serving"  # noqa: PLW2901
                except futures.TimeoutError:
                    text = f"no answer within {timeout:g} s"  # noqa: PLW2901
            health.setdefault(name, []).append(text)
        return health

    def restart_service(self, name: str, *, wait: bool = True) -> None:
        """Replace the processes of a service one by one: the new one serves before the old one drains.

        Raises:
            LookupError: there is no such service.
            ServiceStartError: a new process could not start; those not replaced yet go on.
        """
        done: futures.Future[str] = futures.Future()
        self._order(lambda: self._roll(self._service(name), None, None, done.set_result))
        if wait:
            error = self._wait_for(done)
            if error:
                raise ServiceStartError(f"service {name!r} was not restarted: {error}")

    def change_service(self, name: str, config: ServiceConfig, *, wait: bool = True) -> None:
        """Go over to another configuration: another number of processes at once, else by a rolling restart.

        Raises:
            LookupError: there is no such service.
            ServiceStartError: a new process could not start; the old ones go on.
        """
        done: futures.Future[str] = futures.Future()
        self._order(lambda: self._change(self._service(name), config, done))
        if wait:
            error = self._wait_for(done)
            if error:
                raise ServiceStartError(f"service {name!r} was not changed: {error}")
            self.wait_until_serving([name])

    def drain(self, name: str, number: int | None = None) -> None:
        """Let processes finish their calls and end, without new ones in their place.

        Returns when they have ended. `restart_service` brings them back.

        Args:
            name: of the service.
            number: of the process; None for all.

        Raises:
            LookupError: there is no such service or process.
        """

        def begin() -> list[ServiceProcess]:
            service = self._service(name)
            slots = [s for s in service.slots if number is None or s.number == number]
            if not slots:
                raise LookupError(f"service {name!r} has no process {number}; it has {len(service.slots)}")
            leaving: list[ServiceProcess] = []
            for slot in slots:
                slot.state = SlotState.EMPTY
                leaving += self._leave(slot, "it was drained meanwhile")
            return leaving

        self._wait_for_the_end_of(self._order(begin))

    def stop(self, name: str | None = None) -> None:
        """Drain and end a service, or all in reverse order of their start. Returns when it is done."""
        names = [name] if name is not None else self._order(lambda: list(reversed(self._services)))
        for each in names:

            def begin(each: str = each) -> list[ServiceProcess]:
                service = self._services.get(each)
                if service is None:
                    return []
                service.stopping = True
                why = "the service is being stopped"
                return [process for slot in service.slots for process in self._leave(slot, why)]

            self._wait_for_the_end_of(self._order(begin))
            self._order(functools.partial(self._forget, each))

    def status(self) -> list[ProcessStatus]:
        """Every process, by service and number."""

        def look() -> list[ProcessStatus]:
            found = []
            for service in self._services.values():
                for slot in service.slots:
                    found.append(self._status_of(service, slot, slot.process))
                    extra = [slot.next] if slot.next is not None else []
                    found += [self._status_of(service, slot, p) for p in (*extra, *slot.leaving)]
            return found

        found: list[ProcessStatus] = self._order(look)
        return found

    def set_policies(self, policies: Mapping[str, Mapping[str, Any]]) -> None:
        """What holds for the calls that services make, also of services that are yet to start.

        Processes that run learn of it. A service's own configuration says it anew when the service is started
        or changed.

        Args:
            policies: by the names of the services that are called.
        """
        self._order(lambda: self._say_policies({name: dict(said) for name, said in policies.items()}))

    def services(self) -> dict[str, ServiceConfig]:
        """The services and how they are configured."""
        found: dict[str, ServiceConfig] = self._order(
            lambda: {name: service.config for name, service in self._services.items()}
        )
        return found

    def reports(self, timeout: float = 1.0) -> list[dict[str, Any]]:
        """What every process that serves tells of itself; those that do not answer are left out.

        Args:
            timeout: seconds at most.
        """
        # Those that answered lately come first: to connect to one that is stopped takes all of the time.
        channels = self._order(
            lambda: [
                process.inside()
                for state in (State.SERVING, State.UNHEALTHY)
                for process in self._processes
                if process.state is state
            ]
        )
        end = time.monotonic() + timeout
        calls = [
            begin_to_ask(channel, REPORT, "report", timeout=max(0.01, end - time.monotonic()))
            for channel in channels
        ]
        found = []
        for result in calls:
            with contextlib.suppress(grpc.RpcError, grpc.FutureCancelledError):
                found.append(result())
        return sorted(found, key=lambda r: (r["service"], r["number"]))

    def close(self) -> None:
        """Stop everything and let go. Idempotent."""
        if self._closing:
            return
        self.stop()
        self.kill()

    def kill(self) -> None:
        """End everything now."""
        if not self._closing:
            self._closing = True
            self._post(_nothing)
            self._loop.join(timeout=5.0)
            self._group.end()
            for process in list(self._processes):
                with contextlib.suppress(AssertionError):
                    process.forget()
            self._processes.clear()
            self._selector.close()
            with self._waking:
                os.close(self._wake)
                os.close(self._waker)
                self._waker = -1
            self.output.close()

    def __enter__(self) -> ServiceProcessManager:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<ServiceProcessManager {self.name} {len(self._processes)} processes>"

    # -- the loop

    def _order(self, function: Callable[[], Any]) -> Any:
        """Have the loop run `function`. -> its result."""
        if threading.current_thread() is self._loop:
            return function()
        answer: futures.Future[Any] = futures.Future()

        def run() -> None:
            try:
                answer.set_result(function())
            except BaseException as error:  # noqa: BLE001 - it is the caller's
                answer.set_exception(error)

        self._post(run)
        return self._wait_for(answer)

    def _wait_for(self, answer: futures.Future[Any]) -> Any:
        """The result of what the loop does.

        Raises:
            RuntimeError: the loop has ended before.
        """
        while True:
            try:
                return answer.result(1.0)
            except futures.TimeoutError:
                if answer.done():
                    raise
                if not self._loop.is_alive():
                    raise RuntimeError(f"the supervisor {self.name} is closed") from None

    def _post(self, function: Callable[[], None]) -> None:
        self._orders.put(function)
        # When it is closed its number may be another file's.
        with self._waking, contextlib.suppress(BlockingIOError):
            if self._waker >= 0:
                os.write(self._waker, b"o")

    def _orders_came(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._wake, 4096)
        while True:
            try:
                order = self._orders.get_nowait()
            except queue.Empty:
                return
            self._guarded(order)

    def _at(self, moment: float, function: Callable[[], None]) -> None:
        heapq.heappush(self._timers, (moment, next(self._ties), function))

    def _run(self) -> None:
        while not self._closing:
            wait = self._timers[0][0] - time.monotonic() if self._timers else None
            for key, _ in self._selector.select(None if wait is None else max(0.0, wait)):
                self._guarded(key.data)
            now = time.monotonic()
            while self._timers and self._timers[0][0] <= now:
                self._guarded(heapq.heappop(self._timers)[2])
            with self._changed:  # after both, and before the next wait
                self._generation += 1
                self._changed.notify_all()

    def _guarded(self, function: Callable[[], None]) -> None:
        """A failure of one process's affairs must not end the supervision of the others."""
        try:
            function()
        except Exception:
            _LOGGER.exception("the supervisor goes on after an error of its own")

    def _say(self, service: _Service | None, text: str) -> None:
        self.output.write(service.name if service else "", f"supervisor {self.name}", text)

    # -- processes

    def _service(self, name: str) -> _Service:
        service = self._services.get(name)
        if service is None:
            known = ", ".join(self._services) or "none"
            raise LookupError(f"there is no service {name!r} here; there are {known}")
        return service

    def _start(self, name: str, config: ServiceConfig, code: bytes | None) -> None:
        if name in self._services:
            raise ValueError(f"a service {name!r} runs already")
        service = self._services[name] = _Service(name, config, code)
        self._say_policies({**self._policies, name: dict(config.policy)})
        for slot in service.slots:
            self._fill(service, slot)

    def _forget(self, name: str) -> None:
        self._services.pop(name, None)
        self._say_policies({each: said for each, said in self._policies.items() if each != name})

    def _say_policies(self, policies: dict[str, dict[str, Any]]) -> None:
        policies = {name: said for name, said in policies.items() if said}
        if policies == self._policies:
            return
        self._policies = policies
        for process in self._processes:
            process.tell(Policies(policies))

    def _fill(self, service: _Service, slot: _Slot) -> None:
        """Start a process in a slot; what keeps it from starting is met as a death is."""
        if service.stopping or slot not in service.slots:
            return
        slot.state = SlotState.RUNNING
        slot.process = self._launch(service, slot, service.config)
        if slot.process is None:
            self._restart_later(service, slot, None, slot.error)

    def _launch(self, service: _Service, slot: _Slot, config: ServiceConfig) -> ServiceProcess | None:
        task = Task(
            service.name,
            slot.number,
            config,
            service.code,
            ServiceProcess.new_id(),
            self._log_level,
            self.name,
            self._policies,
        )
        try:
            process = ServiceProcess(task, self._group, self._python_path, {**self._env, **config.env})
        except Exception as error:  # noqa: BLE001 - whatever it is, the slot must not be lost for it
            slot.error = f"its process cannot be started: {text_of(error)}"
            return None
        self._processes.add(process)
        self.output.follow(process.output, service.name, f"{service.name}/{slot.number}")
        for path in process.sockets:
            self._group.remember(path)
        for watched in process.watched:
            self._selector.register(watched, selectors.EVENT_READ, lambda: self._read(service, slot, process))
        self._at(process.kill_at, lambda: self._kill_if_late(service, process))
        return process

    def _read(self, service: _Service, slot: _Slot, process: ServiceProcess) -> None:
        if process.state is State.ENDED or process.ending:
            return
        try:
            for message in process.read():
                before = process.ready_at
                process.take(message)
                if before is None and process.ready_at is not None:
                    self._serves(service, slot, process)
        except EOFError:
            for watched in process.watched:
                with contextlib.suppress(KeyError, ValueError):
                    self._selector.unregister(watched)
            process.ending, process.kill_at = True, float("inf")
            self._ended(service, slot, process, time.monotonic() + GRACE)

    def _serves(self, service: _Service, slot: _Slot, process: ServiceProcess) -> None:
        for path in process.sockets:
            self._group.remember(path)
        self._at(process.check_at, lambda: self._check(service, slot, process))
        slot.error = ""
        if process is slot.next:
            slot.next = None
            if slot.process is not None:
                self._let_go(slot, slot.process)
            slot.process, slot.state = process, SlotState.RUNNING
            self._replaced(slot, "")

    def _ended(self, service: _Service, slot: _Slot, process: ServiceProcess, kill_at: float) -> None:
        if process.process.poll() is None:
            # End-of-file may come before the end itself, by a moment, or never by itself where threads hang.
            if time.monotonic() >= kill_at:
                process.process.kill()
            self._at(time.monotonic() + _POLL, lambda: self._ended(service, slot, process, kill_at))
            return
        asked = process.state is State.DRAINING
        ready_at = process.ready_at
        death = self._why(process)
        process.forget()
        self._processes.discard(process)
        if process in slot.leaving:
            slot.leaving.remove(process)
        if asked or service.stopping:
            if process is slot.process:
                slot.process = None
            return
        if process is slot.next:
            slot.next = None
            self._failed_to_replace(service, slot, death)
            return
        slot.process = None
        self._restart_later(service, slot, ready_at, death)

    def _why(self, process: ServiceProcess) -> str:
        failure = process.failure
        if failure is None:
            return process.kill_reason if process.killed else f"its process {process.death()}"
        if failure.type_name.endswith(".LoadError"):
            return failure.message
        where = _last_line(failure.remote_traceback)
        return f"{failure.during} raised {failure.type_name}: {failure.message}{where}"

    def _restart_later(self, service: _Service, slot: _Slot, ready_at: float | None, death: str) -> None:
        policy, now = service.config.restart, time.monotonic()
        slot.error = death
        slot.row = 0 if ready_at is not None and now - ready_at >= policy.reset_after else slot.row + 1
        slot.deaths.append(now)
        while slot.deaths and slot.deaths[0] < now - policy.window:
            slot.deaths.popleft()
        if len(slot.deaths) > policy.limit:
            slot.state = SlotState.FAILED
            self._say(
                service,
                f"{service.name}/{slot.number}: {death}; given up after {len(slot.deaths)} deaths within "
                f"{policy.window:g} s: mend it, then sage-rpc restart {service.name}",
            )
            return
        slot.ticket += 1
        ticket, delay = slot.ticket, policy.first_delay
        if slot.row > 1:
            delay = min(policy.max_delay, policy.delay * 2.0 ** min(slot.row - 2, 32))
            delay *= random.uniform(0.8, 1.2)
        slot.state = SlotState.BACKOFF
        self._say(service, f"{service.name}/{slot.number}: {death}; starting again in {delay:.1f} s")
        self._at(now + delay, lambda: self._restart(service, slot, ticket))

    def _restart(self, service: _Service, slot: _Slot, ticket: int) -> None:
        # Where a replacement is on its way already, that decides.
        waits = slot.state is SlotState.BACKOFF and slot.process is None and slot.next is None
        if waits and slot.ticket == ticket:
            slot.restarts += 1
            self._fill(service, slot)

    # -- health

    def _check(self, service: _Service, slot: _Slot, process: ServiceProcess) -> None:
        if process.state not in (State.SERVING, State.UNHEALTHY):
            return
        if not process.checking:
            try:
                process.check(lambda text: self._post(lambda: self._checked(service, slot, process, text)))
                process.checking = True
            except (RuntimeError, OSError, ValueError) as error:  # our trouble, and not the process's
                _LOGGER.warning("%s cannot be asked for its health: %s", process.title, error)
        self._at(
            time.monotonic() + service.config.health_check_interval,
            lambda: self._check(service, slot, process),
        )

    def _checked(self, service: _Service, slot: _Slot, process: ServiceProcess, text: str) -> None:
        process.checking = False
        if process.state not in (State.SERVING, State.UNHEALTHY):
            return
        if not text:
            process.failed_checks = 0
            process.move(State.SERVING)
            if slot.process is process:
                slot.error = ""
            return
        process.failed_checks += 1
        process.move(State.UNHEALTHY)
        slot.error = f"its health check failed {process.failed_checks} times: {text}"
        if process.failed_checks >= service.config.unhealthy_after:
            process.kill_reason, process.kill_at = slot.error, time.monotonic()
            self._kill_if_late(service, process)

    def _kill_if_late(self, service: _Service, process: ServiceProcess) -> None:
        if process.state is State.ENDED or process.kill_at == float("inf"):
            return
        if time.monotonic() < process.kill_at:
            self._at(process.kill_at, lambda: self._kill_if_late(service, process))
            return
        self._say(service, f"{process.title}: killing it: {process.kill_reason}")
        process.killed = True
        process.process.kill()

    # -- going

    def _leave(self, slot: _Slot, why: str) -> list[ServiceProcess]:
        """Have every process of a slot end. -> those that are still there.

        Args:
            slot: of a service.
            why: what to tell who waits for a replacement in it; "" for nothing wrong.
        """
        for process in (slot.process, slot.next):
            if process is not None:
                self._let_go(slot, process)
        slot.process = slot.next = None
        self._replaced(slot, why)
        return list(slot.leaving)

    def _let_go(self, slot: _Slot, process: ServiceProcess) -> None:
        """Tell a process to drain and end."""
        if process.state in (State.DRAINING, State.ENDED):
            return
        ready = process.ready_at is not None
        process.move(State.DRAINING)
        slot.leaving.append(process)
        config = process.task.config
        process.kill_reason = f"it has not ended {config.stop_grace + _STOP_SECONDS:g} s after it was told to"
        process.kill_at = time.monotonic() + config.stop_grace + _STOP_SECONDS
        service = self._services[process.task.service]
        self._at(process.kill_at, lambda: self._kill_if_late(service, process))
        process.tell(Finish() if ready else Stop())

    def _wait_for_the_end_of(self, processes: list[ServiceProcess]) -> None:
        while True:
            generation = self._generation
            if all(p.state is State.ENDED for p in processes):
                return
            self._wait_for_change(generation)

    def _wait_for_change(self, generation: int) -> None:
        """Wait until the loop has done something since `generation`, or no longer runs."""
        with self._changed:
            while self._generation == generation and self._loop.is_alive():
                self._changed.wait(1.0)

    # -- rolling over

    def _roll(
        self,
        service: _Service,
        numbers: list[int] | None,
        config: ServiceConfig | None,
        done: Callable[[str], None],
    ) -> None:
        """Replace processes one after the other; `done` is told "" or what went wrong."""
        if service.stopping:
            done("the service is being stopped")
            return
        waiting = deque(s for s in service.slots if numbers is None or s.number in numbers)
        empty = [slot for slot in waiting if slot.state is SlotState.EMPTY]

        def drained(slot: _Slot) -> bool:
            """Since this began; what was drained before comes back."""
            return slot.state is SlotState.EMPTY and slot not in empty

        def replace_next() -> None:
            while waiting and (waiting[0] not in service.slots or drained(waiting[0])):
                waiting.popleft()
            if not waiting:
                service.config = config or service.config
                done("")
                return
            slot = waiting.popleft()
            if slot.next is not None:
                done("it is being restarted already")
                return
            slot.deaths.clear()
            slot.row = 0
            slot.rolled = replaced
            slot.next = self._launch(service, slot, config or service.config)
            if slot.next is None:
                self._failed_to_replace(service, slot, slot.error)

        def replaced(error: str) -> None:
            if error or service.stopping:
                done(error or "the service is being stopped")
                return
            service.config = config or service.config  # it has proven itself
            replace_next()

        replace_next()

    def _failed_to_replace(self, service: _Service, slot: _Slot, death: str) -> None:
        """The new process of a slot could not start, or has ended before it served."""
        if slot.state is SlotState.BACKOFF and slot.process is None:
            self._restart_later(service, slot, None, death)
        elif slot.process is None:
            slot.error = death
        self._replaced(slot, death)

    def _replaced(self, slot: _Slot, error: str) -> None:
        rolled, slot.rolled = slot.rolled, None
        if rolled is not None:
            rolled(error)

    def _change(self, service: _Service, config: ServiceConfig, done: futures.Future[str]) -> None:
        # Of a policy its callers learn, and the number of processes is nothing to the processes themselves.
        known = service.config
        rest = config.model_copy(update={"process_count": known.process_count, "policy": known.policy})

        def rolled(error: str) -> None:
            try:
                if not error:
                    service.config = config
                    self._say_policies({**self._policies, service.name: dict(config.policy)})
                    self._scale(service)
            finally:
                done.set_result(error)

        if rest == known:
            rolled("")
        else:
            self._roll(service, None, config, rolled)

    def _scale(self, service: _Service) -> None:
        """As many slots as the configuration says."""
        count = service.config.process_count
        gone = service.slots[count:]
        del service.slots[count:]
        for slot in gone:
            self._leave(slot, "")
        for number in range(len(service.slots), count):
            slot = _Slot(number)
            service.slots.append(slot)
            self._fill(service, slot)

    # -- looking

    def _status_of(self, service: _Service, slot: _Slot, process: ServiceProcess | None) -> ProcessStatus:
        if process is None:
            state = "stopped" if slot.state is SlotState.EMPTY else slot.state.value
            return ProcessStatus(service.name, slot.number, state, 0, 0.0, slot.restarts, "", 0, slot.error)
        return ProcessStatus(
            service.name,
            slot.number,
            process.state.value,
            process.process.pid,
            round(time.monotonic() - process.started, 3),
            slot.restarts,
            process.target or "",
            _resident(process.process.pid),
            slot.error,
        )


def _nothing() -> None:
    pass


def _resident(pid: int) -> int:
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


def _last_line(traceback: str) -> str:
    """Where an exception was raised: " (file, line n)"; "" where a traceback does not tell."""
    frames = [line.strip() for line in traceback.splitlines() if line.strip().startswith("File ")]
    if not frames:
        return ""
    parts = frames[-1].removeprefix("File ").split(", in ")[0]
    return f" ({parts.replace(chr(34), '')})"


def as_dict(status: ProcessStatus) -> dict[str, Any]:
    """For the wire."""
    return asdict(status)
