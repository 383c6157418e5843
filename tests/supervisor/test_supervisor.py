"""Supervised services: real processes that start, die, are replaced, drained, and leave nothing behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

import sage_rpc
from sage_rpc.config import ServiceConfig
from sage_rpc.discovery import LocalRegistry
from sage_rpc.supervisor.manager import ServiceProcessManager, ServiceStartError
from sage_rpc.supervisor.output import Output
from tests.programs import supervised
from tests.waiting import until

ROOT = Path(__file__).parents[2]
PROGRAMS = ROOT / "tests" / "programs"


def config(name: str, **more: Any) -> ServiceConfig:
    return ServiceConfig.model_validate({"class": f"supervised.{name}", **more})


@pytest.fixture
def manager() -> Iterator[ServiceProcessManager]:
    with ServiceProcessManager(
        "test", python_path=[str(PROGRAMS)], output=Output(echo=False), log_level="warning"
    ) as running:
        yield running


@pytest.fixture
def services() -> Iterator[sage_rpc.ServiceManager]:
    names = ("echo", "sick", "asker", "stubborn")
    with sage_rpc.ServiceManager({name: f"sage:///{name}" for name in names}) as found:
        yield found


def states(manager: ServiceProcessManager) -> list[str]:
    return [status.state for status in manager.status()]


def pids(manager: ServiceProcessManager) -> list[int]:
    return [status.pid for status in manager.status() if status.state == "serving"]


def replaced(manager: ServiceProcessManager, victim: int, count: int = 1) -> bool:
    """Whether `count` processes serve and `victim` is none of them."""
    serving = pids(manager)  # once: it may change from one look to the next
    return len(serving) == count and victim not in serving


def output_of(manager: ServiceProcessManager) -> str:
    return "\n".join(line.text for line in manager.output.after(-1, [], 0.0, 10_000))


def files_of(directory: Path) -> list[str]:
    return sorted(p.name for p in directory.rglob("*") if not p.is_dir() and p.name != "host")


# -- starting


def test_a_service_runs_in_several_processes_and_is_called_by_name(
    manager: ServiceProcessManager, services: sage_rpc.ServiceManager, runtime_directory: Path
) -> None:
    manager.start_service_process("echo", config("Echo", args=["hi"], process_count=2))
    echo = services.get_sync_proxy("echo")
    assert echo.greet() == "hi"
    assert {echo.pid() for _ in range(8)} == set(pids(manager))
    assert os.getpid() not in pids(manager)
    assert services.transport_of("echo") == "shm"
    assert manager.monitor_service_health() == {"echo": ["serving", "serving"]}
    manager.stop("echo")
    assert manager.status() == []
    assert files_of(runtime_directory) == []


def test_a_class_of_this_program_can_be_given_itself(
    manager: ServiceProcessManager, services: sage_rpc.ServiceManager
) -> None:
    class Local(supervised.Echo):
        def greet(self) -> str:
            return self.greeting.upper()

    manager.start_service_process("echo", Local, "hi", process_count=1, colour="red")
    assert services.get_sync_proxy("echo").greet() == "HI"
    assert services.get_sync_proxy("echo").about()["more"] == {"colour": "red"}


def test_names_that_callers_make_up_are_counted_as_one_method(
    manager: ServiceProcessManager, services: sage_rpc.ServiceManager
) -> None:
    manager.start_service_process("echo", config("Echo", args=["hi"]))
    echo = services.get_sync_proxy("echo")
    for number in range(50):
        for method in (f"made_up_{number}", f"batch_made_up_{number}"):
            with pytest.raises(NotImplementedError):
                echo(method=method)
    assert echo.greet() == "hi"
    (report,) = manager.reports()
    counted = {row["method"]: (row["successes"], row["failures"]) for row in report["stats"]}
    assert counted == {"(unknown)": (0, {"UNIMPLEMENTED": 100}), "greet": (1, {})}
    assert {error["method"] for error in report["errors"]} == {"(unknown)"}


def test_a_service_calls_another_by_its_name(
    manager: ServiceProcessManager, services: sage_rpc.ServiceManager
) -> None:
    manager.start_service_process("asker", config("Asker"))
    manager.start_service_process("echo", config("Echo"))
    assert services.get_sync_proxy("asker").ask() == "hello"


def test_environment_directory_limits_and_cpus(
    manager: ServiceProcessManager, services: sage_rpc.ServiceManager, tmp_path: Path
) -> None:
    cpu = min(os.sched_getaffinity(0))
    manager.start_service_process(
        "echo",
        config(
            "Echo", env={"SUPERVISED": "yes"}, cwd=str(tmp_path), rlimits={"nofile": 333}, cpu_affinity=[cpu]
        ),
    )
    about = services.get_sync_proxy("echo").about()
    assert (about["environment"], about["cwd"], about["nofile"], about["cpus"]) == (
        "yes",
        str(tmp_path),
        333,
        [cpu],
    )


def test_output_is_kept_with_its_prefix(
    manager: ServiceProcessManager, services: sage_rpc.ServiceManager, tmp_path: Path
) -> None:
    manager.start_service_process("echo", config("Echo"))
    services.get_sync_proxy("echo").say("good morning")
    until(lambda: output_of(manager).count("[echo/0] good morning") == 2)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("service", "complaint"),
    [
        (config("Ecco"), "supervised has no 'Ecco'; did you mean supervised.Echo?"),
        (ServiceConfig.model_validate({"class": "no_such.Thing"}), "there is no module 'no_such'"),
        (
            config("BadConstructor"),
            r"BadConstructor raised ValueError: the disk is full \(.*supervised.py, line",
        ),
        (config("BadSetup"), r"setup\(\) raised OSError: no database"),
        (config("Echo", args=[1, 2, 3]), "raised TypeError: .*positional argument"),
        (config("SlowStart", start_timeout=0.5), "it was not ready after 0.5 s"),
        (config("Echo", cpu_affinity=[4095]), "cpu_affinity names CPU 4095, which this process may not use"),
        (config("Echo", cwd="/no/such/directory"), "its process cannot be started: .*No such file"),
    ],
    ids=lambda value: value.class_ if isinstance(value, ServiceConfig) else None,
)
def test_a_service_that_cannot_start_says_why_and_is_gone(
    manager: ServiceProcessManager, service: ServiceConfig, complaint: str
) -> None:
    with pytest.raises(ServiceStartError, match=complaint):
        manager.start_service_process("bad", service)
    assert manager.status() == []


# -- dying


@pytest.mark.slow
def test_a_killed_process_under_load_is_replaced_within_a_second(
    manager: ServiceProcessManager, services: sage_rpc.ServiceManager, runtime_directory: Path
) -> None:
    manager.start_service_process("echo", config("Echo", process_count=2))
    echo, over = services.get_sync_proxy("echo"), threading.Event()
    lost: list[Exception] = []

    def load() -> None:
        while not over.is_set():
            try:
                echo.greet()
            except ConnectionError as error:  # a call that the dead process may have begun
                lost.append(error)

    threads = [threading.Thread(target=load) for _ in range(2)]
    for thread in threads:
        thread.start()
    before = files_of(runtime_directory)
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", "import sage_rpc.supervisor.serving"], check=True, cwd=ROOT)
    start = time.monotonic() - began  # of an interpreter with our modules, under this load
    victim = pids(manager)[0]
    try:
        os.kill(victim, signal.SIGKILL)
        took = until(lambda: replaced(manager, victim, 2))
        assert took < max(1.0, 2.5 * start)
    finally:
        over.set()
        for thread in threads:
            thread.join(10.0)
    assert len(lost) <= len(threads)
    assert sum(status.restarts for status in manager.status()) == 1
    assert "was killed by SIGKILL" in output_of(manager)
    assert len(files_of(runtime_directory)) == len(before)  # nothing of the dead one is left


@pytest.mark.slow
def test_a_process_that_keeps_dying_is_given_up_and_can_be_started_again(
    manager: ServiceProcessManager, services: sage_rpc.ServiceManager
) -> None:
    manager.start_service_process("echo", config("Echo", restart={"limit": 2, "delay": 0.01}))
    echo = services.get_sync_proxy("echo")
    for _ in range(3):
        until(lambda: pids(manager))
        (victim,) = pids(manager)
        until(lambda victim=victim: _die(echo) or victim not in pids(manager))
    until(lambda: states(manager) == ["failed"])
    (status,) = manager.status()
    assert (status.restarts, status.error) == (2, "its process ended with exit code 3")
    assert "given up after 3 deaths within 60 s" in output_of(manager)
    assert manager.monitor_service_health() == {"echo": ["its process ended with exit code 3"]}
    manager.restart_service("echo")
    until(lambda: _greets(echo))


def _greets(echo: Any) -> bool:
    with contextlib.suppress(ConnectionError):  # callers hear of it a moment later
        return bool(echo.greet())
    return False


def _die(echo: Any) -> bool:
    with contextlib.suppress(ConnectionError):  # also where nobody is there yet
        echo.die()
    return False


@pytest.mark.slow
def test_restarts_in_a_row_wait_longer_and_longer(manager: ServiceProcessManager) -> None:
    service = config("CrashesSoon", restart={"delay": 0.2, "limit": 4})
    with contextlib.suppress(ServiceStartError):
        manager.start_service_process("crashes", service, wait=False)
    until(lambda: states(manager) == ["failed"])
    delays = [
        float(line.text.rpartition(" in ")[2].split()[0])
        for line in manager.output.after(-1, ["crashes"], 0.0, 1000)
        if "starting again in" in line.text
    ]
    assert delays[0] == 0.0
    assert 0.1 <= delays[1] < delays[2] < delays[3]


def test_a_process_that_is_killed_before_it_serves_leaves_nothing(
    manager: ServiceProcessManager, runtime_directory: Path
) -> None:
    manager.start_service_process("slow", config("SlowSetup", restart={"limit": 0}), wait=False)
    until(lambda: len(files_of(runtime_directory)) >= 2)
    (status,) = manager.status()
    assert status.state == "starting"
    os.kill(status.pid, signal.SIGKILL)
    until(lambda: states(manager) == ["failed"])
    assert files_of(runtime_directory) == []


def test_an_unhealthy_process_is_replaced(
    manager: ServiceProcessManager, services: sage_rpc.ServiceManager
) -> None:
    manager.start_service_process("sick", config("Sick", health_check_interval=0.05, unhealthy_after=2))
    sick = services.get_sync_proxy("sick")
    before = sick.pid()
    sick.fall_ill()
    until(lambda: replaced(manager, before))
    assert "its health check failed 2 times: it says that it is not serving" in output_of(manager)


def test_a_hung_process_is_replaced(manager: ServiceProcessManager) -> None:
    service = config("Echo", health_check_interval=0.1, health_check_timeout=0.2, unhealthy_after=2)
    manager.start_service_process("echo", service)
    (before,) = pids(manager)
    os.kill(before, signal.SIGSTOP)
    until(lambda: replaced(manager, before))
    assert "DEADLINE_EXCEEDED" in output_of(manager)


def test_a_busy_service_is_not_taken_for_a_sick_one(
    manager: ServiceProcessManager, services: sage_rpc.ServiceManager
) -> None:
    service = config(
        "Echo", max_workers=1, health_check_interval=0.05, health_check_timeout=0.3, unhealthy_after=1
    )
    manager.start_service_process("echo", service)
    before = pids(manager)
    assert services.get_async_proxy("echo").slow(1.0).result(20.0) == "done"
    assert pids(manager) == before


# -- rolling restarts, draining


@pytest.mark.slow
def test_a_rolling_restart_under_four_processes_that_call_loses_nothing(
    manager: ServiceProcessManager, transport: str
) -> None:
    manager.start_service_process("echo", config("Echo", process_count=2))
    caller = (
        "import sys, threading, sage_rpc\n"
        "over = threading.Event()\n"
        "threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()\n"
        "manager = sage_rpc.ServiceManager({'echo': 'sage:///echo'})\n"
        "echo, calls, seen = manager.get_sync_proxy('echo'), 0, set()\n"
        "while not over.is_set():\n"
        "    seen.add(echo.pid())\n"
        "    calls += 1\n"
        "    if calls == 10: print('calling', flush=True)\n"
        "print(calls, len(seen), manager.transport_of('echo'))\n"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT), "SAGE_RPC_TRANSPORT": transport}
    callers = [
        subprocess.Popen(
            [sys.executable, "-c", caller],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for _ in range(4)
    ]
    try:
        for process in callers:
            assert process.stdout.readline() == "calling\n"
        before = set(pids(manager))
        manager.restart_service("echo")
        until(lambda: states(manager) == ["serving"] * 2)
        assert not before & set(pids(manager))
        for process in callers:
            out, complaints = process.communicate(timeout=20.0)
            assert process.returncode == 0, complaints
            calls, seen, carried = out.split()
            assert int(calls) >= 10
            assert int(seen) >= 3  # old and new ones
            assert carried == transport
    finally:
        for process in callers:
            process.kill()
            process.communicate()


@pytest.mark.slow
def test_calls_under_way_finish_when_their_process_is_replaced(
    manager: ServiceProcessManager, services: sage_rpc.ServiceManager
) -> None:
    manager.start_service_process("echo", config("Echo"))
    call = services.get_async_proxy("echo").slow(1.5)
    until(lambda: manager.reports()[0]["active"] == 1)
    manager.restart_service("echo")
    assert call.result(10.0) == "done"


def test_a_restart_with_a_process_that_does_not_start_keeps_the_old_ones(
    manager: ServiceProcessManager, services: sage_rpc.ServiceManager
) -> None:
    manager.start_service_process("echo", config("Echo", process_count=2))
    before = pids(manager)
    with pytest.raises(ServiceStartError, match="the disk is full"):
        manager.change_service("echo", config("BadConstructor", process_count=2))
    assert pids(manager) == before
    assert services.get_sync_proxy("echo").greet() == "hello"
    assert manager.services()["echo"].class_ == "supervised.Echo"


def test_another_number_of_processes_touches_no_other(manager: ServiceProcessManager) -> None:
    manager.start_service_process("echo", config("Echo"))
    (first,) = pids(manager)
    manager.change_service("echo", config("Echo", process_count=3))
    assert len(pids(manager)) == 3
    assert first in pids(manager)
    manager.change_service("echo", config("Echo", process_count=1))
    until(lambda: pids(manager) == [first] and len(states(manager)) == 1)


@pytest.mark.slow
def test_a_drained_process_takes_no_calls_and_comes_back_with_a_restart(
    manager: ServiceProcessManager, services: sage_rpc.ServiceManager
) -> None:
    manager.start_service_process("echo", config("Echo", process_count=2))
    first, second = pids(manager)
    manager.drain("echo", 0)
    assert states(manager) == ["stopped", "serving"]
    assert {services.get_sync_proxy("echo").pid() for _ in range(4)} == {second}
    with pytest.raises(LookupError, match="has no process 7; it has 2"):
        manager.drain("echo", 7)
    manager.change_service("echo", config("Echo", process_count=3))  # does not wait for what is drained
    assert states(manager) == ["stopped", "serving", "serving"]
    manager.restart_service("echo")
    assert len(pids(manager)) == 3
    assert first not in pids(manager)


def test_a_process_that_does_not_come_to_an_end_is_killed(
    manager: ServiceProcessManager, services: sage_rpc.ServiceManager
) -> None:
    manager.start_service_process("stubborn", config("Stubborn", stop_grace=0.1))
    pid = services.get_sync_proxy("stubborn").pid()
    manager.stop("stubborn")
    assert not psutil.pid_exists(pid)


# -- the end of the supervisor


@pytest.mark.slow
def test_when_the_supervisor_is_killed_everything_is_gone_within_a_second(runtime_directory: Path) -> None:
    """Children that ignore everything, and their children, too."""
    program = (
        "import sys\n"
        f"sys.path.insert(0, {str(PROGRAMS)!r})\n"
        "import supervised\n"
        "from sage_rpc.supervisor.manager import ServiceProcessManager\n"
        "manager = ServiceProcessManager()\n"
        "manager.start_service_process('stubborn', supervised.Stubborn, process_count=2)\n"
        "manager.start_service_process('echo', supervised.Echo)\n"
        "print('serving', flush=True)\n"
        "sys.stdin.read()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    try:
        assert "serving\n" in process.stdout  # gRPC has a word about the fork in setup() before
        children = psutil.Process(process.pid).children(recursive=True)
        assert len(children) == 6  # three services, two children of theirs, and the guard
        process.kill()
        process.wait()
        took = until(lambda: not any(_lives(child) for child in children))
        assert took < 1.0
    finally:
        process.kill()
        process.communicate()
    until(lambda: files_of(runtime_directory) == [])
    assert LocalRegistry().discover_services() == {}


def _lives(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.status() != psutil.STATUS_ZOMBIE
    return False


def test_a_closed_manager_refuses_and_closes_again() -> None:
    manager = ServiceProcessManager(output=Output(echo=False))
    manager.close()
    manager.close()
    with pytest.raises(RuntimeError, match="is closed"):
        manager.status()


def test_names_are_taken_once_and_must_be_known(manager: ServiceProcessManager) -> None:
    manager.start_service_process("echo", config("Echo"))
    with pytest.raises(ValueError, match="'echo' runs already"):
        manager.start_service_process("echo", config("Echo"))
    with pytest.raises(LookupError, match="no service 'eco' here; there are echo"):
        manager.restart_service("eco")


# ---------------------------------------------------------------- every wait ends


class InThread:
    """What a call in a thread of its own raised, once it has ended."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(function,), daemon=True)
        self._thread.start()

    def _run(self, function: Callable[[], Any]) -> None:
        try:
            function()
        except BaseException as error:
            self.error = error

    def ended(self, seconds: float = 20.0) -> BaseException | None:
        self._thread.join(seconds)
        assert not self._thread.is_alive(), "it waits for ever"
        return self.error


