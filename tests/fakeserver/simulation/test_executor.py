"""Thread jobs: frozen time, order of submission, clean ends."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
import time

import pytest

from windtunnel_fakeserver.simulation import World


def test_time_is_frozen_while_a_thread_works() -> None:
    def slow_job() -> str:
        time.sleep(0.05)
        return "done"

    async def main() -> str:
        async with asyncio.timeout(0.01):
            return await asyncio.to_thread(slow_job)

    with World() as world:
        assert world.run(main) == "done"
        assert world.clock.elapsed == 0.0


def test_results_come_in_the_order_of_submission() -> None:
    async def main() -> list[int]:
        loop = asyncio.get_running_loop()
        seen: list[int] = []

        async def job(number: int) -> None:
            await loop.run_in_executor(None, time.sleep, 0.002 * (5 - number))
            seen.append(number)

        await asyncio.gather(*(job(number) for number in range(5)))
        return seen

    for _ in range(5):
        with World() as world:
            assert world.run(main) == [0, 1, 2, 3, 4]


def test_a_job_may_call_back_into_the_loop_and_wait_for_it() -> None:
    async def main() -> int:
        loop = asyncio.get_running_loop()

        async def double(number: int) -> int:
            await asyncio.sleep(0)
            return 2 * number

        def job() -> int:
            return asyncio.run_coroutine_threadsafe(double(21), loop).result(5)

        return await asyncio.to_thread(job)

    with World() as world:
        assert world.run(main) == 42


def test_jobs_that_wait_for_each_other_are_freed_and_the_trace_says_so() -> None:
    async def main() -> None:
        gate = threading.Event()
        waiting = asyncio.ensure_future(asyncio.to_thread(gate.wait, 30))
        await asyncio.to_thread(int)
        gate.set()
        assert await waiting

    with World() as world:
        world.run(main)
        assert "order of thread results is not certain" in world.trace.render()


def test_errors_of_jobs_reach_the_one_who_waits() -> None:
    def stop() -> None:
        raise StopIteration

    async def main() -> None:
        with pytest.raises(ValueError, match="invalid literal"):
            await asyncio.to_thread(int, "x")
        with pytest.raises(RuntimeError, match="StopIteration"):
            await asyncio.get_running_loop().run_in_executor(None, stop)

    with World() as world:
        world.run(main)


def test_a_cancelled_job_that_did_not_start_never_runs() -> None:
    async def main() -> list[str]:
        loop = asyncio.get_running_loop()
        seen: list[str] = []
        gate = threading.Event()
        with concurrent.futures.ThreadPoolExecutor(1) as own:
            first = loop.run_in_executor(own, gate.wait, 10)
            second = loop.run_in_executor(own, seen.append, "second")
            third = loop.run_in_executor(own, seen.append, "third")
            second.cancel()
            await asyncio.sleep(0)
            gate.set()
            await first
            await third
            assert second.cancelled()
        return seen

    with World() as world:
        assert world.run(main) == ["third"]


def test_a_job_cancelled_by_its_executor_cancels_the_waiter() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        gate = threading.Event()
        own = concurrent.futures.ThreadPoolExecutor(1)
        first = loop.run_in_executor(own, gate.wait, 10)
        second = loop.run_in_executor(own, int)
        own.shutdown(wait=False, cancel_futures=True)
        gate.set()
        await first
        with pytest.raises(asyncio.CancelledError):
            await second

    with World() as world:
        world.run(main)


def test_no_job_is_taken_after_the_executor_was_shut_down() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        await asyncio.to_thread(int)
        await loop.shutdown_default_executor()
        with pytest.raises(RuntimeError, match="shutdown"):
            await loop.run_in_executor(None, int)

    with World() as world:
        world.run(main)


def test_no_thread_is_left_after_the_run() -> None:
    async def main() -> None:
        await asyncio.gather(*(asyncio.to_thread(int) for _ in range(4)))

    before = threading.active_count()
    with World() as world:
        world.run(main)
    assert threading.active_count() == before


def test_debug_mode_checks_what_is_given_to_the_loop() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_debug(True)
        with pytest.raises(TypeError, match="coroutines cannot be used"):
            loop.run_in_executor(None, main)
        with pytest.raises(TypeError, match="coroutines cannot be used"):
            loop.call_at(1.0, main)
        assert await loop.run_in_executor(None, int) == 0
        await asyncio.sleep(0.1)

    with World() as world:
        world.run(main)
