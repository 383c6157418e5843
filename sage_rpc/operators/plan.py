"""What a job runs: operators and services as they are described, shipped and checked before the start.

Everything here pickles (with cloudpickle, so that code of `__main__` and lambdas travel by value).
"""

from __future__ import annotations

import enum
import inspect
import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from sage_rpc.hosting.hosting import Hosting
from sage_rpc.operators.functions import (
    BaseFunction,
    BatchFunction,
    FilterFunction,
    FlatMapFunction,
    MapFunction,
    SinkFunction,
    SourceFunction,
)
from sage_rpc.policies import ServicePolicy
from sage_rpc.processes.pickling import dumps
from sage_rpc.services.manager import ServiceEndpoint
from sage_rpc.stubs import servicers
from sage_rpc.text.exceptions import text_of

__all__ = ["Kind", "OperatorSpec", "Plan", "Receiver", "ServiceSpec", "check_code", "dump", "suggested_name"]


class Kind(enum.Enum):
    """What an operator does with rows, by the name of the method that adds it."""

    BATCH = "from_batch"
    SOURCE = "from_source"
    MAP = "map"
    FILTER = "filter"
    FLATMAP = "flatmap"
    SINK = "sink"

    @property
    def produces(self) -> bool:
        """Whether it takes no rows but makes them."""
        return self in (Kind.BATCH, Kind.SOURCE)


_BASES: dict[Kind, Any] = {  # classes; abstract ones are no `type[BaseFunction]` to mypy
    Kind.BATCH: BatchFunction,
    Kind.SOURCE: SourceFunction,
    Kind.MAP: MapFunction,
    Kind.FILTER: FilterFunction,
    Kind.FLATMAP: FlatMapFunction,
    Kind.SINK: SinkFunction,
}


@dataclass(frozen=True)
class OperatorSpec:
    """One operator.

    Attributes:
        name: unique in its environment.
        kind: what it does with rows.
        code: a class of that kind, an instance, a plain callable, or for producers an iterable.
        args: positional arguments of the class.
        kwargs: keyword arguments of the class.
        parallelism: number of worker processes.
    """

    name: str
    kind: Kind
    code: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    parallelism: int


@dataclass(frozen=True)
class ServiceSpec:
    """One service.

    Attributes:
        name: what calls use.
        cls: its class, or whatever makes the instance.
        args: positional arguments of the class.
        kwargs: keyword arguments of the class.
        hosting: how its process hosts it.
    """

    name: str
    cls: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    hosting: Hosting = field(default_factory=Hosting)

    @property
    def declared(self) -> str | None:
        """Full name of the declared service that it implements; None for a plain class."""
        is_declared = isinstance(self.cls, type) and issubclass(self.cls, servicers.Base)
        return self.cls.SERVICE if is_declared else None


class Receiver(Protocol):
    """What reads rows in the main process."""

    def _connect(self, links: list[socket.socket], capacity: int) -> None: ...

    def _attach(self, job: Any) -> None: ...

    def _settle(self) -> None: ...

    def _detach(self) -> None: ...

    @property
    def exhausted(self) -> bool:
        """Whether every row was read."""


