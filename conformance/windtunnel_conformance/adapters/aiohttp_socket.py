"""WebSockets of client libraries that have aiohttp's public API.

In: the module, its session, and the fields of ``ws``, ``send``, ``recv`` and ``close``.
Out: results. Imports no client.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from windtunnel_conformance.adapters.base import given_bytes
from windtunnel_conformance.adapters.conversation import pairs, text_field

if TYPE_CHECKING:
    from types import ModuleType

    from windtunnel_conformance.adapters.base import ActionResult, JsonObject
    from windtunnel_conformance.case import Json

_COMPRESS_BITS = 15


@final
class Sockets:
    """The open WebSockets of one session, by name."""

    def __init__(self, module: ModuleType, session: Any) -> None:
        self._types = module.WSMsgType
        self._session = session
        self._open: dict[str, Any] = {}

    async def perform(
        self, verb: str, name: str, fields: JsonObject, result: ActionResult
    ) -> None:
        """Do ``ws``, ``send`` or ``recv``."""
        if verb == "ws":
            await self._connect(name, fields, result)
        elif verb == "send":
            await self._send(self._open[name], fields)
        else:
            await self._receive(self._open[name], fields, result)

    async def close(self, name: str, fields: JsonObject, result: ActionResult) -> None:
        """Close with the code and reason that are given, and report the peer's."""
        arguments: dict[str, Any] = {}
        if "code" in fields:
            arguments["code"] = fields["code"]
        if "reason" in fields:
            arguments["message"] = text_field(fields, "reason").encode()
        socket = self._open[name]
        await socket.close(**arguments)
        result["close_code"] = _number(socket.close_code)

    async def _connect(
        self, name: str, fields: JsonObject, result: ActionResult
    ) -> None:
        arguments: dict[str, Any] = {
            "compress": _COMPRESS_BITS if fields.get("compress") is True else 0
        }
        if "headers" in fields:
            arguments["headers"] = pairs(fields["headers"])
        if "protocols" in fields:
            arguments["protocols"] = fields["protocols"]
        if "max_size" in fields:
            arguments["max_msg_size"] = fields["max_size"]
        socket = await self._session.ws_connect(text_field(fields, "url"), **arguments)
        self._open[name] = socket
        if socket.protocol is not None:
            result["protocol"] = socket.protocol

    async def _send(self, socket: Any, fields: JsonObject) -> None:
        if "text" in fields:
            await socket.send_str(fields["text"])
        else:
            await socket.send_bytes(given_bytes(fields["bytes"]))

    async def _receive(
        self, socket: Any, fields: JsonObject, result: ActionResult
    ) -> None:
        messages: list[Json] = []
        result["messages"] = messages
        wants_all = fields.get("until") == "closed"
        while True:
            message = await socket.receive()
            if message.type is self._types.TEXT:
                messages.append({"text": message.data})
            elif message.type is self._types.BINARY:
                messages.append({"bytes": bytes(message.data).decode("latin-1")})
            else:
                result["close_code"] = _number(socket.close_code)
                if message.type is self._types.ERROR:
                    raise message.data
                return
            if not wants_all:
                return


def _number(code: int | None) -> int | None:
    """Give a plain number for a member of an enumeration."""
    return None if code is None else int(code)
