"""One test (or more) for each invariant of the simulation."""

from __future__ import annotations

import asyncio
import itertools
import socket
from typing import TYPE_CHECKING, Any

import pytest

from windtunnel_fakeserver.simulation import SimLoop, World

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

HOST = "127.0.0.1"


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(65536):
        writer.write(piece)
        await writer.drain()
    writer.close()
    await writer.wait_closed()


async def serve_echo() -> tuple[asyncio.Server, int]:
    server = await asyncio.start_server(echo, HOST, 0)
    return server, server.sockets[0].getsockname()[1]


async def round_trip(port: int, data: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(HOST, port)
    writer.write(data)
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


# -- 1: time moves only when nothing is ready, and never backwards ---------------------


def test_invariant_1_time_stands_still_while_callbacks_are_ready() -> None:
    async def main() -> list[float]:
        loop = asyncio.get_running_loop()
        loop.call_later(1.0, lambda: None)
        seen: list[float] = []
        for _ in range(50):
            seen.append(loop.time())
            await asyncio.sleep(0)
        return seen

    with World(start=5.0) as world:
        assert set(world.run(main)) == {5.0}


def test_invariant_1_time_never_moves_backwards() -> None:
    async def main() -> list[float]:
        loop = asyncio.get_running_loop()
        seen: list[float] = []
        for delay in (3.0, 1.0, 2.0, 0.0, -5.0, 1.0):
            loop.call_later(delay, lambda: seen.append(loop.time()))
        server, port = await serve_echo()
        await round_trip(port, b"x" * 1000)
        seen.append(loop.time())
        server.close()
        await asyncio.sleep(10)
        return seen

    with World() as world:
        seen = world.run(main)
        assert seen == sorted(seen)
        moves = world.clock.timeline
        assert all(move.seconds > 0 for move in moves)


# -- 2: time lands exactly on the event ------------------------------------------------


def test_invariant_2_time_lands_exactly_on_each_timer() -> None:
    async def main() -> list[tuple[float, float]]:
        loop = asyncio.get_running_loop()
        seen: list[tuple[float, float]] = []
        done = asyncio.Event()

        def note(when: float) -> None:
            seen.append((when, loop.time()))

        whens = [loop.time() + 0.1 * step for step in range(1, 200)]
        for when in whens:
            loop.call_at(when, note, when)
        loop.call_at(whens[-1] + 86_000.3, done.set)
        await done.wait()
        seen.append((whens[-1] + 86_000.3, loop.time()))
        return seen

    with World() as world:
        seen = world.run(main)
        assert len(seen) == 200
        assert all(when == at for when, at in seen)
        # No small steps on the way: one move a timer.
        assert len(world.clock.timeline) == 200


def test_invariant_2_large_clocks_do_not_spin_on_coarse_floats() -> None:
    async def main() -> float:
        loop = asyncio.get_running_loop()
        for _ in range(20):
            await asyncio.sleep(1e6 + 0.123456789)
        return loop.time()

    with World(start=1_000_000.0, max_virtual=1e9) as world:
        assert world.run(main) == pytest.approx(21e6 + 2.469)


# -- 3: ready callbacks are looked at again before time jumps --------------------------


def test_invariant_3_a_refused_connect_is_noticed_before_the_next_timer() -> None:
    async def main() -> float:
        loop = asyncio.get_running_loop()
        loop.call_later(31.0, lambda: None)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(HOST, 9)
        return loop.time()

    with World(start=1.0) as world:
        # One round trip of 0.1 ms each way, and not the timer's 31 s.
        assert world.run(main) == pytest.approx(1.0002)


# -- 4: bytes arrive in order, exactly once --------------------------------------------


@pytest.mark.parametrize("split", [None, 1, 7, 1000, "random"])
@pytest.mark.parametrize("latency", [0.0, 0.0001, (0.001, 0.5)], ids=str)
def test_invariant_4_bytes_arrive_in_order_and_once(
    split: int | str | None, latency: Any
) -> None:
    data = bytes(itertools.islice(itertools.cycle(range(256)), 700))

    async def main() -> bytes:
        server, port = await serve_echo()
        answer = await round_trip(port, data)
        server.close()
        return answer

    with World(seed=7, split=split, latency=latency) as world:
        assert world.run(main) == data


# -- 5: no more under way and unread than the window -----------------------------------


def test_invariant_5_a_full_window_blocks_the_sender() -> None:
    async def main(world: World) -> None:
        loop = asyncio.get_running_loop()
        world.network.window = 1000
        # Any: typeshed wants sockets of the kernel.
        listening: Any = world.network.listen(HOST, 0)
        client: Any = world.network.socket()
        await loop.sock_connect(client, listening.getsockname())
        server, _ = await loop.sock_accept(listening)
        assert client.send(bytes(600)) == 600
        assert client.send(bytes(600)) == 400
        with pytest.raises(BlockingIOError):
            client.send(b"x")
        await world.clock.advance(1)
        with pytest.raises(BlockingIOError):
            client.send(b"x")
        assert len(server.recv(100)) == 100
        assert client.send(bytes(600)) == 100
        pipe = client.endpoint.outbound
        assert (pipe.in_flight, pipe.unread, pipe.room) == (100, 900, 0)
        for end in (client, server, listening):
            end.close()

    with World() as world:
        world.run(main, world)


def test_invariant_5_stock_flow_control_works_over_a_small_window() -> None:
    async def main() -> int:
        server, port = await serve_echo()
        answer = await round_trip(port, bytes(1_000_000))
        server.close()
        return len(answer)

    with World() as world:
        world.network.window = 4096
        assert world.run(main) == 1_000_000


# -- 6: each purpose has its own random stream -----------------------------------------


def test_invariant_6_traffic_on_one_connection_does_not_reshuffle_another() -> None:
    def sizes(noise: bytes) -> list[int]:
        async def main() -> None:
            server, port = await serve_echo()
            first = await asyncio.open_connection(HOST, port)
            second = await asyncio.open_connection(HOST, port)
            second[1].write(noise)
            first[1].write(bytes(5000))
            await first[0].readexactly(5000)
            for _, writer in (first, second):
                writer.close()
            server.close()
            await asyncio.sleep(1)

        with World(seed=3, split="random") as world:
            world.run(main)
            return [
                event.length
                for event in world.trace.events
                if (event.connection, event.direction, event.kind) == (0, ">", "data")
            ]

    quiet = sizes(b"")
    assert len(quiet) > 3
    assert sizes(b"x" * 3000) == quiet


def test_invariant_6_streams_are_named_by_seed_and_purpose() -> None:
    def draw(seed: int, name: str) -> float:
        with World(seed) as world:
            return world.network.stream(name).random()

    assert draw(1, "a") == draw(1, "a")
    assert len({draw(1, "a"), draw(1, "b"), draw(2, "a")}) == 3


# -- 7: same seed, same digest ---------------------------------------------------------


async def busy_scene() -> None:
    server, port = await serve_echo()
    await asyncio.gather(*(round_trip(port, bytes(60 * n)) for n in range(1, 4)))
    server.close()


def digest_of(seed: int, scene: Callable[[], Awaitable[None]] = busy_scene) -> str:
    async def main() -> None:
        await scene()

    with World(seed, split="random", latency=(0.0001, 0.01)) as world:
        world.run(main)
        return world.trace.digest()


def test_invariant_7_a_hundred_runs_with_one_seed_give_one_digest() -> None:
    assert len({digest_of(11) for _ in range(100)}) == 1


def test_invariant_7_another_seed_gives_another_digest() -> None:
    assert len({digest_of(seed) for seed in range(5)}) == 5


def test_invariant_7_sets_of_tasks_iterate_in_the_order_of_making() -> None:
    async def main() -> list[str]:
        async def wait() -> None:
            await asyncio.sleep(1)

        # Garbage of odd sizes moves the addresses of what comes after it.
        heap: list[object] = []
        tasks: list[asyncio.Task[None]] = []
        for number in range(30):
            heap.append(bytearray(17 * number))
            tasks.append(asyncio.create_task(wait(), name=str(number)))
        done, _ = await asyncio.wait(tasks)
        futures = [asyncio.get_running_loop().create_future() for _ in range(30)]
        assert [futures.index(future) for future in set(futures)] == list(range(30))
        return [task.get_name() for task in done]

    with World() as world:
        assert world.run(main) == [str(number) for number in range(30)]


def test_invariant_7_equal_timers_fire_in_the_order_of_arming() -> None:
    async def main() -> list[int]:
        seen: list[int] = []
        loop = asyncio.get_running_loop()
        when = loop.time() + 5
        for number in range(40):
            loop.call_at(when, seen.append, number)
        await asyncio.sleep(6)
        return seen

    with World() as world:
        assert world.run(main) == list(range(40))


def test_invariant_7_the_trace_has_no_ports_of_the_operating_system() -> None:
    def text() -> str:
        async def main() -> None:
            real = socket.socket()
            real.bind((HOST, 0))
            server = await asyncio.start_server(echo, sock=real)
            await round_trip(server.sockets[0].getsockname()[1], b"x")
            server.close()

        with World() as world:
            world.run(main)
            return world.trace.render()

    assert text() == text()
    assert "127.0.0.1:*" in text()


# -- 9: what is left open is reported --------------------------------------------------


def test_invariant_9_open_sockets_are_reported() -> None:
    async def main(world: World) -> list[str]:
        server, port = await serve_echo()
        _, writer = await asyncio.open_connection(HOST, port)
        writer.write(b"x")
        await world.clock.settle()
        leaks = world.leaks()
        writer.close()
        server.close()
        await asyncio.sleep(1)
        assert world.leaks() == []
        return leaks

    with World() as world:
        text = "\n".join(world.run(main, world))
        assert "open socket: listening on 127.0.0.1:20000" in text
        assert "open socket: connection 0 client" in text
        # The byte is still under way.
        assert "in_flight=1" in text
        assert world.leaks() == []


def test_invariant_9_pending_tasks_are_reported_inside_and_after_the_run() -> None:
    async def forget() -> None:
        await asyncio.sleep(1000)

    async def main(world: World) -> list[str]:
        task = asyncio.get_running_loop().create_task(forget(), name="forgotten")
        await asyncio.sleep(0)
        leaks = world.leaks()
        task.cancel()
        return leaks

    with World() as world:
        (line,) = world.run(main, world)
        assert line.startswith("pending task: forgotten: test_invariants.py:")
        assert "forget > tasks.py" in line
        assert world.leaks() == []


def test_invariant_9_tasks_left_when_the_loop_closes_are_reported() -> None:
    async def forget() -> None:
        await asyncio.sleep(1000)

    with World() as world:
        loop = world.new_loop()
        assert isinstance(loop, SimLoop)
        task = loop.create_task(forget(), name="left behind")
        loop.run_until_complete(asyncio.sleep(1))
        loop.close()
        assert len(world.leaks()) == 1
        assert "left behind" in world.leaks()[0]
        # Python itself complains of a task that is dropped while it waits.
        coroutine = task.get_coro()
        assert coroutine is not None
        coroutine.close()
        task._log_destroy_pending = False  # type: ignore[attr-defined]  # see above
