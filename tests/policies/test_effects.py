"""No policy is silent: wherever it is given, for whatever kind of method, it takes effect, or is refused, or
said to have none.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import logging
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.wrappers_pb2 import StringValue

import sage_rpc
from sage_rpc.config import load_config, policies_of
from sage_rpc.operators import LocalEnvironment
from sage_rpc.policies import (
    BatchPolicy,
    BreakerPolicy,
    CachePolicy,
    HedgingPolicy,
    MethodPolicy,
    PoolPolicy,
    RetryBudgetPolicy,
    RetryPolicy,
    ServicePolicy,
    from_service_config,
    method_policy,
    policy_from,
    policy_of,
)
from sage_rpc.policies.sources.proto import OptionError
from sage_rpc.proto.v1 import invoke_pb2, options_pb2
from tests.conformance.invocation import WAYS, Way

KINDS = {
    "unary_unary": "OneOne",
    "unary_stream": "OneMany",
    "stream_unary": "ManyOne",
    "stream_stream": "ManyMany",
}
MANY = [kind for kind in KINDS if kind != "unary_unary"]
SERIALIZERS = StringValue.SerializeToString, StringValue.FromString
WRAPPERS = "google/protobuf/wrappers.proto"
BATCH = "/sage.rpc.v1.Invocation/Batch"
numbers = itertools.count()


class Subject(grpc.GenericRpcHandler):
    """A server of any service with these methods: they do what their requests say, and it remembers them."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.knows_batches = True
        self.server = sage_rpc.server(futures.ThreadPoolExecutor(16), [self])
        self.target = f"127.0.0.1:{self.server.add_insecure_port('127.0.0.1:0')}"
        self.server.start()

    def service(self, details: Any) -> Any:
        if details.method == BATCH and self.knows_batches:
            request, response = invoke_pb2.BatchRequest, invoke_pb2.BatchResponse
            return grpc.unary_unary_rpc_method_handler(
                self.batch, request.FromString, response.SerializeToString
            )
        kind = next((k for k, name in KINDS.items() if details.method.endswith("/" + name)), None)
        if kind is None:
            return None
        make = getattr(grpc, f"{kind}_rpc_method_handler")
        return make(
            lambda *args: self.answer(kind, *args), StringValue.FromString, StringValue.SerializeToString
        )

    def batch(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.calls.append((BATCH, {}))
        return invoke_pb2.BatchResponse(results=request.calls)  # of each call its request

    def answer(self, kind: str, request: Any, context: grpc.ServicerContext) -> Any:
        request = next(iter(request)) if kind.startswith("stream") else request
        self.calls.append(
            (request.value, {**dict(context.invocation_metadata()), "left": context.time_remaining()})
        )
        what, code = request.value.split()[0], request.value.partition("!")[2]
        if what == "slow":
            over = threading.Event()
            context.add_callback(over.set)
            over.wait(20)
        elif what == "fails" or (what == "flaky" and self.count(request.value) == 1):
            context.abort(getattr(grpc.StatusCode, code), "as asked")
        return iter([request]) if kind.endswith("stream") else request

    def count(self, value: str) -> int:
        return sum(found == value for found, _ in self.calls)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[list[Subject], str]]:
    directory = tmp_path_factory.mktemp("effects")
    directory.chmod(0o700)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAGE_RPC_RUNTIME_DIR", str(directory))
        subjects = [Subject(), Subject()]
    yield subjects, str(directory)
    for subject in subjects:
        subject.server.stop(None).wait(10)


@pytest.fixture
def subjects(servers: tuple[list[Subject], str], monkeypatch: pytest.MonkeyPatch) -> list[Subject]:
    monkeypatch.setenv("SAGE_RPC_RUNTIME_DIR", servers[1])
    return servers[0]


