"""The application that type checkers look at does what it says."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

import windtunnel as client
from tests.typed_example.station import (
    FixedResolver,
    Log,
    Station,
    Stations,
    is_alive,
    log_in,
)
from windtunnel_fakeserver import Reply, pause

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from pytest_windtunnel import WindTunnel
    from windtunnel_fakeserver import FakeServer

WING = Station("wing", [1.5, 2.0])


@pytest.fixture
def server(windtunnel: WindTunnel) -> FakeServer:
    """The service of all stations."""
    return windtunnel.host("http://stations.test")


@asynccontextmanager
async def opened(server: FakeServer) -> AsyncGenerator[tuple[Stations, Log]]:
    """Open the application's session, and close it."""
    log = Log()
    stations = Stations(server.url("/v1/"), log)
    try:
        yield stations, log
    finally:
        await stations.close()


async def test_a_station_is_found_watched_and_copied(
    server: FakeServer, tmp_path: Path
) -> None:
    found = server.expect("GET", "/v1/stations")
    found.reply(Reply(200, json=[{"name": "wing"}]), Reply(404, json={}))
    server.expect("GET", "/v1/stations/wing/readings").reply(
        Reply(chunks=[b"1.5\n2", pause(5), b".25\n"])
    )
    server.expect("GET", "/v1/stations/wing/picture").reply(Reply(body=b"P" * 100_000))
    async with opened(server) as (stations, log):
        station = await stations.find("wing")
        assert station is not None
        assert station == Station("wing")
        assert await stations.find("none") is None
        assert [each async for each in stations.readings(station)] == [1.5, 2.25]
        assert await stations.save(station, tmp_path / "sky.png") == 100_000
    # A status that is raised is no end of a request but an exception.
    assert log.lines[:3] == ["GET /v1/stations", "200", "GET /v1/stations"]
    assert found.last.header("authorization") == "Basic dTpw"
    assert found.last.header("x-signed") == "GET /v1/stations"
    assert (tmp_path / "sky.png").stat().st_size == 100_000


async def test_reports_and_readings_are_sent_and_parts_are_read(
    server: FakeServer,
) -> None:
    report = server.expect("POST", "/v1/reports").reply(
        Reply(201, {"location": "/v1/reports/7"})
    )
    replaced = server.expect("PUT", "/v1/stations/wing").reply(Reply(204))
    server.expect("GET", "/v1/stations/wing/parts").reply(
        Reply(
            200,
            {"content-type": "multipart/mixed; boundary=b"},
            body=b"--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--\r\n",
        )
    )
    async with opened(server) as (stations, _):
        assert await stations.report(WING, b"\x89PNG") == "/v1/reports/7"
        assert await stations.replace(WING) == 204
        assert await stations.parts(WING) == [b"one", b"two"]
    assert b'name="picture"; filename="sky.png"' in report.last.body
    assert replaced.last.header("content-encoding") == "gzip"


async def test_questions_are_answered_over_a_websocket(
    windtunnel: WindTunnel, server: FakeServer
) -> None:
    async def host(socket: ServerConnection) -> None:
        async for question in socket:
            await socket.send(f"{question!s}!")

    listener: Any = windtunnel.network.listen("198.18.7.7", 80)
    windtunnel.network.dns.add("live.test", ["198.18.7.7"])
    async with serve(host, sock=listener), opened(server) as (stations, _):
        answers = await stations.talk("ws://live.test/", "wind", "rain")
    assert answers == ["wind!", "rain!"]


async def test_life_is_asked_for_and_a_log_in_is_answered(server: FakeServer) -> None:
    challenge = {"www-authenticate": 'Digest realm="r", nonce="n", qop="auth"'}
    server.expect("HEAD", "/v1/").reply(Reply(200))
    server.expect("GET", "/v1/me").reply(
        Reply(401, challenge), Reply(200, {"set-cookie": "sid=abc"})
    )
    assert await is_alive(server.url("/v1/"))
    assert not await is_alive("http://nowhere.test/")
    async with opened(server) as (stations, _):
        assert await log_in(stations.session, server.url("/v1/me")) == "abc"


async def test_a_resolver_of_ones_own_knows_the_stations(
    windtunnel: WindTunnel, server: FakeServer
) -> None:
    server.expect("GET", "/v1/stations").reply(Reply(200, json=[{"name": "wing"}]))
    (address,) = (windtunnel.network.dns.declare("stations.test"),)
    resolver = FixedResolver({"stations.test": address})
    stations = Stations(server.url("/v1/"), Log(), resolver=resolver)
    try:
        assert await stations.find("wing") == Station("wing")
        with pytest.raises(client.ClientConnectorDNSError, match="is no station"):
            await stations.session.get("http://other.test/")
    finally:
        await stations.close()
    await resolver.close()
