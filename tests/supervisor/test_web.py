"""What a supervisor shows: the page in a real browser, metrics, top, stats, traces, bench, completion."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from sage_rpc.cli.commands.top import sparkline
from sage_rpc.observe.stats import StatsRow
from sage_rpc.supervisor.rates import Rates
from tests.supervisor.test_serve import BASE, ROOT, Served, command
from tests.waiting import until

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
SERVICES = BASE + "  echo: {class: supervised.Echo, process_count: 2}\n"


def get(url: str, **headers: str) -> tuple[int, str, Any]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=20) as answer:
            return answer.status, answer.read().decode(), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(), error.headers


def address_of(served: Served, what: str) -> str:
    return served.wait_for(f"the {what} is at").rpartition(" ")[2].rstrip("/")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    directory = tmp_path_factory.mktemp("web")
    file = directory / "config.yaml"
    file.write_text(f"name: shop\nobservability: {{metrics: '127.0.0.1:0'}}\n{SERVICES}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAGE_RPC_RUNTIME_DIR", str(directory / "run"))
        with Served(file, "--dashboard", "127.0.0.1:0") as running:
            yield running


@pytest.fixture(autouse=True)
def its_directory(served: Served, tmp_path_factory: pytest.TempPathFactory, monkeypatch: Any) -> None:
    """The commands of each test meet the module's supervisor."""
    about = next(line for line in served.lines if "dashboard is at" in line)
    assert about
    monkeypatch.setenv("SAGE_RPC_RUNTIME_DIR", str(served.path.parent / "run"))


@pytest.mark.slow
def test_the_page_shows_services_calls_and_errors_in_a_real_browser(served: Served, tmp_path: Path) -> None:
    if CHROMIUM is None:
        pytest.skip("there is no Chromium: apt-get install chromium")
    page = address_of(served, "dashboard")
    command("call", "echo.fail", code=1)
    assert "raised" in command("call", "echo.shout", '["<img src=x onerror=alert(1)>"]', code=1)

    def shown() -> str:
        return subprocess.run(
            [
                CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync",
                f"--user-data-dir={tmp_path}", "--virtual-time-budget=3000", "--dump-dom", f"{page}/",
            ],
            capture_output=True, text=True, timeout=55,
        ).stdout  # fmt: skip

    until(lambda: "<img src=x" in get(f"{page}/state")[1])  # processes tell the supervisor now and then
    dom = shown()
    assert "sage-rpc shop" in dom
    assert "2 of 2" in dom
    assert '<td class="serving">serving</td>' in dom
    assert "echo.fail" in dom
    assert "ValueError: no" in dom
    assert "<polyline" in dom
    assert "&lt;img src=x" in dom  # what services say is text
    assert "<img" not in dom


def test_its_data_tells_everything(served: Served) -> None:
    page = address_of(served, "dashboard")
    command("call", "echo.greet")
    status, text, headers = get(f"{page}/state")
    state = json.loads(text)
    assert (status, state["name"]) == (200, "shop")
    assert [p["state"] for p in state["processes"]] == ["serving", "serving"]
    until(
        lambda: (
            "echo.greet"
            in {f"{c['service']}.{c['method']}" for c in json.loads(get(f"{page}/state")[1])["calls"]}
        )
    )
    until(lambda: json.loads(get(f"{page}/state")[1])["rates"].get("echo"))
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert get(f"{page}/nothing")[0] == 404
    text = get(f"{page}/")[1]
    assert re.findall(r"(?:src|href)=.([^\"]*)", text) == ["page.css", "page.js"]  # nothing from elsewhere
    for file, kind in (("page.css", "text/css"), ("page.js", "text/javascript")):
        assert get(f"{page}/{file}")[2]["Content-Type"].startswith(kind)


def test_no_script_in_the_page_itself_would_run(served: Served) -> None:
    _, text, headers = get(f"{address_of(served, 'dashboard')}/")
    policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert not re.search(r"<script>|<style|style=|\son\w+=", text)


def test_a_token_is_needed_where_one_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAGE_RPC_RUNTIME_DIR", str(tmp_path / "run"))
    file = tmp_path / "config.yaml"
    file.write_text("observability: {dashboard: {address: '0.0.0.0:0', token: s3cret}}\nservices: {}\n")
    with Served(file) as served:
        page = address_of(served, "dashboard").replace("0.0.0.0", "127.0.0.1")
        for path in ("/", "/state", "/metrics", "/?token=wrong"):
            assert get(f"{page}{path}")[0] == 401
        status, _, headers = get(f"{page}/?token=s3cret")
        assert status == 200
        assert "HttpOnly; SameSite=Strict" in headers["Set-Cookie"]
        assert get(f"{page}/state", Cookie="sage_rpc_token=s3cret")[0] == 200
        assert get(f"{page}/state", Authorization="Bearer s3cret")[0] == 200
        assert get(f"{page}/state", Authorization="Bearer s3cre")[0] == 401


