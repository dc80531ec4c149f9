"""What tests with windtunnel look like. Run them: ``pytest docs/examples``.

No server is started, no port is bound, nobody waits. The code under test is the three
functions at the top; the first two use the client that comes with windtunnel, the third
uses httpx, because the fixtures work with any asyncio client.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx
import pytest

from windtunnel_fakeserver import FakeServer, Reply, Wire, pause

if TYPE_CHECKING:
    import windtunnel as client
    from pytest_windtunnel import WindTunnel
    from windtunnel_fakeserver.simulation import Clock


async def fetch_name(session: client.ClientSession, url: str) -> str:
    """Return the name of a user; a busy service is asked again when it says."""
    while True:
        async with session.get(url) as resp:
            if resp.status == 200:
                return str((await resp.json())["name"])
            await asyncio.sleep(float(resp.headers["Retry-After"]))


async def follow(session: client.ClientSession, url: str) -> list[bytes]:
    """Return the lines of a feed, one by one."""
    async with session.get(url) as resp:
        return [line.strip() async for line in resp.content]


async def ping(url: str) -> bool:
    """Say if a service answers within half a minute."""
    async with httpx.AsyncClient(timeout=30) as http:
        try:
            return (await http.get(url)).is_success
        except httpx.TimeoutException:
            return False


async def test_a_busy_service_is_asked_again(windtunnel: WindTunnel) -> None:
    """Two minutes pass between the answers, and no real time."""
    api = windtunnel.host("https://api.example.com")  # name, certificate and trust
    me = api.expect("GET", "/me").reply(
        Reply(503, headers={"retry-after": "120"}), Reply(200, json={"name": "Ada"})
    )

    assert await fetch_name(windtunnel.session(), api.url("/me")) == "Ada"

    assert me.count == 2
    assert 120 <= windtunnel.clock.elapsed < 121


async def test_lines_arrive_when_they_are_sent(
    wt_server: FakeServer, wt_session: client.ClientSession, wt_clock: Clock
) -> None:
    """The reply says which bytes come at which second."""
    wt_server.on("GET", "/feed").reply(
        Reply(chunks=[b"one\ntw", pause(60), b"o\n", pause(180), b"three\n"])
    )

    assert await follow(wt_session, wt_server.url("/feed")) == [
        b"one",
        b"two",
        b"three",
    ]
    assert round(wt_clock.elapsed) == 240


async def test_silence_is_no_answer(wt_server: FakeServer, wt_clock: Clock) -> None:
    """A script holds the conversation with one connection."""

    async def silent(wire: Wire) -> None:
        await wire.read_request()
        await wire.stall()

    wt_server.on_connect(silent)

    assert not await ping(wt_server.url())
    assert round(wt_clock.elapsed) == 30


@pytest.mark.windtunnel(seed=7)
def test_a_plain_function_can_run_the_tunnel(windtunnel: WindTunnel) -> None:
    """Without any coroutine test, ``run`` is the way in."""
    windtunnel.server.expect("GET", "/").reply(Reply(204))

    async def main(_tunnel: WindTunnel) -> bool:
        return await ping(windtunnel.server.url())

    assert windtunnel.run(main)
