"""What may be configured about calling a service: plain, validated values, and nothing that runs.

Every class is a frozen dataclass of keyword arguments. All times are seconds. A value that cannot work is a
ValueError (a TypeError where the type is wrong) that names the field, the value, and what would do. A status
code may be given as `grpc.StatusCode`, by its name or by its number.

A `ServicePolicy` holds what concerns a service as a whole, and a `MethodPolicy` for all of its methods
(`default`), from which `methods` differ: what a `MethodPolicy` leaves None is as in the default, and there
None means "none".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from dataclasses import replace as replaced
from typing import Any, TypeAlias

import grpc

from sage_rpc.text.foreign import hint

__all__ = [
    "NO_FALLBACK",
    "AdmissionPolicy",
    "BatchPolicy",
    "BreakerPolicy",
    "CachePolicy",
    "Code",
    "HealthPolicy",
    "HedgingPolicy",
    "MethodPolicy",
    "OutlierPolicy",
    "PoolPolicy",
    "RetryBudgetPolicy",
    "RetryPolicy",
    "ServicePolicy",
    "status_code",
    "status_codes",
]

Code: TypeAlias = "grpc.StatusCode | str | int"
BALANCING = ("round_robin", "least_outstanding", "consistent_hash")
_NAMES = [code.name for code in grpc.StatusCode]
_NUMBERS = {code.value[0]: code for code in grpc.StatusCode}


class _NoFallback:
    """The type of NO_FALLBACK: None is a value that a call may fall back to."""

    def __repr__(self) -> str:
        return "NO_FALLBACK"

    def __reduce__(self) -> str:
        return "NO_FALLBACK"


NO_FALLBACK = _NoFallback()


def status_code(code: Code) -> grpc.StatusCode:
    """`code` as grpc's enum.

    Raises:
        ValueError: there is no such code.
    """
    found: Any = None
    if isinstance(code, grpc.StatusCode):
        found = code
    elif isinstance(code, str):
        found = getattr(grpc.StatusCode, code.strip().upper(), None)
    elif isinstance(code, int) and not isinstance(code, bool):
        found = _NUMBERS.get(code)
    if not isinstance(found, grpc.StatusCode):
        meant = hint(str(code).upper(), _NAMES, "the codes are ")
        raise ValueError(f"{code!r} is no status code; {meant}")  # noqa: TRY004 - one family
    return found


def status_codes(codes: Iterable[Code]) -> frozenset[grpc.StatusCode]:
    """Several of them.

    Raises:
        ValueError: one does not exist, OK is among them, or it is one text instead of a list.
    """
    if isinstance(codes, str):
        raise ValueError(f"expected a list of status codes, not the text {codes!r}")  # noqa: TRY004 - one family
    found = frozenset(map(status_code, codes))
    if grpc.StatusCode.OK in found:
        raise ValueError("OK is no failure, so nothing can depend on it")
    return found


def _complain(owner: object, name: str, expected: str) -> None:
    raise ValueError(f"{type(owner).__name__}.{name} is {getattr(owner, name)!r}: expected {expected}")


def _number(
    owner: object, name: str, least: float, most: float = math.inf, *, open_below: bool = False
) -> None:
    value = getattr(owner, name)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{type(owner).__name__}.{name} is {value!r}: expected a number")
    if not (least < value if open_below else least <= value) or value > most or math.isnan(value):
        low = f"more than {least:g}" if open_below else f"at least {least:g}"
        _complain(owner, name, low if most == math.inf else f"{low} and at most {most:g}")


def _whole(owner: object, name: str, least: int, most: float = math.inf) -> None:
    value = getattr(owner, name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{type(owner).__name__}.{name} is {value!r}: expected a whole number")
    if not least <= value <= most:
        _complain(owner, name, f"at least {least}" + ("" if most == math.inf else f" and at most {most:g}"))


def _flag(owner: object, *names: str) -> None:
    for name in names:
        value = getattr(owner, name)
        if not isinstance(value, bool):
            raise TypeError(f"{type(owner).__name__}.{name} is {value!r}: expected True or False")


def _codes(owner: object, name: str) -> None:
    try:
        object.__setattr__(owner, name, status_codes(getattr(owner, name)))
    except (ValueError, TypeError) as error:
        raise ValueError(f"{type(owner).__name__}.{name}: {error}") from None


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """Try again after a failure. A method that is not idempotent is tried again only if the call never ran.

    Attributes:
        max_attempts: the first one included, 2 to 100.
        initial_backoff: seconds before the second attempt.
        max_backoff: seconds between two attempts at most.
        backoff_multiplier: by how much the wait grows from one attempt to the next.
        jitter: each wait is drawn from `1 - jitter` to `1 + jitter` times its length, 0 to 1.
        codes: what is tried again.
    """

    max_attempts: int = 3
    initial_backoff: float = 0.05
    max_backoff: float = 2.0
    backoff_multiplier: float = 2.0
    jitter: float = 0.2
    codes: Iterable[Code] = frozenset({grpc.StatusCode.UNAVAILABLE})

    def __post_init__(self) -> None:
        _whole(self, "max_attempts", 2, 100)
        _number(self, "initial_backoff", 0)
        _number(self, "max_backoff", 0)
        _number(self, "backoff_multiplier", 1)
        _number(self, "jitter", 0, 1)
        if self.max_backoff < self.initial_backoff:
            _complain(self, "max_backoff", f"at least initial_backoff, which is {self.initial_backoff!r}")
        _codes(self, "codes")
        if not self.codes:
            _complain(self, "codes", "at least one status code")


@dataclass(frozen=True, kw_only=True)
class HedgingPolicy:
    """Send the call again, without waiting for the first to fail; the first good answer counts.

    For idempotent methods only.

    Attributes:
        max_attempts: how many are sent at most, the first one included, 2 to 10.
        delay: seconds between two of them; a failure sends the next at once.
        codes: failures after which others are waited for; any other failure ends the call.
    """

    max_attempts: int = 2
    delay: float = 0.05
    codes: Iterable[Code] = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED})

    def __post_init__(self) -> None:
        _whole(self, "max_attempts", 2, 10)
        _number(self, "delay", 0)
        _codes(self, "codes")


@dataclass(frozen=True, kw_only=True)
class RetryBudgetPolicy:
    """How much may be tried again, for all methods of a service together; gRPC's retryThrottling.

    A failure takes a token, a success brings back `token_ratio` of one; with half of the tokens or less,
    nothing is tried again and nothing is hedged.

    Attributes:
        max_tokens: the full bucket, more than 0 and at most 1000.
        token_ratio: tokens per success; the share of retries that lasts.
    """

    max_tokens: float = 100
    token_ratio: float = 0.1

    def __post_init__(self) -> None:
        _number(self, "max_tokens", 0, 1000, open_below=True)
        _number(self, "token_ratio", 0, 1000, open_below=True)


@dataclass(frozen=True, kw_only=True)
class BreakerPolicy:
    """Stop calling a service that fails, and try a few calls after a pause.

    It opens when, of the calls that ended within `window`, at least `min_calls`, the share `failure_rate` has
    failed; or after `consecutive_failures` in a row. While it is open every call fails at once, with
    UNAVAILABLE. After `open_for`, `trial_calls` are let through: they close it by succeeding, or open it
    again.

    Attributes:
        failure_rate: more than 0, at most 1.
        window: seconds.
        min_calls: fewer say nothing about a rate.
        consecutive_failures: in a row; None: only the rate counts.
        open_for: seconds.
        trial_calls: at once, while it is half open.
        codes: what counts as a failure of the service; other failures count as answers.
    """

    failure_rate: float = 0.5
    window: float = 10.0
    min_calls: int = 20
    consecutive_failures: int | None = None
    open_for: float = 1.0
    trial_calls: int = 1
    codes: Iterable[Code] = frozenset(
        {
            grpc.StatusCode.UNAVAILABLE,
            grpc.StatusCode.DEADLINE_EXCEEDED,
            grpc.StatusCode.RESOURCE_EXHAUSTED,
            grpc.StatusCode.INTERNAL,
        }
    )

    def __post_init__(self) -> None:
        _number(self, "failure_rate", 0, 1, open_below=True)
        _number(self, "window", 0, 3600, open_below=True)
        _whole(self, "min_calls", 1)
        if self.consecutive_failures is not None:
            _whole(self, "consecutive_failures", 1)
        _number(self, "open_for", 0, open_below=True)
        _whole(self, "trial_calls", 1)
        _codes(self, "codes")
        if not self.codes:
            _complain(self, "codes", "at least one status code")


@dataclass(frozen=True, kw_only=True)
class CachePolicy:
    """Keep results of a method, at the manager, and give them to later calls with equal arguments.

    Callers that ask for what is being fetched wait for it: equal arguments are in flight once.

    Attributes:
        ttl: seconds a result is kept.
        max_entries: the least recently used goes first.
        max_bytes: of all results as they arrived; None: no limit.
        negative_ttl: seconds a `None` result is kept, 0: not at all, None: like any other.
        key: makes the key of the arguments; None: the arguments themselves, which then must be hashable
            (lists and dicts of such values are, too).
    """

    ttl: float = 60.0
    max_entries: int = 1024
    max_bytes: int | None = None
    negative_ttl: float | None = None
    key: Callable[..., Any] | None = None

    def __post_init__(self) -> None:
        _number(self, "ttl", 0, open_below=True)
        _whole(self, "max_entries", 1)
        if self.max_bytes is not None:
            _whole(self, "max_bytes", 1)
        if self.negative_ttl is not None:
            _number(self, "negative_ttl", 0)
        if self.key is not None and not callable(self.key):
            raise TypeError(f"CachePolicy.key is {self.key!r}: expected a function of the call's arguments")


@dataclass(frozen=True, kw_only=True)
class BatchPolicy:
    """Send calls that are made at the same time together, as one batch.

    Attributes:
        max_size: calls in one batch.
        max_delay: seconds a call waits for others.
    """

    max_size: int = 100
    max_delay: float = 0.001

    def __post_init__(self) -> None:
        _whole(self, "max_size", 2, 100_000)
        _number(self, "max_delay", 0, 10)


@dataclass(frozen=True, kw_only=True)
class AdmissionPolicy:
    """How many calls a service takes at once, how many wait, and in which order; the rest is
    RESOURCE_EXHAUSTED.

    Attributes:
        max_running: calls at once.
        max_waiting: calls that wait for their turn; 0: none.
        max_wait: seconds a call waits before it is refused; None: until its deadline.
        fair: callers take turns, so that one that sends much does not keep the others waiting.
    """

    max_running: int = 10
    max_waiting: int = 100
    max_wait: float | None = None
    fair: bool = True

    def __post_init__(self) -> None:
        _whole(self, "max_running", 1)
        _whole(self, "max_waiting", 0)
        _flag(self, "fair")
        if self.max_wait is not None:
            _number(self, "max_wait", 0)
            if self.max_waiting == 0:
                _complain(self, "max_wait", "None, as max_waiting is 0: no call waits")


@dataclass(frozen=True, kw_only=True)
class OutlierPolicy:
    """Leave out an endpoint that fails while others do not, and come back to it when it answers.

    Attributes:
        consecutive_failures: in a row, of `codes`, until it is left out; a refused connection suffices alone.
        probe_interval: seconds between two questions whether it is back.
        base_ejection: seconds that one which answered with failures is left out the first time; grows by as
            much each further time. One that was gone or hung is back with its first answer.
        max_ejection: seconds at most.
        max_ejected: share of the endpoints that may be left out at once; one may always be.
        codes: what counts as a failure of the endpoint.
    """

    consecutive_failures: int = 5
    probe_interval: float = 0.25
    base_ejection: float = 0.5
    max_ejection: float = 30.0
    max_ejected: float = 0.9
    codes: Iterable[Code] = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED})

    def __post_init__(self) -> None:
        _whole(self, "consecutive_failures", 1)
        _number(self, "probe_interval", 0, open_below=True)
        _number(self, "base_ejection", 0, open_below=True)
        _number(self, "max_ejection", 0, open_below=True)
        if self.max_ejection < self.base_ejection:
            _complain(self, "max_ejection", f"at least base_ejection, which is {self.base_ejection!r}")
        _number(self, "max_ejected", 0, 1)
        _codes(self, "codes")


@dataclass(frozen=True, kw_only=True)
class HealthPolicy:
    """Ask every endpoint how it is (grpc.health.v1), and leave out those that are not serving.

    Attributes:
        interval: seconds between two questions.
        timeout: seconds for an answer.
        service_name: whom to ask about; "" for the server as a whole; None: the service itself.
    """

    interval: float = 1.0
    timeout: float = 1.0
    service_name: str | None = None

    def __post_init__(self) -> None:
        _number(self, "interval", 0, open_below=True)
        _number(self, "timeout", 0, open_below=True)
        if not isinstance(self.service_name, (str, type(None))):
            raise TypeError(f"HealthPolicy.service_name is {self.service_name!r}: expected text or None")


@dataclass(frozen=True, kw_only=True)
class PoolPolicy:
    """Which endpoint takes a call, and what is done with those that are not used or do not work.

    Attributes:
        balancing: "round_robin", "least_outstanding" or "consistent_hash" (by the key of the call).
        prefer_local: endpoints on this host first, the others only when none of these works.
        warm_up: connect to every endpoint at once, instead of with its first call.
        idle_after: seconds after which a connection that nobody used is closed; None: never.
        outlier: endpoints that fail are left out; None: they are not.
        health: endpoints are asked; None: they are not.
    """

    balancing: str = "round_robin"
    prefer_local: bool = True
    warm_up: bool = False
    idle_after: float | None = None
    outlier: OutlierPolicy | None = field(default_factory=OutlierPolicy)
    health: HealthPolicy | None = None

    def __post_init__(self) -> None:
        if self.balancing not in BALANCING:
            _complain(self, "balancing", f"one of {', '.join(BALANCING)}")
        _flag(self, "prefer_local", "warm_up")
        if self.idle_after is not None:
            _number(self, "idle_after", 0, open_below=True)
        _instance(self, "outlier", OutlierPolicy)
        _instance(self, "health", HealthPolicy)


@dataclass(frozen=True, kw_only=True)
class MethodPolicy:
    """What holds for the calls of one method, or of all.

    Attributes:
        timeout: seconds a call may take; None: the manager's.
        idempotent: running twice does no harm, so a call may be sent again although it may have run.
        retry: after failures; not together with `hedging`.
        hedging: before failures.
        cache: results are kept.
        batch: calls are sent together.
        key: what consistent hashing goes by: the number or the name of an argument, or a function of all;
            None: the first argument.
        priority: of several that wait at the service, the greatest runs first; whole number, -8 to 7.
        fallback: what a failed call gives instead: a value, or a function of the error.
    """

    timeout: float | None = None
    idempotent: bool | None = None
    retry: RetryPolicy | None = None
    hedging: HedgingPolicy | None = None
    cache: CachePolicy | None = None
    batch: BatchPolicy | None = None
    key: int | str | Callable[..., Any] | None = None
    priority: int | None = None
    fallback: Any = NO_FALLBACK

    def __post_init__(self) -> None:
        if self.timeout is not None:
            _number(self, "timeout", 0, open_below=True)
        if self.idempotent is not None:
            _flag(self, "idempotent")
        _instance(self, "retry", RetryPolicy)
        _instance(self, "hedging", HedgingPolicy)
        _instance(self, "cache", CachePolicy)
        _instance(self, "batch", BatchPolicy)
        if self.retry is not None and self.hedging is not None:
            raise ValueError("MethodPolicy has both retry and hedging: a call is either sent again or hedged")
        if self.hedging is not None and self.idempotent is False:
            raise ValueError("MethodPolicy.hedging sends a call several times: it needs an idempotent method")
        named = isinstance(self.key, (int, str)) and not isinstance(self.key, bool)
        if self.key is not None and not named and not callable(self.key):
            raise TypeError(
                f"MethodPolicy.key is {self.key!r}: expected an argument's number or name, or a function"
            )
        if self.priority is not None:
            _whole(self, "priority", -8, 7)

    def over(self, default: MethodPolicy) -> MethodPolicy:
        """This one, and where it says nothing, `default`."""
        given = {
            each.name: getattr(self, each.name)
            for each in fields(self)
            if getattr(self, each.name) is not (NO_FALLBACK if each.name == "fallback" else None)
        }
        if "retry" in given:
            given["hedging"] = None
        elif "hedging" in given:
            given["retry"] = None
        return replaced(default, **given)


@dataclass(frozen=True, kw_only=True)
class ServicePolicy:
    """What holds for the calls of one service.

    Attributes:
        default: for every method.
        methods: name of a method (as it is called) -> where it differs.
        breaker: stops calling a service that fails; None: never.
        retry_budget: bounds what is tried again.
        pool: which endpoint takes a call.
        stats: count its calls.
        tracing: make spans of its calls; None: as the manager.
        inherit: what a method's own policy leaves open is as in `default`; False: it stays open, as in gRPC's
            service config.
    """

    default: MethodPolicy = field(default_factory=MethodPolicy)
    methods: Mapping[str, MethodPolicy] = field(default_factory=dict)
    breaker: BreakerPolicy | None = None
    retry_budget: RetryBudgetPolicy = field(default_factory=RetryBudgetPolicy)
    pool: PoolPolicy = field(default_factory=PoolPolicy)
    stats: bool = True
    tracing: bool | None = None
    inherit: bool = True

    def __post_init__(self) -> None:
        for name, kind in (
            ("default", MethodPolicy),
            ("retry_budget", RetryBudgetPolicy),
            ("pool", PoolPolicy),
        ):
            if not isinstance(getattr(self, name), kind):
                raise TypeError(
                    f"ServicePolicy.{name} is {getattr(self, name)!r}: expected a {kind.__name__}"
                )
        _instance(self, "breaker", BreakerPolicy)
        _flag(self, "stats", "inherit", *(() if self.tracing is None else ("tracing",)))
        for name, policy in self.methods.items():
            if not isinstance(policy, MethodPolicy):
                raise TypeError(f"ServicePolicy.methods[{name!r}] is {policy!r}: expected a MethodPolicy")
            self.of(name)  # what cannot go together is an error here, not with the first call

    def of(self, method: str) -> MethodPolicy:
        """What holds for `method`."""
        own = self.methods.get(method, self.default)
        return own.over(self.default) if self.inherit and own is not self.default else own


def _instance(owner: object, name: str, kind: type) -> None:
    value = getattr(owner, name)
    if value is not None and not isinstance(value, kind):
        raise TypeError(
            f"{type(owner).__name__}.{name} is {value!r}: expected a {kind.__name__} or None for none"
        )
