"""What is generated for awkward protos: the same bytes every time, from every program that runs the plugin,
formatted, without a complaint of mypy, pyright and ruff; and what cannot be generated is refused by place.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from concurrent import futures
from pathlib import Path

import pytest
from google.protobuf import empty_pb2
from google.protobuf.compiler.plugin_pb2 import CodeGeneratorRequest, CodeGeneratorResponse

import sage_rpc
from codegen.generate import without_checks
from sage_rpc.codegen import plugin
from sage_rpc.codegen.protoc import INCLUDE
from tests.codegen.golden.awkward import names_pb2, names_pb2_grpc, names_sage
from tests.codegen.protoc import ROOT, protoc

PROTOS = Path(__file__).parent / "protos"
GOLDEN = Path(__file__).parent / "golden"
SECONDS = 50
# The programs that come with our package, and those of the tools beside them.
BIN = Path(sys.executable).parent
ENVIRONMENT = os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}


def run(*command: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, env=ENVIRONMENT, capture_output=True, text=True, timeout=SECONDS)


def gen(*arguments: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return run(sys.executable, "-m", "sage_rpc", "gen", *arguments, cwd=cwd)


def texts(directory: Path, pattern: str = "*.py*") -> dict[str, str]:
    """What was generated, without the versions of what generated it."""
    return {
        path.relative_to(directory).as_posix(): without_checks(path.read_text("utf-8"))
        for path in sorted(directory.rglob(pattern))
        if path.suffix in {".py", ".pyi"}
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A package `shop.gen` of all protos, made by the command."""
    root = tmp_path_factory.mktemp("made")
    out = root / "shop" / "gen"
    done = gen(PROTOS, "--out", out)
    assert (done.returncode, done.stderr) == (0, "")
    (root / "shop" / "__init__.py").touch()
    assert f"wrote {out / 'kinds_sage.py'}" in done.stdout
    return root


# -- the same bytes


def test_the_command_makes_the_golden_files(made):
    assert texts(made / "shop" / "gen") == texts(GOLDEN)


@pytest.mark.slow
def test_making_them_again_changes_nothing(made, tmp_path):
    out = shutil.copytree(made / "shop" / "gen", tmp_path / "gen")
    done = gen(PROTOS, "--out", out)
    assert (done.returncode, done.stdout) == (0, "")
    assert gen(PROTOS, "--out", out, "--check").returncode == 0


@pytest.mark.slow
def test_check_names_what_is_stale(made, tmp_path):
    out = shutil.copytree(made / "shop" / "gen", tmp_path / "gen")
    changed, missing, left_over = (
        out / "kinds_sage.py",
        out / "awkward" / "names_pb2.py",
        out / "none_sage.py",
    )
    changed.write_text(changed.read_text("utf-8").replace("Counts", "Mounts"), "utf-8")
    missing.unlink()
    (tmp_path / "protos").mkdir()
    (tmp_path / "protos" / "none.proto").write_text('syntax = "proto3";\n')
    left_over.write_text("# Written by protoc-gen-sage from none.proto; do not edit.\n")
    before = texts(out)
    done = gen(PROTOS, "--out", out, "--check")
    assert done.returncode == 1
    assert [line for line in done.stderr.splitlines() if line.startswith("stale")] == [
        f"stale: {missing}",
        f"stale: {changed}",
    ]
    done = gen(tmp_path / "protos", "--out", out, "--check")
    assert f"stale: {left_over}" in done.stderr
    assert texts(out) == before
    assert gen(tmp_path / "protos", "--out", out).returncode == 0
    assert not left_over.exists()


def test_the_plugin_makes_them_under_protoc(tmp_path):
    protos = sorted(path.relative_to(PROTOS).as_posix() for path in PROTOS.rglob("*.proto"))
    plugin = f"--plugin=protoc-gen-sage={BIN / 'protoc-gen-sage'}"
    done = protoc(PROTOS, plugin, f"--sage_out={tmp_path}", "--sage_opt=imports=relative", *protos)
    assert (done.returncode, done.stderr) == (0, "")
    assert texts(tmp_path) == texts(GOLDEN, "*_sage.py")


