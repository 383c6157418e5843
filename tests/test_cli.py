"""The sage-rpc command: what it prints, and exit codes that mean something."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import sage_rpc
from sage_rpc import native

ROOT = Path(__file__).parents[1]


def sage_rpc_command(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sage_rpc", *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT), "SAGE_RPC_TRANSPORT": ""} | env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=40,
        check=False,
    )


def findings(done: subprocess.CompletedProcess[str]) -> dict[str, dict[str, str]]:
    return {check["name"]: check for check in json.loads(done.stdout)["checks"]}


def test_version() -> None:
    assert sage_rpc_command("version").stdout == f"sage-rpc {sage_rpc.__version__}\n"
    assert json.loads(sage_rpc_command("version", "--json").stdout)["sage_rpc"] == sage_rpc.__version__


@pytest.mark.parametrize(
    "arguments", [[], ["no-such-command"], ["version", "surplus"], ["doctor", "--surplus"]]
)
def test_wrong_arguments_end_with_2(arguments: list[str]) -> None:
    done = sage_rpc_command(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "usage: sage-rpc" in done.stderr


@pytest.mark.parametrize("arguments", [[], ["version"], ["doctor"]])
def test_every_command_has_help(arguments: list[str]) -> None:
    done = sage_rpc_command(*arguments, "--help")
    assert done.returncode == 0
    assert "usage: sage-rpc" in done.stdout


@pytest.mark.skipif(not native.available(), reason="no native core here")
def test_doctor_finds_a_healthy_machine(short_path: Path) -> None:
    done = sage_rpc_command("doctor", "--json", SAGE_RPC_RUNTIME_DIR=str(short_path / "run"))
    assert done.returncode == 0, done.stdout
    assert json.loads(done.stdout)["memory_queue"] is True
    assert findings(done)["round trip"]["status"] == "ok"
    assert not list((short_path / "run").iterdir())


def test_doctor_names_a_wrong_transport() -> None:
    done = sage_rpc_command("doctor", "--json", SAGE_RPC_TRANSPORT="pigeon")
    assert done.returncode == 1
    assert findings(done)["SAGE_RPC_TRANSPORT"]["status"] == "problem"
    assert "auto, shm, grpc" in findings(done)["SAGE_RPC_TRANSPORT"]["advice"]


@pytest.mark.skipif(not native.available(), reason="no native core here")
@pytest.mark.parametrize(
    ("spin", "said"), [("0", "0 us"), ("12.5", "12.5 us"), ("-1", "ignored"), ("long", "ignored")]
)
def test_doctor_knows_how_long_threads_watch(spin: str, said: str) -> None:
    done = sage_rpc_command("doctor", "--json", SAGE_RPC_SPIN_US=spin)
    assert said in findings(done)["SAGE_RPC_SPIN_US"]["detail"]
    assert findings(done)["round trip"]["status"] == "ok"  # it is no reason not to work


def test_doctor_names_an_unsafe_runtime_directory(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    done = sage_rpc_command("doctor", "--json", SAGE_RPC_RUNTIME_DIR=str(tmp_path))
    assert done.returncode == 1
    assert str(tmp_path) in findings(done)["runtime directory"]["detail"]


def test_doctor_says_in_words_what_json_says() -> None:
    done = sage_rpc_command("doctor", SAGE_RPC_TRANSPORT="pigeon")
    assert done.returncode == 1
    assert "FAIL  SAGE_RPC_TRANSPORT" in done.stdout
    assert "calls go over gRPC" in done.stdout


def test_a_reader_that_leaves_is_no_error() -> None:
    command = f"'{sys.executable}' -m sage_rpc doctor --json | head -c 1"
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=40,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("{", "")
