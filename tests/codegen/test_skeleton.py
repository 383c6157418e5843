"""A `.proto` from a typed class: protoc takes it, and a client made of it calls the class; what has no
counterpart is refused by file, line and name.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.codegen.protoc import protoc
from tests.codegen.test_generator import ENVIRONMENT, SECONDS, gen, run

PROTOTYPE = '''
from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Literal, NamedTuple, Optional, TypedDict


class Colour(Enum):
    """What it looks like."""

    RED = "r"
    DARK_BLUE = "b"


@dataclass
class Entry:
    """What is kept."""

    key: str
    value: bytes
    colour: Colour
    since: datetime
    parents: list[Entry]
    near: Optional[Entry] = None


class Place(NamedTuple):
    shard: int
    name: str | None


class Limits(TypedDict):
    rows: int
    left: timedelta


class CacheService:
    """Keeps entries.

    Any number of them.
    """

    def __init__(self, size: int) -> None:
        self.size = size

    def setup(self) -> None:
        pass

    def get(self, key: str, default: bytes = b"none", place: Place | None = None) -> bytes | None:
        """The value of a key."""

    def put(self, entry: Entry) -> None:
        """Keep it."""

    def find(self, tags: list[str], limits: Limits, mode: Literal["all", "any"]) -> list[Entry]: ...

    def counts(self) -> dict[str, int]: ...

    def any_of(self, values: dict[str, Any], weights: dict[int, float], deep: bool) -> Any: ...

    def watch(self, key: str) -> Iterator[Entry]:
        """Entries as they change."""

    async def load(self, entries: AsyncIterator[Entry]) -> int: ...

    def mirror(self, chunks: Iterator[bytes]) -> Iterator[bytes]: ...

    @staticmethod
    def size_of(key: str) -> int: ...

    def _private(self, anything): ...
'''

EXPECTED = """\
// A first draft, written by `sage-rpc gen --from-class prototype:CacheService`: read it, then edit it.
syntax = "proto3";

package prototype;

import "google/protobuf/duration.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/timestamp.proto";

// Keeps entries.
//
// Any number of them.
service Cache {
  // The value of a key.
  rpc Get(GetRequest) returns (GetReply);
  // Keep it.
  rpc Put(PutRequest) returns (PutReply);
  rpc Find(FindRequest) returns (FindReply);
  rpc Counts(CountsRequest) returns (CountsReply);
  rpc AnyOf(AnyOfRequest) returns (AnyOfReply);
  // Entries as they change.
  rpc Watch(WatchRequest) returns (stream Entry);
  rpc Load(stream Entry) returns (LoadReply);
  rpc Mirror(stream MirrorRequest) returns (stream MirrorReply);
  rpc SizeOf(SizeOfRequest) returns (SizeOfReply);
}

message GetRequest {
  string key = 1;
  // Default: b'none'.
  optional bytes default = 2;
  Place place = 3;
}

message Place {
  int64 shard = 1;
  optional string name = 2;
}

message GetReply {
  optional bytes result = 1;
}

message PutRequest {
  Entry entry = 1;
}

// What is kept.
message Entry {
  string key = 1;
  bytes value = 2;
  Colour colour = 3;
  google.protobuf.Timestamp since = 4;
  repeated Entry parents = 5;
  Entry near = 6;
}

// What it looks like.
enum Colour {
  COLOUR_UNSPECIFIED = 0;
  COLOUR_RED = 1;
  COLOUR_DARK_BLUE = 2;
}

message PutReply {}

