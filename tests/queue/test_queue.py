"""SageQueue: what docs/queue.md promises, with real processes, which are killed at any moment."""

from __future__ import annotations

import collections
import contextlib
import copy
import datetime
import itertools
import multiprocessing
import os
import pickle
import queue as standard
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sage_rpc
from sage_rpc import QueueClosed, QueueCorrupted, SageQueue
from sage_rpc.encoding.values import UnserializableError
from sage_rpc.queue import named as module
from tests.programs import queue_worker

pytest.importorskip("sage_rpc.queue._queue", reason="the native core is not built")

WORKER = Path(queue_worker.__file__)
SHM = Path("/dev/shm")
_numbers = itertools.count()


def segment(name: str) -> Path:
    return SHM / f"sage-{name}"


@pytest.fixture
def name():
    """A name of its own for each test, and nothing left of it in shared memory."""
    chosen = f"test-{os.getpid()}-{next(_numbers)}"
    yield chosen
    segment(chosen).unlink(missing_ok=True)


@pytest.fixture
def queue(name):
    with SageQueue(name, capacity=65536) as opened:
        yield opened
        opened.unlink()


class Workers:
    """Processes of queue_worker.py; none outlives the test."""

    def __init__(self) -> None:
        self.running: list[subprocess.Popen] = []

    def start(self, *args: object, **options) -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, str(WORKER), *map(str, args)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(WORKER.parents[2])},
            **options,
        )
        self.running.append(process)
        return process

    def stop(self) -> None:
        for process in self.running:
            if process.poll() is None:
                process.kill()
            process.wait()
            process.stdout.close()
            process.stderr.close()


@pytest.fixture
def workers():
    started = Workers()
    yield started
    started.stop()


def finish(process: subprocess.Popen) -> str:
    out, errors = process.communicate(timeout=40)
    assert process.returncode == 0, errors
    return out


def until_asleep(pid: int, thread: int | None = None) -> None:
    """Wait until that process's (main) thread sleeps in a futex, as it does while it waits in the queue."""
    stat = Path(f"/proc/{pid}/task/{thread or pid}/syscall")
    while True:
        with contextlib.suppress(OSError, IndexError):
            if stat.read_text().split()[0] in {"202", "98"}:  # futex on x86-64, aarch64
                return
        os.sched_yield()


# -- one process


def test_items_come_out_in_the_order_they_went_in(queue):
    for number in range(100):
        queue.put(b"%d" % number)
    assert [queue.get() for _ in range(100)] == [b"%d" % number for number in range(100)]


@pytest.mark.parametrize(
    "item",
    [None, True, 7, -(10**40), 1.5, "text", [1, (2, "x")], {"a": {"b": [None]}}, (), "",
     datetime.datetime(2024, 2, 29, tzinfo=datetime.timezone.utc)],
    ids=repr,
)  # fmt: skip
def test_values_arrive_equal_and_of_the_same_type(queue, item):
    queue.put(item)
    got = queue.get()
    assert got == item
    assert type(got) is type(item)


@pytest.mark.parametrize("size", [0, 1, 8, 4095, 4096, 4097, 65520])
@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bytes_of_any_kind_arrive_as_bytes(queue, kind, size):
    data = os.urandom(size)
    queue.put(kind(data))
    got = queue.get()
    assert type(got) is bytes
    assert got == data


def test_a_memoryview_with_gaps_arrives_as_the_bytes_it_shows(queue):
    queue.put(memoryview(b"abcdef")[::2])
    assert queue.get() == b"ace"


def test_numpy_arrays_keep_shape_and_type(queue):
    numpy = pytest.importorskip("numpy")
    queue.put(numpy.arange(6, dtype="<u2").reshape(2, 3))
    got = queue.get()
    assert got.shape == (2, 3)
    assert got.dtype == numpy.dtype("<u2")


def test_what_does_not_travel_is_refused_and_leaves_the_queue_as_it_was(queue):
    with pytest.raises(UnserializableError, match=r"value\[1\].*object"):
        queue.put([1, object()])
    assert queue.empty()


