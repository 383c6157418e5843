"""Fakes of services, in this process: real hosts and a real manager around whatever a test wants to be
called.

    with FakeServices(cache={"get": "hit"}, db=MyDatabase()) as services:
        services.bind(MyMap()).execute(row)
        assert services["cache"].calls == [Recorded("get", ("k",), {})]
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sage_rpc.hosting.host import ServiceHost
from sage_rpc.hosting.public_methods import PublicMethods, public_methods
from sage_rpc.services.context import Context
from sage_rpc.services.manager import ServiceManager

__all__ = ["FakeService", "FakeServices", "Recorded"]


@dataclass(frozen=True)
class Recorded:
    """One call that a fake got.

    Attributes:
        method: its name.
        args: positional arguments, as they arrived.
        kwargs: the others.
    """

    method: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


class FakeService:
    """A service whose methods give what a test says, and note who called them with what.

    Args:
        methods: name -> what it gives: a function of the arguments, an exception to raise, or a value.
        instance: an object whose methods answer those calls that `methods` has nothing for.

    Attributes:
        calls: what was called, in order.
    """

    def __init__(self, methods: Mapping[str, Any] | None = None, instance: Any = None) -> None:
        self._lock = threading.Lock()  # guards calls and the answers
        self.calls: list[Recorded] = []
        self._answers: dict[str, Any] = {}
        self._served = PublicMethods()  # what its host calls
        for name, function in ({} if instance is None else public_methods(instance)).items():
            self.set(name, function)
        for name, answer in (methods or {}).items():
            self.set(name, answer)

    def set(self, method: str, answer: Any) -> None:
        """From now on, `method` gives that: a function of the arguments, an exception, or a value.

        Raises:
            ValueError: no method that can be called has such a name.
        """
        if not method.isidentifier() or method.startswith("_"):
            raise ValueError(f"{method!r} is no name of a method that can be called")

        def called(*args: Any, **kwargs: Any) -> Any:
            with self._lock:
                self.calls.append(Recorded(method, args, kwargs))
                answer = self._answers[method]
            if isinstance(answer, BaseException):
                raise answer
            return answer(*args, **kwargs) if callable(answer) else answer

        with self._lock:
            self._answers[method] = answer
            self._served.setdefault(method, called)

    def calls_of(self, method: str) -> list[Recorded]:
        """The calls of one method."""
        with self._lock:
            return [call for call in self.calls if call.method == method]

    def reset(self) -> None:
        """Forget the calls."""
        with self._lock:
            self.calls.clear()

    def __repr__(self) -> str:
        return (
            f"<FakeService {', '.join(sorted(self._answers)) or 'without methods'}, {len(self.calls)} calls>"
        )


class FakeServices:
    """Several fakes with a manager that reaches them; a context manager.

    Args:
        manager: arguments of the manager, such as `timeout` and `policies`.
        services: name -> a FakeService, a dict of methods for one, or an object with methods.

    Attributes:
        manager: calls the fakes; what a `BaseFunction` gets by `services.bind(function)`.
    """

    def __init__(self, manager: Mapping[str, Any] | None = None, /, **services: Any) -> None:
        self.fakes: dict[str, FakeService] = {}
        self._hosts: dict[str, ServiceHost] = {}
        try:
            for name, given in services.items():
                fake = given if isinstance(given, FakeService) else _fake(given)
                self.fakes[name] = fake
                self._hosts[name] = ServiceHost(name, fake._served).start()
            endpoints = {name: host.address for name, host in self._hosts.items()}
            self.manager = ServiceManager(endpoints, **(manager or {}))
        except BaseException:
            for host in self._hosts.values():
                host.stop()
            raise

    def __getitem__(self, name: str) -> FakeService:
        return self.fakes[name]

    def bind(self, function: Any) -> Any:
        """Give an operator or a service (`BaseFunction`, `BaseService`) these services to call. -> it."""
        function.ctx = Context(
            job="test",
            name=type(function).__qualname__,
            worker=0,
            parallelism=1,
            service_manager=self.manager,
        )
        return function

    def address_of(self, name: str) -> str:
        """Where a fake is, for code that makes its own channel."""
        return self._hosts[name].address

    def stop(self, name: str) -> None:
        """Let a service be gone: calls of it end with UNAVAILABLE, "connection refused"."""
        self._hosts[name].stop()

    def close(self) -> None:
        """Stop all."""
        self.manager.close()
        for host in self._hosts.values():
            host.stop()

    def __enter__(self) -> FakeServices:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<FakeServices {', '.join(self.fakes) or 'none'}>"


def _fake(given: Any) -> FakeService:
    return FakeService(given) if isinstance(given, Mapping) else FakeService(instance=given)
