"""The cache: `python service.py` serves it, prints its address, and ends with its standard input."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import grpc
from generated import cache_pb2
from generated.cache_sage import CacheBase

import sage_rpc
from sage_rpc.servicers import ServicerContext

LARGEST = 1 << 20  # bytes


class Cache(CacheBase):
    def __init__(self) -> None:
        self.rows: dict[str, bytes] = {}

    def get(self, request: cache_pb2.GetRequest, context: ServicerContext) -> cache_pb2.GetReply:
        value = self.rows.get(request.key)
        if value is None:
            context.abort(grpc.StatusCode.NOT_FOUND, f"there is no {request.key!r}")
        return cache_pb2.GetReply(value=value)

    def put(self, request: cache_pb2.PutRequest, context: ServicerContext) -> cache_pb2.PutReply:
        if len(request.value) > LARGEST:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"a value has at most {LARGEST} bytes")
        self.rows[request.key] = request.value
        return cache_pb2.PutReply()

    def load(self, requests: Iterator[cache_pb2.PutRequest], context: ServicerContext) -> cache_pb2.LoadReply:
        count = 0
        for request in requests:
            self.put(request, context)
            count += 1
        return cache_pb2.LoadReply(count=count)

    def keys(self, request: cache_pb2.KeysRequest, context: ServicerContext) -> Iterator[cache_pb2.Key]:
        for name in sorted(self.rows):
            if name.startswith(request.prefix):
                yield cache_pb2.Key(name=name)


if __name__ == "__main__":
    with sage_rpc.ServiceHost("cache", Cache(), "localhost:0") as host:
        print(host.address, flush=True)
        sys.stdin.read()  # serve until whoever started us is gone
