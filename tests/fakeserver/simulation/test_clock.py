"""The clock: readings, advance, settle, jump, manual time, holds, civil time."""

from __future__ import annotations

import asyncio
import datetime
import threading
from typing import TYPE_CHECKING

import pytest

from windtunnel_fakeserver.simulation import Clock, Jump, World

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


def run(main: Callable[[World], Awaitable[object]]) -> World:
    async def inner() -> None:
        await main(world)

    with World() as world:
        world.run(inner)
    return world


def test_a_new_clock_starts_at_1000_and_a_fixed_civil_time() -> None:
    clock = Clock()
    assert clock.time() == 1000.0
    assert clock.elapsed == clock.now == 0.0
    moment = datetime.datetime.fromtimestamp(clock.wall(), datetime.UTC)
    assert moment.isoformat() == "2026-01-01T00:00:00+00:00"


@pytest.mark.parametrize("start", [0.0, -1.0, 1.7e9, float("nan")])
def test_a_start_that_floats_or_libraries_cannot_bear_is_refused(start: float) -> None:
    with pytest.raises(ValueError, match="no start of the clock"):
        World(start=start)


def test_advance_stops_at_every_event_on_the_way() -> None:
    async def main(world: World) -> None:
        seen: list[float] = []

        async def sleeper(seconds: float) -> None:
            await asyncio.sleep(seconds)
            seen.append(world.clock.elapsed)
            await asyncio.sleep(0.25)
            seen.append(world.clock.elapsed)

        with world.clock.manual():
            tasks = [asyncio.ensure_future(sleeper(seconds)) for seconds in (1, 2, 9)]
            await world.clock.advance(2.5)
            assert seen == [1.0, 1.25, 2.0, 2.25]
            assert world.clock.elapsed == 2.5
            await world.clock.advance(0)
            assert world.clock.elapsed == 2.5
            tasks[2].cancel()

    run(main)


def test_advance_lets_the_loop_settle_at_its_end() -> None:
    async def main(world: World) -> None:
        seen: list[str] = []

        async def late() -> None:
            await asyncio.sleep(5)
            for _ in range(10):
                await asyncio.sleep(0)
            seen.append("settled")

        task = asyncio.ensure_future(late())
        await world.clock.advance(5)
        assert seen == ["settled"]
        await task

    run(main)


def test_several_tasks_advance_at_once_and_one_gives_up() -> None:
    async def main(world: World) -> None:
        seen: list[float] = []

        async def advance(seconds: float) -> None:
            await world.clock.advance(seconds)
            seen.append(world.clock.elapsed)

        tasks = [asyncio.ensure_future(advance(seconds)) for seconds in (3, 1, 2, 1)]
        await asyncio.sleep(0)
        tasks[2].cancel()
        await asyncio.wait(tasks)
        assert seen == [1.0, 1.0, 3.0]

    run(main)


def test_settle_waits_for_quiet_without_moving_time() -> None:
    async def main(world: World) -> None:
        seen: list[int] = []

        async def steps() -> None:
            for step in range(20):
                await asyncio.sleep(0)
                seen.append(step)

        task = asyncio.ensure_future(steps())
        cancelled = asyncio.ensure_future(world.clock.settle())
        await asyncio.sleep(0)
        cancelled.cancel()
        await world.clock.settle()
        assert len(seen) == 20
        assert world.clock.elapsed == 0.0
        await task

    run(main)


def test_settle_waits_for_thread_jobs() -> None:
    async def main(world: World) -> None:
        job = asyncio.ensure_future(asyncio.to_thread(sum, range(100_000)))
        await asyncio.sleep(0)
        await world.clock.settle()
        assert job.done()

    run(main)


def test_jump_fires_everything_late_and_together() -> None:
    async def main(world: World) -> None:
        seen: list[float] = []

        async def sleeper(seconds: float) -> None:
            await asyncio.sleep(seconds)
            seen.append(world.clock.elapsed)

        tasks = [asyncio.ensure_future(sleeper(seconds)) for seconds in (1, 2, 30)]
        await asyncio.sleep(0)
        world.clock.jump(10)
        await world.clock.settle()
        assert seen == [10.0, 10.0]
        await asyncio.wait(tasks)
        assert seen[2] == 30.0

    run(main)


def test_a_jump_past_the_end_of_an_advance_ends_it() -> None:
    async def main(world: World) -> None:
        task = asyncio.ensure_future(world.clock.advance(5))
        await asyncio.sleep(0)
        world.clock.jump(60)
        await task
        assert world.clock.elapsed == 60.0

    run(main)


@pytest.mark.parametrize("seconds", [-1.0, float("inf"), float("nan")])
def test_time_does_not_move_by_impossible_amounts(seconds: float) -> None:
    async def main(world: World) -> None:
        with pytest.raises(ValueError, match="finite and not negative"):
            await world.clock.advance(seconds)
        with pytest.raises(ValueError, match="finite and not negative"):
            world.clock.jump(seconds)

    run(main)


def test_advance_without_a_loop_says_what_is_missing() -> None:
    clock = Clock()
    with pytest.raises(RuntimeError, match=r"clock\.advance\(\) was called while no"):
        asyncio.run(clock.advance(1))
    with pytest.raises(RuntimeError, match=r"clock\.settle\(\) was called while no"):
        asyncio.run(clock.settle())


def test_manual_time_nests_and_is_restored() -> None:
    clock = Clock()
    with clock.manual():
        with clock.manual():
            assert not clock.autojump
        assert not clock.autojump
    assert clock.autojump


def test_a_hold_freezes_time_until_a_foreign_thread_is_done() -> None:
    async def main(world: World) -> None:
        loop = asyncio.get_running_loop()
        done = asyncio.Event()
        gate = threading.Event()

        def work() -> None:
            with world.clock.hold():
                started.set()
                gate.wait(10)
                loop.call_soon_threadsafe(done.set)

        started = threading.Event()
        thread = threading.Thread(target=work)
        thread.start()
        started.wait(10)
        assert world.clock.held
        timer = loop.call_later(5, lambda: None)
        threading.Timer(0.02, gate.set).start()
        await done.wait()
        assert world.clock.elapsed == 0.0
        thread.join()
        timer.cancel()
        assert not world.clock.held

    run(main)


def test_the_timeline_lists_how_far_time_moved() -> None:
    async def main(world: World) -> None:
        for seconds in (1, 2, 4):
            await asyncio.sleep(seconds)

    world = run(main)
    assert world.clock.timeline == [Jump(0, 1), Jump(1, 2), Jump(3, 4)]
    assert [move.seconds for move in world.clock.timeline] == [1, 2, 4]


def test_civil_time_steps_without_moving_loop_time() -> None:
    async def main(world: World) -> None:
        clock = world.clock
        before = clock.wall()
        await asyncio.sleep(1.5)
        assert clock.wall() == before + 1.5
        clock.step_wall(-3600)
        assert clock.wall() == before + 1.5 - 3600
        clock.set_wall(datetime.datetime(2030, 5, 6, tzinfo=datetime.UTC))
        assert clock.wall() == 1_904_256_000.0
        await asyncio.sleep(1)
        assert clock.wall_ns() == 1_904_256_001 * 10**9
        clock.set_wall(5)
        assert clock.wall() == 5.0
        assert clock.elapsed == 2.5
        with pytest.raises(ValueError, match="has no time zone"):
            clock.set_wall(datetime.datetime(2030, 5, 6))

    run(main)
