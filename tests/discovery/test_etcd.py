"""The registry of many hosts, against a real etcd: leases, watches, outages, TLS."""

from __future__ import annotations

import contextlib
import os
import queue
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
import trustme

import sage_rpc
from sage_rpc import DiscoveredChannel
from sage_rpc.discovery import (
    Directory,
    Endpoint,
    EtcdRegistry,
    EtcdTls,
    RegistryError,
    host_identity,
    open_registry,
)

ROOT = Path(__file__).parents[2]
ETCD = shutil.which("etcd")
OUTAGE_SECONDS = float(os.environ.get("SAGE_RPC_OUTAGE_SECONDS", "3"))
TTL = 2.0

pytestmark = [
    pytest.mark.skipif(ETCD is None, reason="there is no etcd: apt-get install etcd-server"),
    pytest.mark.timeout(60 + 2 * OUTAGE_SECONDS),
]
REGISTRANT = """
import sys
from sage_rpc.discovery import Endpoint, EtcdRegistry
registry = EtcdRegistry([sys.argv[1]], ttl=2)
registry.register_service(Endpoint(sys.argv[2], "10.0.0.9:1"))
print("registered", flush=True)
sys.stdin.read()
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Etcd:
    """An etcd of one member, which may be stopped, killed and started again with its data."""

    def __init__(self, directory: Path, scheme: str = "http", *more: str) -> None:
        self.port, peer = free_port(), free_port()
        self.member = f"127.0.0.1:{self.port}"
        urls = f"{scheme}://127.0.0.1:{self.port}"
        self.command = [
            ETCD, "--data-dir", str(directory / "data"), "--listen-client-urls", urls,
            "--advertise-client-urls", urls, "--listen-peer-urls", f"http://127.0.0.1:{peer}",
            "--initial-advertise-peer-urls", f"http://127.0.0.1:{peer}",
            "--initial-cluster", f"default=http://127.0.0.1:{peer}", "--unsafe-no-fsync", *more,
        ]  # fmt: skip
        self.log = (directory / "log").open("ab")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(self.command, stdout=self.log, stderr=self.log)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def __enter__(self) -> Etcd:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.kill()
        self.log.close()


@pytest.fixture(scope="module")
def etcd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Etcd]:
    with Etcd(tmp_path_factory.mktemp("etcd")) as running:
        with EtcdRegistry([running.member]) as registry:
            until(lambda: registry.discover_services() == {}, RegistryError)
        yield running


@pytest.fixture
def prefix(request: pytest.FixtureRequest) -> str:
    return f"/{request.node.name}"


class States:
    """What a watcher was told: addresses by service."""

    def __init__(self) -> None:
        self.told: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.last: Any = None

    def __call__(self, state: Any) -> None:
        self.told.put({name: sorted(e.address for e in info.endpoints) for name, info in state.items()})

    def until(self, expected: dict[str, list[str]], seconds: float = 20.0) -> float:
        began = time.monotonic()
        while self.last != expected:
            try:
                self.last = self.told.get(timeout=max(0.0, began + seconds - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"{expected} was never told; last: {self.last}") from None
        return time.monotonic() - began


def until(condition: Any, *passing: type[Exception], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while True:
        with contextlib.suppress(*passing):
            if condition():
                return
        assert time.monotonic() < end, "it did not come true in time"
        with socket.socket() as pause:  # waits without a sleep: nobody ever connects
            pause.bind(("127.0.0.1", 0))
            pause.listen()
            pause.settimeout(0.02)
            with contextlib.suppress(TimeoutError):
                pause.accept()


@contextlib.contextmanager
def registrant(etcd: Etcd, service: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", REGISTRANT, etcd.member, service],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    try:
        assert process.stdout.readline() == "registered\n"
        yield process
    finally:
        process.kill()
        process.communicate()


class Echo:
    def echo(self, value: Any) -> Any:
        return value


@contextlib.contextmanager
def served(registry: EtcdRegistry) -> Iterator[str]:
    with sage_rpc.ServiceHost("echo", Echo()) as host:
        with registry.register_service(Endpoint("echo", host.address, host=host_identity())):
            yield host.address


def test_registered_endpoints_are_found_watched_and_taken_away(etcd: Etcd, prefix: str) -> None:
    with (
        EtcdRegistry([etcd.member], prefix=prefix) as here,
        EtcdRegistry([etcd.member], prefix=prefix) as there,
    ):
        states = States()
        with there.watch(states):
            states.until({})
            with here.register_service(Endpoint("cache", "10.0.0.2:1", version="3")) as registration:
                assert states.until({"cache": ["10.0.0.2:1"]}) < 0.2
                assert there.discover_services()["cache"].endpoints[0].version == "3"
                registration.update("draining")
                until(lambda: there.discover_services()["cache"].serving == ())
            states.until({})


def test_the_lease_of_a_dead_process_expires_and_watchers_learn_it(etcd: Etcd) -> None:
    states = States()
    with EtcdRegistry([etcd.member]) as registry, registry.watch(states):
        with registrant(etcd, "mortal") as process:
            states.until({"mortal": ["10.0.0.9:1"]})
            process.send_signal(signal.SIGKILL)
            process.wait()
            assert states.until({}) < TTL + 2.0


def test_a_stopped_process_comes_back_with_a_new_lease(etcd: Etcd) -> None:
    states = States()
    with EtcdRegistry([etcd.member]) as registry, registry.watch(states):
        with registrant(etcd, "sleeper") as process:
            states.until({"sleeper": ["10.0.0.9:1"]})
            process.send_signal(signal.SIGSTOP)
            states.until({})
            process.send_signal(signal.SIGCONT)
            states.until({"sleeper": ["10.0.0.9:1"]})


def test_a_key_that_is_no_endpoint_harms_nobody(etcd: Etcd, prefix: str) -> None:
    from sage_rpc.proto.v1 import etcd_pb2

    with (
        grpc.insecure_channel(etcd.member) as channel,
        EtcdRegistry([etcd.member], prefix=prefix) as registry,
    ):
        put = channel.unary_unary("/etcdserverpb.KV/Put", etcd_pb2.PutRequest.SerializeToString)
        put(etcd_pb2.PutRequest(key=f"{prefix}/x/y".encode(), value=b"\xff{"), timeout=10.0)
        with registry.register_service(Endpoint("cache", "10.0.0.2:1")):
            assert list(registry.discover_services()) == ["cache"]


def test_a_compacted_watch_reads_everything_anew(etcd: Etcd, prefix: str) -> None:
    """Etcd cancels a watch from a revision that it has forgotten."""
    states = States()
    with EtcdRegistry([etcd.member], prefix=prefix) as registry, registry.watch(states):
        states.until({})
        os.kill(etcd.process.pid, signal.SIGSTOP)
        os.kill(etcd.process.pid, signal.SIGCONT)
        with registry.register_service(Endpoint("cache", "10.0.0.2:1")):
            states.until({"cache": ["10.0.0.2:1"]})


@pytest.mark.slow
def test_an_outage_takes_nothing_away_and_then_the_truth_is_learnt(tmp_path: Path) -> None:
    """Etcd is killed and comes back with its data: callers go on, a host that vanished meanwhile goes."""
    with Etcd(tmp_path) as etcd:
        members = [etcd.member]
        with EtcdRegistry(members, ttl=TTL) as server, EtcdRegistry(members, ttl=TTL) as caller:
            until(lambda: caller.discover_services() == {}, RegistryError)
            states = States()
            with served(server) as address, caller.watch(states), registrant(etcd, "vanishing") as vanishing:
                both = {"echo": [address], "vanishing": ["10.0.0.9:1"]}
                states.until(both)
                with DiscoveredChannel("sage:///echo", directory=Directory(caller)) as channel:
                    call = channel.unary_unary("/sage.rpc.v1.Invocation/Call")
                    request = sage_rpc.ServiceRequest(
                        service="echo", method="echo", arguments=sage_rpc.encoding.values.encode([["?"], {}])
                    ).SerializeToString()
                    call(request, timeout=10.0)
                    etcd.kill()
                    vanishing.kill()
                    end, calls = time.monotonic() + OUTAGE_SECONDS, 0
                    while time.monotonic() < end:
                        call(request, timeout=10.0)  # nothing is lost
                        calls += 1
                    assert calls > 100
                    assert caller.discover_services().keys() == both.keys()
                    while not states.told.empty():
                        assert states.told.get() == both
                    etcd.start()
                    until(lambda: "echo" in server.discover_services(), RegistryError)
                    # etcd gives leases their whole time anew when it is back: they expire after that.
                    assert states.until({"echo": [address]}) < TTL + 3.0
                    call(request, timeout=10.0)


def test_an_etcd_that_lost_its_data_is_told_everything_again(tmp_path: Path) -> None:
    with Etcd(tmp_path) as etcd:
        with EtcdRegistry([etcd.member], ttl=TTL) as registry:
            until(lambda: registry.discover_services() == {}, RegistryError)
            states = States()
            with registry.watch(states), registry.register_service(Endpoint("cache", "10.0.0.2:1")):
                states.until({"cache": ["10.0.0.2:1"]})
                etcd.kill()
                shutil.rmtree(tmp_path / "data")
                etcd.start()
                until(lambda: "cache" in registry.discover_services(), RegistryError)
                while not states.told.empty():
                    assert states.told.get() == {"cache": ["10.0.0.2:1"]}  # never told to be gone


def test_registering_while_etcd_is_away_happens_when_it_is_there(tmp_path: Path) -> None:
    etcd = Etcd(tmp_path)
    with EtcdRegistry([etcd.member], ttl=TTL) as registry, registry.register_service(Endpoint("late", "x:1")):
        with pytest.raises(RegistryError, match=f"etcd at {etcd.member}: "):
            registry.discover_services()
        states = States()
        with registry.watch(states), etcd:
            states.until({"late": ["x:1"]})


def test_a_member_that_is_away_is_passed_over(etcd: Etcd, prefix: str) -> None:
    with EtcdRegistry([f"127.0.0.1:{free_port()}", etcd.member], prefix=prefix) as registry:
        with registry.register_service(Endpoint("cache", "10.0.0.2:1")):
            assert list(registry.discover_services()) == ["cache"]


def test_this_hosts_registry_and_etcd_are_one(etcd: Etcd, prefix: str) -> None:
    location = f"etcd://{etcd.member}?prefix={prefix}&ttl=2"
    with open_registry(location) as here, EtcdRegistry([etcd.member], prefix=prefix) as etcd_alone:
        with here.register_service(Endpoint("local", "unix:/run/x", host=host_identity())):
            with here.register_service(Endpoint("wide", "10.0.0.2:1", host=host_identity())):
                assert sorted(here.discover_services()) == ["local", "wide"]
                assert sorted(etcd_alone.discover_services()) == ["wide"]
                with etcd_alone.register_service(Endpoint("wide", "10.0.0.2:2", host=host_identity())):
                    # Of this host, and not in its registry: dead.
                    assert [e.address for e in here.discover_services()["wide"].endpoints] == ["10.0.0.2:1"]


def test_tls_with_client_certificates(tmp_path: Path) -> None:
    ca, stranger = trustme.CA(), trustme.CA()
    server, client = ca.issue_cert("127.0.0.1"), ca.issue_cert("client")
    files = {"ca": tmp_path / "ca.pem", "cert": tmp_path / "cert.pem", "key": tmp_path / "key.pem"}
    ca.cert_pem.write_to_path(files["ca"])
    client.cert_chain_pems[0].write_to_path(files["cert"])
    client.private_key_pem.write_to_path(files["key"])
    stranger.cert_pem.write_to_path(tmp_path / "stranger.pem")
    server.cert_chain_pems[0].write_to_path(tmp_path / "server.pem")
    server.private_key_pem.write_to_path(tmp_path / "server.key")
    tls = ["--cert-file", tmp_path / "server.pem", "--key-file", tmp_path / "server.key",
           "--client-cert-auth", "--trusted-ca-file", files["ca"]]  # fmt: skip
    with Etcd(tmp_path, "https", *map(str, tls)) as etcd:
        query = "&".join(f"{name}={path}" for name, path in files.items())
        with open_registry(f"etcds://{etcd.member}?{query}") as registry:
            until(lambda: registry.remote.discover_services() == {}, RegistryError)
            with registry.register_service(Endpoint("cache", "10.0.0.2:1")):
                assert list(registry.discover_services()) == ["cache"]
        with EtcdRegistry([etcd.member], tls=EtcdTls(str(tmp_path / "stranger.pem"))) as registry:
            with pytest.raises(RegistryError, match=r"(?i)certificate|handshak"):
                registry.discover_services()
