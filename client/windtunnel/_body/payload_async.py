"""Bodies whose bytes come from an asynchronous source.

An asynchronous iterable, or a response's content, comes in; its pieces go out.
"""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import AsyncIterable
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from windtunnel._base.compat import override
from windtunnel._base.typedefs import shown
from windtunnel._body.payload_base import Payload

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    from windtunnel._body.payload_base import PayloadWriter
    from windtunnel._body.stream import StreamReader

__all__ = (
    "AsyncIterablePayload",
    "StreamReaderPayload",
    "StreamWrapperPayload",
    "streamer",
)

# A body that never has to wait would keep the loop for itself; so it lets others run.
BYTES_PER_TURN = 1024 * 1024


class AsyncIterablePayload(Payload):
    """A body of unknown length that its source gives once.

    ``as_bytes`` reads it into memory; from then on it can be given again.

    Raises:
        TypeError: The value is no asynchronous iterable.
    """

    _autoclose = True
    replayable = False

    def __init__(self, value: AsyncIterable[object], *args: Any, **kwargs: Any) -> None:
        if not isinstance(value, AsyncIterable):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers may be untyped
            msg = (  # type: ignore[unreachable]  # callers may be untyped
                "value argument must support collections.abc.AsyncIterable interface, "
                f"got {type(value)!r}"
            )
            raise TypeError(msg)
        super().__init__(value, *args, **kwargs)

    @override
    def pieces(self) -> AsyncIterator[bytes]:
        if self.body is not None:
            return _one(self.body)
        if self._consumed:
            msg = "the body is an asynchronous iterable and was already sent once"
            raise RuntimeError(msg)
        self._consumed = True
        source, self._value = self._value, None
        return _from_async(source)

    @override
    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        if self.body is None:
            msg = "Unable to decode - content not cached. Call as_bytes() first."
            raise TypeError(msg)
        return self.body.decode(encoding, errors)

    @override
    async def as_bytes(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        body = self.body = await super().as_bytes(encoding, errors)
        self._size = len(body)
        self._consumed = False
        self.replayable = True
        return body

    @override
    async def write(self, writer: PayloadWriter) -> None:
        await self._write_pieces(writer, None)


async def _one(body: bytes) -> AsyncIterator[bytes]:
    if body:
        yield body


async def _from_async(source: AsyncIterable[object]) -> AsyncIterator[bytes]:
    number = 0
    turn = 0
    try:
        async for piece in source:
            if type(piece) is bytes:
                chunk = piece
            elif isinstance(piece, (bytes, bytearray, memoryview)):
                chunk = bytes(cast("bytes", piece))
            else:
                msg = (
                    f"piece {number} of the body is {shown(piece)} of type "
                    f"{type(piece).__name__}; allowed are bytes-like objects"
                )
                raise TypeError(msg)
            number += 1
            # An empty piece would look like the end of a chunked body.
            if chunk:
                yield chunk
            turn += len(chunk)
            if turn >= BYTES_PER_TURN:
                turn = 0
                await asyncio.sleep(0)
    finally:
        aclose = getattr(source, "aclose", None)
        if aclose is not None:
            await aclose()


class StreamReaderPayload(AsyncIterablePayload):
    """The content of a response as the body of a request.

    It iterates by line; whole pieces are cheaper to pass on.
    """

    def __init__(self, value: StreamReader, *args: Any, **kwargs: Any) -> None:
        super().__init__(value.iter_any(), *args, **kwargs)


class streamer:  # noqa: N801  # the compatible name
    """Turn a coroutine that takes a writer into a body.

    Compat: deprecated in aiohttp; use an asynchronous generator.
    """

    def __init__(self, coro: Callable[..., Coroutine[Any, Any, None]]) -> None:
        warnings.warn(
            "@streamer is deprecated, use async generators instead",
            DeprecationWarning,
            stacklevel=2,
        )
        self.coro = coro

    def __call__(self, *args: Any, **kwargs: Any) -> StreamWrapper:
        return StreamWrapper(self.coro, args, kwargs)


class StreamWrapper:
    """What a ``streamer`` gives: a coroutine and its arguments but the writer."""

    def __init__(
        self,
        coro: Callable[..., Coroutine[Any, Any, None]],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> None:
        self.write = partial(_call, coro, args, kwargs)


async def _call(
    coro: Callable[..., Coroutine[Any, Any, None]],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    writer: PayloadWriter,
) -> None:
    await coro(writer, *args, **kwargs)


class StreamWrapperPayload(Payload):
    """The body that a ``streamer`` writes."""

    @override
    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        msg = "Unable to decode."
        raise TypeError(msg)

    @override
    async def write(self, writer: PayloadWriter) -> None:
        await self._value.write(writer)
