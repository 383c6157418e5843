"""The process of a supervised service: load the class, serve, tell discovery, drain, clean up.

Every process listens on a Unix socket of its own in the runtime directory, where calls of this host and the
supervisor's checks arrive, and on the configured address, if any, where calls of other hosts do. It serves
grpc.health.v1 and reflection beside the service.

1. Discovery knows it from when it takes calls until it begins to drain. Draining first tells discovery, then
   waits until no call has come for QUIET seconds, and only then refuses: so who asks discovery loses no call.
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

from sage_rpc.config.addresses import is_loopback
from sage_rpc.config.manager import ConfiguredManager
from sage_rpc.config.policies import admission_policy, service_policy
from sage_rpc.discovery import Endpoint, Registration, host_identity, open_registry
from sage_rpc.hosting.dispatch import PlainServices
from sage_rpc.hosting.host import Host
from sage_rpc.hosting.hosting import Hosting
from sage_rpc.hosting.lifecycle import print_by_lines
from sage_rpc.observe.served import Meter
from sage_rpc.policies.access import Allowed
from sage_rpc.policies.effects import unknown_methods
from sage_rpc.policies.sources.decorator import policy_of
from sage_rpc.processes.hosted import Presence, live
from sage_rpc.processes.messages import Bound, Done, Failed, Message, Policies
from sage_rpc.processes.parent import Parent, Stopped
from sage_rpc.processes.steps import StepError, step
from sage_rpc.rpc.server import server
from sage_rpc.services.context import Context
from sage_rpc.stubs import servicers
from sage_rpc.supervisor.sockets import inside_path, socket_path
from sage_rpc.supervisor.task import Task, load
from sage_rpc.transport.base import GRPC, SHM

__all__ = ["GRACE", "QUIET", "REPORT", "run"]

GRACE = 0.5  # seconds that a process has when its supervisor is gone
QUIET = 0.25  # seconds without a call after which nobody can still be on the way
REPORT = "sage.process"  # the service under which a process tells of itself
_CLEANUP = 1.0  # seconds for it, beyond a service's stop_grace
_FAILED, _STOPPED = 1, 143  # exit codes
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
            parent.grace = task.config.stop_grace + _CLEANUP
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
    config = task.config
    with step("setting limits"):
        _limit(task)
    with parent.interruptible(), step("loading"):
        factory, args, kwargs = task.factory()
        hosting = _hosting(config)
    with parent.interruptible(), step(f"__init__() of {config.class_}"):
        instance = factory(*args, **kwargs)
    _check_policies(task, factory)
    with step("getting an address"):
        host = Host(task.service, instance, hosting)
        presence = _Presence(task, host)
    parent.send(Bound(presence.target))
    manager = ConfiguredManager(tracing=host.tracing or False)
    manager.follow(task.policies)
    context = Context(task.supervisor, task.service, task.number, config.process_count, manager)
    return live(
        host,
        context,
        parent,
        presence,
        grace=hosting.stop_grace,
        notice=QUIET,
        hurry=GRACE / 4,
        take=lambda message: _take(message, manager),
    )


def _hosting(config: Any) -> Hosting:
    both = SHM in config.transports and GRPC in config.transports
    access = config.access
    return Hosting(
        max_workers=config.max_workers,
        admission=admission_policy(config.admission) if config.admission else None,
        access=load(access) if isinstance(access, str) else access and Allowed(**access),
        tracing=load(config.tracing) if isinstance(config.tracing, str) else config.tracing,
        stats=True,
        add_to_server=config.servicer and load(config.servicer),
        options=(
            ("sage_rpc.transport", "auto" if both else config.transports[0]),
            ("grpc.so_reuseport", 1),  # the processes of a service share its port
            *config.options.items(),
        ),
        stop_grace=config.stop_grace,
    )


def _check_policies(task: Task, cls: Any) -> None:
    """Say what of this service's own policies its callers cannot obey."""
    said = policy_of(cls)
    if said is not None:
        text = "%s says of %s by method_policy what its callers do not hear: say it in `policy:`"
        _LOGGER.warning(text, task.config.class_, ", ".join(said.methods))
    if isinstance(cls, type) and not task.config.servicer and not issubclass(cls, servicers.Base):
        known = [name for name in dir(cls) if not name.startswith("_")]
        for problem in unknown_methods(service_policy(task.policies.get(task.service, {})), known):
            _LOGGER.warning("policy of %s: %s", task.service, problem)


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


class _Presence(Presence):
    """Where callers and the supervisor find this process.

    Attributes:
        target: of calls of this host.
    """

    def __init__(self, task: Task, host: Host) -> None:
        self._task = task
        self._host = host
        self._path = socket_path(task.endpoint_id)
        self.target = f"unix:{self._path}"
        host.listen(self.target)
        self._port = self._listen(task.config.address) if task.config.address else 0
        self._inside = self._served_inside()
        self._registration: Registration | None = None

    def _served_inside(self) -> grpc.Server:
        """A server for the supervisor alone: its checks come through when all threads are busy."""
        found = server(futures.ThreadPoolExecutor(2, thread_name_prefix="supervision"))
        plain = PlainServices()
        assert self._host.meter is not None  # noqa: S101 - stats are asked for
        plain.add(REPORT, _Report(self._task, self._host.meter))
        found.add_generic_rpc_handlers((plain.handler(),))
        self._host.health.add_to(found)
        found.add_insecure_port(f"unix:{inside_path(self._task.endpoint_id)}")
        return found

    def _listen(self, address: str) -> int:
        config = self._task.config
        if config.tls is None:
            return self._host.listen(address)
        files = (config.tls.key, config.tls.cert, config.tls.ca)
        key, cert, ca = (Path(name).read_bytes() if name else None for name in files)
        credentials = grpc.ssl_server_credentials(
            [(key, cert)], ca, require_client_auth=config.tls.require_client_cert
        )
        return self._host.listen(address, credentials)

    def _endpoint(self) -> Endpoint:
        config, task, served = self._task.config, self._task, self._host.server
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
            memory=served.endpoints[0] if served.published else "",
            secure=config.tls is not None and bool(config.address),
            declared=self._host.declared[0] if self._host.declared else "",
            weight=config.weight,
            version=config.version,
            pid=os.getpid(),
            metadata={**config.metadata, "supervisor": task.supervisor, "number": str(task.number)},
        )

    def opened(self) -> tuple[str, ...]:
        """See Presence."""
        self._inside.start()
        return tuple(map(str, self._inside.published))

    def ready(self) -> None:
        """Let discovery know."""
        self._registry = open_registry()
        self._registration = self._registry.register_service(self._endpoint())

    def draining(self) -> None:
        """Let discovery know."""
        if self._registration is not None:
            self._registration.update("draining")

    def gone(self) -> None:
        """Let nobody find anything."""
        if self._registration is not None:
            self._registration = None
            # Beside the rest: a registry of many hosts may be slow, or away.
            leaving = threading.Thread(target=self._registry.close, name="deregister", daemon=True)
            leaving.start()
            leaving.join(GRACE / 2)
        self._inside.stop(None)
        for path in (self._path, inside_path(self._task.endpoint_id)):
            with contextlib.suppress(OSError):
                path.unlink()
