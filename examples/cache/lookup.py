"""Operators that call the cache, which runs in a process of its own: `python lookup.py`."""

from __future__ import annotations

from generated.cache_sage import CacheAsyncClient, CacheClient
from service import Cache

from sage_rpc.operators import LocalEnvironment, MapFunction, SinkFunction


class Fill(MapFunction):
    def execute(self, row: str) -> str:
        stored = self.call_service_async[CacheAsyncClient].put(key=row, value=row.upper().encode())
        stored.result(timeout=2.0)
        return row


class Lookup(MapFunction):
    def execute(self, row: str) -> bytes:
        return self.call_service[CacheClient].get(key=row).value


class Show(SinkFunction):
    def execute(self, row: bytes) -> None:
        print(row)


if __name__ == "__main__":
    env = LocalEnvironment("lookups")
    env.register_service("cache", Cache)
    env.from_batch(["a", "b"]).map(Fill).map(Lookup).sink(Show)
    env.submit(autostop=True)
