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

from typing import TYPE_CHECKING

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
from windtunnel._body.disposition import (
    BadContentDispositionHeader,
    BadContentDispositionParam,
    content_disposition_filename,
    parse_content_disposition,
)
from windtunnel._body.formdata import FormData
from windtunnel._body.payload_async import AsyncIterablePayload, streamer
from windtunnel._body.payload_base import Payload
from windtunnel._body.payload_files import (
    BufferedReaderPayload,
    BytesIOPayload,
    IOBasePayload,
    TextIOPayload,
)
from windtunnel._body.payload_memory import (
    BytesPayload,
    JsonPayload,
    StringIOPayload,
    StringPayload,
)
from windtunnel._body.payload_registry import (
    PAYLOAD_REGISTRY,
    get_payload,
    payload_type,
)
from windtunnel._body.stream import StreamReader
from windtunnel._body.zlib_backend import set_zlib_backend
from windtunnel._exchange.client_request import (
    ClientHandlerType,
    ClientMiddlewareType,
    ClientRequest,
)
from windtunnel._exchange.response import ClientResponse
from windtunnel._policy.auth import BasicAuth, encode_basic_auth
from windtunnel._policy.deadline import ClientTimeout
from windtunnel._session.cookie_jar import CookieJar, DummyCookieJar
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

if TYPE_CHECKING:
    from windtunnel._body.data_queue import DataQueue, EofStream, FlowControlDataQueue
    from windtunnel._body.empty_stream import EMPTY_PAYLOAD
    from windtunnel._body.multipart_part import BodyPartReader
    from windtunnel._body.multipart_read import MultipartReader
    from windtunnel._body.multipart_write import MultipartWriter
    from windtunnel._session.digest import (
        DigestAuthMiddleware,
    )
    from windtunnel._session.helpers import (
        ChainMapProxy,
        ETag,
    )
    from windtunnel._session.tracing import (
        TraceConfig,
        TraceConnectionCreateEndParams,
        TraceConnectionCreateStartParams,
        TraceConnectionQueuedEndParams,
        TraceConnectionQueuedStartParams,
        TraceConnectionReuseconnParams,
        TraceDnsCacheHitParams,
        TraceDnsCacheMissParams,
        TraceDnsResolveHostEndParams,
        TraceDnsResolveHostStartParams,
        TraceRequestChunkSentParams,
        TraceRequestEndParams,
        TraceRequestExceptionParams,
        TraceRequestHeadersSentParams,
        TraceRequestRedirectParams,
        TraceRequestStartParams,
        TraceResponseChunkReceivedParams,
    )

