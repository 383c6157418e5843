"""The guide and its example tell the truth: the guide's code is the example's, and the example runs."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.codegen.protoc import ROOT
from tests.codegen.test_generator import ENVIRONMENT, SECONDS, gen, run

EXAMPLE = ROOT / "examples" / "cache"
GUIDE = ROOT / "docs" / "guide" / "README.md"
BLOCK = re.compile(r"^<!-- from: (\S+) -->\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#:]+)\)")


def test_the_code_of_the_guide_is_that_of_the_example():
    blocks = BLOCK.findall(GUIDE.read_text("utf-8"))
    assert len(blocks) >= 8
    for path, text in blocks:
        assert text in (ROOT / path).read_text("utf-8"), f"{path} has no\n{text}"


@pytest.mark.parametrize("page", sorted((ROOT / "docs" / "guide").glob("*.md")), ids=lambda page: page.name)
def test_the_links_of_the_guide_lead_somewhere(page):
    for link in LINK.findall(page.read_text("utf-8")):
        assert (page.parent / link).exists(), link


def test_what_the_guide_generates_is_what_the_example_has(tmp_path):
    out = tmp_path / "generated"
    assert gen("cache.proto", "--out", out, cwd=EXAMPLE).returncode == 0
    made, checked_in = (
        {path.name: path.read_text("utf-8") for path in directory.glob("*.py*") if path.is_file()}
        for directory in (out, EXAMPLE / "generated")
    )
    assert made == checked_in


def test_the_clients_of_the_example():
    with subprocess.Popen(
        [sys.executable, "service.py"],
        cwd=EXAMPLE,
        env=ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as service:
        done = run(sys.executable, "client.py", service.stdout.readline().strip(), cwd=EXAMPLE)
        service.stdin.close()
        assert service.wait(SECONDS) == 0
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "b'1'",
        "2",
        "['a', 'b', 'c']",
        "there is no 'nothing'",
        "[b'1', b'2', b'2']",
        "[b'1', b'2'] ['c']",
        "b'1'",
    ]


def test_the_operators_of_the_example():
    done = run(sys.executable, "lookup.py", cwd=EXAMPLE)
    assert (done.returncode, done.stdout) == (0, "b'A'\nb'B'\n"), done.stderr


def test_the_tests_of_the_example():
    alone = ["-p", "no:cacheprovider", "--rootdir", EXAMPLE, "-c", "/dev/null"]
    done = run(sys.executable, "-m", "pytest", "-q", *alone, "test_cache.py", cwd=EXAMPLE)
    assert done.returncode == 0, done.stdout
    assert "3 passed" in done.stdout


@pytest.mark.slow
def test_the_example_is_typed(tmp_path):
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--strict",
            "--config-file",
            "",
            "--ignore-missing-imports",
            "--cache-dir",
            str(tmp_path),
            ".",
        ],
        cwd=EXAMPLE,
        env=ENVIRONMENT | {"MYPYPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    complaints = [
        line
        for line in done.stdout.splitlines()
        if ": error:" in line
        and not (EXAMPLE / line.split(":")[0]).resolve().is_relative_to(ROOT / "sage_rpc")
    ]
    assert not complaints, complaints
