"""The options of the command: each is checked before anything is measured, and says what it takes."""

from __future__ import annotations

import argparse
import difflib
import fnmatch
import os
import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

from benchmarks.peers import PEERS, REFERENCE
from benchmarks.scenarios import SCENARIOS, usual

__all__ = ["OUT", "build_parser", "check_measuring", "check_writable"]

OUT = Path(__file__).parent / "out"
LARGEST = 64 << 20  # bytes
UNITS = {"": 1, "b": 1, "k": 1 << 10, "kib": 1 << 10, "m": 1 << 20, "mib": 1 << 20}


def _names(kind: str, known: Collection[str]) -> Any:
    def parse(text: str) -> list[str]:
        patterns = [name.strip() for name in text.split(",") if name.strip()]
        names: set[str] = set()
        for name in patterns:
            matching = fnmatch.filter(known, name)
            names.update(matching)
            if not matching:
                close = difflib.get_close_matches(name, known, n=1)
                hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"
                raise argparse.ArgumentTypeError(f"no {kind} {name!r}; {hint}")
        if not names:
            raise argparse.ArgumentTypeError(f"name at least one {kind} of {', '.join(known)}")
        return [name for name in known if name in names]

    return parse


def _sizes(text: str) -> list[int]:
    found = set()
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d+)\s*([a-z]*)\s*", part.lower())
        size = int(match[1]) * UNITS.get(match[2], 0) if match else 0
        if match is None or match[2] not in UNITS or size > LARGEST:
            raise argparse.ArgumentTypeError(
                f"bad size {part.strip()!r}: expected 0 to 64M bytes, such as 64, 64K or 1M"
            )
        found.add(size)
    return sorted(found)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.05 <= value <= 600:
        raise argparse.ArgumentTypeError(f"bad time {text!r}: expected seconds from 0.05 to 600")
    return value


def _repeats(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 1000:
        raise argparse.ArgumentTypeError(f"bad number {text!r}: expected 1 to 1000 repeats")
    return int(text)


def build_parser() -> argparse.ArgumentParser:
    """The parser of the command."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure sage_rpc beside stock grpcio and others, in one run, in processes of their own.",
        epilog=f"A usual run takes about ten minutes on two CPUs. Ratios are to {REFERENCE}. "
        "What is measured and how to read it: docs/benchmarking.md.",
    )
    parser.add_argument(
        "--only",
        type=_names("scenario", SCENARIOS),
        metavar="NAMES",
        help=f"scenarios, separated by commas, * allowed, of {', '.join(SCENARIOS)} "
        f"(default: {', '.join(usual(full=False))}; all with --full)",
    )
    parser.add_argument(
        "--peers",
        type=_names("peer", PEERS),
        metavar="NAMES",
        help=f"peers, of {', '.join(PEERS)}, * allowed; each does all it can "
        "(default: a fit choice per scenario)",
    )
    parser.add_argument(
        "--sizes",
        type=_sizes,
        metavar="SIZES",
        help="payload sizes in bytes, K and M allowed, at most 64M (default: 64,64K,1M,16M, of numpy 1M,16M; "
        "more with --full); scenarios other than unary and numpy take the smallest",
    )
    parser.add_argument(
        "--repeats",
        type=_repeats,
        metavar="N",
        help="measure each cell N times and report medians (default: 3; 5 with --compare)",
    )
    parser.add_argument(
        "--seconds", type=_seconds, metavar="S", help="time to measure one cell once (default: 1.0)"
    )
    extent = parser.add_mutually_exclusive_group()
    extent.add_argument("--quick", action="store_true", help="two minutes: 64,1M once for 0.2 s unless given")
    extent.add_argument(
        "--full", action="store_true", help="every load and size, from 0 to 64M bytes: about half an hour"
    )
    extent.add_argument(
        "--goals",
        action="store_true",
        help="what the project's goals are about, 5 times unless given, and how far each is: five minutes; "
        "exit code 4 if what must hold does not",
    )
    parser.add_argument("--json", action="store_true", help="print the record as JSON and no table")
    parser.add_argument("--out", type=Path, metavar="PATH", help=f"record (default: {OUT / 'latest.json'})")
    parser.add_argument(
        "--plot",
        type=Path,
        metavar="PATH",
        nargs="?",
        const=OUT / "latest.png",
        help="draw it too (default: %(const)s)",
    )
    parser.add_argument(
        "--page",
        type=Path,
        metavar="PATH",
        help="write a page of Markdown about it, with charts (SVG) in a directory of its name",
    )
    parser.add_argument(
        "--compare",
        type=Path,
        metavar="PATH",
        help="show what has changed since the record PATH; exit code 3 if a cell is worse beyond noise",
    )
    parser.add_argument(
        "--read", type=Path, metavar="PATH", help="show the record PATH of an earlier run and measure nothing"
    )
    parser.add_argument(
        "--list", action="store_true", help="list scenarios and peers, and say what is absent"
    )
    return parser


def check_measuring(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> None:
    """Complain about options that say what to measure, where something else does."""
    for name in ("only", "peers", "sizes"):
        if arguments.goals and getattr(arguments, name):
            parser.error(f"--goals says what to measure, and so does --{name}: leave one of them out")
    for name in ("only", "peers", "sizes", "repeats", "seconds", "quick", "full", "out"):
        if arguments.read is not None and getattr(arguments, name):
            parser.error(
                f"--read measures nothing, so --{name} has no meaning beside it: leave one of them out"
            )


def check_writable(parser: argparse.ArgumentParser, path: Path) -> None:
    """Complain about an output that could not be written; before the measuring, not after it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        parser.error(f"cannot write {path}: {error.strerror}")
    if path.is_dir():
        parser.error(f"cannot write {path}: it is a directory")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        parser.error(f"cannot write {path}: permission denied")