@pytest.mark.slow
@pytest.mark.parametrize("change", ["restart", "change"])
@pytest.mark.parametrize(
    ("meanwhile", "told"),
    [
        ("drain", "it was drained meanwhile"),
        ("stop", "the service is being stopped"),
        ("kill", "is closed"),
        ("fewer", ""),
    ],
)
def test_who_waits_for_a_change_is_told_what_came_between(
    tmp_path: Path, change: str, meanwhile: str, told: str
) -> None:
    manager = ServiceProcessManager("test", python_path=[str(PROGRAMS)], output=Output(echo=False))
    try:
        first = config("WhenAllowed", args=[str(tmp_path)], process_count=2)
        manager.start_service_process("slow", first)
        (tmp_path / "asked").unlink()
        (tmp_path / "held").touch()
        if change == "restart":
            waiting = InThread(lambda: manager.restart_service("slow"))
        else:
            waiting = InThread(lambda: manager.change_service("slow", first.model_copy(update={"weight": 7})))
        until((tmp_path / "asked").exists)  # the new process is in its setup()
        if meanwhile == "drain":
            manager.drain("slow")
        elif meanwhile == "stop":
            manager.stop("slow")
        elif meanwhile == "kill":
            manager.kill()
        else:
            (tmp_path / "held").unlink()
            manager.change_service("slow", first.model_copy(update={"process_count": 1}))
        error = waiting.ended()
        assert (error is None) if not told else (isinstance(error, RuntimeError) and told in str(error))
        if meanwhile == "drain":
            assert set(states(manager)) == {"stopped"}
    finally:
        manager.kill()


