"""The package as users get it: an sdist, a wheel from that sdist, an editable install, no compiler.

Each test installs into an environment of its own, which sees this environment's dependencies (but not
our own package) through a .pth file, so that nothing is downloaded. The tree is copied first: what lies
about in a checkout must not end in a package.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SUFFIX = sysconfig.get_config_var("EXT_SUFFIX")
ROOMS = ("native", "encoding", "queue")  # those with native sources
EXTENSIONS = sorted(
    str(path.relative_to(ROOT).with_suffix(""))
    for room in ROOMS
    for path in (ROOT / "sage_rpc" / room).glob("*.pyx")
)
STEP_SECONDS = 240

pytestmark = [pytest.mark.packaging, pytest.mark.timeout(400)]

needs_compiler = pytest.mark.skipif(
    not any(map(shutil.which, (os.environ.get("CC") or "cc", "gcc", "clang"))), reason="no C compiler here"
)

LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv*", "build", "dist", "out", "*.egg-info", "__pycache__", "*.so", ".*_cache", ".hypothesis"
)

# One call of each kind of transport choice, as a user without the native core sees it.
CALLS_WITHOUT_CORE = """
import grpc, sage_rpc
from concurrent import futures

handler = grpc.method_handlers_generic_handler(
    "Echo", {"Echo": grpc.unary_unary_rpc_method_handler(lambda request, context: request)})
server = sage_rpc.server(futures.ThreadPoolExecutor(2))
server.add_generic_rpc_handlers((handler,))
target = f"localhost:{server.add_insecure_port('localhost:0')}"
server.start()
with sage_rpc.insecure_channel(target) as channel:
    assert channel.unary_unary("/Echo/Echo")(b"x", timeout=20) == b"x"
    print("carried by", channel.transport)
with sage_rpc.insecure_channel(target, [("sage_rpc.transport", "shm")]) as channel:
    try:
        channel.unary_unary("/Echo/Echo")(b"x", timeout=20)
    except grpc.RpcError as error:
        print(error.code().name, error.details())
server.stop(None).wait()

class Plain:
    def echo(self, value):
        return value

host = sage_rpc.ServiceHost("plain", Plain()).start()
with sage_rpc.ServiceManager({"plain": host.address}) as manager:
    value = {"a": (1, [2.5, None]), 7: b"x"}
    assert manager.get_sync_proxy("plain").echo(value) == value  # encoded by Python
    print("values carried by", manager.transport_of("plain"))
host.stop()
"""


def clean_environment(**extra: str) -> dict[str, str]:
    """This process's environment without what would let it leak into the one under test."""
    env = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("SAGE_RPC_", "PYTHON", "PIP_NO_BUILD")) and name != "VIRTUAL_ENV"
    }
    return env | {"PIP_DISABLE_PIP_VERSION_CHECK": "1"} | extra


def run(*command: str | Path, env: dict[str, str] | None = None, cwd: Path) -> str:
    """Run `command`. -> stdout and stderr together; a failing command fails the test with them."""
    done = subprocess.run(
        [str(part) for part in command],
        env=env or clean_environment(),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=STEP_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}"
    return done.stdout


