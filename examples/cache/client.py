"""Calls the cache in every way: `python client.py ADDRESS`."""

from __future__ import annotations

import asyncio
import sys

from generated import cache_pb2
from generated.cache_sage import CacheAioClient, CacheAsyncClient, CacheClient

import sage_rpc
from sage_rpc import errors


def wait(address: str) -> None:
    with CacheClient(address) as cache:
        cache.put(key="a", value=b"1")
        print(cache.get(key="a").value)
        print(cache.load(cache_pb2.PutRequest(key=key, value=b"2") for key in ("b", "c")).count)
        print([key.name for key in cache.keys(prefix="")])
        try:
            cache.get(key="nothing", timeout=0.5)
        except errors.NotFound as error:  # a LookupError, and a grpc.RpcError
            print(error.details())


def futures(address: str) -> None:
    with CacheAsyncClient(address) as cache:
        calls = [cache.get(key=key) for key in ("a", "b", "c")]
        print([call.result(timeout=1.0).value for call in calls])


async def loop(address: str) -> None:
    async with CacheAioClient(address) as cache:
        replies = await asyncio.gather(*(cache.get(key=key) for key in ("a", "b")))
        print([reply.value for reply in replies], [key.name async for key in cache.keys(prefix="c")])


def by_name(address: str) -> None:
    endpoint = sage_rpc.ServiceEndpoint(address, "cache.Cache")
    with sage_rpc.ServiceManager({"cache": endpoint}) as manager:
        print(manager.client(CacheClient).get(key="a").value)


if __name__ == "__main__":
    wait(sys.argv[1])
    futures(sys.argv[1])
    asyncio.run(loop(sys.argv[1]))
    by_name(sys.argv[1])
