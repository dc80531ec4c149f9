"""Request bodies: how the end of one is found, and an incremental search for it.

Comes in: a ``Head``, then the growing buffer behind it. Goes out: the number of bytes
that belong to the body once that is known, and the decoded body. Must not know:
sockets, time, what is answered.

Spec: RFC 9112 sections 6 and 7.1.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from windtunnel_fakeserver._wire.head import Head

_HEX = re.compile(rb"[0-9A-Fa-f]+\Z")
_MAX_SIZE_DIGITS = 16


class NoBody:
    """No body at all; the base of the other two.

    Attributes:
        notes: What was wrong with it; offsets count from its first byte.
        broken: True when its end cannot be found, so nothing after it can be read.
        trailers: Field lines after a chunked body.
    """

    __slots__ = ("broken", "notes", "trailers")

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.broken = False
        self.trailers: list[tuple[str, str]] = []


class LengthBody(NoBody):
    """A body of ``length`` bytes."""

    __slots__ = ("length",)

    def __init__(self, length: int) -> None:
        super().__init__()
        self.length = length

    def scan(self, buffer: bytearray) -> int:
        """Say how many bytes of the buffer the body takes, or -1 if more must come."""
        return self.length if len(buffer) >= self.length else -1

    def decoded(self, buffer: bytearray) -> bytes:
        """Return the content found so far."""
        return bytes(memoryview(buffer)[: self.length])

    def missing(self, buffer: bytearray) -> str:
        """Say in words what had come when the client ended."""
        return f"{len(buffer)} of {self.length} body bytes had arrived"


class ChunkedBody(NoBody):
    """A chunked body, read tolerantly: a bare LF is noted, a bad size breaks it."""

    __slots__ = ("_at", "_content", "_left", "_scanned")

    def __init__(self) -> None:
        super().__init__()
        self._at = 0
        self._scanned = 0
        self._content = bytearray()
        # Bytes of the present chunk still to come; -1 a size line, -2 trailers,
        # 0 the line end behind the data of a chunk.
        self._left = -1

    def scan(self, buffer: bytearray) -> int:
        """Say how many bytes of the buffer the body takes, or -1 if more must come.

        Called again with the same, longer buffer. A broken body says where it broke.
        """
        while not self.broken:
            if self._left > 0:
                taken = buffer[self._at : self._at + self._left]
                self._content += taken
                self._at += len(taken)
                self._left -= len(taken)
                if self._left:
                    return -1
            line = self._line(buffer)
            if line is None:
                return -1
            start, self._at = self._at, self._scanned
            if self._left == -2 and not line:
                break
            self._take(line, start)
        return self._at

    def _line(self, buffer: bytearray) -> bytes | None:
        end = buffer.find(b"\n", max(self._at, self._scanned))
        if end < 0:
            self._scanned = len(buffer)
            return None
        self._scanned = end + 1
        line = bytes(buffer[self._at : end])
        if not line.endswith(b"\r"):
            self.notes.append(
                f"body byte {end}: bare LF in chunked framing (RFC 9112 7.1)"
            )
            return line
        return line[:-1]

    def _take(self, line: bytes, start: int) -> None:
        if self._left == 0:
            self._left = -1
            if line:
                self._break(start, f"{line[:40]!r} where CRLF ends a chunk", "7.1")
        elif self._left == -2:
            name, _, value = line.decode("latin-1").partition(":")
            self.trailers.append((name, value.strip(" \t")))
        else:
            self._size(line, start)

    def _size(self, line: bytes, start: int) -> None:
        digits, semicolon, _ = line.partition(b";")
        size = digits.rstrip(b" \t") if semicolon else digits
        if not _HEX.match(size) or len(size.lstrip(b"0")) > _MAX_SIZE_DIGITS:
            self._break(start, f"chunk size {line[:40]!r} is not hex digits", "7.1")
            return
        if size != digits:
            self.notes.append(
                f"body byte {start}: space before a chunk extension (RFC 9112 7.1.1)"
            )
        self._left = int(size, 16) or -2

    def _break(self, start: int, what: str, section: str) -> None:
        self.notes.append(f"body byte {start}: {what} (RFC 9112 {section})")
        self.broken = True
        self._at = start

    def decoded(self, buffer: bytearray) -> bytes:
        """Return the content found so far, without framing."""
        del buffer
        return bytes(self._content)

    def missing(self, buffer: bytearray) -> str:
        """Say in words what had come when the client ended."""
        del buffer
        return f"the last chunk had not arrived, {len(self._content)} body bytes had"


Body: TypeAlias = LengthBody | ChunkedBody | NoBody


def body_of(head: Head) -> Body:
    """Choose how the end of the body behind a head is found.

    Disagreements are noted on ``head.notes``: Transfer-Encoding wins over
    Content-Length, the first of different lengths wins, a length that is no number
    counts as none.

    Spec: RFC 9112 section 6.3, rules 3 to 7, as a recording server may bend them.
    """
    lowered = head.raw.lower()
    if b"content-length" not in lowered and b"transfer-encoding" not in lowered:
        return NoBody()
    codings = head.values("transfer-encoding")
    lengths = head.values("content-length")
    if codings:
        return _by_coding(codings, lengths, head)
    if not lengths:
        return NoBody()
    return _by_length(lengths, head.notes)


def _by_coding(codings: list[str], lengths: list[str], head: Head) -> Body:
    if lengths:
        head.notes.append(
            "Transfer-Encoding together with Content-Length (RFC 9112 6.1)"
        )
    if head.version == "HTTP/1.0":
        head.notes.append("Transfer-Encoding in an HTTP/1.0 request (RFC 9112 6.1)")
    names = [coding.strip(" \t").lower() for coding in ",".join(codings).split(",")]
    if names.count("chunked") > 1:
        head.notes.append("chunked is applied more than once (RFC 9112 6.1)")
    if names[-1] == "chunked":
        return ChunkedBody()
    head.notes.append(
        f"Transfer-Encoding {codings[-1][:40]!r} does not end in chunked (RFC 9112 6.3)"
    )
    body = NoBody()
    body.broken = True
    return body


def _by_length(lengths: list[str], notes: list[str]) -> Body:
    values = [value.strip(" \t") for value in ",".join(lengths).split(",")]
    if len(values) > 1:
        same = "repeated" if len(set(values)) == 1 else "different"
        notes.append(
            f"{same} Content-Length values {', '.join(values)[:40]!r} (RFC 9112 6.3)"
        )
    if not (values[0].isascii() and values[0].isdigit()):
        notes.append(f"Content-Length {values[0][:40]!r} is not digits (RFC 9112 6.3)")
        return NoBody()
    length = int(values[0][:40])
    return LengthBody(length) if length else NoBody()
