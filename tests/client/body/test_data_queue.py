"""Queues give their items, then their end."""

from __future__ import annotations

import asyncio

import pytest

from windtunnel._body.data_queue import DataQueue, EofStream, FlowControlDataQueue


def test_items_come_in_order_and_then_the_end() -> None:
    async def main() -> None:
        queue: DataQueue[int] = DataQueue(asyncio.get_running_loop())
        queue.feed_data(1, 10)
        queue.feed_data(2)
        assert (len(queue), queue.is_eof(), queue.at_eof()) == (2, False, False)
        queue.feed_eof()
        assert (queue.is_eof(), queue.at_eof()) == (True, False)
        assert [item async for item in queue] == [1, 2]
        assert queue.at_eof()
        with pytest.raises(EofStream):
            await queue.read()

    asyncio.run(main())


def test_reader_waits_alone_and_may_be_cancelled() -> None:
    async def main() -> None:
        queue: DataQueue[str] = DataQueue(asyncio.get_running_loop())
        reading = asyncio.ensure_future(queue.read())
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="already waiting"):
            await queue.read()
        reading.cancel()
        await asyncio.wait([reading])
        again = asyncio.ensure_future(queue.read())
        await asyncio.sleep(0)
        queue.feed_data("x")
        queue.feed_eof()
        assert await again == "x"

    asyncio.run(main())


def test_end_wakes_a_cancelled_reader_without_harm() -> None:
    async def main() -> None:
        queue: DataQueue[str] = DataQueue(asyncio.get_running_loop())
        reading = asyncio.ensure_future(queue.read())
        await asyncio.sleep(0)
        reading.cancel()
        queue.feed_eof()
        with pytest.raises(asyncio.CancelledError):
            await reading

    asyncio.run(main())


def test_exception_comes_after_the_items() -> None:
    async def main() -> None:
        queue: DataQueue[int] = DataQueue(asyncio.get_running_loop())
        queue.feed_data(1)
        cause = OSError("gone")
        failure = ValueError("broken")
        queue.set_exception(failure, cause)
        assert queue.exception() is failure
        assert failure.__cause__ is cause
        assert await queue.read() == 1
        with pytest.raises(ValueError, match="broken"):
            await queue.read()
        queue.set_exception(KeyError)
        with pytest.raises(KeyError):
            await queue.read()

    asyncio.run(main())


def test_flow_control_pauses_above_twice_the_limit() -> None:
    class Source:
        def __init__(self) -> None:
            self.calls: list[str] = []

        def pause_reading(self) -> None:
            self.calls.append("pause")

        def resume_reading(self) -> None:
            self.calls.append("resume")

    async def main() -> None:
        source = Source()
        with pytest.warns(DeprecationWarning, match="FlowControlDataQueue"):
            queue = FlowControlDataQueue(source, 5, loop=asyncio.get_running_loop())
        queue.feed_data("a", 10)
        assert source.calls == []
        queue.feed_data("b", 1)
        queue.feed_data("c", 1)
        assert source.calls == ["pause"]
        assert await queue.read() == "a"
        assert source.calls == ["pause", "resume"]
        assert await queue.read() == "b"
        assert source.calls == ["pause", "resume"]

    asyncio.run(main())