@dataclass(frozen=True)
class Plan:
    """A whole job.

    Attributes:
        job: name of the environment.
        services: in the order of their registration.
        operators: in the order of their definition.
        upstream: name of an operator -> name of the operator it takes rows from.
        results: what reads rows in the main process, in the order of `result_of`.
        result_of: for each of them the operator whose rows it reads.
        payloads: ("service" or "operator", name) -> pickled spec.
        endpoints: services that run elsewhere.
        policies: what holds for calls of the services that have policies.
        descriptors: serialized protobuf files of the declared ones, each after those it imports.
        timeout: seconds a call may take where it says nothing else.
        options: of the channels to services.
        start_timeout: seconds until each service, and then all operators, must be ready.
        queue_rows: rows held between two operators.
        log_level: of the workers' root loggers.
    """

    job: str
    services: tuple[ServiceSpec, ...]
    operators: tuple[OperatorSpec, ...]
    upstream: dict[str, str]
    results: tuple[Receiver, ...]
    result_of: tuple[str, ...]
    payloads: dict[tuple[str, str], bytes]
    endpoints: dict[str, ServiceEndpoint]
    policies: dict[str, ServicePolicy]
    descriptors: tuple[bytes, ...]
    timeout: float | None
    options: tuple[tuple[str, Any], ...]
    start_timeout: float | None
    queue_rows: int
    log_level: int

    @property
    def producers(self) -> frozenset[str]:
        """Names of the operators that take no rows."""
        return frozenset(spec.name for spec in self.operators if spec.kind.produces)

    def workers(self, operator: str) -> int:
        """Number of an operator's processes."""
        return next(spec.parallelism for spec in self.operators if spec.name == operator)

    def edges(self) -> Iterator[tuple[str, str | Receiver, int]]:
        """Each way of rows: (sender, receiver, number of receiving workers)."""
        for receiver, sender in self.upstream.items():
            yield sender, receiver, self.workers(receiver)
        for sender, result in zip(self.result_of, self.results, strict=True):
            yield sender, result, 1


def check_code(kind: Kind, code: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Refuse what cannot be an operator of `kind`.

    Raises:
        TypeError: it cannot; the text says what could.
    """
    base = _BASES[kind]
    method = f"{kind.value}()"
    wanted = f"{method} takes a {base.__name__} class or instance, or a plain callable"
    if kind.produces:
        wanted = f"{method} takes a {base.__name__} class or instance, a generator function, or an iterable"
    if isinstance(code, type) and issubclass(code, BaseFunction):
        if not issubclass(code, base):
            raise TypeError(f"{wanted}; {code.__qualname__} is a {_kind_name(code)}")
        if inspect.isabstract(code):
            raise TypeError(
                f"{code.__qualname__} does not define {', '.join(sorted(code.__abstractmethods__))}()"
            )
        try:
            inspect.signature(code).bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{method}: the arguments do not fit {code.__qualname__}: {error}") from None
        except ValueError:
            pass  # a class without a signature
        return
    if args or kwargs:
        raise TypeError(
            f"{method}: arguments go to a class's __init__, and {code!r} is no {base.__name__} class"
        )
    if isinstance(code, BaseFunction):
        if not isinstance(code, base):
            raise TypeError(f"{wanted}; {code!r} is a {_kind_name(type(code))}")
        return
    if isinstance(code, type) and hasattr(code, "execute"):
        raise TypeError(f"{wanted}; {code.__qualname__} has an execute(): derive it from {base.__name__}")
    if callable(code):
        return
    if kind.produces and isinstance(code, Iterable):
        if iter(code) is code:
            raise TypeError(
                f"{method}: {code!r} can be read once, here: pass the generator function, or a list"
            )
        return
    raise TypeError(f"{wanted}, not {code!r}")


def suggested_name(kind: Kind, code: Any) -> str:
    """What an operator is called if nobody else is called that."""
    if isinstance(code, BaseFunction):
        return type(code).__name__
    name = getattr(code, "__name__", None)
    if callable(code) and isinstance(name, str) and name.isidentifier():
        return name
    return kind.value


def dump(what: str, spec: OperatorSpec | ServiceSpec) -> bytes:
    """`spec` as bytes for a worker process.

    Raises:
        TypeError: something in it cannot be pickled.
    """
    try:
        return dumps(spec)
    except Exception as error:
        raise TypeError(
            f"{what} cannot be sent to its process: {text_of(error)}; make what it holds in setup() instead"
        ) from error


def _kind_name(cls: type[BaseFunction]) -> str:
    return next((base.__name__ for base in _BASES.values() if issubclass(cls, base)), "BaseFunction")
