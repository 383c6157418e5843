"""Statistics: what is counted, in which window, how exact, and what Prometheus makes of it."""

from __future__ import annotations

import concurrent.futures
import json
import random
import shutil
import subprocess
import sys
import threading
import time
import urllib.request

import pytest

import sage_rpc
from sage_rpc import errors
from sage_rpc.observe.histogram import Histogram, bucket_of, upper_bound
from sage_rpc.observe.prometheus import exposition, serve_metrics
from sage_rpc.observe.stats import CallStats, Stats
from sage_rpc.policies import ServicePolicy
from tests.conftest import ServerProcess

SECONDS = 20

# ---------------------------------------------------------------- the histogram


def test_buckets_follow_each_other_without_gaps():
    numbers = [0, 1, 15, 16, 31, 32, 33, 1000, 10**6, 10**9, 3600 * 10**9]
    for number in numbers:
        assert number < upper_bound(bucket_of(number)) <= max(1, number) * (1 + 1 / 16) + 1
    found = [bucket_of(number) for number in range(100_000)]
    assert found == sorted(found)
    assert set(found) == set(range(found[-1] + 1))


def test_quantiles_are_off_by_less_than_four_percent():
    draw = random.Random(1)
    samples = sorted(draw.lognormvariate(-9, 1.5) for _ in range(20_000))
    histogram = Histogram()
    for sample in samples:
        histogram.add(sample)
    for q in (0.5, 0.9, 0.99, 0.999):
        exact = samples[int(q * len(samples)) - 1]
        assert histogram.quantile(q) == pytest.approx(exact, rel=0.04)
    assert histogram.mean == pytest.approx(sum(samples) / len(samples), rel=1e-3)


def test_histograms_merge_as_if_everything_had_been_counted_in_one():
    parts, whole = [Histogram(), Histogram()], Histogram()
    for number in range(1000):
        parts[number % 2].add(number / 1000)
        whole.add(number / 1000)
    parts[0].merge(parts[1])
    assert parts[0] == whole


def test_an_empty_histogram_and_an_impossible_quantile():
    assert Histogram().quantile(0.5) == 0
    assert Histogram().mean == 0
    with pytest.raises(ValueError, match=r"from 0 to 1, not 1\.5"):
        Histogram().quantile(1.5)


# ---------------------------------------------------------------- counting


@pytest.fixture(scope="module")
def subject(tmp_path_factory):
    directory = tmp_path_factory.mktemp("stats")
    directory.chmod(0o700)
    with ServerProcess(program="policy_services.py", env={"SAGE_RPC_RUNTIME_DIR": str(directory)}) as process:
        yield process, directory


@pytest.fixture
def manager(subject, transport, face, monkeypatch):
    monkeypatch.setenv("SAGE_RPC_RUNTIME_DIR", str(subject[1]))
    with face(
        {"subject": subject[0].target}, timeout=SECONDS, options=[("sage_rpc.transport", transport)]
    ) as made:
        yield made


def test_every_call_is_counted_once_by_method_transport_and_outcome(manager, transport):
    proxy, later = manager.get_sync_proxy("subject"), manager.get_async_proxy("subject")
    for _ in range(5):
        proxy.echo(b"x" * 100)
    assert [later.echo(n).result(SECONDS) for n in range(3)] == [0, 1, 2]
    with pytest.raises(errors.RpcError):
        proxy.fail("ABORTED")
    with pytest.raises(errors.RpcError):
        later.fail("ABORTED").result(SECONDS)
    with pytest.raises(sage_rpc.RemoteError):
        proxy.broken("x")
    with pytest.raises(TimeoutError):
        proxy(0.3, method="sleep", timeout=0.05)
    stats = manager.stats()
    assert [(row.service, row.method, row.transport) for row in stats] == [
        ("subject", method, transport) for method in ("broken", "echo", "fail", "sleep")
    ]
    echo = stats.of("subject", "echo")
    assert (echo.calls, echo.successes, echo.failures, echo.success_rate) == (8, 8, {}, 1.0)
    assert 500 < echo.bytes_received < 600
    assert echo.bytes_sent > 500
    assert 0 < echo.p50 <= echo.p90 <= echo.p99 <= echo.p999 < SECONDS
    assert stats.of("subject", "fail").failures == {"ABORTED": 2}
    assert stats.of("subject", "broken").failures == {"UNKNOWN": 1}
    assert stats.of("subject", "sleep").failures == {"DEADLINE_EXCEEDED": 1}
    assert stats.of("subject", "sleep").p50 == pytest.approx(0.05, rel=0.9)
    whole = stats.of("subject")
    assert (whole.calls, whole.in_flight) == (12, 0)
    assert stats.of("subject", transport="other").calls == 0


