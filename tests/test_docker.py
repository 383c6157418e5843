"""The compose file for real: `make test-docker` builds it, brings it up, breaks it, and takes it down.

Asks for a Docker engine, and so runs only where SAGE_RPC_TEST_DOCKER is set; what needs no engine, the other
tests check. BASE_IMAGE chooses the base of the images.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
COMPOSE_FILE = ROOT / "docker" / "compose.yaml"
PROJECT = "sage-rpc-test"
PLUGIN = (
    shutil.which("docker") is not None
    and subprocess.run(["docker", "compose", "version"], capture_output=True).returncode == 0
)
COMPOSE = ["docker", "compose"] if PLUGIN else ["docker-compose"]

with_engine = [
    pytest.mark.skipif(not os.environ.get("SAGE_RPC_TEST_DOCKER"), reason="make test-docker runs it"),
    pytest.mark.slow,
    pytest.mark.timeout(850),
]
ENVIRONMENT = {
    **os.environ,
    "SAGE_RPC_IMAGE": "sage-rpc:test",
    "ETCD_IMAGE": "sage-rpc-etcd:test",
    "COMPOSE_PROJECT_NAME": PROJECT,
}


def docker(*arguments: str, timeout: float = 120.0) -> str:
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=timeout)
    assert done.returncode == 0, (arguments, done.stdout[-2000:], done.stderr[-2000:])
    return done.stdout.strip()


def compose(*arguments: str, timeout: float = 180.0) -> str:
    done = subprocess.run(
        [*COMPOSE, "-f", str(COMPOSE_FILE), *arguments],
        capture_output=True,
        text=True,
        timeout=timeout,
        env=ENVIRONMENT,
    )
    assert done.returncode == 0, (arguments, done.stdout[-2000:], done.stderr[-2000:])
    return done.stdout.strip()


def container(service: str) -> str:
    return compose("ps", "-q", service)


def carried(caller: str) -> dict[str, Any]:
    """What a caller said last of its calls."""
    lines = docker("logs", "--tail", "1", container(caller)).splitlines()
    found: dict[str, Any] = json.loads(lines[-1]) if lines else {}
    return found


def until(condition: Callable[[], Any], seconds: float) -> float:
    began, pause = time.monotonic(), threading.Event()
    while not condition():
        assert time.monotonic() - began < seconds, (carried("a-caller"), carried("b-caller"))
        pause.wait(0.2)
    return time.monotonic() - began


A_SEES = {"cache": "shm", "search": "grpc"}
B_SEES = {"cache": "grpc", "search": "shm"}


def all_is_well() -> bool:
    return carried("a-caller") == A_SEES and carried("b-caller") == B_SEES


@pytest.fixture(scope="module")
def hosts() -> Iterator[None]:
    """Two hosts, from nothing."""
    base = os.environ.get("BASE_IMAGE")
    with_base = ["--build-arg", f"BASE_IMAGE={base}"] if base else []
    # The network of the host, where there may be no other way to package registries.
    common = ["build", "-q", "--network", "host", *with_base]
    docker(*common, "-f", "docker/Dockerfile", "-t", "sage-rpc:test", str(ROOT), timeout=600)
    docker(
        *common, "-f", "docker/etcd.Dockerfile", "-t", "sage-rpc-etcd:test", str(ROOT / "docker"), timeout=300
    )
    compose("down", "-v", "-t", "3")
    try:
        compose("up", "-d", "--no-build")
        until(all_is_well, 90.0)
        yield
    finally:
        compose("down", "-v", "-t", "3")


class TestTwoHosts:
    pytestmark = with_engine

    def test_within_a_host_calls_use_memory_and_between_hosts_grpc(self, hosts: None) -> None:
        assert carried("a-caller") == A_SEES
        assert carried("b-caller") == B_SEES

    def test_the_pipeline_runs_unchanged_in_another_container(self, hosts: None) -> None:
        said = docker("exec", container("a-caller"), "python", "pipeline.py", "10")
        assert "10 answers; transports: {'cache': 'shm', 'search': 'grpc'}" in said

    def test_nobody_is_root_and_between_hosts_a_certificate_is_needed(self, hosts: None) -> None:
        assert docker("exec", container("a-services"), "id", "-u") == "10001"
        listed = json.loads(docker("exec", container("a-caller"), "sage-rpc", "list", "--json"))
        (address,) = next(row["addresses"] for row in listed if row["service"] == "search")
        assert address.startswith("host-b:")
        call = ["sage-rpc", "call", "--target", address, "--secure", "search.closest", '["fox"]']
        assert "quick brown fox" in docker("exec", container("a-caller"), *call)
        bare = ["-e", "SAGE_RPC_TLS_CERT=", "-e", "SAGE_RPC_TLS_KEY="]
        refused = subprocess.run(
            ["docker", "exec", *bare, container("a-caller"), *call],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert refused.returncode == 1
        assert "UNAVAILABLE" in refused.stderr

    def test_every_container_sees_its_own_key_only(self, hosts: None) -> None:
        for service, host in (("a-services", "host-a"), ("b-caller", "host-b"), ("etcd", "etcd")):
            find = "find / -xdev -name '*.key' -path '*certif*' 2>/dev/null || true"
            seen = docker("exec", container(service), "sh", "-c", find)
            listed = docker("exec", container(service), "ls", "/certificates").split()
            assert listed == ["ca.pem", f"{host}.key", f"{host}.pem"]
            assert seen == ""  # beside the volume

    def test_a_killed_container_comes_back_and_calls_go_on(self, hosts: None) -> None:
        before = container("b-services")
        pid = int(docker("inspect", "-f", "{{.State.Pid}}", before))
        os.kill(pid, signal.SIGKILL)  # not docker kill, which says that it shall stay down
        # Callers may not even notice, so quickly is it back: the engine tells whether it was away.
        until(lambda: int(docker("inspect", "-f", "{{.RestartCount}}", before)) >= 1, 30.0)
        assert carried("a-caller")["cache"] == "shm"
        until(all_is_well, 60.0)

    def test_a_cut_network_fails_calls_by_their_deadline_and_heals(self, hosts: None) -> None:
        services = container("b-services")
        docker("network", "disconnect", f"{PROJECT}_backbone", services)
        until(lambda: carried("a-caller")["search"] != "grpc", 30.0)
        broken = carried("a-caller")
        assert broken["cache"] == "shm"  # within the host nothing is lost
        assert broken["search"].startswith(("UNAVAILABLE", "DEADLINE_EXCEEDED"))
        docker(
            "network",
            "connect",
            "--alias",
            "host-b",
            "--alias",
            "b-services",
            f"{PROJECT}_backbone",
            services,
        )
        until(all_is_well, 60.0)

    def test_etcd_away_takes_nothing_from_callers(self, hosts: None) -> None:
        compose("stop", "-t", "1", "etcd")
        seen = [carried("a-caller") for _ in range(10)]
        assert all(line == A_SEES for line in seen)
        compose("start", "etcd")
        until(all_is_well, 30.0)


@pytest.mark.skipif(shutil.which(COMPOSE[0]) is None, reason="there is no docker compose")
def test_the_compose_file_is_valid() -> None:
    compose("config", "-q")


def test_certificates_are_made_for_every_name_and_kept(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl")
    make_certificates(tmp_path, "host-a,a-services,10.0.0.2", "etcd")
    mine = tmp_path / "host-a"
    shown = subprocess.run(
        ["openssl", "x509", "-in", str(mine / "host-a.pem"), "-noout", "-text"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in ("DNS:host-a", "DNS:a-services", "IP Address:10.0.0.2", "DNS:localhost", "Client Auth"):
        assert name in shown
    assert trusted(mine, "host-a")
    # A host gets its directory, in which nothing is that others must not have.
    assert sorted(os.listdir(mine)) == ["ca.pem", "host-a.key", "host-a.pem"]
    assert sorted(os.listdir(tmp_path)) == ["authority", "etcd", "host-a"]
    assert [p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("ca.key")] == ["authority/ca.key"]
    assert all(key.stat().st_mode & 0o077 == 0 for key in tmp_path.rglob("*.key"))
    before = (mine / "host-a.pem").read_bytes()
    make_certificates(tmp_path, "host-a,a-services,10.0.0.2", "etcd", "host-c")
    assert (mine / "host-a.pem").read_bytes() == before
    assert trusted(tmp_path / "host-c", "host-c")


def test_an_authority_whose_key_is_not_kept_signs_everybody_at_once_or_nobody(tmp_path: Path) -> None:
    """As in the compose file, where the key is in the memory of the container that makes the certificates."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl")
    hosts, passing = tmp_path / "hosts", tmp_path / "passing"
    make_certificates(hosts, "host-a", "host-b", AUTHORITY=str(passing))
    shutil.rmtree(passing)
    assert not list(hosts.rglob("ca.key"))
    before = (hosts / "host-a" / "host-a.pem").read_bytes()
    make_certificates(hosts, "host-a", "host-b", AUTHORITY=str(passing))
    assert (hosts / "host-a" / "host-a.pem").read_bytes() == before
    assert not passing.exists()
    make_certificates(hosts, "host-a", "host-b", "host-c", AUTHORITY=str(passing))
    assert (hosts / "host-a" / "host-a.pem").read_bytes() != before
    assert len({(hosts / name / "ca.pem").read_bytes() for name in ("host-a", "host-b", "host-c")}) == 1
    assert all(trusted(hosts / name, name) for name in ("host-a", "host-b", "host-c"))


