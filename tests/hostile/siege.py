"""The siege: servers and clients among hostile peers, beside honest ones whose calls are checked.

`python -m tests.hostile.siege --seconds 60` (make hostile) is the long one, with a native core that
AddressSanitizer and UndefinedBehaviorSanitizer watch; tests/hostile/test_siege.py has a short one. What must
hold is in `complaints`.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc

import sage_rpc
from tests.conftest import PROGRAMS, ServerProcess
from tests.programs.siege_client import CHAT, ECHO
from tests.waiting import until

ROOT = Path(__file__).parents[2]
KINDS = ("sync", "aio", "plain")
ATTACKERS = 2
P99 = 0.050  # seconds that an honest call may take beside hostile ones
LATE = 0.5  # seconds that a call may pass its deadline on a machine that is busy with all this
GROWN = 128 << 20  # bytes that a process may keep of an attack: its allocator gives back what is above 64 MiB


@dataclass
class Besieged:
    """What became of one process among hostile peers."""

    kind: str
    times: dict[str, list[float]] = field(default_factory=dict)  # seconds, by transport
    wrong: int = 0
    failed: list[str] = field(default_factory=list)
    ended: str = ""  # how, when it should not have
    memory: tuple[int, int] = (0, 0)  # resident bytes before and after
    descriptors: tuple[int, int] = (0, 0)
    watched: bool = False  # by sanitizers, which keep memory of their own
    said: dict[str, Any] = field(default_factory=dict)

    def p99(self, transport: str) -> float:
        times = sorted(self.times.get(transport, []))
        return times[min(len(times) - 1, len(times) * 99 // 100)] if times else float("inf")

    def complaints(self, bound: float) -> list[str]:
        """What does not hold; `bound` is for the 99th percentile of honest calls, in seconds."""
        found = list(self.failed[:3])
        if self.ended:
            found.append(self.ended)
        if self.wrong:
            found.append(f"{self.wrong} wrong answers")
        found += [
            f"p99 over {name}: {1000 * self.p99(name):.0f} ms of at most {1000 * bound:.0f}"
            for name in self.times
            if self.p99(name) > bound
        ]
        if self.memory[1] - self.memory[0] > GROWN and not self.watched:
            found.append(f"memory: {self.memory[0] >> 20} MiB before, {self.memory[1] >> 20} MiB after")
        if self.descriptors[1] > self.descriptors[0] + 2:
            found.append(f"descriptors: {self.descriptors[0]} before, {self.descriptors[1]} after")
        if self.said and (self.said["wrong"] or self.said["late"] > LATE + 10 * bound):
            found.append(f"{self.said['wrong']} wrong answers, a call late by {self.said['late']:.2f} s")
        return [f"{self.kind}: {each}" for each in found]

    def __str__(self) -> str:
        parts = [
            f"{name} {len(t)} calls, p50 {1000 * statistics.median(t):.2f} p99 {1000 * self.p99(name):.1f} "
            f"worst {1000 * max(t):.0f} ms"
            for name, t in self.times.items()
            if t
        ]
        if self.said:
            parts.append(json.dumps(self.said))
        if self.memory[1]:
            parts.append(f"{self.memory[0] >> 20} -> {self.memory[1] >> 20} MiB")
        return f"{self.kind}: " + "; ".join(parts)


def sanitized(built: Path) -> dict[str, str]:
    """The environment of a process that runs the core which is watched by the sanitizers."""
    find = ["gcc", "-print-file-name=libasan.so"], ["gcc", "-print-file-name=libubsan.so"]
    libraries = [
        subprocess.run(each, capture_output=True, text=True, check=True).stdout.strip() for each in find
    ]
    return {
        "PYTHONPATH": f"{built}:{ROOT}",
        "LD_PRELOAD": ":".join(libraries),
        # CPython frees little at its end, and its own allocator would hide mistakes.
        "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1:handle_segv=1:quarantine_size_mb=16",
        "UBSAN_OPTIONS": "print_stacktrace=1",
        "PYTHONMALLOC": "malloc",
    }


def resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def descriptors(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def call_on(account: Besieged, target: str, transport: str, stop: threading.Event) -> None:
    """Be an honest client, and write down how that went."""
    times = account.times[transport]
    chance = random.Random(transport)
    with sage_rpc.insecure_channel(target, [("sage_rpc.transport", transport)]) as channel:
        echo, chat = channel.unary_unary(ECHO), channel.stream_stream(CHAT)
        while not stop.wait(0.002):
            text = chance.randbytes(chance.choice((0, 10, 1000, 50_000)))
            begun = time.monotonic()
            try:
                account.wrong += echo(text, timeout=20) != text
                times.append(time.monotonic() - begun)
                if len(times) % 50 == 0:
                    account.wrong += list(chat(iter([text, b"more"]), timeout=20)) != [text, b"more"]
            except grpc.RpcError as error:
                account.failed.append(f"an honest call over {transport} failed: {error.details()}")


def call_plain(account: Besieged, target: str, transport: str, stop: threading.Event) -> None:
    times = account.times[transport]
    with sage_rpc.ServiceManager({"siege": target}, options=[("sage_rpc.transport", transport)]) as manager:
        proxy = manager.get_sync_proxy("siege")
        while not stop.wait(0.002):
            value = {"number": len(times), "list": [1.5, "two", (3,)]}
            begun = time.monotonic()
            try:
                account.wrong += proxy.echo(value) != value
                times.append(time.monotonic() - begun)
            except Exception as error:
                account.failed.append(f"an honest call over {transport} failed: {error}")


@contextlib.contextmanager
def honest_calls(account: Besieged, target: str) -> Iterator[None]:
    stop = threading.Event()
    call = call_plain if account.kind == "plain" else call_on
    account.times = {"shm": [], "grpc": []}
    threads = [
        threading.Thread(target=call, args=(account, target, transport, stop)) for transport in account.times
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def besiege_server(kind: str, seconds: float, seed: int, env: dict[str, str]) -> Besieged:
    account = Besieged(kind, watched=bool(env))
    with ServerProcess(kind, program="siege_server.py", env=env) as server:
        pid = server.process.pid
        attack(kind, server.port, 1.0, seed)  # what is made once is made now
        before = resident(pid), descriptors(pid)
        with honest_calls(account, f"127.0.0.1:{server.port}"):
            attack(kind, server.port, seconds, seed + 1)
        code = server.process.poll()
        if code is None:
            until(lambda: descriptors(pid) <= before[1] + 2, seconds=15)
            account.memory = before[0], resident(pid)
            account.descriptors = before[1], descriptors(pid)
            code = server.stop()
        if code:
            account.ended = f"the process ended with {code}"
    return account


def attack(kind: str, port: int, seconds: float, seed: int) -> None:
    command = [sys.executable, "-m", "tests.hostile.attacks", kind, str(port), str(seconds)]
    attackers = [subprocess.Popen([*command, str(seed + number)], cwd=ROOT) for number in range(ATTACKERS)]
    for attacker in attackers:
        attacker.wait(seconds + 60)


def besiege_client(kind: str, seconds: float, seed: int, env: dict[str, str]) -> Besieged:
    account = Besieged(f"{kind} client")
    command = [sys.executable, "-m", "tests.hostile.attacks", "clients"]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    ports = range(1, 1 + ATTACKERS)  # nobody listens there on TCP
    hostile = [subprocess.Popen([*command, str(p), str(seed + p)], cwd=ROOT, **pipes) for p in ports]
    try:
        targets = [f"127.0.0.1:{int(each.stdout.readline())}" for each in hostile]
        with ServerProcess("sync", program="siege_server.py") as friend:
            honest = f"127.0.0.1:{friend.port}"
            done = subprocess.run(
                [sys.executable, str(PROGRAMS / "siege_client.py"), kind, str(seconds), honest, *targets],
                env={**os.environ, "PYTHONPATH": str(ROOT), **env},
                stdout=subprocess.PIPE,
                text=True,
                timeout=seconds + 120,
                check=False,
            )
    finally:
        for each in hostile:
            each.kill()
            each.wait()
            each.stdin.close()
            each.stdout.close()
    if done.returncode:
        account.ended = f"the process ended with {done.returncode}"
    else:
        account.said = json.loads(done.stdout)
    return account


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60.0, help="for all of it (default: 60)")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of what the attackers choose")
    parser.add_argument("--built", type=Path, help="where the watched core was built; without: the usual one")
    parser.add_argument(
        "--p99-ms", type=float, default=1000 * P99, help="bound for honest calls (default: 50)"
    )
    arguments = parser.parse_args()
    env = sanitized(arguments.built.resolve()) if arguments.built else {}
    if arguments.built:
        where = "import sage_rpc.native._core as core; print(core.__file__)"
        used = subprocess.run(
            [sys.executable, "-c", where],
            env={**os.environ, **env},
            cwd=PROGRAMS,  # where the programs look first, too
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        if not used.startswith(str(arguments.built.resolve())):
            sys.exit(f"the core in use is {used.strip()}, not the one in {arguments.built}")
    print(f"seed {arguments.seed}", flush=True)
    complaints: list[str] = []
    with tempfile.TemporaryDirectory(prefix="sage-rpc-") as directory:
        os.environ["SAGE_RPC_RUNTIME_DIR"] = directory
        seconds = arguments.seconds / (len(KINDS) + 2)
        for kind in KINDS:
            account = besiege_server(kind, seconds, arguments.seed, env)
            print(account, flush=True)
            complaints += account.complaints(arguments.p99_ms / 1000)
        for kind in KINDS[:2]:
            account = besiege_client(kind, seconds, arguments.seed, env)
            print(account, flush=True)
            complaints += account.complaints(arguments.p99_ms / 1000)
    for complaint in complaints:
        print(f"COMPLAINT {complaint}", flush=True)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
