"""How far an upload is, while it runs and afterwards."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

import windtunnel
from tests.client.support import URL, play
from windtunnel._base.compat import override
from windtunnel._exchange.upload_tracker import TrackedPayload

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from windtunnel_fakeserver import Script, Tunnel, Wire

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
MOVED = b"HTTP/1.1 %d X\r\nLocation: /q\r\nContent-Length: 0\r\n\r\n"


def answering(*answers: bytes) -> Script:
    async def script(wire: Wire) -> None:
        for answer in answers:
            await wire.read_request()
            await wire.send(answer)
        await wire.read_until_eof()

    return script


async def pieces() -> AsyncIterator[bytes]:
    yield b"ab"
    yield b"cd"


def facts(tracker: windtunnel.UploadTracker) -> tuple[int, int, str]:
    """Give the bytes written, the attempts, and how it ended."""
    future = tracker.upload_complete
    assert future.done()
    end = "whole" if future.exception() is None else type(future.exception()).__name__
    return tracker.bytes_written, tracker.attempts, end


@pytest.mark.parametrize(
    ("answers", "options", "expected"),
    [
        pytest.param([OK], {"data": b"body"}, (4, 1, "whole"), id="bytes"),
        pytest.param([OK], {}, (0, 1, "whole"), id="nothing"),
        pytest.param([OK], {"data": b""}, (0, 1, "whole"), id="empty"),
        pytest.param([OK], {"json": {"a": 1}}, (8, 1, "whole"), id="json"),
        pytest.param([OK], {"data": pieces}, (4, 1, "whole"), id="pieces"),
        pytest.param(
            [OK],
            {"data": b"x" * 4000, "compress": True},
            (4000, 1, "whole"),
            id="coded",
        ),
        pytest.param(
            [MOVED % 307, OK], {"data": b"body"}, (4, 2, "whole"), id="sent-twice"
        ),
        pytest.param(
            [MOVED % 302, OK], {"data": b"body"}, (0, 2, "whole"), id="turned-into-get"
        ),
    ],
)
def test_a_whole_upload_counts_the_body(
    answers: list[bytes], options: dict[str, Any], expected: tuple[int, int, str]
) -> None:
    if callable(options.get("data")):
        options = {"data": options["data"]()}

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        tracker = windtunnel.UploadTracker()
        assert (tracker.bytes_written, tracker.attempts) == (0, 0)
        assert not tracker.upload_complete.done()
        async with session.post(URL, upload_tracker=tracker, **options) as response:
            assert response.status == 200
        assert facts(tracker) == expected

    play(answering(*answers), main=main)


def test_an_old_request_is_tracked_too() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        tracker = windtunnel.UploadTracker()
        await session.post(URL, data=pieces(), upload_tracker=tracker)
        assert facts(tracker) == (4, 1, "whole")

    play(answering(OK), main=main, version=windtunnel.HttpVersion10)


def test_the_count_grows_while_the_server_takes_the_body() -> None:
    seen: list[int] = []

    async def slow() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"x" * 10
            await asyncio.sleep(2)

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        tracker = windtunnel.UploadTracker()
        request = asyncio.ensure_future(
            session.post(URL, data=slow(), upload_tracker=tracker)
        )
        for _ in range(3):
            await asyncio.sleep(1.9)
            seen.append(tracker.bytes_written)
        await request

    play(answering(OK), main=main)
    assert seen == [10, 20, 30]


def test_what_the_server_does_not_take_is_not_counted() -> None:
    size = 4 * 2**20

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        tracker = windtunnel.UploadTracker()
        request = asyncio.ensure_future(
            session.post(URL, data=b"x" * size, upload_tracker=tracker)
        )
        await asyncio.sleep(1)
        stuck = tracker.bytes_written
        assert 0 < stuck < size
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request
        await asyncio.sleep(1)
        assert facts(tracker) == (stuck, 1, "UploadAbortedError")

    async def script(wire: Wire) -> None:
        wire.pause()
        await wire.stall()

    play(script, main=main)


def test_an_early_answer_ends_the_upload() -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield b"ab"
        await asyncio.sleep(1000)
        yield b"cd"

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        tracker = windtunnel.UploadTracker()
        async with session.post(URL, data=endless(), upload_tracker=tracker):
            pass
        await asyncio.sleep(0)
        assert facts(tracker) == (2, 1, "UploadAbortedError")

    async def script(wire: Wire) -> None:
        await wire.read_head()
        await wire.sleep(1)
        await wire.send(OK)

    play(script, main=main)


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (OSError("x"), windtunnel.ClientOSError),
        (KeyError("x"), windtunnel.ClientConnectionError),
    ],
    ids=["os", "other"],
)
def test_a_body_that_fails_gives_its_error(
    failure: Exception, error: type[Exception]
) -> None:
    async def bad() -> AsyncIterator[bytes]:
        yield b"ab"
        raise failure

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        tracker = windtunnel.UploadTracker()
        with pytest.raises(error) as caught:
            await session.post(URL, data=bad(), upload_tracker=tracker)
        assert tracker.upload_complete.exception() is caught.value
        assert caught.value.__cause__ is failure

    async def script(wire: Wire) -> None:
        await wire.read_until_eof()

    play(script, main=main)


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"url": "http://nowhere.test/"}, id="no-host"),
        pytest.param({"url": URL, "headers": {"A": "\n"}}, id="bad-header"),
    ],
)
def test_a_request_that_is_not_sent_aborts_the_upload(options: dict[str, Any]) -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        tracker = windtunnel.UploadTracker()
        with pytest.raises((windtunnel.ClientError, ValueError)):
            await session.post(data=b"x", upload_tracker=tracker, **options)
        assert facts(tracker) == (0, 1, "UploadAbortedError")

    play(main=main)


def test_a_tracker_belongs_to_one_request() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        tracker = windtunnel.UploadTracker()
        await session.post(URL, data=b"body", upload_tracker=tracker)
        with pytest.raises(RuntimeError, match="already bound to a request"):
            await session.post(URL, data=b"body", upload_tracker=tracker)
        assert facts(tracker) == (4, 1, "whole")

    play(answering(OK), main=main)


def test_a_tracker_needs_a_running_loop() -> None:
    with pytest.raises(RuntimeError, match="no running event loop"):
        windtunnel.UploadTracker()


def test_an_upload_may_go_on_after_its_answer_began() -> None:
    async def slow() -> AsyncIterator[bytes]:
        yield b"ab"
        await asyncio.sleep(5)
        yield b"cd"

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        tracker = windtunnel.UploadTracker()
        async with session.post(URL, data=slow(), upload_tracker=tracker) as response:
            assert not tracker.upload_complete.done()
            assert await response.read() == b"done"
        assert facts(tracker) == (4, 1, "whole")

    async def script(wire: Wire) -> None:
        await wire.read_head()
        await wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n")
        assert (await wire.read_request()).body == b"abcd"
        await wire.send(b"done")

    play(script, main=main)


def test_a_future_that_the_caller_cancelled_is_left_alone() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        tracker = windtunnel.UploadTracker()
        tracker.upload_complete.cancel()
        await session.post(URL, data=b"body", upload_tracker=tracker)
        assert tracker.upload_complete.cancelled()

    play(answering(OK), main=main)


def test_a_tracked_body_is_the_body() -> None:
    closed: list[bool] = []

    class Body(windtunnel.BytesPayload):
        @override
        async def close(self) -> None:
            closed.append(True)

    class Sink:
        data = b""

        async def write(self, chunk: bytes, /) -> None:
            self.data += chunk

    async def main() -> None:
        sink = Sink()
        payload = TrackedPayload(Body(b"body"), windtunnel.UploadTracker())
        await payload.write(sink)
        assert (sink.data, payload.decode(), payload.size) == (b"body", "body", 4)
        assert payload.closes
        await payload.close()

    asyncio.run(main())
    assert closed == [True]
