"""Says how fast a case may run when its seconds are real ones.

In: the smallest gap of a case that tells two outcomes apart, and what this machine and
this client can measure. Out: a scale, or that the case cannot be run in real time. The
waiting itself happens elsewhere; only ``measure_lateness`` touches a clock.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from windtunnel_conformance.outcome import Timing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from windtunnel_conformance.case import ClockSettings

DEFAULT_SCALE = 0.02
"""Real seconds per case second, if nothing asks for more."""

MAX_SCALE = 0.2
"""Slower than this a run would take too long; the case is skipped instead."""

_STEPS_PER_GAP = 4
_FIRINGS = 20
_FIRING_SECONDS = 0.005


@dataclass(frozen=True, slots=True)
class Resolution:
    """What can be told apart in real time, in real seconds.

    Attributes:
        jitter: 99th percentile of how late things happen on this machine.
        min_timeout: Shortest timeout the client can be given.
        step: Smallest step in which the client sets timeouts.
    """

    jitter: float
    min_timeout: float
    step: float

    @property
    def smallest_gap(self) -> float:
        """No gap that tells two outcomes apart may be shorter, in real seconds."""
        return _STEPS_PER_GAP * max(self.jitter, self.min_timeout, self.step)


def scaled_timing(clock: ClockSettings, resolution: Resolution) -> Timing | None:
    """Choose the scale of one case.

    Returns:
        None if the case cannot be shown in real time, or only too slowly.
    """
    if clock.mode == "virtual":
        return None
    scale = DEFAULT_SCALE
    if clock.gap is not None:
        scale = max(scale, resolution.smallest_gap / clock.gap)
    if scale > MAX_SCALE:
        return None
    return Timing(
        virtual=False, scale=scale, jitter=resolution.jitter, step=resolution.step
    )


async def measure_lateness() -> float:
    """Fire some timers and return how late the latest was, in real seconds."""
    loop = asyncio.get_running_loop()
    lateness: list[float] = []
    for _ in range(_FIRINGS):
        due = loop.time() + _FIRING_SECONDS
        await asyncio.sleep(_FIRING_SECONDS)
        lateness.append(max(loop.time() - due, 0.0))
    return percentile(lateness, 0.99)


def percentile(samples: Iterable[float], share: float) -> float:
    """Return the sample below which ``share`` (0..1) of them lie; 0.0 for none."""
    ordered = sorted(samples)
    if not ordered:
        return 0.0
    return ordered[min(math.ceil(share * len(ordered)), len(ordered)) - 1]
