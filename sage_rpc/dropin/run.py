"""`sage-rpc run`: somebody's program, unmodified, with our factories in the place of grpc's.

Rule: the program must not be able to tell that it was not started by `python` itself: `__main__`,
`sys.argv`, `sys.path[0]`, exit codes, tracebacks and what multiprocessing's children import are the same.
"""

from __future__ import annotations

import argparse
import builtins
import importlib.machinery
import importlib.util
import io
import os
import pkgutil
import sys
from collections.abc import Sequence
from pathlib import Path
from types import CodeType, ModuleType, TracebackType

from sage_rpc.dropin import startup
from sage_rpc.dropin.install import install

__all__ = ["main"]

# python's own exit codes where there is no such file, no such module.
_NO_FILE = 2
_NO_MODULE = 1
_USAGE = "sage-rpc run [-h] [--children] (PROGRAM | -m MODULE) [ARGUMENT ...]"


def main(argv: Sequence[str]) -> int:
    """Run the program in `argv`: `prog.py args...` or `-m module args...`. -> 0 when it ran to its end.

    What the program raises passes through, SystemExit too; its traceback begins with the program.
    """
    parser = argparse.ArgumentParser(
        prog="sage-rpc run",
        usage=_USAGE,
        description="Run a Python program with sage_rpc's channels and servers in the place of grpc's.",
    )
    parser.add_argument(
        "--children",
        action="store_true",
        help="also in the Python processes that it starts anew (multiprocessing's spawn, subprocess)",
    )
    parser.add_argument("-m", action="store_true", dest="module", help="PROGRAM is the name of a module")
    parser.add_argument("program", metavar="PROGRAM", help="a script, or a directory or zip with a __main__")
    # What follows the program is the program's: only what comes before it is parsed here.
    ours = 0
    while ours < len(argv) and argv[ours].startswith("-") and argv[ours] not in {"-m", "--"}:
        ours += 1
    ours += 1 if ours < len(argv) and argv[ours] in {"-m", "--"} else 0
    arguments = parser.parse_args(argv[: ours + 1])
    sys.argv[:] = [arguments.program, *argv[ours + 1 :]]
    install()
    if arguments.children:
        _install_in_children()
    try:
        code, module = _module(arguments.program) if arguments.module else _script(arguments.program)
    except _CannotStartError as error:
        print(f"sage-rpc run: {error}", file=sys.stderr)
        return error.exit_code
    _execute(code, module)
    return 0


def _install_in_children() -> None:
    paths = [str(Path(startup.__file__).parent), os.environ.get("PYTHONPATH")]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))


class _CannotStartError(Exception):
    """There is no such program; the text says why."""

    def __init__(self, why: str, exit_code: int = _NO_MODULE) -> None:
        super().__init__(why)
        self.exit_code = exit_code


def _script(path: str) -> tuple[CodeType | bytes, ModuleType]:
    """The program in a file, or in the `__main__` of a directory or a zip file."""
    file = str(Path.cwd() / path)  # ".." stays, as python leaves it
    if pkgutil.get_importer(file) is not None:
        _set_first_path(file)
        return _module("__main__", file)
    try:
        with io.open_code(file) as opened:
            source = opened.read()
    except OSError as error:
        why = f"can't open file {file!r}: [Errno {error.errno}] {error.strerror}"
        raise _CannotStartError(why, _NO_FILE) from None
    _set_first_path(str(Path(file).resolve().parent))
    module = ModuleType("__main__")
    module.__file__ = file
    module.__loader__ = importlib.machinery.SourceFileLoader("__main__", file)
    # No spec: multiprocessing's children then import the program by its path, as they do without us.
    module.__spec__ = None
    module.__dict__["__cached__"] = None
    return source, module


def _module(name: str, within: str | None = None) -> tuple[CodeType | bytes, ModuleType]:
    """The program that `python -m name` runs; `within` is a directory or zip file whose `__main__` it is."""
    if within is None:
        _set_first_path(str(Path.cwd()))
    where = repr(within) if within is not None else name
    try:
        if within is not None:
            spec = importlib.machinery.PathFinder.find_spec(name, [within])
        else:
            spec = importlib.util.find_spec(name)
            if spec is not None and spec.submodule_search_locations is not None:
                name += ".__main__"
                spec = importlib.util.find_spec(name)
    except (ImportError, ValueError) as error:
        raise _CannotStartError(
            f"Error while finding module specification for {name!r} ({type(error).__name__}: {error})"
        ) from error
    if spec is None:
        what = f"can't find '__main__' module in {where}" if within is not None else f"No module named {name}"
        raise _CannotStartError(what)
    get_code = getattr(spec.loader, "get_code", None)
    code = get_code(name) if get_code is not None else None
    if code is None:
        raise _CannotStartError(f"No code object available for {name}")
    if within is None:
        sys.argv[0] = spec.origin or name
    module = ModuleType("__main__")
    module.__file__ = spec.origin
    module.__loader__ = spec.loader
    module.__package__ = spec.parent
    module.__spec__ = spec
    module.__dict__["__cached__"] = spec.cached
    return code, module


def _set_first_path(path: str) -> None:
    """Where python puts the script's directory we replace what it put there for us."""
    if getattr(sys.flags, "safe_path", False):  # python -P, since 3.11: nothing was put there
        return
    sys.path[0] = path


def _execute(program: CodeType | bytes, module: ModuleType) -> None:
    sys.modules["__main__"] = module
    module.__dict__["__builtins__"] = builtins
    try:
        if isinstance(program, bytes):
            program = compile(program, str(module.__file__), "exec", dont_inherit=True)
        exec(program, module.__dict__)  # noqa: S102 - the program that the user asked for
    except BaseException:
        _hide_our_frames()
        raise


def _hide_our_frames() -> None:
    """Let the interpreter's last words begin where the program begins."""
    hook = sys.excepthook

    def show(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
        below = traceback
        while below is not None and below.tb_frame.f_code is not _execute.__code__:
            below = below.tb_next
        below = below.tb_next if below is not None else traceback
        hook(kind, error.with_traceback(below), below)

    sys.excepthook = show
