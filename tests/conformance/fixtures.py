"""Fixtures of both conformance suites, the synchronous one and the one of asyncio."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

__all__ = ["quiet", "runtime_directory", "session_runtime_directory"]


@pytest.fixture(scope="module", autouse=True)
def quiet() -> Iterator[None]:
    """Handlers fail on purpose here. Formatting their tracebacks is slow, and in CPython 3.11 it parses
    source in their threads, which makes pytest's own parsing in the main thread fail (SystemError).
    """
    with pytest.MonkeyPatch.context() as patch:
        for name in ("grpc", "sage_rpc"):
            patch.setattr(logging.getLogger(name), "level", logging.CRITICAL)
        yield


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
