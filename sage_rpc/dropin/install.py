"""install() and uninstall(): our factories in the place of grpc's, for code that only knows `grpc`.

What stands in `grpc` while installed is a switch, not our factory itself: it asks at every call whether we
are installed. So uninstall() also reaches whoever took the name from `grpc` meanwhile, or wrapped it, as
tracing libraries do; their wrappers stay in place, because only what is ours is taken away.
"""

from __future__ import annotations

import functools
import logging
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

import grpc
import grpc.aio

from sage_rpc.endpoints.opening import aio_insecure_channel, insecure_channel
from sage_rpc.rpc import aio
from sage_rpc.rpc.channel import secure_channel
from sage_rpc.rpc.server import server
from sage_rpc.transport import grpc as stock

__all__ = ["install", "installed", "uninstall"]

_Factory = Callable[..., Any]
_LOGGER = logging.getLogger("sage_rpc")


class _State:
    on = False  # read without the lock: a call beside install() may go either way


class _Switch:
    """One name in a module of grpc's, what stands there by nature, and what stands there while installed."""

    def __init__(self, module: ModuleType, name: str, stocks: _Factory, ours: _Factory) -> None:
        @functools.wraps(stocks)
        def switch(*args: Any, **kwargs: Any) -> Any:
            return (ours if _State.on else stocks)(*args, **kwargs)

        self._module = module
        self._name = name
        self._stock = stocks
        self._switch = switch
        self._placed = False  # the name leads to our switch, perhaps through somebody's wrapper

    def __repr__(self) -> str:
        return f"<_Switch {self._module.__name__}.{self._name}{' placed' if self._placed else ''}>"

    def place(self) -> str | None:
        """Put the switch there. -> what it replaced that was not grpc's own, to complain about."""
        current = getattr(self._module, self._name)
        if current is self._switch or (self._placed and current is not self._stock):
            return None
        setattr(self._module, self._name, self._switch)
        self._placed = True
        if current is self._stock:
            return None
        whose = getattr(current, "__module__", None) or type(current).__module__
        return f"{self._module.__name__}.{self._name}, which {whose} had replaced before"

    def remove(self) -> None:
        """Put grpc's own back, unless somebody's wrapper stands there, which then leads to grpc's own."""
        if getattr(self._module, self._name) is self._switch:
            setattr(self._module, self._name, self._stock)
            self._placed = False


_SWITCHES = (
    _Switch(grpc, "insecure_channel", stock.insecure_channel, insecure_channel),
    _Switch(grpc, "secure_channel", stock.secure_channel, secure_channel),
    _Switch(grpc, "server", stock.server, server),
    _Switch(grpc.aio, "insecure_channel", stock.aio_insecure_channel, aio_insecure_channel),
    _Switch(grpc.aio, "secure_channel", stock.aio_secure_channel, aio.secure_channel),
    _Switch(grpc.aio, "server", stock.aio_server, aio.server),
)
_lock = threading.Lock()  # guards the switches and _State.on


def install() -> None:
    """Put `sage_rpc.insecure_channel`, `secure_channel` and `server` in the place of grpc's; aio's too.

    Code that calls `grpc.insecure_channel(...)` or `grpc.aio.server(...)` from now on gets ours, and so the
    memory queue where it can be had. Channels and servers that exist stay what they are, and so do names
    that a module imported from `grpc` before (`from grpc import insecure_channel`): install first.

    Idempotent, from any thread; holds for this process and those it forks. `uninstall()` ends it.

        import sage_rpc

        sage_rpc.install()
        import their_program
    """
    with _lock:
        replaced = [switch.place() for switch in _SWITCHES]
        _State.on = True
    for what in filter(None, replaced):
        _LOGGER.warning("sage_rpc.install() replaced %s: to keep both, install first", what)


def uninstall() -> None:
    """Put grpc's own factories back. Idempotent, from any thread.

    Channels and servers made meanwhile stay ours and go on. A wrapper that somebody else has put around
    our factories since stays where it is and leads to grpc's own.
    """
    with _lock:
        _State.on = False
        for switch in _SWITCHES:
            switch.remove()


def installed() -> bool:
    """Whether `grpc.insecure_channel` and its kin are ours now."""
    return _State.on
