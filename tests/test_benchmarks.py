"""The benchmark command: a quick real run gives a sane record, bad input is refused, nothing stays behind."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import xml.etree.ElementTree as ET
from collections.abc import Container
from pathlib import Path

import psutil
import pytest

from benchmarks import answers, compare, echo_pb2, goals, measure, page, peers, plot, record, table
from benchmarks.peers.grpc_stub import EchoServicer
from benchmarks.scenarios import SCENARIOS, Cell, cells
from sage_rpc import native

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
STUB = "sage-shm" if native.available() else "sage-grpc"
PEERS = ["grpc-uds", "raw-uds", STUB, *(["sage-proxy"] if native.available() else [])]
STREAMS = ["server-stream", "client-stream", "ping-pong"]
PROXIES = ("sage-proxy", "sage-declared", "sage-declared-grpc", "grpc-uds")
ARRAYS = ("sage-proxy", "sage-empty", "sage-shm", "sage-aio", "grpc-uds", "grpc-aio")
UNARY = ["unary", "futures", "threads", "processes", "idle"]
AIO = ["aio-unary", "aio-window", "aio-ping-pong", "aio-server-stream"]
OVERLAPPING = {"batch-10", "futures", "futures-8", "server-stream", "client-stream", "aio-server-stream"}


def bench(*options: str, timeout: float = 50.0) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=timeout,
    )


def measured(out: Path, *options: str) -> tuple[dict, subprocess.CompletedProcess[str]]:
    done = bench("--quick", "--json", "--seconds", "0.1", "--out", str(out), *options)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, Path, subprocess.CompletedProcess[str]]:
    out = tmp_path_factory.mktemp("bench") / "made" / "record.json"
    found, done = measured(out, "--sizes", "64,64K", "--peers", ",".join(PEERS), "--only", ",".join(UNARY))
    return found, out, done


@pytest.fixture(scope="module")
def loads(tmp_path_factory: pytest.TempPathFactory) -> dict:
    out = tmp_path_factory.mktemp("bench") / "record.json"
    scenarios = "batch-10,futures-8,threads-1,processes-2,aio-window-1,rate-1000,connect,crowd"
    return measured(out, "--only", scenarios, "--peers", f"grpc-uds,{STUB}", "--sizes", "0")[0]


@pytest.fixture(scope="module")
def variants(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """Arrays, and proxies of every kind."""
    out = tmp_path_factory.mktemp("bench") / "record.json"
    chosen = ",".join(name for name in (*PROXIES, *ARRAYS) if peers.PEERS[name].missing() is None)
    return measured(out, "--only", "numpy,proxies,turns", "--sizes", "1M", "--peers", chosen)[0]


@pytest.fixture(scope="module")
def streams(tmp_path_factory: pytest.TempPathFactory) -> dict:
    out = tmp_path_factory.mktemp("bench") / "record.json"
    return measured(out, "--only", ",".join(STREAMS), "--peers", f"grpc-uds,{STUB}")[0]


@pytest.fixture(scope="module")
def aio(tmp_path_factory: pytest.TempPathFactory) -> dict:
    out = tmp_path_factory.mktemp("bench") / "record.json"
    chosen = ",".join(["grpc-uds", "sage-aio" if native.available() else "grpc-aio"])
    return measured(out, "--only", ",".join(AIO), "--peers", chosen)[0]


def test_json_is_the_record_that_is_kept(quick) -> None:
    printed, out, _ = quick
    assert printed == json.loads(out.read_text())
    assert printed["format"] == record.FORMAT
    assert printed["machine"]["cpus"] >= 1
    assert 0 <= printed["machine"]["others"] <= 1
    assert printed["versions"]["grpcio"]
    assert printed["parameters"]["sizes"] == [64, 65536]
    assert printed["absent"] == {}


def test_every_chosen_peer_is_in_every_scenario_it_can_do(quick, streams) -> None:
    found = {(cell["scenario"], cell["peer"], cell["size"]) for cell in quick[0]["cells"]}
    for peer in PEERS:
        assert {("unary", peer, 64), ("unary", peer, 65536)} <= found
        assert {("threads", peer, 64), ("processes", peer, 64), ("idle", peer, 64)} <= found
        assert (("futures", peer, 64) in found) == (peer != "raw-uds")
    assert {(cell["scenario"], cell["peer"]) for cell in streams["cells"]} == {
        (scenario, peer) for scenario in STREAMS for peer in ("grpc-uds", STUB)
    }


def test_asyncio_is_measured_against_both_kinds_of_server() -> None:
    usual = cells(AIO, list(peers.PEERS), [64], chosen=False)
    for scenario in AIO:
        for peer in ("grpc-uds", "grpc-aio", "sage-shm", "sage-aio"):
            assert Cell(scenario, peer, 64) in usual


@pytest.mark.parametrize("run", ["quick", "streams", "aio", "loads", "variants"])
def test_values_are_sane(run, request) -> None:
    printed = request.getfixturevalue(run)
    for cell in (printed[0] if run == "quick" else printed)["cells"]:
        assert cell["error"] is None
        found = cell["median"]
        assert len(cell["repeats"]) == 1
        if cell["scenario"] == "idle":
            # On average: what is measured is that nothing polls, and not to the millisecond.
            assert found["cpu_share"] < 0.2, cell
            continue
        assert found["calls"] >= measure.FEWEST_CALLS
        assert found["per_second"] == pytest.approx(found["calls"] / found["seconds"])
        assert found["cpu_us_per_call"] > 0
        assert 0 < found["least_share"] <= 1
        if cell["scenario"] not in OVERLAPPING:
            assert 0 < found["p50_us"] <= found["p99_us"] <= found["p999_us"] <= found["max_us"]
        if cell["peer"] == "grpc-uds":
            assert set(cell["ratio"].values()) == {1.0}


def _cell(found: dict, scenario: str, peer: str) -> dict:
    return next(c for c in found["cells"] if (c["scenario"], c["peer"]) == (scenario, peer))


def test_a_connection_costs_memory_at_both_ends(quick) -> None:
    for peer in ("grpc-uds", STUB):
        found = _cell(quick[0], "idle", peer)["median"]
        assert found["kib"] == pytest.approx(found["caller_kib"] + found["server_kib"])
        assert 1 < found["kib"] < 10_000


def test_a_thousand_idle_connections_do_not_slow_an_active_one(loads) -> None:
    found = _cell(loads, "crowd", STUB)["median"]
    # What is shown is that nothing goes through all of them. Whether both ends share a CPU, which other load
    # decides, makes a factor of six.
    assert found["p50_us"] < 12 * found["alone_p50_us"]


def test_calls_are_made_at_the_rate_that_was_asked_for(loads) -> None:
    assert _cell(loads, "rate-1000", STUB)["median"]["per_second"] == pytest.approx(1000, rel=0.1)


def test_every_kind_of_proxy_and_array_is_measured_beside_grpcio(variants) -> None:
    found = {(cell["scenario"], cell["peer"]) for cell in variants["cells"]}
    for scenario, there in (("proxies", PROXIES), ("numpy", ARRAYS)):
        assert {peer for name, peer in found if name == scenario} == {
            peer for peer in there if peers.PEERS[peer].missing() is None
        }


def test_what_a_proxy_adds_to_grpcio_is_measured_in_turns(variants) -> None:
    (cell,) = [cell for cell in variants["cells"] if cell["scenario"] == "turns"]
    found = cell["median"]
    assert found["of_bare"] == pytest.approx(found["p50_us"] / found["bare_p50_us"])
    assert "of bare" in table.render(variants)


def test_progress_is_on_stderr(quick) -> None:
    printed, _, done = quick
    assert f"{len(printed['cells'])}/{len(printed['cells'])}" in done.stderr


def _ratio(found: dict, scenario: str, value: str) -> float:
    return next(
        cell["ratio"][value]
        for cell in found["cells"]
        if (cell["scenario"], cell["peer"], cell["size"]) == (scenario, "sage-shm", 64)
    )


@pytest.mark.skipif(not native.available(), reason="the native core is not built")
def test_a_stub_over_the_memory_queue_is_many_times_faster_than_grpcio(quick, streams) -> None:
    # Far below what it is, so that a busy machine does not matter.
    assert _ratio(quick[0], "unary", "p50_us") > 10
    assert _ratio(streams, "server-stream", "per_second") > 5
    assert _ratio(streams, "client-stream", "per_second") > 5


def test_the_table_shows_every_cell(quick, streams, loads) -> None:
    text = table.render(quick[0])
    for peer in PEERS:
        assert f"  {peer} " in text
    assert "unary, 64 KiB" in text
    assert "x\n" in text
    text = table.render(streams)
    for words in ("messages/s", "CPU us/message", "round trips/s", "server-stream, 64 B"):
        assert words in text
    text = table.render(loads)
    for words in ("alone p50 us", "p99.9 us", "futures-8, 0 B: one caller, 8 futures under way"):
        assert words in text


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--peers", "grpc-usd"], "did you mean grpc-uds?"),
        (["--peers", ","], "name at least one peer"),
        (["--only", "binary"], "did you mean unary?"),
        (["--sizes", "x"], "bad size 'x'"),
        (["--quick", "--full"], "not allowed with argument --quick"),
        (["--only", "nothing-*"], "no scenario 'nothing-*'"),
        (["--sizes", "64,1G"], "bad size '1G'"),
        (["--repeats", "0"], "expected 1 to 1000"),
        (["--seconds", "-1"], "expected seconds"),
        (["--peers", "raw-uds", "--only", "futures"], "nothing to measure"),
        (["--out", "/"], "it is a directory"),
        (["--compare", "/none.json"], "cannot read /none.json: No such file"),
        (["--compare", "README.md"], "README.md is not JSON"),
        (["--goals", "--peers", "sage-shm"], "and so does --peers"),
        (["--read", "/dev/null", "--only", "unary"], "so --only has no meaning beside it"),
        (["--out", "/proc/none/x.json"], "cannot write /proc/none/x.json"),
    ],
)
def test_bad_input_is_refused_before_anything_runs(options: list[str], said: str) -> None:
    done = bench(*options)
    assert done.returncode == 2
    assert said in done.stderr
    assert not done.stdout


def test_list_names_scenarios_and_peers() -> None:
    done = bench("--list")
    assert done.returncode == 0
    for name in ("unary", "idle", "sage-shm", "grpc-uds", "iceoryx2"):
        assert name in done.stdout


def test_every_scenario_and_peer_is_explained() -> None:
    text = (ROOT / "docs" / "benchmarking.md").read_text("utf-8")
    for scenario in SCENARIOS.values():
        assert f"`{scenario.family or scenario.name}" in text
        if scenario.name != scenario.family:
            assert f"`{scenario.name}`" in text or f"`-{scenario.x}`" in text, scenario.name
    for peer in peers.PEERS:
        assert f"| `{peer}` |" in text


def test_absent_peers_are_named_and_no_error(tmp_path: Path) -> None:
    # A module that cannot be imported stands before the real one.
    (tmp_path / "zmq.py").write_text("raise ImportError('not on this machine')\n")
    done = subprocess.run(
        [
            sys.executable, "-m", "benchmarks", "--peers", "pyzmq,raw-uds", "--only", "unary",
            "--sizes", "64", "--repeats", "1", "--seconds", "0.05", "--out", str(tmp_path / "r.json"),
        ],
        cwd=ROOT, capture_output=True, text=True, timeout=50,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "absent: pyzmq: cannot import zmq: not on this machine" in done.stdout
    assert json.loads((tmp_path / "r.json").read_text())["absent"].keys() == {"pyzmq"}


@pytest.mark.parametrize(
    ("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -signal.SIGKILL)]
)
def test_no_process_outlives_the_command(tmp_path: Path, sent: signal.Signals, code: int) -> None:
    with subprocess.Popen(
        [
            sys.executable, "-m", "benchmarks", "--peers", "raw-uds,grpc-uds", "--only", "processes",
            "--seconds", "30", "--repeats", "2", "--out", str(tmp_path / "r.json"),
        ],
        cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    ) as command:  # fmt: skip
        suite = psutil.Process(command.pid)
        children: list[psutil.Process] = []
        while len(children) < 9 and command.poll() is None:  # a server and eight callers
            children = suite.children()
        command.send_signal(sent)
        assert command.wait(20) == code, command.stderr.read()
        _, alive = psutil.wait_procs(children, timeout=10)
        assert not alive
    assert not (tmp_path / "r.json").exists()
    if sent != signal.SIGKILL:
        assert not list(tmp_path.iterdir())


class Liar:
    """A caller, each of whose answers is wrong a little."""

    shared = True

    def prepare(self, payload: bytes) -> bytes:
        return payload

    def call(self, request: bytes) -> bytes:
        return request[:-1] + b"?"

    def responses(self, requests: list[bytes]):
        yield from [*requests, *reversed(requests)]

    def collect(self, requests) -> tuple[int, list[bytes]]:
        every = list(requests)
        return len(every) - 1, every[: answers.DISTINCT]


@pytest.mark.parametrize(
    ("loop", "said"),
    [
        (measure.unary, "64 bytes for 64 sent"),
        (measure.server_stream, "64 bytes for 64 sent"),
        (measure.client_stream, r"of \d+ messages, \d+ came"),
    ],
)
def test_a_wrong_answer_fails_the_cell(loop, said: str) -> None:
    with pytest.raises(answers.WrongAnswerError, match=said):
        loop(Liar(), answers.payloads(64), 0.05, contextlib.nullcontext())


class Slow:
    """A caller whose calls of some numbers take a hundredth of a second, and all others none."""

    def __init__(self, numbers: Container[int]) -> None:
        self.numbers = numbers
        self.calls = 0

    def prepare(self, payload: bytes) -> bytes:
        return payload

    def call(self, request: bytes) -> bytes:
        self.calls += 1
        if self.calls in self.numbers:
            threading.Event().wait(0.01)
        return request


class Notes(contextlib.nullcontext):
    """A window that lets a caller count its calls anew when it opens."""

    def __init__(self, caller: Slow) -> None:
        super().__init__(caller)
        self.notes: dict[str, float] = {}

    def __enter__(self) -> None:
        self.enter_result.calls = 0


def test_latency_at_a_rate_counts_from_when_a_call_was_due() -> None:
    # While one call takes 10 ms, others become due: each has waited for it.
    caller = Slow({50})
    found = measure.paced(caller, answers.payloads(64), 0.1, window := Notes(caller), 1000)
    assert len(found) == 100
    assert window.notes["calls"] > 90
    assert sum(latency > 5_000_000 for latency in found) >= 5


def test_calls_that_were_due_and_not_made_count_as_long_as_they_waited() -> None:
    caller = Slow(range(10**6))
    found = measure.paced(caller, answers.payloads(64), 0.2, window := Notes(caller), 1000)
    assert len(found) == 200
    assert measure.FEWEST_CALLS <= window.notes["calls"] <= 25
    assert measure.quantile(sorted(found), 0.5) > 50_000


def test_a_stream_that_ends_too_early_fails_the_cell() -> None:
    class Quitter(Liar):
        def responses(self, requests: list[bytes]):
            yield requests[0]

    with pytest.raises(answers.WrongAnswerError, match="ended after 1 messages"):
        measure.server_stream(Quitter(), answers.payloads(64), 0.05, contextlib.nullcontext())


def test_the_server_of_a_stream_of_requests_compares_them() -> None:
    wrong = [echo_pb2.Blob(payload=payload) for payload in (b"a", b"b", b"c", b"d", b"a", b"B")]

    class Context:
        def abort(self, code, details):
            raise LookupError(details)

    with pytest.raises(LookupError, match="request 5 is not the one that is due"):
        EchoServicer().Collect(iter(wrong), Context())


def test_a_failed_cell_stands_in_the_record_and_in_the_table() -> None:
    failed = record.cells_of({Cell("unary", "pyzmq", 64): ["benchmarks.call ended with code 1: it broke"]})
    assert failed[0]["median"] is None
    assert "it broke" in failed[0]["error"]
    head = {"cpus": 2, "cpu": "?", "kernel": "?", "python": "?", "stolen": None, "others": 0.5}
    shown = {"machine": head, "versions": {}, "parameters": {"repeats": 1, "seconds": 1.0}, "absent": {}}
    text = table.render({**shown, "cells": failed})
    assert "FAILED: benchmarks.call ended" in text
    assert "other processes took 50% of the CPU time" in text


def _record(cells: dict[tuple[str, str], list[float] | str], by: str = "p50_us") -> dict:
    """A record whose repeats have these values."""
    results = {
        Cell(scenario, peer, 64): [values]
        if isinstance(values, str)
        else [
            dict.fromkeys(("p50_us", "p99_us", "cpu_us_per_call", "per_second"), 1.0) | {by: value}
            for value in values
        ]
        for (scenario, peer), values in cells.items()
    }
    machine = {"cpu": "?", "cpus": 2, "revision": None}
    return {"format": 1, "created": "then", "machine": machine, "cells": record.cells_of(results)}


@pytest.mark.parametrize(
    ("old", "new", "verdict"),
    [
        ([10, 11, 10, 12, 11], [14, 15, 14, 16, 15], compare.Verdict.WORSE),
        ([10, 11, 10, 12, 11], [7, 8, 7, 8, 7], compare.Verdict.BETTER),
        ([10, 11, 10, 12, 11], [11, 10.5, 11, 10.5, 11], compare.Verdict.SAME),
        ([10, 11, 10, 16, 11], [14, 15, 14, 16, 15], compare.Verdict.SAME),  # within the noise of before
        ([10, 10, 10, 10, 10], [10.5, 10.5, 10.5, 10.5, 10.5], compare.Verdict.SAME),  # less than 10 %
        ([10, 11, 10, 12], [14, 15, 14, 16, 15], compare.Verdict.TOO_FEW),
        ([10, 11, 10, 12, 11], "it broke", compare.Verdict.WORSE),
    ],
)
def test_a_change_is_one_beyond_noise(old: list[float], new: list[float] | str, verdict) -> None:
    key = ("unary", "raw-uds")
    (change,) = compare.changes(_record({key: old}), _record({key: new}))
    assert change.verdict is verdict
    text = compare.render(_record({key: old}), _record({key: new}))
    assert ("WORSE" in text) == (verdict is compare.Verdict.WORSE)


def test_a_slower_machine_is_no_regression() -> None:
    ours, reference = ("unary", "sage-grpc"), ("unary", "grpc-uds")
    old = _record({ours: [100.0] * 5, reference: [200.0] * 5})
    found = compare.changes(old, _record({ours: [150.0] * 5, reference: [300.0] * 5}))
    assert [(change.peer, change.relative, change.verdict) for change in found] == [
        ("sage-grpc", True, compare.Verdict.SAME),
        ("grpc-uds", False, compare.Verdict.WORSE),
    ]


def test_more_calls_per_second_are_better() -> None:
    key = ("futures", "sage-grpc")
    old, new = (_record({key: [rate] * 5}, "per_second") for rate in (1000.0, 2000.0))
    assert compare.changes(old, new)[0].verdict is compare.Verdict.BETTER
    assert compare.changes(new, old)[0].verdict is compare.Verdict.WORSE


def test_a_rate_that_was_not_kept_up_has_no_latency_to_compare() -> None:
    (cell,) = _record({("rate-1000", "grpc-uds"): [800.0] * 5}, "per_second")["cells"]
    assert "p99_us" not in cell["ratio"]
    slow = {"format": 1, "created": "", "machine": {}, "cells": [cell]}
    assert compare.changes(slow, slow) == []


def test_regressions_since_a_record_have_an_exit_code(quick, tmp_path: Path) -> None:
    now = json.loads(json.dumps(quick[0]))
    for cell in now["cells"]:
        cell["repeats"] *= 5
    before = json.loads(json.dumps(now))
    worst = next(c for c in before["cells"] if (c["scenario"], c["peer"]) == ("unary", "raw-uds"))
    (tmp_path / "now.json").write_text(json.dumps(now))
    (tmp_path / "same.json").write_text(json.dumps(before))
    for found in (worst["median"], *worst["repeats"]):
        found["p50_us"] /= 2
    (tmp_path / "before.json").write_text(json.dumps(before))
    paths = {name: str(tmp_path / f"{name}.json") for name in ("now", "same", "before")}
    done = bench("--read", paths["now"], "--compare", paths["same"])
    assert done.returncode == 0, done.stderr
    assert "0 worse beyond noise" in done.stdout
    done = bench("--read", paths["now"], "--compare", paths["before"])
    assert done.returncode == 3, done.stderr
    assert "1 worse beyond noise" in done.stdout


def test_a_record_of_another_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "old.json"
    for text, said in (
        ('{"format": 0, "cells": []}', "has format 0"),
        ("[]", "is not the record of a run"),
    ):
        path.write_text(text)
        with pytest.raises(compare.RecordError, match=said):
            compare.read(path)


def _state(ours: float | str, reference: float, what: str = "unary, p99") -> goals.State:
    values = {("unary", "sage-shm"): ours if isinstance(ours, str) else [ours] * 5}
    found = _record({**values, ("unary", "grpc-uds"): [reference] * 5}, "p99_us")
    return next(state for state in goals.states(found) if state.goal.what == what)


@pytest.mark.parametrize(
    ("ours", "verdict"),
    [(5.0, "aim reached"), (20.0, "holds"), (40.0, "MISSED"), ("it broke", "not measured")],
)
def test_a_goal_is_a_ratio_inside_one_run(ours: float | str, verdict: str) -> None:
    state = _state(ours, 1000.0)
    assert state.verdict == verdict
    assert state.reaches(state.goal.must) == (verdict in {"aim reached", "holds"})


def test_every_goal_can_be_measured() -> None:
    for goal in goals.GOALS:
        for cell in goal.cells:
            scenario = SCENARIOS[cell.scenario]
            assert peers.PEERS[cell.peer].can(scenario.loop)
            assert cell.peer in scenario.peers
            assert cell.size in scenario.sizes


def test_goals_that_are_missed_have_an_exit_code(quick) -> None:
    done = bench("--read", str(quick[1]), "--goals")
    assert done.returncode == 4, done.stderr
    assert "16 MiB numpy array through a proxy, p50" in done.stdout
    assert "not measured" in done.stdout


@pytest.mark.skipif(plot.missing() is not None, reason="matplotlib is not installed")
def test_the_page_shows_every_cell_and_its_charts(quick, loads, tmp_path: Path) -> None:
    both = {**loads, "cells": [*quick[0]["cells"], *loads["cells"]]}
    path = tmp_path / "speed.md"
    (tmp_path / "speed").mkdir()
    (tmp_path / "speed" / "left.svg").write_text("of an earlier page")
    written = page.write(both, path)
    text = path.read_text()
    for cell in both["cells"]:
        assert f"| `{cell['scenario']}` | {table.size_name(cell['size'])} | `{cell['peer']}` |" in text
    assert {file.name for file in (tmp_path / "speed").iterdir()} == {file.name for file in written[1:]}
    assert {"ratios.svg", "unary.svg", "futures.svg", "rate.svg"} <= {file.name for file in written[1:]}
    for file in written[1:]:
        assert f"(speed/{file.name})" in text
        assert ET.parse(file).getroot().tag.endswith("svg")
    plot.plot(both, tmp_path / "all.png")
    assert (tmp_path / "all.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.skipif(peers.PEERS["ray"].missing() is not None, reason="Ray is not installed")
def test_ray_is_measured_where_it_is_installed(tmp_path: Path) -> None:
    found, _ = measured(tmp_path / "r.json", "--only", "unary", "--peers", "ray", "--sizes", "64")
    (cell,) = found["cells"]
    assert cell["median"]["cpu_server"] > 0
