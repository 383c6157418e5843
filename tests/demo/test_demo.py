"""The demo does the main job: real digits, recognised; both transports, compared; its errors are clear."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sage_rpc import native

pytest.importorskip("sklearn")
pytest.importorskip("rich")

ROOT = Path(__file__).parents[2]
SECONDS = 50


def demo(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sage_rpc.demo", *arguments],
        cwd=ROOT,
        env=os.environ | env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )


@pytest.mark.slow
def test_it_recognises_digits_and_compares_the_transports(runtime_directory: Path) -> None:
    done = demo("--items", "1000", "--calls", "100", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["items"] == 1000
    assert found["accuracy"] > 0.95
    assert found["cached"] > 0
    assert found["totals"]["images"] == 1000
    assert found["totals"]["right"] == found["right"]
    assert found["totals"]["searches"] == 1000 - found["cached"]
    assert found["calls"] == 3 * 1000 + 3 * (1000 - found["cached"])
    assert found["transports"] == ["shm" if native.available() else "grpc"]
    assert {name: len(pids) for name, pids in found["processes"].items()} == {
        "counter": 1, "cache": 1, "neighbours": 1, "Images": 1, "Classify": 2, "Check": 1,
    }  # fmt: skip
    for comparison in found["comparisons"]:
        assert 0 < comparison["grpc"]["p50"] <= comparison["grpc"]["p99"]
        if native.available():
            assert comparison["ratio"] > 1
    assert "1000 of 1000 images" in done.stderr
    assert list(runtime_directory.iterdir()) == []


@pytest.mark.slow
def test_it_says_in_words_what_json_says() -> None:
    done = demo("--items", "200", "--workers", "1", "--transport", "grpc", "--calls", "20")
    assert done.returncode == 0, done.stderr
    for text in (
        "20 of 200 images",
        "accuracy",
        "calls made",
        "over gRPC",
        "wall time",
        "cache.get",
        "p99 us",
    ):
        assert text in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "env", "text"),
    [
        (["--items", "0"], {}, "--items: 0 is less than 1"),
        (["--workers", "many"], {}, "--workers: invalid"),
        (["--transport", "pigeon"], {}, "invalid choice: 'pigeon'"),
        ([], {"SAGE_RPC_TRANSPORT": "pigeon"}, "expected one of auto, shm, grpc"),
    ],
)
def test_wrong_arguments_end_with_2(arguments: list[str], env: dict[str, str], text: str) -> None:
    done = demo(*arguments, **env)
    assert (done.returncode, done.stdout) == (2, "")
    assert text in done.stderr


def test_a_missing_package_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "sklearn.py").write_text(
        "raise ModuleNotFoundError('No module named sklearn', name='sklearn')"
    )
    done = demo(PYTHONPATH=str(tmp_path))
    assert done.returncode == 2
    assert done.stderr == "the demo needs scikit-learn: pip install 'sage-rpc[demo]'\n"


def test_the_command_runs_it() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sage_rpc", "demo", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 0
    assert "Classify handwritten digits" in done.stdout


@pytest.mark.slow
def test_ctrl_c_leaves_nothing(runtime_directory: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "sage_rpc.demo", "--items", "1000000"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert "starting" in process.stdout.readline()
        while not list(runtime_directory.glob("*.sock")):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 130
    assert err == "interrupted; everything was stopped\n"
    assert list(runtime_directory.iterdir()) == []
