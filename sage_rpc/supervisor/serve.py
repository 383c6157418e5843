"""A supervisor in the foreground: a configuration becomes running services, until a signal ends it.

SIGTERM and SIGINT stop everything in order, a second one at once. SIGHUP reads the configuration again and
changes only what has changed; one that is wrong changes nothing.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from sage_rpc.config import Config, ConfigError, load_config
from sage_rpc.discovery import Endpoint, LocalRegistry, Registration, host_identity
from sage_rpc.discovery.endpoint import SUPERVISOR
from sage_rpc.discovery.location import REGISTRY_VARIABLE
from sage_rpc.endpoints.subchannel import TLS_VARIABLES
from sage_rpc.hosting.host import ServiceHost
from sage_rpc.hosting.inbox import Inbox
from sage_rpc.supervisor import preflight
from sage_rpc.supervisor.admin import Control
from sage_rpc.supervisor.manager import ServiceProcessManager, ServiceStartError
from sage_rpc.supervisor.output import Output
from sage_rpc.supervisor.process import ServiceProcess
from sage_rpc.supervisor.sockets import socket_path
from sage_rpc.supervisor.web import Web

__all__ = ["StartError", "Supervisor", "serve"]

_CONTROL_THREADS = 16


class StartError(RuntimeError):
    """The supervisor cannot start; the text says why, a line for each reason."""


def registry_location(config: Config) -> str | None:
    """Where the configuration says that services of other hosts are known; None where it says nothing."""
    registry = config.registry
    if registry.etcd is not None:
        etcd = registry.etcd
        query = {"prefix": etcd.prefix, "ttl": str(etcd.ttl)}
        if etcd.tls is not None:
            query.update(cert=etcd.tls.cert, key=etcd.tls.key, ca=etcd.tls.ca or "")
        scheme = "etcds" if etcd.tls is not None else "etcd"
        return f"{scheme}://{','.join(etcd.members)}?{urlencode(query)}"
    if registry.static:
        return "static:" + ";".join(f"{name}={','.join(found)}" for name, found in registry.static.items())
    return None


def environment(config: Config) -> dict[str, str]:
    """What processes of this configuration find in their environment, beside what is there."""
    found = dict(config.env)
    if config.runtime_dir is not None:
        found["SAGE_RPC_RUNTIME_DIR"] = config.runtime_dir
    location = registry_location(config)
    if location is not None:
        found[REGISTRY_VARIABLE] = location
    if config.tls is not None:
        values = (config.tls.ca, config.tls.cert, config.tls.key)
        found.update((name, value) for name, value in zip(TLS_VARIABLES, values, strict=True) if value)
    return found


class Supervisor:
    """The services of one configuration file.

    Args:
        path: of the file.
        echo: pass on what services print.
        dashboard: where the web page is, "HOST:PORT"; None: as the file says.

    Raises:
        ConfigError: the file cannot be used.
        StartError: something stands in the way.
    """

    def __init__(self, path: Path, *, echo: bool = True, dashboard: str | None = None) -> None:
        self._path = path
        self._dashboard = dashboard
        self._reloading = threading.Lock()  # one reload at a time
        self._reloads = 0
        self._registration: Registration | None = None
        self.config = load_config(path, dashboard=dashboard)
        os.environ.update(environment(self.config))
        found = list(preflight.problems(self.config))
        if found:
            raise StartError("\n".join(found))
        watched = self.config.observability
        try:
            output = Output(
                echo=echo, path=watched.log_file, max_bytes=watched.log_file_bytes, backups=watched.log_files
            )
        except OSError as error:
            raise StartError(f"observability.log_file: {error.filename}: {error.strerror}") from error
        self.manager = ServiceProcessManager(
            self.config.name,
            python_path=self.config.python_path,
            log_level=watched.log_level,
            output=output,
        )
        self._closing: list[Callable[[], Any]] = [self.manager.kill]

    def start(self) -> None:
        """Start every service, then let others on this host talk to this supervisor.

        Raises:
            StartError: a service cannot start, and everything is stopped again.
        """
        try:
            self._tell_policies(self.config)
            for name, service in self.config.services.items():
                self.manager.start_service_process(name, service, wait=False)
            self._start_control()
            self._start_web()
            self.manager.wait_until_serving()
        except ServiceStartError as error:
            self.close()
            raise StartError(str(error)) from None
        except BaseException:
            self.close()
            raise

    def _tell_policies(self, config: Config) -> None:
        """Before anything else: what a service calls may stand in the file after it."""
        self.manager.set_policies({name: each.policy for name, each in config.services.items()})
        if self._registration is not None:  # managers of other processes, which read the file themselves
            self._reloads += 1
            self._registration.update("serving", {"reloads": str(self._reloads)})

    def _start_control(self) -> None:
        endpoint_id = ServiceProcess.new_id()
        path = socket_path(endpoint_id)
        control = Control(self.manager, self.reload, self._as_json, str(self._path.resolve()))
        host = ServiceHost(SUPERVISOR, control, f"unix:{path}", _CONTROL_THREADS).start()
        registry = LocalRegistry()
        self._registration = registry.register_service(
            Endpoint(
                SUPERVISOR,
                f"unix:{path}",
                id=endpoint_id,
                host=host_identity(),
                pid=os.getpid(),
                metadata={"name": self.config.name},
            )
        )

        def close() -> None:
            registry.close()
            host.stop(0.5)
            with contextlib.suppress(OSError):
                path.unlink()

        self._closing.append(close)

    def _start_web(self) -> None:
        watched = self.config.observability
        wanted: list[tuple[str, str | None, bool]] = []
        if watched.dashboard is not None:
            wanted.append((watched.dashboard.address, watched.dashboard.token, True))
        if watched.metrics is not None:
            wanted.append((watched.metrics, None, False))
        advertised = (service.advertise for service in self.config.services.values())
        hosts = [*watched.hosts, *filter(None, advertised)]
        for address, token, page in wanted:
            what = "dashboard" if page else "metrics"
            try:
                web = Web(self.manager, address, token=token, page=page, hosts=hosts)
            except OSError as error:
                raise StartError(f"the {what} cannot listen at {address}: {error.strerror}") from error
            self._closing.append(web.close)
            self.say(f"the {what} is at http://{web.address}/{'' if page else 'metrics'}")

    def _as_json(self) -> dict[str, Any]:
        return self.config.model_dump(mode="json", by_alias=True, exclude_defaults=True)

    def reload(self) -> list[str]:
        """Read the configuration again and change only what has changed. -> what was done, one line each.

        Raises:
            ConfigError: it cannot be used; nothing was changed.
            ServiceStartError: services do not start as they are described now; they go on as they were, and
                all the others were changed.
        """
        with self._reloading:
            new = load_config(self._path, dashboard=self._dashboard)
            before, done, failures = self.manager.services(), [], []
            self._tell_policies(new)
            fixed = ("name", "runtime_dir", "python_path", "env", "tls", "registry", "observability")
            ignored = [name for name in fixed if getattr(new, name) != getattr(self.config, name)]
            done += [f"{name} has changed, which takes a restart of the supervisor" for name in ignored]
            for name in before.keys() - new.services.keys():
                self.manager.stop(name)
                done.append(f"stopped {name}")
            for name, service in new.services.items():
                try:
                    if name not in before:
                        self.manager.start_service_process(name, service)
                        done.append(f"started {name}")
                    elif service != before[name]:
                        self.manager.change_service(name, service)
                        done.append(f"changed {name}")
                except ServiceStartError as error:
                    failures.append(str(error))
            kept = {name: getattr(self.config, name) for name in fixed}
            self.config = new.model_copy(update={**kept, "services": self.manager.services()})
            if failures:
                raise ServiceStartError("\n".join([*failures, *done]))
            return done

    def say(self, text: str) -> None:
        """Tell whoever reads the supervisor's output."""
        self.manager.output.write("", f"supervisor {self.config.name}", text)

    def stop(self) -> None:
        """Drain and stop all services."""
        self.manager.stop()

    def close(self) -> None:
        """Let go of everything; services that run are ended."""
        while self._closing:
            self._closing.pop()()

    def __repr__(self) -> str:
        return f"<Supervisor {self.config.name} {self._path}>"