class Environment:
    """A new virtual environment that borrows this one's dependencies."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        run(sys.executable, "-m", "venv", "--without-pip", directory, cwd=directory.parent)
        self.python = directory / "bin/python"
        packages = sysconfig.get_path("purelib", vars={"base": str(directory)})
        (Path(packages) / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")

    def install(self, *what: str | Path, env: dict[str, str] | None = None) -> str:
        return run(
            *(
                self.python,
                "-m",
                "pip",
                "install",
                "--no-index",
                "--no-deps",
                "--no-build-isolation",
                "-v",
                *what,
            ),
            env=env,
            cwd=self.directory,
        )

    def doctor(self) -> tuple[int, dict[str, dict[str, str]]]:
        """Exit code and findings, by name, of the installed command."""
        done = subprocess.run(
            [self.directory / "bin/sage-rpc", "doctor", "--json"],
            env=clean_environment(CC="no-such-compiler"),
            cwd=self.directory,
            stdout=subprocess.PIPE,
            timeout=STEP_SECONDS,
            check=False,
        )
        return done.returncode, {check["name"]: check for check in json.loads(done.stdout)["checks"]}

    def evaluate(self, code: str) -> str:
        return run(self.python, "-c", code, cwd=self.directory)


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    return Environment(tmp_path / "venv")


@pytest.fixture(scope="module")
def copy_tree(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    def copy() -> Path:
        return Path(shutil.copytree(ROOT, tmp_path_factory.mktemp("tree") / "sage_rpc", ignore=LEFT_OUT))

    return copy


@pytest.fixture(scope="module")
def sdist(copy_tree: Callable[[], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sdist")
    run(sys.executable, "-m", "build", "--no-isolation", "--sdist", "--outdir", out, cwd=copy_tree())
    (built,) = out.iterdir()
    return built


def test_the_sdist_holds_sources_only(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    native = {
        f"sage_rpc/{room}/{path.name}"
        for room in ROOMS
        for path in (ROOT / "sage_rpc" / room).glob("*.[phx]*")
    }
    wanted = {"LICENSE", "README.md", "Makefile", "setup.py", "sage_rpc/py.typed", "tests/test_layers.py"}
    assert (wanted | {name for name in native if not name.endswith(".pyc")}) <= names
    assert not [name for name in names if name.endswith((".so", ".o", ".pyc")) or name.startswith("build/")]


@needs_compiler
def test_a_wheel_from_the_sdist_works(sdist: Path, environment: Environment, tmp_path: Path) -> None:
    run(
        *(sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-w", tmp_path, sdist),
        env=clean_environment(SAGE_RPC_BUILD_NATIVE="require"),
        cwd=tmp_path,
    )
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    compiled = {f"{path}{SUFFIX}" for path in (*EXTENSIONS, "sage_rpc/encoding/_codec")}
    assert compiled | {"sage_rpc/py.typed", "sage_rpc/encoding/_codec.py"} <= set(names)
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"sage_rpc"}

    environment.install(wheel)
    assert "venv" in environment.evaluate("import sage_rpc; print(sage_rpc.__file__)")
    code, findings = environment.doctor()
    assert [finding for finding in findings.values() if finding["status"] == "problem"] == []
    assert findings["round trip"]["status"] == "ok"
    assert code == 0
    # The generator comes along, with the protos that others import.
    (tmp_path / "a.proto").write_text(
        'syntax = "proto3";\nimport "sage/rpc/v1/options.proto";\nmessage M {}\n'
        "service S { option (sage.rpc.v1.service) = { idempotent: true }; rpc Get(M) returns (M); }\n"
    )
    run(environment.directory / "bin/sage-rpc", "gen", "a.proto", "--out", "made", cwd=tmp_path)
    assert "class SClient" in (tmp_path / "made/a_sage.py").read_text("utf-8")
    assert (environment.directory / "bin/protoc-gen-sage").exists()


@needs_compiler
def test_an_editable_install_works(copy_tree: Callable[[], Path], environment: Environment) -> None:
    tree = copy_tree()
    environment.install("-e", tree, env=clean_environment(SAGE_RPC_BUILD_NATIVE="require"))
    assert environment.evaluate("import sage_rpc; print(sage_rpc.__file__)").startswith(str(tree))
    code, findings = environment.doctor()
    assert findings["round trip"]["status"] == "ok"
    assert code == 0


def test_without_a_compiler_the_install_succeeds_and_says_so(sdist: Path, environment: Environment) -> None:
    nothing = environment.directory / "nothing"
    nothing.mkdir()
    output = environment.install(sdist, env=clean_environment(PATH=str(nothing), CC="no-such-compiler"))
    warnings = [line for line in output.splitlines() if "sage-rpc: WARNING" in line]
    assert len(warnings) == 1
    assert "no C compiler" in warnings[0]
    assert "gRPC" in warnings[0]

    code, findings = environment.doctor()
    assert code == 1
    for path in EXTENSIONS:
        finding = findings[path.replace("/", ".")]
        assert finding["status"] == "problem"
        assert "no C compiler" in finding["detail"]
        assert "gcc" in finding["advice"]


def test_without_the_core_calls_go_over_grpc(sdist: Path, environment: Environment) -> None:
    environment.install(sdist, env=clean_environment(SAGE_RPC_BUILD_NATIVE="skip"))
    lines = environment.evaluate(CALLS_WITHOUT_CORE).splitlines()
    assert "carried by grpc" in lines
    assert "values carried by grpc" in lines
    (refusal,) = (line for line in lines if line.startswith("UNAVAILABLE"))
    assert "compiler" in refusal


def test_a_required_core_that_cannot_be_built_is_an_error(sdist: Path, environment: Environment) -> None:
    env = clean_environment(SAGE_RPC_BUILD_NATIVE="require", CC="no-such-compiler")
    with pytest.raises(AssertionError, match="native core was not built"):
        environment.install(sdist, env=env)
