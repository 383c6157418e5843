"""`python -m sage_rpc run`: a program cannot tell it from `python` itself, except that its calls are fast."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.conftest import needs_native

ROOT = Path(__file__).parents[2]

# What a program can see of how it was started, and the ways in which it may end.
PROGRAM = '''
"""The docstring."""
import atexit, sys
main = sys.modules["__main__"]
atexit.register(print, "at exit")
print(sys.argv, sys.path[0], __name__, __file__, __package__, __cached__ and "cached", __doc__)
print(type(__loader__).__name__, __spec__ and __spec__.name, main.__dict__ is globals(), __builtins__)
how, what = sys.argv[1:3]
if how == "exit":
    sys.exit(int(what) if what.isdigit() else what)
if how == "raise":
    def inner():
        raise ValueError(what) from KeyError("the cause")
    inner()
if how == "hook":
    sys.excepthook = lambda kind, error, traceback: print(kind, error, traceback.tb_lineno)
    raise ValueError(what)
if how == "interrupt":
    raise KeyboardInterrupt
'''

SPAWNING = """
import multiprocessing, sys

class Box:
    def __init__(self, value):
        self.value = value

def twice(box):
    return Box(2 * box.value)

if __name__ == "__main__":
    with multiprocessing.get_context(sys.argv[1]).Pool(1) as pool:
        print([box.value for box in pool.map(twice, [Box(1), Box(2)])])
"""

THIRD_PARTY = """
from concurrent import futures
import grpc

def peer(request, context):
    return context.peer().split(":")[0].encode()

def serve():
    server = grpc.server(futures.ThreadPoolExecutor(2))
    handler = grpc.unary_unary_rpc_method_handler(peer)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("t.T", {"peer": handler}),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port

if __name__ == "__main__":
    server, port = serve()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        print(channel.unary_unary("/t.T/peer")(b"", timeout=10).decode())
    server.stop(None).wait()
"""

# A program whose calls are made by children, in a module that takes a name from grpc.
CALLER = """
from concurrent import futures
from grpc import insecure_channel

def ask(port):
    with insecure_channel(f"127.0.0.1:{port}") as channel:
        return channel.unary_unary("/t.T/peer")(b"", timeout=10).decode()
"""
PARENT = """
import multiprocessing, subprocess, sys
import caller, third_party

def python(code):
    return subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True).stdout.strip()

if __name__ == "__main__":
    server, port = third_party.serve()
    for method in ("spawn", "forkserver"):
        with multiprocessing.get_context(method).Pool(1) as pool:
            print(method, pool.apply(caller.ask, (port,)))
    print("subprocess", python(f"import caller; print(caller.ask({port}))"))
    print("without grpc", python("import sys; print('grpc' in sys.modules)"))
    server.stop(None).wait()
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "below" / "package").mkdir(parents=True)
    (tmp_path / "below" / "prog.py").write_text(PROGRAM)
    (tmp_path / "link.py").symlink_to(tmp_path / "below" / "prog.py")
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("")
    (tmp_path / "package" / "__main__.py").write_text(PROGRAM)
    (tmp_path / "package" / "part.py").write_text(PROGRAM)
    (tmp_path / "wrong.py").write_text("x = (\n")
    (tmp_path / "latin.py").write_bytes(b"# coding: latin-1\nprint(ascii('\xe9'))\n")
    (tmp_path / "spawning.py").write_text(SPAWNING)
    (tmp_path / "parent.py").write_text(PARENT)
    (tmp_path / "caller.py").write_text(CALLER)
    (tmp_path / "parent.py").write_text(PARENT)
    (tmp_path / "third_party.py").write_text(THIRD_PARTY)
    with zipfile.ZipFile(tmp_path / "app.zip", "w") as archive:
        archive.writestr("__main__.py", PROGRAM)
    return tmp_path


