"""An asyncio HTTP client with the public API of aiohttp's client.

A request flows down and its response up::

    _session    verbs, defaults, the life of a session
    _websocket  messages both ways, after the handshake
    _exchange   one request and its response: head, retry, errors
    _transport  pool, dialling, TLS, and the one object per connection
    _body       what is sent, and the stream that is read
    _policy     decisions without I/O         _wire  bytes without I/O
"""

from __future__ import annotations

from windtunnel import hdrs
from windtunnel._base.fingerprint import Fingerprint
from windtunnel._base.typedefs import (
    AddrInfoType,
    HttpVersion,
    HttpVersion10,
    HttpVersion11,
    RequestInfo,
    SocketFactoryType,
)
from windtunnel._base.version import __version__
from windtunnel._body.payloads import Payload
from windtunnel._body.stream import StreamReader
from windtunnel._exchange.response import ClientResponse
from windtunnel._policy.deadline import ClientTimeout
from windtunnel._session.session import ClientSession
from windtunnel._transport.connector import BaseConnector
from windtunnel._transport.local import NamedPipeConnector, UnixConnector
from windtunnel._transport.resolver import (
    AsyncResolver,
    DefaultResolver,
    ThreadedResolver,
)
from windtunnel._transport.tcp import TCPConnector
from windtunnel._websocket.messages import (
    ClientWSTimeout,
    WSCloseCode,
    WSMessage,
    WSMsgType,
)
from windtunnel._websocket.socket import ClientWebSocketResponse
from windtunnel.errors import (
    ClientConnectionError,
    ClientConnectionResetError,
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientConnectorSSLError,
    ClientError,
    ClientHttpProxyError,
    ClientOSError,
    ClientPayloadError,
    ClientProxyConnectionError,
    ClientResponseError,
    ClientSSLError,
    ConnectionTimeoutError,
    ContentTypeError,
    InvalidURL,
    InvalidUrlClientError,
    InvalidUrlRedirectClientError,
    NonHttpUrlClientError,
    NonHttpUrlRedirectClientError,
    RedirectClientError,
    ServerConnectionError,
    ServerDisconnectedError,
    ServerFingerprintMismatch,
    ServerTimeoutError,
    SocketTimeoutError,
    TooManyRedirects,
    TotalTimeoutError,
    UploadAbortedError,
    WebSocketError,
    WSMessageTypeError,
    WSServerHandshakeError,
)

__all__ = (
    "AddrInfoType",
    "AsyncResolver",
    "BaseConnector",
    "ClientConnectionError",
    "ClientConnectionResetError",
    "ClientConnectorCertificateError",
    "ClientConnectorDNSError",
    "ClientConnectorError",
    "ClientConnectorSSLError",
    "ClientError",
    "ClientHttpProxyError",
    "ClientOSError",
    "ClientPayloadError",
    "ClientProxyConnectionError",
    "ClientResponse",
    "ClientResponseError",
    "ClientSSLError",
    "ClientSession",
    "ClientTimeout",
    "ClientWSTimeout",
    "ClientWebSocketResponse",
    "ConnectionTimeoutError",
    "ContentTypeError",
    "DefaultResolver",
    "Fingerprint",
    "HttpVersion",
    "HttpVersion10",
    "HttpVersion11",
    "InvalidURL",
    "InvalidUrlClientError",
    "InvalidUrlRedirectClientError",
    "NamedPipeConnector",
    "NonHttpUrlClientError",
    "NonHttpUrlRedirectClientError",
    "Payload",
    "RedirectClientError",
    "RequestInfo",
    "ServerConnectionError",
    "ServerDisconnectedError",
    "ServerFingerprintMismatch",
    "ServerTimeoutError",
    "SocketFactoryType",
    "SocketTimeoutError",
    "StreamReader",
    "TCPConnector",
    "ThreadedResolver",
    "TooManyRedirects",
    "TotalTimeoutError",
    "UnixConnector",
    "UploadAbortedError",
    "WSCloseCode",
    "WSMessage",
    "WSMessageTypeError",
    "WSMsgType",
    "WSServerHandshakeError",
    "WebSocketError",
    "__version__",
    "hdrs",
)
