"""The registry of many hosts: etcd, by its gRPC API.

Theory of operation. Every endpoint is a key, PREFIX/SERVICE/ID, whose value is the endpoint as JSON. The keys
of one process hang on one lease, which a thread keeps alive: when the process or its host is gone, etcd
removes them. Another thread watches the prefix: it reads everything, then follows changes from that revision
on; when the stream breaks it does the same again, at another member if there are several.

1. An outage of etcd takes nothing from anybody: callers keep what they know, owners register anew when
   etcd is back and has forgotten them.
2. After an outage etcd may have forgotten endpoints that live and have not come back to it yet. So what is
   missing then is kept for LINGER seconds more.
3. Death of TCP connections that nobody closes (a cut cable) is found by HTTP/2 pings, and by deadlines.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

from sage_rpc.discovery.endpoint import Endpoint, Health, ServiceInfo, group_by_service
from sage_rpc.discovery.registry import Registration, RegistryError, ServiceRegistry, State, Watch, Watchers
from sage_rpc.proto.v1 import etcd_pb2 as pb
from sage_rpc.transport import grpc as stock
from sage_rpc.transport.backoff import Backoff

__all__ = ["EtcdRegistry", "EtcdTls"]

_LOGGER = logging.getLogger("sage_rpc")
DEFAULT_PREFIX = "/sage-rpc"
DEFAULT_TTL = 5.0  # seconds
LINGER = 1.0  # seconds
_CALL_SECONDS = 2.0
_CHANNEL_OPTIONS = (
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 500),
    # Channels to one address share connections in grpcio, and a failing one's backoff, unless told not to.
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.keepalive_time_ms", 5000),  # etcd refuses more frequent pings
    ("grpc.keepalive_timeout_ms", 1500),
    ("grpc.enable_http_proxy", 0),
)


@dataclass(frozen=True)
class EtcdTls:
    """Files (PEM) for TLS to etcd.

    Attributes:
        ca: certificates that etcd's is signed with; "" for the system's.
        cert: this client's certificate; "" for none.
        key: its key.
    """

    ca: str = ""
    cert: str = ""
    key: str = ""

    def credentials(self) -> grpc.ChannelCredentials:
        """As gRPC wants them.

        Raises:
            RegistryError: a file cannot be read.
        """
        try:
            ca, key, cert = (Path(p).read_bytes() if p else None for p in (self.ca, self.key, self.cert))
        except OSError as error:
            raise RegistryError(f"TLS to etcd: cannot read {error.filename}: {error.strerror}") from error
        return grpc.ssl_channel_credentials(ca, key, cert)


class _Client:
    """etcd's methods; the members are tried in turn."""

    def __init__(self, members: Sequence[str], tls: EtcdTls | None) -> None:
        self._members = list(members)
        self._tls = tls
        self._credentials = tls.credentials() if tls is not None else None
        self._lock = threading.Lock()  # guards _channel and _member
        self._member = 0
        self._channel: grpc.Channel | None = None
        self._closed = False

    @property
    def where(self) -> str:
        return f"etcd at {', '.join(self._members)}"

    def call(self, method: str, request: Any, response: Any, timeout: float = _CALL_SECONDS) -> Any:
        """One unary call.

        Raises:
            RegistryError: no member answers, or etcd refuses.
        """
        error: grpc.RpcError | None = None
        for _ in self._members:
            channel = self.channel()
            try:
                return channel.unary_unary(method, type(request).SerializeToString, response.FromString)(
                    request, timeout=timeout
                )
            except grpc.RpcError as found:
                error = found
                self.failed(channel)
        assert error is not None  # noqa: S101 - there is at least one member
        raise RegistryError(f"{self.where}: {error.code().name}: {error.details()}") from error

    def watch(self, requests: Iterator[Any]) -> Any:
        """Etcd's stream of changes."""
        return self.channel().stream_stream(
            "/etcdserverpb.Watch/Watch", pb.WatchRequest.SerializeToString, pb.WatchResponse.FromString
        )(requests)

    def channel(self) -> grpc.Channel:
        with self._lock:
            if self._closed:
                raise RegistryError(f"{self.where}: the registry is closed")
            if self._channel is None:
                member = self._members[self._member % len(self._members)]
                self._channel = (
                    stock.insecure_channel(member, _CHANNEL_OPTIONS)
                    if self._credentials is None
                    else stock.secure_channel(member, self._credentials, _CHANNEL_OPTIONS)
                )
            return self._channel

    def failed(self, channel: grpc.Channel) -> None:
        """Go on with the next member."""
        with self._lock:
            if self._channel is channel and len(self._members) > 1:
                self._member += 1
                self._channel = None
                # Calls of other threads end on the old one; it closes when nobody holds it.

    def close(self) -> None:
        with self._lock:
            self._closed = True
            channel, self._channel = self._channel, None
        if channel is not None:
            channel.close()