def serve(path: Path, *, echo: bool = True, dashboard: str | None = None) -> int:
    """Run a configuration until SIGTERM or SIGINT. -> exit code.

    Args:
        path: of the file.
        echo: pass on what services print.
        dashboard: where the web page is, "HOST:PORT"; None: as the file says.

    Raises:
        ConfigError: the file cannot be used.
        StartError: a service cannot start.
    """
    signals: Inbox[int] = Inbox()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda signum, _frame: signals.put(signum))
    supervisor = Supervisor(path, echo=echo, dashboard=dashboard)
    logging.getLogger().addHandler(_ToOutput(supervisor))
    starting = threading.Thread(target=_start, args=(supervisor, signals), daemon=True)
    starting.start()
    failure: list[BaseException] = []
    while True:
        signum = signals.get()
        if signum == _STARTED:
            supervisor.say(f"{len(supervisor.config.services)} services serve")
        elif signum == _FAILED:
            failure.append(getattr(starting, "error", StartError("the supervisor could not start")))
            break
        elif signum == signal.SIGHUP:
            threading.Thread(target=_reload, args=(supervisor,), daemon=True).start()
        else:
            break
    if not failure:
        supervisor.say("stopping")
        stopping = threading.Thread(target=_stop, args=(supervisor, signals), daemon=True)
        stopping.start()
        while signals.get() == signal.SIGHUP:  # the end of stopping, or a second signal: now
            continue
    supervisor.close()
    sys.stdout.flush()
    if failure:
        raise failure[0]
    return 0


class _ToOutput(logging.Handler):
    """What the supervisor logs goes the way of all output: perhaps nobody reads its standard error."""

    def __init__(self, supervisor: Supervisor) -> None:
        super().__init__(logging.WARNING)
        self._supervisor = supervisor

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = self.format(record)
        except Exception:  # noqa: BLE001 - an argument's __str__ is anybody's code
            text = f"{record.levelname}: {record.msg}"
        for line in text.splitlines():
            self._supervisor.say(line)


_STARTED, _FAILED, _STOPPED = -1, -2, -3  # in the queue of signals, from threads of this file


def _start(supervisor: Supervisor, signals: Inbox[int]) -> None:
    try:
        supervisor.start()
    except BaseException as error:  # noqa: BLE001 - the main thread raises it
        threading.current_thread().error = error  # type: ignore[attr-defined]
        signals.put(_FAILED)
    else:
        signals.put(_STARTED)


def _stop(supervisor: Supervisor, signals: Inbox[int]) -> None:
    try:
        supervisor.stop()
    finally:
        signals.put(_STOPPED)


def _reload(supervisor: Supervisor) -> None:
    try:
        for line in supervisor.reload() or ["nothing has changed"]:
            supervisor.say(f"reload: {line}")
    except (ConfigError, RuntimeError) as error:
        for line in str(error).splitlines():
            supervisor.say(f"reload: {line}")
        which = "services" if isinstance(error, ConfigError) else "services that could not be changed"
        supervisor.say(f"reload: {which} go on as they were")