def declared(options: Callable[[str], Any] = lambda _kind: None, general: Any = None) -> str:
    """The name of a new service with a method of each kind; they and the service have these options."""
    name = f"Effects{next(numbers)}"
    file = descriptor_pb2.FileDescriptorProto(
        name=f"{name}.proto",
        package="effects",
        dependency=["google/protobuf/wrappers.proto"],
        syntax="proto3",
    )
    service = file.service.add(name=name)
    for kind, method in KINDS.items():
        made = service.method.add(
            name=method,
            input_type=".google.protobuf.StringValue",
            output_type=".google.protobuf.StringValue",
            client_streaming=kind.startswith("stream"),
            server_streaming=kind.endswith("stream"),
        )
        said = options(kind)
        if said is not None:
            made.options.Extensions[options_pb2.method].CopyFrom(said)
    if general is not None:
        service.options.Extensions[options_pb2.service].CopyFrom(general)
    descriptor_pool.Default().AddSerializedFile(file.SerializeToString())
    return f"effects.{name}"


# -- what takes effect: each field, and how that is seen

SAID: dict[str, dict[str, Any]] = {
    "timeout": {"timeout": 0.3},
    "idempotent": {"idempotent": True, "retry": {"initial_backoff": 0.001, "codes": ["INTERNAL"]}},
    "retry": {"retry": {"initial_backoff": 0.001}, "idempotent": True},
    "hedging": {"hedging": {"delay": 0.001}, "idempotent": True},
    "cache": {"cache": {"ttl": 60}},
    "batch": {"batch": {"max_delay": 0.001}},
    "key": {"key": "value"},
    "priority": {"priority": 3},
    "fallback": {"fallback": "instead"},
}
COMPLAINED_OF = {"idempotent": "retry"}  # which is what it would be for
OPTIONS = {"key": "affinity_key", "idempotent": "retry"}


def takes_effect(field: str, subjects: list[Subject], call: Callable[[str], Any]) -> bool:
    name = f"{field} {next(numbers)}"
    if field == "timeout":
        began = time.monotonic()
        with pytest.raises(sage_rpc.errors.DeadlineExceeded):
            call(f"slow {name}")
        return time.monotonic() - began < 10
    if field in ("retry", "idempotent", "fallback"):
        code = "UNAVAILABLE" if field == "retry" else "INTERNAL"
        try:
            return bool(call(f"{'fails' if field == 'fallback' else 'flaky'} {name} !{code}"))
        except grpc.RpcError:
            return False
    text = f"slow {name}" if field == "hedging" else f"echo {name}"
    if field == "hedging":
        try:
            call(text)
        except grpc.RpcError:
            return subjects[0].count(text) > 1
    call(text)
    if field == "cache":
        call(text)
        return subjects[0].count(text) == 1
    if field == "batch":
        return BATCH in [found for found, _ in subjects[0].calls]
    if field == "priority":
        return {m.get("sage-rpc-priority") for found, m in subjects[0].calls if found == text} == {"3"}
    texts = [f"echo {name} {number}" for number in range(11)]  # odd: they do not fall into step
    for each in texts * 2:
        call(each)
    return all(0 in [subject.count(each) for subject in subjects] for each in texts)


# -- where it is said

SOURCES: dict[str, Callable[..., ServicePolicy]] = {}


def source(make: Callable[..., ServicePolicy]) -> Callable[..., ServicePolicy]:
    SOURCES[make.__name__] = make
    return make


@source
def mapping(kind: str, said: dict[str, Any], **_: Any) -> ServicePolicy:
    return policy_from({"methods": {KINDS[kind]: said}})


@source
def default(kind: str, said: dict[str, Any], **_: Any) -> ServicePolicy:
    return policy_from({"default": said})


@source
def decorator(kind: str, said: dict[str, Any], **_: Any) -> ServicePolicy:
    policy = policy_from({"default": said}).default
    fields = {name: getattr(policy, name) for name in said}
    name = {"OneOne": "one_one", "OneMany": "one_many", "ManyOne": "many_one", "ManyMany": "many_many"}[
        KINDS[kind]
    ]

    def method() -> None: ...

    found = policy_of(type("Said", (), {name: method_policy(**fields)(method)}))
    assert found is not None
    return found


