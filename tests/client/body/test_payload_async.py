"""Bodies that come piece by piece: iterables, streams, writers of old."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.client.body.support import Source, ticks, written
from windtunnel._body.payload_async import (
    AsyncIterablePayload,
    StreamReaderPayload,
    StreamWrapperPayload,
    streamer,
)
from windtunnel._body.payload_registry import get_payload
from windtunnel._body.payloads import make_payload
from windtunnel._body.stream import StreamReader

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from windtunnel._body.payload_base import Payload


def collect(payload: Payload) -> list[bytes]:
    async def main() -> list[bytes]:
        return [piece async for piece in payload.pieces()]

    return asyncio.run(main())


def test_asynchronous_iterable_has_no_length_and_is_sent_once() -> None:
    source = Source(b"ab", b"", bytearray(b"cd"), memoryview(b"ef"))
    payload = make_payload(source)
    assert (payload.size, payload.body, payload.content_type) == (
        None,
        None,
        "application/octet-stream",
    )
    assert not payload.replayable
    assert collect(payload) == [b"ab", b"cd", b"ef"]
    assert source.closed
    with pytest.raises(RuntimeError, match="already sent once"):
        payload.pieces()


def test_asynchronous_generator_is_closed_when_the_sender_stops_early() -> None:
    events: list[str] = []

    async def body() -> AsyncIterator[bytes]:
        try:
            yield b"first"
            yield b"second"
        finally:
            events.append("closed")

    async def main() -> None:
        pieces: Any = make_payload(body()).pieces()
        assert await anext(pieces) == b"first"
        await pieces.aclose()
        assert events == ["closed"]

    asyncio.run(main())


@pytest.mark.parametrize("piece", ["text", 5, None])
def test_piece_that_is_not_bytes_is_refused_with_its_number(piece: Any) -> None:
    payload = make_payload(Source(b"ok", piece))
    with pytest.raises(TypeError, match=r"piece 1 of the body is .*bytes-like"):
        collect(payload)


def test_content_of_a_response_is_passed_on_in_whole_pieces() -> None:
    class Content:
        def iter_any(self) -> Source:
            return Source(b"one\ntwo\n", b"three")

        def __aiter__(self) -> Source:  # by line, as a stream reader does
            return Source(b"one\n", b"two\n", b"three")

    assert collect(make_payload(Content())) == [b"one\ntwo\n", b"three"]


def test_generator_is_given_once_unless_it_was_read_into_memory() -> None:
    async def main() -> None:
        payload = AsyncIterablePayload(ticks())
        with pytest.raises(TypeError, match="Call as_bytes"):
            payload.decode()
        assert not payload.replayable
        assert await payload.as_bytes() == b"onetwo"
        assert (payload.size, payload.replayable, payload.consumed) == (6, True, False)
        assert payload.decode() == "onetwo"
        assert await written(payload) == b"onetwo"
        assert await written(payload) == b"onetwo"

    asyncio.run(main())


def test_streamer_is_deprecated_and_writes() -> None:
    with pytest.warns(DeprecationWarning, match="use async generators"):

        @streamer
        async def repeat(writer: Any, data: bytes = b"-", times: int = 1) -> None:
            for _ in range(times):
                await writer.write(data)

    async def main() -> None:
        payload = get_payload(repeat(b"x", times=3))
        assert type(payload) is StreamWrapperPayload
        assert await written(payload) == b"xxx"
        assert await get_payload(repeat).as_bytes() == b"-"
        with pytest.raises(TypeError, match="Unable to decode"):
            payload.decode()

    asyncio.run(main())


class Feeder:
    """What feeds a stream in these tests."""

    def pause_reading(self) -> None:
        """Nothing."""

    def resume_reading(self) -> None:
        """Nothing."""


def test_stream_is_given_in_whole_pieces() -> None:
    async def main() -> None:
        for make in (get_payload, make_payload, StreamReaderPayload):
            stream = StreamReader(Feeder(), 1024)
            stream.feed(b"one\ntwo\n")
            stream.feed_eof()
            pieces = make(stream).pieces()
            assert [piece async for piece in pieces] == [b"one\ntwo\n"]

    asyncio.run(main())


def test_what_cannot_be_iterated_is_refused() -> None:
    pieces: Any = [b"x"]
    with pytest.raises(TypeError, match="AsyncIterable interface, got <class 'list'>"):
        AsyncIterablePayload(pieces)


def test_an_iterable_that_never_waits_lets_other_tasks_run() -> None:
    async def main() -> None:
        turns = 0

        async def others() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        task = asyncio.create_task(others())
        payload = AsyncIterablePayload(Source(*[bytes(65536)] * 64))
        assert sum([len(piece) async for piece in payload.pieces()]) == 4 << 20
        assert turns > 1
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(main())
