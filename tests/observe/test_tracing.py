"""Tracing: spans of both ends, their parents, over both transports and several services."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from pathlib import Path

import grpc
import pytest
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, TraceIdRatioBased
from opentelemetry.trace import SpanKind, StatusCode

import sage_rpc
from sage_rpc import errors
from sage_rpc.observe.quick_spans import QuickSpans
from sage_rpc.observe.tracing import TraceContextFilter, Tracing, trace_ids
from sage_rpc.observe.tree import read_spans, render
from tests.conftest import ServerProcess
from tests.rpc.test_stubs import implement, shop  # noqa: F401 - a fixture
from tests.waiting import until

ROOT = Path(__file__).parents[2]
SECONDS = 20


class Spans:
    """A provider, and what it was given."""

    def __init__(self, *more, **options):
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False, **options)
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        for processor in more:
            self.provider.add_span_processor(processor)

    @property
    def finished(self):
        return sorted(self.exporter.get_finished_spans(), key=lambda span: span.start_time)


class Leaf:
    def get(self, key):
        return key, trace_ids()

    def fail(self, key):
        raise KeyError(key)

    def refuse(self):
        raise sage_rpc.Abort(grpc.StatusCode.UNAVAILABLE, "not today")


class Relay:
    def __init__(self, manager):
        self._manager = manager

    def get(self, key):
        return self._manager.get_sync_proxy("leaf").get(key)

    def later(self, key):
        return self._manager.get_async_proxy("leaf").get(key).result(SECONDS)


@pytest.fixture(params=["quick", "ordinary"])
def spans(request):
    """With a processor that wants to see spans start, nothing is quick."""

    class Watching(SpanProcessor):
        def on_start(self, span, parent_context=None):
            pass

    made = Spans(*([Watching()] if request.param == "ordinary" else []))
    assert (QuickSpans.of(made.provider) is not None) == (request.param == "quick")
    return made


@pytest.fixture
def traced(spans, transport, face):
    """A relay and a leaf, in this process so that their spans are here; calls cross real transports."""
    tracing = Tracing(spans.provider)
    options = [("sage_rpc.transport", transport)]
    with sage_rpc.ServiceHost("leaf", Leaf(), tracing=tracing) as leaf:
        inner = sage_rpc.ServiceManager(
            {"leaf": leaf.address}, timeout=SECONDS, options=options, tracing=tracing
        )
        with (
            inner,
            sage_rpc.ServiceHost("relay", Relay(inner), tracing=tracing) as relay,
            face(
                {"leaf": leaf.address, "relay": relay.address},
                timeout=SECONDS,
                options=options,
                tracing=tracing,
            ) as manager,
        ):
            yield manager


@pytest.mark.parametrize("method", ["get", "later"])
@pytest.mark.parametrize("way", ["waits", "future"])
def test_one_trace_goes_through_services_that_call_services(traced, spans, method, way):
    if way == "waits":
        _, ids = getattr(traced.get_sync_proxy("relay"), method)("k")
    else:
        _, ids = getattr(traced.get_async_proxy("relay"), method)("k").result(SECONDS)
    client, served, inner, leaf = spans.finished
    assert [span.name for span in (client, served, inner, leaf)] == [
        f"relay/{method}",
        f"relay/{method}",
        "leaf/get",
        "leaf/get",
    ]
    kinds = [span.kind for span in (client, served, inner, leaf)]
    assert kinds == [SpanKind.CLIENT, SpanKind.SERVER] * 2
    assert client.parent is None
    for child, parent in ((served, client), (inner, served), (leaf, inner)):
        assert child.parent.span_id == parent.context.span_id
        assert child.context.trace_id == client.context.trace_id
        assert parent.start_time <= child.start_time
    assert ids == (f"{client.context.trace_id:032x}", f"{leaf.context.span_id:016x}")
    assert dict(client.attributes) == {"rpc.system.name": "sage_rpc", "rpc.method": f"relay/{method}"}
    assert served.attributes["network.peer.address"]
    assert client.status.status_code is StatusCode.UNSET
    assert client.end_time > client.start_time
    assert client.resource == spans.provider.resource


def test_a_call_is_a_child_of_what_is_being_done(traced, spans):
    with spans.provider.get_tracer("test").start_as_current_span("work") as work:
        traced.get_sync_proxy("leaf").get("k")
        assert traced.generate_trace_id() == f"{work.get_span_context().trace_id:032x}"
    client = next(span for span in spans.finished if span.kind is SpanKind.CLIENT)
    assert client.parent.span_id == work.get_span_context().span_id


def test_failures_are_in_the_spans(traced, spans):
    proxy = traced.get_sync_proxy("leaf")
    with pytest.raises(sage_rpc.RemoteError):
        proxy.fail("k")
    with pytest.raises(errors.Unavailable):
        traced.get_async_proxy("leaf").refuse().result(SECONDS)
    for kind in (SpanKind.CLIENT, SpanKind.SERVER):
        failed, refused = (span for span in spans.finished if span.kind is kind)
        assert failed.status.status_code is refused.status.status_code is StatusCode.ERROR
        assert failed.attributes["error.type"] == "builtins.KeyError"
        assert refused.attributes["error.type"] == "UNAVAILABLE"
        assert refused.attributes["rpc.response.status_code"] == "UNAVAILABLE"
        assert "not today" in refused.status.description


def test_a_wrong_call_is_the_clients_error_only(traced, spans):
    with pytest.raises(errors.InvalidArgument):
        traced.get_sync_proxy("leaf").get()
    client, server = spans.finished
    assert client.status.status_code is StatusCode.ERROR
    assert server.status.status_code is StatusCode.UNSET
    assert server.attributes["rpc.response.status_code"] == "INVALID_ARGUMENT"


def test_a_declared_service_is_traced_too(shop, spans, transport):  # noqa: F811
    tracing = Tracing(spans.provider)
    host = sage_rpc.ServiceHost(
        "shop", implement(shop), add_to_server=shop[1].add_ShopServicer_to_server, tracing=tracing
    )
    endpoint = sage_rpc.ServiceEndpoint(host.address, "test.shop.Shop")
    options = [("sage_rpc.transport", transport)]
    with host, sage_rpc.ServiceManager({"shop": endpoint}, options=options, tracing=tracing) as manager:
        assert manager.get_sync_proxy("shop").get_price(name="fig").amount == 3
    client, server = spans.finished
    assert client.name == server.name == "test.shop.Shop/GetPrice"
    assert client.attributes["rpc.system.name"] == server.attributes["rpc.system.name"] == "grpc"
    assert server.parent.span_id == client.context.span_id


@pytest.mark.parametrize(
    "options", [{"sampler": ALWAYS_OFF}, {"sampler": TraceIdRatioBased(0.0)}], ids=["off", "ratio"]
)
def test_what_the_sampler_leaves_out_is_left_out_everywhere(options, transport):
    spans = Spans(**options)
    tracing = Tracing(spans.provider)
    with (
        sage_rpc.ServiceHost("leaf", Leaf(), tracing=tracing) as leaf,
        sage_rpc.ServiceManager(
            {"leaf": leaf.address}, options=[("sage_rpc.transport", transport)], tracing=tracing
        ) as manager,
    ):
        _, ids = manager.get_sync_proxy("leaf").get("k")
    assert ids is not None  # the trace goes on, unsampled
    assert spans.finished == []


def test_a_processor_that_is_added_later_is_seen(transport):
    spans = Spans()
    tracing = Tracing(spans.provider)
    started = []

    class Watching(SpanProcessor):
        def on_start(self, span, parent_context=None):
            started.append(span.name)

    with (
        sage_rpc.ServiceHost("leaf", Leaf()) as leaf,
        sage_rpc.ServiceManager(
            {"leaf": leaf.address}, options=[("sage_rpc.transport", transport)], tracing=tracing
        ) as manager,
    ):
        manager.get_sync_proxy("leaf").get(1)
        manager.get_sync_proxy("leaf").get(2)
        spans.provider.add_span_processor(Watching())
        manager.get_sync_proxy("leaf").get(3)
    assert started == ["leaf/get"]
    assert len(spans.finished) == 3


def test_without_a_provider_nothing_is_sent_and_nothing_breaks(transport):
    """In a process of its own: another test may have given this one a provider."""
    program = """
