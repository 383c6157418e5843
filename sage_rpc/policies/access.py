"""Access to a service: who is calling, and may they.

Who calls is told by the transport and cannot be claimed: over the memory queue the kernel says which user and
process it is, over gRPC with mTLS the certificate does. A bearer token is what the caller says, and for the
hook to verify.
"""

from __future__ import annotations

import dataclasses
import hmac
from collections.abc import Callable
from typing import Any

from sage_rpc.transport.base import GRPC, SHM

__all__ = ["Access", "Allowed", "Peer", "peer_of"]


@dataclasses.dataclass(frozen=True)
class Peer:
    """Who calls.

    Attributes:
        address: as `context.peer()` has it.
        transport: "shm" or "grpc".
        uid: user id of the caller's process, on this host; None over gRPC.
        gid: its group id.
        pid: its process id.
        identities: names in the caller's certificate, with mTLS.
        token: of an "authorization: Bearer ..." metadatum; whether it is genuine is for the hook to say.
    """

    address: str
    transport: str
    uid: int | None = None
    gid: int | None = None
    pid: int | None = None
    identities: tuple[str, ...] = ()
    token: str | None = dataclasses.field(default=None, repr=False)


Access = Callable[[Peer, str], "bool | None"]
"""`access(peer, method)`: False, or a PermissionError whose text the caller gets, refuses the call."""


@dataclasses.dataclass(frozen=True)
class Allowed:
    """An access hook without code: whoever is named here may call everything, and nobody else anything.

    Attributes:
        uids: users of this host, over the memory queue.
        identities: names in certificates of callers, with mTLS.
        tokens: bearer tokens.
    """

    uids: tuple[int, ...] = ()
    identities: tuple[str, ...] = ()
    tokens: tuple[str, ...] = dataclasses.field(default=(), repr=False)

    def __call__(self, peer: Peer, _method: str) -> bool:
        """Whether `peer` may call."""
        token = (peer.token or "").encode()
        return (
            peer.uid in self.uids
            or not set(self.identities).isdisjoint(peer.identities)
            or any(hmac.compare_digest(token, each.encode()) for each in self.tokens)
        )


def peer_of(context: Any) -> Peer:
    """Who made the call of a ServicerContext."""
    auth = context.auth_context() or {}
    token = None
    for name, value in context.invocation_metadata() or ():
        if name == "authorization" and isinstance(value, str) and value.lower().startswith("bearer "):
            token = value[7:].strip()
    address = context.peer() or ""
    if address.startswith("shm:"):
        numbers = {name: int(next(iter(auth[name]))) for name in ("uid", "gid", "pid") if name in auth}
        return Peer(
            address,
            SHM,
            uid=numbers.get("uid"),
            gid=numbers.get("gid"),
            pid=numbers.get("pid"),
            token=token,
        )
    identities = tuple(
        each.decode("utf-8", "replace") if isinstance(each, bytes) else str(each)
        for each in context.peer_identities() or ()
    )
    return Peer(address, GRPC, identities=identities, token=token)
