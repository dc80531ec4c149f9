"""The queue between the link and the one who receives."""

from __future__ import annotations

import asyncio

import pytest

from tests.client.websocket.support import TEXT
from windtunnel._websocket.inbox import Inbox

pytestmark = pytest.mark.asyncio


class Tap:
    """Notes what the inbox asks of its source."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def pause_reading(self) -> None:
        self.asked.append("pause")

    def resume_reading(self) -> None:
        self.asked.append("resume")


def bring(inbox: Inbox, text: str, size: int = 1) -> None:
    """Do what the link does with a message."""
    inbox.messages.append((TEXT, text, ""))
    inbox.arrived(1, size)


async def read(inbox: Inbox) -> object:
    """Give the data of the next message."""
    return (await inbox.read())[1]


async def test_messages_come_out_in_order() -> None:
    inbox = Inbox(Tap(), asyncio.get_running_loop())
    for text in "abc":
        bring(inbox, text, 1)
    assert [await read(inbox) for _ in "abc"] == ["a", "b", "c"]


async def test_a_reader_waits_for_the_next_message() -> None:
    inbox = Inbox(Tap(), asyncio.get_running_loop())
    reading = asyncio.create_task(inbox.read())
    await asyncio.sleep(0)
    bring(inbox, "a", 1)
    bring(inbox, "b", 1)
    assert (await reading)[1] == "a"
    assert await read(inbox) == "b"


async def test_a_message_that_comes_with_a_cancellation_is_kept() -> None:
    inbox = Inbox(Tap(), asyncio.get_running_loop())
    reading = asyncio.create_task(inbox.read())
    await asyncio.sleep(0)
    bring(inbox, "a", 1)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert await read(inbox) == "a"


async def test_the_first_failure_comes_after_the_last_message() -> None:
    inbox = Inbox(Tap(), asyncio.get_running_loop())
    bring(inbox, "a", 1)
    inbox.fail(KeyError("first"))
    inbox.fail(KeyError("second"))
    assert await read(inbox) == "a"
    for _ in range(2):
        with pytest.raises(KeyError, match="first"):
            await inbox.read()


async def test_a_failure_wakes_the_reader() -> None:
    inbox = Inbox(Tap(), asyncio.get_running_loop())
    reading = asyncio.create_task(inbox.read())
    await asyncio.sleep(0)
    inbox.fail(KeyError("gone"))
    with pytest.raises(KeyError, match="gone"):
        await reading


async def test_a_message_that_is_not_complete_does_not_pause_the_source() -> None:
    tap = Tap()
    inbox = Inbox(tap, asyncio.get_running_loop(), limit=1000)
    inbox.arrived(0, 5000)
    assert tap.asked == []
    bring(inbox, "a", 1)
    assert tap.asked == ["pause"]
    assert await read(inbox) == "a"
    assert tap.asked == ["pause", "resume"]


async def test_the_source_is_paused_above_the_limit_until_all_is_read() -> None:
    tap = Tap()
    inbox = Inbox(tap, asyncio.get_running_loop(), limit=1000)
    bring(inbox, "a", 800)
    assert tap.asked == []
    bring(inbox, "b", 0)
    bring(inbox, "c", 0)
    assert tap.asked == ["pause"]
    await inbox.read()
    await inbox.read()
    assert tap.asked == ["pause"]
    await inbox.read()
    assert tap.asked == ["pause", "resume"]
    bring(inbox, "d", 800)
    assert not inbox.is_paused
