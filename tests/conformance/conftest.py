"""Fixtures of the conformance suite; the columns are in columns.py, the shared server in service.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.columns import COLUMNS, Column
from tests.conformance.fixtures import quiet, runtime_directory, session_runtime_directory  # noqa: F401
from tests.conformance.service import SECONDS, Methods, Served, Service
from tests.conformance.service import serve as start_server


@pytest.fixture(scope="session", params=COLUMNS)
def column(request: pytest.FixtureRequest) -> Column:
    return request.param


@pytest.fixture(scope="session")
def service(
    column: Column,
    session_runtime_directory: Path,  # noqa: F811
) -> Iterator[Service]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAGE_RPC_RUNTIME_DIR", str(session_runtime_directory))
        patch.delenv("SAGE_RPC_TRANSPORT", raising=False)
        started = Service(column)
    yield started
    started.close()


@pytest.fixture
def rpc(service: Service) -> Iterator[Methods]:
    """Methods of the server that the tests of a column share."""
    methods = Methods(service)
    yield methods
    methods.close()


@pytest.fixture
def serve(column: Column) -> Iterator[Callable[..., Served]]:
    """Servers of the test's own; see `service.serve`."""
    started: list[Served] = []

    def start(*handlers: Any, **arguments: Any) -> Served:
        served = start_server(column, *handlers, **arguments)
        started.append(served)
        return served

    yield start
    for served in started:
        served.channel.close()
    for served in started:
        stopped = served.server.stop(0)
        assert served.may_hang or stopped.wait(SECONDS), "the server did not stop"
