"""Bodies that are read from files.

Objects with a ``read`` method come in; payloads that read them on a thread go out.
They are read from the position they have, and closed when the request is over.
"""

from __future__ import annotations

import asyncio
import inspect
import io
import os
import stat
import sys
from typing import TYPE_CHECKING, Any

from windtunnel._base.compat import override
from windtunnel._base.typedefs import shown
from windtunnel._body.payload_async import BYTES_PER_TURN
from windtunnel._body.payload_base import Payload
from windtunnel._body.payload_memory import sliced, text_type

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from windtunnel._base.typedefs import Unset
    from windtunnel._body.payload_base import PayloadWriter

__all__ = (
    "BufferedReaderPayload",
    "BytesIOPayload",
    "IOBasePayload",
    "TextIOPayload",
)

# Pieces stay under the size from which malloc maps pages anew for each of them.
_PIECE = 64 * 1024
# One trip to the thread reads so many pieces of a regular file. Of a pipe only one, so
# that what has arrived is not held back.
_PIECES_PER_TRIP = 4
# One trip for a plain binary file. The way to the thread and back costs as much as
# reading 100 KiB, so a trip should bring a good deal more.
_TRIP_BYTES = 512 * 1024
# Only these: a class of the caller's may count what passes through its read().
_PLAIN_READERS = (io.BufferedReader, io.BufferedRandom, io.FileIO)


class IOBasePayload(Payload):
    """A body that is read from a file, from the position it has at the call.

    A file that shrinks while it is sent is an error, of one that grows only the
    announced size is sent. The file is closed when the request is over, whatever its
    outcome, because callers give an ``open(...)`` that nobody else could close.

    Args:
        value: A file open for reading, or anything else with ``read``.
        disposition: Type of the Content-Disposition that names the file; None for
            none. A request has none, a part of a multipart body has.
        *args: As of ``Payload``.
        **kwargs: As of ``Payload``. Without ``filename`` it is that of the file.

    Raises:
        TypeError: Its ``read`` is a coroutine function.
        ValueError: It is closed, or not open for reading.
    """

    def __init__(
        self,
        value: Any,
        disposition: str | None = "attachment",
        *args: Any,
        **kwargs: Any,
    ) -> None:
        _check_readable(value)
        if "filename" not in kwargs:
            kwargs["filename"] = file_name(value)
        super().__init__(value, *args, **kwargs)
        if self._filename is not None and disposition is not None:
            headers = self.headers
            if "Content-Disposition" not in headers:
                self.set_content_disposition(disposition, filename=self._filename)
        self._begun = False
        self._is_in_memory = False
        self.replayable = bool(getattr(value, "seekable", _no)())
        self._start: int | None = value.tell() if self.replayable else None
        self._size = self._measure()

    def _measure(self) -> int | None:
        """Say how many bytes there are; a small body may be read at once."""
        return _rest_of(self._value)

    @override
    def pieces(self) -> AsyncIterator[bytes]:
        if self.body is not None:
            return sliced(self.body)
        if self._begun:
            if self._start is None:
                msg = (
                    f"file {shown(self._value)} was already sent once and cannot "
                    f"seek back"
                )
                raise RuntimeError(msg)
            self._value.seek(self._start)
        self._begun = True
        self._consumed = self._start is None
        return self._limited()

    async def _limited(self) -> AsyncIterator[bytes]:
        """Give exactly as much as was announced."""
        left = self._size
        turn = 0
        async for piece in self._read_all():
            chunk = piece if left is None else piece[:left]
            if left is not None:
                left -= len(chunk)
            if chunk:
                yield chunk
            if left == 0:
                return
            turn += len(chunk)
            if turn >= BYTES_PER_TURN:
                turn = 0
                await asyncio.sleep(0)
        if left:
            msg = (
                f"file {shown(self._value)} ended {left} bytes before the announced "
                f"{self._size}"
            )
            raise EOFError(msg)

    async def _read_all(self) -> AsyncIterator[bytes]:
        """Read the file, on a thread if that could block the loop."""
        file = self._value
        if self._is_in_memory:
            while piece := file.read(_PIECE):
                yield piece
            return
        loop = asyncio.get_running_loop()
        size = _regular_size(file)
        if size is not None and type(file) in _PLAIN_READERS:
            # One buffer for all trips: memory that a thread allocates and the loop
            # frees goes back to the system each time, and is paged in again.
            buffer = memoryview(bytearray(min(size, _TRIP_BYTES)))
            while read_bytes := await loop.run_in_executor(None, file.readinto, buffer):
                for start in range(0, read_bytes, _PIECE):
                    yield bytes(buffer[start : min(start + _PIECE, read_bytes)])
            return
        count = 1 if size is None else _PIECES_PER_TRIP
        # read() of a pipe waits until it has all that was asked for, read1() does not.
        read = file.read if count > 1 else getattr(file, "read1", file.read)
        encoding = self._encoding or "utf-8"
        while True:
            batch = await loop.run_in_executor(None, _read_batch, read, count, encoding)
            for piece in batch:
                yield piece
            if not batch:
                return

    @override
    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Read the file as text, at once and on the caller's time."""
        if self.body is not None:
            return self.body.decode(encoding, errors)
        if self._start is not None:
            self._value.seek(self._start)
        text: bytes | str = self._value.read()
        return text if isinstance(text, str) else text.decode(encoding, errors)

    @override
    async def write(self, writer: PayloadWriter) -> None:
        await self._write_pieces(writer, None)

    @override
    async def close(self) -> None:
        """Close the file, on a thread because that could block the loop."""
        close = getattr(self._value, "close", None)
        if close is not None and not getattr(self._value, "closed", False):
            loop = asyncio.get_running_loop()
            # Shielded, or a cancellation would take a job that has not begun back.
            await asyncio.shield(loop.run_in_executor(None, close))


