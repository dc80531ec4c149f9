"""Everything that goes wrong on the wire: the error, and a connection used no more."""

from __future__ import annotations

import asyncio
import errno
from typing import TYPE_CHECKING

import pytest

import windtunnel
from tests.client.support import URL, answering, play, read_all

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from windtunnel_fakeserver import Script, Tunnel, Wire

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def idle_after(answer: bytes) -> Script:
    """Answer once and keep the connection open: only the client can close it."""

    async def script(wire: Wire) -> None:
        await wire.read_request()
        await wire.send(answer)
        assert await wire.read_some() == b""

    return script


MALFORMED = [
    pytest.param(b"HTTP/1.1 20 OK\r\n\r\n", "RFC 9112 section 4", 0, id="status"),
    pytest.param(b"hello", "RFC 9112 section 4", 0, id="no-http"),
    pytest.param(
        b"HTTP/1.1 200 OK\r\nA : b\r\n\r\n", "RFC 9112 section 5.1", 18, id="field"
    ),
    pytest.param(
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        "RFC 9112 section 6.3",
        36,
        id="lengths",
    ),
    pytest.param(
        CHUNKED[:-2] + b"Content-Length: 5\r\n\r\n0\r\n\r\n",
        "RFC 9112 section 6.3",
        len(CHUNKED) - 2,
        id="length-and-coding",
    ),
    pytest.param(
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        "RFC 9110 section 15.2.2",
        0,
        id="101-unasked",
    ),
    pytest.param(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nA\r\n\r\n",
        "RFC 9112 section 5",
        42,
        id="after-interim",
    ),
    pytest.param(
        b"HTTP/1.1 102 Processing\r\n\r\n" * 65,
        "limit max_interim, RFC 9110 section 15.2",
        64 * 27,
        id="interim-flood",
    ),
]


@pytest.mark.parametrize("split", [None, 1])
@pytest.mark.parametrize(("answer", "rule", "offset"), MALFORMED)
def test_a_malformed_head_is_a_response_error_and_the_end_of_the_connection(
    answer: bytes, rule: str, offset: int, split: int | None
) -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        with pytest.raises(windtunnel.ClientResponseError) as caught:
            await session.get(URL)
        error = caught.value
        assert (error.status, error.rule, error.offset) == (400, rule, offset)
        assert f"at byte {offset} ({rule})" in error.message
        assert error.request_info is not None
        assert error.request_info.method == "GET"
        assert await read_all(session) == b"ok"
        assert len(tunnel.journal.connections) == 2

    play(idle_after(answer), answering(OK), main=main, split=split)


@pytest.mark.parametrize("split", [None, 1])
@pytest.mark.parametrize(
    ("body", "rule", "offset", "partial"),
    [
        pytest.param(
            b"2\r\nokX", "RFC 9112 section 7.1", len(CHUNKED) + 5, b"ok", id="data"
        ),
        pytest.param(b"x\r\n", "RFC 9112 section 7.1", len(CHUNKED), b"", id="size"),
        pytest.param(
            b"2\r\nok\r\n0\r\nT : x\r\n",
            "RFC 9112 section 5.1",
            len(CHUNKED) + 11,
            b"ok",
            id="trailer",
        ),
    ],
)
def test_a_malformed_body_is_a_payload_error_that_keeps_what_came(
    body: bytes, rule: str, offset: int, partial: bytes, split: int | None
) -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.get(URL) as response:
            with pytest.raises(windtunnel.ClientPayloadError) as caught:
                await response.read()
        error = caught.value
        assert (error.rule, error.offset, error.partial) == (rule, offset, partial)
        assert str(error).startswith("Response payload is not completed: ")
        assert await read_all(session) == b"ok"
        assert len(tunnel.journal.connections) == 2

    play(idle_after(CHUNKED + body), answering(OK), main=main, split=split)


def test_a_chunk_error_counts_bytes_from_the_first_interim_response() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        with pytest.raises(windtunnel.ClientPayloadError) as caught:
            await read_all(session)
        assert caught.value.offset == 25 + len(CHUNKED)

    play(idle_after(b"HTTP/1.1 100 Continue\r\n\r\n" + CHUNKED + b"x\r\n"), main=main)


@pytest.mark.parametrize(
    ("answer", "partial", "text"),
    [
        pytest.param(OK[:-1], b"o", "closed with 1 bytes missing", id="length"),
        pytest.param(CHUNKED + b"2\r\nok\r\n", b"ok", "before its end", id="chunks"),
        pytest.param(CHUNKED + b"2\r\no", b"o", "before its end", id="chunk"),
    ],
)
def test_a_body_that_ends_too_early_is_a_payload_error_that_keeps_what_came(
    answer: bytes, partial: bytes, text: str
) -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.get(URL) as response:
            with pytest.raises(windtunnel.ClientPayloadError, match=text) as caught:
                await response.read()
            assert caught.value.partial == partial
            with pytest.raises(windtunnel.ClientConnectionError):
                await response.read()

    play(answering(answer), main=main)


