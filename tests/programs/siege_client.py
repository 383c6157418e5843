"""A client process among hostile servers: `siege_client.py sync|aio SECONDS HONEST HOSTILE...` (targets).

It calls a hostile server and then the honest one, again and again; both have to end in time, and the answers
of the honest one have to be right. Prints one line of JSON about it.
"""

from __future__ import annotations

import asyncio
import faulthandler
import itertools
import json
import sys
import time
from typing import Any

import grpc

import sage_rpc
from sage_rpc import aio

faulthandler.enable()

DEADLINE = 0.5
OPTIONS = [("sage_rpc.transport", "shm")]
ECHO, CHAT = "/test.Siege/echo", "/test.Siege/chat"


class Account:
    def __init__(self) -> None:
        self.said: dict[str, Any] = {"hostile": 0, "honest": 0, "wrong": 0, "late": 0.0, "codes": {}}

    def ended(self, begun: float, error: grpc.RpcError | None) -> None:
        self.said["hostile"] += 1
        self.said["late"] = max(self.said["late"], time.monotonic() - begun - DEADLINE)
        name = "OK" if error is None else error.code().name
        self.said["codes"][name] = self.said["codes"].get(name, 0) + 1

    def answered(self, right: bool) -> None:
        self.said["honest"] += 1
        self.said["wrong"] += not right


def call_hostile(channel: grpc.Channel, number: int) -> None:
    if number % 3 == 0:
        channel.unary_unary(ECHO)(b"x" * (number % 7 * 20_000), timeout=DEADLINE)
    elif number % 3 == 1:
        channel.unary_unary(ECHO).future(b"x", timeout=DEADLINE).result()
    else:
        for _ in channel.stream_stream(CHAT)(iter([b"a", b"b"]), timeout=DEADLINE):
            pass


def sync(end: float, honest: str, hostile: list[str]) -> Account:
    account = Account()
    with sage_rpc.insecure_channel(honest, OPTIONS) as friend:
        for number, target in enumerate(itertools.cycle(hostile)):
            if time.monotonic() > end:
                return account
            with sage_rpc.insecure_channel(target, OPTIONS) as channel:
                begun, error = time.monotonic(), None
                try:
                    call_hostile(channel, number)
                except grpc.RpcError as raised:
                    error = raised
                account.ended(begun, error)
            text = b"%d" % number
            account.answered(friend.unary_unary(ECHO)(text, timeout=20) == text)
    return account


async def in_a_loop(end: float, honest: str, hostile: list[str]) -> Account:
    account = Account()
    async with aio.insecure_channel(honest, OPTIONS) as friend:
        for number, target in enumerate(itertools.cycle(hostile)):
            if time.monotonic() > end:
                return account
            async with aio.insecure_channel(target, OPTIONS) as channel:
                begun, error = time.monotonic(), None
                try:
                    if number % 2:
                        await channel.unary_unary(ECHO)(b"x", timeout=DEADLINE)
                    else:
                        async for _ in channel.stream_stream(CHAT)(iter([b"a", b"b"]), timeout=DEADLINE):
                            pass
                except grpc.RpcError as raised:
                    error = raised
                account.ended(begun, error)
            text = b"%d" % number
            account.answered(await friend.unary_unary(ECHO)(text, timeout=20) == text)
    return account


def main(kind: str, seconds: str, honest: str, *hostile: str) -> None:
    end = time.monotonic() + float(seconds)
    if kind == "aio":
        account = asyncio.run(in_a_loop(end, honest, list(hostile)))
    else:
        account = sync(end, honest, list(hostile))
    print(json.dumps(account.said), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