@source
def yaml(kind: str, said: dict[str, Any], tmp_path: Path, **_: Any) -> ServicePolicy:
    path = tmp_path / "config.yaml"
    path.write_text(
        json.dumps({"services": {"s": {"class": "m.C", "policy": {"methods": {KINDS[kind]: said}}}}})
    )
    return policies_of(load_config(path))["s"]


@source
def service_config(kind: str, said: dict[str, Any], service: str, **_: Any) -> ServicePolicy:
    entry: dict[str, Any] = {"name": [{"service": service, "method": KINDS[kind]}]}
    if "timeout" in said:
        entry["timeout"] = "0.3s"
    elif "retry" in said:
        codes = said["retry"].get("codes", ["UNAVAILABLE"])
        entry["retryPolicy"] = {"maxAttempts": 3, "initialBackoff": "0.001s", "maxBackoff": "1s"}
        entry["retryPolicy"] |= {"backoffMultiplier": 2, "retryableStatusCodes": codes}
    else:
        entry["hedgingPolicy"] = {"maxAttempts": 2, "hedgingDelay": "0.001s"}
    return from_service_config({"methodConfig": [entry]}, service)


def option(said: dict[str, Any]) -> Any:
    """The same as an option of a `.proto`."""
    made = options_pb2.MethodOptions()
    if "timeout" in said:
        made.deadline_seconds = said["timeout"]
    if "idempotent" in said:
        made.idempotent = True
    if "retry" in said:
        made.retry.max_attempts, made.retry.initial_backoff_seconds = 3, 0.001
        made.retry.retryable_codes.extend([13] if "codes" in said["retry"] else [])
    if "cache" in said:
        made.cache.ttl_seconds = 60
    if "batch" in said:
        made.batch.max_delay_seconds = 0.001
    if "key" in said:
        made.affinity_key = "value"
    return made


HAS = {  # of sources that cannot say everything
    "service_config": {"timeout", "idempotent", "retry", "hedging"},
    "proto": {"timeout", "idempotent", "retry", "cache", "batch", "key"},
}
ROWS = [
    pytest.param(field, source, way, id=f"{field}-{source}-{way}")
    for field in SAID
    for source in [*SOURCES, "proto"]
    for way in WAYS
    if field in HAS.get(source, SAID) and way.style != "with_call"
]


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def expected(field: str, source: str, kind: str) -> str:
    if kind == "unary_unary" or field == "timeout" or (field == "key" and kind == "unary_stream"):
        return "takes effect"
    return "is refused" if source == "proto" else "is said to have no effect"


