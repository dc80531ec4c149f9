"""A response's hold on the connection that is still bringing its body.

It exists only while a body is on its way: a response that came whole has none.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

    from windtunnel._body.stream import StreamReader
    from windtunnel._transport.connection import Connection, Successor
    from windtunnel._transport.handle import Connection as Handle
    from windtunnel._transport.settings import Answer
    from windtunnel._wire.violation import WireError


class Lease:
    """The right to the rest of one answer; dropping it closes the connection."""

    __slots__ = ("_connection", "_handle", "_token")

    def __init__(self, connection: Connection, token: asyncio.Future[Answer]) -> None:
        self._connection = connection
        self._token = token
        self._handle: Handle | None = None

    @property
    def is_over(self) -> bool:
        """Whether the body has arrived completely, or failed."""
        return not self._connection.serves(self._token)

    def handle(self, stream: StreamReader) -> Handle:
        """Show the connection that brings a stream to the user."""
        handle = self._handle
        if handle is None:
            from windtunnel._transport.handle import Connection as Handle

            connection, token = self._connection, self._token
            handle = self._handle = Handle(
                None, connection.key, connection, token.get_loop()
            )
            handle.serve(token)
            stream.on_eof(handle.end)
        return handle

    def refuse_switch(self) -> WireError:
        """Close the connection of a 101 nobody asked for; the error is returned."""
        return self._connection.refuse_switch(self._token)

    def hand_over(self, protocol: Successor) -> Connection | None:
        """Let another protocol use the transport, after a response of status 101.

        Returns:
            The connection, which wants to hear when the transport is gone; None if it
            is gone already.
        """
        connection = self._connection
        return connection if connection.hand_over(self._token, protocol) else None

    def release(self) -> None:
        """Close the connection unless the body has arrived. Harmless if repeated."""
        self._connection.abandon(self._token)
        if self._handle is not None:
            self._handle.end()

    def __del__(self) -> None:
        loop = self._token.get_loop()
        if self.is_over or loop.is_closed():
            return
        if loop.get_debug():
            # Compat: aiohttp is silent outside debug mode, too.
            warnings.warn(
                f"Unclosed response on {self._connection!r}",
                ResourceWarning,
                stacklevel=2,
                source=self,
            )
        self.release()
