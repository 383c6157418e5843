"""The process of a supervised service: load the class, serve, tell discovery, drain, clean up.

Every process listens on a Unix socket of its own in the runtime directory, where calls of this host and the
supervisor's checks arrive, and on the configured address, if any, where calls of other hosts do. It serves
grpc.health.v1 and reflection beside the service.

1. Discovery knows it from when it can answer until it begins to drain. Draining first tells discovery, then
   waits until no call has come for QUIET seconds, and only then stops: so who asks discovery loses no call.
2. When the supervisor is gone, so is this process, within GRACE seconds.
"""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import resource
import socket
import sys
import threading
import time
import traceback
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
from grpc_reflection.v1alpha import reflection

from sage_rpc.config.addresses import is_loopback
from sage_rpc.config.manager import ConfiguredManager
from sage_rpc.config.policies import admission_policy
from sage_rpc.discovery import Endpoint, Registration, host_identity, open_registry
from sage_rpc.hosting.host import PlainServices
from sage_rpc.hosting.host import _Guard as Guard
from sage_rpc.hosting.host import _GuardedServer as GuardedServer
from sage_rpc.hosting.lifecycle import give_context, max_workers_of, print_by_lines, run_hook
from sage_rpc.observe.health import HostHealth
from sage_rpc.observe.measured import unknown
from sage_rpc.observe.served import Meter
from sage_rpc.policies.admission import Gate
from sage_rpc.processes.messages import Bound, Done, Failed, Message, Policies, Ready
from sage_rpc.processes.parent import Parent, Stopped
from sage_rpc.processes.steps import StepError, step
from sage_rpc.rpc.server import server
from sage_rpc.services.context import Context
from sage_rpc.stubs import servicers
from sage_rpc.supervisor.sockets import inside_path, socket_path
from sage_rpc.supervisor.task import Task, load
from sage_rpc.transport.options import message_options

__all__ = ["GRACE", "QUIET", "REPORT", "run"]

GRACE = 0.5  # seconds that a process has when its supervisor is gone
QUIET = 0.25  # seconds without a call after which nobody can still be on the way
REPORT = "sage.process"  # the service under which a process tells of itself
_FAILED, _STOPPED = 1, 143  # exit codes
_HEALTH = "grpc.health.v1.Health"
_LOGGER = logging.getLogger("sage_rpc")


def run(_title: str, header: dict[str, Any], payload: bytes, control: socket.socket) -> int:
    """Run one process of a service. -> its exit code."""
    os.set_inheritable(control.fileno(), False)
    parent = Parent(control, GRACE)
    print_by_lines()
    logging.basicConfig(
        level=header["log_level"].upper(), stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s"
    )
    code = _STOPPED
    try:
        with parent.interruptible(), step("loading"):
            task = pickle.loads(payload)  # noqa: S301 - from our parent
        parent.send(_work(task, parent))
        code = 0
    except Stopped:
        pass
    except StepError as error:
        code = _FAILED
        _LOGGER.debug("%s", "".join(traceback.format_exception(error.error)))
        parent.send(Failed.of(error.during, error.error))
    finally:
        parent.finish(code)
    return code


def _work(task: Task, parent: Parent) -> Done:
    with step("setting limits"):
        _limit(task)
    with parent.interruptible(), step("loading"):
        factory, args, kwargs = task.factory()
        add_servicer = load(task.config.servicer) if task.config.servicer else None
    with parent.interruptible(), step(f"__init__() of {task.config.class_}"):
        instance = factory(*args, **kwargs)
    with step("getting an address"):
        hosted = _Hosted(task, instance, add_servicer)
    parent.send(Bound(hosted.target))
    manager = ConfiguredManager()
    manager.follow(task.policies)
    with manager:
        context = Context(task.supervisor, task.service, task.number, task.config.process_count, manager)
        give_context(instance, context)
        try:
            with parent.interruptible(), step("setup()"):
                run_hook(instance, "setup")
            with step("starting to serve"):
                hosted.start()
            parent.send(Ready(hosted.sockets()))
            parent.wait_for_stop(lambda said: _take(said, manager))
        except (StepError, Stopped):
            hosted.stop(0.0)
            with contextlib.suppress(Exception):  # the first error is the one to report
                run_hook(instance, "cleanup")
            raise
        if parent.draining:
            hosted.drain()
        else:
            hosted.stop(GRACE / 4)
        with step("cleanup()"):
            run_hook(instance, "cleanup")
    return Done()


