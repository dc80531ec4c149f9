"""Faults on replies and connections, as a client sees them, and unfired ones."""

from __future__ import annotations

import asyncio
import ssl

import pytest

from tests.fakeserver.venues import (
    Client,
    Play,
    Venue,
    all_ended,
    both,
    connect,
    on_tunnel,
    tls_host,
    where,
)
from windtunnel_fakeserver import (
    Eof,
    Fault,
    Garbage,
    HalfClose,
    Moment,
    Reply,
    Reset,
    Stall,
    TlsAlert,
    Tunnel,
    VerificationError,
    Wire,
    pause,
)

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
PUT = b"PUT / HTTP/1.1\r\nContent-Length: 9\r\n\r\n"


async def ends_with(client: Client) -> str:
    """Read to the end; say how it came."""
    try:
        while await client.reader.read(4096):
            pass
    except ConnectionResetError:
        return "reset"
    return "eof"


# -- on a reply ------------------------------------------------------------------


@both
def test_a_body_is_cut_after_so_many_bytes(play: Play) -> None:
    async def scenario(venue: Venue) -> None:
        fault = Eof(at="response_body", after=4)
        venue.server.expect("GET", "/").reply(Reply(body=b"0123456789", fault=fault))
        async with connect(venue, venue.server) as client:
            await client.send(GET)
            await client.read_head()
            assert await client.reader.read() == b"0123"

    venue = play(scenario)
    assert venue.journal[0].sent_body == b"0123"
    assert venue.journal[0].reply_status == 200
    [line] = [line for line in venue.journal.timeline() if "fault" in line]
    assert line.endswith('-  note fault Eof(at="response_body", after=4)')


@both
def test_a_reset_instead_of_a_head_leaves_the_reply_unbegun(play: Play) -> None:
    async def scenario(venue: Venue) -> None:
        fault = Reset(at="response_head")
        venue.server.expect("GET", "/").reply(Reply(delay=0.01, fault=fault))
        async with connect(venue, venue.server) as client:
            await client.send(GET)
            assert await ends_with(client) == "reset"

    [exchange] = play(scenario).journal
    assert (exchange.replied, exchange.sent_raw) == (None, b"")


def test_a_fault_waits_for_the_pauses_before_it() -> None:
    async def scenario(tunnel: Venue) -> None:
        assert isinstance(tunnel, Tunnel)
        reply = Reply(
            chunks=[b"a", pause(5), b"b"],
            fault=Reset(at="response_body", after=6),
        )
        tunnel.server.expect("GET", "/").reply(reply)
        async with connect(tunnel, tunnel.server) as client:
            await client.send(GET)
            assert await ends_with(client) == "reset"
        assert 5 < tunnel.clock.elapsed < 5.1

    assert on_tunnel(scenario).journal[0].sent_body == b"1\r\na\r\n"


@both
def test_half_a_close_goes_on_reading(play: Play) -> None:
    async def scenario(venue: Venue) -> None:
        fault = HalfClose(at="response_end")
        venue.server.expect("GET", "/").reply(Reply(text="ab", fault=fault))
        async with connect(venue, venue.server) as client:
            await client.send(GET)
            await client.read_reply()
            assert await client.reader.read() == b""
            await client.send(b"unheard")
        await all_ended(venue.server)

    [record] = play(scenario).journal.connections
    assert record.received.endswith(b"unheard")


def test_a_half_close_inside_tls_is_said_to_be_impossible() -> None:
    async def scenario(tunnel: Venue) -> None:
        api = tls_host(tunnel)
        api.expect("GET", "/").reply(Reply(fault=HalfClose(at="response_end")))
        async with connect(tunnel, api) as client:
            await client.send(GET)
            assert await ends_with(client) == "eof"

    with pytest.raises(VerificationError, match="asyncio cannot half-close TLS"):
        on_tunnel(scenario)


def test_a_stall_sends_nothing_more_and_keeps_the_connection() -> None:
    async def scenario(tunnel: Venue) -> None:
        fault = Stall(at="response_body", after=1)
        tunnel.server.expect("GET", "/").reply(Reply(text="ab", fault=fault))
        async with connect(tunnel, tunnel.server) as client:
            await client.send(GET)
            await client.read_head()
            with pytest.raises(asyncio.IncompleteReadError) as caught:
                async with asyncio.timeout(600):
                    await client.reader.readexactly(2)
            assert caught.value.partial == b"a"

    with pytest.raises(TimeoutError):
        on_tunnel(scenario)


def test_garbage_in_a_body_keeps_length_and_connection() -> None:
    fault = Garbage(9, at="response_body", after=2)

    async def scenario(tunnel: Venue) -> None:
        tunnel.server.expect("GET", "/").reply(
            Reply(body=b"01234567", fault=fault), Reply(text="next")
        )
        async with connect(tunnel, tunnel.server) as client:
            await client.send(GET + GET)
            assert (await client.read_reply())[1] == b"01" + fault.noise(6)
            assert (await client.read_reply())[1] == b"next"

    on_tunnel(scenario)


