"""The functions of the ``time`` module, made to follow the simulated clock.

In: nothing but the call to install. Out: ``time.time``, ``monotonic``,
``perf_counter`` and their ``_ns`` forms that read the virtual clock in a thread that
runs a simulated loop, and real time everywhere else. Clients do not only ask the loop:
keep-alive and cookie ages come from here. It must not know the loop class: a loop that
has a ``simulated_clock`` is a simulated loop.
"""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from windtunnel_fakeserver.simulation.compat import override
from windtunnel_fakeserver.simulation.cpython import running_loop

if TYPE_CHECKING:
    from collections.abc import Callable

    from windtunnel_fakeserver.simulation.clock import Clock

__all__ = ["install_time_shim", "real_monotonic", "real_process_time"]

# Tools that measure the test run itself must go on seeing real time.
_KEEP_REAL = frozenset(
    {"_pytest", "pytest", "hypothesis", "pluggy", "execnet", "xdist", "coverage"}
)
_OWN_PACKAGE = __name__.rpartition(".")[0]
_lock = threading.Lock()


class _TimeFunction:
    """Stands in for one function of the time module.

    It is an object with ``__call__`` because a plain function, unlike the builtin it
    replaces, would turn into a bound method as a class attribute.
    """

    __slots__ = ("__name__", "_real", "_virtual")

    def __init__(
        self, real: Callable[[], Any], virtual: Callable[[Clock], Any]
    ) -> None:
        self.__name__ = real.__name__
        self._real = real
        self._virtual = virtual

    def __call__(self) -> Any:
        clock = getattr(running_loop(), "simulated_clock", None)
        return self._real() if clock is None else self._virtual(clock)

    @override
    def __repr__(self) -> str:
        return f"<time.{self.__name__} that knows simulated loops>"


def _loop_ns(clock: Clock) -> int:
    return round(clock.instant * 1e9)


def _loop_seconds(clock: Clock) -> float:
    return clock.instant


def _wall_seconds(clock: Clock) -> float:
    return clock.wall()


def _wall_ns(clock: Clock) -> int:
    return clock.wall_ns()


def _real_functions() -> dict[str, Callable[[], Any]]:
    names = (
        "time",
        "time_ns",
        "monotonic",
        "monotonic_ns",
        "perf_counter",
        "perf_counter_ns",
    )
    found = {name: getattr(time, name) for name in names}
    # A reload of this module must not take its own stand-ins for the real thing.
    return {name: getattr(func, "_real", func) for name, func in found.items()}


_REAL = _real_functions()
_VIRTUAL: dict[str, Callable[[Clock], Any]] = {
    "time": _wall_seconds,
    "time_ns": _wall_ns,
    "monotonic": _loop_seconds,
    "monotonic_ns": _loop_ns,
    "perf_counter": _loop_seconds,
    "perf_counter_ns": _loop_ns,
}
_STAND_INS = {name: _TimeFunction(real, _VIRTUAL[name]) for name, real in _REAL.items()}
real_monotonic: Callable[[], float] = _REAL["monotonic"]
real_process_time = time.process_time


def install_time_shim() -> int:
    """Make the functions of ``time`` follow the clock of the running simulated loop.

    The whole process is changed, once; outside of simulated loops everything reads real
    time as before. Modules outside the standard library that imported one of the names
    earlier get the new one. Further calls change nothing. Callable from any thread.

    Returns:
        How many names of other modules were rebound, 0 on every further call.
    """
    with _lock:
        if time.monotonic is _STAND_INS["monotonic"]:
            return 0
        for name, stand_in in _STAND_INS.items():
            setattr(time, name, stand_in)
        return sum(_rebind(name) for name in list(sys.modules))


def _rebind(module_name: str) -> int:
    top = module_name.partition(".")[0]
    module = sys.modules.get(module_name)
    if module is None or top in sys.stdlib_module_names or top in _KEEP_REAL:
        return 0
    if module_name.startswith(_OWN_PACKAGE):
        # The pacer keeps the real clock for its real-time budgets.
        return 0
    by_identity = {id(real): _STAND_INS[name] for name, real in _REAL.items()}
    found = [
        (name, by_identity[id(value)])
        for name, value in list(vars(module).items())
        if id(value) in by_identity
    ]
    for name, stand_in in found:
        setattr(module, name, stand_in)
    return len(found)
