"""Ends code in this process that has stopped giving way, by the real clock.

In: a number of real seconds. Out: ``StuckError`` in the middle of whatever runs. The
simulation notices every wait that never ends; only a loop inside one callback of a
client is beyond it, and would hang the whole run.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator
    from types import FrameType


class StuckError(KeyboardInterrupt):
    """The code under test ran for too long without giving way.

    The base is what asyncio lets through callbacks and tasks; every other exception
    it would only log.
    """


@contextlib.contextmanager
def real_limit(seconds: float) -> Generator[None]:
    """Raise ``StuckError`` in the block after so many real seconds, and again.

    Only the main thread can be interrupted, and only where the system has interval
    timers; elsewhere the block runs without a limit.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or not hasattr(signal, "setitimer"):
        yield
        return

    def interrupt(_number: int, frame: FrameType | None) -> None:
        place = "nowhere"
        if frame is not None:
            place = f"{frame.f_code.co_qualname} line {frame.f_lineno}"
        raise StuckError(f"no end after {seconds:g} s of real time, in {place}")

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
