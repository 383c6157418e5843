"""Fixtures for pytest. In `conftest.py`: `pytest_plugins = ["sage_rpc.testing.pytest_plugin"]`.

| fixture | gives |
| --- | --- |
| `sage_services` | `sage_services(cache={"get": "hit"})` -> `FakeServices`, closed after the test |
| `sage_faults` | a `FaultInjector` |
| `sage_runtime_dir` | a runtime directory of the test's own, so that it meets no server but its own |
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sage_rpc.testing.fakes import FakeServices
from sage_rpc.testing.faults import FaultInjector

__all__ = ["sage_faults", "sage_runtime_dir", "sage_services"]


@pytest.fixture
def sage_runtime_dir(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The test's own runtime directory. Its path is short: sockets live in it."""
    with tempfile.TemporaryDirectory(prefix="sage-") as name:
        os.chmod(name, 0o700)  # noqa: PTH101 - as everywhere where modes matter
        monkeypatch.setenv("SAGE_RPC_RUNTIME_DIR", name)
        yield Path(name)


@pytest.fixture
def sage_services(sage_runtime_dir: Path) -> Iterator[Callable[..., FakeServices]]:
    """Makes fakes of services, and closes them after the test; the arguments are FakeServices' own."""
    del sage_runtime_dir  # it is enough that it is there
    made: list[FakeServices] = []

    def make(*args: object, **services: object) -> FakeServices:
        made.append(FakeServices(*args, **services))  # type: ignore[arg-type] # checked where they are used
        return made[-1]

    yield make
    for services in made:
        services.close()


@pytest.fixture
def sage_faults() -> FaultInjector:
    """Faults for channels and managers."""
    return FaultInjector()
