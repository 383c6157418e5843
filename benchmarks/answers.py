"""What is sent, and whether what came back is the same."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Protocol

__all__ = ["DISTINCT", "Work", "WrongAnswerError", "check", "payloads"]

COMPARED_WHOLE = 4096  # bytes; of larger responses the loop compares the ends, and some are compared whole
EDGE = 64
DISTINCT = 4  # payloads in turn, so that an answer to another call is noticed


class WrongAnswerError(Exception):
    """A response differs from what was sent."""


def payloads(size: int) -> list[bytes]:
    """Payloads of `size` bytes, different at both ends and within."""
    pattern = bytes(range(256)) * (size // 256 + 2)
    return [pattern[shift : shift + size] for shift in range(DISTINCT)]


def _same(got: bytes | bytearray | memoryview, sent: bytes) -> bool:
    return len(got) == len(sent) and got[:EDGE] == sent[:EDGE] and got[-EDGE:] == sent[-EDGE:]


def check(got: bytes | bytearray | memoryview, sent: bytes) -> None:
    """Raise WrongAnswerError when the two differ."""
    if got != sent:
        raise WrongAnswerError(
            f"{len(got)} bytes for {len(sent)} sent, beginning {bytes(got[:16])!r} and not {sent[:16]!r}"
        )


class _Preparing(Protocol):
    def prepare(self, payload: bytes) -> Any: ...


class Work:
    """Requests in turn, with what must come back.

    Attributes:
        pairs: (request, payload that must come back).
        same: a quick comparison of a response with its payload; `check` follows where it fails.
    """

    def __init__(self, caller: _Preparing, sent: list[bytes]) -> None:
        self.pairs = [(caller.prepare(payload), payload) for payload in sent]
        self.same: Callable[[Any, Any], bool] = operator.eq if len(sent[0]) <= COMPARED_WHOLE else _same

    @property
    def requests(self) -> list[Any]:
        return [request for request, _ in self.pairs]

    @property
    def sent(self) -> list[bytes]:
        return [payload for _, payload in self.pairs]

    def __repr__(self) -> str:
        return f"<Work: {len(self.pairs)} payloads of {len(self.pairs[0][1])} bytes>"
