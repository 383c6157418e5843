"""Operators and LocalEnvironment: rows are exact, services are reached, and nothing is ever left behind."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import os
import pickle
import select
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from google.protobuf import descriptor_pb2

import sage_rpc
from sage_rpc.operators import (
    BaseFunction,
    BaseService,
    BatchFunction,
    FilterFunction,
    FlatMapFunction,
    Job,
    JobError,
    LocalEnvironment,
    MapFunction,
    SinkFunction,
    SourceFunction,
    StopSignal,
)
from tests.waiting import until

ROOT = Path(__file__).parents[2]
SECONDS = 30  # until a test gives up waiting for something that must happen
NOT_RUNNING = "Runtime context not initialized. Cannot access services."


# -- what belongs to a test's jobs, and that it is gone


def processes_in(directory: Path) -> list[int]:
    """Ids of all processes, this one excepted, that were started with this runtime directory."""
    mark = os.fsencode(f"SAGE_RPC_RUNTIME_DIR={directory}")
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError):
                if mark in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
    return found


def names(directory: Path | str) -> list[str]:
    return [path.name for path in Path(directory).iterdir()]


def wait_for_end(pids: list[int], seconds: float = SECONDS) -> None:
    deadline = time.monotonic() + seconds
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            fd = os.pidfd_open(pid)
            try:
                ended = select.select([fd], [], [], max(0.0, deadline - time.monotonic()))[0]
                assert ended, Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
            finally:
                os.close(fd)


@pytest.fixture(autouse=True)
def nothing_is_left(
    runtime_directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    descriptors = len(names("/proc/self/fd"))
    yield
    until(lambda: not processes_in(runtime_directory))  # the kernel may not have done with who was killed
    assert names(runtime_directory) == []
    assert names(temporary) == []
    assert len(names("/proc/self/fd")) <= descriptors


@pytest.fixture
def env(request: pytest.FixtureRequest) -> LocalEnvironment:
    return LocalEnvironment(request.node.originalname[:60])


# -- services and operators under test


class Cache:
    """A plain class."""

    def __init__(self, size: int = 100) -> None:
        self.size, self.rows = size, {}

    def get(self, key):
        return self.rows.get(key)

    def put(self, key, value):
        if len(self.rows) < self.size:
            self.rows[key] = value


class Journal:
    """Writes down its life."""

    def __init__(self, path: str, name: str) -> None:
        self.path, self.name = path, name
        self.write("init")

    def write(self, what: str) -> None:
        with Path(self.path).open("a") as file:
            file.write(f"{self.name} {what} {os.getpid()}\n")

    def setup(self) -> None:
        self.write("setup")

    def cleanup(self) -> None:
        self.write("cleanup")

    def add(self, n: int) -> int:
        return n + 1


class Relay(BaseService):
    """Calls another service."""

    def double(self, n: int) -> int:
        return 2 * self.call_service["adder"].add(n)


class PlainRelay:
    """Calls another service without deriving from anything."""

    def setup(self) -> None:
        self.first = self.call_service("adder", 0, method="add", timeout=5.0)

    def double(self, n: int) -> int:
        return 2 * self.call_service_async["adder"].add(n).result(timeout=5.0) + self.first - 1


class Adder:
    def add(self, n: int) -> int:
        return n + 1

    def pid(self) -> int:
        return os.getpid()


class CountTo(BatchFunction):
    def __init__(self, last: int) -> None:
        self.last, self.n = last, 0

    def execute(self):
        if self.n == self.last:
            return None
        self.n += 1
        return self.n


class Ticks(SourceFunction):
    def setup(self) -> None:
        self.n = self.ctx.worker * 1_000_000

    def execute(self):
        self.n += 1
        return self.n


class Until(SourceFunction):
    def __init__(self, last: int) -> None:
        self.numbers = iter(range(last))

    def execute(self):
        number = next(self.numbers, None)
        if number is None:
            return StopSignal("no more")
        return number if number % 2 else None


class BothSpellings(MapFunction):
    def execute(self, row):
        self.call_service["cache"].put(row, row * row)
        waited = self.call_service("cache", row, method="get", timeout=2.0)
        future = self.call_service_async["cache"].get(row).result(timeout=2.0)
        future_too = self.call_service_async("cache", row, method="get", timeout=2.0).result(timeout=2.0)
        return [waited, future, future_too]


class Odd(FilterFunction):
    def execute(self, row) -> bool:
        return row % 2 == 1


class Twice(FlatMapFunction):
    def execute(self, row):
        return [row, row]


class AddOne(MapFunction):
    def execute(self, row):
        return row + 1


class Write(SinkFunction):
    def __init__(self, path: str) -> None:
        self.path = path

    def setup(self) -> None:
        self.file = Path(self.path).open("a")  # noqa: SIM115 - closed in cleanup

    def execute(self, row) -> None:
        self.file.write(f"{row}\n")

    def cleanup(self) -> None:
        self.file.close()


class FailAt(MapFunction):
    def __init__(self, at: int) -> None:
        self.at = at

    def execute(self, row):
        if row == self.at:
            raise ValueError(f"no {row}s here")
        return row


def forever(row):
    while True:
        signal.pause()


# -- rows


def test_rows_are_in_order_and_complete(env: LocalEnvironment) -> None:
    rows = env.from_batch(CountTo, 5000).map(AddOne).map(lambda row: -row).collect()
    assert rows == [-(n + 1) for n in range(1, 5001)]


@pytest.mark.slow
def test_many_workers_lose_and_duplicate_nothing(env: LocalEnvironment, tmp_path: Path) -> None:
    out = tmp_path / "rows"
    stream = env.from_batch(range(6000), parallelism=2).map(AddOne, parallelism=3)
    stream.flatmap(Twice, parallelism=2).sink(Write, str(out), parallelism=3)
    job = env.submit(autostop=True)
    assert sorted(map(int, out.read_text().split())) == sorted([*range(1, 6001), *range(1, 6001)])
    counts = {name: (c.workers, c.rows_in, c.rows_out) for name, c in job.result.operators.items()}
    assert counts == {
        "from_batch": (2, 0, 6000),
        "AddOne": (3, 6000, 6000),
        "Twice": (2, 6000, 12000),
        "Write": (3, 12000, 0),
    }
    assert job.result.stopped is False


@pytest.mark.slow
def test_every_kind_as_class_instance_and_callable(env: LocalEnvironment) -> None:
    def count():
        yield from range(1, 5)

    assert env.from_batch(count).filter(Odd).flatmap(Twice).map(AddOne()).collect() == [2, 2, 4, 4]
    again = LocalEnvironment("callables")
    stream = again.from_source(Until(6)).filter(lambda n: n > 1).flatmap(lambda n: (n, -n)).map(str)
    assert stream.collect() == ["3", "-3", "5", "-5"]


def test_a_stream_used_twice_gives_every_row_to_both(env: LocalEnvironment) -> None:
    stream = env.from_batch([1, 2, 3])
    left, right = stream.map(lambda n: n * 10).results(), stream.map(lambda n: n * 100).results()
    with env.submit() as job:
        assert (list(left), list(right)) == ([10, 20, 30], [100, 200, 300])
        job.wait(SECONDS)


@dataclasses.dataclass
class Point:
    x: int
    pixels: np.ndarray


def test_rows_may_be_anything_that_pickles(env: LocalEnvironment) -> None:
    @dataclasses.dataclass
    class Local:
        x: int

    big = np.arange(2_000_000)
    rows = env.from_batch([None, Local(1), Point(2, big), b"x" * 5_000_000]).map(lambda row: row).collect()
    assert rows[:2] == [None, Local(1)]
    assert rows[2].x == 2
    assert np.array_equal(rows[2].pixels, big)
    assert len(rows[3]) == 5_000_000


def test_an_idle_source_delays_no_row(env: LocalEnvironment, tmp_path: Path) -> None:
    """The second row is produced only when the first has come out at the other end."""
    gate = str(tmp_path / "gate")
    os.mkfifo(gate)

    def source():
        yield "first"
        with Path(gate).open() as opened:
            yield opened.read()

    results = env.from_source(source).map(lambda row: row).results()
    with env.submit():
        assert next(results) == "first"
        Path(gate).write_text("second")
        assert list(results) == ["second"]


def test_slow_rows_are_shared_between_workers(env: LocalEnvironment, tmp_path: Path) -> None:
    """Each of two workers gets one of two rows: they wait for each other."""
    meeting = str(tmp_path / "meeting")
    os.mkfifo(meeting)

    def meet(row: str) -> str:
        with Path(meeting).open(row) as file:
            return file.read() if row == "r" else str(file.write("hello"))

    assert sorted(env.from_batch(["r", "w"]).map(meet, parallelism=2).collect()) == ["5", "hello"]


def test_a_fast_source_waits_for_a_slow_sink(tmp_path: Path) -> None:
    produced, worst = str(tmp_path / "produced"), str(tmp_path / "worst")
    Path(produced).write_bytes(bytes(8))
    total, queue = 3000, 16

    def source():
        with Path(produced).open("r+b", buffering=0) as file:
            for n in range(total):
                os.pwrite(file.fileno(), (n + 1).to_bytes(8, "little"), 0)
                yield n

    class SlowSink(SinkFunction):
        def setup(self) -> None:
            self.file = Path(produced).open("rb", buffering=0)  # noqa: SIM115 - closed in cleanup
            self.ahead = []

        def count(self) -> int:
            return int.from_bytes(os.pread(self.file.fileno(), 8, 0), "little")

        def execute(self, row) -> None:
            deadline = time.monotonic() + SECONDS
            while self.count() < min(total, row + queue) and time.monotonic() < deadline:
                pass  # slow: not before the source has run ahead
            self.ahead.append(self.count() - row)

        def cleanup(self) -> None:
            self.file.close()
            Path(worst).write_text(str(max(self.ahead)))

    env = LocalEnvironment("bounded", queue_rows=queue)
    env.from_batch(source).sink(SlowSink)
    env.submit(autostop=True)
    # The sender holds `queue` rows, the receiver may have asked for as many, one each is in hand.
    assert queue <= int(Path(worst).read_text()) <= 2 * queue + 2


# -- services


@pytest.mark.slow
def test_both_spellings_wait_and_give_futures(env: LocalEnvironment) -> None:
    env.register_service("cache", Cache, size=10)
    assert env.from_batch([2, 3]).map(BothSpellings).collect() == [[4, 4, 4], [9, 9, 9]]


@pytest.mark.slow
def test_services_call_services_and_live_in_processes_of_their_own(env: LocalEnvironment) -> None:
    env.register_service("adder", Adder)
    env.register_service("relay", Relay)
    env.register_service("plain", PlainRelay)

    class Ask(MapFunction):
        def execute(self, row):
            relays = [self.call_service[name].double(row) for name in ("relay", "plain")]
            return [*relays, os.getpid(), self.call_service["adder"].pid()]

    results = env.from_batch([20]).map(Ask).results()
    with env.submit() as job:
        (row,) = results
        assert row[:2] == [42, 42]
        assert row[2:] == [job.processes["Ask"][0], job.processes["adder"][0]]
        assert job.call_service["relay"].double(1) == 4
        assert job.call_service_async["adder"].add(1).result(timeout=5.0) == 2
        with pytest.raises(NotImplementedError):
            job.call_service("adder", "adder", 1, method="call_service")
    with pytest.raises(RuntimeError, match="has ended"):
        job.call_service["adder"].add(1)


@pytest.mark.slow
def test_services_set_up_in_order_and_clean_up_in_reverse(env: LocalEnvironment, tmp_path: Path) -> None:
    life = tmp_path / "life"
    env.register_service("one", Journal, str(life), "one")
    env.register_service("two", Journal, str(life), name="two")
    env.from_batch([1]).map(AddOne).sink(print)
    env.submit(autostop=True)
    lines = [line.split() for line in life.read_text().splitlines()]
    assert [line[:2] for line in lines if line[1] != "init"] == [
        ["one", "setup"], ["two", "setup"], ["two", "cleanup"], ["one", "cleanup"],
    ]  # fmt: skip
    assert len({line[2] for line in lines}) == 2


def test_an_endpoint_that_runs_elsewhere(env: LocalEnvironment) -> None:
    class Ask(MapFunction):
        def execute(self, row):
            return self.call_service["adder"].add(row)

    elsewhere = LocalEnvironment("elsewhere")
    elsewhere.register_service("adder", Adder)
    with elsewhere.submit() as job:
        env.register_endpoint("adder", job.endpoints["adder"].target)
        assert env.from_batch([1]).map(Ask).collect() == [2]


def test_outside_a_running_job_services_are_out_of_reach(caplog: pytest.LogCaptureFixture) -> None:
    for idle in (AddOne(), Relay()):
        for name in ("call_service", "call_service_async"):
            with pytest.raises(RuntimeError) as caught:
                getattr(idle, name)
            assert str(caught.value) == NOT_RUNNING
        with caplog.at_level(logging.INFO):
            idle.logger.info("alone")
    assert "alone" in caplog.text


@pytest.mark.slow
def test_prints_and_logs_say_who_speaks(tmp_path: Path) -> None:
    done = run_script(
        tmp_path,
        """
        class Speak(MapFunction):
            def setup(self): self.logger.warning("getting up")
            def execute(self, row):
                print("row", row)
                return self.call_service["echo"].say(row)

        class Echo:
            def say(self, row):
                self.logger.info("saying %s", row)
                return row

        env = LocalEnvironment("talk")
        env.register_service("echo", Echo)
        env.from_batch([7]).map(Speak).sink(lambda row: None)
        env.submit(autostop=True)
        """,
    )
    assert done.stdout == "row 7\n"
    assert "WARNING [talk/Speak[0]] getting up" in done.stderr
    assert "INFO [talk/echo[0]] saying 7" in done.stderr


# -- life


@pytest.mark.slow
def test_stop_lets_rows_arrive_and_cleans_up(env: LocalEnvironment, tmp_path: Path) -> None:
    out = tmp_path / "rows"
    env.from_source(Ticks, parallelism=2).map(AddOne, parallelism=2).sink(Write, str(out))
    job = env.submit()
    result = job.stop()
    rows = list(map(int, out.read_text().split()))
    assert (
        len(rows) == len(set(rows)) == result.operators["Write"].rows_in == result.operators["Ticks"].rows_out
    )
    assert sorted(r for r in rows if r < 1_000_000) == list(range(2, 2 + sum(r < 1_000_000 for r in rows)))
    assert result.stopped


@pytest.mark.slow
def test_a_source_that_waits_for_ever_is_interrupted_by_stop(env: LocalEnvironment) -> None:
    def source():
        yield 1
        forever(None)

    seen = env.from_source(source).results()
    with env.submit() as job:
        assert next(seen) == 1
        assert job.cancel().stopped


@pytest.mark.slow
def test_the_block_of_a_job_ends_it(env: LocalEnvironment) -> None:
    env.register_service("adder", Adder)
    env.from_source(Ticks).map(forever, parallelism=2).sink(print)

    def use(job: Job) -> None:
        with job:
            assert job.call_service["adder"].add(1) == 2
            assert job.state in ("starting", "running")
            raise ZeroDivisionError

    job = env.submit()
    with pytest.raises(ZeroDivisionError):
        use(job)
    assert job.state == "ended"
    assert "ended" in repr(job)


def test_code_that_cannot_be_interrupted_is_killed(env: LocalEnvironment) -> None:
    def stubborn(row):
        while True:
            with contextlib.suppress(BaseException):
                forever(row)

    env.from_batch([1]).sink(stubborn)
    job = env.submit()
    (pid,) = job.processes["stubborn"]
    start = time.monotonic()
    assert job.cancel().stopped
    assert time.monotonic() - start < 8
    assert not Path(f"/proc/{pid}").exists()


def test_an_environment_of_services_alone(env: LocalEnvironment) -> None:
    env.register_service("adder", Adder)
    with env.submit() as job:
        assert job.call_service["adder"].add(1) == 2
        target = job.endpoints["adder"].target
        for transport in ("shm", "grpc"):
            options = [("sage_rpc.transport", transport)]
            with sage_rpc.ServiceManager({"adder": target}, options=options) as manager:
                if transport == "grpc" or sage_rpc.native.available():
                    assert manager.get_sync_proxy("adder").add(2) == 3


def test_an_environment_runs_again(env: LocalEnvironment) -> None:
    stream = env.from_batch([1, 2])
    assert stream.collect() == [1, 2]
    assert stream.map(AddOne).collect() == [2, 3]


# -- failures


def fails(env: LocalEnvironment) -> JobError:
    with pytest.raises(JobError) as caught:
        env.submit(autostop=True)
    return caught.value


def test_a_failing_operator_fails_the_job(env: LocalEnvironment) -> None:
    env.register_service("cache", Cache)
    env.from_source(Ticks).map(FailAt, 100, parallelism=2).sink(lambda row: None)
    error = fails(env)
    assert (error.kind, error.name, error.type_name) == ("operator", "FailAt", "ValueError")
    assert "operator 'FailAt' (worker " in str(error)
    assert "failed in execute(): ValueError: no 100s here" in str(error)
    assert 'raise ValueError(f"no {row}s here")' in error.remote_traceback
    assert isinstance(error.__cause__, ValueError)
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.name, repr(copy.__cause__)) == (str(error), error.name, repr(error.__cause__))


@pytest.mark.slow
@pytest.mark.parametrize("step", ["__init__", "setup", "cleanup", "exit"])
def test_a_service_that_fails_fails_the_job(env: LocalEnvironment, step: str) -> None:
    class Broken:
        def __init__(self) -> None:
            self.do("__init__")

        def do(self, what: str) -> None:
            if what == step:
                raise LookupError("no database")

        def setup(self) -> None:
            self.do("setup")
            if step == "exit":
                sys.exit(3)

        def cleanup(self) -> None:
            self.do("cleanup")

    env.register_service("adder", Adder)
    env.register_service("broken", Broken)
    env.from_batch([1]).sink(lambda row: None)
    error = fails(env)
    assert (error.kind, error.name) == ("service", "broken")
    assert ("SystemExit" if step == "exit" else "LookupError: no database") in str(error)
    assert step in str(error) or step == "exit"


def test_an_operator_that_fails_in_setup_sees_no_rows(env: LocalEnvironment, tmp_path: Path) -> None:
    out = tmp_path / "rows"

    class Broken(AddOne):
        def setup(self) -> None:
            raise OSError("no disk")

    env.from_batch([1]).map(Broken).sink(Write, str(out))
    assert "operator 'Broken' (worker 1 of 1) failed in setup(): OSError: no disk" in str(fails(env))
    assert not out.exists() or out.read_text() == ""


def test_a_remote_error_carries_both_tracebacks(env: LocalEnvironment) -> None:
    class Refuse:
        def ask(self):
            raise PermissionError("not you")

    class Ask(MapFunction):
        def execute(self, row):
            return self.call_service["refuse"].ask()

    env.register_service("refuse", Refuse)
    env.from_batch([1]).map(Ask).sink(print)
    error = fails(env)
    assert (error.name, error.type_name) == ("Ask", "sage_rpc.errors.RemoteError")
    assert 'self.call_service["refuse"].ask()' in error.remote_traceback
    assert 'raise PermissionError("not you")' in error.remote_traceback
    assert isinstance(error.__cause__, sage_rpc.RemoteError)


def test_a_row_that_does_not_pickle_names_its_operator(env: LocalEnvironment) -> None:
    env.from_batch([1]).map(lambda row: (n for n in [row])).sink(print)
    assert "operator 'map' (worker 1 of 1) failed in sending on a row of type generator" in str(fails(env))


@pytest.mark.slow
@pytest.mark.parametrize("victim", ["Ticks", "AddOne", "sink", "adder"])
def test_a_killed_process_fails_the_job(env: LocalEnvironment, victim: str) -> None:
    class Ask(MapFunction):
        def execute(self, row):
            return self.call_service["adder"].add(row)

    env.register_service("adder", Adder)
    results = env.from_source(Ticks).map(AddOne, parallelism=2).map(Ask).results()
    env.from_batch([1]).sink(forever)
    job = env.submit()
    next(results)
    name = "forever" if victim == "sink" else victim
    pid = job.processes[name][-1]
    os.kill(pid, signal.SIGKILL)
    start = time.monotonic()
    with pytest.raises(JobError) as caught:
        for _ in results:
            pass
    assert time.monotonic() - start < 10
    assert f"{name!r}" in str(caught.value)
    assert f"process {pid}, was killed by SIGKILL" in str(caught.value)
    with pytest.raises(JobError):
        job.wait()


def test_a_killed_process_is_seen_while_its_forked_children_live(env: LocalEnvironment) -> None:
    def fork(row):
        if os.fork() == 0:
            forever(row)
        os.kill(os.getpid(), signal.SIGKILL)

    env.from_batch([1]).sink(fork)
    assert "was killed by SIGKILL" in str(fails(env))


@pytest.mark.slow
def test_a_service_that_takes_too_long_to_start(tmp_path: Path) -> None:
    class Slow:
        def setup(self) -> None:
            forever(None)

    env = LocalEnvironment("slow", start_timeout=2.0)
    env.register_service("slow", Slow)
    with pytest.raises(TimeoutError, match=r"service 'slow' is not ready after 2.0 s"):
        env.submit(autostop=True)


# -- misuse


def twice(env: LocalEnvironment) -> None:
    env.register_service("a", Cache)
    env.register_service("a", Cache)


def no_end(env: LocalEnvironment) -> None:
    env.from_batch([1]).map(AddOne)
    env.submit()


def results_and_autostop(env: LocalEnvironment) -> None:
    env.from_batch([1]).results()
    env.submit(autostop=True)


@pytest.mark.parametrize(
    ("describe", "error", "text"),
    [
        (lambda env: env.from_batch([1]).map(Odd), TypeError, "Odd is a FilterFunction"),
        (lambda env: env.from_batch([1]).sink(3), TypeError, "not 3"),
        (lambda env: env.from_batch([1]).map(MapFunction), TypeError, "MapFunction does not define execute"),
        (lambda env: env.from_batch([1]).map(FailAt), TypeError, "missing a required argument: 'at'"),
        (lambda env: env.from_batch([1]).map(len, 1), TypeError, "is no MapFunction class"),
        (lambda env: env.from_batch(iter([1])), TypeError, "can be read once"),
        (lambda env: env.from_batch(7), TypeError, "or an iterable, not 7"),
        (lambda env: env.from_batch([1], parallelism=0), ValueError, "at least 1 worker"),
        (twice, ValueError, "registered already"),
        (lambda env: env.register_service("a/b", Cache), ValueError, "no name for a service"),
        (lambda env: env.register_service("a", 5), TypeError, "must be a class"),
        (lambda env: env.register_endpoint("a", "x:1", service="no.Such"), ValueError, "no protobuf service"),
        (lambda env: env.submit(), ValueError, "neither services nor operators"),
        (no_end, ValueError, "nothing takes the rows of 'AddOne'"),
        (results_and_autostop, ValueError, "without autostop"),
        (lambda env: env.from_batch([threading.Lock()]).collect(), TypeError, "make what it holds in setup"),
        (lambda env: next(env.from_batch([1]).results()), RuntimeError, "after submit"),
        (lambda env: LocalEnvironment(""), ValueError, "no name"),
        (lambda env: LocalEnvironment("x", queue_rows=0), ValueError, "at least 1 row"),
    ],
)
def test_misuse_is_a_clear_error(env: LocalEnvironment, describe, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        describe(env)


def test_base_functions_are_what_they_say() -> None:
    for kind in (MapFunction, FilterFunction, FlatMapFunction, BatchFunction, SourceFunction, SinkFunction):
        assert issubclass(kind, BaseFunction)
        with pytest.raises(TypeError, match="abstract"):
            kind()


# -- programs


HEAD = """
import os, signal, sys
from sage_rpc.operators import *
"""

ENDLESS = """
import itertools, json

