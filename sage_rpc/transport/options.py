"""Channel and server options: ours are taken out, grpc's are sorted by what the memory queue makes of them.

Rule: no option that gRPC's core honours is dropped. `OPTIONS` says of each what becomes of it, and
docs/compatibility.md repeats that table for people. What neither of them knows is left to gRPC's core, and
so are the calls.
"""

from __future__ import annotations

import enum
import logging
import os
from collections.abc import Callable, Sequence
from types import NoneType
from typing import TYPE_CHECKING, Any, NamedTuple

from sage_rpc.transport.backoff import LONGEST
from sage_rpc.transport.base import AUTO, GRPC, SHM, TRANSPORTS
from sage_rpc.transport.surroundings import hindrance

if TYPE_CHECKING:
    from sage_rpc.transport.service_config import ChannelConfig

__all__ = ["MESSAGE_LIMIT", "OPTIONS", "Fate", "Options", "message_options"]

_LOGGER = logging.getLogger("sage_rpc")
MESSAGE_LIMIT = 64 << 20  # bytes, between services: arrays are larger than gRPC's 4 MiB
_DEFAULT_MAX_METADATA = 16 * 1024  # gRPC's hard limit, bytes
_DEFAULT_MAX_RECEIVE = 4 * 1024 * 1024  # gRPC's own default, bytes
_DEFAULT_MAX_PENDING = 1000  # gRPC's own default of grpc.server.max_pending_requests
_DEFAULT_RETRY_BUFFER = 256 * 1024  # gRPC's own default, bytes
_NEVER_MS = (1 << 31) - 1  # what gRPC takes for "unlimited" where milliseconds are meant
_OF_THE_WIRE = ("grpc.http.", "grpc.http2.", "grpc.tcp_", "grpc.ssl_", "grpc.tsi.", "grpc.secure_endpoint.")
_USER_AGENTS = ("grpc.primary_user_agent", "grpc.secondary_user_agent")


def message_options(options: Sequence[tuple[str, Any]] | None) -> list[tuple[str, Any]]:
    """`options` with MESSAGE_LIMIT as the default limit in both directions."""
    given = list(options or ())
    names = {name for name, _ in given}
    limits = ("grpc.max_receive_message_length", "grpc.max_send_message_length")
    return [*given, *((name, MESSAGE_LIMIT) for name in limits if name not in names)]


class Fate(enum.Enum):
    """What becomes of an option where the memory queue could carry the calls."""

    HONOURED = "honoured"
    NOTHING = "nothing to do"
    GRPC = "over gRPC"


class _Option(NamedTuple):
    fate: Fate
    # Values that ask for nothing that the memory queue does not do.
    harmless: Callable[[Any], bool] = lambda _value: False

    def is_grpcs(self, value: Any) -> bool:
        """Whether an option of this kind sends the calls over gRPC."""
        return self.fate is Fate.GRPC and not self.harmless(value)


def _off(value: Any) -> bool:
    return not value


def _on(value: Any) -> bool:
    return bool(value)


def _never(value: Any) -> bool:
    return isinstance(value, int) and value >= _NEVER_MS


_HONOURED, _NOTHING, _GRPC = _Option(Fate.HONOURED), _Option(Fate.NOTHING), _Option(Fate.GRPC)

