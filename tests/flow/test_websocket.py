"""A live feed over WebSocket: log in, subscribe, survive an outage, sign off.

The same program runs on both clients, unchanged, against the same scripted service.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

import windtunnel
from tests.client.websocket.support import (
    PING,
    TEXT,
    accepting,
    closing,
    frame,
    next_frame,
)
from windtunnel_fakeserver import Reply, Tunnel, WireClosedError

if TYPE_CHECKING:
    from windtunnel_fakeserver import Request, Wire

LOGIN = "http://feed.test/login"
FEED = "ws://live.feed.test/v2"


class Feed:
    """The service: a login, and a feed that breaks down once."""

    def __init__(self) -> None:
        self.heard: list[Any] = []
        self.visits = 0

    def login(self, request: Request) -> Reply:
        assert request.json() == {"user": "ada"}
        cookie = "session=s3cret; Domain=feed.test; Path=/"
        return Reply(200, headers={"Set-Cookie": cookie})

    async def __call__(self, wire: Wire) -> None:
        request = await wire.read_request()
        assert request.header("Cookie") == "session=s3cret"
        await wire.send(accepting(request, b"Sec-WebSocket-Protocol: feed.v2"))
        self.visits += 1
        subscription = json.loads((await next_frame(wire))[1])
        self.heard.append(subscription)
        # The message that is cut off by the outage is sent again.
        for number in range(subscription["after"] + 1, 7):
            if self.visits == 1 and number == 3:
                wire.reset()
                return
            price = json.dumps({"number": number, "price": number * 10}).encode()
            await wire.send(frame(TEXT, price))
            await wire.sleep(20)
        await wire.send(frame(PING, b"still there?"))
        self.heard.append(await next_frame(wire))
        self.heard.append(json.loads((await next_frame(wire))[1]))
        await wire.send(closing(1000, b"bye"))
        try:
            await wire.read_until_eof()
        except WireClosedError:
            return


async def follow(client: Any, session: Any) -> tuple[list[int], list[int | None]]:
    """The program: six prices, and how each visit to the feed ended."""
    async with session.post(LOGIN, json={"user": "ada"}) as response:
        response.raise_for_status()
    prices: list[int] = []
    ends: list[int | None] = []
    while len(prices) < 6:
        async with session.ws_connect(
            FEED, protocols=("feed.v2", "feed.v1"), heartbeat=60, max_msg_size=1024
        ) as socket:
            assert socket.protocol == "feed.v2"
            await socket.send_json({"topic": "prices", "after": len(prices)})
            async for message in socket:
                assert message.type is client.WSMsgType.TEXT
                prices.append(message.json()["price"])
                if len(prices) == 6:
                    with pytest.raises(asyncio.TimeoutError):
                        await socket.receive(timeout=25)
                    await socket.send_json({"topic": None})
        ends.append(socket.close_code)
    return prices, ends


@pytest.mark.parametrize(
    "client",
    [pytest.param(windtunnel, id="windtunnel"), pytest.param(aiohttp, id="aiohttp")],
)
def test_a_feed_is_followed_through_an_outage(client: Any) -> None:
    tunnel = Tunnel()
    feed = Feed()
    tunnel.host("http://feed.test", app=feed.login)
    tunnel.host("http://live.feed.test").on_connect(feed, feed)

    async def program(tunnel: Tunnel) -> tuple[list[int], list[int | None]]:
        async with client.ClientSession() as session:
            return await follow(client, session)

    assert tunnel.run(program) == ([10, 20, 30, 40, 50, 60], [1006, 1000])
    assert feed.heard == [
        {"topic": "prices", "after": 0},
        {"topic": "prices", "after": 2},
        (0x8A, b"still there?"),
        {"topic": None},
    ]
