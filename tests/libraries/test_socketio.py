"""python-socketio: long polling first, then the same talk over a WebSocket."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import socketio
from websockets.asyncio.server import ServerConnection, serve

from windtunnel_fakeserver import Reply, Request

if TYPE_CHECKING:
    from pytest_windtunnel import WindTunnel

HELLO = {
    "sid": "s1",
    "pingInterval": 25_000,
    "pingTimeout": 20_000,
    "maxPayload": 10**6,
}


async def test_events_and_answers_go_both_ways_over_a_websocket(
    windtunnel: WindTunnel,
) -> None:
    heard: list[str | bytes] = []

    async def host(socket: ServerConnection) -> None:
        await socket.send("0" + json.dumps(HELLO | {"upgrades": []}))
        heard.append(await socket.recv())
        await socket.send('40{"sid":"n1"}')
        await socket.send('42["wind",{"speed":12}]')
        await socket.send("2")
        while True:
            message = await socket.recv()
            heard.append(message)
            if message == '421["turn",90]':
                await socket.send('431["turned",90]')
            if message == "1":
                return

    windtunnel.network.dns.add("live.test", ["198.18.7.7"])
    listener: Any = windtunnel.network.listen("198.18.7.7", 80)
    got: list[Any] = []
    came = asyncio.Event()

    async with serve(host, sock=listener):
        client = socketio.AsyncClient(reconnection=False)

        async def on_wind(data: Any) -> None:
            got.append(data)
            came.set()

        client.on("wind", on_wind)
        await client.connect("http://live.test", transports=["websocket"])
        await came.wait()
        answer = await client.call("turn", 90)
        await client.disconnect()
        await client.wait()

    assert got == [{"speed": 12}]
    assert answer == ("turned", 90)
    assert heard[0] == "40{}"
    assert "3" in heard


async def test_events_come_by_long_polling(windtunnel: WindTunnel) -> None:
    answers = iter(
        [
            Reply(200, body=("0" + json.dumps(HELLO | {"upgrades": []})).encode()),
            Reply(200, body=b'40{"sid":"n1"}'),
            Reply(200, body=b'42["wind",3]', delay=20),
            Reply(200, body=b'2\x1e42["wind",4]', delay=20),
            Reply(200, body=b"41\x1e1"),
        ]
    )
    posted: list[bytes] = []

    def app(request: Request) -> Reply:
        if request.method == "POST":
            posted.append(request.body)
            return Reply(200, body=b"ok")
        return next(answers)

    windtunnel.host("http://live.test", app=app)
    got: list[Any] = []
    client = socketio.AsyncClient(reconnection=False)
    client.on("wind", got.append)

    await client.connect("http://live.test", transports=["polling"])
    await client.wait()

    assert got == [3, 4]
    assert posted[0] == b"40{}"
