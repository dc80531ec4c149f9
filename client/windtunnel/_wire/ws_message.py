"""A message that does not come in one piece: fragments, compression, slow arrival.

Pieces of payload come in as they arrive, the whole message goes out. It is the slow
path beside ``ws_frames``, and the one place that counts, inflates and checks UTF-8
piece by piece, so that a message is refused at its first bad byte.
"""

from __future__ import annotations

import io
from codecs import utf_8_decode
from typing import TYPE_CHECKING

from windtunnel._wire.violation import seen
from windtunnel._wire.ws_rules import INVALID_DATA, TEXT, TOO_BIG, FrameError

if TYPE_CHECKING:
    from windtunnel._wire.ws_deflate import Inflater


class Assembly:
    """One message under construction.

    Args:
        opcode: TEXT or BINARY.
        inflater: What undoes its compression, None if it has none.
        max_bytes: Payload bytes allowed, after inflation; 0 for any number.
        is_decoded: Whether a text becomes str; its bytes are checked anyway.

    Attributes:
        size: Payload bytes so far, after inflation.
        is_compressed: Whether they are inflated.
        opcode: As given.
    """

    __slots__ = (
        "_bytes",
        "_inflater",
        "_is_decoded",
        "_max_bytes",
        "_rest",
        "_text",
        "is_compressed",
        "opcode",
        "size",
    )

    def __init__(
        self,
        opcode: int,
        inflater: Inflater | None,
        max_bytes: int,
        *,
        is_decoded: bool,
    ) -> None:
        self.opcode = opcode
        self.size = 0
        self._inflater = inflater
        self.is_compressed = inflater is not None
        self._max_bytes = max_bytes
        self._is_decoded = is_decoded and opcode == TEXT
        self._bytes = bytearray()
        self._text = io.StringIO(newline="")
        # The beginning of a character whose end has not come: 0..3 bytes.
        self._rest = b""

    def check_size(self, length: int, offset: int) -> None:
        """Refuse a frame whose announced length is too much, before it arrives."""
        if self._inflater is None:
            check_size(self.size + length, self._max_bytes, offset)

    def add(self, data: bytes, offset: int) -> None:
        """Take the next bytes of payload.

        Args:
            data: The bytes, as they are on the wire.
            offset: Where their frame began.

        Raises:
            FrameError: Too big, not UTF-8, or not deflate.
        """
        if self._inflater is None:
            self._store(data, offset)
        else:
            for piece in self._inflater.inflate(data, offset):
                self._store(piece, offset)

    def finish(self, offset: int) -> str | bytes:
        """Give the whole message, after its last byte.

        Raises:
            FrameError: As in ``add``, or the text ends within a character.
        """
        if self._inflater is not None:
            for piece in self._inflater.finish(offset):
                self._store(piece, offset)
        if self._rest:
            raise bad_text(self._rest, offset)
        return self._text.getvalue() if self._is_decoded else bytes(self._bytes)

    def _store(self, data: bytes, offset: int) -> None:
        self.size += len(data)
        check_size(self.size, self._max_bytes, offset)
        if self.opcode == TEXT:
            pending = self._rest + data
            try:
                text, used = utf_8_decode(pending, "strict", False)
            except UnicodeDecodeError as exc:
                raise bad_text(pending[exc.start :], offset) from exc
            self._rest = rest = pending[used:]
            # Half a surrogate, which the codec takes for the start of something.
            if rest[:1] == b"\xed" and rest[1:] >= b"\xa0":
                raise bad_text(rest, offset)
            if self._is_decoded:
                self._text.write(text)
                return
        self._bytes += data


def check_size(size: int, max_bytes: int, offset: int) -> None:
    """Refuse a message of more than so many bytes; 0 allows any number.

    Raises:
        FrameError: It has more.
    """
    if size > max_bytes > 0:
        raise FrameError(
            TOO_BIG,
            f"message of at least {size} bytes is more than {max_bytes}",
            rule="limit max_msg_size, RFC 6455 section 10.4",
            offset=offset,
        )


def bad_text(data: bytes, offset: int) -> FrameError:
    """Make the error for text that is not UTF-8, from its first bad byte on."""
    return FrameError(
        INVALID_DATA,
        f"text has {seen(data[:4])}, which is not UTF-8",
        rule="RFC 6455 section 8.1",
        offset=offset,
    )
