"""The time shim: virtual in the thread of a simulated loop, real everywhere else."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
import types
from typing import Any

import pytest

from windtunnel_fakeserver.simulation import World, install_time_shim

FUNCTIONS = (
    "time",
    "time_ns",
    "monotonic",
    "monotonic_ns",
    "perf_counter",
    "perf_counter_ns",
)


def test_all_six_functions_follow_the_clock_of_the_running_loop() -> None:
    async def main() -> dict[str, float]:
        before = {name: getattr(time, name)() for name in FUNCTIONS}
        await asyncio.sleep(2.5)
        return {name: getattr(time, name)() - before[name] for name in FUNCTIONS}

    with World(epoch=1_000_000.0) as world:
        passed = world.run(main)
    for name, difference in passed.items():
        assert difference == (2.5e9 if name.endswith("_ns") else 2.5), name


def test_readings_are_the_worlds_own() -> None:
    async def main() -> tuple[float, float, float]:
        return time.time(), time.monotonic(), time.perf_counter()

    with World(start=7.0, epoch=5_000.0) as world:
        assert world.run(main) == (5_000.0, 7.0, 7.0)


def test_other_threads_and_other_loops_keep_real_time() -> None:
    readings: list[float] = []

    async def main() -> None:
        await asyncio.sleep(86_000)
        thread = threading.Thread(target=lambda: readings.append(time.monotonic()))
        thread.start()
        thread.join()

    async def stock() -> float:
        return time.monotonic()

    with World() as world:
        world.run(main)
    now = time.monotonic()
    assert abs(readings[0] - now) < 60
    assert abs(asyncio.run(stock()) - now) < 60
    assert time.time() > 1_600_000_000


def test_a_second_installation_changes_nothing() -> None:
    install_time_shim()
    before = time.monotonic
    assert install_time_shim() == 0
    assert time.monotonic is before
    assert repr(before) == "<time.monotonic that knows simulated loops>"


def test_a_class_attribute_stays_a_plain_function() -> None:
    install_time_shim()

    # A function written in Python would be bound to the instance and get an argument.
    stopwatch: Any = type("Stopwatch", (), {"read": time.perf_counter})
    assert stopwatch().read() > 0


_EARLY = """
import sys, threading, types
from time import monotonic, time as wall
import time
early = types.ModuleType("early")
early.now, early.wall, early.other = monotonic, wall, 5
real = [monotonic, wall]
testing = types.ModuleType("_pytest.timing")
testing.perf_counter = time.perf_counter
sys.modules.update({"early": early, "_pytest.timing": testing, "gone": None})
from windtunnel_fakeserver.simulation import install_time_shim, pacer
counts = []
install = lambda: counts.append(install_time_shim())
threads = [threading.Thread(target=install) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
counts.sort()
assert counts[:-1] == [0] * 7
assert counts[-1] >= 2, counts
assert early.now is monotonic is time.monotonic is not real[0]
assert early.wall is wall is time.time is not real[1]
assert testing.perf_counter is not time.perf_counter
assert pacer.real_monotonic is real[0]
print("rebound")
"""


def test_names_bound_earlier_are_rebound_once_whoever_installs_first() -> None:
    finished = subprocess.run(
        [sys.executable, "-c", _EARLY],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert finished.stdout == "rebound\n", finished.stderr


def test_modules_that_measure_the_test_run_keep_real_time() -> None:
    install_time_shim()
    assert not any(
        getattr(sys.modules["_pytest.timing"], name, None) is getattr(time, name)
        for name in ("perf_counter", "time")
        if isinstance(
            getattr(sys.modules["_pytest.timing"], name, None),
            types.BuiltinFunctionType,
        )
    )


@pytest.mark.parametrize("name", FUNCTIONS)
def test_outside_of_loops_the_reading_is_the_real_one(name: str) -> None:
    install_time_shim()
    function = getattr(time, name)
    assert function() <= function()
    assert function.__name__ == name
