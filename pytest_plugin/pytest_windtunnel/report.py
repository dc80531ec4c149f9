"""The section ``windtunnel`` in the report of a failed test.

Comes in: a report and the trial of its test. Goes out: a report section, which unlike
captured output survives ``-s`` and the way back from an xdist worker. Must not know:
loops, hooks.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final, TypeAlias

import pytest

from windtunnel_fakeserver.simulation import SimulationError

if TYPE_CHECKING:
    from pytest_windtunnel.trial import Trial
    from pytest_windtunnel.tunnel import WindTunnel

    _Caught: TypeAlias = pytest.ExceptionInfo[BaseException]

_MOST_LINES: Final = 40


def add_section(report: pytest.TestReport, trial: Trial) -> None:
    """Append what happened in the tunnel to the report of one phase.

    The phase that failed gets the whole story. The teardown of a test that failed
    before gets what came to light since, so that a leak is told without hiding the
    first failure.
    """
    tunnel = trial.tunnel
    if tunnel is None:
        return
    if report.failed:
        told = _story(trial, tunnel)
    elif report.when == "teardown" and trial.failure:
        told = "\n".join(_problems(trial, tunnel))
    else:
        return
    if told:
        # pytest shows sections of a passed teardown only if their title says so.
        title = "windtunnel teardown" if report.when == "teardown" else "windtunnel"
        report.sections.append((title, told))


def rerun_command(trial: Trial) -> str:
    """Return the shell command that runs this one test again in the same way."""
    seed = trial.settings.seed
    name = trial.item.nodeid
    # The part of the name that ``--windtunnel-seeds`` added.
    name = name.replace(f"[seed={seed}]", "").replace(f"-seed={seed}]", "]")
    words = ["pytest", name.replace(f"[seed={seed}-", "[")]
    if not trial.settings.pinned:
        words.append(f"--windtunnel-seed={seed}")
    if trial.item.config.getoption("windtunnel_check"):
        words.append("--windtunnel-check")
    return shlex.join(words)


def shorten(report: pytest.TestReport, trial: Trial, error: _Caught | None) -> None:
    """Leave the traceback out where the text of the error is the whole story.

    A deadlock is raised out of the loop, and a verdict by this plugin, so their frames
    say nothing about the test. What an exception of the author's own code caused keeps
    the traceback of that exception, in a section of its own.
    """
    if error is None:
        return
    raised = error.value
    if raised is not trial.verdict_error and not isinstance(raised, SimulationError):
        return
    shown = error.getrepr(style="value", chain=False)
    if shown.reprcrash is not None:
        # What pytest's summary has room for, without the path of the class.
        headline = str(raised).partition("\n")[0].removeprefix("windtunnel: ")
        shown.reprcrash.message = f"{type(raised).__name__}: {headline}"
    report.longrepr = shown
    cause = raised.__cause__
    if cause is not None:
        caught = pytest.ExceptionInfo[BaseException].from_exception(cause)
        own = caught.getrepr(style="long")
        report.sections.append(("windtunnel cause", str(own)))


def _story(trial: Trial, tunnel: WindTunnel) -> str:
    problems = _problems(trial, tunnel)
    lines: list[str] = []
    # An error that is the verdict has told seed, time, problems and timeline already.
    if str(trial.failure) != tunnel.verdict().render():
        timeline = tunnel.journal.timeline(_MOST_LINES)
        lines = [
            f"seed={trial.settings.seed}  t=0.000..{tunnel.clock.elapsed:.3f} s "
            f"virtual, {trial.seconds:.3f} s real",
            *problems,
            *([f"  {line}" for line in timeline] or ["  nothing was sent"]),
        ]
    if isinstance(trial.failure, SimulationError):
        # Left out with the traceback.
        notes: list[str] = getattr(trial.failure, "__notes__", [])
        lines += dict.fromkeys(note.partition("\n")[0] for note in notes)
    lines.append(f"rerun: {rerun_command(trial)}")
    return "\n".join(lines)


def _problems(trial: Trial, tunnel: WindTunnel) -> list[str]:
    fresh = trial.untold(tunnel.verdict())
    return [f"  {line}" for problem in fresh for line in problem.lines]
