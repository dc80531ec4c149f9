"""The section ``windtunnel`` in the report of a failed test.

Comes in: a report and the trial of its test. Goes out: a report section, which unlike
captured output survives ``-s`` and the way back from an xdist worker. Must not know:
loops, hooks.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pytest

    from pytest_windtunnel.trial import Trial
    from pytest_windtunnel.tunnel import WindTunnel

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
    elif report.when == "teardown" and trial.failed:
        told = _since_then(trial, tunnel)
    else:
        return
    if told:
        # pytest shows sections of a passed teardown only if their title says so.
        title = "windtunnel teardown" if report.when == "teardown" else "windtunnel"
        report.sections.append((title, told))


def rerun_command(trial: Trial) -> str:
    """Return the shell command that runs this one test again in the same way."""
    words = ["pytest", trial.item.nodeid]
    if not trial.settings.pinned:
        words.append(f"--windtunnel-seed={trial.settings.seed}")
    return shlex.join(words)


def _story(trial: Trial, tunnel: WindTunnel) -> str:
    lines = [
        f"seed={trial.settings.seed}  t=0.000..{tunnel.clock.elapsed:.3f} s virtual, "
        f"{trial.seconds:.3f} s real"
    ]
    if not trial.failed_by_verdict:
        lines += _problems(trial, tunnel)
        timeline = tunnel.journal.timeline(_MOST_LINES)
        lines += [f"  {line}" for line in timeline] or ["  nothing was sent"]
    lines.append(f"rerun: {rerun_command(trial)}")
    return "\n".join(lines)


def _problems(trial: Trial, tunnel: WindTunnel) -> list[str]:
    fresh = trial.untold(tunnel.verdict())
    return [f"  {line}" for problem in fresh for line in problem.lines]


def _since_then(trial: Trial, tunnel: WindTunnel) -> str:
    return "\n".join([*_problems(trial, tunnel), *trial.notes])
