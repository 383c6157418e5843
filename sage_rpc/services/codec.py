"""One method of one service on the wire: how arguments become a request, and a response a result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sage_rpc.policies.settings import MethodPolicy

__all__ = ["Codec", "same"]


_NOTHING_SAID = MethodPolicy()


@dataclass(frozen=True)
class Codec:
    """One method of one service, on the wire.

    Attributes:
        service: its full name, as spans and statistics call it.
        method: its name there.
        name: both, for errors.
        path: "/package.Service/Method".
        serializer: of requests; None: they are bytes.
        deserializer: of responses.
        encode: arguments -> request.
        check: raises the error that a response may carry inside; None: it carries none.
        decode: response -> result.
        copy: the same, of a response that others keep.
        keep: a response that may be kept for long.
        sent: bytes of a request.
        received: bytes of a response.
        key: bytes that stand for arguments.
        declared: what the declaration says about calling it.
        response: the class of responses of a declared service.
    """

    service: str
    method: str
    name: str
    path: str
    serializer: Any
    deserializer: Any
    encode: Callable[[tuple[Any, ...], dict[str, Any]], Any]
    check: Callable[[Any], None] | None
    decode: Callable[[Any], Any]
    copy: Callable[[Any], Any]
    keep: Callable[[Any], Any]
    sent: Callable[[Any], int]
    received: Callable[[Any], int]
    key: Callable[[tuple[Any, ...], dict[str, Any]], bytes]
    declared: MethodPolicy = _NOTHING_SAID
    response: Any = None

    @property
    def system(self) -> str:
        """As OpenTelemetry calls it."""
        return "sage_rpc" if self.path.startswith("/sage.rpc.v1.Invocation/") else "grpc"


def same(response: Any) -> Any:
    """What needs no change."""
    return response
