"""Runs that cannot go on: they end with an error that says who waits where."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from windtunnel_fakeserver.simulation import (
    DeadlockError,
    LivelockError,
    SimulationError,
    StuckThreadError,
    World,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

HOST = "127.0.0.1"


def failure(kind: type[SimulationError], main: Any, **settings: Any) -> SimulationError:
    with World(**settings) as world, pytest.raises(kind) as caught:
        world.run(main, world)
    return caught.value


def test_a_deadlock_lists_tasks_with_their_awaits_and_connections() -> None:
    async def read_answer(reader: asyncio.StreamReader) -> bytes:
        return await reader.readline()

    async def main(world: World) -> None:
        world.network.listen(HOST, 8000)
        reader, writer = await asyncio.open_connection(HOST, 8000)
        writer.write(b"anybody there?")
        task = asyncio.create_task(read_answer(reader), name="reader")
        try:
            await task
        finally:
            writer.close()

    text = str(failure(DeadlockError, main)).splitlines()
    assert text[0] == "nothing can run, and nothing is scheduled to change that"
    assert text[1] == "tasks:"
    assert text[2].startswith("  Task-1: test_pacer.py:")
    assert text[2].endswith(" main > Future")
    assert text[3].startswith("  reader: test_pacer.py:")
    assert " read_answer > streams.py:" in text[3]
    assert text[3].endswith(" _wait_for_data > Future")
    assert text[4:] == [
        "connections:",
        "  listening on 127.0.0.1:8000, 1 to accept",
        "  connection 0 client 127.0.0.1:50000: unread=0 in_flight=0",
        "  connection 0 server 127.0.0.1:8000: unread=14 in_flight=0",
    ]


def test_a_deadlock_is_not_swallowed_by_the_code_under_test() -> None:
    async def main(world: World) -> None:
        try:
            await asyncio.Event().wait()
        except Exception:  # noqa: BLE001 - this is what must not catch it
            await asyncio.sleep(0)

    failure(DeadlockError, main)


def test_a_deadlock_is_reported_at_once() -> None:
    async def main(world: World) -> None:
        await asyncio.to_thread(int)
        await asyncio.Event().wait()

    before = time.perf_counter()
    failure(DeadlockError, main)
    assert time.perf_counter() - before < 1.0


def test_a_deadlock_of_a_generator_based_chain_is_followed() -> None:
    async def numbers() -> AsyncGenerator[int]:
        await asyncio.Event().wait()
        yield 1

    async def main(world: World) -> None:
        async for _ in numbers():
            pass

    text = str(failure(DeadlockError, main))
    assert "main > async_generator_asend" in text


def test_cleanup_runs_after_a_deadlock() -> None:
    seen: list[str] = []

    async def child() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(30)
            seen.append("child cleaned up")

    async def main(world: World) -> None:
        world.clock.autojump = False
        task = asyncio.create_task(child())
        try:
            await asyncio.Event().wait()
        finally:
            seen.append("main cleaned up")
        await task

    error = failure(DeadlockError, main)
    assert seen == ["main cleaned up", "child cleaned up"]
    assert not hasattr(error, "__notes__")


def test_a_second_failure_while_cleaning_up_is_a_note() -> None:
    async def main(world: World) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.Event().wait()

    error = failure(DeadlockError, main)
    assert error.__notes__ == [
        "while cleaning up: nothing can run, and nothing is scheduled to change that"
    ]


def test_a_task_that_never_gives_in_does_not_hang_the_cleanup() -> None:
    async def main(world: World) -> None:
        for _ in range(100):
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                continue

    error = failure(DeadlockError, main)
    assert len(error.__notes__) == 4


def test_manual_time_that_nobody_advances_is_a_deadlock_with_the_next_event() -> None:
    async def main(world: World) -> None:
        with world.clock.manual():
            await asyncio.sleep(5)

    text = str(failure(DeadlockError, main))
    assert "the next event is in 5 s, but nobody advances" in text
    assert "call clock.advance(...)" in text


def test_a_loop_without_end_at_one_instant_is_a_livelock() -> None:
    async def spin() -> None:
        for _ in itertools.count():
            await asyncio.sleep(0)

    async def main(world: World) -> None:
        await asyncio.sleep(3)
        await spin()

    text = str(failure(LivelockError, main, max_steps=500))
    assert "500 passes of the loop at 3 s without time or data moving" in text
    assert "spin > tasks.py" in text


def test_many_small_segments_at_one_instant_are_no_livelock() -> None:
    async def main(world: World) -> int:
        listening = world.network.listen(HOST, 8000)
        reader, writer = await asyncio.open_connection(HOST, 8000)
        loop: Any = asyncio.get_running_loop()
        server, _ = await loop.sock_accept(listening)
        await loop.sock_sendall(server, bytes(3000))
        server.close()
        data = await reader.read()
        writer.close()
        listening.close()
        return len(data)

    with World(split=1, max_steps=100) as world:
        assert world.run(main, world) == 3000


def test_a_heartbeat_that_hides_a_hang_is_a_livelock() -> None:
    async def heartbeat() -> None:
        for _ in itertools.count():
            await asyncio.sleep(20)

    async def main(world: World) -> None:
        task = asyncio.create_task(heartbeat(), name="heartbeat")
        await asyncio.Event().wait()
        task.cancel()

    text = str(failure(LivelockError, main, max_virtual=3600.0))
    assert "more than 3600 s of virtual time passed" in text
    assert "heartbeat: test_pacer.py" in text


def test_a_run_that_takes_too_long_for_real_is_a_livelock() -> None:
    async def main(world: World) -> None:
        for _ in itertools.count():
            await asyncio.sleep(1e-6)

    text = str(failure(LivelockError, main, max_real=0.05))
    assert "more than 0.05 s of real time passed" in text


def test_real_time_may_be_unlimited() -> None:
    async def main(world: World) -> None:
        for _ in range(600):
            await asyncio.sleep(0.1)

    with World(max_real=None) as world:
        world.run(main, world)
        assert world.clock.elapsed == pytest.approx(60)


def test_a_thread_job_that_never_ends_is_named() -> None:
    gate = threading.Event()

    def stuck_job() -> None:
        gate.wait(30)

    async def main(world: World) -> None:
        try:
            await asyncio.to_thread(stuck_job)
        finally:
            gate.set()

    text = str(failure(StuckThreadError, main, max_thread=0.05))
    assert "thread job still running after 0.05 real seconds" in text
    assert "stuck_job" in text


def test_a_hold_that_never_ends_is_a_stuck_thread() -> None:
    async def main(world: World) -> None:
        with world.clock.hold():
            await asyncio.sleep(1)

    text = str(failure(StuckThreadError, main, max_thread=0.02))
    assert "clock.hold() kept virtual time frozen for 0.02 real seconds" in text


def test_an_unknown_thread_gets_some_grace_before_a_deadlock() -> None:
    async def main(world: World) -> None:
        loop = asyncio.get_running_loop()
        done = asyncio.Event()
        timer = threading.Timer(0.02, lambda: loop.call_soon_threadsafe(done.set))
        timer.start()
        await done.wait()
        timer.join()

    with World() as world:
        world.run(main, world)


def test_a_second_loop_of_an_open_world_is_refused() -> None:
    with World() as world:
        world.new_loop()
        with pytest.raises(RuntimeError, match="one at a time"):
            world.new_loop()


def test_a_world_runs_several_times_one_after_the_other() -> None:
    async def main(number: int) -> int:
        await asyncio.sleep(1)
        return number

    with World() as world:
        assert [world.run(main, number) for number in range(3)] == [0, 1, 2]
        assert world.run(main(7)) == 7
        assert world.clock.elapsed == 4.0
