"""A short siege; `make hostile` is the long one, with the sanitizers."""

from __future__ import annotations

import pytest

from tests.conftest import needs_native
from tests.hostile import siege

pytestmark = [needs_native, pytest.mark.slow]

SECONDS = 3.0
P99 = 1.0  # seconds: whatever else the machine does meanwhile; `make hostile` has the real bound


@pytest.mark.parametrize("kind", siege.KINDS)
def test_a_server_among_hostile_clients_answers_the_honest_ones(kind):
    account = siege.besiege_server(kind, SECONDS, seed=1, env={})
    assert not account.complaints(P99), account
    assert all(len(times) > 20 for times in account.times.values()), account


@pytest.mark.parametrize("kind", ["sync", "aio"])
def test_a_client_among_hostile_servers_keeps_its_deadlines_and_its_friends(kind):
    account = siege.besiege_client(kind, SECONDS, seed=1, env={})
    assert not account.complaints(P99), account
    assert account.said["honest"] > 3, account
