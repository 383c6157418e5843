"""The host of a service: its server, and its life.

A service of this process (`ServiceHost`), of a supervised process and of a job are hosted by the same `Host`:
what one of them takes, all do (`Hosting`). Beside the service it serves grpc.health.v1, and reflection where
grpcio-reflection is installed.
"""

from __future__ import annotations

import contextlib
import logging
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent import futures
from types import FrameType
from typing import TYPE_CHECKING, Any

import grpc

from sage_rpc.hosting.dispatch import GENERIC, PlainServices
from sage_rpc.hosting.guard import HEALTH_SERVICE, Guard, GuardedServer
from sage_rpc.hosting.hosting import Hosting
from sage_rpc.hosting.inbox import Inbox
from sage_rpc.hosting.lifecycle import Life, Stage, hook_of, max_workers_of
from sage_rpc.observe.health import HostHealth
from sage_rpc.observe.measured import unknown
from sage_rpc.observe.served import Meter
from sage_rpc.policies.access import Access
from sage_rpc.policies.admission import Gate
from sage_rpc.policies.settings import AdmissionPolicy
from sage_rpc.rpc.server import server
from sage_rpc.stubs import servicers
from sage_rpc.transport.options import message_options

if TYPE_CHECKING:
    from sage_rpc.observe.tracing import Tracing

__all__ = ["Host", "ServiceHost"]

FLUSH = 0.5  # seconds for the last answers to leave
_WORKERS = 10
_REFUSING = 4  # threads
# gRPC's core cancels calls that Python has not taken yet beyond 1000 to 3000 of them; to refuse is for us.
_QUEUE_OPTIONS = (
    ("grpc.server.max_pending_requests", 1 << 20),
    ("grpc.server.max_pending_requests_hard_limit", 1 << 20),
)
_LOGGER = logging.getLogger("sage_rpc")