def test_what_is_under_way_is_shown(manager, transport):
    gate = f"shown over {transport}"  # gates stay open, and the server is that of all tests
    future = manager.get_async_proxy("subject").hold(gate)
    assert manager.stats().of("subject", "hold").in_flight == 1
    manager.get_sync_proxy("subject").release(gate)
    assert future.result(SECONDS)
    assert manager.stats().of("subject", "hold").in_flight == 0


def test_no_call_is_lost_among_threads(manager):
    proxy = manager.get_sync_proxy("subject")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: [proxy.pid() for _ in range(100)], range(8)))
    row = manager.stats().of("subject", "pid")
    assert (row.calls, row.latency.count, row.in_flight) == (800, 800, 0)
    assert sum(each.calls for each in manager.stats(window=300)) == 800


def test_a_service_may_go_without(manager):
    manager.set_policy("subject", ServicePolicy(stats=False))
    manager.get_sync_proxy("subject").echo(1)
    assert len(manager.stats()) == 0


@pytest.mark.parametrize("window", [0, -1, 301, float("nan")])
def test_an_impossible_window_is_named(manager, window):
    with pytest.raises(ValueError, match=r"a window of .* s: expected more than 0, at most 300 s"):
        manager.stats(window=window)


def test_windows_forget_what_is_older(monkeypatch):
    """The clock is moved instead of waited for."""
    now = 10_000 * 10**9
    monkeypatch.setattr(time, "monotonic_ns", lambda: now)
    stats = CallStats("s", "m", lambda: "shm")

    def call():
        stats.begin()
        stats.end(now - 1_000_000, None, 1, 1)

    for seconds in range(400):
        now = (10_000 + seconds) * 10**9 + 500_000_000
        for _ in range(1 + (seconds == 399)):
            call()
    counted = {
        window: sum(row.calls for row in Stats.read([stats], window)) for window in (1, 10, 60, 300, None)
    }
    assert counted == {1: 3, 10: 12, 60: 62, 300: 302, None: 401}
    (row,) = Stats.read([stats], 10)
    assert row.per_second == pytest.approx(12 / 10.5)
    now += 1000 * 10**9
    assert sum(row.calls for row in Stats.read([stats], 300)) == 0
    assert sum(row.calls for row in Stats.read([stats])) == 401


def test_a_reading_travels_as_json_and_merges_with_others(manager):
    proxy = manager.get_sync_proxy("subject")
    for _ in range(4):
        proxy.echo(1)
    stats = manager.stats()
    copy = Stats.from_list(json.loads(json.dumps(stats.to_list())))
    assert copy.to_list() == stats.to_list()
    merged = stats.merge(copy)
    assert merged.of("subject", "echo").calls == 8
    assert stats.of("subject", "echo").calls == 4
    with pytest.raises(ValueError, match="not a row of statistics"):
        Stats.from_list([{"service": "x"}])


# ---------------------------------------------------------------- Prometheus


def test_the_exposition_says_what_was_counted(manager, transport):
    proxy = manager.get_sync_proxy("subject")
    for _ in range(3):
        proxy.echo(1)
    with pytest.raises(errors.RpcError):
        proxy.fail("ABORTED")
    text = exposition(manager.stats()).decode()
    labels = f'method="echo",service="subject",transport="{transport}"'
    assert f'sage_rpc_calls_total{{code="OK",{labels}}} 3.0' in text
    assert 'code="ABORTED",method="fail"' in text
    assert f'sage_rpc_call_seconds_bucket{{le="+Inf",{labels}}} 3.0' in text
    assert f"sage_rpc_call_seconds_count{{{labels}}} 3.0" in text
    assert f"sage_rpc_calls_in_flight{{{labels}}} 0.0" in text


