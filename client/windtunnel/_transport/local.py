"""The connectors for one machine: Unix sockets, and named pipes of Windows.

A path comes in, connections to it go out, whatever host a URL names: that is only for
the Host field. Neither does TLS.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from windtunnel._base.compat import override
from windtunnel._base.typedefs import UNSET, Unset
from windtunnel._transport.connection import Connection
from windtunnel._transport.connector import BaseConnector
from windtunnel._transport.dial import until
from windtunnel._transport.failures import DialFailed, Phase

if TYPE_CHECKING:
    import asyncio

    from windtunnel._base.typedefs import ConnectionKey
    from windtunnel._transport.dial import Deadlines


class _PathConnector(BaseConnector):
    """What both kinds have in common."""

    def __init__(
        self,
        path: str,
        force_close: bool = False,
        keepalive_timeout: float | Unset | None = UNSET,
        limit: int = 100,
        limit_per_host: int = 0,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(
            force_close=force_close,
            keepalive_timeout=keepalive_timeout,
            limit=limit,
            limit_per_host=limit_per_host,
            loop=loop,
        )
        self._path = path

    @property
    def path(self) -> str:
        """What it connects to."""
        return self._path

    @override
    async def _dial(self, key: ConnectionKey, deadlines: Deadlines) -> Connection:
        deadline = deadlines.earliest_of_attempt(self._loop.time())
        try:
            return await until(deadline, Phase.CONNECT, self._pool, self._connect(key))
        except OSError as exc:
            raise DialFailed(exc, key, path=self._path) from exc

    @abstractmethod
    async def _connect(self, key: ConnectionKey) -> Connection:
        """Connect to the path."""


class UnixConnector(_PathConnector):
    """Connects to a Unix socket.

    Args:
        path: Of the socket, in the file system.
        force_close: As in ``BaseConnector``, like the rest.
        keepalive_timeout: As there.
        limit: As there.
        limit_per_host: As there.
        loop: As there.
    """

    allowed_protocol_schema_set = BaseConnector.allowed_protocol_schema_set | {"unix"}

    @override
    async def _connect(self, key: ConnectionKey) -> Connection:
        _, connection = await self._loop.create_unix_connection(
            lambda: Connection(self._pool, key, self._loop), self._path
        )
        return connection

    @override
    async def close(self, *, abort_ssl: bool = False) -> None:
        """Close all connections and wait until they are; requests in flight fail."""
        await super().close()


class NamedPipeConnector(_PathConnector):
    r"""Connects to a named pipe; only with the proactor event loop of Windows.

    Args:
        path: Of the pipe, such as ``\\.\pipe\name``.
        force_close: As in ``BaseConnector``, like the rest.
        keepalive_timeout: As there.
        limit: As there.
        limit_per_host: As there.
        loop: As there.

    Raises:
        RuntimeError: The event loop is another one.
    """

    allowed_protocol_schema_set = BaseConnector.allowed_protocol_schema_set | {"npipe"}

    def __init__(
        self,
        path: str,
        force_close: bool = False,
        keepalive_timeout: float | Unset | None = UNSET,
        limit: int = 100,
        limit_per_host: int = 0,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(
            path, force_close, keepalive_timeout, limit, limit_per_host, loop
        )
        # Only that loop has it; asyncio has no type for it on other systems.
        self._open_pipe = getattr(self._loop, "create_pipe_connection", None)
        if self._open_pipe is None:
            msg = (
                "Named Pipes only available in proactor loop under windows, this is "
                f"{type(self._loop).__name__}"
            )
            raise RuntimeError(msg)

    @override
    async def _connect(self, key: ConnectionKey) -> Connection:
        assert self._open_pipe is not None
        _, connection = await self._open_pipe(
            lambda: Connection(self._pool, key, self._loop), self._path
        )
        assert isinstance(connection, Connection)
        return connection