def _take(message: Message, manager: ConfiguredManager) -> None:
    if isinstance(message, Policies):
        manager.follow(message.policies)


def _limit(task: Task) -> None:
    for name, value in task.config.rlimits.items():
        kind = getattr(resource, f"RLIMIT_{name.upper()}")
        hard = resource.getrlimit(kind)[1]
        if hard != resource.RLIM_INFINITY and value > hard and os.geteuid() != 0:
            raise ValueError(f"rlimits.{name} is {value}, more than the {hard} that this user may have")
        resource.setrlimit(kind, (value, value if hard == resource.RLIM_INFINITY else min(value, hard)))
    if task.config.cpu_affinity:
        usable = os.sched_getaffinity(0)
        missing = sorted(set(task.config.cpu_affinity) - usable)
        if missing:
            raise ValueError(
                f"cpu_affinity names CPU {missing[0]}, which this process may not use; it may use "
                f"{', '.join(map(str, sorted(usable)))}"
            )
        os.sched_setaffinity(0, task.config.cpu_affinity)


class _Report:
    """What a process tells of itself, as a plain service."""

    def __init__(self, task: Task, meter: Meter) -> None:
        self._task = task
        self._meter = meter
        self._began = time.time()

    def report(self) -> dict[str, Any]:
        """Numbers of this process."""
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return {
            "service": self._task.service,
            "number": self._task.number,
            "pid": os.getpid(),
            "began": self._began,
            "threads": threading.active_count(),
            "cpu_seconds": usage.ru_utime + usage.ru_stime,
            "rss": _resident(),
            **self._meter.report(),
        }