def make_certificates(directory: Path, *hosts: str, **variables: str) -> None:
    script = str(ROOT / "docker" / "certificates.sh")
    done = subprocess.run(
        [script, str(directory), *hosts], capture_output=True, text=True, env={**os.environ, **variables}
    )
    assert done.returncode == 0, done.stderr


def trusted(directory: Path, name: str) -> bool:
    """Whether a host's own certificate is one that it would trust, and fits its key."""
    certificate, key = str(directory / f"{name}.pem"), str(directory / f"{name}.key")
    verify = ["openssl", "verify", "-CAfile", str(directory / "ca.pem"), certificate]
    shown = [
        subprocess.run(["openssl", *command], capture_output=True, check=True).stdout
        for command in (
            ("x509", "-in", certificate, "-noout", "-pubkey"),
            ("pkey", "-in", key, "-pubout"),
        )
    ]
    return subprocess.run(verify, capture_output=True).returncode == 0 and shown[0] == shown[1]


def test_every_container_sees_its_own_key_and_none_keeps_the_authoritys() -> None:
    import yaml

    services = yaml.safe_load(COMPOSE_FILE.read_text("utf-8"))["services"]
    seen = {
        name: [volume.split(":") for volume in service.get("volumes", ()) if "certificates" in volume]
        for name, service in services.items()
    }
    maker = services["certificates"]
    assert maker["network_mode"] == "none"
    assert maker["environment"]["AUTHORITY"].startswith(maker["tmpfs"][0])
    made = dict(seen.pop("certificates"))
    hosts = {"etcd": "etcd", **{f"{h}-{kind}": f"host-{h}" for h in "ab" for kind in ("services", "caller")}}
    for name, host in hosts.items():
        assert seen[name] == [[f"certificates-{host}", "/certificates", "ro"]]
        assert made[f"certificates-{host}"] == f"/certificates/{host}"
    assert seen.keys() == hosts.keys()


