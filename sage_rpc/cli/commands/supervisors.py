"""The supervisors that run on this host, and how to ask them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import grpc

from sage_rpc import errors
from sage_rpc.cli.commands.printing import CommandError
from sage_rpc.discovery import Endpoint, LocalRegistry, RegistryError
from sage_rpc.discovery.endpoint import SUPERVISOR
from sage_rpc.endpoints.opening import insecure_channel
from sage_rpc.services.asking import ask

__all__ = ["SupervisorClient", "all_supervisors", "supervisor_of"]

_ASK_SECONDS = 5.0
_WORK_SECONDS = 300.0  # for restarts and drains, which wait for calls under way


class SupervisorClient:
    """One supervisor; a context manager."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.name = endpoint.metadata.get("name", "?")
        self.pid = endpoint.pid
        self._channel = insecure_channel(endpoint.address)

    def ask(self, method: str, *args: Any, timeout: float = _ASK_SECONDS, **kwargs: Any) -> Any:
        """Call a method of `sage_rpc.supervisor.admin.Control`.

        Raises:
            CommandError: the supervisor refuses, or does not answer.
        """
        try:
            return ask(self._channel, SUPERVISOR, method, args, kwargs, timeout=timeout)
        except errors.RemoteError as error:
            raise CommandError(error.message) from None
        except grpc.RpcError as error:
            raise CommandError(
                f"the supervisor {self.name} (process {self.pid}) does not answer: "
                f"{error.code().name}: {error.details()}"
            ) from None

    def work(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """The same for what takes its time."""
        return self.ask(method, *args, timeout=_WORK_SECONDS, **kwargs)

    def close(self) -> None:
        """Let go of the connection."""
        self._channel.close()

    def __enter__(self) -> SupervisorClient:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<SupervisorClient {self.name} process {self.pid}>"


@contextlib.contextmanager
def all_supervisors(name: str | None = None) -> Iterator[list[SupervisorClient]]:
    """Every supervisor of this host, or those called `name`.

    Raises:
        CommandError: the runtime directory cannot be used, or none is called `name`.
    """
    try:
        info = LocalRegistry().discover_services().get(SUPERVISOR)
    except RegistryError as error:
        raise CommandError(str(error)) from None
    endpoints = info.endpoints if info is not None else ()
    found = [e for e in endpoints if name is None or e.metadata.get("name") == name]
    if name is not None and not found:
        known = ", ".join(e.metadata.get("name", "?") for e in endpoints) or "none"
        raise CommandError(f"no supervisor {name!r} runs here; running: {known}")
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(SupervisorClient(endpoint)) for endpoint in found]


@contextlib.contextmanager
def supervisor_of(service: str, name: str | None = None) -> Iterator[SupervisorClient]:
    """The supervisor that runs `service`.

    Raises:
        CommandError: none does, or several do and `name` does not say which.
    """
    with all_supervisors(name) as supervisors:
        if not supervisors:
            raise CommandError("no supervisor runs on this host: sage-rpc serve FILE starts one")
        services = {supervisor: supervisor.ask("services") for supervisor in supervisors}
        found = [s for s, names in services.items() if service in names]
        if not found:
            known = ", ".join(sorted({n for names in services.values() for n in names})) or "none"
            raise CommandError(f"no service {service!r} is supervised on this host; there are {known}")
        if len(found) > 1:
            names = ", ".join(s.name for s in found)
            raise CommandError(f"several supervisors run {service!r}: choose with --name, one of {names}")
        yield found[0]
