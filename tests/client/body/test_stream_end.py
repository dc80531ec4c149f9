"""The end of a stream, its limits, and what producers tell it."""

from __future__ import annotations

import asyncio
import gzip
from typing import TYPE_CHECKING, Any

import pytest

import windtunnel
from tests.client.support import URL, answering, play
from windtunnel import EMPTY_PAYLOAD, ClientPayloadError, StreamReader
from windtunnel._body.decoders import make_decoder

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from windtunnel_fakeserver import Tunnel, Wire


class Source:
    """A source that only remembers whether it is paused."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def pause_reading(self) -> None:
        self.calls.append("pause")

    def resume_reading(self) -> None:
        self.calls.append("resume")


def stream_of(*pieces: bytes, limit: int = 2**16) -> StreamReader:
    stream = StreamReader(Source(), limit)
    for piece in pieces:
        stream.feed_data(piece)
    return stream


def go(main: Callable[[], Awaitable[None]]) -> None:
    async def program() -> None:
        await main()

    asyncio.run(program())


# --- the end ------------------------------------------------------------------------


def test_callbacks_hear_of_the_end_once_also_when_they_come_late() -> None:
    async def main() -> None:
        heard: list[str] = []
        stream = stream_of(b"data")
        stream.on_eof(lambda: heard.append("first"))
        stream.feed_eof()
        stream.feed_eof()
        stream.on_eof(lambda: heard.append("late"))
        assert heard == ["first", "late"]
        assert not stream.at_eof()

    go(main)


def test_a_callback_that_fails_is_reported_and_the_others_are_called() -> None:
    reports: list[dict[str, Any]] = []
    heard: list[str] = []

    def fail() -> None:
        msg = "a user's mistake"
        raise ValueError(msg)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: reports.append(context))
        stream = stream_of()
        stream.on_eof(fail)
        stream.on_eof(lambda: heard.append("second"))
        stream.feed_eof()

    go(main)
    assert heard == ["second"]
    assert [report["message"] for report in reports] == ["Exception in eof callback"]
    assert isinstance(reports[0]["exception"], ValueError)


@pytest.mark.parametrize("way", ["set_exception", "fail"])
def test_a_broken_body_has_no_end(way: str) -> None:
    async def main() -> None:
        heard: list[str] = []
        stream = stream_of(b"data")
        stream.on_eof(lambda: heard.append("end"))
        waiting = asyncio.create_task(stream.wait_eof())
        await asyncio.sleep(0)
        getattr(stream, way)(ClientPayloadError("broken"))
        with pytest.raises(ClientPayloadError, match="broken"):
            await waiting
        with pytest.raises(ClientPayloadError, match="broken"):
            await stream.wait_eof()
        stream.feed_eof()
        assert heard == []

    go(main)


def test_the_end_can_be_waited_for_beside_a_reader_but_not_twice() -> None:
    async def main() -> None:
        stream = stream_of()
        reading = asyncio.create_task(stream.read())
        waiting = asyncio.create_task(stream.wait_eof())
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match=r"wait_eof\(\) called while another"):
            await stream.wait_eof()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        waiting = asyncio.create_task(stream.wait_eof())
        await asyncio.sleep(0)
        stream.feed_data(b"data")
        stream.feed_eof()
        await waiting
        assert await reading == b"data"
        await stream.wait_eof()

    go(main)


def test_reading_on_and_on_after_the_end_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> None:
        stream = stream_of()
        stream.feed_eof()
        for _ in range(6):
            assert await stream.readany() == b""
        assert caplog.records == []
        assert await stream.readany() == b""
        assert "read 7 times after its end" in caplog.records[0].getMessage()
        for _ in range(10):
            await EMPTY_PAYLOAD.read()
        assert len(caplog.records) == 1

    go(main)


# --- limits and counters ------------------------------------------------------------


def test_asking_for_more_than_the_limit_raises_it() -> None:
    async def main() -> None:
        stream = stream_of(b"abc", limit=16)
        assert stream.get_read_buffer_limits() == (16, 32)
        stream.set_read_chunk_size(8)
        assert stream.get_read_buffer_limits() == (16, 32)
        assert await stream.read(40) == b"abc"
        assert stream.get_read_buffer_limits() == (40, 80)
        stream.iter_chunked(100)
        assert stream.get_read_buffer_limits() == (100, 200)
        limits = EMPTY_PAYLOAD.get_read_buffer_limits()
        EMPTY_PAYLOAD.set_read_chunk_size(2**30)
        assert EMPTY_PAYLOAD.get_read_buffer_limits() == limits

    go(main)


def test_encoded_bytes_are_counted_apart() -> None:
    async def main() -> None:
        data = gzip.compress(b"x" * 1000)
        plain = stream_of(b"abc")
        assert (plain.total_compressed_bytes, plain.total_raw_bytes) == (None, 3)
        stream = stream_of(data[:10])
        decoder = make_decoder("gzip")
        assert decoder is not None
        stream.decode_with(decoder)
        assert stream.total_compressed_bytes == 10
        stream.feed_data(data[10:])
        stream.feed_eof()
        assert await stream.read() == b"x" * 1000
        assert stream.total_bytes == 1000
        assert stream.total_compressed_bytes == stream.total_raw_bytes == len(data)

    go(main)


def test_data_after_a_decoding_failure_is_never_read() -> None:
    async def main() -> None:
        stream = stream_of(b"not gzip")
        decoder = make_decoder("gzip")
        assert decoder is not None
        stream.decode_with(decoder)
        with pytest.raises(Exception, match="gzip"):
            stream.read_nowait()
        stream.feed_data(b"still encoded")
        with pytest.raises(Exception, match="gzip"):
            await stream.readany()

    go(main)


# --- chunks -------------------------------------------------------------------------


def test_a_producer_marks_chunks() -> None:
    async def main() -> None:
        stream = stream_of()
        stream.begin_http_chunk_receiving()
        stream.end_http_chunk_receiving()
        for pieces in ((b"abc",), (b"de", b"f")):
            stream.begin_http_chunk_receiving()
            for piece in pieces:
                stream.feed_data(piece)
            stream.end_http_chunk_receiving()
            stream.end_http_chunk_receiving()
        stream.feed_eof()
        assert [item async for item in stream.iter_chunks()] == [
            (b"abc", True),
            (b"def", True),
        ]

    go(main)


def test_the_end_of_a_chunk_wakes_who_has_read_its_data() -> None:
    async def main() -> None:
        stream = stream_of()
        stream.begin_http_chunk_receiving()
        stream.feed_data(b"abc")
        assert await stream.read(3) == b"abc"
        waiting = asyncio.create_task(stream.readchunk())
        await asyncio.sleep(0)
        stream.end_http_chunk_receiving()
        assert await waiting == (b"", True)

    go(main)


def test_chunks_without_begin_or_after_data_are_refused() -> None:
    stream = stream_of(b"abc")
    with pytest.raises(RuntimeError, match="without begin_http"):
        stream.end_http_chunk_receiving()
    with pytest.raises(RuntimeError, match="after data that is in no chunk"):
        stream.begin_http_chunk_receiving()
    EMPTY_PAYLOAD.begin_http_chunk_receiving()
    EMPTY_PAYLOAD.end_http_chunk_receiving()


def test_data_put_back_is_read_first_and_wakes_a_reader() -> None:
    async def main() -> None:
        stream = stream_of(b"abc")
        assert await stream.read(2) == b"ab"
        with pytest.warns(DeprecationWarning, match="unread_data"):
            stream.unread_data(b"zz")
        assert await stream.read(4) == b"zzc"
        assert stream.total_bytes == 3
        waiting = asyncio.create_task(stream.read(1))
        await asyncio.sleep(0)
        with pytest.warns(DeprecationWarning, match="unread_data"):
            stream.unread_data(b"")
        with pytest.warns(DeprecationWarning, match="unread_data"):
            stream.unread_data(b"y")
        assert await waiting == b"y"
        EMPTY_PAYLOAD.unread_data(b"y")
        assert EMPTY_PAYLOAD.at_eof()

    go(main)


# --- over the network ---------------------------------------------------------------

LENGTH = 1_000_000


async def send_much(wire: Wire) -> None:
    await wire.read_request()
    await wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % LENGTH)
    for at in range(0, LENGTH, 10_000):
        await wire.send(b"%d" % (at // 100_000) * 10_000)


def test_a_reader_that_sleeps_holds_the_server_up() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.get(URL, read_bufsize=1000) as response:
            await asyncio.sleep(60)
            arrived = response.content.total_bytes
            # What one read of the socket brings, and not the whole body.
            assert 2000 < arrived < LENGTH
            await asyncio.sleep(60)
            assert response.content.total_bytes == arrived
            pieces = [piece async for piece in response.content.iter_chunked(500)]
            assert max(map(len, pieces)) == 500
            assert sum(map(len, pieces)) == LENGTH
            assert response.content.is_eof()

    play(send_much, main=main)


def test_one_body_can_be_sent_on_while_it_arrives() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> bytes:
        async with session.get(URL) as source:
            async with session.post(URL, data=source.content) as response:
                assert await response.read() == b"ok"
            assert source.content.at_eof()
        return tunnel.journal.exchanges[-1].request.body

    body = play(
        send_much,
        answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
        main=main,
    )
    assert len(body) == LENGTH
    assert body[-1:] == b"9"


def test_a_readline_that_was_cancelled_with_nothing_read_is_not_the_end() -> None:
    async def main() -> None:
        for read in (StreamReader.readany, StreamReader.readchunk, StreamReader.read):
            stream = stream_of()
            waiting = asyncio.create_task(stream.readline())
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            reading = asyncio.ensure_future(read(stream))
            await asyncio.sleep(0)
            assert not reading.done()
            stream.feed_data(b"data")
            stream.feed_eof()
            assert await reading in (b"data", (b"data", False))

    go(main)