__all__ = (
    "EMPTY_PAYLOAD",
    "PAYLOAD_REGISTRY",
    "AddrInfoType",
    "AsyncIterablePayload",
    "AsyncResolver",
    "BadContentDispositionHeader",
    "BadContentDispositionParam",
    "BaseConnector",
    "BasicAuth",
    "BodyPartReader",
    "BufferedReaderPayload",
    "BytesIOPayload",
    "BytesPayload",
    "ChainMapProxy",
    "ClientConnectionError",
    "ClientConnectionResetError",
    "ClientConnectorCertificateError",
    "ClientConnectorDNSError",
    "ClientConnectorError",
    "ClientConnectorSSLError",
    "ClientError",
    "ClientHandlerType",
    "ClientHttpProxyError",
    "ClientMiddlewareType",
    "ClientOSError",
    "ClientPayloadError",
    "ClientProxyConnectionError",
    "ClientRequest",
    "ClientResponse",
    "ClientResponseError",
    "ClientSSLError",
    "ClientSession",
    "ClientTimeout",
    "ClientWSTimeout",
    "ClientWebSocketResponse",
    "ConnectionTimeoutError",
    "ContentTypeError",
    "CookieJar",
    "DataQueue",
    "DefaultResolver",
    "DigestAuthMiddleware",
    "DummyCookieJar",
    "ETag",
    "EofStream",
    "Fingerprint",
    "FlowControlDataQueue",
    "FormData",
    "HttpVersion",
    "HttpVersion10",
    "HttpVersion11",
    "IOBasePayload",
    "InvalidURL",
    "InvalidUrlClientError",
    "InvalidUrlRedirectClientError",
    "JsonPayload",
    "MultipartReader",
    "MultipartWriter",
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
    "StringIOPayload",
    "StringPayload",
    "TCPConnector",
    "TextIOPayload",
    "ThreadedResolver",
    "TooManyRedirects",
    "TotalTimeoutError",
    "TraceConfig",
    "TraceConnectionCreateEndParams",
    "TraceConnectionCreateStartParams",
    "TraceConnectionQueuedEndParams",
    "TraceConnectionQueuedStartParams",
    "TraceConnectionReuseconnParams",
    "TraceDnsCacheHitParams",
    "TraceDnsCacheMissParams",
    "TraceDnsResolveHostEndParams",
    "TraceDnsResolveHostStartParams",
    "TraceRequestChunkSentParams",
    "TraceRequestEndParams",
    "TraceRequestExceptionParams",
    "TraceRequestHeadersSentParams",
    "TraceRequestRedirectParams",
    "TraceRequestStartParams",
    "TraceResponseChunkReceivedParams",
    "UnixConnector",
    "UploadAbortedError",
    "WSCloseCode",
    "WSMessage",
    "WSMessageTypeError",
    "WSMsgType",
    "WSServerHandshakeError",
    "WebSocketError",
    "__version__",
    "content_disposition_filename",
    "encode_basic_auth",
    "get_payload",
    "hdrs",
    "parse_content_disposition",
    "payload_type",
    "set_zlib_backend",
    "streamer",
)

# Names whose modules few programs need, and where they are.
_LATE = {
    "BodyPartReader": "windtunnel._body.multipart_part",
    "ChainMapProxy": "windtunnel._session.helpers",
    "DataQueue": "windtunnel._body.data_queue",
    "DigestAuthMiddleware": "windtunnel._session.digest",
    "EMPTY_PAYLOAD": "windtunnel._body.empty_stream",
    "ETag": "windtunnel._session.helpers",
    "EofStream": "windtunnel._body.data_queue",
    "FlowControlDataQueue": "windtunnel._body.data_queue",
    "MultipartReader": "windtunnel._body.multipart_read",
    "MultipartWriter": "windtunnel._body.multipart_write",
    "TraceConfig": "windtunnel._session.tracing",
    "TraceConnectionCreateEndParams": "windtunnel._session.tracing",
    "TraceConnectionCreateStartParams": "windtunnel._session.tracing",
    "TraceConnectionQueuedEndParams": "windtunnel._session.tracing",
    "TraceConnectionQueuedStartParams": "windtunnel._session.tracing",
    "TraceConnectionReuseconnParams": "windtunnel._session.tracing",
    "TraceDnsCacheHitParams": "windtunnel._session.tracing",
    "TraceDnsCacheMissParams": "windtunnel._session.tracing",
    "TraceDnsResolveHostEndParams": "windtunnel._session.tracing",
    "TraceDnsResolveHostStartParams": "windtunnel._session.tracing",
    "TraceRequestChunkSentParams": "windtunnel._session.tracing",
    "TraceRequestEndParams": "windtunnel._session.tracing",
    "TraceRequestExceptionParams": "windtunnel._session.tracing",
    "TraceRequestHeadersSentParams": "windtunnel._session.tracing",
    "TraceRequestRedirectParams": "windtunnel._session.tracing",
    "TraceRequestStartParams": "windtunnel._session.tracing",
    "TraceResponseChunkReceivedParams": "windtunnel._session.tracing",
}


def __getattr__(name: str) -> object:
    """Import a name when it is asked for the first time."""
    if name not in _LATE:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    from importlib import import_module

    value: object = getattr(import_module(_LATE[name]), name)
    globals()[name] = value
    return value
