"""Serving from routes: persistence, pipelining, cut and unmatched requests."""

from __future__ import annotations

import asyncio

import pytest

from tests.fakeserver.venues import Play, Venue, all_ended, both, connect, on_tunnel
from windtunnel_fakeserver import Reply, Request, Tunnel, VerificationError, pause

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@both
def test_pipelined_requests_are_answered_in_order(play: Play) -> None:
    async def scenario(venue: Venue) -> None:
        venue.server.expect("GET", "/").reply(Reply(text="a"), Reply(text="b"))
        async with connect(venue, venue.server) as client:
            await client.send(GET + GET)
            assert [(await client.read_reply())[1] for _ in range(2)] == [b"a", b"b"]

    play(scenario)


@pytest.mark.parametrize(
    ("request_bytes", "closes"),
    [
        pytest.param(GET, False, id="1.1"),
        pytest.param(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", True, id="close"),
        pytest.param(b"GET / HTTP/1.0\r\n\r\n", True, id="1.0"),
        pytest.param(
            b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            True,
            id="broken-framing",
        ),
        pytest.param(
            b"GET / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", True, id="endless"
        ),
    ],
)
def test_the_connection_stays_open_as_the_request_says(
    request_bytes: bytes, closes: bool
) -> None:
    async def scenario(tunnel: Venue) -> None:
        tunnel.server.expect("GET", "/").reply(Reply(text="a"))
        async with connect(tunnel, tunnel.server) as client:
            await client.send(request_bytes)
            head, _ = await client.read_reply()
            assert (b"Connection: close\r\n" in head) is closes
            if closes:
                assert await client.reader.read() == b""
            else:
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(client.reader.read(), 1)

    on_tunnel(scenario)


@pytest.mark.parametrize(
    ("version", "interim"),
    [
        pytest.param("HTTP/1.1", True, id="1.1"),
        pytest.param("HTTP/1.0", False, id="1.0-never"),
    ],
)
def test_100_continue_is_sent_before_the_body_comes(
    version: str, interim: bool
) -> None:
    async def scenario(tunnel: Venue) -> None:
        tunnel.server.expect("PUT", "/", body=b"ab")
        async with connect(tunnel, tunnel.server) as client:
            head = (
                f"PUT / {version}\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n"
            )
            await client.send(head.encode())
            if interim:
                assert (await client.read_head()).startswith(b"HTTP/1.1 100 ")
            await asyncio.sleep(1)
            await client.send(b"ab")
            assert (await client.read_head()).startswith(b"HTTP/1.1 200 ")

    on_tunnel(scenario)


def test_100_continue_is_not_sent_when_the_body_is_there() -> None:
    async def scenario(tunnel: Venue) -> None:
        tunnel.server.expect("PUT", "/")
        async with connect(tunnel, tunnel.server) as client:
            await client.send(
                b"PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nab"
            )
            assert (await client.read_head()).startswith(b"HTTP/1.1 200 ")

    on_tunnel(scenario)


@both
def test_an_upload_that_was_cut_is_in_the_journal_and_owed_nothing(play: Play) -> None:
    async def scenario(venue: Venue) -> None:
        async with connect(venue, venue.server) as client:
            await client.send(b"PUT / HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc")
            client.writer.write_eof()
            assert await client.reader.read() == b""
        await all_ended(venue.server)

    [exchange] = play(scenario).journal
    assert exchange.outcome == "cut"
    assert exchange.request.body == b"abc"
    assert not exchange.request.complete
    assert exchange.request.raw.endswith(b"\r\n\r\nabc")


@both
def test_half_a_head_is_no_exchange(play: Play) -> None:
    async def scenario(venue: Venue) -> None:
        async with connect(venue, venue.server) as client:
            await client.send(b"GET / HT")
        await all_ended(venue.server)

    assert len(play(scenario).journal) == 0


def test_an_unmatched_request_gets_501_with_the_nearest_route() -> None:
    async def scenario(tunnel: Tunnel) -> None:
        tunnel.server.on("GET", "/a", headers={"x": "1"})
        async with connect(tunnel, tunnel.server) as client:
            await client.send(b"GET /a\xe9 HTTP/1.1\r\n\r\n")
            head, body = await client.read_reply()
        assert head.startswith(b"HTTP/1.1 501 Not Implemented\r\n")
        assert b"windtunnel-reason: nothing answers GET /a\\xe9\r\n" in head
        text = body.decode()
        assert 'closest    on("GET", "/a", headers={"x": "1"})' in text
        assert 'header x  expected "1"   got absent' in text

    tunnel = Tunnel(strict=False)
    tunnel.run(scenario)
    assert not tunnel.verdict().ok


def test_an_empty_queue_fails_at_once_and_never_hangs() -> None:
    async def scenario(tunnel: Tunnel) -> None:
        tunnel.server.enqueue(Reply(200))
        async with connect(tunnel, tunnel.server) as client:
            await client.send(GET + GET)
            for status in (b"200", b"501"):
                head, _ = await client.read_reply()
                assert head.split(b" ")[1] == status

    with pytest.raises(VerificationError, match="1 request matched nothing"):
        Tunnel().run(scenario)


@pytest.mark.parametrize("kind", ["raises", "returns-nonsense", "async"])
def test_a_reply_function_that_fails_gives_500_and_fails_the_test(kind: str) -> None:
    def raising(_: Request) -> Reply:
        msg = "boom"
        raise KeyError(msg)

    def nonsense(_: Request) -> object:
        return 7

    async def later(_: Request) -> Reply:
        msg = "late"
        raise LookupError(msg)

    function, text = {
        "raises": (raising, "raising raised KeyError: 'boom'"),
        "returns-nonsense": (
            nonsense,
            "nonsense raised TypeError: nonsense returned int, must return a Reply",
        ),
        "async": (later, "later raised LookupError: late"),
    }[kind]

    async def scenario(tunnel: Tunnel) -> None:
        tunnel.server.on("GET", "/").reply(function)
        async with connect(tunnel, tunnel.server) as client:
            await client.send(GET)
            head, body = await client.read_reply()
            assert b" 500 " in head
            assert body.decode() == text + "\n"

    tunnel = Tunnel(strict=False)
    tunnel.run(scenario)
    [problem] = tunnel.verdict().problems
    assert problem.kind == "answer"
    assert tunnel.journal[0].outcome == "failed"


def test_a_reply_that_cannot_be_written_fails_the_test() -> None:
    async def scenario(tunnel: Tunnel) -> None:
        tunnel.server.on("GET", "/").reply(Reply(headers={"a": "\ud800"}))
        async with connect(tunnel, tunnel.server) as client:
            await client.send(GET)
            assert await client.reader.read() == b""

    with pytest.raises(VerificationError, match="raised UnicodeEncodeError"):
        Tunnel().run(scenario)


@both
def test_a_client_that_leaves_during_a_reply_ends_the_serving(play: Play) -> None:
    async def scenario(venue: Venue) -> None:
        pieces = [piece for _ in range(50) for piece in (b"x", pause(0.001))]
        venue.server.expect("GET", "/").reply(Reply(chunks=pieces))
        async with connect(venue, venue.server) as client:
            await client.send(GET)
            await client.read_head()
        await all_ended(venue.server)

    play(scenario)


def test_raw_replies_go_out_as_they_are() -> None:
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"

    async def scenario(tunnel: Tunnel) -> None:
        tunnel.server.expect("GET", "/").raw(raw, b"nonsense")
        async with connect(tunnel, tunnel.server) as client:
            await client.send(GET)
            assert await client.reader.readexactly(len(raw)) == raw
            await client.send(GET)
            assert await client.reader.readexactly(8) == b"nonsense"

    tunnel = Tunnel()
    tunnel.run(scenario)
    assert [x.reply_status for x in tunnel.journal] == [200, None]
