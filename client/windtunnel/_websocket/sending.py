"""The half of a WebSocket that sends.

Messages of the user come in, payloads go to the link. Mistakes are found here, before
anything is on the wire; the link knows whether it is still open.
"""

from __future__ import annotations

import json as json_module
from typing import TYPE_CHECKING, Any, Final

from windtunnel._websocket.messages import WSMsgType
from windtunnel._websocket.payloads import (
    check_type,
    check_window,
    control_payload,
    octets,
)
from windtunnel._wire.ws_rules import BINARY, FIN, TEXT

if TYPE_CHECKING:
    from collections.abc import Callable

    from windtunnel._websocket.link import Link


_WHOLE_TEXT: Final = FIN | TEXT
_WHOLE_BINARY: Final = FIN | BINARY


class Sender:
    """Sends over a link; any number of tasks may, and their messages do not mix."""

    __slots__ = ("_link",)

    def __init__(self, link: Link) -> None:
        self._link = link

    async def ping(self, message: bytes | str = b"") -> None:
        """Send a ping; arguments and errors as in ``pong``."""
        await self._send(WSMsgType.PING, control_payload(message))

    async def pong(self, message: bytes | str = b"") -> None:
        """Send a pong.

        Args:
            message: Its payload, at most 125 bytes.

        Raises:
            ClientConnectionResetError: The connection is closed or closing.
            ValueError: The payload is too long.
        """
        await self._send(WSMsgType.PONG, control_payload(message))

    async def send_str(self, data: str, compress: int | None = None) -> None:
        """Send a text message, and wait until there is room for more.

        Args:
            data: The text.
            compress: Window bits to compress this message with on its own, 9..15, if
                compression was agreed on; None for what was.

        Raises:
            ClientConnectionResetError: The connection is closed or closing.
            TypeError: It is no str.
            ValueError: ``compress`` is out of range.
        """
        if type(data) is not str:
            check_type(data, str, "str")
        link = self._link
        if compress or link.deflate is not None:
            check_window(compress)
            await link.send_compressed(TEXT, data.encode(), compress)
        else:
            link.send(_WHOLE_TEXT, data.encode())
        if link.is_full:
            await link.writable()

    async def send_bytes(
        self, data: bytes | bytearray | memoryview, compress: int | None = None
    ) -> None:
        """Send a binary message; arguments and errors as in ``send_str``."""
        if type(data) is not bytes:
            check_type(data, (bytes, bytearray, memoryview), "byte-ish")
            data = octets(data)
        link = self._link
        if compress or link.deflate is not None:
            check_window(compress)
            await link.send_compressed(BINARY, data, compress)
        else:
            link.send(_WHOLE_BINARY, data)
        if link.is_full:
            await link.writable()

    async def send_json(
        self,
        data: Any,
        compress: int | None = None,
        *,
        dumps: Callable[[Any], str] = json_module.dumps,
    ) -> None:
        """Send a value as JSON text.

        Args:
            data: The value.
            compress: As in ``send_str``, like the errors.
            dumps: Turns it into text.
        """
        await self.send_str(dumps(data), compress)

    async def send_json_bytes(
        self,
        data: Any,
        compress: int | None = None,
        *,
        dumps: Callable[[Any], bytes],
    ) -> None:
        """Send a value as JSON in a binary message; arguments as in ``send_json``."""
        await self.send_bytes(dumps(data), compress)

    async def send_frame(
        self, message: bytes, opcode: WSMsgType, compress: int | None = None
    ) -> None:
        """Send one frame with its final bit set.

        Args:
            message: Its payload; of text, valid UTF-8.
            opcode: TEXT, BINARY, PING or PONG.
            compress: As in ``send_str``, like the errors.

        Raises:
            ValueError: Another opcode, which would break the protocol.
        """
        link = self._link
        if opcode in (TEXT, BINARY):
            check_window(compress)
            await link.send_compressed(opcode, octets(message), compress)
        elif opcode in (WSMsgType.PING, WSMsgType.PONG):
            link.send(FIN | opcode, control_payload(message))
        else:
            msg = f"opcode={opcode!r} cannot be sent, allowed: TEXT, BINARY, PING, PONG"
            raise ValueError(msg)
        if link.is_full:
            await link.writable()

    async def _send(self, opcode: int, payload: bytes) -> None:
        self._link.send(FIN | opcode, payload)
        if self._link.is_full:
            await self._link.writable()