def test_a_bad_address_of_metrics_is_named():
    with pytest.raises(ValueError, match="expected 'host:port'"):
        serve_metrics(Stats, "nowhere")


@pytest.mark.skipif(shutil.which("prometheus") is None, reason="needs Debian's package prometheus")
def test_a_real_prometheus_scrapes_it(subject, monkeypatch, tmp_path):
    monkeypatch.setenv("SAGE_RPC_RUNTIME_DIR", str(subject[1]))
    with (
        sage_rpc.ServiceManager({"subject": subject[0].target}, timeout=SECONDS) as manager,
        serve_metrics(manager.stats) as endpoint,
    ):
        for _ in range(7):
            manager.get_sync_proxy("subject").echo(1)
        (tmp_path / "prometheus.yml").write_text(
            "scrape_configs:\n"
            "- job_name: sage_rpc\n"
            "  scrape_interval: 200ms\n"
            "  scrape_timeout: 200ms\n"
            f"  static_configs: [{{targets: ['{endpoint.address}']}}]\n"
        )
        # Prometheus tells its port nobody, so it listens where a moment ago nobody did.
        import socket

        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        with (tmp_path / "log").open("w") as log:
            process = subprocess.Popen(
                [
                    "prometheus",
                    f"--config.file={tmp_path / 'prometheus.yml'}",
                    f"--storage.tsdb.path={tmp_path / 'data'}",
                    f"--web.listen-address=127.0.0.1:{port}",
                ],
                stdout=log,
                stderr=log,
            )
        try:
            assert ask(port, 'sum(sage_rpc_calls_total{service="subject",method="echo",code="OK"})') == 7
            quantile = "histogram_quantile(0.5, sum by (le) (sage_rpc_call_seconds_bucket))"
            assert 0 < ask(port, quantile) < 1
        finally:
            process.terminate()
            process.wait(SECONDS)


def ask(port: int, query: str) -> float:
    """What Prometheus answers, once it has scraped."""
    url = f"http://127.0.0.1:{port}/api/v1/query?query=" + urllib.request.quote(query)
    end = time.monotonic() + SECONDS
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                result = json.load(answer)["data"]["result"]
        except OSError:
            result = []
        if result and result[0]["value"][1] != "NaN":
            return float(result[0]["value"][1])
        assert time.monotonic() < end, "Prometheus has not scraped"
        threading.Event().wait(0.05)


def test_without_prometheus_client_the_error_says_what_to_install():
    """In an interpreter that does not find the package."""
    code = (
        "import sys; sys.modules['prometheus_client'] = None\n"
        "from sage_rpc.observe.prometheus import serve_metrics\n"
        "from sage_rpc.observe.stats import Stats\n"
        "try: serve_metrics(Stats)\n"
        "except RuntimeError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert "pip install 'sage-rpc[metrics]'" in done.stdout, done.stderr


def test_a_client_that_passes_on_names_of_others_keeps_no_more_of_them_than_its_bound():
    class Echo:
        def echo(self, value):
            return value

    with (
        sage_rpc.ServiceHost("echo", Echo()) as host,
        sage_rpc.ServiceManager({"echo": host.address}, timeout=SECONDS) as manager,
    ):
        proxy = manager.get_sync_proxy("echo")
        assert proxy.echo(1) == 1
        for number in range(1500):
            with pytest.raises(errors.Unimplemented):
                proxy(method=f"made_up_{number}")
            with pytest.raises(errors.Unimplemented):
                getattr(proxy, f"made_up_{number}")()
        with pytest.raises(errors.Unimplemented):
            proxy(method="long" * 100)
        assert proxy.echo(2) == 2
        stats = manager.stats()
        assert len(stats) <= 1001
        assert stats.of("echo").calls == 3003
        assert stats.of("echo", "echo").calls == 2
        assert stats.of("echo", "(other)").calls == 3003 - 2 - 2 * 999
        assert len(vars(proxy)) <= 1010