def test_empty_and_full_are_the_standard_librarys(name):
    with SageQueue(name, maxsize=2) as queue:
        with pytest.raises(standard.Empty):
            queue.get_nowait()
        queue.put_nowait(1)
        queue.put_nowait(2)
        assert queue.full()
        for refused in (
            lambda: queue.put_nowait(3),
            lambda: queue.put(3, False),
            lambda: queue.put(3, timeout=0),
        ):
            with pytest.raises(standard.Full):
                refused()
        assert queue.qsize() == 2
        assert [queue.get(False), queue.get(timeout=0)] == [1, 2]
        assert queue.empty()


def test_a_queue_without_maxsize_is_full_when_its_bytes_are(queue):
    count = 0
    with contextlib.suppress(standard.Full):
        while True:
            queue.put_nowait(b"x" * 48)
            count += 1
    assert count == 65536 // 64
    assert queue.full()


@pytest.mark.parametrize("seconds", [0.001, 0.15])
def test_a_timeout_is_kept(name, seconds):
    with SageQueue(name, maxsize=1) as queue:
        start = time.monotonic()
        with pytest.raises(standard.Empty):
            queue.get(timeout=seconds)
        assert seconds <= time.monotonic() - start < seconds + 1
        queue.put(1)
        start = time.monotonic()
        with pytest.raises(standard.Full):
            queue.put(2, timeout=seconds)
        assert seconds <= time.monotonic() - start < seconds + 1


def test_an_item_that_can_never_fit_says_both_sizes(queue):
    with pytest.raises(ValueError, match=r"100000 bytes.*capacity of 65536 bytes \(largest item: 65520\)"):
        queue.put(bytes(100_000))


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda q: q.get(2.0), TypeError),
        (lambda q: q.put(1, 5), TypeError),
        (lambda q: q.get(timeout=-1), ValueError),
        (lambda q: q.get(timeout=float("nan")), ValueError),
        (lambda q: q.put(1, timeout="soon"), TypeError),
    ],
)
def test_wrong_arguments_are_errors(queue, call, error):
    with pytest.raises(error):
        call(queue)
    assert queue.empty()


OPERATIONS = st.lists(
    st.one_of(
        st.binary(max_size=3000).map(lambda data: ("put", data)),
        st.recursive(st.none() | st.integers() | st.text(), st.lists, max_leaves=5).map(lambda v: ("put", v)),
        st.just(("get", None)),
    ),
    max_size=80,
)


@settings(max_examples=150, deadline=None)
@given(operations=OPERATIONS, maxsize=st.sampled_from([0, 3]))
def test_it_behaves_like_a_deque(operations, maxsize):
    name = f"test-{os.getpid()}-model"
    with SageQueue(name, maxsize=maxsize, capacity=4096) as queue:
        try:
            model: collections.deque = collections.deque()
            for operation, item in operations:
                if operation == "put":
                    before = queue.qsize()
                    try:
                        queue.put_nowait(item)
                        model.append(item)
                    except standard.Full:
                        assert model
                        assert queue.qsize() == before
                elif model:
                    assert queue.get_nowait() == model.popleft()
                else:
                    with pytest.raises(standard.Empty):
                        queue.get_nowait()
                assert queue.qsize() == len(model)
                assert queue.empty() == (not model)
            assert [queue.get_nowait() for _ in range(queue.qsize())] == list(model)
        finally:
            queue.unlink()


# -- names, parameters, lifetime


@pytest.mark.parametrize("bad", ["", ".", "..", "a/b", "/a", "-a", "a b", "ä", "a\0", "x" * 201])
def test_bad_names_are_refused(bad):
    with pytest.raises(ValueError, match="no name for a queue"):
        SageQueue(bad)


def test_wrong_types_of_parameters_are_refused(name):
    for arguments in ((7,), (name, "3"), (name, True), (name, None, 1.5)):
        with pytest.raises(TypeError):
            SageQueue(*arguments)
    for arguments in ((name, -1), (name, None, 0), (name, None, 1 << 40)):
        with pytest.raises(ValueError, match="expected"):
            SageQueue(*arguments)
    assert not segment(name).exists()


def test_two_handles_are_one_queue(queue, name):
    with SageQueue(name) as other:
        queue.put("x")
        assert other.get() == "x"
        assert (other.maxsize, other.capacity) == (queue.maxsize, queue.capacity)


