"""The stream a body is read from: sizes, lines, back-pressure, failures."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from typing import TYPE_CHECKING

import pytest

from windtunnel import ClientPayloadError, StreamReader
from windtunnel._body.decoders import make_decoder
from windtunnel.http_exceptions import LineTooLong

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class Source:
    """A source that only remembers whether it is paused."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def pause_reading(self) -> None:
        self.calls.append("pause")

    def resume_reading(self) -> None:
        self.calls.append("resume")


def read(stream: StreamReader) -> Awaitable[object]:
    return stream.read()


def readexactly(stream: StreamReader) -> Awaitable[object]:
    return stream.readexactly(10)


def readline(stream: StreamReader) -> Awaitable[object]:
    return stream.readline()


def readany(stream: StreamReader) -> Awaitable[object]:
    return stream.readany()


def readchunk(stream: StreamReader) -> Awaitable[object]:
    return stream.readchunk()


def stream_of(*pieces: bytes, eof: bool = True, limit: int = 2**16) -> StreamReader:
    stream = StreamReader(Source(), limit)
    for piece in pieces:
        stream.feed_data(piece)
    if eof:
        stream.feed_eof()
    return stream


def encoded(coding: str, *pieces: bytes, eof: bool = True) -> StreamReader:
    stream = stream_of(*pieces, eof=eof)
    decoder = make_decoder(coding)
    assert decoder is not None
    stream.decode_with(decoder)
    return stream


def run(main: Callable[[], Awaitable[None]]) -> None:
    async def program() -> None:
        await main()

    asyncio.run(program())


def test_read_gives_everything_and_then_nothing() -> None:
    async def main() -> None:
        stream = stream_of(b"ab", b"", b"cd")
        assert await stream.read() == b"abcd"
        assert await stream.read() == b""
        assert stream.at_eof()
        assert stream.is_eof()
        assert stream.total_bytes == 4

    run(main)


def test_read_of_n_gives_at_most_n_and_does_not_wait_for_more() -> None:
    async def main() -> None:
        stream = stream_of(b"abc", b"de", b"f", eof=False)
        assert await stream.read(0) == b""
        assert await stream.read(2) == b"ab"
        assert await stream.read(4) == b"cde" + b"f"
        stream.feed_eof()
        assert await stream.read(4) == b""

    run(main)


def test_readany_gives_what_is_there() -> None:
    async def main() -> None:
        stream = stream_of(b"abc", b"de", eof=False)
        assert await stream.readany() == b"abcde"
        waiting = asyncio.create_task(stream.readany())
        await asyncio.sleep(0)
        stream.feed(b"f")
        assert await waiting == b"f"

    run(main)


def test_readexactly_gives_so_much_or_says_what_there_was() -> None:
    async def main() -> None:
        stream = stream_of(b"abc", b"de")
        assert await stream.readexactly(4) == b"abcd"
        with pytest.raises(asyncio.IncompleteReadError) as caught:
            await stream.readexactly(4)
        assert (caught.value.partial, caught.value.expected) == (b"e", 4)
        with pytest.raises(ValueError, match="-1 is negative"):
            await stream.readexactly(-1)

    run(main)


def test_lines_end_where_the_line_feed_is_and_the_last_may_have_none() -> None:
    async def main() -> None:
        stream = stream_of(b"a", b"b\nc", b"d", b"\n\nrest")
        assert [line async for line in stream] == [b"ab\n", b"cd\n", b"\n", b"rest"]

    run(main)


def test_a_separator_may_straddle_pieces() -> None:
    async def main() -> None:
        stream = stream_of(b"ab-", b"-", b"-c--d", b"-")
        assert await stream.readuntil(b"--") == b"ab--"
        assert await stream.readuntil(b"--") == b"-c--"
        assert await stream.readuntil(b"--") == b"d-"
        with pytest.raises(ValueError, match="empty"):
            await stream.readuntil(b"")

    run(main)


def test_a_line_over_the_limit_is_refused_and_stays_in_the_buffer() -> None:
    async def main() -> None:
        stream = stream_of(b"abcdef\n")
        with pytest.raises(LineTooLong, match="more than 6 bytes"):
            await stream.readline(max_line_length=6)
        assert await stream.readline(max_line_length=7) == b"abcdef\n"
        endless = stream_of(b"x" * 21, limit=10)
        with pytest.raises(LineTooLong, match="more than 20 bytes"):
            await endless.readline()

    run(main)


def test_readchunk_tells_the_ends_of_chunks_apart_from_the_end() -> None:
    async def main() -> None:
        stream = stream_of(eof=False)
        stream.feed_chunk(b"ab", is_end=False)
        stream.feed_chunk(b"c", is_end=True)
        stream.feed_chunk(b"de", is_end=True)
        assert await stream.readchunk() == (b"abc", True)
        assert await stream.readchunk() == (b"de", True)
        stream.feed_chunk(b"f", is_end=False)
        assert await stream.read(1) == b"f"
        stream.feed_chunk(b"g", is_end=True)
        assert await stream.read(1) == b"g"
        assert await stream.readchunk() == (b"", True)
        stream.feed_eof()
        assert await stream.readchunk() == (b"", False)

    run(main)


