"""The head of a response, parsed line by line: every leniency, limit and error.

In come bytes in any cut; out goes a ``Head`` when the empty line has come, or a
``WireError`` as early as the bytes show that something is wrong. It is used when the
head did not arrive in one read or is not perfectly regular.

What is taken although the grammar forbids it: a bare LF as line end (RFC 9112 section
2.2) and a folded line, whose line end becomes one SP (section 5.2).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from windtunnel._wire.head import TOKEN_CHARACTERS, Head
from windtunnel._wire.violation import WireError, seen

if TYPE_CHECKING:
    from windtunnel._wire.limits import Limits

_PREFIX = b"HTTP/1."
_STATUS_LINE = re.compile(rb"HTTP/1\.([0-9]) ([1-9][0-9]{2})(?: (.*))?", re.DOTALL)
_NAME = re.compile(rb"[" + TOKEN_CHARACTERS.encode() + rb"]+")
_BLANK = b" \t"
# Bytes of a field line that do not count: colon, and blanks around the value.
_SLACK = 64


class ExactHead(Head):
    """A head that also knows where its fields were.

    Attributes:
        offsets: Where the line of each field began, in bytes from the first byte of
            the answer.
    """

    __slots__ = ("offsets",)

    def __init__(self, status: int, reason: str, minor: int) -> None:
        super().__init__(status, reason, minor, [])
        self.offsets: list[int] = []


class HeadReader:
    """Collects one head.

    Args:
        limits: What to refuse.
        offset: Bytes that came before this head in answer to the same request.
    """

    __slots__ = ("_fields", "_head", "_limits", "_line_offset", "_pending", "_size")

    def __init__(self, limits: Limits, offset: int = 0) -> None:
        self._limits = limits
        self._line_offset = offset
        self._pending = bytearray()
        self._head: ExactHead | None = None
        self._fields: list[tuple[bytes, bytes]] = []
        self._size = 0

    @property
    def head(self) -> ExactHead:
        """The finished head; only valid after ``feed`` returned a position."""
        assert self._head is not None
        return self._head

    @property
    def end_offset(self) -> int:
        """Where the head ended, in bytes from the first byte of the answer."""
        return self._line_offset

    def feed(self, data: bytes) -> int:
        """Take the next bytes of the connection.

        Returns:
            How many bytes of ``data`` belong to the head if it is complete, else -1.

        Raises:
            WireError: The head breaks a rule or exceeds a limit.
        """
        position = 0
        while (newline := data.find(b"\n", position)) >= 0:
            pending = self._pending
            pending += data[position:newline]
            position = newline + 1
            size = len(pending) + 1
            if self._head is None:
                check_prefix(pending + b"\n", self._line_offset)
            if pending.endswith(b"\r"):
                del pending[-1]
            self._check_line_size(pending)
            is_end = self._take(bytes(pending))
            self._line_offset += size
            if is_end:
                return position
            pending.clear()
        self._pending += data[position:]
        self._check_unfinished()
        return -1

    def _take(self, line: bytes) -> bool:
        """Use one line without its line end; say whether it ended the head."""
        if self._head is None:
            self._head = parse_status_line(line, self._line_offset)
            return False
        if line:
            self._take_field(line, self._head)
            return False
        self._head.fields.extend(
            (_text(name), _text(value)) for name, value in self._fields
        )
        return True

    def _take_field(self, line: bytes, head: ExactHead) -> None:
        if line[0] not in _BLANK:
            name, value = parse_field_line(line, self._line_offset)
            self._size = len(name)
            self._fields.append((name, value))
            head.offsets.append(self._line_offset)
        elif self._fields:
            # A folded line. Its line end and the blanks around become one SP.
            check_characters(line, self._line_offset)
            name, before = self._fields[-1]
            value = (before + b" " + line.strip(_BLANK)).strip(_BLANK)
            self._fields[-1] = (name, value)
        else:
            raise WireError(
                f"the line after the status line begins with a blank: {seen(line)}",
                rule="RFC 9112 section 2.2",
                offset=self._line_offset,
            )
        self._check_field_size(max(self._size + len(value), len(line) - _SLACK))
        if len(self._fields) > self._limits.max_headers:
            raise WireError(
                f"more than {self._limits.max_headers} header fields",
                rule="limit max_headers, RFC 9110 section 5.4",
                offset=self._line_offset,
            )

    def _check_line_size(self, line: bytearray) -> None:
        """Refuse a status line that is too long; fields are counted when folded."""
        limit = self._limits.max_line_size
        if self._head is None and len(line) > limit:
            raise WireError(
                f"status line {seen(line[:limit])}... is longer than {limit} bytes",
                rule="limit max_line_size, RFC 9112 section 4",
                offset=self._line_offset + limit,
            )

    def _check_unfinished(self) -> None:
        """Refuse what can be seen to be wrong before the line end has come."""
        pending = self._pending
        if self._head is None:
            check_prefix(pending, self._line_offset)
            # A line end may still bring one CR, which does not count.
            self._check_line_size(pending.removesuffix(b"\r"))
        else:
            self._check_field_size(len(pending) - 1 - _SLACK)

    def _check_field_size(self, size: int) -> None:
        limit = self._limits.max_field_size
        if size > limit:
            raise WireError(
                f"header field with more than {limit} bytes of name and value",
                rule="limit max_field_size, RFC 9110 section 5.4",
                offset=self._line_offset,
            )


def parse_status_line(line: bytes, offset: int) -> ExactHead:
    """Parse a status line without its line end into a head without fields.

    Raises:
        WireError: It is no status line of HTTP/1.x with a status of 100 to 999.

    Spec: RFC 9112 section 4; RFC 9110 section 2.5 for minor versions above 1.
    """
    check_characters(line, offset)
    match = _STATUS_LINE.fullmatch(line)
    if match is None:
        raise WireError(
            f"status line {seen(line)} is not 'HTTP/1.x' and a status of 100 to 999",
            rule="RFC 9112 section 4",
            offset=offset,
        )
    minor, status, reason = match.groups(b"")
    return ExactHead(int(status), _text(reason.strip(_BLANK)), int(minor))


def check_prefix(start: bytes | bytearray, offset: int) -> None:
    """Refuse what cannot become a status line, be it complete or not.

    The message shows the bytes up to the first wrong one, so that it does not depend
    on how the response was cut into reads.

    Raises:
        WireError: The bytes do not begin like one.
    """
    for at, (byte, expected) in enumerate(zip(start, _PREFIX, strict=False)):
        if byte != expected:
            raise WireError(
                f"response begins with {seen(start[: at + 1])}, expected 'HTTP/1.'",
                rule="RFC 9112 section 4",
                offset=offset + at,
            )


def parse_field_line(line: bytes, offset: int) -> tuple[bytes, bytes]:
    """Split one field line without its line end into name and stripped value.

    Raises:
        WireError: No colon, a name that is no token, or a forbidden character.

    Spec: RFC 9112 section 5; RFC 9110 sections 5.1 and 5.5.
    """
    name, colon, value = line.partition(b":")
    if not colon:
        raise WireError(
            f"header line {seen(line)} has no colon",
            rule="RFC 9112 section 5",
            offset=offset,
        )
    match = _NAME.match(name)
    good = match.end() if match else 0
    if good != len(name):
        blank = name[good : good + 1] in (b" ", b"\t") and not name[good:].strip(_BLANK)
        raise WireError(
            f"whitespace before the colon of header line {seen(line)}"
            if blank
            else f"header name {seen(name)} is not a token",
            rule="RFC 9112 section 5.1" if blank else "RFC 9110 section 5.1",
            offset=offset + good,
        )
    if not name:
        raise WireError(
            f"header line {seen(line)} has an empty name",
            rule="RFC 9110 section 5.1",
            offset=offset,
        )
    check_characters(line, offset)
    return name, value.strip(_BLANK)


def check_characters(line: bytes, offset: int) -> None:
    """Refuse NUL and CR inside a line.

    Other control characters are taken. Compat: aiohttp does the same.

    Raises:
        WireError: One of the two is there.
    """
    if (at := line.find(b"\0")) >= 0:
        raise WireError(
            f"NUL in line {seen(line)}",
            rule="RFC 9110 section 5.5",
            offset=offset + at,
        )
    if (at := line.find(b"\r")) >= 0:
        raise WireError(
            f"CR without LF in line {seen(line)}",
            rule="RFC 9112 section 2.2",
            offset=offset + at,
        )


def located(error: WireError, head: Head, raw: bytes, offset: int) -> WireError:
    """Let an error about a field say where the field was.

    Args:
        error: What was found wrong with the telling fields of a head that could be
            parsed.
        head: That head.
        raw: Its bytes; a head that did not arrive in one read needs none.
        offset: Where it began.
    """
    if error.field < 0:
        return error
    if isinstance(head, ExactHead):
        offset = head.offsets[error.field]
    else:
        number = _number_among_all(head, error.field)
        lines = raw.split(b"\n", number + 1)[: number + 1]
        offset += sum(len(line) + 1 for line in lines)
    return WireError(error.text, rule=error.rule, offset=offset)


def _number_among_all(head: Head, number: int) -> int:
    """Say the place among all fields of one of the telling ones."""
    telling = head.telling
    places: list[int] = []
    for place, field in enumerate(head.fields):
        if len(places) < len(telling) and field == telling[len(places)]:
            places.append(place)
    return places[number]


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")