message FindRequest {
  repeated string tags = 1;
  Limits limits = 2;
  string mode = 3;
}
"""


def test_a_class_becomes_a_proto(tmp_path):
    (tmp_path / "prototype.py").write_text(PROTOTYPE, "utf-8")
    done = gen("--from-class", "prototype:CacheService", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(EXPECTED)
    assert "message CountsReply {\n  map<string, int64> result = 1;\n}\n" in done.stdout
    assert (
        "  google.protobuf.Struct values = 1;\n  map<int64, double> weights = 2;\n  bool deep = 3;"
        in done.stdout
    )
    assert "message AnyOfReply {\n  google.protobuf.Value result = 1;\n}\n" in done.stdout
    assert "message LoadReply {\n  int64 result = 1;\n}\n" in done.stdout
    (tmp_path / "cache.proto").write_text(done.stdout, "utf-8")
    checked = protoc(tmp_path, "--descriptor_set_out=x", "cache.proto")
    assert (checked.returncode, checked.stderr) == (0, "")


def test_a_prototype_grows_into_a_declared_service(tmp_path):
    """The whole way: class, skeleton, generated code, a call."""
    (tmp_path / "prototype.py").write_text(
        "class Adder:\n"
        '    """Adds."""\n\n'
        "    def add(self, left: int, right: int = 0) -> int:\n"
        '        """The sum."""\n'
        "        return left + right\n"
    )
    assert gen("--from-class", "prototype:Adder", "--out", "adder.proto", cwd=tmp_path).stdout == (
        "wrote adder.proto\n"
    )
    assert gen("adder.proto", "--out", "made", cwd=tmp_path).returncode == 0
    (tmp_path / "program.py").write_text(
        "import sage_rpc\n"
        "from prototype import Adder\n"
        "from made import adder_pb2, adder_sage\n\n"
        "class Service(adder_sage.AdderBase):\n"
        "    def add(self, request, context):\n"
        "        return adder_pb2.AddReply(result=Adder().add(request.left, request.right))\n\n"
        "with sage_rpc.ServiceHost('adder', Service()) as host:\n"
        "    with adder_sage.AdderClient(host.address) as adder:\n"
        "        print(adder.add(left=2, right=3).result, adder.add.__doc__)\n"
    )
    done = run(sys.executable, "program.py", cwd=tmp_path)
    assert (done.returncode, done.stdout.split()[:1]) == (0, ["5"]), done.stderr
    assert "The sum." in done.stdout


def test_a_skeleton_replaces_nothing(tmp_path):
    (tmp_path / "prototype.py").write_text("class A:\n    def f(self) -> None: ...\n")
    (tmp_path / "a.proto").write_text("mine")
    done = gen("--from-class", "prototype:A", "--out", "a.proto", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "a.proto: is there already" in done.stderr
    assert (tmp_path / "a.proto").read_text() == "mine"


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("def f(self, key) -> int: ...", "prototype.py:2: A.f: the parameter 'key' has no type"),
        ("def f(self, key: str): ...", "prototype.py:2: A.f: the result has no type; write `-> None`"),
        ("def f(self, *keys: str) -> int: ...", "prototype.py:2: A.f: *keys: str cannot be a field"),
        ("def f(self, key: complex) -> int: ...", "'key': complex has no counterpart in protobuf"),
        (
            "def f(self) -> list[list[int]]: ...",
            "'result': list[int] has no counterpart in protobuf; put it into",
        ),
        ("def f(self, key: int | str) -> int: ...", "'key': int | str is one of several types"),
        ("def f(self, rows: dict[float, int]) -> int: ...", "'rows': the keys of a map are str, int or bool"),
        (
            "def f(self, key: 'Gone') -> int: ...",
            "prototype.py:2: A.f: its annotations cannot be read: name 'Gone'",
        ),
        ("def f(self, é: int) -> int: ...", "the name of a field is made of ASCII letters"),
        ("_x = 1", "prototype.py:1: A has no public methods"),
    ],
)
def test_what_has_no_counterpart_is_refused_by_place(tmp_path, body, problem):
    (tmp_path / "prototype.py").write_text(f"class A:\n    {body}\n".replace("class A", "class A"), "utf-8")
    done = gen("--from-class", "prototype:A", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert problem in done.stderr, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("prototype", "'prototype': expected MODULE:CLASS, such as myapp.services:CacheService"),
        ("no.such.module:A", "cannot import no.such.module: ModuleNotFoundError"),
        ("json:Nothing", "'json:Nothing': json has no class Nothing"),
        ("json:dumps", "'json:dumps': json has no class dumps"),
    ],
)
def test_a_class_that_is_not_there_is_named(path, problem):
    done = subprocess.run(
        [sys.executable, "-m", "sage_rpc", "gen", "--from-class", path],
        cwd=Path(__file__).parent,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 1
    assert problem in done.stderr
