"""A pipeline that counts the words of some files: `python examples/hello_operators.py [FILE...]`.

Lines become words in one process, two processes ask a service about each word, another sums up. The
services are plain classes in processes of their own; one of them calls the other.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from sage_rpc.operators import BaseService, BatchFunction, LocalEnvironment, MapFunction


class Lines(BatchFunction):
    """Produces the lines of some files: a row each time it is asked, None at the end."""

    def __init__(self, paths: list[str]) -> None:
        self.paths = paths

    def setup(self) -> None:
        self.lines = (line for path in self.paths for line in Path(path).read_text("utf-8").splitlines())

    def execute(self) -> str | None:
        return next(self.lines, None)


def words(line: str) -> Iterator[str]:
    yield from re.findall(r"[a-z]+", line.lower())


class Stemmer:
    """A service: any class will do."""

    def stem(self, word: str) -> str:
        return re.sub(r"(ing|ed|es|s)$", "", word) or word


class Counts(BaseService):
    """A service that calls another one."""

    max_workers = 1  # one call at a time: no lock is needed

    def setup(self) -> None:
        self.counts: dict[str, int] = {}

    def count(self, word: str) -> int:
        stem = self.call_service["stemmer"].stem(word)
        self.counts[stem] = self.counts.get(stem, 0) + 1
        return self.counts[stem]

    def most_common(self, n: int) -> list[tuple[str, int]]:
        return sorted(self.counts.items(), key=lambda item: (-item[1], item[0]))[:n]


class Count(MapFunction):
    """An operator: calls a service for every row, and does something else while it is answered."""

    def execute(self, word: str) -> tuple[str, int, int]:
        future = self.call_service_async["counts"].count(word)
        letters = len(set(word))  # meanwhile
        return word, letters, future.result(timeout=2.0)


def main() -> None:
    env = LocalEnvironment("words")
    env.register_service("stemmer", Stemmer)
    env.register_service("counts", Counts)
    lines = env.from_batch(Lines, sys.argv[1:] or [__file__])
    counted = lines.flatmap(words).filter(lambda word: len(word) > 3).map(Count, parallelism=2).results()
    with env.submit() as job:
        rows = list(counted)
        print(f"{len(rows)} words; the most common:")
        for stem, count in job.call_service["counts"].most_common(5):
            print(f"{count:6} {stem}")


if __name__ == "__main__":
    main()
