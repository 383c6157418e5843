"""The pool of a service: its endpoints, their connections, and which of them may take calls.

Theory of operation. An endpoint is usable unless it is *ejected* (its calls failed) or *sick* (it says itself
that it is not serving). What is usable is a tuple that is made anew at each change, so that choosing costs
little; where nothing is usable, everything is, and the calls say what is wrong. An endpoint of this host
comes before those of others.

- Failures in a row eject an endpoint; one that refused the connection is ejected at once.
- A prober thread exists while endpoints are ejected, or a HealthPolicy wants them asked. It asks by
    grpc.health.v1; an
  endpoint that answers at all, even UNIMPLEMENTED, is back. Where it had answered with failures, it stays
  away for a while that grows; where it was gone or hung, it is back with the first answer.

Deciding happens under the lock, I/O outside of it.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import grpc

from sage_rpc import errors
from sage_rpc.encoding.buffers import head
from sage_rpc.endpoints.balancing import balancer
from sage_rpc.policies.sending import Metadata, Pending, Routed, never_ran, outcome
from sage_rpc.policies.settings import PoolPolicy
from sage_rpc.policies.timer import timer
from sage_rpc.rpc.channel import Channel
from sage_rpc.transport.shm.rendezvous import UnreachableError, place_of_target

__all__ = ["Endpoint", "Pool", "Pooled"]

_LOGGER = logging.getLogger("sage_rpc")
_PAUSE_AFTER_TROUBLE = 1.0  # seconds
_CHECK = "/grpc.health.v1.Health/Check"
_SERVING = b"\x08\x01"  # HealthCheckResponse(status=SERVING)
_STUCK = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED})
_GOES_ON = frozenset({grpc.StatusCode.CANCELLED})  # says nothing about the endpoint


class Endpoint:
    """One address of a service.

    Attributes:
        target: the address.
        outstanding: calls under way.
        ejected: whether calls avoid it because they failed.
        sick: whether it says that it is not serving.
    """

    def __init__(self, target: str, open_channel: Callable[[str], Channel]) -> None:
        self.target = target
        self._open = open_channel
        self._channel: Channel | None = None
        self._local: bool | None = None
        self._lock = threading.Lock()  # guards _channel and callables
        self.callables: dict[str, Any] = {}
        self.outstanding = 0
        self.failed_in_a_row = 0
        self.ejections = 0
        self.ejected = False
        self.back_at = 0.0
        self.sick = False
        self.used_at = time.monotonic()

    @property
    def channel(self) -> Channel:
        """Its connection; opened where there is none."""
        channel = self._channel
        if channel is None:
            with self._lock:
                channel = self._channel
                if channel is None:
                    channel = self._channel = self._open(self.target)
        return channel

    @property
    def transport(self) -> str:
        """What carries its calls now: "shm", "grpc", or "idle"."""
        channel = self._channel
        return "idle" if channel is None else channel.transport

    @property
    def local(self) -> bool:
        """Whether it is on this host."""
        if self._local is None:
            try:
                place_of_target(self.target)
            except (UnreachableError, OSError, ValueError):
                self._local = False
            else:
                self._local = True
        return self._local

    def unary(self, path: str, serializer: Any, deserializer: Any) -> Any:
        """The multicallable of a method."""
        channel = self.channel
        with self._lock:
            found = self.callables.get(path)
            if found is None:
                found = channel.unary_unary(
                    path, request_serializer=serializer, response_deserializer=deserializer
                )
                self.callables[path] = found
        return found

    def release(self) -> None:
        """Let go of the connection: calls under way finish, the next one opens another."""
        with self._lock:
            self._channel = None
            self.callables = {}

    def close(self) -> None:
        """Close the connection, and end the calls under way with CANCELLED."""
        with self._lock:
            channel, self._channel = self._channel, None
            self.callables = {}
        if channel is not None:
            channel.close()

    def forget_parent(self) -> None:
        """In a forked child."""
        self._lock = threading.Lock()
        self.outstanding = 0

    def __repr__(self) -> str:
        state = "ejected" if self.ejected else "sick" if self.sick else "usable"
        return f"<Endpoint {self.target} {self.transport}, {state}, {self.outstanding} calls under way>"


class Pool:
    """The endpoints of one service.

    Args:
        service: its name, for errors.
        targets: addresses; none is an error of each call.
        policy: which endpoint takes a call.
        open_channel: makes the channel of a target.
        asked: whom health is asked about: full name of a declared service, name of a plain class.
    """

    def __init__(
        self,
        service: str,
        targets: Sequence[str],
        policy: PoolPolicy,
        open_channel: Callable[[str], Channel],
        asked: str,
    ) -> None:
        self.service = service
        self.policy = policy
        self._open = open_channel
        self._balance = balancer(policy.balancing)
        health = policy.health
        name = asked if health is None or health.service_name is None else health.service_name
        encoded = name.encode()
        self._question = head(1, len(encoded)) + encoded if encoded else b""  # HealthCheckRequest
        self._lock = threading.Lock()  # guards everything below, and the counters of the endpoints
        self._wake = threading.Condition(self._lock)
        self.endpoints: tuple[Endpoint, ...] = ()
        self._usable: tuple[Endpoint, ...] = ()
        self._probing = False
        self._closed = False
        self._sweeping = False
        _pools.add(self)
        self.update(targets)

    def update(self, targets: Sequence[str]) -> None:
        """The service is at these addresses from now on; calls under way elsewhere go on."""
        with self._lock:
            known = {endpoint.target: endpoint for endpoint in self.endpoints}
            self.endpoints = tuple(
                known.get(target) or Endpoint(target, self._open) for target in dict.fromkeys(targets)
            )
            gone = [endpoint for endpoint in known.values() if endpoint not in self.endpoints]
            self._choose()
            self._probe_if_needed()
        for endpoint in gone:
            endpoint.release()
        if self.policy.warm_up:
            threading.Thread(
                target=self._warm_up, args=(self.endpoints,), name="sage_rpc warm-up", daemon=True
            ).start()
        self._sweep_if_needed()

    def _choose(self) -> None:
        """Make `_usable` anew. The lock is held."""
        usable = [e for e in self.endpoints if not e.ejected and not e.sick]
        usable = usable or [e for e in self.endpoints if not e.ejected] or list(self.endpoints)
        if self.policy.prefer_local and len(usable) > 1:
            usable = [e for e in usable if e.local] or usable
        self._usable = tuple(usable)

    @property
    def alone(self) -> Endpoint | None:
        """The only endpoint, where nothing has to be chosen, watched or expired."""
        if len(self.endpoints) == 1 and self.policy.idle_after is None and self.policy.health is None:
            return self.endpoints[0]
        return None

    @property
    def transport(self) -> str:
        """What carries calls to the endpoints that take some: "shm", "grpc", "mixed", or "idle"."""
        found = {endpoint.transport for endpoint in self._usable} - {"idle"}
        return found.pop() if len(found) == 1 else "mixed" if found else "idle"

    # -- calls

    def take(self, key: Any) -> Endpoint:
        """The endpoint of the next call, which must be given back.

        Raises:
            Unavailable: there is none at all.
        """
        with self._lock:
            usable = self._usable
            if not usable:
                raise errors.rpc_error(
                    grpc.StatusCode.UNAVAILABLE,
                    f"the service {self.service!r} has no endpoint now: connection refused",
                )
            endpoint = usable[0] if len(usable) == 1 else self._balance(usable, key)
            endpoint.outstanding += 1
            return endpoint

    def place_of(self, key: Any) -> str | None:
        """The address where a call with that key goes now, where the balancing goes by keys."""
        if type(key) is Routed:
            key = key.key
        with self._lock:
            return self._balance(self._usable, key).target if self._usable else None

    @property
    def by_keys(self) -> bool:
        """Whether calls with other keys go elsewhere."""
        return self.policy.balancing == "consistent_hash" and self.alone is None

    def give_back(self, endpoint: Endpoint, error: errors.RpcError | None) -> None:
        """A call has ended, with `error` or well."""
        outlier = self.policy.outlier
        with self._lock:
            endpoint.outstanding -= 1
            endpoint.used_at = time.monotonic()
            if error is None:
                endpoint.failed_in_a_row = 0
                return
            if outlier is None or error.code() in _GOES_ON:
                return
            if error.code() not in outlier.codes:
                endpoint.failed_in_a_row = 0
                return
            gone = error.code() is grpc.StatusCode.UNAVAILABLE and never_ran(error)
            endpoint.failed_in_a_row += 1
            if (gone or endpoint.failed_in_a_row >= outlier.consecutive_failures) and not endpoint.ejected:
                self._eject(endpoint, answered=error.code() not in _STUCK)

    def _eject(self, endpoint: Endpoint, *, answered: bool) -> None:
        outlier = self.policy.outlier
        out = sum(each.ejected for each in self.endpoints)
        if outlier is None or out + 1 > max(1, outlier.max_ejected * len(self.endpoints)):
            return
        if len(self.endpoints) < 2:  # there is nobody else
            return
        endpoint.ejected = True
        endpoint.ejections += 1
        stay = min(outlier.max_ejection, outlier.base_ejection * endpoint.ejections) if answered else 0.0
        endpoint.back_at = time.monotonic() + stay
        self._choose()
        self._probe_if_needed()

    # -- probing

    def _probe_if_needed(self) -> None:
        needed = self.policy.health is not None or any(endpoint.ejected for endpoint in self.endpoints)
        if needed and not self._probing and not self._closed:
            self._probing = True
            threading.Thread(
                target=_probe, args=(weakref.ref(self),), name=f"sage_rpc probe {self.service}", daemon=True
            ).start()

    def _probe_round(self) -> float | None:
        """Ask whom there is to ask. -> seconds until the next round; None: no more."""
        health, outlier = self.policy.health, self.policy.outlier
        now = time.monotonic()
        with self._lock:
            ask = [e for e in self.endpoints if health is not None or (e.ejected and now >= e.back_at)]
        timeout = health.timeout if health is not None else outlier.probe_interval if outlier else 1.0
        answers = []
        for endpoint in ask:
            try:
                answers.append((endpoint, endpoint.unary(_CHECK, None, None).future(self._question, timeout)))
            except (grpc.RpcError, ValueError):
                answers.append((endpoint, None))
        heard = [(endpoint, *_heard(answer, timeout)) for endpoint, answer in answers]
        with self._lock:
            if self._closed:
                self._probing = False
                return None
            for endpoint, alive, serving in heard:
                if health is not None:
                    endpoint.sick = not serving
                if alive and endpoint.ejected and time.monotonic() >= endpoint.back_at:
                    endpoint.ejected = False
                    endpoint.failed_in_a_row = 0
            self._choose()
            if health is None and not any(endpoint.ejected for endpoint in self.endpoints):
                self._probing = False
                return None
        intervals = [health.interval] if health is not None else []
        if outlier is not None and any(endpoint.ejected for endpoint in self.endpoints):
            intervals.append(outlier.probe_interval)
        return min(intervals)

    # -- connections

    def _warm_up(self, endpoints: Sequence[Endpoint]) -> None:
        for endpoint in endpoints:
            try:
                endpoint.unary(_CHECK, None, None)(self._question, 5.0)
            except (grpc.RpcError, ValueError):
                continue  # the first call will say what is wrong

    def _sweep_if_needed(self) -> None:
        idle_after = self.policy.idle_after
        if idle_after is None or self._sweeping or self._closed:
            return
        self._sweeping = True
        found = weakref.ref(self)

        def sweep() -> None:
            pool = found()
            if pool is None or pool._closed:
                return
            now = time.monotonic()
            with pool._lock:
                idle = [
                    e for e in pool.endpoints if not e.outstanding and now - e.used_at >= (idle_after or 0)
                ]
            for endpoint in idle:
                endpoint.release()
            timer.call_later((idle_after or 1.0) / 2, sweep)

        timer.call_later(idle_after / 2, sweep)

    def retire(self) -> None:
        """Another pool takes over: calls under way finish."""
        with self._lock:
            self._closed = True
            self._wake.notify_all()
        for endpoint in self.endpoints:
            endpoint.release()

    def close(self) -> None:
        """Close the connections; calls under way end with CANCELLED."""
        with self._lock:
            self._closed = True
            self._wake.notify_all()
        for endpoint in self.endpoints:
            endpoint.close()

    def forget_parent(self) -> None:
        """In a forked child: its threads and calls are the parent's."""
        self._lock = threading.Lock()
        self._wake = threading.Condition(self._lock)
        self._probing = self._sweeping = False
        for endpoint in self.endpoints:
            endpoint.forget_parent()
        with self._lock:
            self._probe_if_needed()
        self._sweep_if_needed()

    def __repr__(self) -> str:
        return f"<Pool {self.service} {self.policy.balancing}: {list(self.endpoints)}>"


