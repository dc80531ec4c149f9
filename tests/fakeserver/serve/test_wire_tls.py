"""Scripts inside TLS, and handshakes that fail, on both venues."""

from __future__ import annotations

import asyncio
import ssl

import pytest

from tests.fakeserver.venues import Play, Venue, both, connect, on_tunnel, tls_host
from windtunnel_fakeserver import Tls, Tunnel, Wire

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@both
def test_a_tls_host_speaks_tls_before_its_script(play: Play) -> None:
    async def script(wire: Wire) -> None:
        assert wire.tls
        with pytest.raises(RuntimeError, match="asyncio cannot half-close TLS"):
            wire.eof()
        await wire.send(await wire.read_exactly(4))

    async def scenario(venue: Venue) -> None:
        host = tls_host(venue)
        host.on_connect(script)
        async with connect(venue, host) as client:
            await client.send(b"ping")
            assert await client.reader.read() == b"ping"

    [record] = play(scenario).journal.connections
    assert record.tls
    assert [e.text for e in record.events if e.kind == "tls"] == ["TLSv1.3"]


@both
def test_a_plain_host_can_switch_to_tls(play: Play) -> None:
    async def script(wire: Wire) -> None:
        assert await wire.read_exactly(5) == b"start"
        await wire.send(b"go")
        await wire.start_tls()
        await wire.send(await wire.read_exactly(4))

    async def scenario(venue: Venue) -> None:
        name = venue.server.host.host
        venue.server.on_connect(script)
        async with connect(venue, venue.server) as client:
            await client.send(b"start")
            assert await client.reader.readexactly(2) == b"go"
            trust = venue.authority.client_context()
            await client.writer.start_tls(trust, server_hostname=name)
            await client.send(b"ping")
            assert await client.reader.readexactly(4) == b"ping"

    play(scenario)


def test_abort_on_tls_is_a_truncation() -> None:
    async def script(wire: Wire) -> None:
        await wire.send(b"part")
        wire.abort()
        wire.abort()

    async def scenario(tunnel: Venue) -> None:
        host = tls_host(tunnel)
        host.on_connect(script)
        async with connect(tunnel, host) as client:
            assert await client.reader.readexactly(4) == b"part"
            assert await client.reader.read() == b""

    [record] = on_tunnel(scenario).journal.connections
    assert "eof" not in [event.kind for event in record.events]


@pytest.mark.parametrize(
    ("tls", "reason"),
    [
        pytest.param(Tls(["other.test"]), "Hostname mismatch", id="wrong-name"),
        pytest.param(Tls(trusted=False), "unable to get local issuer", id="untrusted"),
        pytest.param(Tls(expired=True), "certificate has expired", id="expired"),
    ],
)
def test_bad_certificates_are_refused_and_the_journal_has_it(
    tls: Tls, reason: str
) -> None:
    async def scenario(tunnel: Tunnel) -> None:
        host = tunnel.host("https://api.test", tls=tls)
        with pytest.raises(ssl.SSLCertVerificationError, match=reason):
            async with connect(tunnel, host):
                pass

    tunnel = Tunnel()
    tunnel.run(scenario)
    [record] = tunnel.journal.connections
    [event] = [e for e in record.events if e.kind == "tls"]
    assert event.text.startswith("handshake failed: ")
    assert not record.tls
    assert record.closed is not None


def test_a_client_that_leaves_during_the_handshake_is_in_the_journal() -> None:
    async def scenario(tunnel: Tunnel) -> None:
        host = tunnel.host("https://api.test")
        _, writer = await asyncio.open_connection("api.test", 443)
        writer.write(GET)
        await asyncio.sleep(1)
        writer.close()
        _, other = await asyncio.open_connection("api.test", 443)
        other.close()
        await asyncio.sleep(1)
        assert len(host.journal) == 0

    tunnel = Tunnel()
    tunnel.run(scenario)
    texts = [
        event.text
        for record in tunnel.journal.connections
        for event in record.events
        if event.kind == "tls"
    ]
    assert len(texts) == 2
    assert texts[0] == "handshake failed: HTTP_REQUEST"
