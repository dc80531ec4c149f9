"""Which loop a simulated test runs on: pytest-asyncio's, anyio's, or one of our own.

Comes in: a test, and pytest's fixture machinery. Goes out: a simulated loop that is
open from the setup of the ``windtunnel`` fixture to its teardown, so that everything
between runs on it. Must not know: what is done on the loop, what is reported.

Why not simply the hook ``pytest_asyncio_loop_factories`` for every test: with any
implementation of it, pytest-asyncio parametrizes *all* async tests. That changes the
order of tests with session loops, and tears session fixtures down whenever a test with
another factory comes between. So only the runner of the simulated test is given another
loop, and the hook serves for one thing: where a project has several factories of its
own, a simulated test still runs once.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import pytest

from pytest_windtunnel.trial import Trial, current

if TYPE_CHECKING:
    from collections.abc import Generator

_Factories: TypeAlias = Mapping[str, Callable[[], asyncio.AbstractEventLoop]]

ASYNCIO_RUNNER: Final = "_function_scoped_runner"
"""The fixture of pytest-asyncio that owns the loop of a test with function scope."""
_ASYNCIO_FACTORY: Final = "_asyncio_loop_factory"


# -- while tests are collected -------------------------------------------------------


def adapt(metafunc: pytest.Metafunc) -> OneLoop | None:
    """Fit one simulated test to the async plugins, before it is parametrized.

    Returns:
        A plugin to be registered while this test is parametrized, or None.
    """
    definition = metafunc.definition
    if "anyio_backend" in metafunc.fixturenames:
        _choose_anyio_backend(definition)
    hook = getattr(metafunc.config.hook, "pytest_asyncio_loop_factories", None)
    return OneLoop() if hook is not None and hook.get_hookimpls() else None


class OneLoop:
    """Keeps a test from being multiplied by the loop factories of its project."""

    @pytest.hookimpl(wrapper=True, optionalhook=True, tryfirst=True)
    def pytest_asyncio_loop_factories(self) -> Generator[None, _Factories, _Factories]:
        """Keep the first factory only; the runner of the test takes ours anyway.

        It must be one of theirs: another value would make pytest-asyncio close the
        wider loops of the project, with all fixtures on them.
        """
        factories = yield
        return dict(list(factories.items())[:1])


def _choose_anyio_backend(definition: pytest.Function) -> None:
    """Give a test marked anyio the simulated loop, and asyncio only.

    Spec: anyio's documentation, "Specifying the backends to run on": options are given
    as a tuple of name and dict.
    """
    for mark in definition.iter_markers("parametrize"):
        if "anyio_backend" in str(mark.args[:1]):
            return  # the author's choice; a wrong one is told when the test starts
    backend = ("asyncio", {"loop_factory": _loop_of_current_trial})
    definition.add_marker(
        pytest.mark.parametrize("anyio_backend", [backend], ids=[pytest.HIDDEN_PARAM])
    )


def _loop_of_current_trial() -> asyncio.AbstractEventLoop:
    trial = current()
    assert trial is not None, "only simulated tests are parametrized with this"
    return trial.new_loop()


# -- while tests run -----------------------------------------------------------------


def check(item: pytest.Function) -> None:
    """Refuse kinds of tests that cannot have a simulated loop of their own.

    Raises:
        pytest.UsageError: The message names the test and what to change.
    """
    hypothesis = getattr(item.obj, "hypothesis", None)
    if inspect.iscoroutinefunction(getattr(hypothesis, "inner_test", None)):
        msg = (
            f"{item.nodeid}: all examples of a hypothesis test would share one "
            f"simulated world; write a plain `def` test with @given that calls "
            f"windtunnel_fakeserver.Tunnel(seed=...).run(main)"
        )
        raise pytest.UsageError(msg)
    scope = _asyncio_scope(item)
    if scope not in (None, "function"):
        msg = (
            f"{item.nodeid}: a simulated test has loop scope {scope!r}, allowed is "
            f"'function': tests must not share a clock and connections; write "
            f'@pytest.mark.asyncio(loop_scope="function")'
        )
        raise pytest.UsageError(msg)


def _asyncio_scope(item: pytest.Function) -> str | None:
    """Return the loop scope pytest-asyncio gives a test; None if it does not run it."""
    marker = item.get_closest_marker("asyncio")
    if marker is None or not item.config.pluginmanager.has_plugin("asyncio"):
        return None
    own = marker.kwargs.get("loop_scope") or marker.kwargs.get("scope")
    return str(own or item.config.getini("asyncio_default_test_loop_scope"))


@contextmanager
def open_loop(trial: Trial, request: pytest.FixtureRequest) -> Generator[None]:
    """Keep the simulated loop of a coroutine test open, with the tunnel on it.

    Where an async plugin runs the test or its fixtures, the loop is the plugin's: an
    async fixture holds it open until the caller of this is torn down.
    """
    item = trial.item
    manager = item.config.pluginmanager
    if not trial.is_async:
        yield
    elif runs_on_anyio(item):
        _register(manager, "anyio_loop")
        request.getfixturevalue("_windtunnel_anyio_loop")
        yield
    elif manager.has_plugin("asyncio"):
        _register(manager, "asyncio_loop")
        request.getfixturevalue("_windtunnel_asyncio_loop")
        yield
    else:
        with asyncio.Runner(loop_factory=trial.new_loop) as runner:
            runner.run(trial.board())
            yield


def runs_on_anyio(item: pytest.Function) -> bool:
    """Say if anyio's plugin runs this test."""
    return (
        "anyio_backend" in item.fixturenames
        and item.config.pluginmanager.has_plugin("anyio")
        and item.get_closest_marker("asyncio") is None
    )


def run_if_ours(trial: Trial) -> bool | None:
    """Run a coroutine test that no async plugin takes.

    Returns:
        True if it ran, None if pytest is to go on: a plain function, or one that
        pytest-asyncio (which has put a plain function around it) or anyio runs.
    """
    __tracebackhide__ = True
    item = trial.item
    if not inspect.iscoroutinefunction(item.obj) or runs_on_anyio(item):
        return None
    wanted = inspect.signature(item.obj).parameters
    trial.run(item.obj(**{n: v for n, v in item.funcargs.items() if n in wanted}))
    return True


@contextmanager
def simulated_runner(
    trial: Trial, fixturedef: pytest.FixtureDef[Any]
) -> Generator[None]:
    """Let the runner that pytest-asyncio is about to make take the simulated loop."""
    make_runner = fixturedef.func

    def with_simulated_loop(**arguments: Any) -> Iterator[asyncio.Runner]:
        yield from make_runner(**arguments | {_ASYNCIO_FACTORY: trial.new_loop})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fixturedef, "func", with_simulated_loop)
        yield


def _register(manager: pytest.PytestPluginManager, module: str) -> None:
    """Register fixtures that need an async plugin, once it is known to be there."""
    name = f"pytest_windtunnel.{module}"
    if not manager.has_plugin(name):
        manager.register(importlib.import_module(name), name)