def test_other_parameters_than_the_queue_has_are_an_error(name):
    with SageQueue(name, maxsize=3, capacity=5000) as queue:
        assert queue.capacity == 8192
        with pytest.raises(ValueError, match="exists with maxsize=3, not 4"):
            SageQueue(name, maxsize=4)
        with pytest.raises(ValueError, match="exists with capacity=8192, not 12288"):
            SageQueue(name, capacity=9000)
        SageQueue(name, maxsize=3, capacity=5001).close()


def test_a_queue_that_is_not_there_is_file_not_found(name):
    with pytest.raises(FileNotFoundError, match=name):
        SageQueue(name, create=False)
    with pytest.raises(FileNotFoundError, match=name):
        SageQueue.remove(name)


def test_unlink_takes_the_name_and_leaves_the_queue_to_those_who_have_it(queue, name):
    queue.put(1)
    queue.unlink()
    assert not segment(name).exists()
    assert queue.get() == 1
    queue.unlink()
    with SageQueue(name) as successor:
        queue.unlink()
        assert segment(name).exists(), "only the own queue is unlinked"
        assert successor.empty()


def test_items_outlive_those_who_put_them(name):
    with SageQueue(name) as queue:
        queue.put("kept")
    with SageQueue(name) as queue:
        assert queue.get() == "kept"


def test_a_closed_queue_says_so(queue):
    queue.close()
    queue.close()
    assert queue.closed
    for call in (queue.get, queue.get_nowait, queue.qsize, queue.empty, lambda: queue.put(1)):
        with pytest.raises(QueueClosed, match="was closed in this process"):
            call()
    with pytest.raises(ValueError, match="closed"):
        pickle.dumps(queue)


def test_its_repr_shows_its_state(queue, name):
    queue.put(b"12345678")
    assert repr(queue) == f"<SageQueue '{name}' [open, 1 items, 24 of 65536 bytes]>"
    queue.close()
    assert repr(queue) == f"<SageQueue '{name}' [closed]>"


@pytest.mark.parametrize("waiters", [1, 4])
def test_closing_ends_the_waiting_of_other_threads(queue, waiters):
    ended: list[type] = []
    entered = threading.Semaphore(0)
    threads = []

    def wait() -> None:
        entered.release()
        try:
            queue.get()
        except Exception as error:
            ended.append(type(error))

    for _ in range(waiters):
        threads.append(threading.Thread(target=wait))
        threads[-1].start()
        entered.acquire()
        until_asleep(os.getpid(), threads[-1].native_id)
    queue.close()
    for thread in threads:
        thread.join(10)
    assert ended == [QueueClosed] * waiters


def test_waiting_lets_other_threads_run(queue):
    thread = threading.Thread(target=lambda: queue.put(queue.get()))
    thread.start()
    until_asleep(os.getpid(), thread.native_id)
    queue.put("through")
    thread.join(10)
    assert queue.get() == "through"


# -- bad segments, no room, no native core


@pytest.mark.parametrize("text", [b"not a queue" * 1000, b"x" * 10])
def test_something_else_under_the_name_is_left_alone(name, text):
    segment(name).write_bytes(text)
    with pytest.raises(QueueCorrupted, match=r"remove it with SageQueue\.remove"):
        SageQueue(name)
    assert segment(name).read_bytes() == text
    SageQueue.remove(name)
    assert not segment(name).exists()


@pytest.mark.parametrize("where", [128, 136, 4096])
def test_overwritten_memory_is_an_error_and_no_crash(queue, name, where):
    for _ in range(2):
        queue.put(b"abc")
    with segment(name).open("r+b") as file:
        for copy_of_state in {where, where + 64} if where < 4096 else {where}:
            file.seek(copy_of_state)
            file.write(b"\xff" * 8)
    with pytest.raises(QueueCorrupted, match="some process overwrote it"):
        queue.get(timeout=5)


def test_a_truncated_segment_is_not_opened(queue, name):
    with segment(name).open("r+b") as file:
        file.truncate(8192)
    try:
        with pytest.raises(QueueCorrupted):
            SageQueue(name)
    finally:
        with segment(name).open("r+b") as file:
            file.truncate(4096 + 65536)


def test_a_half_made_queue_is_made_anew(name):
    segment(name).write_bytes(bytes(5000))
    segment(name).chmod(0o600)
    with pytest.raises(FileNotFoundError, match="died before it was complete"):
        SageQueue(name, create=False)
    with SageQueue(name, capacity=4096) as queue:
        queue.put(1)
        assert queue.get() == 1


