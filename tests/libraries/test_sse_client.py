"""aiohttp-sse-client2: server-sent events, with reconnection."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import aiohttp
import pytest
from aiohttp_sse_client2.client import EventSource

from windtunnel_fakeserver import Eof, Reply, pause

if TYPE_CHECKING:
    from pytest_windtunnel import WindTunnel

EVENTS = {"content-type": "text/event-stream"}


async def test_events_arrive_when_they_are_sent_and_after_a_reconnection(
    windtunnel: WindTunnel,
) -> None:
    server = windtunnel.host("http://feed.test")
    route = server.expect("GET", "/prices").reply(
        Reply(
            200,
            EVENTS,
            chunks=[
                b": hello\n\nid: 1\nda",
                pause(30),
                b"ta: 10.5\n\nevent: close\nid: 2\ndata: two\ndata: lines\n\n",
            ],
        ),
        Reply(200, EVENTS, chunks=[b"id: 3\r\ndata: \xe2\x82\xac 11\r\n\r\n"]),
    )

    seen = []
    async with EventSource(
        server.url("/prices"), reconnection_time=timedelta(seconds=2)
    ) as source:
        async for event in source:
            seen.append((event.type, event.data, event.last_event_id))
            if len(seen) == 3:
                break

    assert seen == [
        (None, "10.5", "1"),
        ("close", "two\nlines", "2"),
        (None, "€ 11", "3"),
    ]
    assert route.last.header("last-event-id") == "2"
    assert route.last.header("accept") == "text/event-stream"
    assert windtunnel.clock.elapsed == pytest.approx(30 + 4, abs=0.1)


async def test_a_service_that_refuses_at_first_is_tried_again(
    windtunnel: WindTunnel,
) -> None:
    server = windtunnel.host("http://feed.test")
    server.expect("GET", "/").reply(
        Reply(fault=Eof(at="response_head")),
        Reply(fault=Eof(at="response_head")),
        Reply(200, EVENTS, chunks=[b"data: at last\n\n", pause(60)]),
    )
    failures: list[None] = []

    async with (
        aiohttp.ClientSession() as session,
        EventSource(
            server.url("/"), session=session, on_error=lambda: failures.append(None)
        ) as source,
    ):
        event = await anext(source)

    assert event.data == "at last"
    # The transparent retry of the client hides the first one.
    assert len(failures) == 1
