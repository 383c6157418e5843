"""A Node client calls services that are implemented on a generated base, with `def` and with `async def`."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.codegen.protoc import ROOT
from tests.conftest import ServerProcess
from tests.ecosystem.test_node import node_modules  # noqa: F401 - a fixture

HERE = Path(__file__).parent
SECONDS = 20


@pytest.mark.slow
@pytest.mark.parametrize("server", ["def sage", "async sage-aio"])
def test_a_node_client_calls_what_a_base_serves(node_modules, server):  # noqa: F811
    # Beside the packages: require() looks for them from where the program is.
    program = shutil.copy(HERE / "client.js", node_modules / "kinds_client.js")
    with ServerProcess(*server.split(), program="kinds_server.py") as process:
        done = subprocess.run(
            ["node", program, f"127.0.0.1:{process.port}", HERE / "protos", ROOT / "proto"],
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    echo = seen["echo"]
    assert (echo["name"], echo["count"], echo["color"], echo["sizes"]) == ("apple", 3, "RED", {"s": 1})
    assert seen["refused"] == {"code": 5, "details": "asked for: x"}
    assert seen["repeated"] == {"names": ["r"] * 3, "code": 0}
    assert seen["collected"] == 3
    assert seen["exchanged"] == {"names": ["a", "b"], "code": 0}
