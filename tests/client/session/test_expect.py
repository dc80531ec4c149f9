"""Bodies that wait for the server to ask for them (RFC 9110 section 10.1.1)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

import windtunnel
from tests.client.support import URL, play
from windtunnel._base.compat import override

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from windtunnel_fakeserver import Script, Tunnel, Wire

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
NO = b"HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n"


def saying(*answers: bytes, heard: list[bytes]) -> Script:
    """Make a script that says one answer a second, and keeps what came before each."""

    async def script(wire: Wire) -> None:
        for answer in answers:
            await wire.sleep(1)
            heard.append(await wire.read_some())
            await wire.send(answer)
        heard.append(await wire.read_until_eof())

    return script


async def pieces() -> AsyncIterator[bytes]:
    yield b"ab"
    yield b"cd"


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"expect100": True}, id="argument"),
        pytest.param({"headers": {"Expect": "100-Continue"}}, id="header"),
        pytest.param({"headers": {"Expect": "x"}, "expect100": True}, id="both"),
    ],
)
@pytest.mark.parametrize("interim", [100, 102, 103])
def test_the_body_goes_out_after_any_interim_response(
    options: dict[str, Any], interim: int
) -> None:
    heard: list[bytes] = []
    first = b"HTTP/1.1 %d X\r\n\r\n" % interim

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.post(URL, data=b"body", **options) as response:
            assert await response.read() == b"ok"

    play(saying(first, OK, heard=heard), main=main)
    head, body, rest = heard
    assert head.endswith(b"\r\n\r\n")
    assert head.lower().count(b"expect: 100-continue\r\n") == 1
    assert (body, rest) == (b"body", b"")


def test_pieces_wait_as_well() -> None:
    heard: list[bytes] = []

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.post(URL, data=pieces(), expect100=True) as response:
            assert response.status == 200

    play(saying(b"HTTP/1.1 100 X\r\n\r\n", OK, heard=heard), main=main)
    assert heard[1] == b"2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n"


def test_a_final_answer_keeps_the_body_here_and_closes_the_connection() -> None:
    heard: list[bytes] = []

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        for status in (417, 200):
            async with session.post(URL, data=b"body", expect100=True) as response:
                assert response.status == status

    play(saying(NO, heard=heard), saying(OK, heard=heard), main=main)
    assert b"body" not in b"".join(heard)
    assert len(heard) == 4


def test_a_redirect_asks_anew() -> None:
    heard: list[bytes] = []
    moved = b"HTTP/1.1 307 X\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n"

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.post(URL, data=b"body", expect100=True) as response:
            assert response.status == 200

    play(
        saying(moved, heard=heard),
        saying(b"HTTP/1.1 100 X\r\n\r\n", OK, heard=heard),
        main=main,
    )
    assert heard[2].startswith(b"POST /there ")
    assert heard[3] == b"body"


def test_nothing_is_expected_without_a_body() -> None:
    heard: list[bytes] = []

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.post(URL, expect100=True) as response:
            assert response.status == 200

    play(saying(OK, heard=heard), main=main)
    assert b"Expect" not in heard[0]


def test_the_total_timeout_ends_the_waiting_and_says_so() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        limits = windtunnel.ClientTimeout(total=3, sock_read=1)
        with pytest.raises(windtunnel.TotalTimeoutError, match="ask for the request"):
            await session.post(URL, data=b"body", expect100=True, timeout=limits)

    async def script(wire: Wire) -> None:
        await wire.read_head()
        assert await wire.read_until_eof() == b""

    play(script, main=main)


def test_a_reset_while_waiting_is_an_error() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        with pytest.raises(windtunnel.ClientOSError):
            await session.post(URL, data=b"body", expect100=True)

    async def script(wire: Wire) -> None:
        await wire.read_head()
        wire.reset()

    play(script, main=main)


def test_cancelling_while_waiting_closes_the_connection_and_the_body() -> None:
    closed: list[bool] = []

    class Body(windtunnel.BytesPayload):
        @override
        async def close(self) -> None:
            closed.append(True)

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        request = asyncio.ensure_future(
            session.post(URL, data=Body(b"body"), expect100=True)
        )
        await asyncio.sleep(1)
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request

    async def script(wire: Wire) -> None:
        await wire.read_head()
        assert await wire.read_until_eof() == b""

    play(script, main=main)
    assert closed


def test_the_body_is_read_from_an_early_answer_without_sending_ours() -> None:
    heard: list[bytes] = []

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.post(URL, data=b"body", expect100=True) as response:
            assert response.status == 200
            assert await response.read() == b"no thanks"

    async def script(wire: Wire) -> None:
        heard.append(await wire.read_some())
        await wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nno ")
        await wire.sleep(1)
        await wire.send(b"thanks")
        heard.append(await wire.read_until_eof())

    play(script, main=main)
    assert heard[1] == b""