def test_what_plain_protoc_makes_can_be_used(tmp_path):
    """With our options generated beside it, as protoc's own modules import them."""
    plugin = f"--plugin=protoc-gen-sage={BIN / 'protoc-gen-sage'}"
    outputs = [f"--python_out={tmp_path}", f"--sage_out={tmp_path}"]
    done = protoc(PROTOS, plugin, *outputs, "kinds.proto", "sage/rpc/v1/options.proto")
    assert (done.returncode, done.stderr) == (0, "")
    code = (
        "import kinds_pb2, kinds_sage; from sage_rpc.policies.sources.proto import declared_policy\n"
        "hang = kinds_pb2.DESCRIPTOR.services_by_name['Kinds'].methods_by_name['Hang']\n"
        "print(declared_policy(hang).timeout, kinds_sage.KindsClient('localhost:1'))\n"
    )
    done = run(sys.executable, "-c", code, cwd=tmp_path)
    assert (done.returncode, done.stdout[:20]) == (0, "0.2 <KindsClient <sag"[:20]), done.stderr


@pytest.mark.slow
def test_the_plugin_makes_them_under_buf(tmp_path):
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("needs npm on the PATH, to get buf")
    quiet = ["--no-audit", "--no-fund", "--no-save", "--fetch-retries=0"]
    try:
        got = subprocess.run(
            [npm, "install", *quiet, "@bufbuild/buf@1"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=30,
        )
    except subprocess.TimeoutExpired:
        pytest.skip("npm did not get buf within 30 s")
    if got.returncode:
        pytest.skip(f"npm cannot get buf: {got.stderr[-200:]}")
    shutil.copytree(PROTOS, tmp_path / "protos")
    shutil.copytree(INCLUDE, tmp_path / "include")
    (tmp_path / "buf.yaml").write_text("version: v2\nmodules:\n  - path: protos\n  - path: include\n")
    (tmp_path / "buf.gen.yaml").write_text(
        "version: v2\nplugins:\n  - local: protoc-gen-sage\n    out: out\n    opt: imports=relative\n"
        "    strategy: all\n"  # one run for all directories, so that it knows all that is generated
    )
    done = run(tmp_path / "node_modules" / ".bin" / "buf", "generate", "protos", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert texts(tmp_path / "out") == texts(GOLDEN, "*_sage.py")


def test_absolute_imports_are_for_a_directory_on_the_path(tmp_path):
    assert gen(PROTOS, "--out", tmp_path, "--imports", "absolute").returncode == 0
    assert not (tmp_path / "__init__.py").exists()
    done = run(
        sys.executable,
        "-c",
        "from awkward import imports_sage, imports_pb2_grpc; import kinds_sage",
        cwd=tmp_path,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_hidden_directories_are_left_out(tmp_path):
    """A project's environment has protos, too."""
    (tmp_path / ".venv" / "grpc_tools").mkdir(parents=True)
    (tmp_path / ".venv" / "grpc_tools" / "empty.proto").write_text("no proto at all")
    (tmp_path / "a.proto").write_text('syntax = "proto3";\nmessage A {}\n')
    assert gen(".", "--out", "out", cwd=tmp_path).returncode == 0
    assert set(texts(tmp_path / "out")) == {"__init__.py", "a_pb2.py", "a_pb2.pyi"}


def test_an_output_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "out").write_text("a file")
    done = gen(PROTOS / "kinds.proto", "--out", tmp_path / "out")
    assert done.returncode == 1
    assert str(tmp_path / "out") in done.stderr
    assert "Traceback" not in done.stderr


def test_what_is_imported_and_not_generated_is_told(tmp_path):
    done = gen(PROTOS / "awkward" / "imports.proto", "--proto-path", PROTOS, "--out", tmp_path / "out")
    assert done.returncode == 0
    assert "kinds.proto is imported and not generated: kinds_pb2 has to be importable" in done.stderr
    assert "options.proto" not in done.stderr
    assert "import kinds_pb2" in (tmp_path / "out" / "awkward" / "imports_sage.py").read_text("utf-8")


def test_every_module_can_be_imported(made):
    modules = [
        name.removesuffix(".py").replace("/", ".")
        for name in texts(made / "shop" / "gen")
        if name.endswith("py")
    ]
    code = "\n".join(
        f"import shop.gen.{name.removesuffix('.__init__')}" for name in modules if name != "__init__"
    )
    done = run(sys.executable, "-W", "ignore::SyntaxWarning", "-c", code, cwd=made)
    assert (done.returncode, done.stderr) == (0, "")


def test_our_options_come_with_the_package(tmp_path):
    assert (INCLUDE / "sage/rpc/v1/options.proto").read_bytes() == (
        ROOT / "proto/sage/rpc/v1/options.proto"
    ).read_bytes()


# -- what protoc takes


def write(directory: Path, **sources: str) -> None:
    """Write `.proto` files; two underscores in a name stand for a slash."""
    for name, source in sources.items():
        path = directory / f"{name.replace('__', '/')}.proto"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'syntax = "proto3";\npackage {name};\n{source}\n', "utf-8")


def generated(out: Path) -> set[str]:
    return {path for path in texts(out) if not path.endswith("__init__.py")}


def all_of(*stems: str) -> set[str]:
    return {
        f"{stem}{suffix}" for stem in stems for suffix in ("_pb2.py", "_pb2.pyi", "_pb2_grpc.py", "_sage.py")
    }


SERVICE = "message M { string key = 1; } service S { rpc Get(M) returns (M); }"


def test_a_service_whose_messages_live_elsewhere_has_its_clients():
    """In a process that has imported nothing else."""
    code = (
        "from tests.codegen.golden.awkward import alone_sage\n"
        "from sage_rpc.policies.sources.proto import declared_policy\n"
        "print(alone_sage.AloneClient('localhost:1'), alone_sage.AloneAsyncClient('localhost:1'))\n"
        "service = alone_sage.DESCRIPTOR.services_by_name['Alone']\n"
        "print(declared_policy(service.methods_by_name['Echo']).timeout)\n"
    )
    done = run(sys.executable, "-c", code)
    assert (done.returncode, done.stdout.splitlines()[-1:]) == (0, ["3.0"]), done.stderr


@pytest.mark.parametrize(
    "comment",
    [r"Below C:\Users\me", r"a regex: \d+ \x00", r"\u00e9 \u12 \N{x}", '"""', 'says "yes"', r"ends in \ "],
)
def test_a_comment_may_hold_anything(tmp_path, comment):
    write(
        tmp_path / "protos",
        a=f"message M {{}}\n// {comment}\nservice S {{\n// {comment}\nrpc Get(M) returns (M);\n}}",
    )
    done = gen("protos", "--out", "out", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    code = (
        "from out import a_sage, a_pb2_grpc\n"
        "print(ascii([each.__doc__.strip() for each in (a_pb2_grpc.SServicer, a_pb2_grpc.SServicer.Get, "
        "a_sage.SBase, a_sage.SClient.get)]))"
    )
    done = run(
        sys.executable,
        "-W",
        "error::SyntaxWarning",
        "-W",
        "error::DeprecationWarning",
        "-c",
        code,
        cwd=tmp_path,
    )
    assert (done.stdout.strip(), done.stderr) == (ascii([comment.strip()] * 4), "")


def test_names_of_pythons_own_can_be_called():
    """Methods and fields called like builtins, like keywords, and like what the generated code uses."""

    class Names(names_sage.NamesBase):
        def list(self, request, context, /):
            return request

        def is_(self, requests, context, /):
            return next(requests)

    others = {rpc.method: Names.list for rpc in Names.RPCS if rpc.method not in {"list", "is_"}}
    served = type("Served", (Names,), others)()
    with futures.ThreadPoolExecutor(2) as pool:
        server = sage_rpc.server(pool)
        served.add_to_server(server)
        target = f"localhost:{server.add_insecure_port('localhost:0')}"
        server.start()
        fields = {"TypeError": "a", "bytes": b"b", "int": 1, "list": ["c"], "dict": {"d": 2}, "made": "e"}
        expected = names_pb2.Builtins(**fields)
        with names_sage.NamesClient(target) as client, sage_rpc.insecure_channel(target) as channel:
            assert client.list(**fields) == client.list(expected) == expected
            with pytest.raises(ValueError, match="field 'int'"):
                client.list(TypeError="a", int="one")
            for method in ("none", "self", "type", "len", "print", "super", "import_", "close_channel_"):
                assert getattr(client, method)(self_="f", from_="g") == names_pb2.Words(
                    self="f", **{"from": "g"}
                )
            assert client.is_(iter([names_pb2.Words(self="h")])).self == "h"
            assert names_pb2_grpc.NamesStub(channel).None_(names_pb2.Words(self="i")).self == "i"
        server.stop(None).wait()


@pytest.mark.slow
def test_links_are_followed(tmp_path):
    """The name of a file is that of the link, as it is for protoc."""
    write(tmp_path / "elsewhere", real=SERVICE, deep__c=SERVICE.replace("M", "N"))
    write(tmp_path / "protos", b='import "linked.proto"; message B { real.M m = 1; }')
    (tmp_path / "protos" / "linked.proto").symlink_to("../elsewhere/real.proto")
    (tmp_path / "protos" / "inner").symlink_to("../elsewhere/deep")
    (tmp_path / "protos" / "same").symlink_to(".")
    (tmp_path / "link").symlink_to("protos")
    done = gen("link", "--out", "out", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert generated(tmp_path / "out") == all_of("linked", "inner/c") | {"b_pb2.py", "b_pb2.pyi"}
    assert gen("link/linked.proto", "--out", "one", cwd=tmp_path).returncode == 0
    assert generated(tmp_path / "one") == all_of("linked")


@pytest.mark.slow
def test_the_namespace_google_stays_everybodys(tmp_path):
    write(tmp_path / "protos", google__api__thing="message M {}")
    write(
        tmp_path / "protos",
        mine=f'import "google/api/thing.proto"; {SERVICE}'.replace(
            "{ string", "{ google__api__thing.M m = 2; string"
        ),
    )
    write(tmp_path / "protos", google__protobuf__empty="message Empty {}")  # a copy for protoc
    (tmp_path / "out" / "google").mkdir(parents=True)
    (tmp_path / "out" / "google" / "__init__.py").touch()  # of an older generator
    done = gen("protos", "--out", "out", "--imports", "absolute", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert set(texts(tmp_path / "out")) == all_of("mine") | {
        "google/api/thing_pb2.py",
        "google/api/thing_pb2.pyi",
    }
    code = "import mine_sage, google.api.thing_pb2, google.protobuf.any_pb2"
    done = run(sys.executable, "-c", code, cwd=tmp_path / "out")
    assert (done.returncode, done.stderr) == (0, "")
    assert gen("protos", "--out", "package", cwd=tmp_path).returncode == 0
    assert (tmp_path / "package" / "google" / "__init__.py").exists()


@pytest.mark.slow
def test_what_is_left_of_a_proto_that_is_gone_is_found_and_removed(tmp_path):
    write(tmp_path / "protos", a=SERVICE, b=SERVICE, deep__c=SERVICE)
    write(tmp_path / "others", d=SERVICE)
    for protos in ("protos", "others"):
        assert gen(protos, "--out", "out", cwd=tmp_path).returncode == 0
    (tmp_path / "out" / "b_extra.py").write_text("mine = True\n")
    (tmp_path / "protos" / "b.proto").unlink()
    shutil.rmtree(tmp_path / "protos" / "deep")
    before = texts(tmp_path / "out")
    done = gen("protos", "--out", "out", "--check", cwd=tmp_path)
    assert done.returncode == 1
    found = {
        line.removeprefix("stale: out/") for line in done.stderr.splitlines() if line.startswith("stale")
    }
    assert found == all_of("b", "deep/c") | {"deep/__init__.py"}
    assert texts(tmp_path / "out") == before
    for protos in ("others", "protos/a.proto"):  # what another run made is not this one's
        assert gen(protos, "--out", "out", "--check", cwd=tmp_path).returncode == (protos != "others")
    assert gen("protos", "--out", "out", cwd=tmp_path).returncode == 0
    assert set(texts(tmp_path / "out")) == all_of("a", "d") | {"b_extra.py", "__init__.py"}
    assert not (tmp_path / "out" / "deep").exists()
    for protos in ("protos", "others"):
        assert gen(protos, "--out", "out", "--check", cwd=tmp_path).returncode == 0


# -- no complaints


def test_ruff_has_no_complaint(made):
    rules = "E4,E7,E9,F,I,UP,B,ANN,TID252,PIE,RET,RUF022,SIM,PYI"
    assert run("ruff", "format", "--isolated", "--check", "shop", cwd=made).returncode == 0
    done = run("ruff", "check", "--isolated", "--select", rules, "--ignore", "TID252", "shop", cwd=made)
    assert done.returncode == 0, done.stdout


USE = '''
"""A program that uses what was generated, typed throughout."""

from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future

import grpc

import sage_rpc
from sage_rpc.operators import MapFunction
from sage_rpc.servicers import AioServicerContext, ServicerContext

from shop.gen import kinds_pb2
from shop.gen.kinds_sage import KindsAioClient, KindsAsyncClient, KindsBase, KindsClient


class Kinds(KindsBase):
    def echo(self, request: kinds_pb2.Item, context: ServicerContext) -> kinds_pb2.Item:
        return request

    def repeat(self, request: kinds_pb2.Item, context: grpc.ServicerContext) -> Iterator[kinds_pb2.Item]:
        yield request

    async def collect(
        self, requests: AsyncIterator[kinds_pb2.Item], context: AioServicerContext
    ) -> kinds_pb2.Tally:
        return kinds_pb2.Tally(count=len([item async for item in requests]))

    async def exchange(
        self, requests: AsyncIterator[kinds_pb2.Item], context: AioServicerContext
    ) -> AsyncIterator[kinds_pb2.Item]:
        async for item in requests:
            yield item

    def hang(self, request: kinds_pb2.Item, context: ServicerContext) -> kinds_pb2.Item:
        return request

    def left(self, request: kinds_pb2.Item, context: ServicerContext) -> kinds_pb2.Item:
        return request

    def old(self, request: kinds_pb2.Item, context: ServicerContext) -> kinds_pb2.Item:
        return request


def with_manager(manager: sage_rpc.ServiceManager) -> str:
    client = manager.client(KindsClient)
    item: kinds_pb2.Item = client.echo(name="a", color="RED", inner={"count": 1}, timeout=1.0)
    for each in client.repeat(item):
        item = each
    later: Future[kinds_pb2.Item] = manager.client(KindsAsyncClient).echo(name="b")
    return item.name + later.result().name


async def with_asyncio(manager: sage_rpc.ServiceManager) -> int:
    async with manager.client(KindsAioClient) as client:
        item: kinds_pb2.Item = await client.echo(name="a")
        tally = await client.collect([item])
        return tally.count + len([each.name async for each in client.exchange(iter([item]))])


class Lookup(MapFunction):
    def execute(self, row: str) -> str:
        found: kinds_pb2.Item = self.call_service[KindsClient].echo(name=row)
        later: Future[kinds_pb2.Item] = self.call_service_async[KindsAsyncClient].echo(name=row)
        return found.name + later.result().name + str(self.call_service["plain"].anything(1))
'''

WRONG = """
import sage_rpc
from shop.gen import kinds_pb2
from shop.gen.kinds_sage import KindsBase, KindsClient
from sage_rpc.operators import MapFunction
from sage_rpc.servicers import ServicerContext

client = KindsClient("localhost:1")
client.echo(nme="a")
client.echo(count="a")
client.echo(kinds_pb2.Tally())
client.ecko(name="a")
client.echo(name="a").nme
client.collect(kinds_pb2.Item())

class Half(KindsBase):
    def echo(self, request: kinds_pb2.Tally, context: ServicerContext) -> kinds_pb2.Item:
        return kinds_pb2.Item()

class Lookup(MapFunction):
    def execute(self, row: str) -> int:
        return self.call_service[KindsClient].echo(name=row)
"""
# Each is on a line of its own; what is wrong with it is a checker's to say.
WRONG_LINES = [number for number, line in enumerate(WRONG.splitlines(), 1) if line.startswith("client.")]
WRONG_LINES += [
    WRONG.splitlines().index(
        "    def echo(self, request: kinds_pb2.Tally, context: ServicerContext) -> kinds_pb2.Item:"
    )
    + 1
]
WRONG_LINES += [len(WRONG.splitlines())]


@pytest.fixture(scope="module")
def programs(made) -> Path:
    (made / "use.py").write_text(USE, "utf-8")
    (made / "wrong.py").write_text(WRONG, "utf-8")
    return made


@pytest.mark.slow
def test_mypy_has_no_complaint(programs):
    """Nor does it overlook what is wrong."""
    (programs / "mypy.ini").write_text(
        "[mypy]\nstrict = true\nshow_error_codes = true\n"
        "[mypy-sage_rpc.*]\nfollow_imports = silent\nignore_errors = true\n"
        "[mypy-grpc.*]\nignore_missing_imports = true\n"
    )
    done = subprocess.run(
        [BIN / "mypy", "--config-file", "mypy.ini", "shop", "use.py", "wrong.py"],
        cwd=programs,
        env=ENVIRONMENT | {"MYPYPATH": str(ROOT), "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    complaints = [line for line in done.stdout.splitlines() if ": error:" in line]
    assert not [line for line in complaints if not line.startswith("wrong.py:")], done.stdout
    assert {int(line.split(":")[1]) for line in complaints} == set(WRONG_LINES), done.stdout


@pytest.mark.slow
def test_pyright_has_no_complaint(programs):
    """Nor does it overlook what is wrong. pyright needs node, and fetches its program on first use."""
    pytest.importorskip("pyright", reason="pyright is not installed")
    if shutil.which("node") is None:
        pytest.skip("pyright needs node on the PATH")
    (programs / "pyrightconfig.json").write_text(
        json.dumps(
            {
                "include": ["shop", "use.py", "wrong.py"],
                "extraPaths": [str(ROOT)],
                "pythonVersion": "3.10",
                "typeCheckingMode": "strict",
            }
        )
    )
    try:
        done = run(
            sys.executable,
            "-m",
            "pyright",
            "-p",
            ".",
            "--pythonpath",
            sys.executable,
            "--outputjson",
            cwd=programs,
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"pyright could not be had within {SECONDS} s")
    if not done.stdout.startswith("{"):
        pytest.skip(f"pyright could not be had: {done.stderr[-300:]}")
    found = [each for each in json.loads(done.stdout)["generalDiagnostics"] if each["severity"] == "error"]
    elsewhere = [each for each in found if not each["file"].endswith("wrong.py")]
    assert not elsewhere, elsewhere
    assert {each["range"]["start"]["line"] + 1 for each in found} >= set(WRONG_LINES)


# -- what is refused


def refused(tmp_path: Path, source: str, *arguments: str) -> str:
    (tmp_path / "protos").mkdir()
    (tmp_path / "protos" / "bad.proto").write_text(source, "utf-8")
    done = gen("protos", "--out", "out", *arguments, cwd=tmp_path)
    assert done.returncode == 1
    assert not (tmp_path / "out").exists()
    assert "Traceback" not in done.stderr
    return done.stderr.strip()


HEAD = (
    'syntax = "proto3";\npackage bad;\nimport "sage/rpc/v1/options.proto";\nmessage M { string key = 1; }\n'
)


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ('syntax = "proto3";\nmessage M { strin key = 1; }\n', 'bad.proto:2:13: "strin" is not defined.'),
        ('syntax = "proto3";\nimport "gone.proto";\n', "bad.proto:2:1: Import"),
        (
            HEAD + "service S {\n  rpc GetIt(M) returns (M);\n  rpc get_it(M) returns (M);\n}\n",
            "bad.proto:7:3: the methods GetIt and get_it of bad.S are both get_it in Python: rename",
        ),
        (
            HEAD + "service Foo {}\nservice FooAsync {}\n",
            "bad.proto:6:1: the services Foo and FooAsync both give a class FooAsyncClient: rename",
        ),
        (
            HEAD + "message None {}\nservice S { rpc Get(None) returns (M); }\n",
            "bad.proto:6:13: bad.S.Get uses bad.None of bad.proto: a keyword of Python",
        ),
        (
            HEAD + "service S {\n  rpc Get(M) returns (M) {\n"
            '    option (sage.rpc.v1.method) = { affinity_key: "kye" };\n  }\n}\n',
            "bad.proto:6:3: bad.S.Get: option affinity_key: bad.M has no field 'kye'; it has key",
        ),
        (
            HEAD + "service S {\n  rpc Get(M) returns (M) {\n"
            "    option (sage.rpc.v1.method) = { deadline_seconds: -1 };\n  }\n}\n",
            "bad.proto:6:3: bad.S.Get: option deadline_seconds: -1 is no number of seconds above 0",
        ),
        (
            HEAD + "service S {\n  rpc Get(M) returns (M) {\n"
            "    option (sage.rpc.v1.method) = { no_such_option: 1 };\n  }\n}\n",
            "bad.proto:7:35: Error while parsing option value",
        ),
        (
            HEAD + "message Outer { message import {} }\n",
            "bad.proto: bad.Outer.import is called like a keyword of Python",
        ),
        (
            HEAD + "message __M {}\nservice S { rpc Get(__M) returns (M); }\n",
            "bad.proto:6:13: bad.S.Get uses bad.__M of bad.proto: a keyword of Python, or what is no name",
        ),
    ],
)
def test_a_broken_proto_is_refused_by_place(tmp_path, source, problem):
    text = refused(tmp_path, source)
    assert problem in text, text


@pytest.mark.parametrize(
    ("arguments", "code", "problem"),
    [
        (["gone.proto", "--out", "x"], 1, "gone.proto: no such file or directory"),
        (["pyproject.toml", "--out", "x"], 1, "pyproject.toml: neither a .proto file nor a directory"),
        (["docs", "--out", "x"], 1, "docs: there is no .proto file in this directory"),
        (["tests/codegen/protos", "--out", "x", "--proto-path", "gone"], 1, "gone: no such directory"),
        (
            ["examples", "--out", "x", "--proto-path", "docs"],
            1,
            "below none of the directories of --proto-path",
        ),
        (["examples"], 2, "a PATH and --out DIR are needed"),
        (["--out", "x"], 2, "a PATH and --out DIR are needed"),
        (["examples", "--out", "x", "--imports", "sideways"], 2, "invalid choice: 'sideways'"),
        (["--from-class", "a:B", "examples"], 2, "--from-class goes with --out only"),
    ],
)
def test_wrong_arguments_are_named(arguments, code, problem):
    done = gen(*arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert problem in done.stderr
    assert "Traceback" not in done.stderr


def test_without_protoc_the_command_says_what_to_install(tmp_path):
    """An interpreter that cannot find grpcio-tools."""
    hide = "import sys\nsys.modules['grpc_tools'] = None\nfrom sage_rpc.cli import main\nsys.exit(main())\n"
    done = run(sys.executable, "-c", hide, "gen", PROTOS, "--out", tmp_path / "x")
    assert done.returncode == 1
    assert "pip install 'sage-rpc[codegen]'" in done.stderr


@pytest.mark.parametrize(
    ("option", "problem"),
    [
        ("colour=red", "unknown option 'colour' for protoc-gen-sage; there is imports"),
        ("imports=sideways", "option imports='sideways' for protoc-gen-sage: expected absolute or relative"),
    ],
)
def test_an_unknown_option_of_the_plugin_is_named(tmp_path, option, problem):
    plugin = f"--plugin=protoc-gen-sage={BIN / 'protoc-gen-sage'}"
    done = protoc(PROTOS, plugin, f"--sage_out={tmp_path}", f"--sage_opt={option}", "kinds.proto")
    assert done.returncode != 0
    assert problem in done.stderr


def asked(name: str, message: str) -> CodeGeneratorResponse:
    """What the plugin says to a file of that name, whose method takes and gives `message`."""
    request = CodeGeneratorRequest(file_to_generate=[name])
    empty_pb2.DESCRIPTOR.CopyToProto(request.proto_file.add())
    file = request.proto_file.add(
        name=name, package="p", syntax="proto3", dependency=["google/protobuf/empty.proto"]
    )
    file.message_type.add(name="Own")
    file.service.add(name="S").method.add(name="Get", input_type=message, output_type=message)
    return plugin.respond(request)


STEMS = [
    *("a\nimport os\n#", "a\rimport os", "a\fb", "a\x85b", "a\u2028b", "a\x1b[31m", "a\\", "a\\nb", 'a"""'),
    *('a""""\\', "it's", "a b", "1a", "a;import os", "a//b", "a.b/../c"),
]


@pytest.mark.parametrize("message", [".p.Own", ".google.protobuf.Empty"])
@pytest.mark.parametrize("stem", STEMS)
def test_a_name_of_a_file_that_is_none_in_python_is_refused(stem, message):
    """It stands in comments, docstrings and imports: nothing in it may be Python of its own."""
    assert asked("a-b/c.proto", message).file
    refused = asked(f"{stem}.proto", message)
    assert not refused.file
    assert "what is no name there" in refused.error
    assert refused.error.isprintable()


def test_the_plugin_says_who_runs_it():
    done = subprocess.run(
        [BIN / "protoc-gen-sage", "--help"], capture_output=True, text=True, timeout=SECONDS
    )
    assert done.returncode == 2
    assert "--sage_out" in done.stderr
    broken = subprocess.run(
        [BIN / "protoc-gen-sage"], input=b"\xff\xff", capture_output=True, timeout=SECONDS
    )
    assert broken.returncode == 2
    assert b"no request of protoc" in broken.stderr