OPTIONS: dict[str, _Option] = {
    "grpc.absolute_max_metadata_size": _HONOURED,
    "grpc.enable_retries": _HONOURED,
    "grpc.max_metadata_size": _HONOURED,
    "grpc.max_receive_message_length": _HONOURED,
    "grpc.max_reconnect_backoff_ms": _HONOURED,
    "grpc.max_send_message_length": _HONOURED,
    "grpc.per_rpc_retry_buffer_size": _HONOURED,
    "grpc.primary_user_agent": _HONOURED,
    "grpc.secondary_user_agent": _HONOURED,
    "grpc.service_config": _HONOURED,
    "grpc.use_local_subchannel_pool": _HONOURED,
    # What the one address is that gRPC binds; the memory queue is published for what was bound.
    "grpc.expand_wildcard_addrs": _HONOURED,
    "grpc.so_reuseport": _HONOURED,
    # What gRPC's core alone does.
    "grpc.address_http_proxy": _GRPC,
    "grpc.authorization_policy_provider": _GRPC,
    "grpc.census": _Option(Fate.GRPC, _off),
    "grpc.client_idle_timeout_ms": _Option(Fate.GRPC, _never),
    "grpc.dns_enable_srv_queries": _Option(Fate.GRPC, _off),
    "grpc.event_engine_use_memory_allocator_factory": _GRPC,
    "grpc.experimental.stats_plugins": _GRPC,
    "grpc.http_proxy": _Option(Fate.GRPC, _off),
    "grpc.lb_policy_name": _Option(Fate.GRPC, lambda value: _as_text(value) in ("", "pick_first")),
    "grpc.loadreporting": _Option(Fate.GRPC, _off),
    "grpc.max_allowed_incoming_connections": _Option(Fate.GRPC, _never),
    "grpc.max_concurrent_streams": _Option(Fate.GRPC, _never),
    "grpc.max_connection_age_grace_ms": _Option(Fate.GRPC, _never),
    "grpc.max_connection_age_ms": _Option(Fate.GRPC, _never),
    "grpc.max_connection_idle_ms": _Option(Fate.GRPC, _never),
    "grpc.minimal_stack": _Option(Fate.GRPC, _off),
    "grpc.resource_quota": _GRPC,
    "grpc.server.max_pending_requests": _Option(
        Fate.GRPC, lambda value: isinstance(value, int) and value >= _DEFAULT_MAX_PENDING
    ),
    "grpc.server.max_pending_requests_hard_limit": _Option(
        Fate.GRPC, lambda value: isinstance(value, int) and value >= _DEFAULT_MAX_PENDING
    ),
    "grpc.server_call_metric_recording": _Option(Fate.GRPC, _off),
    "grpc.service_config_disable_resolution": _Option(Fate.GRPC, _on),
    "grpc.socket_factory": _GRPC,
    "grpc.socket_mutator": _GRPC,
    "grpc.surface_user_agent": _Option(Fate.GRPC, _on),
    # The state and the pace of gRPC's connections, TLS, HTTP/2, TCP, DNS, and what balances over many
    # addresses: the memory queue, from one process of this host to another, has none of it.
    "SingleThreadedUnaryStream": _NOTHING,
    "grpc.TEST_ONLY_DO_NOT_USE_IN_PROD.xds_bootstrap_config": _NOTHING,
    "grpc.address_http_proxy_enabled_addresses": _NOTHING,
    "grpc.channel_id": _NOTHING,
    "grpc.channel_pooling_domain": _NOTHING,
    "grpc.compression_enabled_algorithms_bitset": _NOTHING,
    "grpc.default_authority": _NOTHING,
    "grpc.default_compression_algorithm": _NOTHING,
    "grpc.default_compression_level": _NOTHING,
    "grpc.disable_client_authority_filter": _NOTHING,
    "grpc.dns_ares_query_timeout": _NOTHING,
    "grpc.dns_min_time_between_resolutions_ms": _NOTHING,
    "grpc.dscp": _NOTHING,
    "grpc.enable_channelz": _NOTHING,
    "grpc.enable_http_proxy": _NOTHING,
    "grpc.experimental.enable_hedging": _NOTHING,
    "grpc.experimental.grpclb_channel_args": _NOTHING,
    "grpc.experimental.http2.enable_preferred_frame_size": _NOTHING,
    "grpc.experimental.server_config_change_drain_grace_time_ms": _NOTHING,
    "grpc.experimental.tcp_max_read_chunk_size": _NOTHING,
    "grpc.experimental.tcp_min_read_chunk_size": _NOTHING,
    "grpc.experimental.tcp_read_chunk_size": _NOTHING,
    "grpc.experimental.tcp_tx_zerocopy_enabled": _NOTHING,
    "grpc.experimental.tcp_tx_zerocopy_max_simultaneous_sends": _NOTHING,
    "grpc.experimental.tcp_tx_zerocopy_send_bytes_threshold": _NOTHING,
    "grpc.grpclb_call_timeout_ms": _NOTHING,
    "grpc.grpclb_fallback_timeout_ms": _NOTHING,
    "grpc.happy_eyeballs_connection_attempt_delay_ms": _NOTHING,
    "grpc.http2.bdp_probe": _NOTHING,
    "grpc.http2.hpack_table_size.decoder": _NOTHING,
    "grpc.http2.hpack_table_size.encoder": _NOTHING,
    "grpc.http2.initial_sequence_number": _NOTHING,
    "grpc.http2.lookahead_bytes": _NOTHING,
    "grpc.http2.max_frame_size": _NOTHING,
    "grpc.http2.max_ping_strikes": _NOTHING,
    "grpc.http2.max_pings_without_data": _NOTHING,
    "grpc.http2.min_ping_interval_without_data_ms": _NOTHING,
    "grpc.http2.min_time_between_pings_ms": _NOTHING,
    "grpc.http2.true_binary": _NOTHING,
    "grpc.http2.write_buffer_size": _NOTHING,
    "grpc.http2_scheme": _NOTHING,
    "grpc.inhibit_health_checking": _NOTHING,
    "grpc.initial_reconnect_backoff_ms": _NOTHING,
    "grpc.keepalive_permit_without_calls": _NOTHING,
    "grpc.keepalive_time_ms": _NOTHING,
    "grpc.keepalive_timeout_ms": _NOTHING,
    "grpc.lb.ring_hash.ring_size_cap": _NOTHING,
    "grpc.max_channel_trace_event_memory_per_node": _NOTHING,
    "grpc.min_reconnect_backoff_ms": _NOTHING,
    "grpc.mobile_log_context": _NOTHING,
    "grpc.optimization_target": _NOTHING,
    "grpc.per_message_compression": _NOTHING,
    "grpc.per_message_decompression": _NOTHING,
    "grpc.priority_failover_timeout_ms": _NOTHING,
    "grpc.security_frame_allowed": _NOTHING,
    "grpc.server_handshake_timeout_ms": _NOTHING,
    "grpc.server_max_unrequested_time_in_server": _NOTHING,
    "grpc.ssl_session_cache": _NOTHING,
    "grpc.ssl_target_name_override": _NOTHING,
    "grpc.tcp_receive_buffer_size": _NOTHING,
    "grpc.tsi.max_frame_size": _NOTHING,
    "grpc.use_cronet_packet_coalescing": _NOTHING,
    "grpc.workaround.cronet_compression": _NOTHING,
}