def test_no_room_in_shared_memory_is_an_oserror_that_says_what_to_do(name):
    size = (os.statvfs(SHM).f_bavail * os.statvfs(SHM).f_frsize) + (1 << 30)
    with pytest.raises(OSError, match=r"no room for the queue.*bytes are free.*smaller capacity"):
        SageQueue(name, capacity=min(size, (1 << 40) - 1))
    assert not segment(name).exists()


def test_a_limit_on_file_sizes_is_an_oserror(name):
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "import sage_rpc\n"
        "try: sage_rpc.SageQueue(sys.argv[1])\n"
        "except OSError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, name], capture_output=True, text=True, cwd=WORKER.parents[2]
    )
    assert "File too large" in done.stdout, done.stderr
    assert "ulimit -f" in done.stdout
    assert not segment(name).exists()


def test_without_the_native_core_the_error_says_what_to_do(name, monkeypatch):
    # As where it was never built: the import system finds no such module.
    monkeypatch.setitem(sys.modules, "sage_rpc.queue._queue", None)
    monkeypatch.delattr("sage_rpc.queue._queue")
    with pytest.raises(ImportError, match="install a C compiler"):
        SageQueue(name)
    assert not segment(name).exists()


def test_the_file_descriptor_is_not_kept(queue):
    before = len(list(Path("/proc/self/fd").iterdir()))
    handles = [SageQueue(queue.name) for _ in range(20)]
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    for handle in handles:
        handle.close()


# -- fork and pickle


def test_it_works_in_a_forked_child_even_if_threads_were_waiting(queue):
    thread = threading.Thread(target=queue.get)
    thread.start()
    until_asleep(os.getpid(), thread.native_id)
    child = os.fork()
    if child == 0:
        code = 1
        with contextlib.suppress(BaseException):
            queue.put("from the child")
            queue.close()  # the parent's waiting thread is not here: this must not wait for it
            code = 0
        os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    thread.join(10)
    assert not thread.is_alive()


def _echo(queue, answers) -> None:
    while (item := queue.get()) is not None:
        answers.put((os.getpid(), item))


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_it_is_an_argument_of_processes(queue, name, method):
    context = multiprocessing.get_context(method)
    with SageQueue(name + "-answers") as answers:
        process = context.Process(target=_echo, args=(queue, answers))
        process.start()
        queue.put("ping")
        assert answers.get(timeout=30) == (process.pid, "ping")
        queue.put(None)
        process.join(10)
        assert process.exitcode == 0
        answers.unlink()


def test_a_pickled_queue_opens_the_same_queue(queue):
    with pickle.loads(pickle.dumps(queue)) as twin, copy.copy(queue) as third:
        twin.put(1)
        assert third.get() == 1


def test_a_pickled_queue_never_opens_another_of_its_name(queue, name):
    data = pickle.dumps(queue)
    queue.unlink()
    with pytest.raises(FileNotFoundError, match="no queue"):
        pickle.loads(data)
    with SageQueue(name), pytest.raises(FileNotFoundError, match="another one made under its name"):
        pickle.loads(data)


# -- several processes


def received(path: Path) -> list[tuple[int, int]]:
    return [tuple(map(int, line.split())) for line in path.read_text().splitlines()] if path.exists() else []


def test_every_item_arrives_once_and_each_producers_in_order(name, workers, tmp_path):
    with SageQueue(name, maxsize=20, capacity=32768) as queue:
        files = [tmp_path / f"consumer-{i}" for i in range(3)]
        consumers = [workers.start("consume", name, path) for path in files]
        producers = [workers.start("produce", name, i, 0, 4000) for i in range(3)]
        for process in producers:
            finish(process)
        for _ in consumers:
            queue.put(queue_worker.STOP)
        for process in consumers:
            finish(process)
        assert queue.empty()
    got = [received(path) for path in files]
    everything = sorted(itertools.chain.from_iterable(got))
    assert everything == [(producer, number) for producer in range(3) for number in range(4000)]
    for one, producer in itertools.product(got, range(3)):
        numbers = [number for who, number in one if who == producer]
        assert numbers == sorted(numbers)


