"""A chunked body: from bytes in any cut to pieces of data, and where it ends.

In comes the connection's read buffer, out go copies of the data in it, at most 64 KiB
each, handed to a callback. Trailer fields are checked and dropped (RFC 9110 section
6.5.1: they must not be merged without knowing them). It is strict: a recipient that
finds the end of a chunk elsewhere than the sender put it is how smuggling works.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING, Final

from windtunnel._wire.framing import MAX_LENGTH
from windtunnel._wire.head import TOKEN_CHARACTERS
from windtunnel._wire.head_exact import check_characters, parse_field_line
from windtunnel._wire.violation import WireError, seen

if TYPE_CHECKING:
    from collections.abc import Callable

    from windtunnel._wire.limits import Limits

# Under the allocator's threshold for separate mappings, so that freed pieces are used
# again without page faults.
PIECE_BYTES: Final = 65536
# Bytes that are not data a body may have on top of 16 and its own size per chunk:
# stops a body of long extensions on tiny chunks.
_OVERHEAD_BYTES: Final = 16384

_TOKEN = rf"[{TOKEN_CHARACTERS}]+"
_QUOTED = r'"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*"'
_PLAIN_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})\r\n")
_SIZE_LINE = re.compile(
    (
        r"([0-9A-Fa-f]+)"
        rf"(?:[ \t]*;[ \t]*{_TOKEN}(?:[ \t]*=[ \t]*(?:{_TOKEN}|{_QUOTED}))?)*"
    ).encode("latin-1")
)
_CR: Final = 0x0D


class _Expect(Enum):
    """What comes next.

    SIZE -> DATA -> DATA_END -> SIZE, and after a size of zero SIZE -> TRAILER -> DONE.
    """

    SIZE = "a line with the size of a chunk"
    DATA = "data of a chunk"
    DATA_END = "the line end after the data"
    TRAILER = "a trailer field or the empty line"
    DONE = "nothing"


class ChunkedReader:
    """Reads one chunked body.

    Args:
        limits: What to refuse.
        deliver: Called with each piece of data and whether it ends a chunk.
        offset: Bytes that came before the body in answer to the same request.
        fields: How many header fields there were; trailer fields count on.
    """

    __slots__ = (
        "_deliver",
        "_expect",
        "_fields",
        "_left",
        "_limits",
        "_line",
        "_offset",
        "_overhead",
    )

    def __init__(
        self,
        limits: Limits,
        deliver: Callable[[bytes, bool], None],
        offset: int = 0,
        fields: int = 0,
    ) -> None:
        self._limits = limits
        self._deliver = deliver
        self._offset = offset
        self._fields = fields
        self._expect = _Expect.SIZE
        self._left = 0
        self._line = bytearray()
        self._overhead = 0

    def feed(self, buffer: bytearray, view: memoryview, start: int, end: int) -> int:
        """Take the bytes from start to end of the read buffer.

        Args:
            buffer: The read buffer.
            view: A view of the same buffer, for copying slices only once.
            start: Index of the first new byte.
            end: Index after the last new byte.

        Returns:
            The index after the last byte of the body if it is complete, else -1.

        Raises:
            WireError: The coding is broken or a limit exceeded.

        Spec: RFC 9112 section 7.1.
        """
        position = start
        while position < end:
            expect = self._expect
            if expect is _Expect.DATA:
                position = self._take_data(view, position, end)
            elif expect is _Expect.SIZE and not self._line:
                match = _PLAIN_SIZE.match(buffer, position, end)
                if match is None:
                    position = self._take_line(buffer, position, end)
                else:
                    self._begin_chunk(match[1], match.end() - position)
                    position = match.end()
            else:
                position = self._take_line(buffer, position, end)
            if self._expect is _Expect.DONE:
                return position
        return -1

    def _take_data(self, view: memoryview, position: int, end: int) -> int:
        left = self._left
        size = min(left, end - position)
        self._left = left = left - size
        self._offset += size
        stop = position + size
        deliver = self._deliver
        while stop - position > PIECE_BYTES:
            deliver(bytes(view[position : position + PIECE_BYTES]), False)
            position += PIECE_BYTES
        deliver(bytes(view[position:stop]), left == 0)
        if left == 0:
            self._expect = _Expect.DATA_END
        return stop

    def _take_line(self, buffer: bytearray, position: int, end: int) -> int:
        """Collect one line; everything that is not data is a line."""
        newline = buffer.find(b"\n", position, end)
        stop = end if newline < 0 else newline + 1
        line = self._line
        line += buffer[position:stop]
        self._check_line(newline >= 0)
        if newline >= 0:
            size = len(line)
            self._end_line(bytes(line[:-2]), size)
            line.clear()
        return stop

    def _check_line(self, complete: bool) -> None:
        """Refuse a line that is too long, or does not end in CRLF."""
        line = self._line
        if self._expect is _Expect.DATA_END:
            good = b"\r\n"[: len(line)]
            if bytes(line) != good:
                at = 0 if line[0] != _CR else 1
                raise self._error(
                    f"{seen(line[at : at + 1])} after the data of a chunk, "
                    "expected CRLF",
                    at,
                )
            return
        is_size = self._expect is _Expect.SIZE
        limits = self._limits
        limit = limits.max_line_size if is_size else limits.max_field_size
        what = "max_line_size" if is_size else "max_field_size"
        if len(line) - 2 > limit:
            raise WireError(
                f"chunked coding has a line of more than {limit} bytes: "
                f"{seen(line[:limit])}",
                rule=f"limit {what}, RFC 9112 section 7.1.1",
                offset=self._offset + limit,
            )
        if complete and not line.endswith(b"\r\n"):
            raise self._error(
                f"line {seen(line)} of the chunked coding ends in a bare LF, "
                "expected CRLF",
                len(line) - 1,
            )

    def _end_line(self, line: bytes, size: int) -> None:
        expect = self._expect
        if expect is _Expect.DATA_END:
            self._offset += size
            self._expect = _Expect.SIZE
        elif expect is _Expect.SIZE:
            match = _SIZE_LINE.fullmatch(line)
            if match is None:
                raise self._error(
                    f"chunk size line {seen(line)} is not hex digits and extensions"
                )
            self._begin_chunk(match[1], size)
        else:
            self._end_trailer_line(line, size)

    def _begin_chunk(self, digits: bytes, line_size: int) -> None:
        left = int(digits, 16)
        if len(digits) > 16 or left > MAX_LENGTH:
            raise self._error(f"chunk size {seen(digits)} is more than {MAX_LENGTH}")
        overhead = self._overhead + line_size - 16 - left
        self._overhead = overhead = max(overhead, 0)
        if overhead > _OVERHEAD_BYTES:
            raise WireError(
                f"chunk extensions of more than {_OVERHEAD_BYTES} bytes over the data",
                rule="RFC 9112 section 7.1.1",
                offset=self._offset,
            )
        self._offset += line_size
        self._left = left
        self._expect = _Expect.DATA if left else _Expect.TRAILER

    def _end_trailer_line(self, line: bytes, size: int) -> None:
        if not line:
            self._expect = _Expect.DONE
        elif line[0] in b" \t" and self._fields:
            check_characters(line, self._offset)
        else:
            parse_field_line(line, self._offset)
            self._fields += 1
            if self._fields > self._limits.max_headers:
                raise WireError(
                    f"more than {self._limits.max_headers} header and trailer fields",
                    rule="limit max_headers, RFC 9110 section 6.5",
                    offset=self._offset,
                )
        self._offset += size

    def _error(self, text: str, at: int = 0) -> WireError:
        return WireError(text, rule="RFC 9112 section 7.1", offset=self._offset + at)
