"""Frames: bytes of the server in any cut to messages, and payloads to masked frames.

In come bytes in the order in which they arrived, out go whole messages and control
frames through one callback. It is strict, and fails at the first byte that can never
become right. It knows no connection and no close handshake.

There are three ways through it. A small frame that came whole is cut out and delivered
at once. A large unfragmented binary message is received straight into its own memory
(``room`` and ``filled``). Everything else goes piece by piece through an ``Assembly``.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Final

from windtunnel._wire.violation import seen
from windtunnel._wire.ws_message import Assembly, bad_text, check_size
from windtunnel._wire.ws_rules import (
    BINARY,
    CLOSE,
    CONTINUATION,
    FIN,
    INVALID_DATA,
    MAX_CONTROL_BYTES,
    NO_STATUS,
    PING,
    PONG,
    PROTOCOL_ERROR,
    RSV1,
    TEXT,
    FrameError,
    may_be_on_the_wire,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from windtunnel._wire.ws_deflate import Inflater

    # Opcode, payload (of a close frame, its code), "" (of a close frame, its reason).
    Item = tuple[int, str | bytes | int, str]

_WHOLE_BINARY: Final = FIN | BINARY
# Frames that are a message of their own.
_WHOLE: Final = (_WHOLE_BINARY, FIN | TEXT)
_MASKED: Final = 0x80
_unpack_head = Struct("!BBH").unpack_from
_pack_short = Struct("!BB4s").pack
_pack_medium = Struct("!BBH4s").pack
_pack_long = Struct("!BBQ4s").pack
_FRAMING: Final = "RFC 6455 section 5.2"
# Longer binary messages are received into memory of their own, up to a size that a
# peer may make us reserve by announcing it.
_DIRECT_BYTES: Final = 65536
_RESERVED_BYTES: Final = 2**24
# One buffer to receive into is kept for the next large message of any connection:
# new memory of this size costs a page fault for every 4 KiB.
_SPARE: Final[list[bytearray]] = []
_SPARE_BYTES: Final = 2**22


class FrameReader:
    """Reads what a server sends after the handshake.

    Args:
        deliver: Called with (opcode, payload, "") for each message, ping and pong; and
            with (CLOSE, code, reason), where the code is 0 if there is none.
        max_bytes: Payload bytes of one message allowed, after inflation; 0 for any
            number.
        inflater: What undoes compression, None if it was not agreed on.
        decode_text: Whether text is delivered as str, else as checked bytes.
        kinds: What text and binary messages are delivered as, in place of the opcode.

    Attributes:
        inflated: Bytes that inflating has made; whoever counts them sets it back.
    """

    __slots__ = (
        "_binary_kind",
        "_control",
        "_deliver",
        "_direct",
        "_direct_view",
        "_first",
        "_got",
        "_head",
        "_inflater",
        "_is_over",
        "_left",
        "_limit",
        "_max_bytes",
        "_message",
        "_offset",
        "_text_as_str",
        "_text_kind",
        "inflated",
    )

    def __init__(
        self,
        deliver: Callable[[Item], object],
        *,
        max_bytes: int,
        inflater: Inflater | None = None,
        decode_text: bool = True,
        kinds: tuple[int, int] = (TEXT, BINARY),
    ) -> None:
        self._deliver = deliver
        self._text_kind, self._binary_kind = kinds
        self.inflated = 0
        self._max_bytes = max_bytes
        self._limit = max_bytes or 2**63
        self._inflater = inflater
        self._text_as_str = decode_text
        self._head = b""
        self._offset = 0
        self._is_over = False
        # The message whose last frame has not come completely, and of the frame that
        # is arriving: first byte, bytes that are missing, payload of a control frame.
        self._message: Assembly | None = None
        self._first = 0
        self._left = 0
        self._control = b""
        self._direct: bytearray | None = None
        self._direct_view = memoryview(b"")
        self._got = 0

    def feed(self, data: bytes) -> None:
        """Take the next bytes; those after a close frame are dropped.

        Raises:
            FrameError: They break a rule; whatever came before was delivered.

        Spec: RFC 6455 sections 5.2 and 1.4.
        """
        if self._is_over:
            return
        # Without a copy if there is no head.
        data = self._head + data
        deliver, limit, size = self._deliver, self._limit, len(data)
        position = self._take(data, 0) if self._left else 0
        binary, is_between = self._binary_kind, self._message is None
        while size - position >= 4:
            # One call is cheaper than four indices; of a short frame, ``more`` is not
            # part of the length.
            first, length, more = _unpack_head(data, position)
            if length < 126:
                start = position + 2
            elif length == 126 and more > 125:
                start, length = position + 4, more
            else:
                self._check(first, length, position)
                start, length = self._long_length(data, position)
                if length < 0:
                    break
            stop = start + length
            if first in _WHOLE and stop <= size and length <= limit and is_between:
                if first == _WHOLE_BINARY:
                    deliver((binary, data[start:stop], ""))
                else:
                    deliver(
                        (self._text_kind, self._text(data[start:stop], position), "")
                    )
                position = stop
            else:
                position = self._begin(first, length, data, start, position)
                is_between = self._message is None
        if size - position >= 2:
            position = self._feed_rest(data, position)
        self._head = data[position:]
        self._offset += position

    def _feed_rest(self, data: bytes, position: int) -> int:
        """Take a frame of which at most three bytes, or not all of its head, came."""
        first, length = data[position], data[position + 1]
        if length < 126:
            return self._begin(first, length, data, position + 2, position)
        self._check(first, length, position)
        return position

    def _text(self, data: bytes, position: int) -> str | bytes:
        try:
            text = data.decode()
        except UnicodeDecodeError as exc:
            raise bad_text(data[exc.start :], self._offset + position) from exc
        return text if self._text_as_str else data

    def room(self) -> memoryview | None:
        """Give the memory where the next bytes belong, None if they go to ``feed``."""
        if self._direct is None:
            return None
        return self._direct_view[self._got :]

    def filled(self, size: int) -> None:
        """Take ``size`` bytes that were put into ``room``."""
        self._offset += size
        self._got += size
        self._left -= size
        if self._left == 0:
            self._end_direct()

    # --- heads ----------------------------------------------------------------------

    def _long_length(self, data: bytes, position: int) -> tuple[int, int]:
        """Read a length that is not simple; -1 if not all of it has come."""
        start = position + 2
        if data[position + 1] == 126:
            length = int.from_bytes(data[start : start + 2], "big")
            raise self._not_minimal(length, position)
        if len(data) - start < 8:
            return start, -1
        length = int.from_bytes(data[start : start + 8], "big")
        if length >> 63:
            raise FrameError(
                PROTOCOL_ERROR,
                f"frame length {seen(data[start : start + 8])} has its highest bit set",
                rule=_FRAMING,
                offset=self._offset + position,
            )
        if length < 65536:
            raise self._not_minimal(length, position)
        return start + 8, length

    def _not_minimal(self, length: int, position: int) -> FrameError:
        return FrameError(
            PROTOCOL_ERROR,
            f"frame length {length} is written in more bytes than it needs",
            rule=_FRAMING,
            offset=self._offset + position,
        )

    def _check(self, first: int, length: int, position: int) -> None:
        """Refuse the first two bytes of a frame that can never become right."""
        text = None
        opcode = first & 0x0F
        reserved = first & 0x70
        if reserved and not self._may_be_compressed(first):
            text = f"reserved bits {reserved >> 4:03b} in a frame of opcode {opcode}"
        elif opcode not in (CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG):
            text = f"opcode {opcode} is not defined"
        elif length & _MASKED:
            text = "frame of a server is masked"
        elif opcode >= CLOSE:
            if not first & FIN:
                text = f"control frame of opcode {opcode} is fragmented"
            elif length > MAX_CONTROL_BYTES:
                text = (
                    f"control frame of opcode {opcode} has more than "
                    f"{MAX_CONTROL_BYTES} bytes"
                )
        elif opcode == CONTINUATION and self._message is None:
            text = "continuation frame without a message to continue"
        elif opcode != CONTINUATION and self._message is not None:
            text = f"frame of opcode {opcode} within a fragmented message"
        if text is not None:
            raise FrameError(
                PROTOCOL_ERROR, text, rule=_rule(opcode), offset=self._offset + position
            )

    def _may_be_compressed(self, first: int) -> bool:
        return (
            self._inflater is not None
            and first & 0x70 == RSV1
            and first & 0x0F in (TEXT, BINARY)
        )

    # --- frames that take the slow path ---------------------------------------------

    def _begin(
        self, first: int, length: int, data: bytes, start: int, position: int
    ) -> int:
        """Begin a frame that is not simple, and take what has come of it.

        Returns:
            The index after the last byte that was used.
        """
        at = self._offset + position
        self._check(first, length if length < 126 else 126, position)
        opcode = first & 0x0F
        self._first = first
        self._left = length
        message = self._message
        if opcode >= CLOSE:
            self._control = b""
        elif message is not None:
            message.check_size(length, at)
        elif not first & RSV1:
            check_size(length, self._max_bytes, at)
        if message is None and opcode < CLOSE:
            if first == _WHOLE_BINARY and _DIRECT_BYTES < length <= _RESERVED_BYTES:
                self._begin_direct(length)
            else:
                self._message = Assembly(
                    opcode,
                    self._inflater if first & RSV1 else None,
                    self._max_bytes,
                    is_decoded=self._text_as_str,
                )
        return self._take(data, start)

    def _take(self, data: bytes, start: int) -> int:
        """Take payload of the frame that is arriving."""
        stop = min(start + self._left, len(data))
        piece = data[start:stop]
        self._left = left = self._left - len(piece)
        at = self._offset + start
        if self._direct is not None:
            self._direct_view[self._got : self._got + len(piece)] = piece
            self._got += len(piece)
            if left == 0:
                self._end_direct()
        elif self._first & 0x0F >= CLOSE:
            self._control += piece
            if left == 0:
                self._end_control(at)
                if self._is_over:
                    return len(data)
        else:
            message = self._message
            assert message is not None
            message.add(piece, at)
            if left == 0 and self._first & FIN:
                payload = message.finish(at)
                self._message = None
                if message.is_compressed:
                    self.inflated += message.size
                kind = self._text_kind if message.opcode == TEXT else self._binary_kind
                self._deliver((kind, payload, ""))
        return stop

    def _begin_direct(self, length: int) -> None:
        body = _SPARE.pop() if _SPARE else bytearray()
        if len(body) < length:
            body = bytearray(length)
        self._direct = body
        self._direct_view = memoryview(body)[:length]
        self._got = 0

    def _end_direct(self) -> None:
        body, payload = self._direct, bytes(self._direct_view)
        self._direct_view.release()
        self._direct = None
        if body is not None and len(body) <= _SPARE_BYTES and not _SPARE:
            _SPARE.append(body)
        self._deliver((self._binary_kind, payload, ""))

    def _end_control(self, at: int) -> None:
        payload, self._control = self._control, b""
        opcode = self._first & 0x0F
        if opcode == CLOSE:
            code, reason = parse_close(payload, at)
            self._is_over = True
            self._deliver((CLOSE, 0 if code == NO_STATUS else code, reason))
        else:
            self._deliver((opcode, payload, ""))


def _rule(opcode: int) -> str:
    return "RFC 6455 section 5.5" if opcode >= CLOSE else "RFC 6455 section 5"


def parse_close(payload: bytes, offset: int) -> tuple[int, str]:
    """Read the payload of a close frame.

    Args:
        payload: All of it.
        offset: Where the frame is.

    Returns:
        Code and reason; 1005 if there is no code.

    Raises:
        FrameError: There is half a code, one that may not be sent, or the reason is
            not UTF-8.

    Spec: RFC 6455 sections 5.5.1 and 7.4.
    """
    if not payload:
        return NO_STATUS, ""
    code = int.from_bytes(payload[:2], "big")
    if len(payload) == 1 or not may_be_on_the_wire(code):
        raise FrameError(
            PROTOCOL_ERROR,
            f"close frame with {seen(payload)}: its code must be 1000 to 1003, 1007 to "
            "1014 or 3000 to 4999",
            rule="RFC 6455 section 7.4",
            offset=offset,
        )
    try:
        return code, payload[2:].decode()
    except UnicodeDecodeError as exc:
        raise FrameError(
            INVALID_DATA,
            f"reason of a close frame has {seen(payload[2 + exc.start :][:4])}, which "
            "is not UTF-8",
            rule="RFC 6455 section 5.5.1",
            offset=offset,
        ) from exc


def frame_head(first: int, length: int, key: bytes) -> bytes:
    """Write the head of a masked frame.

    Args:
        first: FIN, reserved bits and opcode.
        length: Bytes of payload.
        key: The four bytes it is masked with.

    Spec: RFC 6455 section 5.2.
    """
    if length < 126:
        return _pack_short(first, _MASKED | length, key)
    if length < 65536:
        return _pack_medium(first, _MASKED | 126, length, key)
    return _pack_long(first, _MASKED | 127, length, key)
