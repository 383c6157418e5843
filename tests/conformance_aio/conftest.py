"""Fixtures of the asyncio suite, and the hook that runs its tests, which are coroutines.

The columns are in columns.py, the shared server in service.py. All of it lives in one event loop, which
stands still between the tests.
"""

from __future__ import annotations

import asyncio
import inspect
import socket
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.fixtures import quiet, runtime_directory, session_runtime_directory  # noqa: F401
from tests.conformance_aio.columns import COLUMNS, Column
from tests.conformance_aio.loops import run
from tests.conformance_aio.service import Methods, Served, Service
from tests.conformance_aio.service import serve as start_server


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    arguments = {name: pyfuncitem.funcargs[name] for name in names}
    run(pyfuncitem.funcargs["event_loop"], pyfuncitem.obj(**arguments))
    return True


@pytest.fixture(scope="session", autouse=True)
def event_loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield loop
    loop.run_until_complete(loop.shutdown_asyncgens())
    asyncio.set_event_loop(None)
    loop.close()


@pytest.fixture(scope="session", params=COLUMNS)
def column(request: pytest.FixtureRequest) -> Column:
    return request.param


@pytest.fixture(scope="session")
def service(
    event_loop: asyncio.AbstractEventLoop,
    column: Column,
    session_runtime_directory: Path,  # noqa: F811
) -> Iterator[Service]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAGE_RPC_RUNTIME_DIR", str(session_runtime_directory))
        patch.delenv("SAGE_RPC_TRANSPORT", raising=False)
        started = Service(column)
        run(event_loop, started.start())
    yield started
    run(event_loop, started.close())


@pytest.fixture
def rpc(event_loop: asyncio.AbstractEventLoop, service: Service) -> Iterator[Methods]:
    """Methods of the server that the tests of a column share."""
    methods = Methods(service, event_loop)
    yield methods
    try:
        if not methods.release():
            run(event_loop, methods.idle())
    finally:
        methods.forget()


@pytest.fixture
def serve(
    event_loop: asyncio.AbstractEventLoop, column: Column
) -> Iterator[Callable[..., Awaitable[Served]]]:
    """Servers of the test's own; see `service.serve`."""
    started: list[Served] = []

    async def start(*handlers: Any, **arguments: Any) -> Served:
        served = await start_server(column, *handlers, **arguments)
        started.append(served)
        return served

    yield start
    for served in started:
        run(event_loop, served.close())


@pytest.fixture
def dead_port() -> Iterator[int]:
    """A port on which nobody listens, and which nobody else gets meanwhile."""
    with socket.socket() as reserved:
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reserved.bind(("127.0.0.1", 0))
        yield reserved.getsockname()[1]
