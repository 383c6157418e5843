"""LocalEnvironment: describe services and a pipeline, then run them in processes on this host.

env = LocalEnvironment("squares")
env.register_service("cache", Cache, size=1000)
env.from_batch([1, 2, 3]).map(Square, parallelism=2).sink(Show)
env.submit(autostop=True)
"""

from __future__ import annotations

import contextlib
import logging
import operator
import pickle
import re
import socket
import threading
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from typing import Any

from google.protobuf import descriptor_pool
from google.protobuf.descriptor import FileDescriptor, ServiceDescriptor

from sage_rpc.hosting.hosting import Hosting
from sage_rpc.operators.job import Job
from sage_rpc.operators.links import LinkLostError, RowInput, load_row
from sage_rpc.operators.plan import Kind, OperatorSpec, Plan, ServiceSpec, check_code, dump, suggested_name
from sage_rpc.policies import ServicePolicy, policy_of
from sage_rpc.policies.effects import unknown_methods
from sage_rpc.services.manager import DEFAULT_TIMEOUT, ServiceEndpoint
from sage_rpc.stubs import servicers
from sage_rpc.text.exceptions import text_of

__all__ = ["DataStream", "LocalEnvironment", "Results"]

QUEUE_ROWS = 1024
START_TIMEOUT = 120.0  # seconds


