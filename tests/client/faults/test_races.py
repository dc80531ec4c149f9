"""Both sides act at the same time: each order of events gives a documented outcome."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import pytest

import windtunnel
from tests.client.faults.effects import Effect, strike
from tests.client.faults.remains import remains
from windtunnel_fakeserver import Tunnel, WireClosedError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from windtunnel_fakeserver import Wire

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
TOO_BIG = b"HTTP/1.1 413 Too Big\r\nContent-Length: 2\r\n\r\nno"
LATENCY = 0.0001
# In quarters of the way through the network: before, under way, there, and after.
OFFSETS = [quarter * LATENCY / 4 for quarter in range(-6, 7)]


class Leaver:
    """Answers, and ends the connection a second later, as impatient servers do."""

    def __init__(self, effect: Effect) -> None:
        self._effect = effect

    async def __call__(self, wire: Wire) -> None:
        with contextlib.suppress(WireClosedError):
            await wire.read_request()
            await wire.send(OK)
            await wire.sleep(1)
            await strike(wire, self._effect)


async def ask(
    session: windtunnel.ClientSession, method: str, url: str, body: Any = None
) -> BaseException | None:
    """Send a request; give its error."""
    try:
        async with session.request(method, url, data=body) as response:
            assert await response.read() == b"ok"
    except Exception as exc:  # noqa: BLE001  # each is judged
        return exc
    return None


def race(effect: Effect, method: str, offset: float, scheme: str) -> Any:
    """Send a second request so long after the server ends the connection."""
    tunnel = Tunnel(latency=LATENCY)
    url = f"{scheme}://a.test"
    tunnel.host(url).on_connect(otherwise=Leaver(effect))

    async def program(tunnel: Tunnel) -> Any:
        connector = windtunnel.TCPConnector(limit=1, ssl=False)
        async with windtunnel.ClientSession(connector=connector) as session:
            assert await ask(session, "GET", url) is None
            # The answer took one way, and so will the end.
            await asyncio.sleep(1 + offset)
            error = await ask(session, method, url)
            made = len(tunnel.journal.connections)
            assert await ask(session, "GET", url) is None
            await asyncio.sleep(2)
            assert remains(connector, tunnel) == []
        return error, made

    return tunnel.run(program)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("effect", [Effect.CLOSE, Effect.RESET])
def test_a_request_that_may_be_repeated_wins_every_race_with_a_closing_server(
    effect: Effect, scheme: str
) -> None:
    made = {race(effect, "GET", offset, scheme) for offset in OFFSETS}
    assert made == {(None, 2)}


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("effect", [Effect.CLOSE, Effect.RESET])
def test_a_request_that_may_not_is_lost_while_the_end_is_under_way(
    effect: Effect, scheme: str
) -> None:
    kinds = (windtunnel.ServerDisconnectedError, windtunnel.ClientOSError)
    lost: list[float] = []
    for offset in OFFSETS:
        error, made = race(effect, "POST", offset, scheme)
        if error is None:
            assert made == 2
        else:
            assert type(error) in kinds
            assert made == 1
            lost.append(offset)
    # Nobody can know of an end that is still under way.
    assert lost == [each for each in OFFSETS if each < 0]


# --- an answer before the request is over -------------------------------------------


class Early:
    """Answers when so much of the body has come, and then does something else."""

    def __init__(self, after: int, then: Callable[[Wire], Any]) -> None:
        self._after = after
        self._then = then

    async def __call__(self, wire: Wire) -> None:
        with contextlib.suppress(WireClosedError):
            await wire.read_head()
            if self._after:
                await wire.read_exactly(self._after)
            await wire.send(TOO_BIG)
            await self._then(wire)


async def _reads_on(wire: Wire) -> None:
    await wire.read_until_eof()


async def _reads_nothing(wire: Wire) -> None:
    wire.pause()
    await wire.stall()


async def _ends(wire: Wire) -> None:
    wire.eof()
    await wire.read_until_eof()


async def _generate(closed: list[bool]) -> AsyncIterator[bytes]:
    try:
        for _ in range(100):
            yield bytes(10_000)
    finally:
        closed.append(True)


@pytest.mark.parametrize("kind", ["bytes", "generator"])
@pytest.mark.parametrize("then", [_reads_on, _reads_nothing, _ends])
@pytest.mark.parametrize("after", [0, 1, 65_536, 500_000])
def test_an_answer_in_the_middle_of_an_upload_is_the_answer_and_ends_the_upload(
    after: int, then: Callable[[Wire], Any], kind: str
) -> None:
    tunnel = Tunnel()
    tunnel.host("http://a.test").on_connect(Early(after, then), otherwise=answers)

    async def program(tunnel: Tunnel) -> None:
        connector = windtunnel.TCPConnector(limit=1)
        closed: list[bool] = []
        body = bytes(1_000_000) if kind == "bytes" else _generate(closed)
        async with windtunnel.ClientSession(connector=connector) as session:
            async with session.post("http://a.test/", data=body) as response:
                assert response.status == 413
                assert await response.read() == b"no"
            await asyncio.sleep(1)
            assert remains(connector, tunnel) == []
            assert closed == ([] if kind == "bytes" else [True])
            # What follows goes over another connection.
            assert await ask(session, "GET", "http://a.test/") is None
            assert len(tunnel.journal.connections) == 2

    tunnel.run(program)


async def answers(wire: Wire) -> None:
    async for _ in wire.requests():
        await wire.send(OK)


def test_a_reset_behind_an_early_answer_loses_at_most_that_answer() -> None:
    async def resets(wire: Wire) -> None:
        await wire.sleep(0.001)
        wire.reset()

    tunnel = Tunnel()
    tunnel.host("http://a.test").on_connect(Early(1, resets), otherwise=answers)

    async def program(tunnel: Tunnel) -> None:
        async with (
            windtunnel.ClientSession() as session,
            session.post("http://a.test/", data=bytes(900_000)) as response,
        ):
            assert response.status == 413
            assert await response.read() == b"no"

    tunnel.run(program)


# --- interim answers ----------------------------------------------------------------


@pytest.mark.parametrize("split", [None, 1, 7])
@pytest.mark.parametrize(("count", "is_borne"), [(1, True), (16, True), (1000, False)])
def test_a_flood_of_interim_answers_is_borne_up_to_a_limit(
    count: int, is_borne: bool, split: int | None
) -> None:
    async def floods(wire: Wire) -> None:
        with contextlib.suppress(WireClosedError):
            await wire.read_request()
            await wire.send(b"HTTP/1.1 102 Working\r\nA: b\r\n\r\n" * count + OK)
            await wire.read_until_eof()

    tunnel = Tunnel(split=split)
    tunnel.host("http://a.test").on_connect(floods, otherwise=answers)

    async def program(tunnel: Tunnel) -> None:
        connector = windtunnel.TCPConnector(limit=1)
        async with windtunnel.ClientSession(connector=connector) as session:
            error = await ask(session, "GET", "http://a.test/")
            if is_borne:
                assert error is None
            else:
                assert type(error) is windtunnel.ClientResponseError
                assert "interim" in str(error)
            await asyncio.sleep(1)
            assert remains(connector, tunnel) == []

    tunnel.run(program)
