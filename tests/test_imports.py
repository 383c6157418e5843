"""Light at the door: what a program does not use is not imported."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {
    "opentelemetry",
    "sage_rpc.codegen",
    "sage_rpc.discovery.etcd",
    "sage_rpc.operators",
    "sage_rpc.supervisor",
    "yaml",
}
NAMED = HEAVY | {"sage_rpc.discovery", "sage_rpc.policies", "sage_rpc.endpoints.pool", "sage_rpc.services"}


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import sage_rpc", NAMED | {"grpc"}),
        ("from sage_rpc import insecure_channel, secure_channel, server", NAMED | {"sage_rpc.rpc.aio"}),
        ("from sage_rpc.aio import insecure_channel, server", NAMED),
        ("from sage_rpc import ServiceHost, ServiceManager, SageQueue", HEAVY | {"sage_rpc.rpc.aio"}),
        ("from sage_rpc import install; install()", NAMED),
    ],
)
def test_what_a_program_does_not_use_is_not_imported(statement: str, absent: set[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"{statement}\nimport sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(done.stdout.split())
    assert not {
        name for name in loaded if any(name == each or name.startswith(f"{each}.") for each in absent)
    }


def test_every_public_name_is_there() -> None:
    """And the package says what it lacks as any module does."""
    import sage_rpc

    assert all(getattr(sage_rpc, name) is not None for name in sage_rpc.__all__)
    assert sage_rpc.errors.RpcError is sage_rpc.RpcError  # a module of it, without being imported before
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = sage_rpc.nothing