@pytest.mark.slow
def test_killed_processes_harm_nobody_else(name, workers, tmp_path):
    """Sixty, at random, under load: nothing doubled, wrong or stuck; at most one lost for each consumer."""
    chance = random.Random(1)
    kills = 60
    with SageQueue(name, maxsize=10, capacity=32768) as queue:
        context = multiprocessing.get_context("fork")
        files = [tmp_path / "consumer-0"]
        next_producer = itertools.count()

        def producer():
            process = context.Process(
                target=queue_worker.produce, args=(name, next(next_producer), 0, 1 << 40)
            )
            process.start()
            return process

        def consumer():
            files.append(tmp_path / f"consumer-{len(files)}")
            process = context.Process(target=queue_worker.consume, args=(name, files[-1]))
            process.start()
            return process

        running = [(make, make()) for make in (producer, producer, producer, consumer, consumer, consumer)]
        killed_consumers = 0
        for _ in range(kills):
            before = sum(path.stat().st_size for path in files if path.exists())
            while sum(path.stat().st_size for path in files if path.exists()) < before + 500:
                os.sched_yield()
            index = chance.randrange(len(running))
            make, process = running[index]
            process.kill()
            process.join(10)
            assert process.exitcode == -signal.SIGKILL
            killed_consumers += make is consumer
            running[index] = (make, make())
        for make, process in running:
            process.kill()
            process.join(10)
            assert process.exitcode == -signal.SIGKILL, "it ended by itself: it saw a wrong item"
            killed_consumers += make is consumer
        left = []
        with contextlib.suppress(standard.Empty):
            while True:
                item = queue.get_nowait()
                who, number, _ = item.split(b" ", 2)
                assert item == queue_worker.content(int(who), int(number))
                left.append((int(who), int(number)))
    everything = [item for path in files for item in received(path)] + left
    assert len(set(everything)) == len(everything), "an item was got twice"
    lost = 0
    for who in range(next(next_producer)):
        numbers = {number for producer, number in everything if producer == who}
        lost += max(numbers, default=-1) + 1 - len(numbers)
    assert lost <= killed_consumers


def test_a_process_killed_while_it_waits_leaves_its_turn_to_the_next(name, workers, tmp_path):
    with SageQueue(name) as queue:
        first = workers.start("wait", name)
        assert first.stdout.readline() == "waiting\n"
        until_asleep(first.pid)
        second = workers.start("consume", name, tmp_path / "second")
        until_asleep(second.pid)
        first.kill()
        first.wait()
        queue.put(queue_worker.content(1, 1))
        queue.put(queue_worker.STOP)
        finish(second)
    assert received(tmp_path / "second") == [(1, 1)]


def test_a_stopped_process_does_not_stop_the_others(name, workers):
    with SageQueue(name) as queue:
        stopped = workers.start("wait", name)
        assert stopped.stdout.readline() == "waiting\n"
        until_asleep(stopped.pid)
        os.kill(stopped.pid, signal.SIGSTOP)
        for number in range(100):
            queue.put(number)
            assert queue.get(timeout=5) == number
        start = time.monotonic()
        with pytest.raises(standard.Empty):
            queue.get(timeout=0.05)
        assert time.monotonic() - start < 2


@pytest.mark.slow
def test_many_processes_that_make_the_queue_at_once_make_one(name, workers, tmp_path):
    ready = tmp_path / "ready"
    makers = [workers.start("create", name, ready) for _ in range(8)]
    ready.touch()
    assert {finish(process) for process in makers} == {"65536\n"}
    with SageQueue(name, create=False) as queue:
        assert {queue.get_nowait() for _ in makers} == {process.pid for process in makers}
        assert queue.empty()


@pytest.mark.slow
def test_makers_killed_at_random_leave_a_queue_that_can_be_made(name):
    """A process that makes and removes it without end dies: the next opener gets a whole one."""
    chance = random.Random(2)
    for _ in range(60):
        child = os.fork()
        if child == 0:
            with contextlib.suppress(BaseException):
                while True:
                    with SageQueue(name, capacity=1 << 20) as own:
                        own.unlink()
            os._exit(1)
        while not segment(name).exists():
            os.sched_yield()
        for _ in range(chance.randrange(3000)):
            pass
        os.kill(child, signal.SIGKILL)
        assert os.waitpid(child, 0)[1] == signal.SIGKILL
        with SageQueue(name, capacity=1 << 20) as queue:
            queue.put("whole")
            assert queue.get(timeout=5) == "whole"
            queue.unlink()
        assert not segment(name).exists()


