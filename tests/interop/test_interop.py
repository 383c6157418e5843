"""gRPC's interop cases between real processes: ours and stock grpcio at both ends, over both transports.

Stock to stock is the control: a case that it fails is wrong. Each row of the matrix has one server and one
client for all of its cases; a client that hangs is replaced.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.interop import interop_pb2
from tests.interop.plan import CASES
from tests.interop.sides import Exit, Side

ROOT = Path(__file__).parents[2]
CASE_SECONDS = 25  # the client's own limit; it says what hung
SECONDS = 40  # for whatever else is waited for

# Less than gRPC's thousand calls at once, and patient with a machine that has other work.
AMOUNT = ["--concurrent-calls", "100", "--soak-iterations", "20", "--soak-latency", "10"]


class Row(NamedTuple):
    """Who calls whom; `carrier` is what the client must say carried its calls."""

    name: str
    client: Side
    server: Side
    carrier: str


def rows(api: str) -> list[Row]:
    stock, ours = Side("grpcio", api, "grpc"), Side("sage", api, "auto")
    over_shm, over_grpc = Side("sage", api, "shm"), Side("sage", api, "grpc")
    return [
        Row(f"{api}-stock-to-stock", stock, stock, "grpc"),
        Row(f"{api}-ours-to-stock", ours, stock, "grpc"),
        Row(f"{api}-stock-to-ours", stock, ours, "grpc"),
        Row(f"{api}-ours-to-ours-grpc", over_grpc, over_grpc, "grpc"),
        Row(f"{api}-ours-to-ours-shm", over_shm, over_shm, "shm"),
    ]


def mixed_rows() -> list[Row]:
    """One API at each end, over what is ours alone."""
    sync, aio = Side("sage", "sync", "shm"), Side("sage", "aio", "shm")
    return [Row("sync-to-aio-shm", sync, aio, "shm"), Row("aio-to-sync-shm", aio, sync, "shm")]


ROWS = [*rows("sync"), *rows("aio"), *mixed_rows()]


def parameter(row: Row) -> Any:
    reason = row.client.why_not() or row.server.why_not()
    return pytest.param(row, id=row.name, marks=[pytest.mark.skip(reason=reason)] if reason else [])


class Program:
    """A program of this directory. It ends with its standard input, so it cannot outlive this process."""

    def __init__(self, name: str, *arguments: str, runtime_directory: Path) -> None:
        environment = {key: value for key, value in os.environ.items() if key != "SAGE_RPC_TRANSPORT"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", f"tests.interop.{name}", *arguments],
            cwd=ROOT,
            env={**environment, "SAGE_RPC_RUNTIME_DIR": str(runtime_directory)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        self._read = b""

    def line(self) -> str:
        """The next line it prints, or "" when it has ended."""
        end = time.monotonic() + SECONDS
        while b"\n" not in self._read:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0.0, end - time.monotonic()))
            assert ready, f"{self.process.args} printed nothing in {SECONDS} s"
            data = os.read(self.process.stdout.fileno(), 1 << 16)
            if not data:
                return ""
            self._read += data
        line, _, self._read = self._read.partition(b"\n")
        return line.decode()

    def tell(self, line: str) -> None:
        self.process.stdin.write(line.encode() + b"\n")

    def end(self) -> int:
        """Close its standard input. -> its exit code."""
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        return self.wait()

    def wait(self) -> int:
        try:
            return self.process.wait(SECONDS)
        finally:
            self.kill()

    def kill(self) -> None:
        """Does nothing to a program that has ended, but close what led to it."""
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *exc: object) -> None:
        self.end()


def start(name: str, side: Side, runtime_directory: Path, *arguments: str) -> Program:
    which = ["--implementation", side.implementation, "--api", side.api, "--transport", side.transport]
    return Program(name, *which, *arguments, runtime_directory=runtime_directory)


class Pair:
    """The server and the client of a row."""

    def __init__(self, row: Row, runtime_directory: Path) -> None:
        self.row = row
        self.runtime_directory = runtime_directory
        self.server = start("server", row.server, runtime_directory)
        self.port = self.server.line()
        self.client: Program | None = None
        assert self.port, f"the server ended with {self.server.wait()} before it served"

    def run(self, case: str) -> dict[str, Any]:
        """Have the client run a case. -> its record."""
        if self.client is None:
            what = ("--server-port", self.port, "--test-case", "-", "--json", *AMOUNT)
            limit = ("--case-seconds", str(CASE_SECONDS))
            self.client = start("client", self.row.client, self.runtime_directory, *what, *limit)
        client, self.client = self.client, None  # a client that does not answer is not asked again
        try:
            client.tell(case)
            line = client.line()
            assert line, f"the client ended with {client.wait()} in {case}; its standard error says where"
        except BaseException:
            client.kill()
            raise
        self.client = client
        return json.loads(line)

    def close(self) -> None:
        try:
            if self.client is not None:
                self.client.end()
        finally:
            code = self.server.end()
        assert code == Exit.PASSED, f"the server ended with {code}"


@pytest.fixture(scope="module", params=[parameter(row) for row in ROWS])
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    directory = tmp_path_factory.mktemp("interop")
    directory.chmod(0o700)
    started = Pair(request.param, directory)
    yield started
    started.close()


@pytest.mark.parametrize("case", CASES)
def test_the_case_passes(pair, case):
    record = pair.run(case)
    assert record["passed"], record["detail"]
    assert record["transport"] == pair.row.carrier


# -- the programs themselves


def lines(program: Program) -> list[str]:
    return list(iter(program.line, ""))


OURS, STOCK = Side("sage", "sync", "auto"), Side("grpcio", "sync", "grpc")


@pytest.mark.parametrize("api", ["sync", "aio"])
@pytest.mark.parametrize("whose", [STOCK, OURS], ids=["stock", "ours"])
def test_sigterm_ends_the_server(whose, api, runtime_directory):
    side = whose._replace(api=api)
    if reason := side.why_not():
        pytest.skip(reason)
    with start("server", side, runtime_directory) as server:
        assert int(server.line()) > 0
        server.process.send_signal(signal.SIGTERM)
        assert server.wait() == Exit.PASSED


@pytest.mark.slow
def test_all_runs_every_case_and_prints_a_line_for_each(runtime_directory):
    with start("server", OURS, runtime_directory) as server:
        amount = ("--concurrent-calls", "10", "--soak-iterations", "3", "--soak-latency", "10")
        with start("client", OURS, runtime_directory, "--server-port", server.line(), *amount) as client:
            assert [line.split()[:2] for line in lines(client)] == [[case, "passed"] for case in CASES]
            assert client.end() == Exit.PASSED


def test_a_case_that_fails_is_told_in_its_line_and_by_the_exit_code(runtime_directory):
    with start("server", STOCK, runtime_directory) as server:
        port = server.line()
        forced = Side("sage", "sync", "shm")  # which a stock server does not have
        if forced.why_not():
            pytest.skip(forced.why_not())
        arguments = ("--server-port", port, "--test-case", "empty_unary")
        with start("client", forced, runtime_directory, *arguments) as client:
            (line,) = lines(client)
            assert re.match("empty_unary FAILED: .*UNAVAILABLE.*sage_rpc.transport=shm", line)
            assert client.end() == Exit.FAILED


@pytest.mark.parametrize(
    ("side", "case"), [(STOCK, "no_such_case"), (STOCK._replace(transport="shm"), "empty_unary")]
)
def test_a_wrong_use_is_told_by_the_exit_code(side, case, runtime_directory):
    arguments = ("--server-port", "1", "--test-case", case)
    with start("client", side, runtime_directory, *arguments) as client:
        assert lines(client) == []
        assert client.end() == Exit.USAGE


# -- the definitions


# gRPC's own, which other implementations have compiled in.
NUMBERS = {
    "Empty": "",
    "BoolValue": "value=1",
    "Payload": "type=1 body=2",
    "EchoStatus": "code=1 message=2",
    "SimpleRequest": "response_type=1 response_size=2 payload=3 fill_username=4 fill_oauth_scope=5 "
    "response_compressed=6 response_status=7 expect_compressed=8",
    "SimpleResponse": "payload=1 username=2 oauth_scope=3",
    "StreamingInputCallRequest": "payload=1 expect_compressed=2",
    "StreamingInputCallResponse": "aggregated_payload_size=1",
    "ResponseParameters": "size=1 interval_us=2 compressed=3",
    "StreamingOutputCallRequest": "response_type=1 response_parameters=2 payload=3 response_status=7",
    "StreamingOutputCallResponse": "payload=1",
}


def test_the_messages_have_the_names_and_numbers_that_grpc_gave_them():
    found = interop_pb2.DESCRIPTOR.message_types_by_name.items()
    assert interop_pb2.DESCRIPTOR.package == "grpc.testing"
    assert {
        name: " ".join(f"{field.name}={field.number}" for field in message.fields) for name, message in found
    } == NUMBERS


def test_the_page_lists_every_case():
    page = (ROOT / "docs" / "interop.md").read_text("utf-8")
    assert re.findall(r"^\| `(\w+)` \|", page.partition("## Left out")[0], re.MULTILINE) == list(CASES)