import sys, sage_rpc
from tests.observe.test_tracing import Leaf
options = [("sage_rpc.transport", sys.argv[1])]
with sage_rpc.ServiceHost("leaf", Leaf(), tracing=True) as leaf:
    with sage_rpc.ServiceManager({"leaf": leaf.address}, options=options, tracing=True) as manager:
        print(manager.get_sync_proxy("leaf").get("k"))
"""
    command = [sys.executable, "-c", program, transport]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=True)
    assert done.stdout == "('k', None)\n"


def test_a_traced_manager_logs_as_the_design_says(transport, caplog):
    class TracedServiceManager(sage_rpc.ServiceManager):
        """The design document's own, as written."""

        def call_service_sync(self, service_name, method_name, *args, **kwargs):
            import time

            trace_id = self.generate_trace_id()
            self.logger.info(f"Service call started: {trace_id} -> {service_name}.{method_name}")  # noqa: G004

            start_time = time.time()
            try:
                result = super().call_service_sync(service_name, method_name, *args, **kwargs)
                self.logger.info(f"Service call completed: {trace_id} in {time.time() - start_time:.3f}s")  # noqa: G004
                return result
            except Exception as e:
                self.logger.error(f"Service call failed: {trace_id} - {e}")  # noqa: G004, TRY400
                raise

    for kind in (TracedServiceManager, sage_rpc.TracedServiceManager):
        caplog.clear()
        with (
            caplog.at_level(logging.INFO),
            sage_rpc.ServiceHost("leaf", Leaf()) as leaf,
            kind({"leaf": leaf.address}, options=[("sage_rpc.transport", transport)]) as manager,
        ):
            manager.call_service_sync("leaf", "get", "k")
            with pytest.raises(sage_rpc.RemoteError):
                manager.call_service_sync("leaf", "fail", "k", timeout=5.0)
        lines = [r.getMessage() for r in caplog.records if r.getMessage().startswith("Service call")]
        assert [line.split(":")[0] for line in lines] == [
            "Service call started",
            "Service call completed",
            "Service call started",
            "Service call failed",
        ]
        assert "-> leaf.get" in lines[0]
        assert lines[0].split()[3] == lines[1].split()[3] != lines[2].split()[3]


