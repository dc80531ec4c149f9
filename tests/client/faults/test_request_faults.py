"""A peer that fails at each moment of a request: each has its family of errors."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

import windtunnel
from tests.client.faults.remains import remains
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
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from windtunnel_fakeserver import FakeServer

# Each is known by its length.
SOCK_CONNECT, SOCK_READ, TOTAL = 1.0, 2.0, 4.0
_LIMITS = windtunnel.ClientTimeout(
    total=TOTAL, sock_read=SOCK_READ, sock_connect=SOCK_CONNECT
)
# More than fits between a client that sends and a server that does not read.
_BIG = 1_800_000


async def _generate() -> AsyncIterator[bytes]:
    for _ in range(30):
        yield bytes(_BIG // 30)


class Call(NamedTuple):
    """A request.

    Attributes:
        name: For the test.
        method: Of the request.
        body: Makes the body.
        is_repeatable: Whether it may be sent once more.
        is_upload: Whether it needs a task.
    """

    name: str
    method: str
    body: Callable[[], Any]
    is_repeatable: bool
    is_upload: bool = False


CALLS = (
    Call("get", "GET", lambda: None, True),
    Call("post", "POST", lambda: b"x", False),
    Call("put", "PUT", lambda: b"x", True),
    Call("put-bytes", "PUT", lambda: bytes(_BIG), True, True),
    Call("post-bytes", "POST", lambda: bytes(_BIG), False, True),
    Call("put-generator", "PUT", _generate, False, True),
)


class Found(NamedTuple):
    """What a call came to.

    Attributes:
        error: What was raised, None for an answer.
        seconds: How long it took.
        connections: How many were made.
    """

    error: BaseException | None
    seconds: float
    connections: int


def disturb(fault: Fault, call: Call, url: str = "http://a.test") -> Found:
    """Make a call whose first connection has a fault, and one that has none."""
    tunnel = Tunnel()
    server = tunnel.host(url)
    server.on(None, None).reply(Reply(text="ok"))
    server.on_connect(fault)
    return tunnel.run(lambda tunnel: _calls(tunnel, server, call))


async def _calls(
    tunnel: Tunnel, server: FakeServer, call: Call, **options: Any
) -> Found:
    connector = windtunnel.TCPConnector(limit=1, ssl=False)
    async with windtunnel.ClientSession(
        connector=connector, timeout=_LIMITS
    ) as session:
        error: BaseException | None = None
        try:
            async with session.request(
                call.method, server.url(), data=call.body(), **options
            ) as response:
                assert await response.read() == b"ok"
        except Exception as exc:  # noqa: BLE001  # each is judged
            error = exc
        found = Found(
            error, round(tunnel.clock.elapsed, 1), len(tunnel.journal.connections)
        )
        await asyncio.sleep(1)
        assert remains(connector, tunnel) == []
        async with session.get(server.url(), **options) as response:
            assert await response.read() == b"ok"
    return found


def _moments(call: Call, *moments: Moment) -> Iterator[tuple[Moment, int]]:
    """Give the moments that a call has, with bytes to pass before."""
    for moment in moments:
        sizes = [0]
        if moment == "request_head":
            sizes = [1, 10, 20]
        elif moment == "request_body":
            sizes = [0, 1, 70_000, 200_000] if call.is_upload else [0, 1]
            if call.method == "GET":
                sizes = []
        for after in sizes:
            yield moment, after


def check_exchange(fault: Fault, call: Call, found: Found) -> None:
    """Judge a fault on a connection that was made."""
    error = found.error
    match fault:
        case Stall():
            # Silence does not count while the body is being sent.
            kind: type[Exception] = windtunnel.SocketTimeoutError
            seconds = SOCK_READ
            if call.is_upload:
                kind, seconds = windtunnel.TotalTimeoutError, TOTAL
            assert (type(error), found.seconds) == (kind, seconds)
            return
        case Garbage():
            # What is not read by a server that closes makes its noise a reset.
            kinds: set[type[Exception]] = {windtunnel.ClientResponseError}
            if call.is_upload:
                kinds.add(windtunnel.ClientOSError)
            assert type(error) in kinds
        case _ if call.is_repeatable:
            assert error is None
            assert found.connections == 2
            return
        case Reset():
            assert type(error) is windtunnel.ClientOSError
        case HalfClose():
            assert type(error) is windtunnel.ServerDisconnectedError
        case _:
            assert type(error) in {
                windtunnel.ClientOSError,
                windtunnel.ServerDisconnectedError,
            }
    assert found.seconds == 0
    assert found.connections == 1


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
@pytest.mark.parametrize("effect", [Eof, HalfClose, Reset, Stall, Garbage])
def test_a_fault_before_the_answer_is_an_error_of_its_kind_or_a_second_try(
    effect: Callable[..., Fault], call: Call
) -> None:
    for at, after in _moments(call, "connect", "request_head", "request_body"):
        fault = effect(at=at, after=after)
        check_exchange(fault, call, disturb(fault, call))


@pytest.mark.parametrize("call", [CALLS[0], CALLS[4]], ids=lambda call: call.name)
@pytest.mark.parametrize("effect", [Eof, Reset, Stall, Garbage])
def test_inside_tls_it_is_the_same(effect: Callable[..., Fault], call: Call) -> None:
    for at, after in _moments(call, "request_head", "request_body"):
        fault = effect(at=at, after=after)
        check_exchange(fault, call, disturb(fault, call, "https://a.test"))


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
@pytest.mark.parametrize("at", ["connect", "tls"])
def test_a_handshake_that_fails_is_an_error_of_the_connector_and_not_repeated(
    at: Moment, call: Call
) -> None:
    faults: list[tuple[Fault, type[Exception], float]] = [
        (Eof(at=at), windtunnel.ClientConnectorError, 0),
        (Reset(at=at), windtunnel.ClientConnectorError, 0),
        (Garbage(at=at), windtunnel.ClientConnectorSSLError, 0),
        (Stall(at=at), windtunnel.ConnectionTimeoutError, SOCK_CONNECT),
    ]
    if at == "tls":
        faults.append((TlsAlert(), windtunnel.ClientConnectorSSLError, 0))
    for fault, kind, seconds in faults:
        found = disturb(fault, call, "https://a.test")
        assert type(found.error) is kind, fault
        assert (found.seconds, found.connections) == (seconds, 1), fault
