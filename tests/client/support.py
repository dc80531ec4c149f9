"""What the client's tests share: a peer that plays scripts, and ways to cut bytes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import windtunnel
from windtunnel_fakeserver import Tunnel

if TYPE_CHECKING:
    from windtunnel_fakeserver import Script, Wire

T = TypeVar("T")

URL = "http://a.test/"

Main = Callable[[windtunnel.ClientSession, Tunnel], Awaitable[T]]


def play(
    *scripts: Script,
    main: Main[T],
    connector: Callable[[], windtunnel.TCPConnector] | None = None,
    split: Any = None,
    **session_options: Any,
) -> T:
    """Run ``main`` with a session, against a server that plays one script for each
    connection, on the simulated network; nothing may be left open or unused."""
    tunnel = Tunnel(split=split)
    server = tunnel.host("http://a.test")
    if scripts:
        server.on_connect(*scripts)

    async def program(tunnel: Tunnel) -> T:
        made = None if connector is None else connector()
        async with windtunnel.ClientSession(
            connector=made, **session_options
        ) as session:
            return await main(session, tunnel)

    return tunnel.run(program)


def answering(*answers: bytes, then_close: bool = True) -> Script:
    """Make a script that gives one answer for each request on its connection."""

    async def script(wire: Wire) -> None:
        for answer in answers:
            await wire.read_request()
            await wire.send(answer)
        if not then_close:
            await wire.read_until_eof()

    return script


def in_pieces(*pieces: bytes, seconds: float) -> Script:
    """Make a script that answers one request slowly, with a pause after each piece."""

    async def script(wire: Wire) -> None:
        await wire.read_request()
        for piece in pieces:
            await wire.send(piece)
            await wire.sleep(seconds)
        await wire.read_until_eof()

    return script


async def read_all(session: windtunnel.ClientSession, url: str = URL) -> bytes:
    """Get a body."""
    async with session.get(url) as response:
        return await response.read()


def cuts(data: bytes) -> Iterator[list[bytes]]:
    """Give the data whole, byte by byte, and cut in two at each offset."""
    yield [data]
    yield [data[i : i + 1] for i in range(len(data))]
    for at in range(1, len(data)):
        yield [data[:at], data[at:]]