@pytest.mark.parametrize(("field", "source", "way"), ROWS)
def test_a_policy_takes_effect_or_says_why_not(
    subjects: list[Subject],
    field: str,
    source: str,
    way: Way,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    said, kind = SAID[field], way.kind
    service = declared(lambda each: option(said) if source == "proto" and each == kind else None)
    policy = ServicePolicy()
    if source != "proto":
        policy = SOURCES[source](kind, said, service=service, tmp_path=tmp_path)
    if field == "key":
        policy = replace(policy, pool=PoolPolicy(balancing="consistent_hash"))
    targets = [subject.target for subject in subjects[: 2 if field == "key" else 1]]
    for subject in subjects:
        subject.calls.clear()
    outcome = set()
    with sage_rpc.ServiceManager(policy=policy) as manager:
        manager.register("subject", targets, service=service)
        try:
            make = getattr(manager.channel_of(service), kind)
            method = make(f"/{service}/{KINDS[kind]}", *SERIALIZERS)
        except OptionError as error:
            outcome.add("is refused" if f"option {OPTIONS.get(field, field)}" in str(error) else str(error))
        else:

            def call(text: str) -> Any:
                limit = {"timeout": 0.5} if field == "hedging" else {}
                answer = way.invoke(method, [StringValue(value=text)], **limit)
                if way.style == "iterator":
                    return list(answer)
                return answer.result(30) if way.style == "future" else answer

            if takes_effect(field, subjects, call):
                outcome.add("takes effect")
    about = f"{COMPLAINED_OF.get(field, field)} has no effect for "
    told = [text for text in warnings_of(caplog) if about in text]
    if any(KINDS[kind] in text for text in told):
        outcome.add("is said to have no effect")
    assert outcome == {expected(field, source, kind)}
    assert len(told) == len(set(told))


# -- what cannot take effect together, or where it stands

QUICK = {"retry": RetryPolicy(initial_backoff=0.5)}


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        (ServicePolicy(methods={"OneOen": MethodPolicy(timeout=1)}), "OneOen .*did you mean OneOne"),
        (
            ServicePolicy(methods={"one_oen": MethodPolicy(timeout=1)}),
            "one_oen .*did you mean one_one",
        ),
        (
            ServicePolicy(methods={"OneOne": MethodPolicy(retry=RetryPolicy(codes=["ABORTED"]))}),
            "retry has no effect for OneOne: .*not idempotent",
        ),
        (ServicePolicy(methods={"OneOne": MethodPolicy(timeout=0.2, **QUICK)}), "first wait, 0.5 s"),
        (
            ServicePolicy(
                methods={"OneOne": MethodPolicy(timeout=0.2, hedging=HedgingPolicy(delay=3, codes=[]))}
            ),
            "hedging has no effect for OneOne: its delay, 3 s",
        ),
        (
            ServicePolicy(methods={"OneOne": MethodPolicy(timeout=0.2, batch=BatchPolicy(max_delay=0.5))}),
            "batch has no effect for OneOne: calls end before it leaves",
        ),
        (ServicePolicy(methods={"OneOne": MethodPolicy(key="value")}), "key has no effect.*is round_robin"),
        (ServicePolicy(breaker=BreakerPolicy()), "breaker has no effect for OneMany, ManyOne, ManyMany"),
        (ServicePolicy(retry_budget=RetryBudgetPolicy(max_tokens=9)), "retry_budget bounds only"),
        (ServicePolicy(pool=PoolPolicy(balancing="least_outstanding")), "balancing.*there is one endpoint"),
        (ServicePolicy(pool=PoolPolicy(prefer_local=False)), "prefer_local.*there is one endpoint"),
    ],
)
def test_what_cannot_work_where_it_stands_is_said_once(
    subjects: list[Subject], policy: ServicePolicy, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    service = declared()
    with sage_rpc.ServiceManager(policies={"subject": policy}) as manager:
        manager.register("subject", subjects[0].target, service=service)
        for _ in range(3):
            with contextlib.suppress(sage_rpc.errors.DeadlineExceeded):
                manager.get_sync_proxy("subject").one_one(value="echo")
            manager.set_policy("subject", policy)
    told = warnings_of(caplog)
    assert len([text for text in told if re.search(says, text)]) == 1, told


def test_what_works_is_not_complained_of(subjects: list[Subject], caplog: pytest.LogCaptureFixture) -> None:
    retry = MethodPolicy(retry=RetryPolicy(), cache=CachePolicy(), priority=1, idempotent=True)
    policy = ServicePolicy(default=MethodPolicy(timeout=5), methods={"one_one": retry}, breaker=None)
    with sage_rpc.ServiceManager(policies={"subject": policy}) as manager:
        manager.register("subject", [subject.target for subject in subjects], service=declared())
        manager.get_sync_proxy("subject").one_one(value="echo")
        manager.get_sync_proxy("subject").one_one.with_options(timeout=1, priority=2)(value="echo")
    assert warnings_of(caplog) == []


def test_a_call_that_goes_past_its_policies_says_so(
    subjects: list[Subject], caplog: pytest.LogCaptureFixture
) -> None:
    service = declared()
    policy = ServicePolicy(methods={"OneOne": MethodPolicy(fallback="instead", timeout=5)})
    with sage_rpc.ServiceManager(policy=policy) as manager:
        manager.register("subject", subjects[0].target, service=service)
        method = manager.channel_of(service).unary_unary(f"/{service}/OneOne", *SERIALIZERS)
        for _ in range(2):
            method.with_call(StringValue(value="echo"))
            method(StringValue(value="echo"), wait_for_ready=True)
            method.future(StringValue(value="echo"), wait_for_ready=True).result(20)
    told = [text for text in warnings_of(caplog) if "for calls of OneOne" in text]
    assert len(told) == 1
    assert "fallback has no effect" in told[0]


def test_a_server_that_knows_no_batches_is_told_of(
    subjects: list[Subject], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subjects[0], "knows_batches", False)
    policy = ServicePolicy(default=MethodPolicy(batch=BatchPolicy()))
    with sage_rpc.ServiceManager(policy=policy) as manager:
        manager.register("subject", subjects[0].target, service=declared())
        for _ in range(2):
            assert manager.get_sync_proxy("subject").one_one(value="echo").value == "echo"
    assert caplog.text.count("its server knows no batches") == 1


def test_options_of_one_call_that_have_no_effect_are_said(
    subjects: list[Subject], caplog: pytest.LogCaptureFixture
) -> None:
    with sage_rpc.ServiceManager({"subject": subjects[0].target}) as manager:
        manager.get_sync_proxy("subject").get.with_options(key=0)
        manager.get_sync_proxy("subject").get.with_options(key=0)
    assert caplog.text.count("key has no effect for get: balancing is round_robin") == 1


def test_a_policy_for_a_service_that_is_misspelt_is_said(caplog: pytest.LogCaptureFixture) -> None:
    sage_rpc.ServiceManager({"cache": "localhost:1"}, policies={"cahce": ServicePolicy()}).close()
    assert "policies['cahce'] has no effect: did you mean cache?" in caplog.text


class Plain:
    def get(self, key: str) -> str:
        return key

    def _private(self) -> None: ...


def test_a_policy_for_a_method_that_a_class_does_not_have_is_refused_where_the_class_is_known() -> None:
    env = LocalEnvironment("policies")
    env.set_policy("plain", ServicePolicy(methods={"gte": MethodPolicy(timeout=1)}))
    env.register_service("plain", Plain)
    with pytest.raises(ValueError, match=r"methods.gte has no effect.*did you mean get"):
        env.submit()


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: method_policy(timeout=1)(Plain._private), "is private"),
        (lambda: method_policy(timeout=1)(property(lambda self: 1)), "is none"),
        (lambda: policy_from({"timeout": 2}), "it is a field of .*MethodPolicy"),
        (lambda: policy_from({"max_running": 2}), "it is a field of AdmissionPolicy"),
        (lambda: policy_from({"stats": "no"}), "stats is 'no': expected True or False"),
        (lambda: policy_from({"pool": {"prefer_local": "no"}}), "prefer_local is 'no'"),
        (lambda: policy_from({"default": {"key": True}}), "key is True"),
        (lambda: sage_rpc.policies.AdmissionPolicy(max_waiting=0, max_wait=1), "no call waits"),
    ],
)
def test_what_has_no_effect_anywhere_is_refused(make: Callable[[], Any], says: str) -> None:
    with pytest.raises((ValueError, TypeError), match=says):
        make()


def test_static_and_class_methods_have_policies() -> None:
    class Said:
        @method_policy(timeout=1)
        @staticmethod
        def one() -> None: ...

        @method_policy(timeout=2)
        @classmethod
        def two(cls) -> None: ...

    assert {name: each.timeout for name, each in policy_of(Said).methods.items()} == {"one": 1, "two": 2}