class Options:
    """The options of one channel or server. Names and values may be bytes, as grpcio takes them.

    Attributes:
        grpc: what goes on to grpcio.
        transport: "auto", "shm" or "grpc"; the option wins over `SAGE_RPC_TRANSPORT`.
        over_grpc: why gRPC must carry the calls, "" if nothing here demands that.
        ring_bytes: size of each ring of a memory connection, in bytes.
        max_receive: largest message accepted, in bytes; -1 for any.
        max_send: largest message sent, in bytes; -1 for any.
        max_metadata: most metadata accepted of one kind in one call, in bytes.
        user_agent_before: what the user-agent says before gRPC's own text, in order; str.
        user_agent_after: what it says after that.
        longest_pause: between two attempts to reach a server that is awaited, in seconds at most.
        service_config: what gRPC's service config says of methods, or None.

    Raises:
        ValueError: an option of ours has a value that is not allowed, or options are no pairs.
        TypeError: gRPC takes no such name or value.
        OverflowError: a number is larger than gRPC takes.
    """

    def __init__(self, options: Sequence[tuple[str, Any]] | None, default_ring_bytes: int) -> None:
        ours: dict[str, Any] = {}
        self.grpc: list[tuple[str, Any]] = []
        self.over_grpc = ""
        self.max_receive = _DEFAULT_MAX_RECEIVE
        self.max_send = -1
        self.max_metadata = _DEFAULT_MAX_METADATA
        self.user_agent_before: list[str] = []
        self.user_agent_after: list[str] = []
        self.longest_pause = LONGEST
        self.service_config: ChannelConfig | None = None
        config: Any = None
        retries, retry_buffer = True, _DEFAULT_RETRY_BUFFER
        for given, value in options or ():
            name = _as_text(given)
            if isinstance(name, str) and name.startswith("sage_rpc."):
                ours[name] = _as_text(value)
                continue
            self.grpc.append((given, value))
            _check(given, value)
            if not isinstance(name, str):
                continue
            option = OPTIONS.get(name)
            if _unknown(name) if option is None else option.is_grpcs(value):
                self.over_grpc = f"the option {name} is gRPC's core's to honour"
            if name in _USER_AGENTS and value and isinstance(value, (str, bytes)):
                (self.user_agent_before if name == _USER_AGENTS[0] else self.user_agent_after).append(
                    _as_text(value)
                )
            elif name == "grpc.service_config":
                config = value
            if not isinstance(value, int):
                continue  # gRPC, too, makes nothing of a limit that is no number
            if name == "grpc.max_receive_message_length":
                self.max_receive = value if value >= 0 else -1
            elif name == "grpc.max_send_message_length":
                self.max_send = value if value >= 0 else -1
            elif name == "grpc.max_metadata_size":  # the soft limit; the hard one is a quarter above
                self.max_metadata = max(self.max_metadata, value * 5 // 4)
            elif name == "grpc.absolute_max_metadata_size":
                self.max_metadata = max(self.max_metadata, value)
            elif name == "grpc.max_reconnect_backoff_ms":
                self.longest_pause = min(LONGEST, max(value, 1) / 1000)
            elif name == "grpc.enable_retries":
                retries = bool(value)
            elif name == "grpc.per_rpc_retry_buffer_size":
                retry_buffer = max(0, value)
        if isinstance(config, (str, bytes)):
            try:
                from sage_rpc.transport.service_config import ChannelConfig  # most programs have none

                self.service_config = ChannelConfig(config, retries=retries, retry_buffer=retry_buffer)
            except ValueError as error:  # what it means, and whether it is one, is gRPC's to say
                self.over_grpc = f"grpc.service_config is gRPC's core's to carry out: {error}"
        source = "the option sage_rpc.transport"
        transport = ours.pop("sage_rpc.transport", None)
        if transport is None:
            source = "the environment variable SAGE_RPC_TRANSPORT"
            transport = os.environ.get("SAGE_RPC_TRANSPORT") or AUTO
        if transport not in TRANSPORTS:
            raise ValueError(f"{source} is {transport!r}: expected one of {', '.join(TRANSPORTS)}")
        hindered = hindrance()
        if hindered:
            if transport == SHM:
                _LOGGER.warning("%s asks for shm, and gets gRPC: %s", source, hindered)
            self.over_grpc = hindered
            transport = GRPC if transport == GRPC else AUTO
        self.transport: str = transport
        self.ring_bytes: int = ours.pop("sage_rpc.ring_bytes", default_ring_bytes)
        if (
            not isinstance(self.ring_bytes, int)
            or not 1 << 16 <= self.ring_bytes <= 1 << 28
            or self.ring_bytes & (self.ring_bytes - 1)
        ):
            raise ValueError(
                f"sage_rpc.ring_bytes is {self.ring_bytes!r}: expected a power of two from 65536 to 2**28"
            )
        if ours:
            raise ValueError(
                f"unknown option {next(iter(ours))!r}; known: sage_rpc.transport, sage_rpc.ring_bytes"
            )


def _unknown(name: str) -> bool:
    """Whether an option that is not in the table may mean more to gRPC's core than bytes on a wire."""
    return name.startswith("grpc.") and not name.startswith(_OF_THE_WIRE)


def _as_text(value: Any) -> Any:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _check(name: Any, value: Any) -> None:
    """What grpcio checks when it makes a channel, which ours may do much later or not at all."""
    if not isinstance(name, (str, bytes, NoneType)):
        raise TypeError(f"an option's name must be str, not {type(name).__name__}: {name!r}")
    if isinstance(value, int):
        if not -(1 << 31) <= value < 1 << 31:
            raise OverflowError(f"the option {name!r} is {value}: expected a number of 32 bits")
    elif not isinstance(value, (str, bytes)) and not hasattr(value, "__int__"):
        raise TypeError(f"the option {name!r} is {value!r}: expected int, str or bytes")
