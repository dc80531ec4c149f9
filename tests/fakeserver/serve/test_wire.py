"""Scripts: what they read, send and break, on both venues."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.fakeserver.venues import (
    Play,
    Venue,
    all_ended,
    both,
    connect,
    on_loopback,
    on_tunnel,
)
from windtunnel_fakeserver import Wire, WireClosedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@both
def test_a_script_reads_answers_and_its_return_closes(play: Play) -> None:
    async def script(wire: Wire) -> None:
        request = await wire.read_request()
        assert request.method == "GET"
        assert wire.connection == 0
        assert wire.server.startswith("http://")
        assert not wire.tls
        await wire.send(OK)

    async def scenario(venue: Venue) -> None:
        venue.server.on_connect(script)
        async with connect(venue, venue.server) as client:
            await client.send(GET)
            assert await client.reader.read() == OK

    venue = play(scenario)
    [exchange] = venue.journal
    assert (exchange.reply_status, exchange.sent_raw) == (200, OK)
    [record] = venue.journal.connections
    assert record.scripted == "script"
    assert (record.received, record.sent) == (GET, OK)
    kinds = [(event.direction, event.kind) for event in record.events]
    assert kinds[:4] == [("", "open"), ("in", "data"), ("out", "data"), ("out", "eof")]


@both
def test_scripts_take_connections_in_order_and_routes_take_the_rest(play: Play) -> None:
    def saying(word: bytes) -> object:
        async def script(wire: Wire) -> None:
            await wire.send(word)

        return script

    async def scenario(venue: Venue) -> None:
        first, second = saying(b"first"), saying(b"second")
        venue.server.on_connect(first, second)  # type: ignore[arg-type]  # typed as object
        venue.server.expect("GET", "/")
        for word in (b"first", b"second"):
            async with connect(venue, venue.server) as client:
                assert await client.reader.read() == word
        async with connect(venue, venue.server) as client:
            await client.send(GET)
            assert (await client.read_head()).startswith(b"HTTP/1.1 200 OK")

    play(scenario)


@both
def test_otherwise_takes_every_further_connection(play: Play) -> None:
    async def once(wire: Wire) -> None:
        await wire.send(b"once")

    async def always(wire: Wire) -> None:
        wire.reset()

    async def scenario(venue: Venue) -> None:
        venue.server.on_connect(once, otherwise=always)
        async with connect(venue, venue.server) as client:
            assert await client.reader.read() == b"once"
        for _ in range(2):
            async with connect(venue, venue.server) as client:
                with pytest.raises(ConnectionResetError):
                    await client.reader.read()

    play(scenario)


@both
def test_otherwise_alone_takes_any_number_of_connections(play: Play) -> None:
    async def always(wire: Wire) -> None:
        await wire.send(b"always")

    async def scenario(venue: Venue) -> None:
        venue.server.on_connect(otherwise=always)
        for _ in range(2):
            async with connect(venue, venue.server) as client:
                assert await client.reader.read() == b"always"

    play(scenario)


@both
def test_the_four_ways_of_reading(play: Play) -> None:
    async def script(wire: Wire) -> None:
        head = await wire.read_head()
        assert (head.body, head.complete) == (b"", False)
        assert head.header("content-length") == "6"
        assert await wire.read_exactly(4) == b"abcd"
        assert await wire.read_some(1) == b"e"
        assert await wire.read_some() == b"f"
        assert await wire.read_some() == b"tail"
        assert await wire.read_until_eof() == b"!"
        assert await wire.read_some() == b""
        await wire.send(b"seen")

    async def scenario(venue: Venue) -> None:
        venue.server.on_connect(script)
        async with connect(venue, venue.server) as client:
            await client.send(b"PUT / HTTP/1.1\r\nContent-Length: 6\r\n\r\nabcdef")
            await asyncio.sleep(0.01)
            await client.send(b"tail")
            await asyncio.sleep(0.01)
            await client.send(b"!")
            client.writer.write_eof()
            assert await client.reader.read() == b"seen"

    play(scenario)


@both
def test_a_request_can_be_finished_after_its_head(play: Play) -> None:
    async def script(wire: Wire) -> None:
        await wire.read_head()
        await wire.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        request = await wire.read_request()
        assert request.body == b"abc"
        assert request.exchange == 0
        await wire.send(OK)
        assert [r.target async for r in wire.requests()] == ["/", "/"]

    async def scenario(venue: Venue) -> None:
        venue.server.on_connect(script)
        async with connect(venue, venue.server) as client:
            await client.send(b"PUT / HTTP/1.1\r\nContent-Length: 3\r\n\r\n")
            assert (await client.read_head()).startswith(b"HTTP/1.1 100")
            await client.send(b"abc")
            await client.read_reply()
            await client.send(GET + GET)
        await all_ended(venue.server)

    venue = play(scenario)
    assert [x.reply_status for x in venue.journal] == [200, None, None]
    assert venue.journal[0].request.complete


@pytest.mark.parametrize(
    ("ask", "sent", "message"),
    [
        pytest.param(
            "head",
            b"GET / HT",
            "read_head on connection 0: the client ended it, 8 bytes had come: "
            "b'GET / HT'",
            id="head",
        ),
        pytest.param(
            "request",
            b"PUT / HTTP/1.1\r\nContent-Length: 50\r\n\r\n" + b"x" * 45,
            "read_request on connection 0: the client ended it, 45 bytes had come: "
            f"{b'x' * 40!r}...",
            id="request",
        ),
        pytest.param(
            "exactly",
            b"",
            "read_exactly(9) on connection 0: the client ended it",
            id="exactly",
        ),
    ],
)
def test_a_client_that_ends_early_is_told_with_what_had_come(
    ask: str, sent: bytes, message: str
) -> None:
    seen: list[WireClosedError] = []

    async def script(wire: Wire) -> None:
        readings: dict[str, Callable[[], Awaitable[object]]] = {
            "head": wire.read_head,
            "request": wire.read_request,
            "exactly": lambda: wire.read_exactly(9),
        }
        reading = readings[ask]()
        with pytest.raises(WireClosedError) as caught:
            await reading
        seen.append(caught.value)

    async def scenario(tunnel: Venue) -> None:
        tunnel.server.on_connect(script)
        async with connect(tunnel, tunnel.server) as client:
            await client.send(sent)
            client.writer.write_eof()
            await client.reader.read()

    on_tunnel(scenario)
    [error] = seen
    assert str(error) == message
    assert error.during == "read"
    assert sent.endswith(error.partial)


@both
def test_a_client_that_resets_is_told(play: Play) -> None:
    said: list[str] = []

    async def script(wire: Wire) -> None:
        try:
            await wire.read_until_eof()
        except WireClosedError as exc:
            said.append(str(exc))

    async def scenario(venue: Venue) -> None:
        venue.server.on_connect(script)
        async with connect(venue, venue.server) as client:
            await client.send(b"abc")
            await asyncio.sleep(0.01)
            sock = client.writer.get_extra_info("socket")
            sock.setsockopt(1, 13, b"\x01\x00\x00\x00\x00\x00\x00\x00")
            client.writer.transport.abort()
            await asyncio.sleep(0.01)

    venue = play(scenario)
    expected = "read_until_eof on connection 0: the client reset it, 3 bytes had come"
    assert said == [f"{expected}: b'abc'"]
    [record] = venue.journal.connections
    assert ("in", "reset") in [(e.direction, e.kind) for e in record.events]
    assert not record.client_open


@both
def test_half_close_lets_the_client_go_on(play: Play) -> None:
    async def script(wire: Wire) -> None:
        await wire.send(b"bye")
        wire.eof()
        assert await wire.read_until_eof() == b"still here"

    async def scenario(venue: Venue) -> None:
        venue.server.on_connect(script)
        async with connect(venue, venue.server) as client:
            assert await client.reader.read() == b"bye"
            await client.send(b"still here")

    play(scenario)


@both
def test_sending_to_a_client_that_has_left_ends_a_script_quietly(play: Play) -> None:
    sent: list[int] = []

    async def script(wire: Wire) -> None:
        while True:
            await wire.send(b"x")
            sent.append(1)
            await wire.sleep(0.001)

    async def scenario(venue: Venue) -> None:
        venue.server.on_connect(script)
        async with connect(venue, venue.server) as client:
            await client.reader.readexactly(2)
        await all_ended(venue.server)

    play(scenario)
    assert len(sent) >= 2


@both
def test_nothing_can_be_sent_after_closing(play: Play) -> None:
    said: list[str] = []

    async def script(wire: Wire) -> None:
        wire.close()
        wire.close()
        with pytest.raises(RuntimeError, match="which is closed"):
            wire.eof()
        try:
            await wire.send(b"x")
        except WireClosedError as exc:
            said.append(f"{exc.during}: {exc}")
        await wire.sleep(0.01)
        wire.reset()
        wire.abort()

    async def scenario(venue: Venue) -> None:
        venue.server.on_connect(script)
        async with connect(venue, venue.server) as client:
            assert await client.reader.read() == b""
            await asyncio.sleep(0.02)

    play(scenario)
    assert said == ["send: send on connection 0, which was closed here"]


@both
def test_a_script_that_reads_nothing_makes_the_client_wait(play: Play) -> None:
    size = 10_000_000

    async def script(wire: Wire) -> None:
        await wire.read_head()
        wire.pause()
        await wire.sleep(0.05)
        assert len(wire.log) < 100
        wire.resume()
        assert (await wire.read_request()).body == b"x" * size
        await wire.send(OK)

    async def scenario(venue: Venue) -> None:
        venue.server.on_connect(script)
        async with connect(venue, venue.server) as client:
            head = f"PUT / HTTP/1.1\r\nContent-Length: {size}\r\n\r\n"
            await client.send(head.encode())
            writing = asyncio.create_task(client.send(b"x" * size))
            await asyncio.sleep(0.01)
            assert not writing.done()
            await writing
            await client.read_reply()

    play(scenario)


@both
def test_unread_bytes_fill_up_and_a_late_reader_gets_them_all(play: Play) -> None:
    size = 10_000_000

    async def script(wire: Wire) -> None:
        await wire.sleep(0.05)
        assert sum(len(e.data) for e in wire.log) < size / 2
        assert len(await wire.read_exactly(size)) == size
        await wire.send(OK)

    async def scenario(venue: Venue) -> None:
        venue.server.on_connect(script)
        async with connect(venue, venue.server) as client:
            await client.send(b"x" * size)
            await client.read_reply()

    play(scenario)


@both
def test_a_client_that_reads_nothing_makes_the_script_wait(play: Play) -> None:
    size = 10_000_000
    done: list[str] = []

    async def script(wire: Wire) -> None:
        async def more(name: str) -> None:
            await wire.send(b"x" * size)
            done.append(name)

        async with asyncio.TaskGroup() as group:
            group.create_task(more("one"))
            group.create_task(more("two"))

    async def scenario(venue: Venue) -> None:
        venue.server.on_connect(script)
        async with connect(venue, venue.server) as client:
            await asyncio.sleep(0.02)
            assert not done
            assert len(await client.reader.read(-1)) == 2 * size

    play(scenario)
    assert done == ["one", "two"]


@both
def test_a_client_that_leaves_frees_a_script_that_waits_to_send(play: Play) -> None:
    async def script(wire: Wire) -> None:
        await wire.send(b"x" * 10_000_000)

    async def scenario(venue: Venue) -> None:
        venue.server.on_connect(script)
        async with connect(venue, venue.server) as client:
            await client.reader.readexactly(1)
            client.writer.transport.abort()
        await all_ended(venue.server)

    play(scenario)


def test_each_send_is_a_segment_of_its_own() -> None:
    async def script(wire: Wire) -> None:
        for piece in (b"a", b"bc", b"def"):
            await wire.send(piece)

    async def scenario(tunnel: Venue) -> None:
        tunnel.server.on_connect(script)
        seen: list[bytes] = []
        async with connect(tunnel, tunnel.server) as client:
            await asyncio.sleep(1)
            while piece := await client.reader.read(100):
                seen.append(piece)
        assert b"".join(seen) == b"abcdef"

    tunnel = on_tunnel(scenario)
    down = [e for e in tunnel.journal.connections[0].events if e.direction == "out"]
    assert [e.data for e in down if e.kind == "data"] == [b"a", b"bc", b"def"]
    assert tunnel.trace.render(tail=50).count("data") >= 3


def test_a_stalled_script_ends_with_the_venue() -> None:
    async def script(wire: Wire) -> None:
        await wire.read_request()
        await wire.stall()

    async def scenario(venue: Venue) -> None:
        venue.server.on_connect(script)
        async with connect(venue, venue.server) as client:
            await client.send(GET)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(client.reader.read(), 0.01)

    on_tunnel(scenario)
    on_loopback(scenario)
