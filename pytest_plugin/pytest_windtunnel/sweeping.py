"""``@pytest.mark.windtunnel_sweep``: one test, run with every cut of a reply.

Comes in: a marked test. Goes out: its reports, those of the smallest cut that failed if
one did. Loaded when the first such test is collected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_windtunnel.options import SWEEP
from pytest_windtunnel.trial import CUT
from pytest_windtunnel.twins import run_quietly, tear_down, tell, twin_of
from windtunnel_fakeserver import Eof, Reply, Reset, Stall, cuts, splits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from windtunnel_fakeserver import Cut, Fault


def variations(definition: pytest.Function) -> tuple[Cut, ...]:
    """Read the marker of a test.

    Raises:
        pytest.fail.Exception: The marker is wrong; the message says how.
    """
    marker = definition.get_closest_marker(SWEEP)
    assert marker is not None, "only marked tests are asked"
    try:
        made = _made(*marker.args, **marker.kwargs)
    except (TypeError, ValueError) as exc:
        reason = str(exc).replace("_made()", "it")
        pytest.fail(f"{definition.nodeid}: @pytest.mark.{SWEEP}: {reason}", False)
    if not made:
        pytest.fail(
            f"{definition.nodeid}: @pytest.mark.{SWEEP}: nothing to vary", False
        )
    return made


def _made(
    reply: object,
    *,
    effects: Iterable[Callable[..., Fault]] = (Eof, Reset, Stall),
    every: int | str = 1,
    split: bool = False,
) -> tuple[Cut, ...]:
    if not isinstance(reply, Reply):
        msg = f"got {reply!r:.40}, the first argument must be Reply(...)"
        raise TypeError(msg)
    step = 1 if every == "byte" else every
    if not isinstance(step, int):
        msg = f"every={every!r:.40}: must be a number of bytes or 'byte'"
        raise TypeError(msg)
    made = (*cuts(reply, effects, step), *(splits(reply, step) if split else ()))
    if not made:
        msg = "nothing to vary: give effects, or split=True"
        raise ValueError(msg)
    return made


class Sweeping:
    """Takes the place of pytest's own protocol for marked tests."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> bool | None:
        """Run a test once for each variation until one fails, and report one result."""
        if not isinstance(item, pytest.Function):
            return None
        if item.get_closest_marker(SWEEP) is None:
            return None
        hook = item.ihook
        hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        tell(item, _sweep(item, nextitem))
        hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True


def _sweep(
    item: pytest.Function, nextitem: pytest.Item | None
) -> list[pytest.TestReport]:
    made = variations(item)
    spent = 0.0
    reports: list[pytest.TestReport] = []
    twin: Any = item
    for number, cut in enumerate(made, 1):
        twin.stash[CUT] = cut
        following: Any = nextitem if number == len(made) else twin_of(item)
        reports = run_quietly(twin, following)
        spent += sum(report.duration for report in reports)
        if not all(report.passed for report in reports):
            _explain(reports, number, len(made), cut)
            if following is not nextitem:
                tear_down(twin, nextitem)
            break
        twin = following
    for report in reports:
        if report.when == "call":
            report.duration = spent
    return reports


def _explain(
    reports: list[pytest.TestReport], number: int, total: int, cut: Cut
) -> None:
    text = (
        f"variation {number} of {total}, the smallest that fails: {cut}\n"
        f"to have it alone: {cut.recipe}"
    )
    for report in reports:
        if report.failed:
            report.sections.append(("windtunnel sweep", text))
