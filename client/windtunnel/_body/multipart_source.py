"""The bytes of a multipart body, looked at from its boundaries.

A function that reads comes in; lines, headers and the data up to the next boundary go
out. It must not know what the parts are.

Spec: RFC 2046 section 5.1.1.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from multidict import CIMultiDict, CIMultiDictProxy

from windtunnel._base.typedefs import shown
from windtunnel.errors.http import LineTooLong

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ("MultipartSource",)

_READ_BYTES = 65536
# A boundary line has at most 70 characters; what follows it is padding.
_MAX_PADDING = 256
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")


class MultipartSource:
    """A buffer in front of what is read.

    Args:
        read: Gives up to so many bytes, none at the end.

    Attributes:
        newline: How lines end: CRLF, or LF if the first boundary line ends so.
        is_last: Whether the boundary that was met last closes the body.
    """

    __slots__ = ("_buffer", "_is_over", "_read", "is_last", "newline")

    def __init__(self, read: Callable[[int], Awaitable[bytes]]) -> None:
        self._read = read
        self._buffer = bytearray()
        self._is_over = False
        self.newline = b"\r\n"
        self.is_last = False

    async def _fill(self) -> bool:
        """Read more; False at the end."""
        if not self._is_over:
            data = await self._read(_READ_BYTES)
            self._buffer += data
            self._is_over = not data
        return not self._is_over

    def _take(self, size: int) -> bytes:
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data

    async def find_first(self, boundary: bytes) -> bool:
        """Skip the preamble and the first boundary line.

        Returns:
            Whether there is one.
        """
        is_line_start = True
        while True:
            if is_line_start:
                kind, end = await self._judge(0, boundary)
                if kind:
                    self.newline = b"\n" if b"\r" not in self._take(end) else b"\r\n"
                    return True
            found = self._buffer.find(b"\n")
            is_line_start = found >= 0
            if is_line_start:
                del self._buffer[: found + 1]
            else:
                self._buffer.clear()
            if not self._buffer and not await self._fill():
                return False

    async def _judge(self, start: int, boundary: bytes) -> tuple[bool, int]:
        """Say whether a boundary line begins at ``start``, and where it ends."""
        buffer = self._buffer
        size = len(boundary)
        while len(buffer) < start + size and boundary.startswith(buffer[start:]):
            if not await self._fill():
                return False, 0
        if not buffer.startswith(boundary, start):
            return False, 0
        after = start + size
        while (end := buffer.find(b"\n", after)) < 0:
            is_open = len(buffer) - after < _MAX_PADDING and await self._fill()
            if not is_open:
                break
        if end - after >= _MAX_PADDING:
            return False, 0
        rest = bytes(buffer[after : end + 1 if end >= 0 else after + _MAX_PADDING])
        is_last = rest.startswith(b"--")
        # Spaces after a boundary are padding of the transport. Anything else makes it
        # a line of data that begins like a boundary.
        if rest.strip(b" \t\r\n") != (b"--" if is_last else b"") or (
            end < 0 and not (is_last and self._is_over)
        ):
            return False, 0
        self.is_last = is_last
        return True, after + len(rest)

    async def data(self, boundary: bytes, size: int, is_start: bool) -> bytes:
        """Read data of a part.

        Args:
            boundary: Two hyphens and the boundary.
            size: How many bytes to give at most, 1 or more.
            is_start: Whether this is the begin of the part, where a boundary line
                may follow at once.

        Returns:
            Data; none at the end of the part, whose boundary line is skipped then.

        Raises:
            ValueError: The body ends without a boundary.
        """
        if is_start:
            is_end, end = await self._judge(0, boundary)
            if is_end:
                self._take(end)
                return b""
        mark = self.newline + boundary
        searched = 0
        while True:
            found = self._buffer.find(mark, searched)
            if found < 0:
                # What could be the begin of the mark stays.
                searched = max(len(self._buffer) - len(mark) + 1, 0)
                if searched:
                    return self._take(min(searched, size))
                await self._need_more(boundary)
                continue
            if found >= size:
                return self._take(size)
            is_end, end = await self._judge(found + len(self.newline), boundary)
            if is_end:
                return self._take(found) if found else self._ended(end)
            searched = found + 1

    def _ended(self, end: int) -> bytes:
        """Skip the boundary line."""
        self._take(end)
        return b""

    async def _need_more(self, boundary: bytes) -> None:
        if not await self._fill():
            msg = (
                f"multipart body ends without its boundary {shown(boundary)} "
                f"(RFC 2046 section 5.1.1)"
            )
            raise ValueError(msg)

    async def skip_rest(self) -> None:
        """Read the epilogue, so that the connection can be used again."""
        self._buffer.clear()
        while await self._fill():
            self._buffer.clear()

    async def headers(
        self, max_field_size: int, max_headers: int
    ) -> CIMultiDictProxy[str]:
        """Read the headers of a part and the empty line.

        Raises:
            LineTooLong: A line has more than ``max_field_size`` bytes.
            ValueError: There are more than ``max_headers``, or one is malformed.
        """
        fields: CIMultiDict[str] = CIMultiDict()
        while line := await self._line(max_field_size):
            if len(fields) >= max_headers:
                msg = f"Too many headers received in a part, allowed are {max_headers}"
                raise ValueError(msg)
            name, colon, value = line.decode("utf-8", "surrogateescape").partition(":")
            if not colon or _TOKEN.fullmatch(name) is None:
                msg = f"Invalid header of a part: {shown(line)} is not name: value"
                raise ValueError(msg)
            fields.add(name, value.strip(" \t"))
        return CIMultiDictProxy(fields)

    async def _line(self, limit: int) -> bytes:
        """Read a line without its end."""
        buffer = self._buffer
        while (end := buffer.find(b"\n")) < 0:
            if len(buffer) > limit + 2:
                break
            if not await self._fill():
                msg = (
                    f"multipart body ends within the headers of a part: {buffer!r:.60}"
                )
                raise ValueError(msg)
        if end < 0 or end > limit + 1:
            raise LineTooLong(bytes(buffer[:40]), limit)
        return self._take(end + 1).rstrip(b"\r\n")