def test_only_the_token_itself_becomes_a_cookie(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has the right cookie and follows a foreign link keeps it; nothing of the link is a header."""
    monkeypatch.setenv("SAGE_RPC_RUNTIME_DIR", str(tmp_path / "run"))
    file = tmp_path / "config.yaml"
    token = "s3;cr=e%t ü"
    file.write_text(
        f"observability: {{dashboard: {{address: '127.0.0.1:0', token: '{token}'}}}}\nservices: {{}}\n"
    )
    with Served(file) as served:
        page = address_of(served, "dashboard")
        status, _, headers = get(f"{page}/?token={quote(token)}")
        assert status == 200
        cookie = headers["Set-Cookie"].partition(";")[0]
        assert get(f"{page}/state", Cookie=f'theme={{"a": 1}}; {cookie}')[0] == 200
        for query in ("token=wrong", "token=", f"token=wrong&token={quote(token)}", "other=1"):
            status, _, headers = get(f"{page}/?{query}", Cookie=cookie)
            assert (status, headers["Set-Cookie"]) == (200, None)
        for query in ("token=%0d%0aX-Injected:%20yes", "token=a%00b", "%0a=1", "token=%C2%85"):
            status, text, headers = get(f"{page}/?{query}", Cookie=cookie)
            assert (status, headers["Set-Cookie"], headers["X-Injected"]) == (400, None, None)
            assert "Injected" not in text


def said_to(address: str, request: bytes) -> str:
    """The first line of the answer; "" for none."""
    with socket.create_connection(address_pair(address), 20) as connection:
        connection.sendall(request)
        return connection.makefile("rb").readline().decode("latin-1").strip()


def address_pair(url: str) -> tuple[str, int]:
    host, _, port = url.removeprefix("http://").partition("/")[0].rpartition(":")
    return host, int(port)


@pytest.mark.parametrize("what", ["dashboard", "metrics"])
def test_a_page_elsewhere_whose_name_leads_here_sees_nothing(served: Served, what: str) -> None:
    """DNS rebinding: the browser sends the name of the foreign page, and we have another."""
    url = address_of(served, what)
    port = address_pair(url)[1]

    def status(*fields: str, version: str = "1.1") -> str:
        lines = [f"GET /metrics HTTP/{version}", *fields, "", ""]
        return said_to(url, "\r\n".join(lines).encode()).partition(" ")[2]

    for host in (f"127.0.0.1:{port}", "127.0.0.1", f"LOCALHOST:{port}", "[::1]:80", "localhost."):
        assert status(f"Host: {host}") == "200 OK"
    for host in (
        "evil.example",
        f"evil.example:{port}",
        "127.0.0.1.evil.example",
        "10.1.2.3",
        "localhost@evil.example",
        "",
    ):
        assert status(f"Host: {host}") == "403 Forbidden"
    assert status("Host: localhost", "Host: evil.example") == "400 Bad Request"
    assert status() == "403 Forbidden"
    assert status(version="1.0") == "200 OK"


@pytest.mark.slow
def test_names_that_a_proxy_passes_on_may_be_given(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(
        f"observability: {{metrics: '0.0.0.0:0', hosts: [shop.example]}}\n{BASE}"
        "  echo: {class: supervised.Echo, address: '127.0.0.1:0', advertise: host-a}\n"
    )
    with Served(file) as served:
        url = address_of(served, "metrics").replace("0.0.0.0", "127.0.0.1")
        for host, status in (
            ("shop.example", 200),
            ("host-a:9464", 200),
            ("10.1.2.3:80", 200),
            (socket.gethostname(), 200),
            ("evil.example", 403),
        ):
            assert get(url, Host=host)[0] == status


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /\x00 HTTP/1.1\r\nHost: localhost\r\n\r\n", "400"),
        (b"GET /\x1b[31m HTTP/1.1\r\nHost: localhost\r\n\r\n", "400"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: a\x00b\r\n\r\n", "400"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n folded\r\n\r\n", "400"),
        (b"GET http://[ HTTP/1.1\r\nHost: localhost\r\n\r\n", "400"),
        (b"\xff\xfe\r\n\r\n", "400"),
        (b"\x16\x03\x01\r\n\r\n", "400"),
        (b"GET /state\r\n\r\n", "400"),
        (b"POST /state HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello", "501"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 100_000 + b"\r\n\r\n", "431"),
        (b"GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n", "404"),
        (b"GET //state HTTP/1.1\r\nHost: localhost\r\n\r\n", "404"),
        (b"HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n", "200"),
    ],
)
def test_every_request_gets_the_answer_that_it_deserves(served: Served, request_: bytes, status: str) -> None:
    assert said_to(address_of(served, "dashboard"), request_).split(" ")[1] == status


def test_half_requests_keep_nobody_from_looking(served: Served) -> None:
    page = address_of(served, "dashboard")
    supervisor = psutil.Process(served.process.pid)
    get(f"{page}/state")
    threads, descriptors = supervisor.num_threads(), supervisor.num_fds()
    with contextlib.ExitStack() as stack:
        for _ in range(300):
            half = stack.enter_context(socket.create_connection(address_pair(page), 20))
            half.sendall(b"GET / HTTP/1.1\r\nHost: local")
        for _ in range(10):
            assert get(f"{page}/state")[0] == 200
        assert supervisor.num_threads() <= threads + 5
        assert supervisor.num_fds() <= descriptors + 140
    until(lambda: supervisor.num_fds() <= descriptors + 5)


def test_a_dashboard_that_others_could_see_or_whose_port_is_taken_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAGE_RPC_RUNTIME_DIR", str(tmp_path / "run"))
    file = tmp_path / "config.yaml"
    file.write_text("services: {}\n")
    complaint = command("serve", str(file), "--dashboard", "0.0.0.0:0", code=1)
    assert "has no token" in complaint
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        complaint = command("serve", str(file), "--dashboard", f"127.0.0.1:{port}", code=1)
    assert complaint.endswith(
        f"sage-rpc: the dashboard cannot listen at 127.0.0.1:{port}: Address already in use\n"
    )


def test_metrics_are_what_prometheus_reads_and_grafana_draws(served: Served) -> None:
    command("call", "echo.greet")
    command("call", "echo.fail", code=1)
    text = get(address_of(served, "metrics"))[1]
    families = {family.name: family for family in text_string_to_metric_families(text)}
    served_calls = families["sage_rpc_served_calls"].samples
    codes = {(s.labels["method"], s.labels["code"]) for s in served_calls}
    assert {("greet", "OK"), ("fail", "UNKNOWN")} <= codes
    assert [s.value for s in families["sage_rpc_process_up"].samples] == [1.0, 1.0]
    known = {sample.name for family in families.values() for sample in family.samples}
    drawn = (ROOT / "docker" / "monitoring" / "grafana.json").read_text("utf-8")
    used = set(re.findall(r"sage_rpc_\w+", drawn))
    assert used <= known
    assert len(json.loads(drawn)["panels"]) == 8


@pytest.mark.slow
def test_top_stats_trace_and_bench(served: Served) -> None:
    measured = json.loads(command("bench", "echo.greet", "-n", "300", "-c", "2", "--json"))
    assert (measured["calls"], measured["failures"]) == (300, 0)
    assert 0 < measured["p50"] <= measured["p99"] <= measured["p99.9"]
    assert "300 calls by" in command("bench", "echo.greet", "-n", "300")
    assert "is registered" in command("bench", "eko.greet", code=1)
    (row,) = [r for r in json.loads(command("stats", "--json")) if r["method"] == "greet"]
    assert row["calls"] >= 600
    assert row["failures"] == 0
    assert "greet" in command("stats")
    (first, second) = command("top", "--json", "-n", "2", "-i", "0.2").splitlines()
    assert json.loads(first)["services"]["echo"]["calls"] >= 0
    assert len(json.loads(second)["processes"]) == 2
    frame = command("top", "-n", "1", "-i", "0.2", COLUMNS="120")
    assert "echo" in frame
    assert "2/2" in frame
    recent = json.loads(command("trace", "--recent", "--json", "-n", "5"))
    assert len(recent) == 5
    assert recent[-1]["code"] == "OK"


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completion_knows_the_commands(shell: str, tmp_path: Path) -> None:
    script = command("completion", shell)
    assert "drain" in script
    assert "--follow" in script
    if shell == "bash" and shutil.which("bash"):
        (tmp_path / "script").write_text(script)
        ask = (
            f"source {tmp_path}/script; COMP_WORDS=(sage-rpc dra); COMP_CWORD=1; COMP_LINE='sage-rpc dra'; "
            "COMP_POINT=12; $(complete -p sage-rpc | sed 's/.*-F \\([^ ]*\\).*/\\1/') sage-rpc dra sage-rpc; "
            "echo ${COMPREPLY[@]}"
        )
        done = subprocess.run(["bash", "-c", ask], capture_output=True, text=True, timeout=20)
        assert done.stdout.split() == ["drain"], done.stderr


def test_rates_are_differences_and_a_new_process_starts_from_nothing() -> None:
    def report(pid: int, calls: int, failures: int = 0) -> dict[str, Any]:
        row = StatsRow("s", "m", "shm", successes=calls - failures, failures={"UNKNOWN": failures})
        for _ in range(calls):
            row.latency.add(0.001)
        return {"service": "s", "number": 0, "pid": pid, "active": 1, "stats": [row.to_dict()]}

    rates = Rates()
    rates.update([report(1, 100)], 10.0)
    assert rates.services == {}
    rates.update([report(1, 120, 10)], 12.0)
    sample = rates.services["s"][-1]
    assert (sample.calls, sample.failures, sample.active) == (10.0, 5.0, 1)
    assert sample.p50 == pytest.approx(0.001, rel=0.04)
    rates.update([report(2, 6)], 14.0)
    assert rates.services["s"][-1].calls == 3.0
    rates.update([], 15.0)
    assert rates.services == {}


def test_a_sparkline_is_as_tall_as_its_greatest_value() -> None:
    assert sparkline([0, 1, 2, 4]) == "▁▃▅█"
    assert sparkline([0, 0]) == "▁▁"
    assert sparkline([]) == ""
