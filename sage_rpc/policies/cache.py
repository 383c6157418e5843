"""The cache of one method, at the manager: what was answered before is answered here.

An entry keeps the response as it arrived, so that no caller can change what another gets. Results that cannot
be changed are kept decoded. Equal arguments are fetched once: whoever asks meanwhile waits for the same
answer (single flight). A failure of the service is given to those who waited for it, and not kept. A leader
that gives up (it was cancelled, its time was over) says nothing about the service: one of those who wait
becomes the leader. The least recently used entry goes first.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable
from concurrent import futures
from dataclasses import dataclass
from typing import Any

import grpc

from sage_rpc import errors
from sage_rpc.policies.settings import CachePolicy

__all__ = ["ABANDONED", "Cache", "CacheInfo", "Entry"]

_LONG_KEY = 256  # bytes; for longer ones a digest stands
_UNCHANGEABLE = frozenset({type(None), bool, int, float, str, bytes})
_PLAIN = frozenset({str, bytes, int})  # exact types of which no two values are equal across types
ABANDONED: Any = object()  # what a flight gives whose leader has given up
_OF_THE_LEADER = frozenset({grpc.StatusCode.CANCELLED, grpc.StatusCode.DEADLINE_EXCEEDED})


@dataclass(frozen=True)
class CacheInfo:
    """How a cache does.

    Attributes:
        hits: answered here; waiting for what another caller fetches counts.
        misses: fetched.
        entries: kept now.
        bytes: of them.
        evictions: that had to go for others.
    """

    hits: int
    misses: int
    entries: int
    bytes: int
    evictions: int


class Entry:
    """One response."""

    __slots__ = ("expires", "response", "simple", "size", "value")

    def __init__(self, response: Any, value: Any, size: int, expires: float) -> None:
        self.response = response
        self.simple = type(value) in _UNCHANGEABLE
        self.value = value if self.simple else None
        self.size = size
        self.expires = expires


class Cache:
    """The entries of one method.

    Args:
        name: "service.method", for errors.
        policy: how long, how many.
        encode_key: bytes that stand for arguments, where they are not simple.
    """

    def __init__(
        self,
        name: str,
        policy: CachePolicy,
        encode_key: Callable[[tuple[Any, ...], dict[str, Any]], bytes],
    ) -> None:
        self.name = name
        self.policy = policy
        self._encode_key = encode_key
        self._entries: OrderedDict[Any, Entry] = OrderedDict()
        self._flights: dict[Any, futures.Future[Any]] = {}
        self._lock = threading.RLock()  # guards every change of the two, and what is below
        self._bytes = 0
        self.hits = 0
        self.misses = 0
        self._evictions = 0
        self._epoch = 0  # what is fetched before an invalidation is not kept after it
        _caches.add(self)

    def key_of(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """What stands for the arguments.

        Raises:
            TypeError: the policy's `key` gave something that cannot be hashed.
            Exception: whatever the policy's `key` raises.
        """
        if self.policy.key is not None:
            key = self.policy.key(*args, **kwargs)
            try:
                hash(key)
            except TypeError as error:
                raise TypeError(
                    f"the cache of {self.name}: its key function gave {key!r}, which cannot be hashed "
                    f"({error}); let it give a str, a number or a tuple of those"
                ) from None
            return key
        if not kwargs and len(args) == 1 and type(args[0]) in _PLAIN:
            return args[0]
        encoded = self._encode_key(args, dict(sorted(kwargs.items())) if kwargs else kwargs)
        if len(encoded) > _LONG_KEY:
            encoded = hashlib.blake2b(encoded, digest_size=32).digest()
        return (encoded,)  # a tuple, so that it is not taken for an argument of bytes

    def get(self, key: Any) -> Entry | None:
        """The entry of `key`, if it has not expired."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry.expires < time.monotonic():
            self._drop(key, entry)
            return None
        self.hits += 1
        with contextlib.suppress(KeyError):  # another thread dropped it just now
            self._entries.move_to_end(key)
        return entry

    def _drop(self, key: Any, entry: Entry) -> None:
        with self._lock:
            if self._entries.get(key) is entry:
                del self._entries[key]
                self._bytes -= entry.size

    def board(self, key: Any, *, again: bool = False) -> tuple[futures.Future[Any], bool, int]:
        """The flight that fetches `key`. -> it, whether the caller must fly it, and what `land` wants.

        Args:
            key: of the arguments.
            again: the caller waited for a flight that was abandoned.
        """
        with self._lock:
            if again:
                self.hits -= 1  # it was counted, and is not answered yet
            flight = self._flights.get(key)
            entry = self._entries.get(key) if flight is None else None
            if entry is not None and entry.expires >= time.monotonic():
                flight = futures.Future()  # it has landed since the caller looked
                flight.set_result(entry.response)
            if flight is not None:
                self.hits += 1
                return flight, False, self._epoch
            self.misses += 1
            flight = self._flights[key] = futures.Future()
            return flight, True, self._epoch

    def land(self, key: Any, epoch: int, response: Any, value: Any, size: int) -> None:
        """What was fetched has arrived: keep it, and give it to those who wait."""
        policy = self.policy
        ttl = policy.ttl if value is not None or policy.negative_ttl is None else policy.negative_ttl
        with self._lock:
            flight = self._flights.pop(key, None)
            fits = policy.max_bytes is None or size <= policy.max_bytes
            if ttl > 0 and fits and epoch == self._epoch:
                old = self._entries.pop(key, None)
                self._bytes += size - (0 if old is None else old.size)
                self._entries[key] = Entry(response, value, size, time.monotonic() + ttl)
                while len(self._entries) > policy.max_entries or (
                    policy.max_bytes is not None and self._bytes > policy.max_bytes
                ):
                    self._bytes -= self._entries.popitem(last=False)[1].size
                    self._evictions += 1
        if flight is not None:
            flight.set_result(response)

    def crash(self, key: Any, error: BaseException) -> None:
        """It could not be fetched: those who wait fail, too, if that was not the leader's own affair."""
        with self._lock:
            flight = self._flights.pop(key, None)
        if flight is None:
            return
        if isinstance(error, errors.RpcError):
            abandoned = error.code() in _OF_THE_LEADER
        else:
            abandoned = not isinstance(error, Exception)  # Ctrl-C, or sys.exit() of the leader's program
        if abandoned:
            flight.set_result(ABANDONED)
        else:
            flight.set_exception(error)

    def invalidate(self, args: tuple[Any, ...] | None = None, kwargs: dict[str, Any] | None = None) -> None:
        """Forget the result of these arguments, or (None) all; what is being fetched is not kept either."""
        with self._lock:
            self._epoch += 1
            if args is None:
                self._entries.clear()
                self._bytes = 0
                return
            key = self.key_of(args, kwargs or {})
            entry = self._entries.pop(key, None)
            if entry is not None:
                self._bytes -= entry.size

    def info(self) -> CacheInfo:
        """How it does."""
        with self._lock:
            return CacheInfo(self.hits, self.misses, len(self._entries), self._bytes, self._evictions)

    def forget_parent(self) -> None:
        """In a forked child: flights are the parent's."""
        self._lock = threading.RLock()
        self._flights = {}

    def __repr__(self) -> str:
        return f"<Cache {self.name} {self.info()}>"


_caches: weakref.WeakSet[Cache] = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for cache in list(_caches):
        cache.forget_parent()


os.register_at_fork(after_in_child=_after_fork_in_child)
