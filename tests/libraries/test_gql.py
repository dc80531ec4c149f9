"""gql: GraphQL over HTTP, multipart streams and WebSockets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from gql import Client, FileVar, gql
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.aiohttp_websockets import AIOHTTPWebsocketsTransport
from gql.transport.exceptions import TransportQueryError, TransportServerError
from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol

from windtunnel_fakeserver import Reply, pause

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_windtunnel import WindTunnel

HERO = gql("query Hero($id: ID!) { hero(id: $id) { name } }")
TICKS = gql("subscription { ticks }")


async def test_a_query_sends_its_variables_and_gives_the_data(
    windtunnel: WindTunnel,
) -> None:
    server = windtunnel.host("http://graph.test")
    route = server.expect("POST", "/graphql").reply(
        Reply(200, {"x-cost": "7"}, json={"data": {"hero": {"name": "Ada"}}})
    )
    transport = AIOHTTPTransport(
        url=server.url("/graphql"), headers={"Authorization": "Bearer t"}, timeout=10
    )

    async with Client(transport=transport) as session:
        HERO.variable_values = {"id": "1"}
        assert await session.execute(HERO) == {"hero": {"name": "Ada"}}

    assert route.last.json()["variables"] == {"id": "1"}
    assert route.last.header("authorization") == "Bearer t"
    assert transport.response_headers is not None
    assert transport.response_headers["X-Cost"] == "7"


async def test_errors_of_the_service_and_of_http_are_told_apart(
    windtunnel: WindTunnel,
) -> None:
    server = windtunnel.host("http://graph.test")
    server.expect("POST", "/graphql").reply(
        Reply(200, json={"errors": [{"message": "no hero"}], "data": None}),
        Reply(502, body=b"<h1>Bad gateway</h1>"),
    )

    async with Client(
        transport=AIOHTTPTransport(url=server.url("/graphql"))
    ) as session:
        with pytest.raises(TransportQueryError, match="no hero"):
            await session.execute(HERO)
        with pytest.raises(TransportServerError, match="502"):
            await session.execute(HERO)


async def test_files_are_uploaded_as_multipart(
    windtunnel: WindTunnel, tmp_path: Path
) -> None:
    (tmp_path / "wing.bin").write_bytes(b"\x00lift" * 20_000)
    server = windtunnel.host("http://graph.test")
    route = server.expect("POST", "/graphql").reply(
        Reply(200, json={"data": {"upload": {"size": 100_000}}})
    )
    mutation = gql("mutation ($file: Upload!) { upload(file: $file) { size } }")
    mutation.variable_values = {
        "file": FileVar(str(tmp_path / "wing.bin"), content_type="application/x-wing")
    }

    async with Client(
        transport=AIOHTTPTransport(url=server.url("/graphql"))
    ) as session:
        result = await session.execute(mutation, upload_files=True)

    assert result == {"upload": {"size": 100_000}}
    body = route.last.body
    assert b'name="operations"' in body
    assert b'filename="wing.bin"' in body
    assert b"Content-Type: application/x-wing\r\n" in body
    assert b"\x00lift" * 20_000 in body


async def test_a_subscription_over_multipart_gives_each_part_when_it_comes(
    windtunnel: WindTunnel,
) -> None:
    def part(tick: int) -> bytes:
        payload = json.dumps({"payload": {"data": {"ticks": tick}}}).encode()
        return (
            b"--graphql\r\nContent-Type: application/json\r\n\r\n" + payload + b"\r\n"
        )

    kind = "multipart/mixed; boundary=graphql; subscriptionSpec=1.0"
    server = windtunnel.host("http://graph.test")
    server.expect("POST", "/graphql").reply(
        Reply(
            200,
            {"content-type": kind.replace("; ", ";")},
            chunks=[
                part(1),
                pause(60),
                part(2),
                pause(60),
                part(3),
                b"--graphql--\r\n",
            ],
        )
    )

    async with Client(
        transport=AIOHTTPTransport(url=server.url("/graphql"))
    ) as session:
        seen = [
            (result["ticks"], round(windtunnel.clock.elapsed))
            async for result in session.subscribe(TICKS)
        ]

    assert seen == [(1, 60), (2, 120), (3, 120)]


async def test_a_subscription_over_websocket_follows_its_protocol(
    windtunnel: WindTunnel,
) -> None:
    heard: list[dict[str, Any]] = []

    async def hear(socket: ServerConnection, kind: str) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(await socket.recv())
        heard.append(message)
        assert message["type"] == kind
        return message

    async def host(socket: ServerConnection) -> None:
        await hear(socket, "connection_init")
        await socket.send('{"type": "connection_ack"}')
        number = (await hear(socket, "subscribe"))["id"]
        for tick in (1, 2):
            told = {"id": number, "type": "next", "payload": {"data": {"ticks": tick}}}
            await socket.send(json.dumps(told))
        await socket.send(json.dumps({"id": number, "type": "complete"}))
        await socket.wait_closed()

    windtunnel.network.dns.add("graph.test", ["198.18.7.7"])
    listener: Any = windtunnel.network.listen("198.18.7.7", 80)
    transport = AIOHTTPWebsocketsTransport(
        url="ws://graph.test/graphql",
        subprotocols=[AIOHTTPWebsocketsTransport.GRAPHQLWS_SUBPROTOCOL],
        init_payload={"token": "t"},
        heartbeat=30,
    )
    server = serve(
        host, sock=listener, subprotocols=[Subprotocol("graphql-transport-ws")]
    )
    async with server, Client(transport=transport) as session:
        seen = [result["ticks"] async for result in session.subscribe(TICKS)]

    assert seen == [1, 2]
    assert heard[0]["payload"] == {"token": "t"}