def test_a_tls_end_without_closure_alert_is_a_truncation() -> None:
    async def scenario(tunnel: Venue) -> None:
        api = tls_host(tunnel)
        fault = Eof(at="response_body", after=1, close_notify=False)
        api.expect("GET", "/").reply(Reply(text="ab", fault=fault))
        async with connect(tunnel, api) as client:
            await client.send(GET)
            await client.read_head()
            assert await client.reader.read(5) == b"a"

    [record] = on_tunnel(scenario).journal.connections
    assert not [event for event in record.events if event.kind == "eof"]


# -- on a connection ---------------------------------------------------------------


@both
@pytest.mark.parametrize(
    ("fault", "sent", "end"),
    [
        pytest.param(Reset(at="connect"), b"", "reset", id="connect-reset"),
        pytest.param(Eof(at="connect"), b"", "eof", id="connect-eof"),
        pytest.param(Eof(at="request_head"), b"G", "eof", id="head-first-byte"),
        pytest.param(
            Reset(at="request_head", after=9), GET[:9], "reset", id="head-9-bytes"
        ),
        pytest.param(Eof(at="request_head", after=9), GET, "eof", id="head-at-once"),
        pytest.param(Eof(at="request_body"), PUT, "eof", id="body"),
        pytest.param(
            Reset(at="request_body", after=2), PUT + b"ab", "reset", id="body-2"
        ),
        pytest.param(
            Eof(at="request_body", after=2), PUT + b"x" * 9, "eof", id="body-at-once"
        ),
        pytest.param(Eof(at="request_body"), GET, "eof", id="no-body"),
    ],
)
def test_a_connection_ends_while_a_request_arrives(
    play: Play, fault: Fault, sent: bytes, end: str
) -> None:
    async def scenario(venue: Venue) -> None:
        venue.server.on_connect(fault)
        async with connect(venue, venue.server) as client:
            if sent:
                await client.send(sent)
            assert await ends_with(client) == end

    venue = play(scenario)
    in_body = fault.at == "request_body"
    assert len(venue.journal) == in_body
    assert venue.journal.connections[0].received == sent


def test_a_head_in_single_bytes_is_cut_at_the_byte() -> None:
    async def scenario(tunnel: Venue) -> None:
        tunnel.server.on_connect(Eof(at="request_head", after=5))
        async with connect(tunnel, tunnel.server) as client:
            for byte in GET[:5]:
                await client.send(bytes([byte]))
                await asyncio.sleep(1)
            assert await client.reader.read() == b""

    [record] = on_tunnel(scenario).journal.connections
    assert record.received == GET[:5]


def test_garbage_before_a_request_is_sent_and_closes() -> None:
    fault = Garbage(2, at="connect", size=7)

    async def scenario(tunnel: Venue) -> None:
        tunnel.server.on_connect(fault)
        async with connect(tunnel, tunnel.server) as client:
            assert await client.reader.read() == fault.noise()

    on_tunnel(scenario)


@pytest.mark.parametrize("at", ["response_head", "response_body", "response_end"])
def test_a_connection_can_have_the_faults_of_replies(at: Moment) -> None:
    async def scenario(tunnel: Venue) -> None:
        tunnel.server.on_connect(Eof(at=at))
        tunnel.server.on("GET", "/").reply(Reply(text="ab"))
        async with connect(tunnel, tunnel.server) as client:
            await client.send(GET)
            data = await client.reader.read()
        assert data.endswith(
            {"response_head": b"", "response_body": b"\n"}.get(at, b"ab")
        )
        async with connect(tunnel, tunnel.server) as client:
            await client.send(GET)
            assert (await client.read_reply())[1] == b"ab"

    on_tunnel(scenario)


def test_two_faults_can_meet_in_one_reply() -> None:
    async def scenario(tunnel: Venue) -> None:
        tunnel.server.on_connect(Eof(at="response_body", after=3))
        garbage = Garbage(1, at="response_body", size=1)
        tunnel.server.expect("GET", "/").reply(Reply(text="abcd", fault=garbage))
        async with connect(tunnel, tunnel.server) as client:
            await client.send(GET)
            await client.read_head()
            assert await client.reader.read() == garbage.noise() + b"bc"

    on_tunnel(scenario)


def test_scripts_and_faults_take_turns() -> None:
    async def script(wire: Wire) -> None:
        await wire.send(b"hi")

    async def scenario(tunnel: Venue) -> None:
        tunnel.server.on_connect(Eof(at="connect"), script)
        for wanted in (b"", b"hi"):
            async with connect(tunnel, tunnel.server) as client:
                assert await client.reader.read() == wanted

    on_tunnel(scenario)


# -- TLS ----------------------------------------------------------------------------