class LocalEnvironment:
    """Services and a pipeline of operators, run in processes of their own on this host.

    Args:
        name: stands in logs, errors and process titles.
        timeout: seconds a call to a service may take where it says nothing else; None for no limit.
        options: of the channels to services, for example [("sage_rpc.transport", "grpc")].
        start_timeout: seconds each service, and then all operators, may take to be ready; None for no limit.
        queue_rows: rows that may wait between two operators before the sender waits, per worker.
        log_level: what operators and services write to stderr.
    """

    def __init__(
        self,
        name: str,
        *,
        timeout: float | None = DEFAULT_TIMEOUT,
        options: Sequence[tuple[str, Any]] = (),
        start_timeout: float | None = START_TIMEOUT,
        queue_rows: int = QUEUE_ROWS,
        log_level: int = logging.INFO,
    ) -> None:
        if queue_rows < 1:
            raise ValueError(f"queue_rows is {queue_rows}: at least 1 row must fit")
        self.name = _checked_name("environment", name)
        self._timeout = timeout
        self._options = tuple(options)
        self._start_timeout = start_timeout
        self._queue_rows = queue_rows
        self._log_level = log_level
        self._services: list[ServiceSpec] = []
        self._endpoints: dict[str, ServiceEndpoint] = {}
        self._policies: dict[str, ServicePolicy] = {}
        self._descriptors: dict[str, bytes] = {}
        self._operators: list[OperatorSpec] = []
        self._upstream: dict[str, str] = {}
        self._results: list[tuple[str, Results]] = []

    def register_service(self, name: str, cls: Any, /, *args: Any, **kwargs: Any) -> None:
        """Let operators and services call `cls(*args, **kwargs)` as `name`; it runs in a process of its own.

        Its public methods can be called, by several threads at once: an attribute `max_workers = 1` makes
        it one at a time. `setup()` and `cleanup()`, where it has them, run before the first and after the
        last call. An implementation of a generated base (`CacheBase`) is served as the declared service, and
        called by `self.call_service[CacheClient]`, too. Services are set up in the order of registration:
        `setup` may call those registered before. What its methods say by `method_policy` holds for calls of
        it.

        Raises:
            ValueError: the name is taken or unusable.
            TypeError: `cls` is not callable.
        """
        self._check_free(name)
        if not callable(cls):
            raise TypeError(f"the service {name!r} must be a class, not {cls!r}")
        if isinstance(cls, type) and issubclass(cls, servicers.Base):
            self._add_file(descriptor_pool.Default().FindServiceByName(cls.SERVICE).file)
        said = policy_of(cls)
        if said is not None and name not in self._policies:  # whichever was said first
            self.set_policy(name, said)
        self._services.append(ServiceSpec(name, cls, args, kwargs))

    def set_policy(self, name: str, policy: ServicePolicy) -> None:
        """What holds for the calls of the service `name`; instead of what its class says.

        Raises:
            TypeError: it is no ServicePolicy, or has functions that cannot be sent to the workers.
        """
        if not isinstance(policy, ServicePolicy):
            raise TypeError(f"the policy of {name!r} is {policy!r}: expected a ServicePolicy")
        try:
            pickle.dumps(policy)
        except Exception as error:  # noqa: BLE001 - whatever pickling raises
            raise TypeError(
                f"the policy of {name!r} cannot be sent to the workers ({text_of(error)}): functions in it "
                "(fallback, key) must be defined in a module, by def"
            ) from None
        self._policies[name] = policy

    def set_hosting(self, name: str, hosting: Hosting) -> None:
        """How the process of the service `name` hosts it.

        Raises:
            ValueError: no service of that name is registered to run here, or something cannot hold in a job.
            TypeError: it is no Hosting.
        """
        if not isinstance(hosting, Hosting):
            raise TypeError(f"the hosting of {name!r} is {hosting!r}: expected a Hosting")
        if hosting.add_to_server is not None:
            raise ValueError(
                f"a job serves no servicers, so add_to_server of {name!r} cannot hold: register an "
                "implementation of a generated base"
            )
        at = next((at for at, spec in enumerate(self._services) if spec.name == name), None)
        if at is None:
            known = ", ".join(spec.name for spec in self._services) or "none"
            raise ValueError(f"no service {name!r} is registered to run in this job; there are: {known}")
        self._services[at] = replace(self._services[at], hosting=hosting)

    def register_endpoint(
        self, name: str, target: str, *, service: str | ServiceDescriptor | None = None
    ) -> None:
        """Let operators and services call, as `name`, a service that runs already.

        Args:
            name: what calls use; for a plain class also its name at its host.
            target: a gRPC target, for example "localhost:50051".
            service: full name or descriptor of a declared protobuf service; None for a plain class.

        Raises:
            ValueError: the name is taken, or the declared service is not known here.
        """
        self._check_free(name)
        if isinstance(service, str):
            try:
                service = descriptor_pool.Default().FindServiceByName(service)
            except KeyError:
                raise ValueError(
                    f"no protobuf service {service!r} is known here; import its generated _pb2 module first"
                ) from None
        if service is not None:
            self._add_file(service.file)
        self._endpoints[name] = ServiceEndpoint(target, None if service is None else service.full_name)

    def from_batch(self, code: Any, /, *args: Any, parallelism: int = 1, **kwargs: Any) -> DataStream:
        """A stream of rows that ends.

        Args:
            code: a BatchFunction class or instance, a generator function, a function that gives None at the
                end, or an iterable such as a list; an iterable's rows are divided among the workers.
            args: for the class's `__init__`, as are `kwargs`.
            parallelism: number of worker processes.

        Raises:
            TypeError: `code` is none of these.
        """
        return self._add(Kind.BATCH, code, args, kwargs, parallelism, None)

    def from_source(self, code: Any, /, *args: Any, parallelism: int = 1, **kwargs: Any) -> DataStream:
        """A stream of rows that ends with a StopSignal, or when the job is stopped.

        Args:
            code: a SourceFunction class or instance, a generator function, a function that gives a
                StopSignal at the end, or an iterable.
            args: for the class's `__init__`, as are `kwargs`.
            parallelism: number of worker processes.

        Raises:
            TypeError: `code` is none of these.
        """
        return self._add(Kind.SOURCE, code, args, kwargs, parallelism, None)

    def submit(self, autostop: bool = False) -> Job:
        """Run services and pipeline.

        Args:
            autostop: wait until every row has arrived and everything has ended. Without it the job runs in
                the background, its services until `job.stop()`.

        Raises:
            ValueError: there is nothing to run, or a stream leads nowhere.
            TypeError: a service or operator cannot be sent to its process.
            JobError: with autostop: the job failed.
        """
        job = self._start(autostop=autostop)
        if autostop:
            _wait_or_cancel(job)
        return job

    def _start(self, *, autostop: bool) -> Job:
        if autostop and self._results:
            raise ValueError(
                "results() are read between submit() and job.stop(): use submit() without autostop"
            )
        if not self._operators and not self._services:
            raise ValueError(f"the environment {self.name!r} has neither services nor operators")
        registered = {*(spec.name for spec in self._services), *self._endpoints}
        for name in self._policies.keys() - registered:
            raise ValueError(
                f"there is a policy for {name!r}, and no such service; there are: "
                f"{', '.join(sorted(registered)) or 'none'}"
            )
        for service in self._services:
            policy = self._policies.get(service.name, ServicePolicy())
            if isinstance(service.cls, type) and not issubclass(service.cls, servicers.Base):
                for text in unknown_methods(policy, [each for each in dir(service.cls) if each[0] != "_"]):
                    raise ValueError(f"policy of {service.name!r}: {text}")
        taken = {*self._upstream.values(), *(name for name, _ in self._results)}
        for spec in self._operators:
            if spec.kind is not Kind.SINK and spec.name not in taken:
                raise ValueError(f"nothing takes the rows of {spec.name!r}: end the stream with .sink(...)")
        payloads = {("service", s.name): dump(f"the service {s.name!r}", s) for s in self._services}
        payloads |= {("operator", o.name): dump(f"the operator {o.name!r}", o) for o in self._operators}
        plan = Plan(
            job=self.name,
            services=tuple(self._services),
            operators=tuple(self._operators),
            upstream=dict(self._upstream),
            results=tuple(result for _, result in self._results),
            result_of=tuple(name for name, _ in self._results),
            payloads=payloads,
            endpoints={
                name: replace(endpoint, policy=self._policies.get(name))
                for name, endpoint in self._endpoints.items()
            },
            policies=dict(self._policies),
            descriptors=tuple(self._descriptors.values()),
            timeout=self._timeout,
            options=self._options,
            start_timeout=self._start_timeout,
            queue_rows=self._queue_rows,
            log_level=self._log_level,
        )
        return Job(plan, autostop=autostop)

    def __repr__(self) -> str:
        services = ", ".join([*(spec.name for spec in self._services), *self._endpoints]) or "none"
        operators = ", ".join(f"{spec.name} x{spec.parallelism}" for spec in self._operators) or "none"
        return f"<LocalEnvironment {self.name}: services {services}; operators {operators}>"

    def _add(
        self,
        kind: Kind,
        code: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        parallelism: int,
        upstream: str | None,
    ) -> DataStream:
        parallelism = operator.index(parallelism)
        if parallelism < 1:
            raise ValueError(f"parallelism is {parallelism}: at least 1 worker process is needed")
        check_code(kind, code, args, kwargs)
        wanted = suggested_name(kind, code)
        taken = {spec.name for spec in self._operators} | {spec.name for spec in self._services}
        taken |= set(self._endpoints)
        name, number = wanted, 1
        while name in taken:
            number += 1
            name = f"{wanted}-{number}"
        self._operators.append(OperatorSpec(name, kind, code, args, kwargs, parallelism))
        if upstream is not None:
            self._upstream[name] = upstream
        return DataStream(self, name)

    def _check_free(self, name: str) -> None:
        _checked_name("service", name)
        if any(spec.name == name for spec in self._services) or name in self._endpoints:
            raise ValueError(f"a service named {name!r} is registered already")

    def _add_file(self, file: FileDescriptor) -> None:
        for imported in file.dependencies:
            self._add_file(imported)
        self._descriptors.setdefault(file.name, file.serialized_pb)