def _resident() -> int:
    """Resident memory of this process, in bytes."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


def _inside(task: Task, meter: Meter, checked: HostHealth) -> grpc.Server:
    """A server for the supervisor alone: its checks come through when all threads of the service are busy."""
    pool = futures.ThreadPoolExecutor(2, thread_name_prefix="supervision")
    found = server(pool)
    plain = PlainServices()
    plain.add(REPORT, _Report(task, meter))
    found.add_generic_rpc_handlers((plain.handler(),))
    checked.add_to(found)
    found.add_insecure_port(f"unix:{inside_path(task.endpoint_id)}")
    return found


class _Hosted:
    """The server of this process."""

    def __init__(self, task: Task, instance: Any, add_servicer: Any) -> None:
        config = task.config
        self.task = task
        self.meter = Meter()
        workers = config.max_workers or max_workers_of(instance)
        gate = None
        if config.admission:
            admission = admission_policy(config.admission)
            gate = Gate(task.service, admission)
            # Who waits for admission waits in a thread; some more refuse those for whom there is no room.
            workers = admission.max_running + admission.max_waiting + 4
        guard = Guard(task.service, None, gate)
        pool = futures.ThreadPoolExecutor(workers, thread_name_prefix=task.service)
        both = "shm" in config.transports and "grpc" in config.transports
        options = [
            ("sage_rpc.transport", "auto" if both else config.transports[0]),
            ("grpc.so_reuseport", 1),  # the processes of a service share its port
        ]
        self._server = server(pool, options=message_options(options))
        self._health = HostHealth()
        check = getattr(instance, "health_check", None)
        self._health.add(task.service, check if callable(check) else None)
        self._health.add_to(self._server)
        declared: list[str] = []
        if add_servicer is None and isinstance(instance, servicers.Base):
            add_servicer = type(instance).add_to_server
        if add_servicer is not None:
            guarded: Any = GuardedServer(self._server, lambda _service: guard, self.meter, task.service)
            add_servicer(instance, guarded)
            declared = guarded.services
            self._server.add_generic_rpc_handlers((guarded.batches.handler(self.meter, task.service),))
        else:
            plain = PlainServices()
            plain.add(task.service, instance, guard)
            self._server.add_generic_rpc_handlers((plain.handler(self.meter),))
        self._declared = declared[0] if declared else ""
        reflected = [*(declared or ["sage.rpc.v1.Invocation"]), _HEALTH, reflection.SERVICE_NAME]
        reflection.enable_server_reflection(reflected, self._server)
        self._server.add_generic_rpc_handlers((unknown(self.meter, task.service),))
        self._path = socket_path(task.endpoint_id)
        self.target = f"unix:{self._path}"
        self._server.add_insecure_port(self.target)
        self._port = self._listen() if config.address else 0
        self._inside = _inside(task, self.meter, self._health)
        self._registration: Registration | None = None

    def _listen(self) -> int:
        config = self.task.config
        assert config.address is not None  # noqa: S101 - asked for above
        try:
            if config.tls is None:
                return int(self._server.add_insecure_port(config.address))
            files = (config.tls.key, config.tls.cert, config.tls.ca)
            key, cert, ca = (Path(name).read_bytes() if name else None for name in files)
            credentials = grpc.ssl_server_credentials(
                [(key, cert)], ca, require_client_auth=config.tls.require_client_cert
            )
            return int(self._server.add_secure_port(config.address, credentials))
        except RuntimeError as error:
            raise RuntimeError(f"cannot listen at {config.address}: {error}") from None

    def _endpoint(self) -> Endpoint:
        config, task = self.task.config, self.task
        memory = self._server.endpoints[0] if self._server.published else ""
        address = self.target
        if config.address:
            host = config.address.rpartition(":")[0]
            if config.advertise:
                host = config.advertise
            elif is_loopback(config.address):
                host = "localhost"
            elif host in ("", "0.0.0.0", "[::]"):  # noqa: S104 - compared, not bound
                host = socket.gethostname()
            address = f"{host}:{self._port}"
        return Endpoint(
            task.service,
            address,
            id=task.endpoint_id,
            host=host_identity(),
            memory=memory,
            secure=config.tls is not None and bool(config.address),
            declared=self._declared,
            weight=config.weight,
            version=config.version,
            pid=os.getpid(),
            metadata={**config.metadata, "supervisor": task.supervisor, "number": str(task.number)},
        )

    def start(self) -> None:
        """Serve, and let discovery know."""
        self._inside.start()
        self._server.start()
        self._registry = open_registry()
        self._registration = self._registry.register_service(self._endpoint())

    def sockets(self) -> tuple[str, ...]:
        """What must be removed when this process cannot, beside what the supervisor knows by itself."""
        return tuple(map(str, (*self._inside.published, *self._server.published)))

    def drain(self) -> None:
        """Let calls under way finish and new ones go elsewhere, then stop."""
        if self._registration is not None:
            self._registration.update("draining")
        self._health.enter_graceful_shutdown()
        grace = self.task.config.stop_grace
        began = time.monotonic()
        if not self.meter.wait_until_quiet(QUIET, grace):
            _LOGGER.warning("%s calls go on after %s s of draining", self.meter.active, grace)
        self.stop(max(0.5, grace - (time.monotonic() - began)))

    def stop(self, grace: float) -> None:
        """Stop serving; calls that go on after `grace` seconds are cancelled."""
        if self._registration is not None:
            self._registration = None
            # Beside the rest: a registry of many hosts may be slow, or away.
            leaving = threading.Thread(target=self._registry.close, name="deregister", daemon=True)
            leaving.start()
            leaving.join(GRACE / 2)
        self._server.stop(grace).wait(grace + 0.5)
        self._server.stop(None)
        self._inside.stop(None)
        for path in (self._path, inside_path(self.task.endpoint_id)):
            with contextlib.suppress(OSError):
                path.unlink()