class EtcdRegistry(ServiceRegistry):
    """Endpoints in etcd.

    Args:
        members: "host:port" of etcd's client URLs.
        prefix: of the keys.
        ttl: seconds until etcd forgets a process that is gone; etcd gives no less than 2.
        tls: files for TLS; None for plain TCP.

    Raises:
        ValueError: there is no member.
        RegistryError: a TLS file cannot be read.
    """

    news_seconds = _CALL_SECONDS

    def __init__(
        self,
        members: Sequence[str],
        *,
        prefix: str = DEFAULT_PREFIX,
        ttl: float = DEFAULT_TTL,
        tls: EtcdTls | None = None,
    ) -> None:
        if not members:
            raise ValueError("etcd needs at least one member's host:port")
        self._members = tuple(members)
        self._prefix = prefix.rstrip("/")
        self._ttl = ttl
        self._tls = tls
        self._begin()
        _registries.add(self)

    def _begin(self) -> None:
        self._client = _Client(self._members, self._tls)
        self._watchers = Watchers()
        self._lock = threading.Lock()  # guards _lease and _follower
        self._lease: _Lease | None = None
        self._follower: _Follower | None = None

    def register_service(self, endpoint: Endpoint) -> Registration:
        """Put the endpoint into etcd, now or as soon as etcd can be reached.

        An outage is no error: it is logged once, and the endpoint registers when it is over.
        """
        with self._lock:
            if self._lease is None:
                self._lease = _Lease(self._client, self._ttl)
            lease = self._lease
        key = f"{self._prefix}/{endpoint.service}/{endpoint.id}".encode()
        return _Key(lease, key, endpoint)

    def discover_services(self) -> dict[str, ServiceInfo]:
        """What etcd knows; while it cannot be reached, what a watch here has learnt before.

        Raises:
            RegistryError: etcd cannot be reached and nothing is known.
        """
        follower = self._follower
        try:
            return group_by_service(read_all(self._client, self._prefix)[0].values())
        except RegistryError:
            if follower is not None and follower.informed:
                return group_by_service(follower.endpoints().values())
            raise

    def watch(self, callback: Callable[[State], None]) -> Watch:
        """Tell `callback` the whole state as soon as etcd has been read, and after every change."""
        watch = self._watchers.add(callback)
        with self._lock:
            if self._follower is None:
                self._follower = _Follower(self._client, self._prefix, self._watchers)
            else:
                self._follower.tell_again()
        return watch

    def close(self) -> None:
        """Give the lease back, and end threads and connections."""
        with self._lock:
            lease, self._lease = self._lease, None
            follower, self._follower = self._follower, None
        if lease is not None:
            lease.close()
        if follower is not None:
            follower.close()
        self._client.close()

    def __repr__(self) -> str:
        return f"<EtcdRegistry {', '.join(self._members)}{self._prefix}>"


_registries: weakref.WeakSet[EtcdRegistry] = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for registry in list(_registries):
        registry._begin()  # threads, connections and the lease are the parent's


os.register_at_fork(after_in_child=_after_fork_in_child)


def read_all(client: _Client, prefix: str) -> tuple[dict[bytes, Endpoint], int]:
    """Every endpoint by its key, and the revision that this was true at."""
    begin, end = _range(prefix)
    answer = client.call(
        "/etcdserverpb.KV/Range", pb.RangeRequest(key=begin, range_end=end), pb.RangeResponse
    )
    found = {kv.key: _endpoint(kv) for kv in answer.kvs}
    return {key: e for key, e in found.items() if e is not None}, answer.header.revision


def _range(prefix: str) -> tuple[bytes, bytes]:
    begin = f"{prefix}/".encode()
    return begin, begin[:-1] + bytes([begin[-1] + 1])


def _endpoint(kv: pb.KeyValue) -> Endpoint | None:
    try:
        return Endpoint.from_json(kv.value)
    except ValueError as error:
        _LOGGER.warning("etcd's key %s is passed over: %s", kv.key.decode("utf-8", "replace"), error)
        return None