class Host:
    """One service and its server. In this order: `listen`, `open`, `set_up`, `drain`, `close`, `clean_up`.

    Args:
        name: what clients call it.
        instance: a plain object, an implementation of a generated base, or a servicer that `hosting` can add.
        hosting: how.

    Attributes:
        life: where it is in its life.
        gate: its admission; None: none.
        meter: counts its calls; None: nobody does.
        tracing: makes their spans; None: nobody does.
        health: what grpc.health.v1 says.
        declared: full names of the declared services that it serves; none for a plain class.

    Raises:
        ValueError: `hosting` contradicts itself.
        TypeError: something in it cannot work with this instance.
    """

    def __init__(self, name: str, instance: Any, hosting: Hosting) -> None:
        self.name = name
        self.instance = instance
        self.life = Life(name)
        self.gate = None if hosting.admission is None else Gate(name, hosting.admission)
        self.health = HostHealth()
        self._hooks = {"setup": hook_of(instance, "setup"), "cleanup": hook_of(instance, "cleanup")}
        self._ending = threading.RLock()  # guards _unclean, and is held by who stops
        self._unclean = False  # setup() was begun, and cleanup() was not
        self.tracing = _tracing(hosting.tracing)
        self.meter = Meter(self.tracing) if hosting.stats or self.tracing is not None else None

        def guard(service: str) -> Guard:
            return Guard(service, self.life, hosting.access, self.gate)

        self._pool = futures.ThreadPoolExecutor(
            _threads(name, instance, hosting), thread_name_prefix=f"service {name}"
        )
        self.server = server(self._pool, options=[*_QUEUE_OPTIONS, *message_options(hosting.options)])
        add = hosting.add_to_server
        if add is None and isinstance(instance, servicers.Base):
            add = type(instance).add_to_server
        if add is not None:
            guarded: Any = GuardedServer(self.server, guard, self.meter, name)
            add(instance, guarded)
            added = guarded.services
            self.declared = tuple(service for service in added if not service.startswith("grpc."))
            generic = guarded.batches.handler(self.meter, name)
        else:
            plain = PlainServices(self.life)
            plain.add(name, instance, guard(name))
            added = self.declared = ()
            generic = plain.handler(self.meter)
        self.server.add_generic_rpc_handlers((generic,))
        check = hook_of(instance, "health_check")
        for service in (name, *self.declared):
            self.health.add(service, check)
        if HEALTH_SERVICE not in added:
            self.health.add_to(self.server)
        self._reflect(added)
        if self.meter is not None:
            self.server.add_generic_rpc_handlers((unknown(self.meter, name),))

    def _reflect(self, added: Sequence[str]) -> None:
        try:
            from grpc_reflection.v1alpha import reflection
        except ImportError:  # of the extra `serve`
            return
        names = [*(self.declared or [GENERIC]), HEALTH_SERVICE, reflection.SERVICE_NAME]
        if reflection.SERVICE_NAME not in added:
            reflection.enable_server_reflection(dict.fromkeys(names), self.server)

    def listen(self, address: str, credentials: grpc.ServerCredentials | None = None) -> int:
        """Bind an address before `open`. -> its port.

        Raises:
            RuntimeError: it cannot be bound.
        """
        try:
            if credentials is None:
                return int(self.server.add_insecure_port(address))
            return int(self.server.add_secure_port(address, credentials))
        except RuntimeError as error:
            raise RuntimeError(f"the service {self.name!r} cannot listen at {address}: {error}") from None

    def open(self) -> None:
        """Answer whoever asks, but begin no call: `set_up` comes first."""
        self.life.move(Stage.SETTING_UP)
        self.server.start()

    def set_up(self) -> None:
        """Run `setup()`; from its end on, calls are begun.

        Raises:
            BaseException: what `setup()` raised.
        """
        with self._ending:
            self._unclean = True
        self._run("setup")
        self.life.move(Stage.READY)
        self.health.come_up()

    def drain(self, grace: float, notice: float = 0.0) -> None:
        """Let calls under way come to their end, and refuse new ones.

        Args:
            grace: seconds.
            notice: begin calls until none has come for so many seconds: those of who has not heard of it yet.
        """
        if self.life.stage is not Stage.READY:
            return
        self.health.enter_graceful_shutdown()
        left = self.life.drain(grace, notice)
        if left:
            _LOGGER.warning("%s calls of the service %r go on after %s s of draining", left, self.name, grace)

    def close(self) -> None:
        """Stop serving; a method that does not end is left behind."""
        stage = self.life.stage
        if stage is Stage.OVER:
            return
        self.life.move(Stage.OVER)
        self.health.enter_graceful_shutdown()
        # Answers that calls have just given are still to leave; other calls are cancelled.
        flush = FLUSH if stage is Stage.DRAINING and not self.life.calls else None
        if not self.server.stop(flush).wait(FLUSH):
            self.server.stop(None)
        self._pool.shutdown(wait=False, cancel_futures=True)

    def clean_up(self) -> None:
        """Run `cleanup()`, once, if `setup()` was begun.

        Raises:
            BaseException: what `cleanup()` raised.
        """
        with self._ending:
            unclean, self._unclean = self._unclean, False
        if unclean:
            self._run("cleanup")

    def _run(self, hook: str) -> None:
        found = self._hooks[hook]
        if found is not None:
            found()

    def give_up(self) -> None:
        """Stop serving and clean up because of an error, which is the one to report."""
        self.close()
        try:
            self.clean_up()
        except BaseException:
            _LOGGER.exception("cleanup() of the service %r failed, too", self.name)

    def __repr__(self) -> str:
        gate = "" if self.gate is None else f", {self.gate.running} run, {self.gate.waiting} wait"
        return f"<{type(self).__name__} {self.name} {self.life.stage.value}{gate}>"


def _threads(name: str, instance: Any, hosting: Hosting) -> int:
    """How many a host of `instance` needs.

    Raises:
        ValueError: fewer calls may run than admission lets in.
    """
    said = max_workers_of(instance) if hosting.max_workers is None else hosting.max_workers
    admission = hosting.admission
    if admission is None:
        return _WORKERS if said is None else said
    if said is not None and said < admission.max_running:
        raise ValueError(
            f"the service {name!r} has max_workers={said}, and its admission lets "
            f"{admission.max_running} calls run: leave one out, or let no more run than there are workers"
        )
    # Who waits for admission waits in a thread; some more refuse those for whom there is no room.
    return admission.max_running + admission.max_waiting + _REFUSING


