"""Tests of the cache, with a real server and a real connection: `python -m pytest test_cache.py`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from generated import cache_pb2
from generated.cache_sage import CacheClient
from service import LARGEST, Cache

import sage_rpc


@pytest.fixture
def cache() -> Iterator[CacheClient]:
    with sage_rpc.ServiceHost("cache", Cache()) as host, CacheClient(host.address) as client:
        yield client


def test_what_was_put_is_there(cache: CacheClient) -> None:
    cache.put(key="a", value=b"1")
    assert cache.get(key="a") == cache_pb2.GetReply(value=b"1")


def test_what_was_not_put_is_not_found(cache: CacheClient) -> None:
    with pytest.raises(LookupError, match="there is no 'a'"):
        cache.get(key="a")


def test_a_value_may_be_too_large(cache: CacheClient) -> None:
    cache.put(key="a", value=bytes(LARGEST))
    with pytest.raises(ValueError, match="at most 1048576 bytes"):
        cache.put(key="a", value=bytes(LARGEST + 1))
