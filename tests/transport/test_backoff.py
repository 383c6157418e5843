"""The pauses between attempts to reach a server that is awaited."""

from __future__ import annotations

import pytest

from sage_rpc.transport.backoff import GROWTH, JITTER, LONGEST, Backoff


@pytest.mark.parametrize("longest", [0.05, LONGEST])
def test_pauses_grow_up_to_the_longest_and_begin_anew(longest):
    backoff = Backoff(longest)
    for _ in range(2):
        expected = 0.02
        for _ in range(12):
            assert expected * (1 - JITTER) <= backoff.next() <= expected * (1 + JITTER)
            expected = min(expected * GROWTH, longest)
        assert expected == longest
        backoff.reset()


def test_callers_of_one_server_do_not_come_back_together():
    assert len({Backoff().next() for _ in range(20)}) == 20