def test_a_reset_does_not_end_a_body_that_lasts_until_the_connection_ends() -> None:
    async def script(wire: Wire) -> None:
        await wire.read_request()
        await wire.send(b"HTTP/1.1 200 OK\r\n\r\nok")
        await wire.sleep(1)
        wire.reset()

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.get(URL) as response:
            with pytest.raises(windtunnel.ClientPayloadError, match="lost") as caught:
                await response.read()
            assert caught.value.partial == b"ok"
            assert isinstance(caught.value.__cause__, ConnectionResetError)

    play(script, main=main)


# --- before the response: errors and the one retry -----------------------------------


async def hang_up(wire: Wire) -> None:
    await wire.read_request()


async def reset(wire: Wire) -> None:
    await wire.read_request()
    wire.reset()


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"])
@pytest.mark.parametrize("how", [hang_up, reset])
def test_an_idempotent_request_is_sent_once_more(method: str, how: Script) -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.request(method, URL) as response:
            assert response.status == 200
            await response.read()
        assert len(tunnel.journal.connections) == 2

    play(how, answering(OK if method != "HEAD" else OK[:-2]), main=main)


def test_it_is_sent_only_once_more() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        with pytest.raises(windtunnel.ServerDisconnectedError) as caught:
            await session.get(URL)
        assert str(caught.value) == "Server disconnected"
        with pytest.raises(windtunnel.ClientOSError) as reset_error:
            await session.get(URL)
        assert reset_error.value.errno == errno.ECONNRESET

    play(hang_up, hang_up, reset, reset, main=main)


@pytest.mark.parametrize("method", ["POST", "PATCH", "Purge"])
def test_a_request_that_may_have_an_effect_is_never_repeated(method: str) -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        with pytest.raises(windtunnel.ServerDisconnectedError):
            await session.request(method, URL)
        assert len(tunnel.journal.connections) == 1

    play(hang_up, main=main)


@pytest.mark.parametrize("answer", [b"H", b"HTTP/1.1 100 Continue\r\n\r\n", OK[:20]])
def test_a_request_is_not_repeated_after_the_first_byte_of_an_answer(
    answer: bytes,
) -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        with pytest.raises(windtunnel.ServerDisconnectedError):
            await session.get(URL)
        assert len(tunnel.journal.connections) == 1

    play(answering(answer), main=main)


def test_a_body_in_memory_is_sent_again_and_a_generator_is_not() -> None:
    async def generate() -> AsyncIterator[bytes]:
        yield b"once"

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.put(URL, data=b"again") as response:
            await response.read()
        bodies = [exchange.request.body for exchange in tunnel.journal.exchanges]
        assert bodies == [b"again", b"again"]
        await asyncio.sleep(1)
        with pytest.raises(windtunnel.ServerDisconnectedError):
            await session.put(URL, data=generate())

    play(hang_up, answering(OK), hang_up, main=main)


def test_a_server_that_hangs_up_at_once_is_tried_once_more() -> None:
    async def leave(wire: Wire) -> None:
        wire.close()

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        assert await read_all(session) == b"ok"
        assert len(tunnel.journal.connections) == 2

    play(leave, answering(OK), main=main)


# --- making the connection ----------------------------------------------------------


def test_a_refused_connection_says_where_and_why() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        tunnel.network.dns.declare("b.test")
        with pytest.raises(windtunnel.ClientConnectorError) as caught:
            await session.get("http://b.test:81/")
        error = caught.value
        assert (error.host, error.port, error.ssl) == ("b.test", 81, True)
        assert error.errno == errno.ECONNREFUSED
        assert str(error).startswith("Cannot connect to host b.test:81 ssl:default [")
        assert isinstance(error.__cause__, OSError)

    play(main=main)


def test_an_unknown_name_is_an_error_of_its_own() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        tunnel.network.dns.fail("b.test")
        with pytest.raises(windtunnel.ClientConnectorDNSError, match=r"b\.test:80"):
            await session.get("http://b.test/")

    play(main=main)


def test_an_address_needs_no_name_server() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        tunnel.host("http://127.0.0.9:8080", addresses=["127.0.0.9"]).on(
            "GET", "/"
        ).raw(OK)
        assert await read_all(session, "http://127.0.0.9:8080/") == b"ok"

    play(main=main)


# --- sending the body ---------------------------------------------------------------


async def failing(exc: Exception) -> AsyncIterator[bytes]:
    yield b"first"
    await asyncio.sleep(1)
    raise exc


async def cut_off(wire: Wire) -> None:
    await wire.read_head()
    data = await wire.read_until_eof()
    assert not data.endswith(b"0\r\n\r\n")


