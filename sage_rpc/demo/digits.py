"""The pipeline: digits -> Classify (several processes) -> Check -> the main process.

Three services run in processes of their own: `neighbours` finds the training images nearest to one,
`cache` remembers labels by image, `counter` counts. `neighbours` calls `counter`, too.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sage_rpc.operators import BaseService, BatchFunction, LocalEnvironment, MapFunction, Results

__all__ = ["Digit", "Digits", "build", "load"]

Image = NDArray[np.float32]  # 64 grey values, 0 to 16
TIMEOUT = 10.0  # seconds a call may take


@dataclass(frozen=True)
class Digits:
    """scikit-learn's handwritten digits, half of them for training.

    Attributes:
        train_images: shape (n, 64).
        train_labels: shape (n,), 0 to 9.
        test_images: shape (m, 64).
        test_labels: shape (m,).
    """

    train_images: Image
    train_labels: NDArray[np.int64]
    test_images: Image
    test_labels: NDArray[np.int64]


@dataclass(frozen=True)
class Digit:
    """One row.

    Attributes:
        image: shape (64,).
        label: the true digit.
        predicted: what was found; -1 before.
        cached: it was found in the cache.
        calls: calls that were made for this row.
        transport: what carried them.
        right: `predicted` is the truth.
    """

    image: Image
    label: int
    predicted: int = -1
    cached: bool = False
    calls: int = 0
    transport: str = ""
    right: bool = False


def load() -> Digits:
    """The digits, split in halves that have as many of each digit."""
    # Imported here: the services' and operators' processes need it not.
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    found = load_digits()
    images = found.data.astype(np.float32)
    train, test, train_labels, test_labels = train_test_split(
        images, found.target, test_size=0.5, random_state=0, stratify=found.target
    )
    return Digits(train, train_labels, test, test_labels)


class Neighbours(BaseService):
    """The k nearest training images vote."""

    def __init__(self, images: Image, labels: NDArray[np.int64], k: int) -> None:
        self.images, self.labels, self.k = images, labels, k

    def setup(self) -> None:
        self.squares = np.einsum("ij,ij->i", self.images, self.images)
        self.logger.debug("%d training images", len(self.images))

    def classify(self, image: Image) -> int:
        """The digit that most of the `k` training images nearest to `image`, shape (64,), show."""
        counted = self.call_service_async["counter"].add("searches")
        digit = int(np.bincount(self.nearest(image), minlength=10).argmax())
        counted.result(timeout=TIMEOUT)
        return digit

    def nearest(self, image: Image) -> NDArray[np.int64]:
        """The labels, shape (k,), of the training images nearest to `image`, shape (64,)."""
        distances = self.squares - 2.0 * (self.images @ image)  # without the part all have in common
        return self.labels[np.argpartition(distances, self.k)[: self.k]]


class Cache:
    """Labels by key, up to `size` of them; a plain class."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.labels: dict[bytes, int] = {}

    def get(self, key: bytes) -> int | None:
        """The label stored under `key`."""
        return self.labels.get(key)

    def put(self, key: bytes, label: int) -> None:
        """Store a label while there is room."""
        if len(self.labels) < self.size:
            self.labels[key] = label


class Tally:
    """Counts by name; one call at a time, so that no count is lost."""

    max_workers = 1

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def add(self, name: str) -> int:
        """One more of `name`. -> how many there are."""
        self.counts[name] += 1
        return self.counts[name]

    def totals(self) -> dict[str, int]:
        """All counts."""
        return dict(self.counts)


class Images(BatchFunction):
    """The test images, from the start again when there are fewer than asked for."""

    def __init__(self, images: Image, labels: NDArray[np.int64], items: int) -> None:
        self.images, self.labels, self.items = images, labels, items
        self.given = 0

    def execute(self) -> Digit | None:
        if self.given == self.items:
            return None
        which = self.given % len(self.labels)
        self.given += 1
        return Digit(self.images[which], int(self.labels[which]))


class Classify(MapFunction):
    """Asks the cache, and the neighbours where it knows nothing."""

    def execute(self, row: Digit) -> Digit:
        counted = self.call_service_async["counter"].add("images")
        key = hashlib.blake2b(row.image.tobytes(), digest_size=16).digest()
        digit = self.call_service["cache"].get(key)
        cached = digit is not None
        calls = 2
        if not cached:
            digit = self.call_service("neighbours", row.image, method="classify", timeout=TIMEOUT)
            stored = self.call_service_async["cache"].put(key, digit)
            stored.result(timeout=TIMEOUT)
            calls += 3  # and the call of the service itself
        counted.result(timeout=TIMEOUT)
        assert self.ctx is not None  # noqa: S101 - it runs
        transport = self.ctx.service_manager.transport_of("cache")
        return replace(row, predicted=int(digit), cached=cached, calls=calls, transport=transport)


class Check(MapFunction):
    """Compares with the true label."""

    def execute(self, row: Digit) -> Digit:
        right = row.predicted == row.label
        self.call_service["counter"].add("right" if right else "wrong")
        return replace(row, right=right, calls=row.calls + 1)


def build(
    digits: Digits, items: int, workers: int, transport: str, k: int = 3
) -> tuple[LocalEnvironment, Results]:
    """The job: `items` test images, the same again where there are fewer, by `workers` processes."""
    env = LocalEnvironment("digits", timeout=TIMEOUT, options=[("sage_rpc.transport", transport)])
    env.register_service("counter", Tally)
    env.register_service("cache", Cache, size=100_000)
    env.register_service("neighbours", Neighbours, digits.train_images, digits.train_labels, k)
    images = env.from_batch(Images, digits.test_images, digits.test_labels, items)
    results = images.map(Classify, parallelism=workers).map(Check).results()
    return env, results
