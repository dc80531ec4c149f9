"""One simulated test, from its setup to its teardown.

Comes in: a test item. Goes out: its tunnel, its loop, and what was found wrong with it.
Must not know: which async plugin runs the test (``loops``), how a report looks
(``report``). Imported when the first simulated test is set up.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import pytest

from pytest_windtunnel.options import settings_for
from pytest_windtunnel.surroundings import shield
from pytest_windtunnel.tunnel import WindTunnel
from windtunnel_fakeserver import VerificationError
from windtunnel_fakeserver.simulation import SimulationError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator
    from pathlib import Path

    from windtunnel_fakeserver import Cut, Problem, Verdict
    from windtunnel_fakeserver.simulation import SimLoop, Trace

    _AsyncTest: TypeAlias = Callable[..., Coroutine[Any, Any, None]]

TRIAL: Final = pytest.StashKey["Trial"]()
TRACE: Final = pytest.StashKey["Trace"]()
"""What the network did in a test until it was judged."""
CUT: Final[pytest.StashKey[Cut]] = pytest.StashKey()
"""The variation of a reply that a test is run with."""
EARLIER: Final = pytest.StashKey["Trace"]()
"""The same of an earlier run, which this one must not differ from."""

# A stack, because pytester runs tests inside tests; usually it has one entry.
_under_way: list[Trial] = []


class Trial:
    """The state of one simulated test.

    Attributes:
        item: The test.
        settings: What its markers and the configuration say.
        is_async: True for a coroutine test; a plain one may call ``tunnel.run``.
        tunnel: Made when it is first asked for, None before.
        more_to_come: True if an async fixture of the author is torn down after the
            test: it may yet make a request that the test expects.
        failure: What made the test fail, None as long as it has not.
        verdict_error: The same, if it is what the verdict on the tunnel raised.
    """

    def __init__(self, item: pytest.Function) -> None:
        self.item = item
        self.settings = settings_for(item)
        self.is_async = inspect.iscoroutinefunction(unwrapped(item.obj))
        self.tunnel: WindTunnel | None = None
        self.more_to_come = False
        self.failure: BaseException | None = None
        self.verdict_error: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._body: asyncio.Task[Any] | None = None
        self._body_over = asyncio.Event()
        self._abandoned = False
        self._told: set[tuple[str, ...]] = set()
        self._patch = pytest.MonkeyPatch()
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """Real seconds since the setup of the test began."""
        return time.monotonic() - self._began

    # -- before the test ---------------------------------------------------------

    def begin(self) -> None:
        """Become the test that is under way."""
        # First up and last down: what the author's fixtures open is closed before the
        # tunnel looks for leaks, in whatever order a test names them. A list of its
        # own, because parametrizations of one function share theirs.
        others = [name for name in self.item.fixturenames if name != "windtunnel"]
        self.item.fixturenames = ["windtunnel", *others]
        shield(self._patch)
        self.item.stash[TRIAL] = self
        _under_way.append(self)

    def open_tunnel(self) -> WindTunnel:
        """Return the tunnel of this test, made at the first call."""
        if self.tunnel is None:
            cut = self.item.stash.get(CUT, None)
            varied: dict[str, Any] = {} if cut is None else dict(cut.settings)
            self.tunnel = WindTunnel(**self.settings.arguments(), **varied)
        return self.tunnel

    def new_loop(self) -> SimLoop:
        """Make the simulated loop; the runner of an async plugin calls this."""
        return self.open_tunnel().loop_factory()

    async def board(self) -> None:
        """Open the tunnel on the loop that runs; the fixtures of the test come next.

        Raises:
            pytest.fail.Exception: The loop is not the simulated one.
        """
        tunnel = self.open_tunnel()
        loop = asyncio.get_running_loop()
        if getattr(loop, "world", None) is not tunnel.world:
            pytest.fail(
                f"{self.item.nodeid}: a simulated test must run on its own simulated "
                f"loop, but its fixtures run on {loop!r:.80}; an async fixture of a "
                f"wider scope is still alive on that loop, give it function scope",
                pytrace=False,
            )
        self._loop = loop
        await tunnel.board()

    def note_teardown(self, fixture: str) -> None:
        """Note an async fixture that will run on the loop when the test is over."""
        if not fixture.startswith("_windtunnel"):
            self.more_to_come = True

    # -- the test itself -----------------------------------------------------------

    def run(self, body: Coroutine[Any, Any, None]) -> None:
        """Run the test function, when no async plugin does."""
        __tracebackhide__ = True
        if self._loop is None:
            body.close()
            pytest.fail(
                f"{self.item.nodeid}: the fixture `windtunnel` was replaced by one "
                f"that does not ask for the original, so there is no simulated loop",
                pytrace=False,
            )
        self._loop.run_until_complete(body)

    @contextmanager
    def _coated(self) -> Generator[None]:
        if not self.is_async:
            yield
            return
        test = self.item.obj
        self.item.obj = self._coat(test)
        try:
            yield
        finally:
            self.item.obj = test

    def _coat(
        self, test: Callable[..., Any]
    ) -> Callable[..., Coroutine[Any, Any, None]]:
        """Put a coat around the test function that lets it be given up.

        After a deadlock the test still waits inside its loop. It is cancelled before
        the loop runs on for the teardown, or it would wake up when the server closes
        its connections, and go on after its own failure was reported.
        """

        @functools.wraps(unwrapped(test))
        async def coated(**arguments: object) -> None:
            __tracebackhide__ = True
            self._body = asyncio.current_task()
            try:
                await test(**arguments)
            except asyncio.CancelledError:
                if not self._abandoned or self._body is None:
                    raise
                self._body.uncancel()
            finally:
                self._body = None
                self._body_over.set()

        return coated

    def _abandon(self, error: SimulationError) -> None:
        """Give up a test whose simulation cannot go on; what fails here is a note."""
        if self._body is None or self._loop is None:
            return
        self._abandoned = True
        self._body.cancel()
        try:
            self._loop.run_until_complete(self._body_over.wait())
        except (SimulationError, asyncio.CancelledError):
            error.add_note("the test did not end when it was cancelled either")

    # -- after the test ------------------------------------------------------------

    @contextmanager
    def flight(self) -> Generator[None]:
        """Surround the call of the test, then check what it promised."""
        __tracebackhide__ = True
        try:
            with self._coated():
                yield
        except BaseException as exc:
            self.failure = exc
            if isinstance(exc, SimulationError):
                self._abandon(exc)
            raise
        if not self.more_to_come:
            self._verify()

    def land(self) -> None:
        """Close sessions and servers, while the loop is still open."""
        loop, tunnel = self._loop, self.tunnel
        if tunnel is None or loop is None or loop.is_closed():
            return
        loop.run_until_complete(tunnel.aclose())

    @contextmanager
    def aftermath(self) -> Generator[None]:
        """Surround the teardown of all fixtures, then verify what is left."""
        __tracebackhide__ = True
        try:
            yield
        except BaseException as exc:
            # A loop that cannot go on raises its first error again when it is closed.
            if exc is not self.failure:
                self.failure = self.failure or exc
                raise
        finally:
            _under_way.remove(self)
            self._patch.undo()
            if self.tunnel is not None:
                self.tunnel.world.close()
                self._write_trace(self.tunnel)
        self._verify()

    def _verify(self) -> None:
        """Fail the test for what was promised and did not happen.

        Nothing is told twice, and a test that failed already fails for its own reason;
        the report has the rest.
        """
        __tracebackhide__ = True
        if self.tunnel is None or self.failure is not None:
            return
        self._compare(self.tunnel.trace)
        verdict = self.tunnel.verdict()
        if not self.tunnel.strict:
            return
        try:
            verdict.check()
        except VerificationError as exc:
            self.failure = self.verdict_error = exc
            self.untold(verdict)
            raise

    def _write_trace(self, tunnel: WindTunnel) -> None:
        folder: Path | None = self.item.config.getoption("windtunnel_trace")
        if folder is not None:
            from pytest_windtunnel.traces import write_trace

            write_trace(folder, self.item.nodeid, self.settings.seed, tunnel)

    def _compare(self, trace: Trace) -> None:
        """Fail the test if an earlier run of it went another way."""
        __tracebackhide__ = True
        stash = self.item.stash
        if TRACE in stash:
            return
        stash[TRACE] = trace.copy()
        if EARLIER not in stash:
            return
        difference = stash[EARLIER].difference(trace)
        if difference:
            self.failure = pytest.fail.Exception(
                f"windtunnel: two runs with seed {self.settings.seed} differ\n"
                f"{difference}\n"
                f"hint: what may differ is the order of a set, real time, threads, and "
                f"randomness that the seed does not reach",
                pytrace=False,
            )
            raise self.failure

    def untold(self, verdict: Verdict) -> list[Problem]:
        """Return the problems of a verdict that were not returned before."""
        fresh = [p for p in verdict.problems if p.lines not in self._told]
        self._told.update(problem.lines for problem in fresh)
        return fresh

    def forget(self) -> None:
        """Let the tunnel and its journal go; the last report is written."""
        del self.item.stash[TRIAL]


def current() -> Trial | None:
    """Return the simulated test that is under way, if there is one."""
    return _under_way[-1] if _under_way else None


def trial_of(item: pytest.Item) -> Trial | None:
    """Return the trial of a test, from its setup to its last report."""
    return item.stash.get(TRIAL, None)


async def board(item: pytest.Item) -> None:
    """Open the tunnel of a test on the loop that runs; see ``Trial.board``."""
    await item.stash[TRIAL].board()


def unwrapped(function: Any) -> Any:
    """Return the function inside a staticmethod, else the function itself."""
    return getattr(function, "__func__", function)