# -- signals and idleness


@pytest.mark.parametrize("waiters", [1, 2])
def test_ctrl_c_ends_waiting(name, workers, waiters):
    processes = [workers.start("wait", name) for _ in range(waiters)]
    for process in processes:
        assert process.stdout.readline() == "waiting\n"
        until_asleep(process.pid)
    for process in reversed(processes):
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=10)
        assert process.returncode == -signal.SIGINT
        assert "KeyboardInterrupt" in errors


def test_a_signal_handler_may_use_the_queue_that_was_interrupted(queue):
    previous = signal.signal(signal.SIGUSR1, lambda *_: queue.put("from the handler"))
    try:
        main = threading.main_thread()

        def interrupt() -> None:
            until_asleep(os.getpid(), main.native_id)
            signal.pthread_kill(main.ident, signal.SIGUSR1)

        thread = threading.Thread(target=interrupt)
        thread.start()
        assert queue.get(timeout=20) == "from the handler"
        thread.join()
    finally:
        signal.signal(signal.SIGUSR1, previous)


def test_a_signal_handler_may_put_while_another_item_is_encoded(queue, name):
    """Between the bytecodes of the encoder: what both of them put arrives as it was."""
    item = [(number, datetime.date(2026, 1, 1 + number % 28), ("x", number)) for number in range(200)]
    sent = []

    def put_another(*_):
        if not entered:
            entered.append(True)  # signals come in handlers, too, and would change the order of `sent`
            sent.append(("handler", len(sent), datetime.time(1, 2, 3)))
            other.put(sent[-1])
            entered.clear()

    entered: list[bool] = []
    with SageQueue(name + "-other") as other:
        previous = signal.signal(signal.SIGALRM, put_another)
        signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
        try:
            limit = time.monotonic() + 20
            while len(sent) < 200 and time.monotonic() < limit:
                queue.put(item)
                assert queue.get() == item
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, previous)
            other.unlink()
        assert len(sent) >= 200
        assert [other.get_nowait() for _ in sent] == sent


def test_an_item_of_too_many_levels_is_refused_where_it_is_put(queue):
    item: object = ()
    for _ in range(250):
        item = (item,)
    with pytest.raises(TypeError, match="more than 64 levels"):
        queue.put(item)
    assert queue.empty()


def test_waiting_uses_no_cpu(name, workers):
    waiting = [workers.start("wait", name) for _ in range(3)]
    for process in waiting:
        process.stdout.readline()
        until_asleep(process.pid)

    def used() -> list[tuple[float, int]]:
        of = [psutil.Process(process.pid) for process in waiting]
        return [(sum(p.cpu_times()[:2]), p.num_ctx_switches().voluntary) for p in of]

    before = used()
    threading.Event().wait(1.0)  # a second of idleness is what is measured
    assert used() == before


# -- back-pressure


def test_a_large_item_is_not_starved_by_small_ones(name):
    with SageQueue(name, capacity=16384) as queue:
        stop = threading.Event()

        def small() -> None:
            while not stop.is_set():
                with contextlib.suppress(standard.Full):
                    queue.put(b"s" * 48, timeout=0.1)

        threads = [threading.Thread(target=small) for _ in range(2)]
        large = threading.Thread(target=queue.put, args=(b"L" * 16000,))
        for thread in threads:
            thread.start()
        try:
            while not queue.full():
                os.sched_yield()
            large.start()
            until_asleep(os.getpid(), large.native_id)
            for _ in range(100_000):
                if len(queue.get(timeout=10)) == 16000:
                    break
            else:
                pytest.fail("small items always went first")
        finally:
            stop.set()
            while any(thread.is_alive() for thread in [*threads, large]):
                with contextlib.suppress(standard.Empty):
                    queue.get(timeout=0.01)


def test_the_package_exports_it():
    assert sage_rpc.SageQueue is module.SageQueue
    assert {"SageQueue", "QueueClosed", "QueueCorrupted"} <= set(sage_rpc.__all__)