class BufferedReaderPayload(IOBasePayload):
    """A body that is read from a binary file."""


class BytesIOPayload(IOBasePayload):
    """A body of what is left in a BytesIO; a small one is read at once.

    Compat: it stays open, so that it can be sent again.
    """

    _autoclose = True
    close = Payload.close

    def __init__(self, value: io.BytesIO, *args: Any, **kwargs: Any) -> None:
        # Compat: a buffer is no file, so that it is not announced as one.
        kwargs["disposition"] = None
        super().__init__(value, *args, **kwargs)

    @override
    def _measure(self) -> int | None:
        file: io.BytesIO = self._value
        size = max(file.getbuffer().nbytes - file.tell(), 0)
        self._is_in_memory = True
        if size <= _PIECE:
            self.body = file.read()
            file.seek(self._start or 0)
        return size


class TextIOPayload(IOBasePayload):
    """A body of text from a file, encoded as UTF-8 whatever the file's own encoding.

    The size on the disk says nothing about the length of that: encodings and line ends
    are translated. So a small file is read at once, and a large one sent chunked.

    Args:
        value: A text file open for reading.
        *args: As of ``IOBasePayload``.
        encoding: How it is encoded; without it the charset of ``content_type``, else
            UTF-8.
        content_type: Its media type, text/plain with the encoding if not given.
        **kwargs: As of ``IOBasePayload``.

    Compat: aiohttp announces the size on the disk, and hangs if the text is shorter.
    """

    def __init__(
        self,
        value: io.TextIOBase,
        *args: Any,
        encoding: str | None = None,
        content_type: str | Unset | None = None,
        **kwargs: Any,
    ) -> None:
        encoding, content_type = text_type(encoding, content_type)
        super().__init__(
            value, *args, content_type=content_type, encoding=encoding, **kwargs
        )

    @override
    def _measure(self) -> int | None:
        size = _regular_size(self._value)
        if size is None or size > _PIECE:
            return None
        body: bytes = self._value.read().encode(self._encoding or "utf-8")
        self.body = body
        self.replayable = True
        return len(body)


def _check_readable(file: Any) -> None:
    """Refuse what cannot be read.

    Raises:
        TypeError: Its ``read`` is a coroutine function.
        ValueError: It is closed, or not open for reading.
    """
    if inspect.iscoroutinefunction(file.read):
        msg = (
            f"{shown(file)} has an asynchronous read(); give an asynchronous "
            f"generator that yields what it reads"
        )
        raise TypeError(msg)
    if getattr(file, "closed", False):
        msg = f"file {shown(file)} is closed, so its content cannot be sent"
        raise ValueError(msg)
    if not getattr(file, "readable", _yes)():
        msg = f"file {shown(file)} is not open for reading"
        raise ValueError(msg)


def _yes() -> bool:
    return True


def _no() -> bool:
    return False


def _read_batch(read: Callable[[int], Any], count: int, encoding: str) -> list[bytes]:
    """Read up to ``count`` pieces; none means the end of the file."""
    batch: list[bytes] = []
    while len(batch) < count and (piece := read(_PIECE)):
        batch.append(piece.encode(encoding) if isinstance(piece, str) else bytes(piece))
    return batch


def _regular_size(file: Any) -> int | None:
    """Return the size on the disk of a regular file, None for anything else.

    Objects that decode (GzipFile) have a descriptor too, of the encoded file, so only
    the plain readers of the standard library are believed.
    """
    raw = getattr(file, "buffer", file)
    raw = getattr(raw, "raw", raw)
    if not isinstance(raw, io.FileIO):
        return None
    status = os.fstat(raw.fileno())
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def _rest_of(file: Any) -> int | None:
    """Return how many bytes a binary file has from its position on, None if unknown."""
    plain = getattr(file, "file", file)  # what tempfile wraps
    size = _regular_size(plain)
    if size is None and _is_spooled(file):
        start = file.tell()
        size = file.seek(0, os.SEEK_END)
        file.seek(start)
    return None if size is None else max(size - file.tell(), 0)


def _is_spooled(file: Any) -> bool:
    """Tell a SpooledTemporaryFile, without importing tempfile for those who do not."""
    tempfile = sys.modules.get("tempfile")
    return tempfile is not None and isinstance(file, tempfile.SpooledTemporaryFile)


def file_name(file: Any) -> str | None:
    """Return the name of a file without its folder, None if it has none.

    Names such as "<stdin>" are none.
    """
    name = getattr(file, "name", None)
    if not isinstance(name, str) or not name or (name[0] == "<" and name[-1] == ">"):
        return None
    return os.path.basename(name)