def test_log_records_carry_the_trace(caplog):
    spans = Spans()
    logger = logging.getLogger("tests.tracing")
    found = TraceContextFilter()
    logger.addFilter(found)
    try:
        with caplog.at_level(logging.INFO, "tests.tracing"):
            logger.info("outside")
            with spans.provider.get_tracer("test").start_as_current_span("work") as work:
                logger.info("inside")
    finally:
        logger.removeFilter(found)
    outside, inside = caplog.records
    assert (outside.trace_id, outside.span_id) == ("-", "-")
    assert inside.trace_id == f"{work.get_span_context().trace_id:032x}"


def test_tracing_pickles_with_the_global_provider_only():
    import pickle

    assert isinstance(pickle.loads(pickle.dumps(Tracing())), Tracing)
    with pytest.raises(TypeError, match=r"does not pickle: .*or set the provider globally"):
        pickle.dumps(Tracing(Spans().provider))


def test_without_opentelemetry_the_error_says_what_to_install():
    code = (
        "import sys; sys.modules['opentelemetry'] = None\n"
        "import sage_rpc\n"
        "try: sage_rpc.ServiceManager(tracing=True)\n"
        "except RuntimeError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert "pip install 'sage-rpc[tracing]'" in done.stdout, done.stderr


def test_one_trace_goes_through_three_processes(transport, tmp_path):
    """Here, a relay, a leaf: each writes its own spans, and together they are one tree."""
    files = [tmp_path / "relay", tmp_path / "leaf"]
    with (
        ServerProcess(f"spans={files[0]}", program="policy_services.py") as relay,
        ServerProcess(f"spans={files[1]}", program="policy_services.py") as leaf,
    ):
        spans = Spans()
        with sage_rpc.ServiceManager(
            {"subject": relay.target},
            timeout=SECONDS,
            options=[("sage_rpc.transport", transport)],
            tracing=Tracing(spans.provider),
        ) as manager:
            assert manager.get_sync_proxy("subject").relay_echo(leaf.target, "x") == "x"
        pids = [relay.process.pid, leaf.process.pid]
    here = [span.to_json(indent=None) for span in spans.finished]
    records = read_spans([*here, *(line for file in files for line in file.read_text().splitlines())])
    assert len({record.trace_id for record in records}) == 1
    lines = [line for line in render(records) if "subject/" in line]
    assert [line.index("subject/") for line in lines] == [0, 3, 6, 9]
    assert [line.split("subject/")[1].split("  ")[0] for line in lines] == [
        "relay_echo client [unknown_service:python]",
        f"relay_echo server [process {pids[0]}]",
        f"echo client [process {pids[0]}]",
        f"echo server [process {pids[1]}]",
    ]


# ---------------------------------------------------------------- the tree


@pytest.fixture
def file_of_spans(traced, spans, tmp_path):
    with pytest.raises(sage_rpc.RemoteError):
        traced.get_sync_proxy("leaf").fail("k")
    traced.get_sync_proxy("relay").get("k")
    path = tmp_path / "spans.jsonl"
    path.write_text("".join(span.to_json(indent=None) + "\n" for span in spans.finished))
    return path


def test_the_tree_shows_who_called_whom_and_for_how_long(file_of_spans):
    lines = render(read_spans(file_of_spans.read_text().splitlines()))
    texts = [line.rstrip() for line in lines]
    assert sum(line.startswith("trace ") for line in texts) == 2
    assert any("leaf/fail" in line and "builtins.KeyError" in line for line in texts)
    relay = next(i for i, line in enumerate(texts) if "relay/get" in line)
    depths = [
        line.index(name)
        for line, name in zip(texts[relay : relay + 4], ["relay/get"] * 2 + ["leaf/get"] * 2, strict=True)
    ]
    assert depths == sorted(set(depths))
    assert all("ms" in line for line in texts[relay : relay + 4])


def test_the_command_shows_it_too(file_of_spans):
    command = [sys.executable, "-m", "sage_rpc", "trace", str(file_of_spans)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert "relay/get" in done.stdout
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, timeout=30, cwd=ROOT)
    traces = json.loads(done.stdout)
    assert sorted(len(each["spans"]) for each in traces) == [2, 4]


@pytest.mark.parametrize(("content", "says"), [("nonsense\n", "line 1: "), ('{"name": "x"}\n', "line 1: ")])
def test_what_is_no_span_is_named_with_its_line(tmp_path, content, says):
    path = tmp_path / "spans"
    path.write_text(content)
    command = [sys.executable, "-m", "sage_rpc", "trace"]
    done = subprocess.run([*command, str(path)], capture_output=True, text=True, timeout=30, cwd=ROOT)
    assert done.returncode == 2
    assert says in done.stderr
    done = subprocess.run([*command, "/no/such"], capture_output=True, text=True, timeout=30, cwd=ROOT)
    assert done.returncode == 2
    assert "/no/such" in done.stderr


# ---------------------------------------------------------------- streams


@pytest.fixture
def traced_shop(shop, spans, transport):  # noqa: F811
    """A declared service whose calls leave spans on both sides, and what calls it."""
    tracing = Tracing(spans.provider)
    host = sage_rpc.ServiceHost(
        "shop", implement(shop), add_to_server=shop[1].add_ShopServicer_to_server, tracing=tracing
    )
    endpoint = sage_rpc.ServiceEndpoint(host.address, "test.shop.Shop")
    options = [("sage_rpc.transport", transport)]
    with (
        host,
        sage_rpc.ServiceManager(
            {"shop": endpoint}, timeout=SECONDS, options=options, tracing=tracing
        ) as manager,
    ):
        yield shop[1].ShopStub(manager.channel_of("test.shop.Shop"))


def both_spans(spans):
    """The client's and the server's, once there are both."""
    until(lambda: len(spans.finished) == 2, SECONDS)
    return sorted(spans.finished, key=lambda span: span.kind is SpanKind.SERVER)


def test_a_stream_is_a_span_on_both_sides_that_ends_with_it(shop, traced_shop, spans):  # noqa: F811
    items = [shop[0].Item(name=name) for name in ("fig", "kiwi", "plum")]
    stream = traced_shop.WatchPrices(iter(items))
    assert next(stream).amount == 3
    assert not any(span.kind is SpanKind.CLIENT for span in spans.finished)
    assert [price.amount for price in stream] == [4, 4]
    client, server = both_spans(spans)
    assert client.name == server.name == "test.shop.Shop/WatchPrices"
    assert server.parent.span_id == client.context.span_id
    for span in (client, server):
        assert span.attributes["sage_rpc.messages_sent"] == span.attributes["sage_rpc.messages_received"] == 3
        assert span.attributes["rpc.response.status_code"] == "OK"
        assert span.status.status_code is StatusCode.UNSET


def test_a_stream_that_fails_says_so_in_both_spans(shop, traced_shop, spans):  # noqa: F811
    with pytest.raises(grpc.RpcError):
        list(traced_shop.WatchPrices(iter([shop[0].Item(name="fig"), shop[0].Item()])))
    client, server = both_spans(spans)
    assert client.attributes["rpc.response.status_code"] == "INVALID_ARGUMENT"
    assert client.attributes["error.type"] == "INVALID_ARGUMENT"
    assert client.status.status_code is StatusCode.ERROR
    assert server.attributes["rpc.response.status_code"] == "INVALID_ARGUMENT"
    assert server.attributes["sage_rpc.messages_received"] == 2


def test_a_stream_that_is_let_go_of_ends_both_spans_once(shop, traced_shop, spans, transport):  # noqa: F811
    go_on = threading.Event()

    def items():
        yield shop[0].Item(name="fig")
        go_on.wait(SECONDS)

    for price in traced_shop.WatchPrices(items()):
        assert price.amount == 3
        break
    client, server = both_spans(spans)
    go_on.set()
    assert client.attributes["rpc.response.status_code"] == "CANCELLED"
    # gRPC may tell a handler that its requests have ended before it tells it that they were cancelled.
    possible = {"CANCELLED", "OK"} if transport == "grpc" else {"CANCELLED"}
    assert server.attributes["rpc.response.status_code"] in possible
    assert client.attributes["sage_rpc.messages_received"] == 1
