"""The WebSocket half of the server: every message goes back as it came.

What comes in: whole binary messages in one frame each, masked, and a close frame. What
goes out: the same. A large message is counted and not unmasked; its answer is bytes
that were made before, because only the client is to be measured.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from typing_extensions import override
else:

    def override(method):  # noqa: ANN001, ANN201  # typed for checkers by the branch above
        """Mark a replaced method. Nothing of the measured client is imported here."""
        return method


_READ_BYTES: Final = 256 * 1024
_BINARY, _CLOSE = 0x82, 0x88
_LARGE_BYTES: Final = 1024 * 1024
_LARGE_REPLY: Final = (
    bytes([_BINARY, 127])
    + _LARGE_BYTES.to_bytes(8, "big")
    + bytes(range(256)) * (_LARGE_BYTES // 256)
)
_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def handshake(head: bytes) -> bytes:
    """Answer a request that opens a WebSocket."""
    key = head.lower().index(b"sec-websocket-key:") + len(b"sec-websocket-key:")
    value = head[key:].partition(b"\r\n")[0].strip()
    accept = base64.b64encode(hashlib.sha1(value + _GUID).digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
        b"Connection: Upgrade\r\nSec-WebSocket-Accept: %b\r\n\r\n" % accept
    )


class Echo(asyncio.BufferedProtocol):
    """One connection after its handshake."""

    def __init__(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._buffer = memoryview(bytearray(_READ_BYTES))
        self._rest = b""
        self._large_left = 0

    @override
    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    @override
    def buffer_updated(self, nbytes: int) -> None:
        taken = min(self._large_left, nbytes)
        if taken:
            self._large_left -= taken
            if self._large_left:
                return
            self._transport.write(_LARGE_REPLY)
        data = self._rest + bytes(self._buffer[taken:nbytes])
        replies: list[bytes] = []
        position = 0
        while (end := self._frame(data, position, replies)) > position:
            position = end
        self._rest = data[position:]
        if replies:
            self._transport.write(b"".join(replies))

    def _frame(self, data: bytes, start: int, replies: list[bytes]) -> int:
        """Read one frame; returns where it ends, ``start`` if it is not whole yet."""
        # The longest head has 14 bytes; a short message with its head has more.
        if len(data) < start + 14 or data[start + 1] & 0x7F != 127:
            return self._short(data, start, replies)
        size = int.from_bytes(data[start + 2 : start + 10], "big")
        if size != _LARGE_BYTES:
            msg = f"a message of {size} bytes is not part of the benchmark"
            raise ValueError(msg)
        self._large_left = size - (len(data) - start - 14)
        return len(data)

    def _short(self, data: bytes, start: int, replies: list[bytes]) -> int:
        if len(data) < start + 2:
            return start
        opcode, size, body = data[start], data[start + 1] & 0x7F, start + 6
        if size == 126:
            size, body = int.from_bytes(data[start + 2 : start + 4], "big"), start + 8
        end = body + size
        if size == 127 or len(data) < end:
            return start
        mask = data[body - 4 : body] * (size // 4 + 1)
        number = int.from_bytes(data[body:end], "big") ^ int.from_bytes(
            mask[:size], "big"
        )
        head = bytes([opcode, size]) if size < 126 else bytes([opcode, 126])
        extended = b"" if size < 126 else size.to_bytes(2, "big")
        replies.append(head + extended + number.to_bytes(size, "big"))
        if opcode == _CLOSE:
            self._transport.write(b"".join(replies))
            replies.clear()
            self._transport.close()
        return end
