"""Python imports this at its start, in the processes that a program under `sage-rpc run --children` starts.

Rules: a process that does not use grpc pays nothing, so all waits until `grpc` is imported; an interpreter
that has no sage_rpc goes on without; the environment's own sitecustomize, which this one hides, runs too.
Nothing of ours is imported at the top: this is no place to fail.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType


class _InstallAfter(Loader):
    """Runs grpc, or sage_rpc, as its own loader does, then puts our factories into grpc."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        if module.__spec__ is not None:
            module.__spec__.loader = module.__loader__ = self._loader  # as if we had never been here
        self._loader.exec_module(module)
        ours = sys.modules.get("sage_rpc")
        if module is not ours and getattr(getattr(ours, "__spec__", None), "_initializing", False):
            return  # it imports grpc, and is not there yet: we come again after it
        try:
            from sage_rpc.dropin.install import install
        except ImportError:
            return  # another interpreter, or another environment
        install()


class _WhatIsAwaited(MetaPathFinder):
    """Stands first in sys.meta_path until somebody has imported grpc."""

    def __init__(self) -> None:
        self._awaited = {"grpc", "sage_rpc"}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self._awaited:
            return None
        self._awaited.discard(fullname)
        if not self._awaited:
            sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is not None and spec.loader is not None:
            spec.loader = _InstallAfter(spec.loader)
        return spec


def _run_the_one_we_hide() -> None:
    here = Path(__file__).parent
    spec = PathFinder.find_spec("sitecustomize", [path for path in sys.path if Path(path) != here])
    if spec is not None and spec.loader is not None:
        module = importlib.util.module_from_spec(spec)
        sys.modules["sitecustomize"] = module
        spec.loader.exec_module(module)


if __name__ == "sitecustomize":
    sys.meta_path.insert(0, _WhatIsAwaited())
    _run_the_one_we_hide()