def python(place: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=place,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def run(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return python(place, "-m", "sage_rpc", "run", *arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        ["below/prog.py", "return", "x", "-m", "--", "-h", "--version"],
        ["below/../below/prog.py", "exit", "3"],
        ["link.py", "exit", "a text"],
        ["below/prog.py", "raise", "a text"],
        ["below/prog.py", "hook", "a text"],
        ["below/prog.py", "interrupt", ""],
        ["-m", "package", "exit", "3", "-m"],
        ["-m", "package.part", "raise", "a text"],
        ["app.zip", "exit", "3"],
        ["package", "exit", "3"],
        ["latin.py"],
        ["wrong.py"],
        ["spawning.py", "spawn"],
        ["spawning.py", "fork"],
    ],
    ids=" ".join,
)
def test_a_program_ends_and_sees_itself_as_under_python(place, arguments):
    plain, ours = python(place, *arguments), run(place, *arguments)
    # Python's own -m shows the frames of runpy, which begins the program; ours begins with the program.
    stderr = re.sub(r'  File "(<frozen runpy>|.*/runpy\.py)".*\n(    .*\n)?', "", plain.stderr)
    assert (ours.returncode, ours.stdout, ours.stderr) == (plain.returncode, plain.stdout, stderr)


@pytest.mark.parametrize(
    "arguments", [["missing.py"], ["-m", "missing"], ["-m", "package.missing.part"], ["below"]], ids=" ".join
)
def test_a_program_that_is_not_there_is_named_as_by_python(place, arguments):
    plain, ours = python(place, *arguments), run(place, *arguments)
    assert ours.returncode == plain.returncode
    assert ours.stderr == re.sub(r"^\S+: ", "sage-rpc run: ", plain.stderr)


@pytest.mark.parametrize("arguments", [[], ["-m"], ["--surplus", "prog.py"]], ids=" ".join)
def test_wrong_arguments_end_with_2(place, arguments):
    done = run(place, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "usage: sage-rpc run" in done.stderr


def test_help(place):
    done = run(place, "--help")
    assert done.returncode == 0
    assert "usage: sage-rpc run [-h] [--children] (PROGRAM | -m MODULE) [ARGUMENT ...]" in done.stdout


def test_an_interrupted_program_dies_of_the_signal(place):
    (place / "waits.py").write_text("import time\nprint('waits', flush=True)\ntime.sleep(60)\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "sage_rpc", "run", "waits.py"],
        cwd=place,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "waits\n"
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=10)
    assert process.returncode == -signal.SIGINT
    assert re.search(r'/waits\.py", line \d, in <module>$', error.splitlines()[1])
    assert error.splitlines()[-1] == "KeyboardInterrupt"


@needs_native
def test_an_unmodified_program_gets_the_memory_queue(place):
    assert python(place, "third_party.py").stdout == "ipv4\n"
    done = run(place, "third_party.py")
    assert (done.stdout, done.stderr) == ("shm\n", "")


@pytest.mark.slow
@needs_native
@pytest.mark.parametrize(
    ("flags", "carrier"), [([], "ipv4"), (["--children"], "shm")], ids=["", "--children"]
)
def test_children_that_start_anew_get_it_where_asked(place, flags, carrier):
    done = run(place, *flags, "parent.py")
    expected = [f"{how} {carrier}" for how in ("spawn", "forkserver", "subprocess")]
    assert (done.stdout.splitlines(), done.stderr) == ([*expected, "without grpc False"], "")


STARTS = """
import os, subprocess, sys
startup = os.environ["PYTHONPATH"].split(os.pathsep)[0]
path = os.pathsep.join([startup, *sys.argv[2:]])
subprocess.run([sys.executable, "-c", sys.argv[1]], env={**os.environ, "PYTHONPATH": path}, check=True)
"""


def test_children_run_the_sitecustomize_of_their_environment_too(place):
    (place / "starts.py").write_text(STARTS)
    (place / "theirs").mkdir()
    (place / "theirs" / "sitecustomize.py").write_text("print('theirs')")
    child = (
        "import grpc, sys; print(grpc.server.__wrapped__ is not None, sys.modules['sitecustomize'].__file__)"
    )
    done = run(place, "--children", "starts.py", child, str(ROOT), str(place / "theirs"))
    expected = ["theirs", f"True {place}/theirs/sitecustomize.py"]
    assert (done.stdout.splitlines(), done.stderr) == (expected, "")


@pytest.mark.slow
@pytest.mark.parametrize(
    "imports",
    [
        "import sage_rpc",
        "import grpc, sage_rpc",
        "import sage_rpc, grpc",
        "import sage_rpc.aio",
        "from sage_rpc import aio",
        "from sage_rpc.channel import Channel",
        "import grpc.aio",
    ],
)
def test_children_may_import_grpc_and_sage_rpc_in_any_order(place, imports):
    (place / "starts.py").write_text(STARTS)
    child = (
        f"{imports}; import grpc, sage_rpc; print(sage_rpc.installed(), hasattr(grpc.server, '__wrapped__'))"
    )
    done = run(place, "--children", "starts.py", child, str(ROOT))
    assert (done.stdout, done.stderr) == ("True True\n", "")


POOL = """
import multiprocessing, sage_rpc
from concurrent.futures import ProcessPoolExecutor

def whose(target):
    import grpc
    return type(grpc.insecure_channel(target)).__module__

if __name__ == "__main__":
    for method in ("spawn", "forkserver"):
        context = multiprocessing.get_context(method)
        with ProcessPoolExecutor(1, mp_context=context, initializer=sage_rpc.install) as pool:
            print(method, pool.submit(whose, "localhost:1").result())
"""


@pytest.mark.parametrize("flags", [[], ["--children"]], ids=["", "--children"])
def test_the_workers_of_a_pool_install_it_by_its_initializer(place, flags):
    (place / "pool.py").write_text(POOL)
    done = run(place, *flags, "pool.py")
    assert (done.stdout, done.stderr) == ("spawn sage_rpc.rpc.channel\nforkserver sage_rpc.rpc.channel\n", "")


def test_what_imports_grpc_sees_no_loader_of_ours(place):
    (place / "starts.py").write_text(STARTS)
    child = "import grpc; print(type(grpc.__loader__).__name__, type(grpc.__spec__.loader).__name__)"
    done = run(place, "--children", "starts.py", child, str(ROOT))
    assert (done.stdout, done.stderr) == ("SourceFileLoader SourceFileLoader\n", "")


def test_children_of_an_environment_without_sage_rpc_go_on_without(place):
    (place / "starts.py").write_text(STARTS)
    child = (
        "import sys; sys.modules['sage_rpc'] = None\n"  # what an import that finds nothing comes to
        "import grpc; print(hasattr(grpc.server, '__wrapped__'))"
    )
    done = run(place, "--children", "starts.py", child, str(ROOT))
    assert (done.stdout, done.stderr) == ("False\n", "")