def _tracing(wanted: Tracing | bool | Callable[[], Any]) -> Tracing | None:
    if wanted is False:
        return None
    from sage_rpc.observe.tracing import Tracing

    if isinstance(wanted, Tracing):
        return wanted
    return Tracing() if wanted is True else Tracing(wanted())


class ServiceHost(Host):
    """One service on an address, in this process; a context manager.

    `setup()` of the service runs when the host starts, before the first call, `cleanup()` after the last one.

    grpc.health.v1 is served beside it: by the service's name, a declared one's full name, and "" for the
    host; reflection, too, where grpcio-reflection is installed.

    Args:
        name: what clients call it.
        instance: a plain object, an implementation of a generated base (`CacheBase`), or a servicer when
            `add_to_server` is given.
        address: as for `add_insecure_port`; port 0 picks a free one.
        max_workers: as `Hosting` has it; so are options, add_to_server, admission, access, tracing and stats.
        options: of the server.
        add_to_server: for a servicer.
        admission: how many calls run and wait.
        access: who may call.
        tracing: make spans of calls.
        stats: count them: `host.meter.stats()`.
        credentials: of the server; the address is a secure port then, which gRPC alone serves.

    Raises:
        RuntimeError: the address cannot be bound.
        ValueError: `max_workers` and `admission` contradict each other.
        TypeError: a hook, or a method of a declared service, is async.
    """

    def __init__(
        self,
        name: str,
        instance: Any,
        address: str = "127.0.0.1:0",
        max_workers: int | None = None,
        options: Sequence[tuple[str, Any]] | None = None,
        *,
        add_to_server: Callable[[Any, grpc.Server], None] | None = None,
        admission: AdmissionPolicy | None = None,
        access: Access | None = None,
        tracing: Tracing | bool | Callable[[], Any] = False,
        stats: bool = False,
        credentials: grpc.ServerCredentials | None = None,
    ) -> None:
        hosting = Hosting(max_workers, admission, access, tracing, stats, add_to_server, options or ())
        super().__init__(name, instance, hosting)
        port = self.listen(address, credentials)
        self.address = address
        if not address.startswith("unix"):
            host = address.rpartition(":")[0]
            self.address = f"{'localhost' if host in ('', '127.0.0.1', '0.0.0.0', '[::]') else host}:{port}"  # noqa: S104

    def start(self) -> ServiceHost:
        """Run `setup()`, and begin to serve. -> self.

        Raises:
            BaseException: what `setup()` raised; nothing is served then, and `cleanup()` has run.
            RuntimeError: it was started before.
        """
        if self.life.stage is not Stage.MADE:
            raise RuntimeError(f"the service {self.name!r} {self.life.stage.value}: a host is started once")
        try:
            self.open()
            self.set_up()
        except BaseException:
            self.give_up()
            raise
        return self

    def stop(self, grace: float | None = None) -> None:
        """Stop serving, and run `cleanup()`.

        Args:
            grace: seconds for calls under way, while new ones are refused; the rest is cancelled.

        Raises:
            BaseException: what `cleanup()` raised.
        """
        with self._ending:
            if grace:
                self.drain(grace)
            self.close()
            self.clean_up()

    def serve_until_stopped(self, grace: float = 10.0) -> None:
        """Serve until SIGTERM or SIGINT, then stop: for the main thread of a program that does nothing else.

        Args:
            grace: seconds for calls under way, as of `stop`.

        Raises:
            BaseException: what `setup()` or `cleanup()` raised.
        """
        signals = (signal.SIGTERM, signal.SIGINT)
        stops: Inbox[int] = Inbox()

        def stop(number: int, _frame: FrameType | None) -> None:
            first = stops.empty()
            stops.put(number)
            if first and self.life.stage in (Stage.MADE, Stage.SETTING_UP):
                raise KeyboardInterrupt  # in setup(), which may take long

        before = {number: signal.getsignal(number) for number in signals}
        try:
            with contextlib.suppress(KeyboardInterrupt):
                for number in signals:
                    signal.signal(number, stop)
                self.start()
                stops.get()
                self.stop(grace)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            stops.close()

    def __enter__(self) -> ServiceHost:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()
