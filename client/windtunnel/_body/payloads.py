"""Turn what a caller gives as ``data=`` or ``json=`` into a body to send.

What comes in: bytes, text, forms, files, asynchronous iterables. What goes out: a
``Payload``, which has the whole body in memory or gives it in pieces. This module must
not know how a body is framed or written, and never looks at a connection.
"""

from __future__ import annotations

import asyncio
import inspect
import io
import mimetypes
import os
import stat
import sys
from collections.abc import AsyncIterable, AsyncIterator, Callable, Mapping
from typing import Any, cast

from windtunnel._base.compat import override
from windtunnel._base.typedefs import shown
from windtunnel._body.forms import FORM_TYPE, encode_form, form_pairs

__all__ = ("Payload", "form_payload", "json_payload", "make_payload")

_OCTETS = "application/octet-stream"
_TEXT = "text/plain; charset=utf-8"
_JSON = "application/json"

# Pieces stay under the size from which malloc maps pages anew for each of them.
_PIECE = 64 * 1024
# One trip to the thread reads so many pieces of a regular file. Of a pipe only one, so
# that what has arrived is not held back.
_PIECES_PER_TRIP = 4
# A body that never has to wait would keep the loop for itself; so it lets others run.
_BYTES_PER_TURN = 1024 * 1024


class Payload:
    """A request body: in memory (``body``), or as ``pieces()``.

    Attributes:
        size: Length in bytes, None if only the end of ``pieces()`` tells.
        content_type: Value for Content-Type if the caller gives none.
        body: The whole body if it is in memory; then ``pieces`` need not be used.
        replayable: Whether the same body can be given again, from its start.
    """

    __slots__ = ("body", "content_type", "replayable", "size")

    def __init__(
        self,
        content_type: str | None,
        size: int | None,
        body: bytes | None = None,
        *,
        replayable: bool = True,
    ) -> None:
        self.content_type = content_type
        self.size = size
        self.body = body
        self.replayable = replayable

    async def _pieces(self) -> AsyncIterator[bytes]:
        if self.body:
            yield self.body

    def pieces(self) -> AsyncIterator[bytes]:
        """Give the body, from its start, in pieces that are never empty.

        The result is an asynchronous generator: close it (``aclose``) when it is not
        read to its end, because its source may need to be told.

        Raises:
            RuntimeError: The body was given before and cannot be given again.
        """
        return self._pieces()

    def close(self) -> None:
        """Say that the body is not needed any more. Harmless if called again."""


class _Bytes(Payload):
    """A body that is in memory."""

    __slots__ = ()

    def __init__(self, body: bytes, content_type: str) -> None:
        self.content_type = content_type
        self.size = len(body)
        self.body = body
        self.replayable = True


def make_payload(data: Any) -> Payload:
    """Find out how to send what a caller gave as ``data=``.

    Args:
        data: A Payload, bytes-like, str, a mapping or list of pairs (a form), a file
            open for reading (binary or text), or an asynchronous iterable of bytes.

    Returns:
        The payload. Files are sent from their current position on.

    Raises:
        TypeError: ``data`` is none of these.
        ValueError: A form field is not a pair.
    """
    if isinstance(data, (bytes, str, bytearray, memoryview)):
        return _memory_payload(cast("bytes", data))
    if isinstance(data, Payload):
        return data
    if isinstance(data, (Mapping, list, tuple)):
        return form_payload(cast("object", data))
    # A response's content iterates by line; whole pieces are cheaper to pass on.
    source = data.iter_any() if hasattr(data, "iter_any") else data
    if isinstance(source, AsyncIterable):
        return _Async(cast("AsyncIterable[object]", source))
    if callable(getattr(data, "read", None)):
        return _file_payload(data)
    msg = (
        f"data={shown(data)} of type {type(data).__name__} cannot be sent; allowed are "
        f"bytes, str, a mapping or list of pairs, an open file, and an asynchronous "
        f"iterable of bytes"
    )
    raise TypeError(msg)


def _memory_payload(data: bytes | bytearray | memoryview | str) -> Payload:
    if isinstance(data, str):
        return _Bytes(data.encode(), _TEXT)
    # What the caller may change later is copied now.
    return _Bytes(bytes(data), _OCTETS)


def form_payload(data: object) -> Payload:
    """Encode form fields; see ``forms.form_pairs`` for what is allowed."""
    return _Bytes(encode_form(form_pairs(data)), FORM_TYPE)


def json_payload(obj: Any, dumps: Callable[[Any], object]) -> Payload:
    """Encode ``obj`` as JSON.

    Args:
        obj: Anything that ``dumps`` takes.
        dumps: The session's serializer; text is encoded as UTF-8.

    Raises:
        TypeError: The serializer gave neither str nor bytes.

    Spec: RFC 8259 section 8.1.
    """
    text = dumps(obj)
    if isinstance(text, str):
        return _Bytes(text.encode(), _JSON)
    if isinstance(text, bytes):
        return _Bytes(text, _JSON)
    msg = f"json serializer gave {shown(text)}; allowed are str and bytes"
    raise TypeError(msg)


# --- asynchronous iterables ---------------------------------------------------------


