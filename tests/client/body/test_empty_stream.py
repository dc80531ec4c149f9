"""The empty stream is at its end, whatever is done to it."""

from __future__ import annotations

import asyncio

import pytest

from windtunnel._body.empty_stream import EMPTY_PAYLOAD


def test_everything_that_is_read_is_empty() -> None:
    async def main() -> None:
        stream = EMPTY_PAYLOAD
        assert repr(stream) == "<EmptyStreamReader>"
        assert (stream.at_eof(), stream.is_eof(), stream.total_bytes) == (True, True, 0)
        assert await stream.read() == b""
        assert await stream.read(5) == b""
        assert await stream.readany() == b""
        assert await stream.readline() == b""
        assert await stream.readexactly(0) == b""
        assert stream.read_nowait() == b""
        for _ in range(3):
            assert await stream.readchunk() == (b"", False)
        assert [chunk async for chunk in stream.iter_chunks()] == []
        assert [line async for line in stream] == []
        with pytest.raises(asyncio.IncompleteReadError):
            await stream.readexactly(1)

    asyncio.run(main())


def test_nothing_can_be_put_into_it() -> None:
    async def main() -> None:
        EMPTY_PAYLOAD.set_exception(ValueError("x"))
        EMPTY_PAYLOAD.feed_data(b"x")
        EMPTY_PAYLOAD.feed_eof()
        assert EMPTY_PAYLOAD.exception() is None
        assert await EMPTY_PAYLOAD.read() == b""

    asyncio.run(main())
