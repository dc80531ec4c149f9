"""WebSocket messages to a server that sends each one back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.bench.work import MIB, Bench, check

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager
    from typing import Any

#: Messages that are on their way at a time in the burst.
BURST: Final = 100

_SHORT: Final = bytes(range(32))
_MEDIUM: Final = bytes(range(128))
#: The server answers a message of this size with bytes that it made before.
LARGE: Final = bytes(range(256)) * (MIB // 256)


def _connect(bench: Bench) -> AbstractAsyncContextManager[Any]:
    socket: AbstractAsyncContextManager[Any] = bench.session.ws_connect(
        f"{bench.site.http}/ws"
    )
    return socket


async def _echo(bench: Bench, message: bytes, count: int) -> None:
    async with _connect(bench) as socket:
        for _ in range(count):
            await socket.send_bytes(message)
            check("message", await socket.receive_bytes(), message)


async def round_trips(bench: Bench, amount: int) -> None:
    """Messages of 32 bytes, each sent when the one before is back."""
    await _echo(bench, _SHORT, amount)


async def large(bench: Bench, amount: int) -> None:
    """Messages of 1 MiB, each sent when the one before is back."""
    await _echo(bench, LARGE, amount)


async def burst(bench: Bench, amount: int) -> None:
    """Messages of 128 bytes: 100 are sent, then their 100 answers are received."""
    async with _connect(bench) as socket:
        for _ in range(amount // BURST):
            for _ in range(BURST):
                await socket.send_bytes(_MEDIUM)
            for _ in range(BURST):
                check("message", await socket.receive_bytes(), _MEDIUM)
