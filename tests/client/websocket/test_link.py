"""The link without a transport: the connection closed before it could take over."""

from __future__ import annotations

import asyncio

import pytest

from tests.client.websocket.support import BINARY, frame
from windtunnel import ClientConnectionResetError
from windtunnel._websocket.link import Link

pytestmark = pytest.mark.asyncio


async def test_what_came_before_the_end_can_be_received_and_nothing_sent() -> None:
    link = Link(
        asyncio.get_running_loop(), deflate=None, max_msg_size=0, decode_text=True
    )
    link.take_over(None, frame(BINARY, b"x" * 300_000) * 2)
    link.ping()
    with pytest.raises(ClientConnectionResetError, match="Cannot write"):
        link.send(0x82, b"x")
    with pytest.raises(ClientConnectionResetError, match="Cannot write"):
        await link.send_close(b"")
    for _ in range(2):
        assert len((await link.inbox.read())[1]) == 300_000
    with pytest.raises(ClientConnectionResetError, match="No close frame"):
        await link.inbox.read()
    assert link.get_extra_info("peername", "nobody") == "nobody"
    link.close()
    link.abort()
