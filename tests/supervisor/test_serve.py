"""`sage-rpc serve` and the commands that talk to it: real configurations, processes and signals."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import signal
import socket
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

import sage_rpc
from sage_rpc.config import load_config, policies_of
from sage_rpc.discovery import Endpoint, LocalRegistry
from tests.conftest import needs_native
from tests.discovery.test_discovery import registrant
from tests.programs import supervised
from tests.waiting import until

ROOT = Path(__file__).parents[2]
PROGRAMS = ROOT / "tests" / "programs"
PIPELINE = ROOT / "examples" / "pipeline"
BASE = f"python_path: ['{PROGRAMS}']\nservices:\n"


def command(*arguments: str, code: int = 0, **env: str) -> str:
    """Run sage-rpc. -> what it printed, on standard output or, where it failed, on standard error."""
    done = subprocess.run(
        [sys.executable, "-m", "sage_rpc", *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT)} | env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert done.returncode == code, (done.stdout, done.stderr)
    return done.stderr if code else done.stdout


class Served:
    """A supervisor in a process of its own."""

    def __init__(self, path: Path, *arguments: str) -> None:
        self.path = path
        self.lines: list[str] = []
        self._came = threading.Condition()
        self.process = subprocess.Popen(
            [sys.executable, "-X", "faulthandler", "-m", "sage_rpc", "serve", str(path), *arguments],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stdout:
            with self._came:
                self.lines.append(line.rstrip())
                self._came.notify_all()

    def wait_for(self, text: str, seconds: float = 30.0) -> str:
        with self._came:
            assert self._came.wait_for(lambda: any(text in line for line in self.lines), seconds), self.lines
            return next(line for line in reversed(self.lines) if text in line)

    def stop(self, signum: int = signal.SIGTERM) -> int:
        self.process.send_signal(signum)
        try:
            return self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGABRT)  # it tells where its threads are
            self._reader.join(10)
            pytest.fail("it has not ended:\n" + "\n".join(self.lines))

    def __enter__(self) -> Served:
        self.wait_for("services serve")
        return self

    def __exit__(self, *exc: object) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=20)
            finally:
                self.process.kill()
                self.process.wait()
        self._reader.join(5.0)
        self.process.stdout.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.yaml"


def files_of(directory: Path) -> list[str]:
    return sorted(p.name for p in directory.rglob("*") if not p.is_dir() and p.name != "host")


@pytest.mark.slow
@needs_native
def test_the_example_serves_and_a_pipeline_in_another_process_uses_it(runtime_directory: Path) -> None:
    with Served(PIPELINE / "config.yaml") as served:
        done = subprocess.run(
            [sys.executable, str(PIPELINE / "pipeline.py"), "12"],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=50,
        )
        assert done.returncode == 0, done.stderr
        assert "12 answers; transports: {'cache': 'shm', 'search': 'shm'}" in done.stdout
        assert "'brown dog' -> 'the quick brown fox jumps over the lazy dog' (search)" in done.stdout
        assert served.stop() == 0
    assert files_of(runtime_directory) == []


@pytest.mark.slow
def test_the_commands_of_a_running_supervisor(file: Path) -> None:
    file.write_text(
        f"name: mine\n{BASE}  echo: {{class: supervised.Echo, process_count: 2, version: '4'}}\n"
        "  sick: {class: supervised.Sick}\n"
    )
    with Served(file):
        rows = json.loads(command("ps", "--json"))
        assert [(r["supervisor"], r["service"], r["number"], r["state"]) for r in rows] == [
            ("mine", "echo", 0, "serving"),
            ("mine", "echo", 1, "serving"),
            ("mine", "sick", 0, "serving"),
        ]
        assert "mine        echo      0  serving" in command("ps")
        listed = {r["service"]: r for r in json.loads(command("list", "--json"))}
        assert (listed["echo"]["serving"], listed["echo"]["version"], set(listed)) == (
            2,
            "4",
            {"echo", "sick"},
        )
        health = json.loads(command("health", "--json"))
        assert [r["health"] for r in health] == ["serving"] * 3

        # calls: a plain class, by position, by name, errors
        assert command("call", "echo.greet") == "hello\n"
        assert json.loads(command("call", "echo.about", "--json"))["greeting"] == "hello"
        assert command("call", "echo.slow", '{"seconds": 0}') == "done\n"
        assert command("call", "echo.slow", "[0]") == "done\n"
        assert "raised builtins.ValueError: no" in command("call", "echo.fail", code=1)
        assert "has no method 'great'; did you mean greet" in command("call", "echo.great", code=1)
        assert "no service 'eko' is registered; registered: echo, sick" in command(
            "call", "eko.greet", code=1
        )
        assert "no JSON" in command("call", "echo.slow", "{", code=2)
        assert "names no method" in command("call", "echo", code=2)
        assert "DEADLINE_EXCEEDED" in command("call", "echo.slow", "[5]", "--timeout", "0.2", code=1)

        # any gRPC server, by reflection
        target = rows[0]["target"]
        offered = json.loads(command("list", "--target", target, "--json"))
        assert "Check" in [m["name"] for m in offered["grpc.health.v1.Health"]]
        checked = command("call", "--target", target, "grpc.health.v1.Health/Check", '{"service": "echo"}')
        assert json.loads(checked) == {"status": "SERVING"}
        wrong = command("call", "--target", target, "grpc.health.v1.Health/Chek", code=1)
        assert "no method 'Chek'; did you mean Check?" in wrong

        # what changes something
        command("call", "echo.say", '["good morning"]')
        assert "[echo/" in command("logs", "echo")
        assert "good morning" in command("logs", "echo")
        assert "no service 'eko'" in command("logs", "eko", code=1)
        before = {r["pid"] for r in rows}
        assert command("restart", "echo") == "restarted echo\n"
        assert command("drain", "echo/1") == "drained echo/1\n"
        assert "no process 9; it has 2" in command("drain", "echo/9", code=1)
        after = [
            (r["state"], r["pid"]) for r in json.loads(command("ps", "--json")) if r["service"] == "echo"
        ]
        serving = [(state, pid) for state, pid in after if state != "draining"]
        assert [state for state, _ in serving] == ["serving", "stopped"]
        assert serving[0][1] not in before
        assert "is supervised on this host; there are echo, sick" in command("restart", "eko", code=1)

        # what is not well
        command("call", "sick.fall_ill")
        assert "not serving" in command_output("health", "sick")
        report = json.loads(command("doctor", "sage:///echo", "--json"))
        assert report["memory_queue"] is True


@pytest.mark.slow
def test_a_declared_service_is_called_by_name_and_as_any_grpc_server(file: Path) -> None:
    file.write_text(
        f"python_path: ['{PROGRAMS}', '{ROOT / 'examples'}']\nservices:\n"
        "  hello:\n    class: supervised.Greeter\n"
        "    servicer: hello_pb2_grpc.add_GreeterServicer_to_server\n    address: 127.0.0.1:0\n"
    )
    with Served(file):
        (row,) = json.loads(command("list", "--json"))
        name = row["kind"]
        assert name.endswith("Greeter")
        assert json.loads(command("call", "hello.hello", '{"name": "Ada"}')) == {"text": "Hello, Ada!"}
        address = row["addresses"][0]
        there = json.loads(command("call", "--target", address, f"{name}/Hello", '{"name": "Bo"}'))
        assert there == {"text": "Hello, Bo!"}
        refused = command("call", "hello.hello", "{}", code=1)
        assert "INVALID_ARGUMENT: a name is needed" in refused
        assert "fields: name" in command("call", "hello.hello", '{"nam": 1}', code=1)
        (stats,) = json.loads(command("stats", "--json"))
        assert (stats["method"], stats["calls"], stats["failures"]) == ("hello", 3, 1)


def test_policies_of_the_configuration_hold_for_callers_and_services(file: Path) -> None:
    file.write_text(
        BASE + "  echo:\n    class: supervised.Echo\n"
        "    policy: {default: {timeout: 200ms}, methods: {pid: {cache: {ttl: 1h}}}}\n"
        "    admission: {max_running: 1, max_waiting: 0}\n"
    )
    policies = policies_of(load_config(file, {}))
    assert policies["echo"].default.timeout == 0.2
    with Served(file):
        with sage_rpc.ServiceManager({"echo": "sage:///echo"}, policies=policies) as manager:
            echo = manager.get_sync_proxy("echo")
            with pytest.raises(TimeoutError):
                echo.slow(0.6)
            slow = manager.call_service_async("echo", "slow", 1.0, timeout=10.0)

            def refused() -> bool:
                try:
                    echo.greet()
                except sage_rpc.RpcError as error:
                    return bool(error.code().name == "RESOURCE_EXHAUSTED")
                return False

            until(refused)
            slow.cancel()


def command_output(*arguments: str) -> str:
    """What `sage-rpc health` prints where something is not well."""
    done = subprocess.run(
        [sys.executable, "-m", "sage_rpc", *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert done.returncode == 1
    return done.stdout


@pytest.mark.slow
def test_nothing_that_others_say_reaches_the_terminal_as_anything_but_text(file: Path) -> None:
    file.write_text(BASE + "  bright: {class: supervised.Colourful, restart: {limit: 0}}\n")
    evil = Endpoint("\x1b[31mservice", "host\x9b2J:1", declared="a\x1b]0;owned\x07", version="\u202e1", pid=1)
    with Served(file) as served, LocalRegistry() as registry:
        registry.register_service(evil)
        said = {
            name: command(*arguments, code=code)
            for name, code, *arguments in (
                ("raised", 1, "call", "bright.fail"),
                ("returned", 0, "call", "bright.get"),
                ("returned as JSON", 0, "call", "bright.get", "--json"),
                ("logs", 0, "logs"),
                ("logs as JSON", 0, "logs", "--json"),
                ("ps", 0, "ps"),
                ("list", 0, "list"),
                ("list as JSON", 0, "list", "--json"),
                ("trace", 0, "trace", "--recent"),
                ("top", 0, "top", "-n", "1", "-i", "0.1"),
                ("complaint", 1, "call", "\x1b[31m.get"),
            )
        }
        served.wait_for("on the other stream")
        said["serve"] = "\n".join(served.lines)
    for name, text in said.items():
        without = re.sub(r"\x1b\[[?0-9;]*[a-zA-Z]", "", text) if name == "top" else text  # its own
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", without), (name, text)
    assert json.loads(said["returned as JSON"]) == f"{supervised.Colourful.OBEYED} returned"
    assert "\\u001b[31mservice" in said["list"]
    assert "\\u001b[31m" in said["serve"]
    assert said["raised"].endswith("txet raised\n")


@pytest.mark.slow
def test_commands_where_nothing_runs() -> None:
    assert "no service processes" in command("ps")
    assert json.loads(command("ps", "--json")) == []
    assert "no services are registered" in command("list")
    assert "no supervisor runs on this host" in command("logs", code=1)
    assert "no supervisor runs on this host" in command("restart", "x", code=1)
    assert "registered: none" in command("call", "x.y", code=1)
    assert "nobody serves at the address" in command_output("doctor", "localhost:1")
    assert "is not an address of this host" in command_output("doctor", "192.0.2.1:1")


@pytest.mark.slow
def test_two_hundred_registered_processes_are_shown_within_a_second() -> None:
    starting, showing = [], []  # of the interpreter, under this load; and with the rows
    with registrant(200):
        for _ in range(3):
            began = time.monotonic()
            assert command("version")
            starting.append(time.monotonic() - began)
            began = time.monotonic()
            assert len(json.loads(command("ps", "--json"))) == 200
            showing.append(time.monotonic() - began)
    assert min(showing) < max(1.0, 2 * min(starting))


@pytest.mark.slow
def test_a_reload_changes_only_what_has_changed(file: Path) -> None:
    text = BASE + (
        "  same: {class: supervised.Echo}\n  more: {class: supervised.Echo}\n"
        "  other: {class: supervised.Echo}\n  gone: {class: supervised.Echo}\n"
    )
    file.write_text(text)
    with Served(file) as served:

        def pids() -> dict[str, list[int]]:
            found: dict[str, list[int]] = {}
            for row in json.loads(command("ps", "--json")):
                if row["state"] == "serving":
                    found.setdefault(row["service"], []).append(row["pid"])
            return found

        before = pids()
        file.write_text(
            BASE + "  same: {class: supervised.Echo}\n  more: {class: supervised.Echo, process_count: 2}\n"
            "  other: {class: supervised.Echo, args: [bye]}\n  new: {class: supervised.Echo}\n"
        )
        served.process.send_signal(signal.SIGHUP)
        for line in ("stopped gone", "changed more", "changed other", "started new"):
            served.wait_for(f"reload: {line}")
        after = pids()
        assert set(after) == {"same", "more", "other", "new"}
        assert after["same"] == before["same"]
        assert before["more"][0] in after["more"]
        assert len(after["more"]) == 2
        assert after["other"] != before["other"]
        assert command("call", "other.greet") == "bye\n"

        file.write_text(text.replace("supervised.Echo", "supervised.Ecco"))
        assert "did you mean supervised.Echo" in command("reload", code=1)
        file.write_text("services: 3\n")
        served.process.send_signal(signal.SIGHUP)
        served.wait_for("services go on as they were")
        assert "expected a mapping" in command("reload", code=1)
        assert command("call", "same.greet") == "hello\n"


@pytest.mark.slow
@pytest.mark.parametrize("read", [True, False], ids=["a loud service", "and nobody reads"])
def test_no_output_holds_supervision_up(file: Path, runtime_directory: Path, *, read: bool) -> None:
    file.write_text(BASE + "  echo: {class: supervised.Echo}\n  loud: {class: supervised.Loud}\n")
    reader, writer = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-m", "sage_rpc", "serve", str(file)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL if read else writer,
        stderr=subprocess.STDOUT,
    )
    os.close(writer)
    try:
        with sage_rpc.ServiceManager({"echo": "sage:///echo"}) as services:
            echo = services.get_sync_proxy("echo")

            def pid() -> int:
                with contextlib.suppress(sage_rpc.RpcError):
                    return int(echo.pid())
                return 0

            until(pid, 60)
            until(lambda: "left out" in command("logs", "loud", "-n", "5000"), 60)
            if not read:
                until(lambda: unread_in(reader) > 60_000)
            assert {row["service"] for row in json.loads(command("ps", "--json"))} == {"echo", "loud"}
            first = pid()
            os.kill(first, signal.SIGKILL)
            until(lambda: pid() not in (0, first), 60)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=40) == 0
    finally:
        process.kill()
        process.wait()
        os.close(reader)


def unread_in(pipe: int) -> int:
    """Bytes."""
    found = fcntl.ioctl(pipe, termios.FIONREAD, b"\0\0\0\0")
    return int.from_bytes(found, sys.byteorder)


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_everything(file: Path, runtime_directory: Path, signum: int) -> None:
    file.write_text(BASE + "  echo: {class: supervised.Echo}\n")
    with Served(file) as served:
        assert served.stop(signum) == 0
    assert files_of(runtime_directory) == []


def test_a_second_signal_does_not_wait(file: Path, runtime_directory: Path) -> None:
    file.write_text(BASE + "  stubborn: {class: supervised.Stubborn, stop_grace: 100}\n")
    with Served(file) as served:
        served.process.terminate()
        served.wait_for("stopping")
        assert served.stop() == 0
    assert files_of(runtime_directory) == []


@contextlib.contextmanager
def port_in_use() -> Iterator[int]:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)  # as another gRPC server would
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


@pytest.mark.slow
def test_what_stands_in_the_way_is_one_clear_line_and_no_success(
    file: Path, tmp_path: Path, runtime_directory: Path
) -> None:
    """Each mistake that a person makes, with what is said about it."""
    ca, other = trustme.CA(), trustme.CA()
    certificate = ca.issue_cert("localhost")
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    other.issue_cert("localhost").private_key_pem.write_to_path(tmp_path / "key.pem")
    (tmp_path / "nonsense.pem").write_text("no certificate")

    def refused(text: str, **env: str) -> str:
        file.write_text(text)
        complaint = command("serve", str(file), code=1, **env)
        assert complaint.count("\n") == 1, complaint
        assert complaint.startswith("sage-rpc: ")
        return complaint

    tls = "tls: {{cert: {0}, key: key.pem, ca: ca.pem}}\n" + BASE + "  a: {{class: m.C, address: ':0'}}\n"
    assert "config.yaml:1:" in refused("services: {")
    assert "has no 'Ecco'; did you mean supervised.Echo?" in refused(BASE + "  a: {class: supervised.Ecco}\n")
    assert "no module 'nowhere'" in refused(BASE + "  a: {class: nowhere.C}\n")
    bad = refused(BASE + "  a: {class: supervised.BadConstructor}\n")
    assert (
        "service 'a' cannot start: __init__() of supervised.BadConstructor raised ValueError: the disk" in bad
    )
    assert "the variable NO_SUCH is not set" in refused(BASE + "  a:\n    class: ${NO_SUCH}\n")
    with port_in_use() as port:
        text = BASE + f"  a: {{class: supervised.Echo, address: '127.0.0.1:{port}'}}\n"
        assert f"127.0.0.1:{port} is in use by another program" in refused(text)
    assert "no certificate with its key: key values mismatch" in refused(tls.format("cert.pem"))
    assert "no certificate with its key" in refused(tls.format("nonsense.pem"))
    assert "none.pem: No such file" in refused(tls.format("none.pem"))
    runtime_directory.chmod(0o777)
    assert "chmod 700 it" in refused(BASE + "  a: {class: supervised.Echo}\n")
    runtime_directory.chmod(0o700)
    assert "there is no such file" in command("serve", str(tmp_path / "none.yaml"), code=1)


@pytest.mark.slow
def test_config_check_show_and_schema(file: Path) -> None:
    file.write_text("services:\n  a: {class: m.C, stop_grace: 1m}\n")
    assert "1 services, nothing wrong" in command("config", "check", str(file))
    assert "no module 'm'" in command("config", "check", "--full", str(file), code=1)
    shown = json.loads(command("config", "show", str(file), "--json"))
    assert shown["services"] == {"a": {"class": "m.C", "stop_grace": 60.0}}
    assert "stop_grace: 60.0" in command("config", "show", str(file))
    assert (
        json.loads(command("config", "show", str(file), "--json", "--all"))["services"]["a"]["weight"] == 100
    )
    assert "properties" in json.loads(command("config", "schema"))
    file.write_text("services:\n  a: {clas: m.C}\n")
    assert "did you mean class?" in command("config", "check", str(file), code=1)


@pytest.mark.slow
def test_services_of_other_hosts_are_reached_by_tls_with_client_certificates(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The address of a service, as another host would reach it: without its runtime directory."""
    ca = trustme.CA()
    server, client = ca.issue_cert("localhost"), ca.issue_cert("client")
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    for name, certificate in (("server", server), ("client", client)):
        certificate.cert_chain_pems[0].write_to_path(tmp_path / f"{name}.pem")
        certificate.private_key_pem.write_to_path(tmp_path / f"{name}.key")
    file.write_text(
        f"tls: {{cert: server.pem, key: server.key, ca: ca.pem}}\n{BASE}"
        "  echo: {class: supervised.Echo, address: '127.0.0.1:0'}\n"
    )
    with Served(file):
        (row,) = json.loads(command("list", "--json"))
        (address,) = row["addresses"]
        assert address.startswith("localhost:")
        with sage_rpc.ServiceManager({"echo": "sage:///echo"}) as manager:
            assert manager.get_sync_proxy("echo").greet() == "hello"
            assert manager.transport_of("echo") == "shm"  # on this host, no TLS is needed
        elsewhere = tmp_path / "elsewhere"
        files = {"CA": "ca.pem", "CERT": "client.pem", "KEY": "client.key"}
        variables = {f"SAGE_RPC_TLS_{name}": str(tmp_path / path) for name, path in files.items()}
        there = {"SAGE_RPC_RUNTIME_DIR": str(elsewhere), **variables}
        secure = ["--target", address, "--secure"]
        assert command("call", "echo.greet", *secure, **there) == "hello\n"
        del there["SAGE_RPC_TLS_CERT"]
        assert "go together" in command("call", "echo.greet", *secure, code=1, **there)
        del there["SAGE_RPC_TLS_KEY"]
        assert "UNAVAILABLE" in command("call", "echo.greet", *secure, code=1, **there)
