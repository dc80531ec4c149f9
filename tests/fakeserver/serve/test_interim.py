"""Interim replies and trailers on the wire, and in the journal."""

from __future__ import annotations

from tests.fakeserver.venues import Play, Venue, both, connect, on_tunnel
from windtunnel_fakeserver import Eof, Reply, pause

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@both
def test_hints_come_alone_and_the_rest_when_the_gate_opens(play: Play) -> None:
    async def scenario(venue: Venue) -> None:
        gate = venue.gate()
        hints = Reply(103, {"link": "</style.css>"})
        venue.server.expect("GET", "/").reply(
            Reply(text="ab", informational=[hints, gate], trailers={"sum": "7"})
        )
        async with connect(venue, venue.server) as client:
            await client.send(GET)
            early = await client.read_head()
            assert early.startswith(b"HTTP/1.1 103 Early Hints\r\nlink: </style.css>")
            assert venue.journal[0].replied is None
            gate.release()
            assert (await client.read_head()).startswith(b"HTTP/1.1 200 OK\r\n")
            body = await client.reader.readuntil(b"\r\n\r\n")
            assert body == b"2\r\nab\r\n0\r\nsum: 7\r\n\r\n"

    [exchange] = play(scenario).journal
    assert exchange.reply_status == 200
    assert exchange.sent_raw.startswith(b"HTTP/1.1 103 ")
    assert exchange.sent_body == b"2\r\nab\r\n0\r\nsum: 7\r\n\r\n"


def test_the_reply_begins_with_its_final_head() -> None:
    async def scenario(tunnel: Venue) -> None:
        tunnel.server.expect("GET", "/").reply(
            Reply(text="ab", informational=[Reply(103), pause(4)])
        )
        async with connect(tunnel, tunnel.server) as client:
            await client.send(GET)
            await client.read_head()
            await client.read_reply()

    venue = on_tunnel(scenario)
    replied = venue.journal[0].replied
    assert replied is not None
    assert round(replied, 2) == 4
    lines = [line for line in venue.journal.timeline() if "<  200" in line]
    assert len(lines) == 1


def test_an_end_after_the_hints_leaves_the_reply_unbegun() -> None:
    async def scenario(tunnel: Venue) -> None:
        fault = Eof(at="response_head")
        tunnel.server.expect("GET", "/").reply(
            Reply(informational=[Reply(103)], fault=fault)
        )
        async with connect(tunnel, tunnel.server) as client:
            await client.send(GET)
            assert (await client.reader.read()).startswith(b"HTTP/1.1 103 ")

    [exchange] = on_tunnel(scenario).journal
    assert (exchange.replied, exchange.sent_body) == (None, b"")
