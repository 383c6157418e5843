"""The sage-rpc command: what it prints, and exit codes that mean something."""

from __future__ import annotations

import datetime
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import sage_rpc
from sage_rpc import native
from sage_rpc.cli.commands.printing import CommandError, as_json

ROOT = Path(__file__).parents[2]


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


@pytest.mark.slow
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


# ---------------------------------------------------------------- results


RESULTS = {
    "keys of every type": {
        (1, 2): "a",
        b"k": 1,
        datetime.date(2024, 1, 1): 2,
        None: 3,
        True: 4,
        1.5: 5,
        "s": 6,
    },
    "keys that would be one": {1: "number", "1": "text"},
    "numbers that JSON lacks": [float("nan"), float("inf"), float("-inf"), 0.5],
    "arrays of them": np.array([[np.nan, 1.0]], "f4"),
    "a numpy number as key": {np.int64(3): np.float32(0.5)},
    "sets of several types": {1, "a"},
    "a very large number": 1 << 20_000,
    "letters": "Grüße ✔ 😀",
}
SHOWN = {
    "keys of every type": {"[1, 2]": "a", "k": 1, "2024-01-01": 2, "null": 3, "true": 4, "1.5": 5, "s": 6},
    "keys that would be one": [[1, "number"], ["1", "text"]],
    "numbers that JSON lacks": ["NaN", "Infinity", "-Infinity", 0.5],
    "arrays of them": [["NaN", 1.0]],
    "a numpy number as key": {"3": 0.5},
    "sets of several types": [1, "a"],
    "a very large number": hex(1 << 20_000),
    "letters": "Grüße ✔ 😀",
}


@pytest.mark.parametrize("what", RESULTS)
def test_every_result_is_json_that_any_parser_takes(what: str) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    assert json.loads(as_json(RESULTS[what]), parse_constant=refuse) == SHOWN[what]


def test_a_result_that_is_nested_too_deeply_is_one_clear_line() -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(CommandError, match="nested too deeply"):
        as_json(deep)


class _Says:
    def say(self, what: str) -> object:
        return RESULTS[what]


def test_what_a_terminal_has_no_sign_for_is_spelled_out(runtime_directory: Path) -> None:
    with sage_rpc.ServiceHost("s", _Says()) as host:
        arguments = ["call", "--target", host.address, "s.say", '["letters"]']
        done = sage_rpc_command(*arguments, PYTHONIOENCODING="ascii")
        assert (done.returncode, done.stdout) == (0, "Gr\\xfc\\xdfe \\u2714 \\U0001f600\n")
        for wrong in ("-1", "0", "nan", "inf", "soon"):
            done = sage_rpc_command(*arguments, "--timeout", wrong)
            assert done.returncode == 2
            assert "is no number of seconds greater than 0" in done.stderr
