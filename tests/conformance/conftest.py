"""Fixtures of the conformance suite; the columns are in columns.py, the shared server in service.py."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.columns import COLUMNS, Column
from tests.conformance.service import SECONDS, Methods, Served, Service
from tests.conformance.service import serve as start_server


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "known_difference(reason, columns, when): made by columns.known_difference"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        parameters = item.callspec.params if hasattr(item, "callspec") else {}
        for mark in item.iter_markers("known_difference"):
            reason, columns, when = mark.args
            if str(parameters.get("column")) in columns and all(
                parameters[name] in values for name, values in when.items()
            ):
                item.add_marker(pytest.mark.xfail(reason=reason, strict=True))


@pytest.fixture(scope="module", autouse=True)
def quiet() -> Iterator[None]:
    """Handlers fail on purpose here. Formatting their tracebacks is slow, and in CPython 3.11 it parses
    source in their threads, which makes pytest's own parsing in the main thread fail (SystemError).
    """
    with pytest.MonkeyPatch.context() as patch:
        for name in ("grpc", "sage_rpc"):
            patch.setattr(logging.getLogger(name), "level", logging.CRITICAL)
        yield


@pytest.fixture(scope="session", params=COLUMNS)
def column(request: pytest.FixtureRequest) -> Column:
    return request.param


@pytest.fixture(scope="session")
def session_runtime_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("conformance")
    path.chmod(0o700)
    return path


@pytest.fixture(autouse=True)
def runtime_directory(session_runtime_directory: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """In place of the directory that each other test has for itself: the servers outlive a test here."""
    monkeypatch.setenv("SAGE_RPC_RUNTIME_DIR", str(session_runtime_directory))
    monkeypatch.delenv("SAGE_RPC_TRANSPORT", raising=False)
    return session_runtime_directory


@pytest.fixture(scope="session")
def service(column: Column, session_runtime_directory: Path) -> Iterator[Service]:
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
