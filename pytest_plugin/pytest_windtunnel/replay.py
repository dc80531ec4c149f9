"""``--windtunnel-check``: runs every simulated test twice and compares the two runs.

Comes in: one test. Goes out: the reports of its second run, which fails if the network
saw anything else than in the first. Loaded only when the option is given.
"""

from __future__ import annotations

import pytest

from pytest_windtunnel.options import SWEEP, is_simulated
from pytest_windtunnel.trial import EARLIER, TRACE
from pytest_windtunnel.twins import run_quietly, tear_down, tell, twin_of


class DoubleRun:
    """Takes the place of pytest's own protocol for simulated tests."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> bool | None:
        """Run one test, and if it passed a twin of it, and report one result."""
        if not isinstance(item, pytest.Function) or not is_simulated(item):
            return None
        if item.get_closest_marker(SWEEP) is not None:
            # It runs many times already, and each time another way.
            return None
        hook = item.ihook
        hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        twin = twin_of(item)
        reports = run_quietly(item, twin)
        if all(report.passed for report in reports):
            twin.stash[EARLIER] = item.stash[TRACE]
            reports = run_quietly(twin, nextitem)
        else:
            tear_down(item, nextitem)
        tell(item, reports)
        hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True
