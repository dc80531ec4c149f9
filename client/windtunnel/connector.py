"""Names of ``aiohttp.connector``: where connections come from."""

from __future__ import annotations

from windtunnel import (
    AddrInfoType,
    BaseConnector,
    NamedPipeConnector,
    SocketFactoryType,
    TCPConnector,
    UnixConnector,
)
from windtunnel._transport.handle import (
    Connection,
)

__all__ = (
    "AddrInfoType",
    "BaseConnector",
    "Connection",
    "NamedPipeConnector",
    "SocketFactoryType",
    "TCPConnector",
    "UnixConnector",
)
