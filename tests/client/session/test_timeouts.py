"""Every timeout at its moment: what is cut, in which phase, and with which error."""

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING, Any

import pytest

import windtunnel
from tests.client.support import URL, answering, in_pieces, play, read_all

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from windtunnel_fakeserver import Tunnel, Wire

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def silent(wire: Wire) -> None:
    """Read what comes and say nothing."""
    while await wire.read_some():
        pass


def cut_at(*scripts: Any, error: type[Exception], **options: Any) -> tuple[float, str]:
    """Say when a request was cut, in seconds, and with which words."""

    async def main(
        session: windtunnel.ClientSession, tunnel: Tunnel
    ) -> tuple[float, str]:
        with pytest.raises(error) as caught:
            await read(session)
        assert type(caught.value) is error
        assert isinstance(caught.value, asyncio.TimeoutError)
        elapsed = tunnel.clock.elapsed
        assert session.connector is not None
        await asyncio.sleep(1)
        return round(elapsed, 3), str(caught.value)

    async def read(session: windtunnel.ClientSession) -> None:
        async with session.get(URL, **options) as response:
            await response.read()

    return play(*scripts, main=main)


def timeout(**fields: float) -> windtunnel.ClientTimeout:
    return windtunnel.ClientTimeout(**fields)


# --- total --------------------------------------------------------------------------


def test_total_cuts_the_wait_for_a_head_and_says_so() -> None:
    when, text = cut_at(silent, error=windtunnel.TotalTimeoutError, timeout=2.5)
    assert when == 2.5
    assert text == (
        "GET http://a.test/ was cut after 2.5 s (total timeout) while waiting for the "
        "response head"
    )


def test_total_cuts_a_slow_body() -> None:
    script = in_pieces(OK[:-2], b"o", seconds=2)
    when, text = cut_at(script, error=windtunnel.TotalTimeoutError, timeout=3)
    assert when == 3
    assert text.endswith("while reading the response body")


def test_total_is_no_client_error() -> None:
    assert not issubclass(windtunnel.TotalTimeoutError, windtunnel.ClientError)


@pytest.mark.parametrize(
    ("seconds", "threshold", "expected"),
    [
        pytest.param(4.75, 5, 4.75, id="below-the-threshold"),
        pytest.param(5, 5, 5.0, id="at-it-on-a-whole-second"),
        pytest.param(5.25, 5, 6.0, id="above"),
        pytest.param(2.25, 2.25, 3.0, id="at-a-threshold-of-ones-own"),
    ],
)
def test_long_totals_end_at_a_whole_second(
    seconds: float, threshold: float, expected: float
) -> None:
    limits = timeout(total=seconds, ceil_threshold=threshold)
    when, _ = cut_at(silent, error=windtunnel.TotalTimeoutError, timeout=limits)
    assert when == expected


def test_a_timeout_of_zero_or_none_is_off() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        for value in (0, None, timeout()):
            async with session.get(URL, timeout=value) as response:
                assert await response.read() == b"ok"

    async def script(wire: Wire) -> None:
        for _ in range(3):
            await wire.read_request()
            await wire.sleep(4000)
            await wire.send(OK)

    play(script, main=main)


def test_the_session_waits_for_five_minutes_unless_told_otherwise() -> None:
    when, _ = cut_at(silent, error=windtunnel.TotalTimeoutError)
    assert when == 300


def test_data_that_came_is_not_read_after_the_total() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.get(URL, timeout=1) as response:
            await asyncio.sleep(2)
            with pytest.raises(windtunnel.TotalTimeoutError):
                await response.content.readany()

    play(in_pieces(OK[:-1], seconds=5), main=main)


def test_total_ends_with_the_body_and_leaves_the_next_request_alone() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        response = await session.get(URL, timeout=1)
        await asyncio.sleep(2)
        assert await response.read() == b"ok"
        async with session.get(URL, timeout=3) as slow:
            assert await slow.read() == b"ok"
        assert len(tunnel.journal.connections) == 1

    async def script(wire: Wire) -> None:
        await wire.read_request()
        await wire.send(OK)
        await wire.read_request()
        await wire.sleep(2.5)
        await wire.send(OK)
        await wire.read_until_eof()

    play(script, main=main)


def test_total_cuts_an_upload() -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(1)
            yield b"x"

    when, text = cut_at(
        silent, error=windtunnel.TotalTimeoutError, timeout=2.5, data=endless()
    )
    assert when == 2.5
    assert text.endswith("while sending the request body")


def test_total_covers_the_retry() -> None:
    async def late(wire: Wire) -> None:
        await wire.read_request()
        await wire.sleep(2)

    when, _ = cut_at(late, silent, error=windtunnel.TotalTimeoutError, timeout=3)
    assert when == 3


# --- making the connection ----------------------------------------------------------


def dial_cut_at(
    prepare: Any, url: str, error: type[Exception], **fields: float
) -> tuple[float, str]:
    async def main(
        session: windtunnel.ClientSession, tunnel: Tunnel
    ) -> tuple[float, str]:
        prepare(tunnel)
        with pytest.raises(error) as caught:
            await session.get(url, timeout=timeout(**fields))
        assert type(caught.value) is error
        return round(tunnel.clock.elapsed, 3), str(caught.value)

    return play(main=main)


def hanging(tunnel: Tunnel) -> None:
    tunnel.network.hang(tunnel.network.dns.declare("b.test"), 80)


def slow_name(tunnel: Tunnel) -> None:
    tunnel.network.dns.add("b.test", ["198.18.7.7"], delay=10.0)


