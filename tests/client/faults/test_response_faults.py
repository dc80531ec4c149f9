"""A response that fails at each of its bytes: the documented error, or the result."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

import windtunnel
from tests.client.faults.effects import Effect, strike
from tests.client.faults.remains import remains
from windtunnel_fakeserver import Tunnel, WireClosedError

if TYPE_CHECKING:
    from windtunnel_fakeserver import Wire

PLAIN, SECURE = "http://a.test/", "https://a.test/"
# Shorter than the other, so that it is known which of them ran out.
SILENCE, TOTAL = 2.0, 4.0


class Answer(NamedTuple):
    """A response with a body of five bytes.

    Attributes:
        name: Of its framing.
        head: Its head.
        body: What follows on the wire.
        ends_with_connection: Whether only the end of the connection ends it.
    """

    name: str
    head: bytes
    body: bytes
    ends_with_connection: bool = False


ANSWERS = (
    Answer("length", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", b"hello"),
    Answer(
        "chunked",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"2;x\r\nhe\r\n3\r\nllo\r\n0\r\nA: b\r\n\r\n",
    ),
    Answer("until-close", b"HTTP/1.0 200 OK\r\n\r\n", b"hello", True),
    Answer(
        "interim",
        b"HTTP/1.1 103 Hints\r\nLink: <x>\r\n\r\nHTTP/1.1 204 No\r\n\r\n",
        b"",
    ),
)
BODIES = {"length": b"hello", "chunked": b"hello", "until-close": b"hello"}


class Outcome(NamedTuple):
    """What a request came to.

    Attributes:
        error: Type of the error, None for a result.
        body: The result, or what the error says had come.
        seconds: How long it took.
        connections: How many were made.
    """

    error: type[BaseException] | None
    body: bytes
    seconds: float
    connections: int


class Peer:
    """Fails once, after so many bytes of an answer; then it answers."""

    def __init__(self, answer: Answer, effect: Effect) -> None:
        self._answer = answer
        self._effect = effect
        self.after: int | None = None

    async def __call__(self, wire: Wire) -> None:
        whole = self._answer.head + self._answer.body
        after, self.after = self.after, None
        with contextlib.suppress(WireClosedError):
            await wire.read_request()
            if after is None:
                await wire.send(whole)
            else:
                if after:
                    await wire.send(whole[:after])
                await strike(wire, self._effect)


async def ask(
    session: windtunnel.ClientSession, method: str, url: str, tunnel: Tunnel
) -> Outcome:
    """Send a request and say what it came to."""
    begun = tunnel.clock.elapsed
    made = len(tunnel.journal.connections)
    error: BaseException | None = None
    body = b""
    try:
        async with session.request(method, url) as response:
            body = await response.read()
    except Exception as exc:  # noqa: BLE001  # each is judged
        error = exc
        body = getattr(exc, "partial", None) or b""
    return Outcome(
        None if error is None else type(error),
        body,
        round(tunnel.clock.elapsed - begun, 1),
        len(tunnel.journal.connections) - made,
    )


def outcomes(
    answer: Answer,
    effect: Effect,
    method: str,
    url: str = PLAIN,
    **timeout: float,
) -> dict[int, Outcome]:
    """Ask once for each byte after which the answer can fail, the last one too.

    A handshake takes its time, so that over TLS most bytes of the head are left out.
    """
    head, whole = len(answer.head), len(answer.head + answer.body)
    step = 1 if url == PLAIN else 9
    places = [*range(0, head, step), *range(head, whole + 1)]
    tunnel = Tunnel()
    peer = Peer(answer, effect)
    tunnel.host(url.rstrip("/")).on_connect(otherwise=peer)

    async def program(tunnel: Tunnel) -> dict[int, Outcome]:
        connector = windtunnel.TCPConnector(limit=1, ssl=False)
        limits = windtunnel.ClientTimeout(**timeout)
        found: dict[int, Outcome] = {}
        async with windtunnel.ClientSession(
            connector=connector, timeout=limits
        ) as session:
            for after in places:
                peer.after = after
                found[after] = await ask(session, method, url, tunnel)
                await asyncio.sleep(1)
                left = remains(connector, tunnel)
                assert left == [], f"after byte {after}: {left}"
        return found

    return tunnel.run(program)


def expected(answer: Answer, effect: Effect, method: str, after: int) -> Any:
    """Say what the rules make of it: the error, what comes with it, connections."""
    body = BODIES.get(answer.name, b"")
    in_body = after - len(answer.head)
    is_whole = in_body >= len(answer.body) and not answer.ends_with_connection
    if is_whole:
        return None, body, 1
    if after == 0 and method == "GET":
        # Nobody can have acted on it, so it is sent once more.
        return None, body, 2
    if in_body < 0:
        is_reset = effect is Effect.RESET
        return (
            windtunnel.ClientOSError
            if is_reset
            else windtunnel.ServerDisconnectedError,
            b"",
            1,
        )
    if answer.ends_with_connection and effect.is_end and effect is not Effect.ABORT:
        return None, body[:in_body], 1
    return windtunnel.ClientPayloadError, arrived(answer, in_body), 1


def arrived(answer: Answer, size: int) -> bytes:
    """Say which part of the content is in so many bytes of the body on the wire."""
    if answer.name != "chunked":
        return answer.body[:size]
    return answer.body[:size][5:7] + answer.body[:size][12:15]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("effect", [Effect.CLOSE, Effect.HALF_CLOSE, Effect.RESET])
@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.name)
def test_an_answer_that_ends_at_any_byte_is_the_documented_error(
    answer: Answer, effect: Effect, method: str
) -> None:
    for after, outcome in outcomes(answer, effect, method).items():
        error, body, connections = expected(answer, effect, method, after)
        found = (outcome.error, outcome.body, outcome.connections)
        assert found == (error, body, connections), f"after byte {after}"
        assert outcome.seconds == 0


@pytest.mark.parametrize("effect", [Effect.CLOSE, Effect.ABORT, Effect.RESET])
@pytest.mark.parametrize("answer", ANSWERS[:3], ids=lambda answer: answer.name)
def test_over_tls_only_a_body_that_ends_with_the_connection_needs_a_goodbye(
    answer: Answer, effect: Effect
) -> None:
    for after, outcome in outcomes(answer, effect, "GET", SECURE).items():
        error, body, connections = expected(answer, effect, "GET", after)
        found = (outcome.error, outcome.body, outcome.connections)
        assert found == (error, body, connections), f"after byte {after}"


@pytest.mark.parametrize("url", [PLAIN, SECURE], ids=["plain", "tls"])
@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.name)
def test_an_answer_that_stops_at_any_byte_is_cut_by_the_timeout_that_ends_first(
    answer: Answer, url: str
) -> None:
    whole = len(answer.head + answer.body)
    limits: tuple[dict[str, float], ...] = (
        {"sock_read": SILENCE},
        {"total": TOTAL},
        {"sock_read": SILENCE, "total": TOTAL},
        {"sock_read": TOTAL, "total": SILENCE},
    )
    for timeout in limits if url == PLAIN else limits[:1]:
        cut = outcomes(answer, Effect.STALL, "GET", url, **timeout)
        kind = min(timeout, key=lambda name: timeout[name])
        seconds = min(timeout.values())
        for after, outcome in cut.items():
            place = f"after byte {after} with {timeout}"
            if after == whole and not answer.ends_with_connection:
                assert outcome.error is None, place
                assert outcome.seconds == 0, place
                continue
            error = (
                windtunnel.SocketTimeoutError
                if kind == "sock_read"
                else windtunnel.TotalTimeoutError
            )
            # What had come is not given by an error that says that time is over.
            found = (outcome.error, outcome.body, outcome.connections)
            assert found == (error, b"", 1), place
            assert outcome.seconds == seconds, place


_AFTER_NOISE = {
    None,
    windtunnel.ClientResponseError,
    windtunnel.ClientPayloadError,
    windtunnel.SocketTimeoutError,
}


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.name)
def test_noise_at_any_byte_is_an_error_of_the_answer_or_part_of_a_body(
    answer: Answer, method: str
) -> None:
    found = outcomes(answer, Effect.GARBAGE, method, sock_read=SILENCE)
    for after, outcome in found.items():
        assert outcome.error in _AFTER_NOISE, f"after byte {after}"
        assert outcome.connections == 1, f"after byte {after}"
        if after == 0:
            assert outcome.error is windtunnel.ClientResponseError
        if outcome.error is None:
            in_body = after - len(answer.head)
            assert in_body >= 0, f"after byte {after}"
            assert outcome.body.startswith(arrived(answer, in_body))
            assert outcome.seconds == 0


@pytest.mark.parametrize("effect", [Effect.CLOSE, Effect.RESET])
@pytest.mark.parametrize("answer", ANSWERS[:3], ids=lambda answer: answer.name)
def test_a_reader_gets_what_came_before_the_error(
    answer: Answer, effect: Effect
) -> None:
    tunnel = Tunnel()
    peer = Peer(answer, effect)
    tunnel.host("http://a.test").on_connect(otherwise=peer)

    async def program(tunnel: Tunnel) -> None:
        async with windtunnel.ClientSession() as session:
            for in_body in range(len(answer.body)):
                peer.after = len(answer.head) + in_body
                came = b""
                is_complete = answer.ends_with_connection and effect.is_end
                outcome = (
                    contextlib.nullcontext()
                    if is_complete
                    else pytest.raises(windtunnel.ClientPayloadError)
                )
                async with session.get(PLAIN) as response:
                    with outcome:
                        async for piece in response.content.iter_any():
                            came += piece
                assert came == arrived(answer, in_body)

    tunnel.run(program)