def _heard(answer: Any, timeout: float) -> tuple[bool, bool]:
    """(is it alive, does it serve) of an answer under way, or of None: it could not even be asked."""
    if answer is None:
        return False, False
    try:
        answer.exception(timeout)
    except grpc.FutureTimeoutError:
        answer.cancel()
        return False, False
    response, error = outcome(answer)
    if error is None:
        return True, response == _SERVING
    code = error.code()
    serves = code in {
        grpc.StatusCode.UNIMPLEMENTED,
        grpc.StatusCode.NOT_FOUND,
    }  # it does not know this question
    return code not in _STUCK, serves


def _probe(found: weakref.ReferenceType[Pool]) -> None:
    """The prober thread; it does not keep its pool alive while it waits."""
    while True:
        pool = found()
        if pool is None:
            return
        try:
            pause = pool._probe_round()
        except Exception:  # no descriptor is left, say: who was ejected must be asked again all the same
            _LOGGER.exception("asking the endpoints of %r failed", pool.service)
            pause = _PAUSE_AFTER_TROUBLE
        if pause is None:
            return
        wake = pool._wake
        del pool
        with wake:
            wake.wait(pause)


class Pooled:
    """The innermost sender of a service with several endpoints: each call goes to the one that the pool
    gives.

    Args:
        pool: of the service.
        path: "/package.Service/Method".
        serializer: of requests; None: they are bytes.
        deserializer: of responses.
        check: raises the error that a response may carry inside.
    """

    def __init__(
        self,
        pool: Pool,
        path: str,
        serializer: Any,
        deserializer: Any,
        check: Callable[[Any], None] | None,
    ) -> None:
        self._pool = pool
        self._path = path
        self._codec = serializer, deserializer
        self.check = check

    def send(self, request: Any, timeout: float | None, metadata: Metadata, key: Any) -> Any:
        """See Sender."""
        pool = self._pool
        routed = type(key) is Routed
        endpoint = pool.take(key.key if routed else key)
        error: errors.RpcError | None = None
        try:
            call = endpoint.callables.get(self._path) or endpoint.unary(self._path, *self._codec)
            response = call(request, timeout, metadata)
        except grpc.RpcError as failure:
            error = errors.from_grpc(failure)
            raise error from (None if error is failure else failure)
        finally:
            if routed:
                key.transport = endpoint.transport
            pool.give_back(endpoint, error)
        if self.check is not None:
            self.check(response)
        return response

    def start(self, request: Any, timeout: float | None, metadata: Metadata, key: Any) -> Pending:
        """See Sender."""
        pool = self._pool
        routed = type(key) is Routed
        endpoint = pool.take(key.key if routed else key)
        try:
            call = endpoint.callables.get(self._path) or endpoint.unary(self._path, *self._codec)
            pending: Pending = call.future(request, timeout, metadata)
        except BaseException:
            pool.give_back(endpoint, None)
            raise
        if routed:
            key.transport = endpoint.transport
        pending.add_done_callback(lambda ended: pool.give_back(endpoint, outcome(ended)[1]))
        return pending


_pools: weakref.WeakSet[Pool] = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for pool in list(_pools):
        pool.forget_parent()


os.register_at_fork(after_in_child=_after_fork_in_child)
