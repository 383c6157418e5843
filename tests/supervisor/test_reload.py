"""What a configuration says of calls reaches all who make them, whatever its order, with each reload."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import sage_rpc
from sage_rpc.config import ConfiguredManager, manager_of
from tests.supervisor.test_serve import BASE, PROGRAMS, ROOT, Served, command
from tests.waiting import until

pytestmark = pytest.mark.slow
ECHO = "  echo: {class: supervised.Echo, policy: {default: {timeout: %s}}}\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.yaml"


@pytest.mark.parametrize("first", ["caller", "called"])
def test_a_caller_obeys_what_the_file_says_wherever_it_stands_in_it(file: Path, first: str) -> None:
    file.write_text(BASE + ECHO % "20s")
    with Served(file):
        lines = ["  asker: {class: supervised.AsksAtSetup}\n", ECHO % "200ms"]
        file.write_text(BASE + "".join(lines if first == "caller" else reversed(lines)))
        command("reload")
        assert command("call", "asker.said") == "too late\n"


@pytest.mark.parametrize("first", ["broken", "changed"])
def test_a_service_that_does_not_start_keeps_no_other_from_changing(file: Path, first: str) -> None:
    file.write_text(BASE + ECHO % "20s" + "  asker: {class: supervised.Asker}\n")
    with Served(file):
        assert command("call", "asker.ask_slowly", "[1.0]") == "done\n"
        lines = ["  bad: {class: supervised.BadSetup}\n", (ECHO % "200ms").replace("}}}", "}}, args: [hi]}")]
        lines = lines if first == "broken" else lines[::-1]
        file.write_text(BASE + "".join(lines) + "  asker: {class: supervised.Asker}\n")
        assert "no database" in command("reload", code=1)
        assert command("call", "asker.ask_slowly", "[1.0]") == "too late\n"
        assert command("call", "echo.greet") == "hi\n"


class Calls(threading.Thread):
    """Calls one method after the other, until it is told to end."""

    def __init__(self, manager: sage_rpc.ServiceManager) -> None:
        super().__init__()
        self._greet = manager.get_sync_proxy("held").greet
        self._end = threading.Event()
        self.made, self.failures = 0, []

    def run(self) -> None:
        while not self._end.is_set():
            try:
                assert self._greet() == "hello"
            except Exception as error:
                self.failures.append(error)
            self.made += 1

    def __enter__(self) -> Calls:
        self.start()
        until(lambda: self.made > 10)
        return self

    def __exit__(self, *exc: object) -> None:
        made = self.made
        until(lambda: self.made > made + 100)
        self._end.set()
        self.join()


@pytest.fixture
def served(file: Path) -> Iterator[Served]:
    write(file, "default: {timeout: 60s}")
    with Served(file) as supervisor:
        yield supervisor


def write(file: Path, policy: str) -> None:
    file.write_text(
        f"name: mine\npython_path: ['{PROGRAMS}', '{ROOT / 'examples'}']\nservices:\n"
        "  asker: {class: supervised.Asker}\n"
        f"  held: {{class: supervised.Held, args: ['{file.parent}'], policy: {{{policy}}}}}\n"
        "  hello:\n    class: supervised.Greeter\n"
        "    servicer: hello_pb2_grpc.add_GreeterServicer_to_server\n"
        f"    policy: {{{policy}}}\n"
    )


def pids() -> list[int]:
    return sorted(row["pid"] for row in json.loads(command("ps", "--json")))


@pytest.mark.parametrize("how", ["command", "signal"])
def test_a_reload_reaches_those_who_call_and_loses_no_call(file: Path, served: Served, how: str) -> None:
    began, go = (lambda name, end=end: file.parent / f"{name}.{end}" for end in ("began", "go"))
    with manager_of(file) as manager, Calls(manager) as calls:
        hold, fail = manager.get_sync_proxy("held").hold, manager.get_sync_proxy("held").fail
        patient = hold.with_options(priority=1)
        start, asker = manager.get_async_proxy("held").hold, manager.get_async_proxy("asker")
        with pytest.raises(sage_rpc.RpcError):
            fail()
        under_way = {"mine": start("mine"), "theirs": asker.ask_held("theirs")}
        for name in under_way:
            until(began(name).exists)
        before = pids()

        write(file, "default: {timeout: 300ms, fallback: instead}, pool: {balancing: least_outstanding}")
        if how == "command":
            command("reload")
        else:
            served.process.send_signal(signal.SIGHUP)
            served.wait_for("reload: changed held")

        until(lambda: fail.policy.fallback == "instead")
        assert fail() == hold("late") == patient("late") == start("late").result(20) == "instead"
        until(lambda: asker.ask_held("late").result(20) == "instead")
        for name, call in under_way.items():
            go(name).touch()
            assert call.result(20) == "done"
        assert pids() == before
    assert calls.failures == []


def test_a_generated_client_follows_a_reload(
    file: Path, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "examples"))
    import hello_pb2
    import hello_pb2_grpc

    with manager_of(file) as manager:
        greeter = hello_pb2.DESCRIPTOR.services_by_name["Greeter"]
        stub = hello_pb2_grpc.GreeterStub(manager.channel_of(greeter.full_name))
        assert stub.Hello(hello_pb2.HelloRequest(name="Ada")).text == "Hello, Ada!"
        assert manager.get_sync_proxy("hello").hello(name="Bo").text == "Hello, Bo!"
        before = manager.cache_info("hello", "hello")
        write(file, "default: {timeout: 60s}, methods: {hello: {cache: {ttl: 1h}}, hold: {}}")
        command("reload")
        until(lambda: manager.cache_info("hello", "hello") is not None)
        for _ in range(2):
            assert stub.Hello(hello_pb2.HelloRequest(name="Ada")).text == "Hello, Ada!"
        assert before is None
        assert manager.cache_info("hello", "hello").hits == 1


def test_a_file_that_is_wrong_changes_nothing(file: Path, served: Served) -> None:
    with manager_of(file) as manager:
        text = file.read_text()
        file.write_text(text.replace("60s", "-60s"))
        assert "timeout is" in command("reload", code=1)
        file.write_text(text.replace("60s", "50s"))
        command("reload")
        until(lambda: manager.get_sync_proxy("held").hold.timeout == 50)
        assert isinstance(manager, ConfiguredManager)