class _Key(Registration):
    """A key on the process's lease."""

    def __init__(self, lease: _Lease, key: bytes, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._lease = lease
        self._key = key
        lease.put(key, endpoint.to_json().encode())

    def update(self, health: Health, metadata: Mapping[str, str] | None = None) -> None:
        self.endpoint = self.endpoint.now(health, metadata)
        self._lease.put(self._key, self.endpoint.to_json().encode())

    def close(self) -> None:
        self._lease.delete(self._key)


class _Lease:
    """This process's lease, its keys, and the thread that keeps both alive."""

    def __init__(self, client: _Client, ttl: float) -> None:
        self._client = client
        self._ttl = max(1, round(ttl))
        self._changed = threading.Condition()  # guards everything below
        self._wanted: dict[bytes, bytes] = {}
        self._put: dict[bytes, bytes] = {}  # what etcd has, as far as we know
        self._id = 0
        self._closing = False
        self._failed = False
        self._thread = threading.Thread(target=self._run, name="sage_rpc etcd lease", daemon=True)
        self._thread.start()

    def put(self, key: bytes, value: bytes) -> None:
        """Have `key` in etcd; waits a little for it, so that what is registered is usually found at once."""
        with self._changed:
            self._wanted[key] = value
            self._wait_for(lambda: self._put.get(key) == value)

    def delete(self, key: bytes) -> None:
        """Have `key` no more."""
        with self._changed:
            if self._wanted.pop(key, None) is not None:
                self._wait_for(lambda: key not in self._put)

    def _wait_for(self, done: Callable[[], bool]) -> None:
        self._changed.notify_all()
        self._changed.wait_for(lambda: done() or self._failed or self._closing, _CALL_SECONDS)

    def close(self) -> None:
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._thread is not threading.current_thread():
            self._thread.join(2 * _CALL_SECONDS)
        if self._id:
            request = pb.LeaseRevokeRequest(id=self._id)
            try:
                self._client.call("/etcdserverpb.Lease/LeaseRevoke", request, pb.LeaseRevokeResponse, 1.0)
            except RegistryError:
                return  # it expires

    def _run(self) -> None:
        backoff = Backoff()
        keep_at = 0.0
        while True:
            with self._changed:
                if self._closing:
                    return
                todo = dict(self._wanted)
            try:
                if time.monotonic() >= keep_at:
                    self._keep()
                    keep_at = time.monotonic() + self._ttl / 3
                self._write(todo)
            except RegistryError as error:
                with self._changed:
                    if not self._failed:
                        _LOGGER.warning("cannot register for now: %s", error)
                    self._failed = True
                    self._changed.notify_all()
                    self._changed.wait_for(lambda: self._closing, backoff.next())
                keep_at = 0.0
                continue
            backoff.reset()
            with self._changed:
                if self._failed:
                    _LOGGER.info("registered again with %s", self._client.where)
                self._failed = False
                self._changed.notify_all()
                self._changed.wait_for(
                    lambda: self._closing or self._wanted != self._put, max(0.0, keep_at - time.monotonic())
                )

    def _keep(self) -> None:
        """Have a lease that lives."""
        if self._id:
            channel = self._client.channel()
            try:
                stream = channel.stream_stream(
                    "/etcdserverpb.Lease/LeaseKeepAlive",
                    pb.LeaseKeepAliveRequest.SerializeToString,
                    pb.LeaseKeepAliveResponse.FromString,
                )(iter([pb.LeaseKeepAliveRequest(id=self._id)]), timeout=_CALL_SECONDS)
                left = next(stream).ttl
                stream.cancel()
            except (grpc.RpcError, StopIteration) as error:
                self._client.failed(channel)
                reason = _reason(error) if isinstance(error, grpc.RpcError) else "no answer"
                raise RegistryError(f"{self._client.where}: {reason}") from error
            if left > 0:
                return
            _LOGGER.warning(
                "the lease of this process has expired in %s: registering anew", self._client.where
            )
        request = pb.LeaseGrantRequest(ttl=self._ttl)
        self._id = self._client.call("/etcdserverpb.Lease/LeaseGrant", request, pb.LeaseGrantResponse).id
        with self._changed:
            self._put.clear()

    def _write(self, todo: dict[bytes, bytes]) -> None:
        for key, value in todo.items():
            if self._put.get(key) != value:
                request = pb.PutRequest(key=key, value=value, lease=self._id)
                self._client.call("/etcdserverpb.KV/Put", request, pb.PutResponse)
                with self._changed:
                    self._put[key] = value
                    self._changed.notify_all()
        for key in [key for key in self._put if key not in todo]:
            self._client.call(
                "/etcdserverpb.KV/DeleteRange", pb.DeleteRangeRequest(key=key), pb.DeleteRangeResponse
            )
            with self._changed:
                del self._put[key]
                self._changed.notify_all()


class _Follower:
    """The thread that follows the prefix."""

    def __init__(self, client: _Client, prefix: str, watchers: Watchers) -> None:
        self._client = client
        self._prefix = prefix
        self._watchers = watchers
        self._changed = threading.Condition()  # guards what the two threads share
        self._known: dict[bytes, Endpoint] = {}
        self._lingering: dict[bytes, Endpoint] = {}
        self._linger_until = 0.0
        self._news = False
        self._closing = False
        self._stream: Any = None
        self._backoff, self._complained = Backoff(), False  # the first thread's own
        self.informed = False
        threading.Thread(target=self._run, name="sage_rpc etcd watch", daemon=True).start()
        threading.Thread(target=self._tell, name="sage_rpc etcd watchers", daemon=True).start()

    def endpoints(self) -> dict[bytes, Endpoint]:
        """What is known now."""
        with self._changed:
            return {**self._lingering, **self._known}

    def tell_again(self) -> None:
        """Tell the state once more: somebody new listens."""
        with self._changed:
            self._news = True
            self._changed.notify_all()

    def close(self) -> None:
        with self._changed:
            self._closing = True
            stream = self._stream
            self._changed.notify_all()
        if stream is not None:
            stream.cancel()

    def _tell(self) -> None:
        """Call the watchers, and drop what lingers when its time is over."""
        while True:
            with self._changed:
                left = self._linger_until - time.monotonic() if self._lingering else None
                self._changed.wait_for(lambda: self._closing or (self._news and self.informed), left)
                if self._closing:
                    return
                if self._lingering and time.monotonic() >= self._linger_until:
                    self._lingering.clear()
                elif not self._news:
                    continue
                self._news = False
                state = group_by_service({**self._lingering, **self._known}.values())
            self._watchers.tell(state)

    def _run(self) -> None:
        while not self._over():
            try:
                self._follow()
            except (RegistryError, grpc.RpcError) as error:
                if self._over():
                    return
                if not self._complained:
                    _LOGGER.warning("services are as last known for now: %s", _reason(error))
                self._complained = True
                with self._changed:
                    self._changed.wait_for(lambda: self._closing, self._backoff.next())

    def _over(self) -> bool:
        with self._changed:
            return self._closing

    def _follow(self) -> None:
        """Read everything, then take in changes until the stream breaks."""
        found, revision = read_all(self._client, self._prefix)
        if self._complained:
            _LOGGER.info("services are known again from %s", self._client.where)
        self._backoff.reset()
        self._complained = False
        with self._changed:
            gone = {key: e for key, e in self._known.items() if key not in found}
            self._lingering = gone
            self._linger_until = time.monotonic() + LINGER
            self._known = found
            self.informed = self._news = True
            self._changed.notify_all()
        begin, end = _range(self._prefix)
        request = pb.WatchCreateRequest(
            key=begin, range_end=end, start_revision=revision + 1, progress_notify=True
        )
        over = threading.Event()
        channel = self._client.channel()
        stream = self._client.watch(_once_and_wait(pb.WatchRequest(create_request=request), over))
        with self._changed:
            self._stream = stream
            if self._closing:
                stream.cancel()
        try:
            for response in stream:
                if response.canceled:  # compacted meanwhile, or the member is leaving: read everything anew
                    return
                if response.events:
                    self._take(response.events)
        except grpc.RpcError:
            self._client.failed(channel)
            raise
        finally:
            over.set()
            stream.cancel()

    def _take(self, events: Sequence[pb.Event]) -> None:
        with self._changed:
            for event in events:
                key = event.kv.key
                self._lingering.pop(key, None)
                endpoint = None if event.type == pb.Event.DELETE else _endpoint(event.kv)
                if endpoint is None:
                    self._known.pop(key, None)
                else:
                    self._known[key] = endpoint
            self._news = True
            self._changed.notify_all()


def _once_and_wait(request: pb.WatchRequest, over: threading.Event) -> Iterator[pb.WatchRequest]:
    """A stream of requests that stays open until it is over: etcd ends the watch with it."""
    yield request
    over.wait()


def _reason(error: Exception) -> str:
    if isinstance(error, grpc.RpcError):
        return f"{error.code().name}: {error.details()}"
    return str(error)