B = "http://b.test/"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param({"sock_connect": 2}, 2.0, id="sock_connect"),
        pytest.param({"sock_connect": 7.25}, 8.0, id="sock_connect-rounded"),
        pytest.param({"connect": 3}, 3.0, id="connect"),
        pytest.param({"connect": 5.5}, 6.0, id="connect-rounded"),
        pytest.param({"connect": 3, "sock_connect": 2, "total": 4}, 2.0, id="first"),
    ],
)
def test_a_connection_that_takes_too_long_is_cut(
    fields: dict[str, float], expected: float
) -> None:
    when, text = dial_cut_at(hanging, B, windtunnel.ConnectionTimeoutError, **fields)
    assert when == expected
    assert text == "Connection timeout to host http://b.test/"


def test_a_name_that_takes_too_long_is_cut_by_connect_but_not_by_sock_connect() -> None:
    when, _ = dial_cut_at(
        slow_name, B, windtunnel.ConnectionTimeoutError, connect=3, sock_connect=1
    )
    assert when == 3


def test_total_covers_connecting_and_says_which_part_was_cut() -> None:
    total = windtunnel.TotalTimeoutError
    when, text = dial_cut_at(hanging, B, total, total=2)
    assert when == 2
    assert text.endswith("while connecting")
    when, text = dial_cut_at(slow_name, B, total, total=2, connect=3)
    assert when == 2
    assert text.endswith("while resolving the host name")


def test_the_default_for_connecting_is_thirty_seconds() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        hanging(tunnel)
        with pytest.raises(windtunnel.ConnectionTimeoutError):
            await session.get(B)
        assert tunnel.clock.elapsed == pytest.approx(31, abs=1.001)

    play(main=main)


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        pytest.param({"connect": 2}, windtunnel.ConnectionTimeoutError, id="connect"),
        pytest.param({"total": 2}, windtunnel.TotalTimeoutError, id="total"),
    ],
)
def test_waiting_for_a_place_is_cut(
    fields: dict[str, float], error: type[Exception]
) -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        first = asyncio.create_task(read_all(session))
        await asyncio.sleep(0)
        patient = asyncio.create_task(read_all(session))
        await asyncio.sleep(0)
        with pytest.raises(error) as caught:
            await session.get(URL, timeout=timeout(**fields))
        assert tunnel.clock.elapsed == 2
        if error is windtunnel.TotalTimeoutError:
            assert str(caught.value).endswith("while waiting for a free connection")
        assert await first == await patient == b"ok"
        assert len(tunnel.journal.exchanges) == 2

    async def script(wire: Wire) -> None:
        async for _ in wire.requests():
            await wire.sleep(10)
            await wire.send(OK)

    one = functools.partial(windtunnel.TCPConnector, limit=1)
    play(script, main=main, connector=one)


# --- sock_read ----------------------------------------------------------------------


def test_silence_before_the_head_is_cut() -> None:
    limits = timeout(sock_read=7.25)
    when, text = cut_at(silent, error=windtunnel.SocketTimeoutError, timeout=limits)
    assert when == pytest.approx(7.25, abs=0.01)
    assert text == "Timeout on reading data from socket"


def test_silence_is_counted_anew_after_each_portion() -> None:
    limits = timeout(sock_read=3)
    pieces = [OK[i : i + 5] for i in range(0, len(OK) - 5, 5)]
    when, _ = cut_at(
        in_pieces(*pieces, seconds=2),
        error=windtunnel.SocketTimeoutError,
        timeout=limits,
    )
    assert when == pytest.approx(2 * len(pieces) + 1, abs=0.01)


def test_a_slow_drip_lives_until_the_total() -> None:
    limits = timeout(sock_read=3, total=9)
    script = in_pieces(OK[:10], OK[10:20], OK[20:30], OK[30:35], b"", seconds=2)
    when, _ = cut_at(script, error=windtunnel.TotalTimeoutError, timeout=limits)
    assert when == 9


def test_silence_does_not_count_while_the_reader_is_not_reading() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        limits = timeout(sock_read=1)
        async with session.get(URL, timeout=limits, read_bufsize=10) as response:
            await asyncio.sleep(10)
            assert await response.content.read(50) == b"x" * 50
            with pytest.raises(windtunnel.SocketTimeoutError):
                await response.read()

    head = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
    play(in_pieces(head + b"x" * 50, seconds=30), main=main)


def test_silence_does_not_count_while_the_body_is_being_sent() -> None:
    async def slow() -> AsyncIterator[bytes]:
        for _ in range(3):
            await asyncio.sleep(5)
            yield b"x"

    async def script(wire: Wire) -> None:
        await wire.read_request()
        await wire.sleep(1)
        await wire.send(OK)

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        limits = timeout(sock_read=2)
        async with session.put(URL, data=slow(), timeout=limits) as response:
            assert await response.read() == b"ok"

    play(script, main=main)


def test_silence_counts_from_the_end_of_the_body_that_was_sent() -> None:
    async def once() -> AsyncIterator[bytes]:
        await asyncio.sleep(5)
        yield b"x"

    when, _ = cut_at(
        silent,
        error=windtunnel.SocketTimeoutError,
        timeout=timeout(sock_read=2),
        data=once(),
    )
    assert when == pytest.approx(7, abs=0.01)


def test_an_idle_connection_is_not_cut_by_the_timeouts_of_its_last_request() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        limits = timeout(sock_read=1, total=2)
        for _ in range(2):
            async with session.get(URL, timeout=limits) as response:
                await response.read()
            await asyncio.sleep(5)
        assert len(tunnel.journal.connections) == 1

    play(answering(OK, OK, then_close=False), main=main)


def test_a_connection_is_not_used_again_after_a_timeout() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        with pytest.raises(windtunnel.TotalTimeoutError):
            await session.get(URL, timeout=1)
        assert await read_all(session) == b"ok"
        assert len(tunnel.journal.connections) == 2

    play(silent, answering(OK), main=main)
