"""The short outage: the same plan and the same accounts as `make outage`, in a few seconds."""

from __future__ import annotations

import pytest

from tests.outage import script

pytestmark = pytest.mark.slow


def test_nothing_is_lost_duplicated_or_late_while_endpoints_fail(tmp_path):
    account = script.run(seconds=10)
    report = tmp_path / "outage.md"
    report.write_text(account.report())
    print(account.report())
    assert not account.complaints(), account.report()
    assert account.calls > 1000
    assert {end.split()[-1] for end in account.ends} & {"UNAVAILABLE", "DEADLINE_EXCEEDED"}, "nothing failed"
    assert "| complaints | none |" in report.read_text()


def test_the_accounts_find_what_is_wrong():
    """A lost, a doubled and a late call, retries over the budget and an endpoint that nobody came back to."""
    account = script.Account(
        seconds=1,
        calls=1,
        ends={"get OK": 1},
        lost=["0-1"],
        duplicated=["0-2"],
        overdue=[0.021],
        worst_overdue=0.021,
        retries=[51],
        allowed_retries=[50.0],
        recoveries={"restart": None, "SIGCONT": 1.5},
    )
    assert len(account.complaints()) == 6