@pytest.mark.parametrize("host", ["a", "b"])
def test_the_configurations_of_the_hosts_are_valid(host: str) -> None:
    from sage_rpc.config import load_config

    config = load_config(ROOT / "docker" / "hosts" / f"{host}.yaml", {"HOST_NAME": f"host-{host}"})
    assert all(service.advertise == f"host-{host}" for service in config.services.values())


def test_the_kubernetes_manifests_fit_the_schema() -> None:
    validate = pytest.importorskip("kubernetes_validate")
    import yaml

    kinds = []
    for path in sorted((ROOT / "docker" / "kubernetes").glob("*.yaml")):
        for manifest in yaml.safe_load_all(path.read_text("utf-8")):
            validate.validate(manifest, validate.latest_version(), strict=True)
            kinds.append(manifest["kind"])
    assert {"Deployment", "Service", "ConfigMap"} <= set(kinds)
    with pytest.raises(validate.ValidationError):
        validate.validate({**manifest, "spec": {"repicas": 1}}, validate.latest_version(), strict=True)


@pytest.mark.skipif(
    shutil.which("promtool") is None, reason="there is no promtool: apt-get install prometheus"
)
def test_the_scrape_configuration_is_valid() -> None:
    path = ROOT / "docker" / "monitoring" / "prometheus.yml"
    done = subprocess.run(["promtool", "check", "config", str(path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze")
def test_the_systemd_unit_is_valid() -> None:
    path = ROOT / "docker" / "systemd" / "sage-rpc.service"
    done = subprocess.run(["systemd-analyze", "verify", str(path)], capture_output=True, text=True)
    complaints = [line for line in done.stderr.splitlines() if path.name in line]
    # The command is where the unit is installed, not here.
    assert [line for line in complaints if "is not executable" not in line] == []
