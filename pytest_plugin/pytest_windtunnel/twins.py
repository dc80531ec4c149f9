"""Runs one test several times under one name, and reports it once.

Comes in: a test. Goes out: twins of it, each set up anew, and their reports. Loaded
only when something repeats a test.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from _pytest.runner import runtestprotocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pytest


def twin_of(item: pytest.Function) -> Any:
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


def run_quietly(
    item: pytest.Item, following: pytest.Item | None
) -> list[pytest.TestReport]:
    """Run one test without telling anybody.

    Args:
        item: The test.
        following: Who comes next; fixtures of a wider scope that it needs stay up.
    """
    return runtestprotocol(item, log=False, nextitem=following)


def tear_down(item: pytest.Item, following: pytest.Item | None) -> None:
    """Tear down what stayed up for a twin that will not run after all."""
    state: Any = vars(item.session)["_setupstate"]
    state.teardown_exact(following)


def tell(item: pytest.Item, reports: Iterable[pytest.TestReport]) -> None:
    """Report the result of a test."""
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
