"""The pytest plugin of windtunnel: hooks only.

This module is loaded in every pytest run where windtunnel is installed. It imports
pytest and two small modules of its own; simulation, server and client are loaded when
the first simulated test is collected or set up.

A simulated test is one that is marked ``windtunnel`` or uses one of our fixtures. For
each, a ``Trial`` holds the state from setup to teardown (``trial``); ``loops`` decides
where its loop comes from; ``fixtures`` hands out the parts; ``report`` tells the story.
"""

from __future__ import annotations

import inspect
import sys
from typing import TYPE_CHECKING, Any

import pytest

from pytest_windtunnel.fixtures import (
    make_wt_server,
    windtunnel,
    windtunnel_loopback,
    wt_clock,
    wt_cut,
    wt_server,
    wt_session,
)
from pytest_windtunnel.options import (
    MARKER_HELP,
    SWEEP,
    SWEEP_HELP,
    add_options,
    default_seed,
    is_simulated,
    repeat_for_seeds,
)

if TYPE_CHECKING:
    from collections.abc import Generator

    from pytest_windtunnel.trial import Trial
    from pytest_windtunnel.tunnel import WindTunnel

# The fixtures are found by pytest because they are names of this module.
__all__ = [
    "WindTunnel",
    "make_wt_server",
    "windtunnel",
    "windtunnel_loopback",
    "wt_clock",
    "wt_cut",
    "wt_server",
    "wt_session",
]


def __getattr__(name: str) -> Any:
    """Load ``WindTunnel`` when somebody imports it, for annotations."""
    if name == "WindTunnel":
        from pytest_windtunnel.tunnel import WindTunnel

        return WindTunnel
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options and the ini keys."""
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker, and load what the project asks for."""
    for text in (MARKER_HELP, SWEEP_HELP):
        config.addinivalue_line("markers", text)
    if config.getini("windtunnel_aliases"):
        from pytest_windtunnel import aliases

        aliases.register(config)
    if config.getoption("windtunnel_check"):
        from pytest_windtunnel.replay import DoubleRun

        config.pluginmanager.register(DoubleRun(), "windtunnel_check")


def pytest_report_header(config: pytest.Config) -> str:
    """Say which windtunnel it is, and the seed."""
    from importlib.metadata import version

    return f"windtunnel: {version('windtunnel')}, seed {default_seed(config)}"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> Generator[None]:
    """Get the process and the async plugins ready for one simulated test."""
    if not is_simulated(metafunc.definition, metafunc.fixturenames):
        return (yield)
    from pytest_windtunnel.loops import adapt
    from windtunnel_fakeserver.simulation import install_time_shim

    # As early as a simulated test is known: what is imported later needs no rebinding.
    install_time_shim()
    repeat_for_seeds(metafunc)
    if metafunc.definition.get_closest_marker(SWEEP) is not None:
        _prepare_sweep(metafunc)
    adapter = adapt(metafunc)
    manager = metafunc.config.pluginmanager
    if adapter is not None:
        manager.register(adapter)
    try:
        return (yield)
    finally:
        if adapter is not None:
            manager.unregister(adapter)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Begin the trial of a simulated test."""
    if isinstance(item, pytest.Function) and is_simulated(item):
        from pytest_windtunnel.loops import check
        from pytest_windtunnel.trial import Trial

        try:
            check(item)
            Trial(item).begin()
        except pytest.UsageError as exc:
            raise pytest.fail.Exception(str(exc), pytrace=False) from None


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> Generator[None, object, object]:
    """Give pytest-asyncio's runner of a simulated test the simulated loop."""
    trial = _trial_of(request.node)
    if trial is None or not trial.is_async:
        return (yield)
    from pytest_windtunnel.loops import ASYNCIO_RUNNER, simulated_runner

    if fixturedef.argname == ASYNCIO_RUNNER:
        with simulated_runner(trial, fixturedef):
            return (yield)
    if inspect.isasyncgenfunction(fixturedef.func):
        trial.note_teardown(fixturedef.argname)
    return (yield)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """Run a simulated test, then check what it promised."""
    __tracebackhide__ = True
    trial = _trial_of(item)
    if trial is None:
        return (yield)
    with trial.flight():
        return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a simulated coroutine test that no async plugin takes."""
    __tracebackhide__ = True
    trial = _trial_of(pyfuncitem)
    if trial is None:
        return None
    from pytest_windtunnel.loops import run_if_ours

    return run_if_ours(trial)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None]:
    """Look for what a simulated test left behind, when all its fixtures are down."""
    __tracebackhide__ = True
    trial = _trial_of(item)
    if trial is None:
        return (yield)
    with trial.aftermath():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the section ``windtunnel`` to the report of a failed simulated test."""
    report = yield
    trial = _trial_of(item)
    if trial is not None:
        from pytest_windtunnel.report import add_section, shorten

        shorten(report, trial, call.excinfo)
        add_section(report, trial)
        if call.when == "teardown":
            trial.forget()
    return report


def _prepare_sweep(metafunc: pytest.Metafunc) -> None:
    """Check the marker of a sweep, and have somebody who runs it."""
    from pytest_windtunnel.sweeping import Sweeping, variations

    variations(metafunc.definition)
    manager = metafunc.config.pluginmanager
    if not manager.has_plugin(SWEEP):
        manager.register(Sweeping(), SWEEP)


def _trial_of(node: object) -> Trial | None:
    """Return the trial of a test, without loading anything for the tests of others."""
    if "pytest_windtunnel.trial" not in sys.modules or not isinstance(
        node, pytest.Item
    ):
        return None
    from pytest_windtunnel.trial import trial_of

    return trial_of(node)
