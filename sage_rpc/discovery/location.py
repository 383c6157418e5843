"""Which registry this process uses: `$SAGE_RPC_REGISTRY`, else this host's own.

local                                  the runtime directory of this host
etcd://10.0.0.2:2379,10.0.0.3:2379     etcd, and this host's own; more after a "?": prefix, ttl (seconds)
etcds://etcd:2379?ca=...&cert=...&key= the same over TLS, with files in PEM
static:cache=10.0.0.2:50051,10.0.0.3:50051;db=dns:///db.default.svc:50051
addresses that somebody wrote down, and this host's own
"""

from __future__ import annotations

import os
from urllib.parse import parse_qsl, urlsplit

from sage_rpc.discovery.joined import JoinedRegistry
from sage_rpc.discovery.local import LocalRegistry
from sage_rpc.discovery.registry import ServiceRegistry, StaticRegistry

__all__ = ["REGISTRY_VARIABLE", "open_registry"]

REGISTRY_VARIABLE = "SAGE_RPC_REGISTRY"
_ADVICE = (
    "expected local, etcd://HOST:PORT[,HOST:PORT][?prefix=/p&ttl=5], etcds://... or static:NAME=HOST:PORT;..."
)


def open_registry(location: str | None = None) -> ServiceRegistry:
    """The registry at `location` (None: `$SAGE_RPC_REGISTRY`, else "local").

    Raises:
        ValueError: it is no location.
        RegistryError: a TLS file cannot be read.
    """
    named = location if location is not None else os.environ.get(REGISTRY_VARIABLE, "")
    scheme, _, rest = named.partition(":")
    if named in ("", "local"):
        return LocalRegistry()
    if scheme == "static":
        return JoinedRegistry(LocalRegistry(), StaticRegistry(_addresses(rest, named)))
    if scheme in ("etcd", "etcds"):
        return JoinedRegistry(LocalRegistry(), _etcd(named))
    raise ValueError(f"{named!r} is no registry: {_ADVICE}")


def _addresses(text: str, named: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for part in filter(None, text.split(";")):
        name, equals, targets = part.partition("=")
        if not name or not equals or not targets:
            raise ValueError(f"{named!r} is no registry: {part!r} is not NAME=HOST:PORT[,HOST:PORT]")
        found.setdefault(name, []).extend(targets.split(","))
    return found


def _etcd(named: str) -> ServiceRegistry:
    # Imported late: most programs have no etcd.
    from sage_rpc.discovery.etcd import DEFAULT_PREFIX, DEFAULT_TTL, EtcdRegistry, EtcdTls

    parts = urlsplit(named)
    options = dict(parse_qsl(parts.query))
    members = [member if ":" in member else f"{member}:2379" for member in parts.netloc.split(",") if member]
    unknown = set(options) - {"prefix", "ttl", "ca", "cert", "key"}
    if unknown or not members:
        wrong = f"unknown option {min(unknown)!r}" if unknown else "it names no member"
        raise ValueError(f"{named!r} is no registry: {wrong}; {_ADVICE}")
    try:
        ttl = float(options.get("ttl", DEFAULT_TTL))
    except ValueError:
        raise ValueError(f"{named!r} is no registry: ttl is no number of seconds") from None
    tls = None
    if parts.scheme == "etcds":
        tls = EtcdTls(options.get("ca", ""), options.get("cert", ""), options.get("key", ""))
    return EtcdRegistry(members, prefix=options.get("prefix", DEFAULT_PREFIX), ttl=ttl, tls=tls)
