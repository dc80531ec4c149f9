"""What every request body is: a value, its headers, its length, and its bytes.

A value of the caller's comes in; out go its bytes, whole or in pieces. This module must
not know how a body is framed or written, and never looks at a connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import mimetypes
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Protocol

from multidict import CIMultiDict

from windtunnel._base.typedefs import UNSET
from windtunnel._body.disposition import content_disposition_header

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping

    from multidict import istr

    from windtunnel._base.typedefs import Unset

    # A mapping is invariant in its keys, so names such as those of hdrs are told apart.
    Headers = Mapping[str, str] | Mapping[istr, str] | Iterable[tuple[str, str]]

__all__ = ("OCTETS", "Payload", "PayloadWriter", "guessed_type")

OCTETS = "application/octet-stream"
# What a request decides for itself.
_FRAMING = frozenset({"content-length", "content-type", "transfer-encoding"})


class PayloadWriter(Protocol):
    """What a payload writes itself to."""

    async def write(self, chunk: bytes, /) -> None:
        """Take the next bytes; returns when more can be taken."""
        ...


class Payload(ABC):
    """A body, or a part of one. A subclass has at least ``write`` and ``decode``.

    Args:
        value: What the body is made from.
        headers: Fields that go with it; they replace the ones it has by itself.
        content_type: Its media type; without it guessed from ``filename``, else the
            default of the class.
        filename: Name of the file it comes from.
        encoding: Encoding of its text.
        **kwargs: Ignored, so that factories can be called alike.

    Attributes:
        body: The whole body if it is in memory; then ``pieces`` need not be used.
        replayable: Whether the same body can be given again, from its start.

    Compat: aiohttp's Payload, but for the two attributes and ``pieces``.
    """

    _default_content_type = OCTETS
    body: bytes | None = None
    replayable: bool = True
    _value: Any = None
    _size: int | None = None
    _content_type: str = OCTETS
    _filename: str | None = None
    _encoding: str | None = None
    _headers: CIMultiDict[str] | None = None
    _consumed = False
    _autoclose = False

    def __init__(
        self,
        value: Any,
        headers: Headers | None = None,
        content_type: str | Unset | None = UNSET,
        filename: str | None = None,
        encoding: str | None = None,
        **kwargs: Any,
    ) -> None:
        self._value = value
        self._encoding = encoding
        self._filename = filename
        if isinstance(content_type, str):
            self._content_type = content_type
        else:
            self._content_type = self._default_content_type
            if filename is not None:
                self._content_type = guessed_type(filename, self._default_content_type)
        if headers:
            self.headers.update(headers)

    # --- what it is -----------------------------------------------------------------

    @property
    def size(self) -> int | None:
        """Length in bytes, None if only the end of the body tells."""
        return self._size

    @property
    def filename(self) -> str | None:
        """Name of the file that it comes from."""
        return self._filename

    @property
    def headers(self) -> CIMultiDict[str]:
        """Fields that go with the body; may be changed until it is sent."""
        headers = self._headers
        if headers is None:
            headers = self._headers = CIMultiDict({"Content-Type": self._content_type})
        return headers

    @property
    def content_type(self) -> str:
        """Value for Content-Type if the caller gives none."""
        headers = self._headers
        return self._content_type if headers is None else headers["Content-Type"]

    @property
    def extra_headers(self) -> list[tuple[str, str]] | None:
        """Fields for the head of a request, besides its type and what frames it."""
        headers = self._headers
        if headers is None or len(headers) == 1:
            return None
        return [pair for pair in headers.items() if pair[0].lower() not in _FRAMING]

    @property
    def encoding(self) -> str | None:
        """Encoding of its text, None if it is not text."""
        return self._encoding

    @property
    def consumed(self) -> bool:
        """Whether it was given and cannot be given again."""
        return self._consumed

    @property
    def autoclose(self) -> bool:
        """Whether there is nothing to close."""
        return self._autoclose

    def set_content_disposition(
        self,
        disptype: str,
        quote_fields: bool = True,
        _charset: str = "utf-8",
        **params: str,
    ) -> None:
        """Set the Content-Disposition; see ``content_disposition_header``."""
        self.headers["Content-Disposition"] = content_disposition_header(
            disptype, quote_fields=quote_fields, _charset=_charset, params=params
        )

    # --- its bytes ------------------------------------------------------------------

    @abstractmethod
    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Return the body as text.

        Raises:
            TypeError: It is not in memory.
        """

    @abstractmethod
    async def write(self, writer: PayloadWriter) -> None:
        """Write the whole body."""

    async def write_with_length(
        self, writer: PayloadWriter, content_length: int | None
    ) -> None:
        """Write the body, but at most ``content_length`` bytes of it."""
        await self._write_pieces(writer, content_length)

    async def as_bytes(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        """Return the body, read to its end if need be."""
        if self.body is not None:
            return self.body
        return b"".join([piece async for piece in self.pieces()])

    def pieces(self) -> AsyncIterator[bytes]:
        """Give the body, from its start, in pieces that are never empty.

        The result is an asynchronous generator: close it (``aclose``) when it is not
        read to its end, because its source may need to be told.

        Raises:
            RuntimeError: The body was given before and cannot be given again.
        """
        return _written(self.write)

    def settled(self) -> Payload:
        """Get ready to be sent: what is small and in memory is put together now."""
        return self

    async def close(self) -> None:  # noqa: B027  # most have nothing to close
        """Say that the body is not needed any more. Harmless if called again."""

    @property
    def closes(self) -> bool:
        """Whether ``close`` has something to do."""
        return type(self).close is not Payload.close

    async def _write_pieces(self, writer: PayloadWriter, left: int | None) -> None:
        """Write what ``pieces`` gives, up to ``left`` bytes."""
        pieces = self.pieces()
        try:
            async for piece in pieces:
                if left is None:
                    await writer.write(piece)
                    continue
                await writer.write(piece[:left])
                left -= len(piece)
                if left <= 0:
                    return
        finally:
            aclose = getattr(pieces, "aclose", None)
            if aclose is not None:
                await aclose()


class _Handover:
    """A writer whose every piece waits until it is taken."""

    __slots__ = ("given", "piece", "taken")

    def __init__(self) -> None:
        self.piece = b""
        self.given = asyncio.Event()
        self.taken = asyncio.Event()

    async def write(self, chunk: bytes, /) -> None:
        if chunk:
            self.piece = bytes(chunk)
            self.given.set()
            await self.taken.wait()
            self.taken.clear()


async def _written(
    write: Callable[[PayloadWriter], Awaitable[None]],
) -> AsyncIterator[bytes]:
    """Turn a method that writes into pieces to read, for payloads of users."""
    hand = _Handover()
    task = asyncio.ensure_future(write(hand))
    task.add_done_callback(lambda _: hand.given.set())
    try:
        while True:
            await hand.given.wait()
            hand.given.clear()
            piece, hand.piece = hand.piece, b""
            if not piece:
                break
            yield piece
            hand.taken.set()
        await task
    finally:
        if not task.done():
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


def guessed_type(filename: str, default: str = OCTETS) -> str:
    """Guess the media type from the name of a file."""
    media_type, coding = mimetypes.guess_type(filename)
    # A compressed file is not of the type that its content has when unpacked.
    return media_type if media_type is not None and coding is None else default
