# States of connections, of calls and of the reader, and which may follow which. Included by _core.pyx.
#
# Rules of this file:
#
# 1. A state changes by move() alone (but for a forked child, which begins anew). It refuses what the table has not:
#    that is a mistake of ours. What a peer does wrong never comes so far.
# 2. A table names the states in the order of its enum (_core.pxd).
# 3. Flags say what is true beside the state, whatever it is. Flags that exclude each other are a state.

TRANSITIONS = {
    "connection": {
        "OPEN": {"DRAINING", "RETIRED", "DEAD"},
        "DRAINING": {"RETIRED", "DEAD"},
        "RETIRED": {"DEAD"},
        "DEAD": set(),
    },
    "call": {
        "WAITING": {"WAITING", "UNDER_WAY", "ENDED", "UNSENT"},
        "UNDER_WAY": {"WAITING", "ENDED", "UNSENT"},  # WAITING: its connection ended before the server saw it
        "ENDED": set(),
        "UNSENT": set(),
    },
    "served": {
        "OPEN": {"CANCELLED", "ENDED"},
        "CANCELLED": {"GONE"},
        "ENDED": {"GONE"},
        "GONE": {"GONE"},
    },
    "role": {
        "NOBODY": {"CALLER", "LISTENER"},
        "CALLER": {"CALLER_ASLEEP", "NOBODY"},
        "CALLER_ASLEEP": {"CALLER"},
        "LISTENER": {"LISTENER_ASLEEP", "NOBODY"},
        "LISTENER_ASLEEP": {"LISTENER", "CALLER"},    # a caller takes the role from it
    },
    "reader": {
        "WATCHER": {"LEADER"},
        "LEADER": {"LEADER_ASLEEP", "LEADER_BUSY", "WATCHER"},
        "LEADER_ASLEEP": {"LEADER"},
        "LEADER_BUSY": {"LEADER", "WATCHER"},
    },
}

# Of each machine, by state, the bits of those that may follow.
cdef uint8_t _tables[5][8]
cdef uint8_t *CONNECTION = _tables[0]
cdef uint8_t *CALL = _tables[1]
cdef uint8_t *SERVED = _tables[2]
cdef uint8_t *ROLE = _tables[3]
cdef uint8_t *READER = _tables[4]


def _fill():
    cdef int i, j
    for i, states in enumerate(TRANSITIONS.values()):
        for j, followers in enumerate(states.values()):
            _tables[i][j] = sum([1 << list(states).index(each) for each in followers])


_fill()


cdef inline int move(int *state, const uint8_t *table, int to) except -1:
    if not table[state[0]] >> to & 1:
        raise RuntimeError(f"a state of the native core went from {state[0]} to {to}")
    state[0] = to
    return 0


def transition(str machine, str before, str after):
    """Move a state of `machine` as the core does. RuntimeError: it may not."""
    cdef list names = list(TRANSITIONS[machine])
    cdef int state = names.index(before)
    move(&state, _tables[<int>list(TRANSITIONS).index(machine)], names.index(after))