class DataStream:
    """The rows of one operator; each method adds an operator that takes them.

    Used twice, a stream gives every row to both. Rows keep their order where every operator has one worker.
    """

    def __init__(self, environment: LocalEnvironment, operator: str) -> None:
        self._environment = environment
        self._operator = operator

    def map(self, code: Any, /, *args: Any, parallelism: int = 1, **kwargs: Any) -> DataStream:
        """Replace each row: `code` is a MapFunction class or instance, or a callable `row -> row`."""
        return self._add(Kind.MAP, code, args, kwargs, parallelism)

    def filter(self, code: Any, /, *args: Any, parallelism: int = 1, **kwargs: Any) -> DataStream:
        """Keep some rows: `code` is a FilterFunction class or instance, or a callable `row -> bool`."""
        return self._add(Kind.FILTER, code, args, kwargs, parallelism)

    def flatmap(self, code: Any, /, *args: Any, parallelism: int = 1, **kwargs: Any) -> DataStream:
        """Replace each row by any number: a FlatMapFunction class or instance, or `row -> rows`."""
        return self._add(Kind.FLATMAP, code, args, kwargs, parallelism)

    def sink(self, code: Any, /, *args: Any, parallelism: int = 1, **kwargs: Any) -> LocalEnvironment:
        """End the stream: `code` is a SinkFunction class or instance, or a callable. -> the environment."""
        self._add(Kind.SINK, code, args, kwargs, parallelism)
        return self._environment

    def results(self) -> Results:
        """End the stream in this process: iterate over what is returned while the job runs."""
        found = Results(self._operator)
        self._environment._results.append((self._operator, found))
        return found

    def collect(self) -> list[Any]:
        """Run the environment, with autostop. -> this stream's rows.

        Raises:
            JobError: the job failed.
        """
        results = self.results()
        try:
            job = self._environment._start(autostop=False)
        finally:
            self._environment._results.remove((self._operator, results))
        with job:
            rows = list(results)
            job.wait()
        return rows

    def __repr__(self) -> str:
        return f"<DataStream of {self._operator}>"

    def _add(
        self, kind: Kind, code: Any, args: tuple[Any, ...], kwargs: dict[str, Any], parallelism: int
    ) -> DataStream:
        return self._environment._add(kind, code, args, kwargs, parallelism, self._operator)