class Adder:
    def setup(self): print("service is up", flush=True)
    def cleanup(self): print("service cleaned up", flush=True)
    def add(self, n): return n + 1

class Ask(MapFunction):
    def execute(self, row): return self.call_service["adder"].add(row)
    def cleanup(self): print("operator cleaned up", flush=True)

class Sink(SinkFunction):
    def setup(self): self.rows = 0
    def execute(self, row):
        self.rows += 1
        if self.rows == 100: print("rows flow", flush=True)

env = LocalEnvironment("endless")
env.register_service("adder", Adder)
env.from_source(itertools.count).map(Ask, parallelism=2).sink(Sink)
"""


def run_script(tmp_path: Path, body: str, *, code: int = 0) -> subprocess.CompletedProcess[str]:
    path = tmp_path / "script.py"
    path.write_text(HEAD + textwrap.dedent(body))
    done = subprocess.run(
        [sys.executable, str(path)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == code, done.stderr
    return done


@pytest.fixture
def endless(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A program in the midst of an endless job that never stops by itself."""
    path = tmp_path / "endless.py"
    path.write_text(
        HEAD
        + ENDLESS.replace("itertools.count", "count").replace(
            "env = Local", "def count():\n    yield from itertools.count()\n\nenv = Local"
        )
        + "env.submit(autostop=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, str(path)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        for line in process.stdout:
            if line == "rows flow\n":
                break
        yield process
        if process.poll() is None:
            process.kill()


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_main_process_leaves_nothing(
    endless: subprocess.Popen[str], runtime_directory: Path, how: signal.Signals
) -> None:
    pids = processes_in(runtime_directory)
    assert len(pids) == 1 + 1 + 1 + 4  # main, guard, service, operators
    endless.send_signal(how)
    wait_for_end(pids, 8.0)
    assert names(runtime_directory) == []
    lines = endless.stdout.read().splitlines()
    assert lines.count("operator cleaned up") == 2
    assert lines.count("service cleaned up") == 1


@pytest.mark.slow
def test_ctrl_c_ends_the_job_and_the_program(endless: subprocess.Popen[str], runtime_directory: Path) -> None:
    pids = processes_in(runtime_directory)
    os.killpg(endless.pid, signal.SIGINT)  # as a terminal does it
    out, err = endless.communicate(timeout=SECONDS)
    wait_for_end(pids, 1.0)
    assert endless.returncode == -signal.SIGINT
    assert err.count("KeyboardInterrupt") == 1, err
    assert err.count("Traceback") == 1, err
    assert out.count("operator cleaned up") == 2  # on one line, perhaps: two processes print at once
    assert out.splitlines()[-1] == "service cleaned up"


@pytest.mark.slow
def test_stuck_code_does_not_outlive_a_killed_main_process(tmp_path: Path, runtime_directory: Path) -> None:
    """Not even code that keeps the interpreter to itself, in a service that has published a socket."""
    path = tmp_path / "stuck.py"
    path.write_text(
        HEAD
        + textwrap.dedent("""
        import ctypes

        class Stuck:
            def hold(self):
                print("stuck", flush=True)
                ctypes.PyDLL(None).pause()  # in C, with the GIL held

        class Ask(MapFunction):
            def execute(self, row): return self.call_service["stuck"].hold()

        env = LocalEnvironment("stuck")
        env.register_service("stuck", Stuck)
        env.from_batch([1]).map(Ask).sink(print)
        env.submit(autostop=True)
        """)
    )
    with subprocess.Popen(
        [sys.executable, str(path)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "stuck\n"
        pids = processes_in(runtime_directory)
        process.kill()
        wait_for_end(pids, 15.0)
    assert names(runtime_directory) == []


def test_a_program_that_just_ends_stops_its_job(tmp_path: Path) -> None:
    done = run_script(
        tmp_path,
        """
        class Adder:
            def add(self, n): return n + 1
            def cleanup(self): print("cleaned up")

        env = LocalEnvironment("left")
        env.register_service("adder", Adder)
        job = env.submit()
        print(job.call_service["adder"].add(1))
        """,
    )
    assert done.stdout == "2\ncleaned up\n"


@pytest.mark.slow
def test_code_of_main_needs_no_guard_and_python_c_will_do() -> None:
    program = HEAD + textwrap.dedent("""
        OFFSET = 10
        class Row:
            def __init__(self, n): self.n = n
        class Shift(MapFunction):
            def execute(self, row): return Row(row + OFFSET)
        stream = LocalEnvironment("c").from_batch([1, 2]).map(Shift)
        rows = stream.filter(lambda row: isinstance(row, Row)).collect()
        assert all(isinstance(row, Row) for row in rows)
        print([row.n for row in rows])
        """)
    for arguments, text in ((["-c", program], None), (["-"], program)):
        done = subprocess.run(
            [sys.executable, *arguments],
            input=text,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
        assert (done.stdout, done.stderr) == ("[11, 12]\n", "")


@pytest.mark.slow
def test_what_a_program_keeps_in_its_classes_stays() -> None:
    """Rows of classes of `__main__`, and errors of theirs, travel by value; that sets no class back."""
    program = HEAD + textwrap.dedent("""
        import enum
        class Order:
            made = 0
            def __init__(self): Order.made += 1; self.number = Order.made
        class Colour(enum.Enum):
            RED = 1
        class Wrong(Exception):
            pass
        def again(row):          # in one worker, row after row
            return Order(), Colour.RED
        def fails(row):
            raise Wrong("no")
        rows = [Order() for _ in range(4)]
        Order.open, Colour.seen, Wrong.open = ["kept"], 3, ["kept"]
        opened = Order.open, Wrong.open
        env = LocalEnvironment("c")
        got = env.from_batch(rows).map(again).map(lambda row: row).collect()
        print([order.number for order, _ in got], Order.made, Order.open is opened[0], Colour.seen)
        print(all(type(order) is Order and colour is Colour.RED for order, colour in got))
        try:
            LocalEnvironment("d").from_batch(rows).map(fails).collect()
        except Exception as error:
            print(type(error.__cause__).__name__, Wrong.open is opened[1], Order.made)
        """)
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.stdout == "[5, 6, 7, 8] 4 True 3\nTrue\nWrong True 4\n", done.stderr


def test_a_job_survives_the_thread_that_submitted_it(env: LocalEnvironment) -> None:
    from concurrent.futures import ThreadPoolExecutor

    env.register_service("adder", Adder)
    with ThreadPoolExecutor(1) as pool:
        job: Job = pool.submit(env.submit).result()
    with job:
        assert job.call_service["adder"].add(1) == 2


def test_a_forked_child_keeps_no_lifeline_open(tmp_path: Path, runtime_directory: Path) -> None:
    """The job ends with the process that submitted it, though a child forked by that one lives on."""
    path = tmp_path / "forking.py"
    path.write_text(
        HEAD
        + textwrap.dedent("""
        class Adder:
            def add(self, n): return n + 1

        env = LocalEnvironment("forking")
        env.register_service("adder", Adder)
        job = env.submit()
        job.call_service["adder"].add(1)
        child = os.fork()
        if child == 0:
            try:
                job.cancel()
            except RuntimeError as error:
                assert "belongs to the process that submitted it" in str(error)
            print("forked", os.getpid(), flush=True)
            sys.stdin.read()
            os._exit(0)
        signal.pause()
        """)
    )
    with subprocess.Popen(
        [sys.executable, str(path)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        word, child = process.stdout.readline().split()
        assert word == "forked"
        pids = processes_in(runtime_directory)
        process.kill()
        wait_for_end([pid for pid in pids if pid != int(child)], 8.0)
        assert processes_in(runtime_directory) == [int(child)]
        process.stdin.close()
        wait_for_end([int(child)])


# -- examples


@pytest.mark.slow
@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("hello_stub.py", "Hello, Ada!\nINVALID_ARGUMENT: whom shall I greet?\ncarried by: "),
        ("hello_operators.py", "words; the most common:\n"),
        ("hello_policies.py", "2 endpoints answer, and no call failed\n"),
    ],
)
def test_the_examples_run(program: str, expected: str) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / program)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert expected in done.stdout


def test_the_examples_generated_code_is_fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    protoc = pytest.importorskip("grpc_tools.protoc")
    monkeypatch.syspath_prepend(str(ROOT / "examples"))
    import hello_pb2

    out = tmp_path / "hello.descriptors"
    assert (
        protoc.main(["protoc", f"-I{ROOT / 'examples'}", f"--descriptor_set_out={out}", "hello.proto"]) == 0
    )
    (file,) = descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes()).file
    ours = descriptor_pb2.FileDescriptorProto.FromString(hello_pb2.DESCRIPTOR.serialized_pb)
    assert [(m.name, [f.name for f in m.field]) for m in ours.message_type] == [
        (m.name, [f.name for f in m.field]) for m in file.message_type
    ]
    assert ours.service == file.service


def test_a_declared_service_that_runs_elsewhere(
    env: LocalEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its descriptor travels along: the worker processes have not imported the generated module."""
    monkeypatch.syspath_prepend(str(ROOT / "examples"))
    import hello_pb2

    class Ask(MapFunction):
        def execute(self, row):
            assert "hello_pb2" not in sys.modules
            return self.call_service["greeter"].hello(name=row).text

    command = [sys.executable, str(ROOT / "examples" / "hello_stub.py"), "serve"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        target = server.stdout.readline().strip()
        service = hello_pb2.DESCRIPTOR.services_by_name["Greeter"]
        env.register_endpoint("greeter", target, service=service)
        assert env.from_batch(["Ada", "Bob"]).map(Ask).collect() == ["Hello, Ada!", "Hello, Bob!"]
