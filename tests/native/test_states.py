"""The states of the native core go where their tables allow, and nowhere else."""

from __future__ import annotations

import itertools

import pytest

from sage_rpc import native

if not native.available():
    pytest.skip(native.why_not(), allow_module_level=True)

from sage_rpc.native import core

PAIRS = [
    (machine, before, after)
    for machine, states in core.TRANSITIONS.items()
    for before, after in itertools.product(states, repeat=2)
]


def reached(states, first):
    """The states that may come after `first`, however late, and itself."""
    known, new = {first}, {first}
    while new:
        new = set().union(*(states[each] for each in new)) - known
        known |= new
    return known


@pytest.mark.parametrize(("machine", "before", "after"), PAIRS)
def test_a_state_changes_as_its_table_says_and_is_an_error_otherwise(machine, before, after):
    if after in core.TRANSITIONS[machine][before]:
        core.transition(machine, before, after)
    else:
        with pytest.raises(RuntimeError, match="native core"):
            core.transition(machine, before, after)


@pytest.mark.parametrize("machine", core.TRANSITIONS)
def test_every_state_is_reached_from_the_first(machine):
    states = core.TRANSITIONS[machine]
    assert reached(states, next(iter(states))) == set(states)


@pytest.mark.parametrize(
    ("machine", "final"), [("connection", {"DEAD"}), ("call", {"ENDED", "UNSENT"}), ("served", {"GONE"})]
)
def test_what_is_over_does_not_begin_again(machine, final):
    states = core.TRANSITIONS[machine]
    for each in final:
        assert reached(states, each) == {each}
    assert all(reached(states, each) & final for each in states)


@pytest.mark.parametrize(("machine", "first"), [("role", "NOBODY"), ("reader", "WATCHER")])
def test_whoever_reads_can_hand_that_on(machine, first):
    states = core.TRANSITIONS[machine]
    assert all(first in reached(states, each) for each in states)


def test_a_caller_takes_the_role_from_nobody_but_a_listener_that_sleeps():
    before = {state for state, followers in core.TRANSITIONS["role"].items() if "CALLER" in followers}
    assert before == {"NOBODY", "LISTENER_ASLEEP", "CALLER_ASLEEP"}  # the last is that caller, awake again
