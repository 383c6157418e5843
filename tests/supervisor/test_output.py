"""What supervised processes print: nobody who supervises waits for it, and what is left out is counted."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sage_rpc.supervisor.output import Output
from tests.waiting import until

ROOT = Path(__file__).parents[2]


@pytest.fixture
def output() -> Iterator[Output]:
    made = Output(echo=False)
    yield made
    made.close()


def texts(output: Output) -> list[str]:
    return [line.text for line in output.after(-1, [], 0.0, 10_000)]


def left_out(lines: list[str]) -> int:
    return sum(
        int(found[1]) for found in (re.search(r"(\d+) lines were left out", line) for line in lines) if found
    )


def pipe_to(output: Output, prefix: str) -> int:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    output.follow(reader, prefix, prefix)
    return writer


def test_whole_lines_come_and_what_is_no_text_does_no_harm(output: Output) -> None:
    writer = pipe_to(output, "a")
    os.write(writer, b"one\ntw")
    os.write(writer, b"o\n\xff\xfe\nno end")
    os.close(writer)
    until(lambda: texts(output) == ["[a] one", "[a] two", "[a] \ufffd\ufffd", "[a] no end"])


def test_a_process_that_prints_too_much_loses_lines_which_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "log"
    output = Output(echo=False, path=str(path))
    loud, quiet = pipe_to(output, "loud"), pipe_to(output, "quiet")
    printed = 200_000

    def shout() -> None:
        with os.fdopen(loud, "wb") as file:
            file.writelines(b"a line of debugging output\n" for _ in range(printed))

    shouting = threading.Thread(target=shout, daemon=True)
    shouting.start()
    os.write(quiet, b"I am here, too\n")
    until(lambda: output.after(-1, ["quiet"], 0.0, 10))
    shouting.join(60)
    assert not shouting.is_alive()
    os.close(quiet)
    # The last lines of the loud one are not read at once: its pipe is looked at slowly.
    until(lambda: any("loud" in line and "left out" in line for line in texts(output)))

    def accounted() -> int:
        lines = path.read_text().splitlines()
        return sum(line.startswith("[loud] a line") for line in lines) + left_out(lines)

    until(lambda: accounted() == printed)
    output.close()


def test_a_follower_is_told_at_once_and_let_go_at_the_end(output: Output) -> None:
    output.write("a", "a/0", "first")
    (first,) = output.after(-1, [], 0.0, 10)
    came: list[list[str]] = []
    follower = threading.Thread(
        target=lambda: came.extend(
            [line.text for line in output.after(first.sequence, names, 60.0, 10)] for names in (["b"], ["c"])
        ),
        daemon=True,
    )
    follower.start()
    output.write("a", "a/0", "not for the follower")
    output.write("b", "b/0", "second")
    until(lambda: came)
    output.close()
    follower.join(20)
    assert came == [["[b/0] second"], []]


# ---------------------------------------------------------------- standard output


SPEAKER = """
import sys, threading, time
sys.path.insert(0, sys.argv[1])
from sage_rpc.supervisor.output import Output
output = Output()
for number in range(int(sys.argv[2])):
    began = time.monotonic()
    output.write("s", "s/0", f"{number} Grüße ✔ " + "x" * 80)
    assert time.monotonic() - began < 5, "it waited"
print("written", file=sys.stderr, flush=True)
sys.stdin.readline()
output.write("s", "s/0", "last")
time.sleep(float(sys.argv[3]))
output.close()
"""


def speaker(lines: int, pause: float, **env: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", SPEAKER, str(ROOT), str(lines), str(pause)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | env,
    )


def test_a_terminal_that_takes_nothing_holds_nobody_up_and_is_told_what_it_missed() -> None:
    lines = 100_000  # more than a pipe and the queue hold
    with speaker(lines, 0.2) as process:
        assert process.stderr.readline() == b"written\n"  # though nobody has read a line
        got: list[str] = []
        reading = threading.Thread(
            target=lambda: got.extend(line.decode() for line in process.stdout), daemon=True
        )
        reading.start()
        until(lambda: any("left out" in line for line in got))
        process.stdin.write(b"\n")
        process.stdin.close()
        assert process.wait(timeout=30) == 0
        reading.join(30)
        assert sum("Grüße" in line for line in got) + left_out(got) == lines
        assert got[-1] == "[s/0] last\n"


def test_a_terminal_that_nobody_reads_does_not_keep_the_process_at_its_end() -> None:
    with speaker(100_000, 0.0) as process:
        assert process.stderr.readline() == b"written\n"
        process.stdin.write(b"\n")
        process.stdin.close()
        assert process.wait(timeout=30) == 0


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_what_an_output_has_no_sign_for_is_spelled_out(encoding: str) -> None:
    with speaker(1, 0.0, PYTHONIOENCODING=encoding) as process:
        assert process.stderr.readline() == b"written\n"
        out, _ = process.communicate(b"\n", timeout=30)
        shown = {"ascii": "Gr\\xfc\\xdfe \\u2714", "latin-1": "Grüße \\u2714", "utf-8": "Grüße ✔"}[encoding]
        assert out.decode(encoding).splitlines()[0].startswith(f"[s/0] 0 {shown}")
        assert out.decode(encoding).splitlines()[-1] == "[s/0] last"


def test_a_reader_that_leaves_does_no_harm() -> None:
    with speaker(5, 0.0) as process:
        process.stdout.close()
        process.stdin.write(b"\n")
        process.stdin.close()
        assert process.wait(timeout=30) == 0
        assert process.stderr.read() == b"written\n"


# ---------------------------------------------------------------- the file


def sizes(directory: Path) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in sorted(directory.iterdir())}


@pytest.mark.parametrize("kept", [0, 1, 3])
def test_a_file_is_put_aside_when_it_is_large_enough(tmp_path: Path, kept: int) -> None:
    output = Output(echo=False, path=str(tmp_path / "log"), max_bytes=1000, backups=kept)
    for number in range(500):
        output.write("s", "s/0", f"line {number:06}")
    output.close()
    found = sizes(tmp_path)
    assert list(found) == ["log", *(f"log.{number}" for number in range(1, kept + 1))]
    assert max(found.values()) <= 1000
    assert (tmp_path / "log").read_text().endswith("[s/0] line 000499\n")


def test_a_file_whose_directory_is_taken_away_is_made_again(tmp_path: Path) -> None:
    directory = tmp_path / "logs"
    directory.mkdir()
    output = Output(echo=False, path=str(directory / "log"))
    output.write("s", "s/0", "one")
    until(lambda: (directory / "log").read_text() == "[s/0] one\n")
    shutil.rmtree(directory)
    for number in range(3):
        output.write("s", "s/0", f"lost {number}")
    until(lambda: any("cannot be written" in line for line in texts(output)))
    directory.mkdir()
    until(lambda: output.write("s", "s/0", "again") or (directory / "log").exists())
    output.close()
    written = (directory / "log").read_text().splitlines()
    assert written[-1] == "[s/0] again"
    assert left_out(written) >= 3
    assert sum("cannot be written" in line for line in texts(output)) == 1


def test_a_file_that_is_moved_away_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "log"
    output = Output(echo=False, path=str(path))
    output.write("s", "s/0", "one")
    until(lambda: path.read_text() == "[s/0] one\n")
    path.rename(tmp_path / "old")
    output.write("s", "s/0", "two")
    until(lambda: path.exists() and path.read_text() == "[s/0] two\n")
    output.close()