class _Async(Payload):
    """A body of unknown length that its source gives once."""

    __slots__ = ("_source",)

    def __init__(self, source: AsyncIterable[object]) -> None:
        super().__init__(_OCTETS, None, replayable=False)
        self._source: AsyncIterable[object] | None = source

    @override
    def pieces(self) -> AsyncIterator[bytes]:
        source, self._source = self._source, None
        if source is None:
            msg = "the body is an asynchronous iterable and was already sent once"
            raise RuntimeError(msg)
        return _from_async(source)


async def _from_async(source: AsyncIterable[object]) -> AsyncIterator[bytes]:
    number = 0
    turn = 0
    try:
        async for piece in source:
            if not isinstance(piece, (bytes, bytearray, memoryview)):
                msg = (
                    f"piece {number} of the body is {shown(piece)} of type "
                    f"{type(piece).__name__}; allowed are bytes-like objects"
                )
                raise TypeError(msg)
            number += 1
            # An empty piece would look like the end of a chunked body.
            if chunk := bytes(cast("bytes", piece)):
                yield chunk
            turn += len(chunk)
            if turn >= _BYTES_PER_TURN:
                turn = 0
                await asyncio.sleep(0)
    finally:
        aclose = getattr(source, "aclose", None)
        if aclose is not None:
            await aclose()


# --- files --------------------------------------------------------------------------


def _file_payload(file: Any) -> Payload:
    """Find out how to send an object with a ``read`` method.

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
    if isinstance(file, io.BytesIO):
        return _memory_file_payload(file)
    if isinstance(file, io.TextIOBase):
        return _text_file_payload(file)
    return _File(file, _guess_type(file), _rest_of(file))


def _yes() -> bool:
    return True


def _memory_file_payload(file: io.BytesIO) -> Payload:
    size = max(file.getbuffer().nbytes - file.tell(), 0)
    if size <= _PIECE:
        return _Bytes(file.read(), _guess_type(file))
    return _File(file, _guess_type(file), size, in_memory=True)


def _text_file_payload(file: io.TextIOBase) -> Payload:
    """Send text as UTF-8, whatever the encoding of the file.

    The size on the disk says nothing about the length of that: encodings and line ends
    are translated. So a small file is read at once, and a large one sent chunked.

    Compat: aiohttp announces the size on the disk, and hangs if the text is shorter.
    """
    if isinstance(file, io.StringIO):
        return _Bytes(file.read().encode(), _TEXT)
    size = _regular_size(file)
    if size is not None and size <= _PIECE:
        return _Bytes(file.read().encode(), _TEXT)
    return _File(file, _TEXT, None)


class _File(Payload):
    """A body that is read from a file, from the position it has at the call.

    A file that shrinks while it is sent is an error, of one that grows only the
    announced size is sent. The file is not closed: it belongs to the caller.
    """

    __slots__ = ("_begun", "_file", "_in_memory", "_start")

    def __init__(
        self, file: Any, content_type: str, size: int | None, *, in_memory: bool = False
    ) -> None:
        seekable = getattr(file, "seekable", _no)()
        super().__init__(content_type, size, replayable=seekable)
        self._file = file
        self._start = file.tell() if seekable else None
        self._in_memory = in_memory
        self._begun = False

    @override
    def pieces(self) -> AsyncIterator[bytes]:
        if self._begun:
            if self._start is None:
                msg = (
                    f"file {shown(self._file)} was already sent once and cannot "
                    f"seek back"
                )
                raise RuntimeError(msg)
            self._file.seek(self._start)
        self._begun = True
        return self._pieces()

    @override
    async def _pieces(self) -> AsyncIterator[bytes]:
        left = self.size
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
            if turn >= _BYTES_PER_TURN:
                turn = 0
                await asyncio.sleep(0)
        if left:
            msg = (
                f"file {shown(self._file)} ended {left} bytes before the announced "
                f"{self.size}"
            )
            raise EOFError(msg)

    async def _read_all(self) -> AsyncIterator[bytes]:
        """Read the file, on a thread if that could block the loop."""
        file = self._file
        if self._in_memory:
            while piece := file.read(_PIECE):
                yield piece
            return
        loop = asyncio.get_running_loop()
        count = 1 if _regular_size(file) is None else _PIECES_PER_TRIP
        # read() of a pipe waits until it has all that was asked for, read1() does not.
        read = file.read if count > 1 else getattr(file, "read1", file.read)
        while True:
            batch = await loop.run_in_executor(None, _read_batch, read, count)
            for piece in batch:
                yield piece
            if not batch:
                return


def _no() -> bool:
    return False


def _read_batch(read: Callable[[int], Any], count: int) -> list[bytes]:
    """Read up to ``count`` pieces; none means the end of the file."""
    batch: list[bytes] = []
    while len(batch) < count and (piece := read(_PIECE)):
        batch.append(piece.encode() if isinstance(piece, str) else bytes(piece))
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


def _guess_type(file: Any) -> str:
    """Guess the media type from the name of a file."""
    name = getattr(file, "name", None)
    if not isinstance(name, str):
        return _OCTETS
    media_type, coding = mimetypes.guess_type(name)
    # A compressed file is not of the type that its content has when unpacked.
    return media_type if media_type is not None and coding is None else _OCTETS