def test_iter_chunks_ends_with_the_body() -> None:
    async def main() -> None:
        stream = stream_of(b"abc", b"de")
        assert [item async for item in stream.iter_chunks()] == [(b"abcde", False)]

    run(main)


def test_iterators_give_pieces_of_the_asked_size() -> None:
    async def main() -> None:
        stream = stream_of(b"abcde", b"f")
        assert [p async for p in stream.iter_chunked(2)] == [b"ab", b"cd", b"ef"]
        stream = stream_of(b"abcde", b"f")
        assert [p async for p in stream.iter_any()] == [b"abcdef"]
        with pytest.raises(ValueError, match="piece size 0 is not positive"):
            stream.iter_chunked(0)

    run(main)


def test_read_nowait_gives_what_is_there_and_refuses_to_overtake() -> None:
    async def main() -> None:
        stream = stream_of(b"abc", b"de", eof=False)
        assert stream.read_nowait(2) == b"ab"
        assert stream.read_nowait() == b"cde"
        assert stream.read_nowait() == b""
        waiting = asyncio.create_task(stream.read(1))
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="waiting for data"):
            stream.read_nowait()
        stream.set_exception(OSError("gone"))
        with pytest.raises(OSError, match="gone"):
            stream.read_nowait()
        with pytest.raises(OSError, match="gone"):
            await waiting

    run(main)


def test_read_nowait_decodes_what_is_there() -> None:
    async def main() -> None:
        stream = encoded("gzip", gzip.compress(b"a" * 200_000))
        assert stream.read_nowait(3) == b"aaa"
        assert len(stream.read_nowait()) == 199_997

    run(main)


def test_two_readers_at_a_time_are_refused_by_name() -> None:
    async def main() -> None:
        stream = stream_of(eof=False)
        first = asyncio.create_task(stream.readany())
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match=r"read\(\) called while another"):
            await stream.read(1)
        stream.feed_eof()
        assert await first == b""

    run(main)


def test_a_source_that_is_gone_without_end_is_an_error_not_a_hang() -> None:
    async def main() -> None:
        stream = stream_of(b"a", eof=False)
        stream.fail(ClientPayloadError("broken"))
        stream.fail(ClientPayloadError("second"))
        assert await stream.readany() == b"a"
        with pytest.raises(ClientPayloadError, match="broken"):
            await stream.readany()
        with pytest.raises(ClientPayloadError, match="broken"):
            await stream.readany()

    run(main)


def test_a_failure_after_the_end_does_not_count() -> None:
    async def main() -> None:
        stream = stream_of(b"a")
        stream.fail(OSError())
        assert await stream.read() == b"a"
        assert stream.exception() is None

    run(main)


def test_a_failure_wakes_the_reader() -> None:
    async def main() -> None:
        stream = stream_of(eof=False)
        waiting = asyncio.create_task(stream.read())
        await asyncio.sleep(0)
        stream.fail(ClientPayloadError("broken"))
        with pytest.raises(ClientPayloadError, match="broken"):
            await waiting

    run(main)


@pytest.mark.parametrize("how", [read, readexactly, readline])
def test_what_came_before_a_failure_is_kept_in_the_error(
    how: Callable[[StreamReader], Awaitable[object]],
) -> None:
    async def main() -> None:
        stream = stream_of(b"ab", b"c", eof=False)
        stream.fail(ClientPayloadError("broken"))
        with pytest.raises(ClientPayloadError) as caught:
            await how(stream)
        assert caught.value.partial == b"abc"

    run(main)


@pytest.mark.parametrize("how", [read, readexactly, readline, readany, readchunk])
def test_a_cancelled_read_loses_nothing(
    how: Callable[[StreamReader], Awaitable[object]],
) -> None:
    async def main() -> None:
        stream = stream_of(eof=False)
        waiting = asyncio.ensure_future(how(stream))
        await asyncio.sleep(0)
        stream.feed(b"ab")
        stream.feed(b"cd")
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        stream.feed_eof()
        assert await stream.read() == b"abcd"

    run(main)


def test_a_read_cancelled_after_some_data_puts_it_back() -> None:
    async def main() -> None:
        stream = stream_of(b"ab", eof=False)
        for reading in (stream.read(), stream.readexactly(5), stream.readline()):
            waiting = asyncio.ensure_future(reading)
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
        stream.feed_eof()
        assert await stream.read() == b"ab"

    run(main)


def test_the_first_exception_counts_and_hides_data() -> None:
    async def main() -> None:
        stream = stream_of(b"data", eof=False)
        stream.set_exception(OSError("first"), ValueError("why"))
        stream.set_exception(OSError("second"))
        error = stream.exception()
        assert isinstance(error, OSError)
        assert isinstance(error.__cause__, ValueError)
        for reading in (stream.read(), stream.read(1), stream.readany()):
            with pytest.raises(OSError, match="first"):
                await reading

    run(main)


