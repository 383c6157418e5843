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
from typing import Any

import grpc

from sage_rpc.channel import insecure_channel, secure_channel
from sage_rpc.server import server
from sage_rpc.transport import grpc as stock

__all__ = ["install", "installed", "uninstall"]

_Factory = Callable[..., Any]
_LOGGER = logging.getLogger("sage_rpc")


class _State:
    on = False  # read without the lock: a call beside install() may go either way


def _switch(ours: _Factory, stocks: _Factory) -> _Factory:
    @functools.wraps(stocks)
    def factory(*args: Any, **kwargs: Any) -> Any:
        return (ours if _State.on else stocks)(*args, **kwargs)

    return factory


_STOCK: dict[str, _Factory] = {
    "insecure_channel": stock.insecure_channel,
    "secure_channel": stock.secure_channel,
    "server": stock.server,
}
_SWITCHES: dict[str, _Factory] = {
    "insecure_channel": _switch(insecure_channel, stock.insecure_channel),
    "secure_channel": _switch(secure_channel, stock.secure_channel),
    "server": _switch(server, stock.server),
}
_lock = threading.Lock()  # guards _State.on, _placed and the names in grpc
_placed: set[str] = set()  # names in grpc that lead to our switch, perhaps through somebody's wrapper


def install() -> None:
    """Put `sage_rpc.insecure_channel`, `secure_channel` and `server` in the place of grpc's.

    Code that calls `grpc.insecure_channel(...)` or `grpc.server(...)` from now on gets ours, and so the
    memory queue where it can be had. Channels and servers that exist stay what they are, and so do names
    that a module imported from `grpc` before (`from grpc import insecure_channel`): install first.

    Idempotent, from any thread; holds for this process and those it forks. `uninstall()` ends it.

        import sage_rpc

        sage_rpc.install()
        import their_program
    """
    replaced = []
    with _lock:
        for name, switch in _SWITCHES.items():
            current = getattr(grpc, name)
            if current is switch or (name in _placed and current is not _STOCK[name]):
                continue
            if current is not _STOCK[name]:
                replaced.append((name, current))
            setattr(grpc, name, switch)
            _placed.add(name)
        _State.on = True
    for name, current in replaced:
        _LOGGER.warning(
            "sage_rpc.install() replaced grpc.%s, which %s had replaced before: to keep both, install first",
            name,
            getattr(current, "__module__", None) or type(current).__module__,
        )


def uninstall() -> None:
    """Put grpc's own factories back. Idempotent, from any thread.

    Channels and servers made meanwhile stay ours and go on. A wrapper that somebody else has put around
    our factories since stays where it is and leads to grpc's own.
    """
    with _lock:
        _State.on = False
        for name, switch in _SWITCHES.items():
            if getattr(grpc, name) is switch:
                setattr(grpc, name, _STOCK[name])
                _placed.discard(name)


def installed() -> bool:
    """Whether `grpc.insecure_channel` and its kin are ours now."""
    return _State.on
