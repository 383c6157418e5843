"""Builds the native core; everything else about the package is in pyproject.toml.

Rules of this file:

1. The native core is optional. Where it cannot be compiled the install succeeds, says so in one line,
   and the package runs over gRPC.
2. SAGE_RPC_BUILD_NATIVE decides: "auto" (default) as above, "require" makes a core that cannot be
   built an error (CI, wheel building), "skip" does not try.
3. An extension that was not built leaves no older binary behind that could be imported in its place.
4. SAGE_RPC_SANITIZE=1 builds the core with AddressSanitizer and UndefinedBehaviorSanitizer:
   tests/hostile.
"""

from __future__ import annotations

import contextlib
import os
import sys
import sysconfig
import tempfile
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import CCompilerError, CompileError, ExecError, PlatformError

# The extensions, by their paths; a header may be included from each of their directories.
EXTENSIONS = ("sage_rpc/native/_core", "sage_rpc/encoding/_codec", "sage_rpc/queue/_queue")
DIRECTORIES = sorted({Path(path).parent for path in EXTENSIONS})
MODES = ("auto", "require", "skip")
BUILD_FAILURES = (CCompilerError, CompileError, ExecError, PlatformError, OSError)

# The core reads what other processes write: whatever of the toolchain makes a mistake there less useful to
# them is on.
# Python's own flags may define _FORTIFY_SOURCE already, and the compiler warns of a second definition.
HARDENED = ["-fstack-protector-strong", "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2"]
HARDENED_LINK = ["-Wl,-z,relro,-z,now,-z,noexecstack"] if sys.platform == "linux" else []
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"]

# What the core needs of a toolchain: Python's headers, C11 atomics, Linux or another POSIX system.
PROBE = """\
#include <Python.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/socket.h>
int sage_rpc_probe(void) { _Atomic unsigned x = 0; return (int)atomic_load(&x); }
"""


def source(path: str) -> Path:
    """Where an extension is written: in Cython, or in Python that Cython compiles."""
    cython = Path(f"{path}.pyx")
    return cython if cython.exists() else Path(f"{path}.py")


def extension(path: str) -> Extension:
    """The extension at `path`, rebuilt whenever any native source is newer."""
    sanitized = os.environ.get("SAGE_RPC_SANITIZE") == "1"
    return Extension(
        path.replace("/", "."),
        [str(source(path))],
        depends=[
            "setup.py",
            *sorted(str(p) for kind in ("h", "pxd", "pxi") for d in DIRECTORIES for p in d.glob(f"*.{kind}")),
        ],
        include_dirs=list(map(str, DIRECTORIES)),
        extra_compile_args=[
            *(["-O1", "-g", *SANITIZERS] if sanitized else ["-O3", "-g0", *HARDENED]),
            "-std=gnu11",
            "-fvisibility=hidden",
            "-Wall",
            "-Wno-unused-function",
        ],
        extra_link_args=SANITIZERS if sanitized else HARDENED_LINK,
        libraries=["rt"] if sys.platform == "linux" else [],
        optional=True,
    )


def warn(text: str) -> None:
    """One line on stderr, and on the terminal where an installer swallows stderr."""
    line = f"sage-rpc: WARNING: {text}"
    print(line, file=sys.stderr, flush=True)
    if not sys.stderr.isatty():
        with contextlib.suppress(OSError), Path("/dev/tty").open("w") as terminal:
            print(f"\n{line}", file=terminal, flush=True)


class BuildNative(build_ext):
    """build_ext which translates with Cython and survives a machine without a C compiler."""

    def run(self) -> None:
        # The base class clears `inplace` while it builds; rule 3 needs to know.
        self.beside_sources = bool(self.inplace or getattr(self, "editable_mode", False))
        super().run()

    def build_extensions(self) -> None:
        mode = os.environ.get("SAGE_RPC_BUILD_NATIVE", "auto")
        if mode not in MODES:
            raise PlatformError(f"SAGE_RPC_BUILD_NATIVE={mode!r}: expected one of {', '.join(MODES)}")
        reason = "SAGE_RPC_BUILD_NATIVE=skip" if mode == "skip" else self.toolchain_problem()
        if reason is None:
            reason = self.build_each(mode)
        if reason is None:
            return
        if mode == "require":
            raise CompileError(f"sage-rpc: the native core was not built: {reason}")
        for ext in self.extensions:
            self.remove_stale(ext)
        self.extensions = []
        warn(
            f"native core not built ({reason}); calls will use gRPC, not the memory queue. "
            "`sage-rpc doctor` says what is missing."
        )

    def build_each(self, mode: str) -> str | None:
        """Build all extensions; in mode "auto" return why one could not be compiled."""
        try:
            for ext in self.extensions:
                self.build_extension(ext)
        except BUILD_FAILURES as error:
            if mode == "require":
                raise
            return f"compilation failed: {str(error).splitlines()[0]}"
        return None

    def build_extension(self, ext: Extension) -> None:
        # Imported late: metadata and sdist need no Cython.
        from Cython.Build import cythonize

        # The .c files go to the build directory, so that only sources lie beside the sources.
        translated = cythonize(
            [ext], build_dir=str(Path(self.build_temp) / "cython"), force=self.force, quiet=not self.verbose
        )[0]
        ext.sources = translated.sources
        super().build_extension(ext)

    def toolchain_problem(self) -> str | None:
        """None where C11 against Python's headers compiles, else what is missing, in a few words."""
        if sys.platform == "win32":
            return "Windows is not supported"
        compiler = self.compiler.compiler_so[0] if self.compiler.compiler_so else "cc"
        with tempfile.TemporaryDirectory() as directory:
            source = Path(directory) / "probe.c"
            source.write_text("int sage_rpc_probe(void) { return 0; }\n")
            try:
                self.compiler.compile([str(source)], output_dir=directory)
            except BUILD_FAILURES:
                return f"no C compiler: {compiler!r} does not run"
            if not (Path(sysconfig.get_path("include")) / "Python.h").exists():
                return "Python.h is missing: install Python's development headers"
            source.write_text(PROBE)
            try:
                self.compiler.compile(
                    [str(source)],
                    output_dir=directory,
                    include_dirs=[sysconfig.get_path("include")],
                    extra_preargs=["-std=gnu11"],
                )
            except BUILD_FAILURES:
                return f"{compiler!r} does not compile C11 with atomics"
        return None

    def remove_stale(self, ext: Extension) -> None:
        """Rule 3: neither the build directory nor the source tree keeps an older binary."""
        targets = [Path(self.get_ext_fullpath(ext.name))]
        if self.beside_sources:
            targets.append(Path(self.get_ext_filename(ext.name)))
        for target in targets:
            with contextlib.suppress(FileNotFoundError):
                target.unlink()


setup(
    ext_modules=[extension(path) for path in EXTENSIONS if source(path).exists()],
    cmdclass={"build_ext": BuildNative},
)