def test_failures_are_explained_whenever_the_explanation_comes() -> None:
    async def main() -> None:
        late = stream_of(eof=False)
        late.set_exception(OSError("inner"))
        failed = stream_of(eof=False)
        failed.fail(OSError("inner"))
        for stream in (late, failed):
            stream.explain_with(lambda exc: ClientPayloadError(f"outer {exc}"))
            with pytest.raises(ClientPayloadError, match="outer inner"):
                await stream.read()
            assert isinstance(stream.exception(), ClientPayloadError)
        assert isinstance(failed.exception(), ClientPayloadError)

    run(main)


# --- back-pressure ------------------------------------------------------------------


def test_the_source_is_paused_above_twice_the_limit_and_resumed_below_it() -> None:
    async def main() -> None:
        source = Source()
        stream = StreamReader(source, 100)
        stream.feed(b"a" * 200)
        assert source.calls == []
        stream.feed(b"a")
        stream.feed(b"a")
        assert source.calls == ["pause"]
        assert len(await stream.read(51) + await stream.read(51)) == 102
        assert source.calls == ["pause"]
        assert len(await stream.read(1)) == 1
        assert source.calls == ["pause", "resume"]

    run(main)


def test_many_tiny_pieces_pause_the_source_too() -> None:
    async def main() -> None:
        source = Source()
        stream = StreamReader(source, 1600)
        for _ in range(101):
            stream.feed(b"a")
        assert source.calls == ["pause"]
        for _ in range(50):
            await stream.read(1)
        assert source.calls == ["pause"]
        await stream.read(1)
        assert source.calls == ["pause", "resume"]

    run(main)


def test_a_reader_who_waits_lets_the_source_go_on() -> None:
    async def main() -> None:
        source = Source()
        stream = StreamReader(source, 1)
        stream.feed(b"abc")
        waiting = asyncio.create_task(stream.readexactly(4))
        await asyncio.sleep(0)
        assert source.calls == ["pause", "resume"]
        stream.feed(b"d")
        assert await waiting == b"abcd"

    run(main)


def test_nothing_is_paused_after_the_end() -> None:
    stream = stream_of(limit=1)
    stream.feed(b"abc")
    assert repr(stream) == "<StreamReader 3 bytes buffered, eof>"
    assert repr(stream_of(eof=False)) == "<StreamReader 0 bytes buffered, open>"


# --- decoding -----------------------------------------------------------------------


def test_an_encoded_body_is_decoded_in_bounded_steps_when_it_is_read() -> None:
    async def main() -> None:
        data = bytes(range(256)) * 2000
        stream = encoded("gzip", *_cut(gzip.compress(data), 100))
        assert not stream.at_eof()
        sizes = [len(piece) async for piece in stream.iter_any()]
        assert sum(sizes) == len(data)
        assert max(sizes) <= 65536
        assert stream.at_eof()
        assert stream.total_bytes == len(data)

    run(main)


def test_a_bomb_costs_only_what_is_read() -> None:
    async def main() -> None:
        stream = encoded("deflate", zlib.compress(bytes(50_000_000)), eof=False)
        assert await stream.read(10) == bytes(10)
        assert stream.total_bytes <= 65536

    run(main)


def test_pieces_that_came_before_the_decoder_are_decoded_as_well() -> None:
    async def main() -> None:
        data = gzip.compress(b"hello")
        stream = stream_of(eof=False)
        stream.feed_chunk(data[:5], is_end=True)
        decoder = make_decoder("gzip")
        assert decoder is not None
        stream.decode_with(decoder)
        stream.feed_chunk(data[5:], is_end=True)
        stream.feed_eof()
        assert await stream.readchunk() == (b"hello", False)
        assert await stream.readchunk() == (b"", False)

    run(main)


def test_a_truncated_body_gives_what_could_be_decoded_and_then_fails() -> None:
    async def main() -> None:
        data = zlib.compress(b"hello world " * 1000)[:-6]
        stream = encoded("deflate", data)
        stream.explain_with(lambda exc: ClientPayloadError(str(exc)))
        with pytest.raises(ClientPayloadError, match="before its end mark") as caught:
            await stream.read()
        assert caught.value.partial.startswith(b"hello world hello")
        with pytest.raises(ClientPayloadError):
            await stream.read()

    run(main)


def test_a_corrupt_body_fails_after_what_was_good() -> None:
    async def main() -> None:
        data = gzip.compress(b"hello")
        stream = encoded("gzip", data + data[:8] + b"\xff" * 20 + b"more")
        stream.explain_with(lambda exc: ClientPayloadError(str(exc)))
        assert await stream.readany() == b"hello"
        with pytest.raises(ClientPayloadError, match="corrupt"):
            await stream.readany()

    run(main)


def _cut(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]
