"""The outage: endpoints are killed, stopped, slow and failing while four processes call them; then accounts
are made up.

`python -m tests.outage.script --seconds 60 --report FILE` (make outage) is the long one,
tests/outage/test_outage.py the short one. What must hold is in `Account.complaints`; the report has every
number.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import sage_rpc
from tests.outage.client import BUDGET, DEADLINE

ROOT = Path(__file__).parents[2]
CLIENTS = 4
ALLOWED = 0.020  # seconds a call may pass its deadline
RECOVERY = 1.0  # seconds from the return of an endpoint to its first call
# What happens when, in shares of the whole run.
PLAN = (
    (0.08, "kill", 0),
    (0.20, "return", 0),
    (0.28, "stop", 1),
    (0.42, "go on", 1),
    (0.50, "slow", 2),
    (0.62, "recover", 2),
    (0.66, "fail", 0),
    (0.80, "recover", 0),
)


class Endpoint:
    """A server process; it keeps its port when it comes back."""

    def __init__(self, journal: Path, env: dict[str, str]) -> None:
        self.journal = journal
        self.port = ""
        self._env = env
        self.start()

    def start(self) -> None:
        command = [
            sys.executable,
            "-m",
            "tests.outage.server",
            str(self.journal),
            *([self.port] if self.port else []),
        ]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=self._env, cwd=ROOT
        )
        self.port = self.process.stdout.readline().strip()
        assert self.port, "the endpoint did not start"

    @property
    def target(self) -> str:
        return f"127.0.0.1:{self.port}"

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def become(self, slow: float, failing: float) -> None:
        with sage_rpc.ServiceManager({"ledger": self.target}, timeout=10) as manager:
            manager.get_sync_proxy("ledger").become(slow, failing)

    def close(self) -> None:
        self.process.send_signal(signal.SIGCONT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.communicate(timeout=10)
        if self.process.poll() is None:
            self.kill()

    def calls(self) -> list[tuple[float, str, str]]:
        lines = self.journal.read_text().splitlines() if self.journal.exists() else []
        return [(float(at), what, entry) for at, what, entry in (line.split(" ", 2) for line in lines)]


@dataclasses.dataclass
class Account:
    """What happened.

    Attributes:
        seconds: of the run.
        calls: that were made.
        ends: how they ended -> how many.
        lost: acknowledged and in no journal.
        duplicated: in the journals more than once.
        overdue: seconds by which calls passed their deadline, without what their thread waited for a
            processor.
        worst_overdue: the most, as measured.
        retries: of each client.
        allowed_retries: what the budget allowed each.
        recoveries: event -> seconds until the endpoint had its next call.
    """

    seconds: float
    calls: int
    ends: dict[str, int]
    lost: list[str]
    duplicated: list[str]
    overdue: list[float]
    worst_overdue: float
    retries: list[int]
    allowed_retries: list[float]
    recoveries: dict[str, float | None]

    def complaints(self) -> list[str]:
        """What should not have happened."""
        found = []
        if self.lost:
            found.append(f"{len(self.lost)} acknowledged calls are in no journal: {self.lost[:5]}")
        if self.duplicated:
            found.append(f"{len(self.duplicated)} calls ran more than once: {self.duplicated[:5]}")
        late = [by for by in self.overdue if by > ALLOWED]
        if late:
            found.append(f"{len(late)} calls passed their deadline by up to {max(late) * 1000:.1f} ms")
        for client, (made, allowed) in enumerate(zip(self.retries, self.allowed_retries, strict=True)):
            if made > allowed:
                found.append(f"client {client} retried {made} times, its budget allowed {allowed:.0f}")
        for event, after in self.recoveries.items():
            if after is None or after > RECOVERY:
                found.append(f"after '{event}', the endpoint had no call for {after} s")
        if not any(end.endswith(" OK") for end in self.ends):
            found.append("not a single call succeeded")
        return found

    def report(self) -> str:
        """All numbers, as Markdown."""
        recovered = {
            event: None if s is None else f"{s * 1000:.0f} ms" for event, s in self.recoveries.items()
        }
        rows = [
            ("seconds", f"{self.seconds:g}"),
            ("client processes", str(CLIENTS)),
            ("calls", str(self.calls)),
            *((f"ended {end}", str(number)) for end, number in sorted(self.ends.items())),
            ("acknowledged calls lost", str(len(self.lost))),
            ("calls that ran twice", str(len(self.duplicated))),
            ("deadline", f"{DEADLINE * 1000:g} ms"),
            ("calls past their deadline", str(len(self.overdue))),
            ("the most, without waiting for a processor", f"{max(self.overdue, default=0) * 1000:.1f} ms"),
            ("the most, as measured", f"{self.worst_overdue * 1000:.1f} ms"),
            ("retries of each client", ", ".join(map(str, self.retries))),
            ("retries that the budget allowed each", ", ".join(f"{n:.0f}" for n in self.allowed_retries)),
            *((f"calls again after '{event}'", str(after)) for event, after in recovered.items()),
            ("complaints", "; ".join(self.complaints()) or "none"),
        ]
        return "\n".join(
            ("# Outage", "", "| what | value |", "| --- | --- |", *(f"| {a} | {b} |" for a, b in rows), "")
        )


def run(seconds: float) -> Account:
    """Run the plan, and make up the accounts."""
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        directory = Path(name)
        runtime = directory / "run"
        runtime.mkdir(mode=0o700)
        env = {**os.environ, "PYTHONPATH": str(ROOT), "SAGE_RPC_RUNTIME_DIR": str(runtime)}
        previous = os.environ.get("SAGE_RPC_RUNTIME_DIR")
        os.environ["SAGE_RPC_RUNTIME_DIR"] = str(
            runtime
        )  # of this process, too: it tells endpoints how to be
        stack.callback(_restore, previous)
        endpoints = [Endpoint(directory / f"journal-{n}", env) for n in range(3)]
        for endpoint in endpoints:
            stack.callback(endpoint.close)
        targets = [endpoint.target for endpoint in endpoints]
        clients = [
            subprocess.Popen(
                [sys.executable, "-m", "tests.outage.client", str(n), str(seconds), *targets],
                stdout=subprocess.PIPE,
                text=True,
                env=env,
                cwd=ROOT,
            )
            for n in range(CLIENTS)
        ]
        stack.callback(lambda: [client.kill() for client in clients])
        returns = _play(endpoints, time.monotonic(), seconds)
        outputs = [client.communicate(timeout=seconds + 60)[0] for client in clients]
        return _account(seconds, endpoints, [json.loads(output) for output in outputs], returns)


def _restore(previous: str | None) -> None:
    if previous is None:
        os.environ.pop("SAGE_RPC_RUNTIME_DIR", None)
    else:
        os.environ["SAGE_RPC_RUNTIME_DIR"] = previous


def _play(endpoints: list[Endpoint], began: float, seconds: float) -> dict[str, tuple[int, float]]:
    """Do what the plan says. -> the returns of endpoints that were gone: event -> (which, when)."""
    returns = {}
    clock = threading.Event()
    for share, what, which in PLAN:
        clock.wait(max(0.0, began + share * seconds - time.monotonic()))
        endpoint = endpoints[which]
        if what == "kill":
            endpoint.kill()
        elif what == "return":
            endpoint.start()
            returns["restart"] = (which, time.monotonic())
        elif what == "stop":
            endpoint.process.send_signal(signal.SIGSTOP)
        elif what == "go on":
            endpoint.process.send_signal(signal.SIGCONT)
            returns["SIGCONT"] = (which, time.monotonic())
        else:
            endpoint.become({"slow": 0.4}.get(what, 0.0), {"fail": 0.3}.get(what, 0.0))
    return returns


def _account(
    seconds: float, endpoints: list[Endpoint], accounts: list[dict], returns: dict[str, tuple[int, float]]
) -> Account:
    journals = [endpoint.calls() for endpoint in endpoints]
    ran: dict[str, int] = {}
    for journal in journals:
        for _, what, entry in journal:
            if what == "record":
                ran[entry] = ran.get(entry, 0) + 1
    ends: dict[str, int] = {}
    for account in accounts:
        for end, number in account["ends"].items():
            ends[end] = ends.get(end, 0) + number
    recoveries: dict[str, float | None] = {}
    for event, (which, at) in returns.items():
        # What the stopped process had received before it was stopped is no new call: half a deadline later it
        # is.
        after = at + (DEADLINE if event == "SIGCONT" else 0.0)
        recoveries[event] = next((t - at for t, _, _ in journals[which] if t >= after), None)
    overdue = [each for account in accounts for each in account["overdue"]]
    return Account(
        seconds=seconds,
        calls=sum(account["calls"] for account in accounts),
        ends=ends,
        lost=[
            entry
            for account in accounts
            for entry, end in account["records"].items()
            if end == "OK" and entry not in ran
        ],
        duplicated=[entry for entry, times in ran.items() if times > 1],
        overdue=[max(0.0, each["by"] - each["late"]) for each in overdue],
        worst_overdue=max((each["by"] for each in overdue), default=0.0),
        retries=[account["retries"] for account in accounts],
        allowed_retries=[
            BUDGET.max_tokens / 2 + BUDGET.token_ratio * account["successes"] for account in accounts
        ],
        recoveries=recoveries,
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0, help="length of the run (default: 60)")
    parser.add_argument("--report", type=Path, help="file to write the report to")
    arguments = parser.parse_args()
    account = run(arguments.seconds)
    report = account.report()
    print(report)
    if arguments.report is not None:
        arguments.report.parent.mkdir(parents=True, exist_ok=True)
        arguments.report.write_text(report)
    return 1 if account.complaints() else 0


if __name__ == "__main__":
    sys.exit(main())
