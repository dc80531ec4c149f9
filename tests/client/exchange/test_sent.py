"""What a response says of the body of its request: deprecated, and right."""

from __future__ import annotations

import asyncio
import warnings
from typing import TYPE_CHECKING, Any

import pytest

import windtunnel
from tests.client.support import URL, answering, play
from windtunnel._base.compat import override

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from windtunnel_fakeserver import Tunnel, Wire

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nok"


async def pieces(*each: bytes) -> AsyncIterator[bytes]:
    for piece in each:
        await asyncio.sleep(1)
        yield piece


async def broken() -> AsyncIterator[bytes]:
    yield b"ab"
    await asyncio.sleep(5)
    msg = "no more"
    raise ValueError(msg)


def size(response: windtunnel.ClientResponse) -> int:
    with pytest.warns(DeprecationWarning, match="output_size"):
        return response.output_size


def upload(response: windtunnel.ClientResponse) -> asyncio.Future[None]:
    with pytest.warns(DeprecationWarning, match="upload_complete"):
        return response.upload_complete


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({}, id="none"),
        pytest.param({"data": b"abc"}, id="small"),
        pytest.param({"data": b"x" * 70_000}, id="large"),
        pytest.param({"data": b"abc", "chunked": True}, id="small-chunked"),
        pytest.param({"data": b"", "chunked": True}, id="empty-chunked"),
        pytest.param(
            {"data": b"abcdef", "headers": {"Content-Length": "3"}}, id="cut-short"
        ),
    ],
)
def test_output_size_is_what_the_server_received(options: dict[str, Any]) -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.post(URL, **options) as response:
            assert await response.read() == b"ok"
            assert size(response) == len(tunnel.journal.exchanges[0].request.raw)
            await upload(response)
            assert upload(response) is upload(response)

    play(answering(OK), main=main)


def test_output_size_of_a_generated_body_is_what_the_server_received() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        data = pieces(b"ab", b"c" * 20)
        async with session.post(URL, data=data) as response:
            assert size(response) == len(tunnel.journal.exchanges[0].request.raw)

    play(answering(OK), main=main)


async def answer_early(wire: Wire) -> None:
    await wire.read_head()
    await wire.send(HALF)
    await wire.read_until_eof()


def test_a_body_that_is_still_being_sent_is_counted_so_far() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.post(URL, data=pieces(*[b"abc"] * 100)) as response:
            end = upload(response)
            assert not end.done()
            before = size(response)
            await asyncio.sleep(3)
            assert size(response) - before == 3 * len(b"3\r\nabc\r\n")
        assert isinstance(end.exception(), windtunnel.UploadAbortedError)

    play(answer_early, main=main)


def test_a_body_that_fails_is_said_so() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.post(URL, data=broken()) as response:
            end = upload(response)
            with pytest.raises(ValueError, match="no more"):
                await end
            with pytest.raises(windtunnel.ClientConnectionError):
                await response.read()

    play(answer_early, main=main)


def test_leaving_a_response_waits_until_the_body_is_let_go() -> None:
    class File(windtunnel.AsyncIterablePayload):
        is_closed = False

        @override
        async def close(self) -> None:
            await asyncio.sleep(1)
            self.is_closed = True

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        body = File(pieces(*[b"abc"] * 100))
        response = await session.post(URL, data=body)
        async with response:
            assert not body.is_closed
        assert body.is_closed

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        play(answer_early, main=main)


def test_a_body_that_fails_is_let_go_of_without_being_cancelled() -> None:
    closed: list[str] = []

    class File(windtunnel.AsyncIterablePayload):
        @override
        async def close(self) -> None:
            closed.append("began")
            await asyncio.sleep(1)
            closed.append("ended")

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        with pytest.raises(windtunnel.ClientConnectionError):
            await session.post(URL, data=File(broken()))
        await asyncio.sleep(2)
        assert closed.count("began") == closed.count("ended") > 0

    async def silent(wire: Wire) -> None:
        await wire.read_until_eof()

    play(silent, main=main)
