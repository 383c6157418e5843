"""What others make of grpc runs on ours as it does on grpcio: the same program, the same words.

Each program of `programs/` is run by `python`, on stock grpcio, and by `python -m sage_rpc run`, on ours: it
must print the same. Over shm only the memory queue may carry its calls, unless the process forbids that.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import needs_native

pytestmark = [needs_native]

PROGRAMS = Path(__file__).parent / "programs"
ROOT = Path(__file__).parents[2]
NEEDS = {
    "pubsub_client": "google.cloud.pubsub_v1",
    "firestore_client": "google.cloud.firestore_v1",
    "opencensus_spans": "opencensus.ext.grpc",
    "prometheus_counts": "py_grpc_prometheus",
    "ddtrace_spans": "ddtrace",
    "sentry_transactions": "sentry_sdk",
    "newrelic_transactions": "newrelic",
    "gevent_both": "gevent",
}


def is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ImportError:
        return False


def needs(module: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(not is_there(module), reason=f"{module} is not installed: make test-ecosystem")


def said_by(*command: str, **environment: str) -> list[str]:
    """The lines that a program prints, which must end well."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", *command],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout.splitlines()


@pytest.mark.parametrize("mode", ["auto", "shm"])
@pytest.mark.parametrize("program", [pytest.param(name, marks=needs(NEEDS[name])) for name in NEEDS])
def test_a_program_says_on_ours_what_it_says_on_grpcio(program: str, mode: str) -> None:
    path = str(PROGRAMS / f"{program}.py")
    on_stock = said_by(path)
    assert on_stock
    assert said_by("-m", "sage_rpc", "run", path, SAGE_RPC_TRANSPORT=mode) == on_stock


@needs("eventlet")
@pytest.mark.parametrize("mode", ["auto", "shm"])
def test_where_eventlet_has_patched_threading_grpc_is_used_and_why_is_said(mode: str) -> None:
    assert said_by(str(PROGRAMS / "eventlet_channel.py"), SAGE_RPC_TRANSPORT=mode) == ["eventlet"]
