"""The services of the example: ordinary classes, which know nothing of processes, hosts or transports."""

from __future__ import annotations

import hashlib
import math
import threading
from collections import OrderedDict

from sage_rpc.operators import BaseService


class Features:
    """Turns texts into vectors; every word goes to one dimension."""

    def __init__(self, dimensions: int = 64) -> None:
        self.dimensions = dimensions

    def vector(self, text: str) -> list[float]:
        found = [0.0] * self.dimensions
        for word in text.lower().split():
            found[hashlib.sha256(word.encode()).digest()[0] % self.dimensions] += 1.0
        length = math.sqrt(sum(x * x for x in found)) or 1.0
        return [x / length for x in found]


class Cache:
    """Keeps the last results, up to a number of them."""

    def __init__(self, cache_size: int = 1000) -> None:
        self.cache_size = cache_size
        self._rows: OrderedDict[str, object] = OrderedDict()
        self._lock = threading.Lock()  # guards the rows: methods run in several threads

    def get(self, key: str) -> object:
        with self._lock:
            return self._rows.get(key)

    def put(self, key: str, value: object) -> None:
        with self._lock:
            self._rows[key] = value
            self._rows.move_to_end(key)
            while len(self._rows) > self.cache_size:
                self._rows.popitem(last=False)

    def size(self) -> int:
        return len(self._rows)

    def health_check(self) -> bool:
        return len(self._rows) <= self.cache_size


class Search(BaseService):
    """Finds the closest of some texts; asks `features`, which may run anywhere."""

    def __init__(self, texts: list[str]) -> None:
        self.texts = texts

    def setup(self) -> None:
        # The other service may still be starting: calls wait for it, up to a deadline.
        self.vectors: list[list[float]] = []

    def closest(self, text: str) -> str:
        if not self.vectors:
            self.vectors = [self.call_service["features"].vector(known) for known in self.texts]
        wanted = self.call_service["features"].vector(text)
        scores = [sum(a * b for a, b in zip(wanted, v, strict=True)) for v in self.vectors]
        return self.texts[scores.index(max(scores))]