class Results:
    """Rows that come to the main process: an iterator, to be read while the job runs.

    When nobody reads, the operators before wait.
    """

    def __init__(self, operator: str) -> None:
        self._operator = operator
        self._job: Job | None = None
        self._input: RowInput | None = None
        self._settled = threading.Event()  # connected, or the job has ended without that
        self._rows: Iterator[Any] | None = None
        self.exhausted = False

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        """The next row; waits for it.

        Raises:
            JobError: the job failed.
            RuntimeError: the environment was not submitted.
        """
        if self._rows is None:
            self._rows = self._read()
        return next(self._rows)

    def __repr__(self) -> str:
        state = "exhausted" if self.exhausted else "not submitted" if self._job is None else "open"
        return f"<Results of {self._operator} {state}>"

    def _read(self) -> Iterator[Any]:
        job = self._job
        if job is None:
            raise RuntimeError("results() are read after submit()")
        self._settled.wait()
        if self._input is not None:
            try:
                for batch in self._input.batches():
                    for row in batch:
                        yield load_row(row)
            except LinkLostError:
                job._join()  # raises what it failed with; otherwise it was cancelled
                return
            finally:
                self._input.close()
        else:
            job.wait()
        self.exhausted = True

    def _attach(self, job: Job) -> None:
        self._job = job
        self._input = None
        self._settled.clear()
        self._rows = None
        self.exhausted = False

    def _detach(self) -> None:
        """The job has ended; what nobody has read is dropped."""
        if isinstance(self._rows, Generator):
            with contextlib.suppress(ValueError):  # it is being read, by whom it will be closed
                self._rows.close()
        elif self._input is not None:
            self._input.close()

    def _connect(self, links: list[socket.socket], capacity: int) -> None:
        self._input = RowInput(links, capacity)
        self._settled.set()

    def _settle(self) -> None:
        """The job has ended; whoever waits for rows need not."""
        self._settled.set()


def _checked_name(what: str, name: str) -> str:
    """`name`, if it may stand in process titles and logs."""
    if not re.fullmatch(r"[^\s/\[\]]([^/\[\]\n]{0,62}[^\s/\[\]])?", str(name)):
        raise ValueError(
            f"{name!r} is no name for a {what}: 1 to 64 characters without '/', '[', ']' or line breaks"
        )
    return name


def _wait_or_cancel(job: Job) -> None:
    """Wait for the end; Ctrl-C, or whatever ends the waiting, ends the job first."""
    try:
        job.wait()
    except BaseException:
        with contextlib.suppress(Exception):  # what made the waiting end is what is to be seen
            job.cancel()
        raise