@pytest.mark.slow
def test_a_process_that_waits_to_start_again_comes_back_after_a_restart_that_failed(
    manager: ServiceProcessManager, tmp_path: Path
) -> None:
    restart = {"first_delay": 0.5, "delay": 0.5, "max_delay": 0.5, "limit": 100}
    manager.start_service_process("slow", config("WhenAllowed", args=[str(tmp_path)], restart=restart))
    (tmp_path / "broken").touch()
    os.kill(pids(manager)[0], signal.SIGKILL)
    until(lambda: states(manager) == ["backoff"])
    with pytest.raises(ServiceStartError, match="it is broken"):
        manager.restart_service("slow")
    assert states(manager) != ["stopped"]
    (tmp_path / "broken").unlink()
    until(lambda: states(manager) == ["serving"])


def test_what_keeps_a_process_from_being_started_is_met_like_a_death(
    manager: ServiceProcessManager, services: sage_rpc.ServiceManager, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    with pytest.raises(ServiceStartError, match=r"cannot be started: .*No such file"):
        manager.start_service_process("echo", config("Echo", cwd=str(home)))
    home.mkdir()
    manager.start_service_process("echo", config("Echo", cwd=str(home)))  # the name is free
    home.rmdir()
    (victim,) = pids(manager)
    os.kill(victim, signal.SIGKILL)
    until(lambda: output_of(manager).count("cannot be started") == 3)  # the second time of this process
    home.mkdir()
    until(lambda: replaced(manager, victim))
    assert services.get_sync_proxy("echo").greet() == "hello"


def test_what_cannot_be_sent_to_a_process_leaves_the_name_free(
    manager: ServiceProcessManager, services: sage_rpc.ServiceManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(TypeError, match="lock"):
        manager.start_service_process("echo", supervised.Echo, threading.Lock())
    assert manager.status() == []
    monkeypatch.setattr(sys, "path", [*sys.path, Path("/nowhere")])  # Python does not mind
    manager.start_service_process("echo", supervised.Echo, "good evening")
    assert services.get_sync_proxy("echo").greet() == "good evening"


@pytest.mark.slow
def test_a_process_that_is_stopped_before_its_first_check_stops_nobody(
    manager: ServiceProcessManager,
) -> None:
    slow = {"health_check_interval": 0.5, "health_check_timeout": 30}
    manager.start_service_process("sick", config("Sick", **slow))
    manager.start_service_process("echo", config("Echo"))
    (victim,) = (status.pid for status in manager.status() if status.service == "sick")
    os.kill(victim, signal.SIGSTOP)
    try:
        until(lambda: any(thread.name.startswith("check sick") for thread in threading.enumerate()))
        began = time.monotonic()
        (other,) = (status.pid for status in manager.status() if status.service == "echo")
        os.kill(other, signal.SIGKILL)
        until(lambda: other not in pids(manager) and len(pids(manager)) == 2)
        assert time.monotonic() - began < 25  # and not the check's thirty
    finally:
        os.kill(victim, signal.SIGCONT)


@pytest.mark.slow
def test_policies_of_services_started_later_and_changed_reach_those_that_call(
    manager: ServiceProcessManager, services: sage_rpc.ServiceManager
) -> None:
    manager.start_service_process("asker", config("Asker"))
    manager.start_service_process("echo", config("Echo", policy={"default": {"timeout": "0.2s"}}))
    before = sorted(pids(manager))
    until(lambda: services.get_sync_proxy("asker").ask_slowly(0.6) == "too late")
    manager.change_service("echo", config("Echo", policy={"default": {"timeout": "10s"}}))
    until(lambda: services.get_sync_proxy("asker").ask_slowly(0.6) == "done")
    assert sorted(pids(manager)) == before  # nobody had to be started again


@pytest.mark.slow
def test_who_waits_for_the_end_of_a_process_learns_of_it_when_it_comes(
    manager: ServiceProcessManager,
) -> None:
    began = time.monotonic()
    for _ in range(5):
        manager.start_service_process("slow", config("SlowSetup", stop_grace=60), wait=False)
        manager.stop("slow")
    assert time.monotonic() - began < 60  # and not when something else happens next
