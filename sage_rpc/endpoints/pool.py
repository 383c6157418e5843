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
import re
import threading
import time
import weakref
from collections.abc import Callable, Collection, Sequence
from concurrent import futures
from typing import Any

import grpc

from sage_rpc import errors
from sage_rpc.discovery.endpoint import Endpoint
from sage_rpc.endpoints.balancing import balancer
from sage_rpc.endpoints.resolver import Resolver
from sage_rpc.endpoints.subchannel import CHECK, SERVING, Subchannel, health_question
from sage_rpc.policies.sending import CallMetadata, Pending, Routed, Series, outcome
from sage_rpc.policies.settings import PoolPolicy
from sage_rpc.policies.timer import timer
from sage_rpc.transport.base import IDLE, MIXED

__all__ = ["Pool", "Pooled"]

_LOGGER = logging.getLogger("sage_rpc")
_PAUSE_AFTER_TROUBLE = 1.0  # seconds
_ATTEMPTS = 3  # of a call that never reached an endpoint, each at another
_STUCK = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED})
_GOES_ON = frozenset({grpc.StatusCode.CANCELLED})  # says nothing about the endpoint


class Pool:
    """The endpoints of one service.

    Args:
        service: its name, for errors.
        resolver: what its endpoints are; none is an error of each call.
        policy: which endpoint takes a call.
        dial: makes the channel to an endpoint.
        asked: whom health is asked about: full name of a declared service, name of a plain class.
    """

    def __init__(
        self,
        service: str,
        resolver: Resolver,
        policy: PoolPolicy,
        dial: Callable[[Endpoint], Any],
        asked: str,
    ) -> None:
        self.service = service
        self.policy = policy
        self._dial = dial
        self._balance = balancer(policy.balancing)
        health = policy.health
        name = asked if health is None or health.service_name is None else health.service_name
        self._question = health_question(name)
        self._lock = threading.Lock()  # guards everything below, and the counters of the endpoints
        self._wake = threading.Condition(self._lock)
        self._resolver = resolver
        self._generation = -1  # of the resolver, when it was asked last
        self.endpoints: tuple[Subchannel, ...] = ()
        self._usable: tuple[Subchannel, ...] = ()
        self._probing = False
        self._prober: threading.Thread | None = None
        self._closed = False  # nothing is asked or swept any more
        self.closed = False  # nor called
        self.last: Subchannel | None = None  # which took a call
        self._sweeping = False
        _pools.add(self)
        self._begin()

    def update(self, resolver: Resolver) -> None:
        """The service is at these endpoints from now on; calls under way elsewhere go on."""
        self._resolver.close()
        self._resolver = resolver
        self._generation = -1
        self._begin()

    def _begin(self) -> None:
        if not self._resolver.named:
            self._refresh()

    @property
    def generation(self) -> int:
        """Of what can be known: grows when endpoints may have changed."""
        return self._resolver.generation

    def listen(self, callback: Callable[[], None]) -> None:
        """Call `callback` after every change, from the registry's thread."""
        self._resolver.listen(callback)

    def unlisten(self, callback: Callable[[], None]) -> None:
        """Call it no more."""
        self._resolver.unlisten(callback)

    @property
    def informed(self) -> bool:
        """Whether `take` will neither ask nor wait for anybody."""
        return bool(self._usable) and self._generation == self._resolver.generation

    def _learn(self) -> None:
        """Before something is decided by what is known."""
        if not self.informed:
            self._refresh()

    def _refresh(self) -> None:
        """Learn of the resolver what there is now."""
        resolver = self._resolver
        generation = resolver.generation  # before what belongs to it: it may only be too small
        records = resolver.endpoints()
        found = [Subchannel(record, self._dial) for record in records]
        if self.policy.prefer_local and len(found) > 1:
            for each in found:
                each.local  # noqa: B018 - now, because it may do I/O, and not under the lock
        with self._lock:
            known = {each.endpoint.id: each for each in self.endpoints}
            for number, each in enumerate(found):
                old = known.get(each.endpoint.id)
                if old is not None and old.target == each.target:
                    old.endpoint = each.endpoint  # its health and its weight may be others
                    found[number] = old
            gone = set(self.endpoints) - set(found)
            same = not gone and len(found) == len(self.endpoints)
            self.endpoints = tuple(found)
            self._generation = generation
            self._choose()
            self._probe_if_needed()
        # Not closed: calls under way go on, and when they have ended nobody holds the connection any more.
        for each in gone:
            each.release()
        if self.policy.warm_up and not same:
            threading.Thread(
                target=self._ask_all, args=(self.endpoints, 5.0), name="sage_rpc warm-up", daemon=True
            ).start()
        self._sweep_if_needed()

    def _choose(self) -> None:
        """Make `_usable` anew. The lock is held."""
        serving = [e for e in self.endpoints if e.endpoint.health == "serving" and e.weight > 0]
        usable = [e for e in serving if not e.ejected and not e.sick]
        usable = usable or [e for e in serving if not e.ejected] or serving
        if self.policy.prefer_local and len(usable) > 1:
            usable = [e for e in usable if e.local] or usable
        self._usable = tuple(usable)

    @property
    def alone(self) -> Subchannel | None:
        """The only endpoint, where nothing has to be chosen, watched or expired."""
        if self._resolver.named or len(self.endpoints) != 1:
            return None
        if self.policy.idle_after is not None or self.policy.health is not None:
            return None
        return self.endpoints[0]

    @property
    def transport(self) -> str:
        """What carries calls to the endpoints that take some: "shm", "grpc", "mixed", or "idle"."""
        found = {endpoint.transport for endpoint in self._usable} - {IDLE}
        return found.pop() if len(found) == 1 else MIXED if found else IDLE

    # -- calls

    def take(
        self,
        key: Any,
        avoid: Collection[Subchannel] = (),
        *,
        wait: bool = False,
        deadline: float | None = None,
    ) -> Subchannel:
        """The endpoint of the next call, which must be given back.

        Args:
            key: what consistent hashing goes by.
            avoid: endpoints that were tried already; one of them all the same, where there is no other.
            wait: for an endpoint to appear, rather than fail.
            deadline: of time.monotonic, for that; None for none.

        Raises:
            Unavailable: there is none at all.
            DeadlineExceeded: there was none in time.
        """
        while True:
            if self.closed:
                raise ValueError("Cannot invoke RPC on closed channel!")
            self._learn()
            generation = self._generation
            with self._lock:
                usable = self._usable
                if avoid:
                    usable = tuple(e for e in usable if e not in avoid) or usable
                if usable:
                    found = usable[0] if len(usable) == 1 else self._balance(usable, key)
                    found.outstanding += 1
                    self.last = found
                    return found
            if not wait:
                nobody = self._resolver.nobody(self.service)
                raise errors.rpc_error(grpc.StatusCode.UNAVAILABLE, nobody, never_ran=True)
            if not self._resolver.wait_for_change(generation, deadline):
                raise self.none_in_time()

    def none_in_time(self) -> errors.RpcError:
        """The error of a call that has waited for an endpoint until its deadline."""
        nobody = self._resolver.nobody(self.service)
        return errors.rpc_error(
            grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded", debug_error_string=nobody
        )

    def elsewhere(self, error: errors.RpcError, tried: Collection[Subchannel]) -> bool:
        """Whether a call that ended with `error` is sent again: it never ran, and there is somebody else."""
        if len(tried) >= _ATTEMPTS or error.code() is not grpc.StatusCode.UNAVAILABLE:
            return False
        return error.never_ran and any(each not in tried for each in self._usable)

    def place_of(self, key: Any) -> str | None:
        """The address where a call with that key goes now, where the balancing goes by keys."""
        if type(key) is Routed:
            key = key.key
        self._learn()
        with self._lock:
            return self._balance(self._usable, key).target if self._usable else None

    @property
    def for_good(self) -> int | None:
        """How many endpoints there are; None: they come and go, or a target may stand for several."""
        targets = self._resolver.targets
        several = self._resolver.named or any(re.match("[a-z0-9]+:", each) for each in targets)
        return None if several else len(targets)

    @property
    def by_keys(self) -> bool:
        """Whether calls with other keys go elsewhere."""
        return self.policy.balancing == "consistent_hash" and self.alone is None

    def give_back(self, endpoint: Subchannel, error: errors.RpcError | None) -> None:
        """A call has ended, with `error` or well."""
        outlier = self.policy.outlier
        if error is not None and error.never_ran:
            self._resolver.look_again()
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
            gone = error.code() is grpc.StatusCode.UNAVAILABLE and error.never_ran
            endpoint.failed_in_a_row += 1
            if (gone or endpoint.failed_in_a_row >= outlier.consecutive_failures) and not endpoint.ejected:
                self._eject(endpoint, answered=error.code() not in _STUCK)

    def _eject(self, endpoint: Subchannel, *, answered: bool) -> None:
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
            self._prober = threading.Thread(
                target=_probe, args=(weakref.ref(self),), name=f"sage_rpc probe {self.service}", daemon=True
            )
            self._prober.start()

    def _probe_round(self) -> float | None:
        """Ask whom there is to ask. -> seconds until the next round; None: no more."""
        health, outlier = self.policy.health, self.policy.outlier
        now = time.monotonic()
        with self._lock:
            ask = [e for e in self.endpoints if health is not None or (e.ejected and now >= e.back_at)]
        timeout = health.timeout if health is not None else outlier.probe_interval if outlier else 1.0
        heard = self._ask_all(ask, timeout)
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

    def _ask_all(
        self, endpoints: Sequence[Subchannel], timeout: float
    ) -> list[tuple[Subchannel, bool, bool]]:
        """Ask about health, all at once. -> (endpoint, is it alive, does it serve) of each."""
        answers = []
        for endpoint in endpoints:
            try:
                answers.append((endpoint, self._ask(endpoint, timeout)))
            except (grpc.RpcError, ValueError, RuntimeError):  # it is closed, or its loop is
                answers.append((endpoint, None))
        return [(endpoint, *_heard(answer, timeout)) for endpoint, answer in answers]

    def _ask(self, endpoint: Subchannel, timeout: float) -> Any:
        """-> a future that a thread waits for."""
        return endpoint.unary(CHECK, None, None).future(self._question, timeout)

    # -- connections

    _later = staticmethod(timer.call_later)

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
            pool._later((idle_after or 1.0) / 2, sweep)

        self._later(idle_after / 2, sweep)

    def retire(self) -> None:
        """Another pool takes over: calls under way finish."""
        self._resolver.close()
        with self._lock:
            self._closed = True
            self._wake.notify_all()
        for endpoint in self.endpoints:
            endpoint.release()

    def end(self) -> list[Any]:
        """Take no more calls. -> the connections, for the caller to close."""
        self._resolver.close()
        with self._lock:
            self._closed = self.closed = True
            self._wake.notify_all()
        channels = [endpoint.end() for endpoint in self.endpoints]
        return [channel for channel in channels if channel is not None]

    def close(self) -> None:
        """Close the connections; calls under way end with CANCELLED."""
        for channel in self.end():
            channel.close()

    def forget_parent(self) -> None:
        """In a forked child: its threads and calls are the parent's."""
        self._lock = threading.Lock()
        self._wake = threading.Condition(self._lock)
        self._probing = self._sweeping = False
        self._generation = -1
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
    except (grpc.FutureTimeoutError, futures.TimeoutError):
        answer.cancel()
        return False, False
    except futures.CancelledError:  # with its event loop
        return False, False
    response, error = outcome(answer)
    if error is None:
        return True, response == SERVING
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
        self.pool = pool
        self._path = path
        self._codec = serializer, deserializer
        self.check = check

    def send(self, request: Any, timeout: float | None, metadata: CallMetadata, key: Any) -> Any:
        """See Sender."""
        pool = self.pool
        routed = type(key) is Routed
        plain_key = key.key if routed else key
        endpoint = pool.take(plain_key)
        tried: tuple[Subchannel, ...] = ()
        began = time.monotonic()
        while True:
            error: errors.RpcError | None = None
            try:
                call = endpoint.callables.get(self._path) or endpoint.unary(self._path, *self._codec)
                response = call(request, timeout, metadata)
                break
            except grpc.RpcError as failure:
                error = errors.from_grpc(failure, endpoint.channel)
                tried = (*tried, endpoint)
                if not pool.elsewhere(error, tried):
                    raise error from (None if error is failure else failure)
            finally:
                if routed:
                    key.transport = endpoint.transport
                pool.give_back(endpoint, error)
            if timeout is not None:
                now = time.monotonic()
                timeout, began = max(0.0, timeout - (now - began)), now
            endpoint = pool.take(plain_key, tried)
        if self.check is not None:
            self.check(response)
        return response

    def start(self, request: Any, timeout: float | None, metadata: CallMetadata, key: Any) -> Pending:
        """See Sender."""
        return _Started(self, request, timeout, metadata, key)

    def start_at(
        self, endpoint: Subchannel, request: Any, timeout: float | None, metadata: CallMetadata, key: Any
    ) -> Pending:
        """Send to `endpoint`, which was taken, and give it back at the end."""
        pool = self.pool
        try:
            call = endpoint.callables.get(self._path) or endpoint.unary(self._path, *self._codec)
            pending: Pending = call.future(request, timeout, metadata)
        except BaseException:
            pool.give_back(endpoint, None)
            raise
        if type(key) is Routed:
            key.transport = endpoint.transport
        endpoint.note_whether_it_ran(pending)
        pending.add_done_callback(lambda ended: pool.give_back(endpoint, outcome(ended)[1]))
        return pending


class _Started(Series):
    """A call that nobody waits for; where it never ran, it goes to another endpoint."""

    def __init__(
        self, sender: Pooled, request: Any, timeout: float | None, metadata: CallMetadata, key: Any
    ) -> None:
        super().__init__(None)  # the response is checked by whoever asked for it
        self._sender = sender
        self._call = request, metadata, key
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self._tried: tuple[Subchannel, ...] = ()
        self._begin(self._next)

    def _next(self) -> Pending:
        request, metadata, key = self._call
        endpoint = self._sender.pool.take(key.key if type(key) is Routed else key, self._tried)
        self._tried = (*self._tried, endpoint)
        left = None if self._deadline is None else max(0.0, self._deadline - time.monotonic())
        return self._sender.start_at(endpoint, request, left, metadata, key)

    def _attempt_ended(self, response: Any, error: errors.RpcError | None) -> None:
        if error is not None and self._sender.pool.elsewhere(error, self._tried):
            self._begin(self._next)
        else:
            self._finish(response, error)


_pools: weakref.WeakSet[Pool] = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for pool in list(_pools):
        pool.forget_parent()


os.register_at_fork(after_in_child=_after_fork_in_child)