@both
@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        pytest.param(
            TlsAlert("unrecognized_name"),
            ssl.SSLError,
            "(?i)unrecognized.name",
            id="alert",
        ),
        pytest.param(Reset(at="tls", after=5), ConnectionError, None, id="reset"),
        pytest.param(Eof(at="tls"), OSError, None, id="eof"),
        pytest.param(Garbage(1, at="tls"), ssl.SSLError, None, id="garbage"),
    ],
)
def test_a_handshake_fails_as_told(
    play: Play, fault: Fault, error: type[Exception], words: str | None
) -> None:
    async def scenario(venue: Venue) -> None:
        api = tls_host(venue)
        api.on_connect(fault)
        with pytest.raises(error, match=words):
            await asyncio.open_connection(
                *where(venue, api),
                ssl=venue.authority.client_context(),
                server_hostname=api.host.host,
            )

    [record] = play(scenario).journal.connections
    assert not record.tls
    assert record.received.startswith(b"\x16\x03")


def test_a_tls_fault_needs_a_host_with_tls() -> None:
    async def scenario(tunnel: Venue) -> None:
        with pytest.raises(ValueError, match=r"http://server\.test has no TLS"):
            tunnel.server.on_connect(TlsAlert())

    on_tunnel(scenario)


# -- never fired ----------------------------------------------------------------------


def unfired(fault: Fault, sent: bytes, *, on_reply: bool) -> str:
    """Run one exchange in which a fault does not fire; return its line."""

    async def scenario(tunnel: Tunnel) -> None:
        reply = Reply(text="abc", fault=fault if on_reply else None)
        tunnel.server.on(None, "/").reply(reply)
        if not on_reply:
            tunnel.server.on_connect(fault)
        async with connect(tunnel, tunnel.server) as client:
            await client.send(sent)
            client.writer.write_eof()
            await client.reader.read()

    tunnel = Tunnel(strict=False)
    tunnel.run(scenario)
    [problem] = tunnel.verdict().problems
    assert problem.kind == "unfired"
    assert "windtunnel: 1 fault did not fire" in tunnel.verdict().render()
    [line] = problem.lines
    return line


def test_a_fault_beyond_the_end_of_its_reply_fails_the_test() -> None:
    line = unfired(Eof(at="response_body", after=4), GET, on_reply=True)
    assert line == (
        'not fired  Eof(at="response_body", after=4) on the reply of '
        'on(None, "/"): the response_body had 3 bytes'
    )


@pytest.mark.parametrize(
    ("fault", "sent", "reason"),
    [
        pytest.param(
            Eof(at="response_body", after=4),
            GET,
            "the response_body had 3 bytes",
            id="reply-too-short",
        ),
        pytest.param(
            Eof(at="request_body", after=3),
            PUT + b"ab",
            "only 2 bytes of the request_body came",
            id="body-too-short",
        ),
        pytest.param(
            Eof(at="request_head", after=400),
            GET,
            f"only {len(GET)} bytes of the request_head came",
            id="head-too-short",
        ),
        pytest.param(
            Eof(at="response_end"), b"", "it did not get that far", id="no-request"
        ),
    ],
)
def test_a_fault_that_its_connection_never_reached_fails_the_test(
    fault: Fault, sent: bytes, reason: str
) -> None:
    line = unfired(fault, sent, on_reply=False)
    assert line.startswith(
        f"not fired  {fault!r} on a connection to http://server.test"
    )
    assert f": {reason}, given at tests" in line


def test_a_fault_that_no_connection_came_for_fails_the_test() -> None:
    async def scenario(tunnel: Venue) -> None:
        tunnel.server.on_connect(Reset(at="connect"))

    venue = on_tunnel(scenario, strict=False)
    [problem] = venue.verdict().problems
    assert "http://server.test: none came, given at " in problem.lines[0]


@pytest.mark.parametrize(
    ("hello", "reason"),
    [
        pytest.param(b"\x16\x03\x01", "only 3 bytes of the tls came", id="short"),
        pytest.param(b"", "it did not get that far", id="nothing"),
    ],
)
def test_a_tls_fault_beyond_what_came_fails_the_test(hello: bytes, reason: str) -> None:
    async def scenario(tunnel: Venue) -> None:
        api = tls_host(tunnel)
        api.on_connect(Eof(at="tls", after=4))
        reader, writer = await asyncio.open_connection(*where(tunnel, api))
        writer.write(hello)
        writer.write_eof()
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()

    venue = on_tunnel(scenario, strict=False)
    assert reason in venue.verdict().render()


def test_a_reply_that_fired_once_may_be_sent_to_one_who_sees_nothing_of_it() -> None:
    async def scenario(tunnel: Venue) -> None:
        fault = Eof(at="response_body", after=1)
        tunnel.server.on(None, "/").reply(Reply(text="ab", fault=fault))
        for request in (GET, GET.replace(b"GET", b"HEAD")):
            async with connect(tunnel, tunnel.server) as client:
                await client.send(request)
                client.writer.write_eof()
                await client.reader.read()

    on_tunnel(scenario)
