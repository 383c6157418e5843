"""docs/compatibility.md names the known differences that the tests of both suites mark, and no others."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.differences import differing_tests, listed_differences

TESTS = Path(__file__).parents[1]
SUITES = {"conformance": "Known differences", "conformance_aio": "Known differences of asyncio"}


@pytest.mark.parametrize("suite", SUITES)
def test_the_page_lists_every_known_difference_and_its_columns(suite: str) -> None:
    rows = listed_differences(SUITES[suite])
    assert dict(rows) == differing_tests(TESTS / suite)
    assert len(rows) == len(dict(rows)), "a test is listed twice"
