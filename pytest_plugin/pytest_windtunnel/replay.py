"""``--windtunnel-check``: runs every simulated test twice and compares the two runs.

Comes in: one test. Goes out: the reports of its second run, which fails if the network
saw anything else than in the first. Loaded only when the option is given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from _pytest.runner import runtestprotocol

from pytest_windtunnel.options import is_simulated
from pytest_windtunnel.trial import EARLIER, TRACE

if TYPE_CHECKING:
    from collections.abc import Iterable


class DoubleRun:
    """Takes the place of pytest's own protocol for simulated tests."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> bool | None:
        """Run one test, and if it passed a twin of it, and report one result."""
        if not isinstance(item, pytest.Function) or not is_simulated(item):
            return None
        hook = item.ihook
        hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        twin = _twin(item)
        # The twin comes next, so that fixtures of a wider scope stay up in between.
        reports = runtestprotocol(item, log=False, nextitem=twin)
        if all(report.passed for report in reports):
            twin.stash[EARLIER] = item.stash[TRACE]
            reports = runtestprotocol(twin, log=False, nextitem=nextitem)
        else:
            # Nothing ran that would tear down what the next test does not need.
            state: Any = vars(item.session)["_setupstate"]
            state.teardown_exact(nextitem)
        _log(item, reports)
        hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True


def _twin(item: pytest.Function) -> Any:
    """Make the same test once more, with nothing set up for it."""
    kind: Any = type(item)
    return kind.from_parent(
        item.parent,
        name=item.name,
        callspec=getattr(item, "callspec", None),
        callobj=item.obj,
        fixtureinfo=vars(item)["_fixtureinfo"],  # the closure, as pytest made it
        originalname=item.originalname,
    )


def _log(item: pytest.Item, reports: Iterable[pytest.TestReport]) -> None:
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
