"""What holds for a hosted service however it is hosted: by a ServiceHost, by a supervisor, in a job."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

import sage_rpc
from sage_rpc import errors
from sage_rpc.config import ServiceConfig
from sage_rpc.operators import JobError, LocalEnvironment
from sage_rpc.policies import AdmissionPolicy
from sage_rpc.supervisor.manager import ServiceProcessManager
from sage_rpc.supervisor.output import Output
from tests.programs import hosted_subject
from tests.waiting import until

ROOT = Path(__file__).parents[2]
PROGRAMS = ROOT / "tests" / "programs"
SECONDS = 20.0
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
GRACE = 8.0


class Hosted:
    """The service `subject` of tests/programs/hosted_subject.py in a process of its own.

    Attributes:
        target: its address, from before its setup().
        pid: of its process.
    """

    target: str
    pid: int

    def __init__(self, directory: Path, *wanted: str) -> None:
        """Have it started, with what is wanted of access, admission and tracing."""
        self.directory = directory
        self.failure: BaseException | None = None
        self._channels: list[grpc.Channel] = []
        self._start(wanted)

    def _start(self, wanted: tuple[str, ...]) -> None:
        raise NotImplementedError

    def stop(self) -> None:
        """Have it come to its end, by who started it."""
        raise NotImplementedError

    def close(self) -> None:
        for channel in self._channels:
            channel.close()

    def allow(self, what: str) -> None:
        (self.directory / what).touch()

    @property
    def life(self) -> list[str]:
        """What it has noted."""
        path = self.directory / "life"
        return path.read_text().splitlines() if path.exists() else []

    def wait_for(self, what: str) -> None:
        until(lambda: what in self.life)

    def channel(self) -> grpc.Channel:
        self._channels.append(sage_rpc.insecure_channel(self.target))
        return self._channels[-1]

    def health(self, service: str = "subject") -> int:
        stub = health_pb2_grpc.HealthStub(self.channel())
        return stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=SECONDS).status

    @contextlib.contextmanager
    def manager(self) -> Iterator[sage_rpc.ServiceManager]:
        with sage_rpc.ServiceManager({"subject": self.target}, timeout=SECONDS) as manager:
            yield manager


class ByServiceHost(Hosted):
    def _start(self, wanted: tuple[str, ...]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(PROGRAMS / "hosted_subject.py"), str(self.directory), *wanted],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stderr=subprocess.PIPE,
            text=True,
        )
        self.pid = self._process.pid
        address = self.directory / "address"
        until(lambda: address.exists() and address.read_text())
        self.target = address.read_text()

    def stop(self) -> None:
        self._process.terminate()
        self.ended()

    def ended(self) -> str:
        return self._process.communicate(timeout=SECONDS)[1]

    def close(self) -> None:
        super().close()
        self._process.kill()
        self._process.communicate()


class ByASupervisor(Hosted):
    def _start(self, wanted: tuple[str, ...]) -> None:
        options = {
            "access": "hosted_subject.access",
            "admission": {"max_running": 1, "max_waiting": 0},
            "tracing": "hosted_subject.provider",
        }
        self._manager = ServiceProcessManager("test", python_path=[str(PROGRAMS)], output=Output(echo=False))
        config = ServiceConfig.model_validate(
            {
                "class": "hosted_subject.Subject",
                "args": [str(self.directory)],
                "restart": {"limit": 0},
                "stop_grace": GRACE,
                **{name: options[name] for name in wanted},
            }
        )
        self._manager.start_service_process("subject", config, wait=False)
        until(lambda: self._manager.status()[0].target)
        (status,) = self._manager.status()
        self.target, self.pid = status.target, status.pid

    def stop(self) -> None:
        self._manager.stop("subject")

    def ended(self) -> str:
        until(lambda: self._manager.status()[0].state == "failed")
        return self._manager.status()[0].error

    def close(self) -> None:
        super().close()
        self._manager.kill()


class InAJob(Hosted):
    def _start(self, wanted: tuple[str, ...]) -> None:
        options: dict[str, Any] = {
            "access": hosted_subject.access,
            "admission": AdmissionPolicy(max_running=1, max_waiting=0),
            "tracing": hosted_subject.provider,
        }
        environment = LocalEnvironment("test")
        environment.register_service("subject", hosted_subject.Subject, str(self.directory))
        hosting = sage_rpc.Hosting(stop_grace=GRACE, **{name: options[name] for name in wanted})
        environment.set_hosting("subject", hosting)
        self._job = environment.submit()
        until(lambda: self._job._services and self._job._services[0].target)
        (worker,) = self._job._services
        self.target, self.pid = worker.target, worker.process.pid

    def stop(self) -> None:
        self._job.stop()

    def ended(self) -> str:
        (worker,) = self._job._services
        worker.process.wait(SECONDS)
        try:
            self._job.cancel()
        except JobError as error:
            return str(error)
        return ""

    def close(self) -> None:
        super().close()
        with contextlib.suppress(JobError):
            self._job.cancel()


@pytest.fixture(params=[ByServiceHost, ByASupervisor, InAJob])
def host(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """`host("access", ...)` -> the service, whose setup() waits until it may."""
    opened: list[Hosted] = []

    def make(*wanted: str) -> Any:
        opened.append(request.param(tmp_path, *wanted))
        return opened[-1]

    yield make
    for each in opened:
        each.close()


def serving(hosted: Any) -> Any:
    hosted.allow("may set up")
    until(lambda: hosted.health() == SERVING)
    return hosted


def refused(manager: sage_rpc.ServiceManager) -> str:
    """What is said of a call that is not begun; "" of one that is."""
    answer = manager.get_async_proxy("subject").echo("too early or too late")
    error = answer.exception(SECONDS)
    if error is None:
        return ""
    assert error.code() is grpc.StatusCode.UNAVAILABLE
    assert error.never_ran
    return str(error.details())


class InThread(threading.Thread):
    def __init__(self, function: Callable[[], Any]) -> None:
        super().__init__(target=function, daemon=True)
        self.start()

    def ended(self) -> None:
        self.join(SECONDS)
        assert not self.is_alive()


def test_who_may_call_is_for_the_hook_to_say(host: Callable[..., Any]) -> None:
    hosted = serving(host("access"))
    with hosted.manager() as manager:
        assert manager.get_sync_proxy("subject").echo("mine") == "mine"
        with pytest.raises(PermissionError, match="it is a secret"):
            manager.get_sync_proxy("subject").secret()
    assert "secret" not in hosted.life


def test_no_more_calls_run_than_are_admitted(host: Callable[..., Any]) -> None:
    hosted = serving(host("admission"))
    with hosted.manager() as manager:
        first = manager.get_async_proxy("subject").hold()
        hosted.wait_for("hold")
        with pytest.raises(errors.RpcError, match="is full: 1 calls run") as caught:
            manager.get_sync_proxy("subject").echo("more")
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        hosted.allow("may go on")
        assert first.result(SECONDS) == "held"


def test_served_calls_are_traced(
    host: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spans = tmp_path / "spans"
    monkeypatch.setenv("SPANS", str(spans))
    with serving(host("tracing")).manager() as manager:
        manager.get_sync_proxy("subject").echo("x")
    until(lambda: spans.exists() and spans.read_text().endswith("\n"))
    (span,) = map(json.loads, spans.read_text().splitlines())
    assert (span["name"], span["kind"]) == ("subject/echo", "SpanKind.SERVER")


def test_health_and_calls_follow_the_life_of_the_service(host: Callable[..., Any]) -> None:
    """No call is begun before setup() has returned, and none when the end has begun; what runs ends well."""
    hosted = host()
    hosted.wait_for("setup")
    with hosted.manager() as manager:
        assert [hosted.health(), hosted.health("")] == [NOT_SERVING] * 2
        assert refused(manager) == "the service 'subject' is setting up: the call was not begun"
        serving(hosted)
        assert hosted.health("") == SERVING
        under_way = manager.get_async_proxy("subject").hold()
        hosted.wait_for("hold")
        ending = InThread(hosted.stop)
        until(lambda: refused(manager) == "the service 'subject' is shutting down: the call was not begun")
        assert [hosted.health(), hosted.health("")] == [NOT_SERVING] * 2
        hosted.allow("may go on")
        assert under_way.result(SECONDS) == "held"
        ending.ended()
    life = [what for what in hosted.life if not what.startswith("echo")]
    assert life == ["setup", "hold", "cleanup"]


def test_reflection_tells_what_is_served(host: Callable[..., Any]) -> None:
    from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

    hosted = host()
    services = set(ProtoReflectionDescriptorDatabase(hosted.channel()).get_services())
    assert {"sage.rpc.v1.Invocation", "grpc.health.v1.Health"} <= services


def test_what_setup_raises_is_told_and_cleaned_up_after_once(host: Callable[..., Any]) -> None:
    hosted = host()
    hosted.allow("is broken")
    hosted.allow("may set up")
    told = hosted.ended()
    assert "OSError: it is broken" in told
    assert isinstance(hosted, ByServiceHost) or "sage_rpc/" not in told  # of a traceback, the user's frames
    assert hosted.life == ["setup", "cleanup"]


def test_a_signal_during_setup_ends_it_and_is_cleaned_up_after_once(host: Callable[..., Any]) -> None:
    hosted = host()
    hosted.wait_for("setup")
    os.kill(hosted.pid, signal.SIGTERM)
    hosted.ended()
    assert hosted.life == ["setup", "cleanup"]


def test_a_signal_lets_calls_under_way_end(host: Callable[..., Any]) -> None:
    hosted = serving(host())
    with hosted.manager() as manager:
        under_way = manager.get_async_proxy("subject").hold()
        hosted.wait_for("hold")
        os.kill(hosted.pid, signal.SIGTERM)
        until(lambda: refused(manager) != "")
        hosted.allow("may go on")
        assert under_way.result(SECONDS) == "held"
    hosted.wait_for("cleanup")
    assert [what for what in hosted.life if not what.startswith("echo")] == ["setup", "hold", "cleanup"]