def test_a_body_whose_source_fails_fails_the_request() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        with pytest.raises(windtunnel.ClientConnectionError, match="boom") as caught:
            await session.put(URL, data=failing(ValueError("boom")))
        assert isinstance(caught.value.__cause__, ValueError)
        with pytest.raises(windtunnel.ClientOSError, match="Can not write") as other:
            await session.put(URL, data=failing(OSError(5, "disk")))
        assert other.value.errno == 5

    play(cut_off, cut_off, main=main)


def test_a_body_shorter_than_promised_fails_the_request() -> None:
    async def generate() -> AsyncIterator[bytes]:
        yield b"abc"

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        headers = {"Content-Length": "5"}
        with pytest.raises(windtunnel.ClientConnectionError, match="2 bytes before"):
            await session.put(URL, data=generate(), headers=headers)

    play(cut_off, main=main)


def test_an_answer_may_come_before_the_body_is_sent_and_ends_the_sending() -> None:
    closed: list[str] = []

    async def endless() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x" * 1000
                await asyncio.sleep(10)
        finally:
            closed.append("source")

    async def script(wire: Wire) -> None:
        await wire.read_head()
        await wire.send(OK.replace(b"200 OK", b"413 Too Large"))
        await wire.read_until_eof()

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.post(URL, data=endless()) as response:
            assert response.status == 413
            assert await response.read() == b"ok"
        assert tunnel.clock.elapsed < 1
        await asyncio.sleep(0)
        assert closed == ["source"]
        assert await read_all(session) == b"ok"
        assert len(tunnel.journal.connections) == 2

    play(script, answering(OK), main=main)


def test_an_answer_is_read_while_a_server_takes_nothing_of_a_large_body() -> None:
    async def script(wire: Wire) -> None:
        await wire.read_head()
        wire.pause()
        await wire.send(OK.replace(b"200 OK", b"413 Too Large"))
        await wire.sleep(1)
        wire.resume()

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.post(URL, data=bytes(8_000_000)) as response:
            assert response.status == 413
            assert await response.read() == b"ok"
        # Only then can the server see that the client has left.
        await asyncio.sleep(2)

    play(script, main=main)


def test_an_answer_can_be_streamed_while_the_body_is_sent() -> None:
    async def script(wire: Wire) -> None:
        await wire.read_head()
        await wire.send(CHUNKED)
        for _ in range(3):
            assert await wire.read_exactly(7) == b"2\r\nhi\r\n"
            await wire.send(b"2\r\nhi\r\n")
        assert await wire.read_exactly(5) == b"0\r\n\r\n"
        await wire.send(b"0\r\n\r\n")
        await wire.read_until_eof()

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        turn = asyncio.Semaphore(1)

        async def generate() -> AsyncIterator[bytes]:
            for _ in range(3):
                await turn.acquire()
                yield b"hi"

        async with session.post(URL, data=generate()) as response:
            seen = b""
            async for piece in response.content.iter_any():
                seen += piece
                turn.release()
            assert seen == b"hihihi"

    play(script, main=main)


def test_a_source_that_fails_after_the_head_fails_the_body() -> None:
    async def script(wire: Wire) -> None:
        await wire.read_head()
        await wire.send(CHUNKED + b"1\r\nx\r\n")
        await wire.read_until_eof()

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.post(URL, data=failing(ValueError("boom"))) as response:
            assert await response.content.readany() == b"x"
            with pytest.raises(windtunnel.ClientConnectionError, match="boom"):
                await response.content.readany()

    play(script, main=main)


@pytest.mark.parametrize("split", [None, 1, 30])
@pytest.mark.parametrize(
    "start",
    [
        pytest.param(b"", id="first"),
        pytest.param(b"HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n", id="after-interim"),
    ],
)
@pytest.mark.parametrize(
    ("fields", "bad"),
    [
        pytest.param(b"A: b\r\n", b"Content-Length: x\r\n", id="bad-length"),
        pytest.param(
            b"Content-Length: 5\r\nA: b\r\n",
            b"Content-Length: 6\r\n",
            id="two-lengths",
        ),
        pytest.param(
            b"A: b\r\n c\r\nB:\tc\n", b"Transfer-Encoding: gzip\r\n", id="irregular"
        ),
        pytest.param(
            b"Transfer-Encoding: chunked\r\n", b"Content-Length: 6\r\n", id="both"
        ),
    ],
)
def test_a_refused_length_or_coding_is_reported_where_its_field_is(
    start: bytes, fields: bytes, bad: bytes, split: int | None
) -> None:
    before = start + b"HTTP/1.1 200 OK\r\n" + fields

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        with pytest.raises(windtunnel.ClientResponseError) as caught:
            await session.get(URL)
        assert caught.value.offset == len(before)
        assert f" at byte {len(before)} (RFC 9112" in caught.value.message

    play(idle_after(before + bad + b"\r\n"), main=main, split=split)
