"""Writers and payloads that the tests of payloads share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from windtunnel._base.compat import override
from windtunnel._body.payload_base import Payload

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from windtunnel._body.payload_base import PayloadWriter


class Sink:
    """A writer that keeps what it gets."""

    def __init__(self) -> None:
        self.data = b""

    async def write(self, chunk: bytes) -> None:
        self.data += chunk


async def written(payload: Any) -> bytes:
    sink = Sink()
    await payload.write(sink)
    return sink.data


async def ticks() -> AsyncIterator[bytes]:
    yield b"one"
    yield b"two"


class Counter(Payload):
    """A payload as users write them for aiohttp: it only writes."""

    closed = 0

    @override
    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return str(self._value)

    @override
    async def write(self, writer: PayloadWriter) -> None:
        for number in range(self._value):
            await writer.write(b"")
            await writer.write(b"%d " % number)
        if self._value == 3:
            msg = "three is too much"
            raise OSError(msg)

    @override
    async def close(self) -> None:
        self.closed += 1


class Source:
    """An asynchronous iterator that counts what happens to it."""

    def __init__(self, *pieces: Any) -> None:
        self.left = list(pieces)
        self.closed = False

    def __aiter__(self) -> Source:
        return self

    async def __anext__(self) -> Any:
        if not self.left:
            raise StopAsyncIteration
        return self.left.pop(0)

    async def aclose(self) -> None:
        self.closed = True
