"""Balancing: which of several usable endpoints takes the next call. Decides only; no I/O, no locks.

Each rule is a function object `(usable, key) -> endpoint`; the pool calls it under its lock, with at least
one endpoint.
"""

from __future__ import annotations

import bisect
import hashlib
from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

from sage_rpc.encoding import values

__all__ = ["Balancer", "ConsistentHash", "LeastOutstanding", "RoundRobin", "balancer", "key_bytes"]

_POINTS = 128  # on the ring, of the endpoint with the greatest weight; shares differ by about a tenth


class Balanced(Protocol):
    """What a rule knows of an endpoint."""

    target: str
    outstanding: int

    @property
    def weight(self) -> int:
        """Its share, relative to others'; more than 0."""


E = TypeVar("E", bound=Balanced)


class Balancer(Protocol):
    """A rule."""

    def __call__(self, usable: Sequence[E], key: Any) -> E:
        """One of `usable`, which is never empty; `key` is the call's, None where it has none."""


class RoundRobin:
    """One after the other, each as often as its weight asks, spread evenly."""

    def __init__(self) -> None:
        self._next = 0
        self._seen: Sequence[Any] = ()
        self._order: list[int] = []

    def __call__(self, usable: Sequence[E], key: Any) -> E:
        """See Balancer."""
        self._next += 1
        if usable is not self._seen:
            self._seen, self._order = usable, spread([endpoint.weight for endpoint in usable])
        return usable[self._order[self._next % len(self._order)]]


def spread(weights: Sequence[int]) -> list[int]:
    """The order of a round of smooth weighted round robin, as indices: whoever is owed most is next."""
    smallest = min(weights)
    shares = [1] * len(weights)
    if max(weights) != smallest:
        shares = [min(100, round(10 * weight / smallest)) for weight in weights]
    owed, total, order = [0] * len(shares), sum(shares), []
    for _ in range(total):
        owed = [o + s for o, s in zip(owed, shares, strict=True)]
        best = owed.index(max(owed))
        owed[best] -= total
        order.append(best)
    return order


class LeastOutstanding:
    """The one with the fewest calls under way, for its weight; of several, one after the other."""

    def __init__(self) -> None:
        self._next = 0

    def __call__(self, usable: Sequence[E], key: Any) -> E:
        """See Balancer."""
        self._next += 1
        start = self._next % len(usable)
        best = usable[start]
        for at in range(start - len(usable) + 1, start):
            other = usable[at]
            if (other.outstanding + 1) * best.weight < (best.outstanding + 1) * other.weight:
                best = other
        return best


class ConsistentHash:
    """By the call's key: equal keys meet the same endpoint, in every process, for as long as it is usable.

    When an endpoint goes, only its keys move. Calls without a key go round.
    """

    def __init__(self) -> None:
        self._rings: dict[tuple[tuple[str, int], ...], tuple[list[int], list[int]]] = {}
        self._round_robin = RoundRobin()

    def __call__(self, usable: Sequence[E], key: Any) -> E:
        """See Balancer.

        Raises:
            TypeError: the key is of a type that does not travel, so that no other process would know it.
        """
        if key is None:
            return self._round_robin(usable, key)
        points, owners = self._ring(tuple((endpoint.target, endpoint.weight) for endpoint in usable))
        at = bisect.bisect(points, _point(key_bytes(key)))
        return usable[owners[at % len(owners)]]

    def _ring(self, targets: tuple[tuple[str, int], ...]) -> tuple[list[int], list[int]]:
        ring = self._rings.get(targets)
        if ring is None:
            most = max(weight for _, weight in targets)
            placed = sorted(
                (_point(f"{target}#{number}".encode()), index)
                for index, (target, weight) in enumerate(targets)
                for number in range(max(1, _POINTS * weight // most))
            )
            ring = [point for point, _ in placed], [index for _, index in placed]
            if len(self._rings) >= 16:  # endpoints come and go: keep what is in use
                self._rings.clear()
            self._rings[targets] = ring
        return ring


def key_bytes(key: Any) -> bytes:
    """A key as bytes that are the same in every process.

    Raises:
        TypeError: it is of a type that does not travel.
    """
    if isinstance(key, bytes):
        return key
    return key.encode() if isinstance(key, str) else values.encode(key)


def _point(data: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "big")


_RULES: dict[str, type[Any]] = {
    "round_robin": RoundRobin,
    "least_outstanding": LeastOutstanding,
    "consistent_hash": ConsistentHash,
}


def balancer(name: str) -> Balancer:
    """The rule of that name."""
    rule: Balancer = _RULES[name]()
    return rule
