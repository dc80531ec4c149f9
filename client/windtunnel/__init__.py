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

from importlib import import_module
from typing import TYPE_CHECKING

from windtunnel._base.version import __version__

# What type checkers see; ``_HOMES`` below says the same to the interpreter.
if TYPE_CHECKING:
    from windtunnel import (
        abc as abc,
        client as client,
        client_exceptions as client_exceptions,
        client_middleware_digest_auth as client_middleware_digest_auth,
        client_middlewares as client_middlewares,
        client_proto as client_proto,
        client_reqrep as client_reqrep,
        client_ws as client_ws,
        connector as connector,
        cookiejar as cookiejar,
        errors as errors,
        formdata as formdata,
        hdrs as hdrs,
        helpers as helpers,
        http as http,
        http_exceptions as http_exceptions,
        http_websocket as http_websocket,
        multipart as multipart,
        payload as payload,
        resolver as resolver,
        streams as streams,
        tracing as tracing,
        typedefs as typedefs,
    )
    from windtunnel._base.fingerprint import (
        Fingerprint,
    )
    from windtunnel._base.typedefs import (
        AddrInfoType,
        HttpVersion,
        HttpVersion10,
        HttpVersion11,
        RequestInfo,
        SocketFactoryType,
    )
    from windtunnel._body.data_queue import (
        DataQueue,
        EofStream,
        FlowControlDataQueue,
    )
    from windtunnel._body.disposition import (
        BadContentDispositionHeader,
        BadContentDispositionParam,
        content_disposition_filename,
        parse_content_disposition,
    )
    from windtunnel._body.empty_stream import (
        EMPTY_PAYLOAD,
    )
    from windtunnel._body.formdata import (
        FormData,
    )
    from windtunnel._body.multipart_part import (
        BodyPartReader,
    )
    from windtunnel._body.multipart_read import (
        MultipartReader,
    )
    from windtunnel._body.multipart_write import (
        MultipartWriter,
    )
    from windtunnel._body.payload_async import (
        AsyncIterablePayload,
        streamer,
    )
    from windtunnel._body.payload_base import (
        Payload,
    )
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
    from windtunnel._body.stream import (
        StreamReader,
    )
    from windtunnel._body.zlib_backend import (
        set_zlib_backend,
    )
    from windtunnel._exchange.client_request import (
        ClientHandlerType,
        ClientMiddlewareType,
        ClientRequest,
    )
    from windtunnel._exchange.response import (
        ClientResponse,
    )
    from windtunnel._exchange.upload_tracker import (
        UploadTracker,
    )
    from windtunnel._policy.auth import (
        BasicAuth,
        encode_basic_auth,
    )
    from windtunnel._policy.deadline import (
        ClientTimeout,
    )
    from windtunnel._session.cookie_jar import (
        CookieJar,
        DummyCookieJar,
    )
    from windtunnel._session.digest import (
        DigestAuthMiddleware,
    )
    from windtunnel._session.helpers import (
        ChainMapProxy,
        ETag,
    )
    from windtunnel._session.once import (
        request,
    )
    from windtunnel._session.session import (
        ClientSession,
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
    from windtunnel._transport.connector import (
        BaseConnector,
    )
    from windtunnel._transport.local import (
        NamedPipeConnector,
        UnixConnector,
    )
    from windtunnel._transport.resolver import (
        AsyncResolver,
        DefaultResolver,
        ThreadedResolver,
    )
    from windtunnel._transport.tcp import (
        TCPConnector,
    )
    from windtunnel._websocket.messages import (
        ClientWSTimeout,
        WSCloseCode,
        WSMessage,
        WSMsgType,
    )
    from windtunnel._websocket.socket import (
        ClientWebSocketResponse,
    )
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
    "UploadTracker",
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
    "request",
    "set_zlib_backend",
    "streamer",
)

# Where each name is. A module is imported when one of its names is asked for the first
# time, so that a program pays at its start only for what it uses.
_HOMES = {
    "windtunnel._base.fingerprint": "Fingerprint",
    "windtunnel._base.typedefs": """
        AddrInfoType HttpVersion HttpVersion10 HttpVersion11 RequestInfo
        SocketFactoryType
    """,
    "windtunnel._body.data_queue": "DataQueue EofStream FlowControlDataQueue",
    "windtunnel._body.disposition": """
        BadContentDispositionHeader BadContentDispositionParam
        content_disposition_filename parse_content_disposition
    """,
    "windtunnel._body.empty_stream": "EMPTY_PAYLOAD",
    "windtunnel._body.formdata": "FormData",
    "windtunnel._body.multipart_part": "BodyPartReader",
    "windtunnel._body.multipart_read": "MultipartReader",
    "windtunnel._body.multipart_write": "MultipartWriter",
    "windtunnel._body.payload_async": "AsyncIterablePayload streamer",
    "windtunnel._body.payload_base": "Payload",
    "windtunnel._body.payload_files": """
        BufferedReaderPayload BytesIOPayload IOBasePayload TextIOPayload
    """,
    "windtunnel._body.payload_memory": """
        BytesPayload JsonPayload StringIOPayload StringPayload
    """,
    "windtunnel._body.payload_registry": "PAYLOAD_REGISTRY get_payload payload_type",
    "windtunnel._body.stream": "StreamReader",
    "windtunnel._body.zlib_backend": "set_zlib_backend",
    "windtunnel._exchange.client_request": """
        ClientHandlerType ClientMiddlewareType ClientRequest
    """,
    "windtunnel._exchange.response": "ClientResponse",
    "windtunnel._exchange.upload_tracker": "UploadTracker",
    "windtunnel._policy.auth": "BasicAuth encode_basic_auth",
    "windtunnel._policy.deadline": "ClientTimeout",
    "windtunnel._session.cookie_jar": "CookieJar DummyCookieJar",
    "windtunnel._session.digest": "DigestAuthMiddleware",
    "windtunnel._session.helpers": "ChainMapProxy ETag",
    "windtunnel._session.once": "request",
    "windtunnel._session.session": "ClientSession",
    "windtunnel._session.tracing": """
        TraceConfig TraceConnectionCreateEndParams TraceConnectionCreateStartParams
        TraceConnectionQueuedEndParams TraceConnectionQueuedStartParams
        TraceConnectionReuseconnParams TraceDnsCacheHitParams TraceDnsCacheMissParams
        TraceDnsResolveHostEndParams TraceDnsResolveHostStartParams
        TraceRequestChunkSentParams TraceRequestEndParams TraceRequestExceptionParams
        TraceRequestHeadersSentParams TraceRequestRedirectParams TraceRequestStartParams
        TraceResponseChunkReceivedParams
    """,
    "windtunnel._transport.connector": "BaseConnector",
    "windtunnel._transport.local": "NamedPipeConnector UnixConnector",
    "windtunnel._transport.resolver": "AsyncResolver DefaultResolver ThreadedResolver",
    "windtunnel._transport.tcp": "TCPConnector",
    "windtunnel._websocket.messages": "ClientWSTimeout WSCloseCode WSMessage WSMsgType",
    "windtunnel._websocket.socket": "ClientWebSocketResponse",
    "windtunnel.errors": """
        ClientConnectionError ClientConnectionResetError ClientConnectorCertificateError
        ClientConnectorDNSError ClientConnectorError ClientConnectorSSLError ClientError
        ClientHttpProxyError ClientOSError ClientPayloadError ClientProxyConnectionError
        ClientResponseError ClientSSLError ConnectionTimeoutError ContentTypeError
        InvalidURL InvalidUrlClientError InvalidUrlRedirectClientError
        NonHttpUrlClientError NonHttpUrlRedirectClientError RedirectClientError
        ServerConnectionError ServerDisconnectedError ServerFingerprintMismatch
        ServerTimeoutError SocketTimeoutError TooManyRedirects TotalTimeoutError
        UploadAbortedError WSMessageTypeError WSServerHandshakeError WebSocketError
    """,
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}
# Users of aiohttp's modules find them without importing them.
_PARTS = """
    abc client client_exceptions client_middleware_digest_auth client_middlewares
    client_proto client_reqrep client_ws connector cookiejar errors formdata hdrs
    helpers http http_exceptions http_websocket multipart payload resolver streams
    tracing typedefs
"""
_MODULES = frozenset(_PARTS.split())

if not TYPE_CHECKING:  # checkers would take any name for one that exists

    def __getattr__(name: str) -> object:
        """Import a public name, or a public module, when it is first asked for."""
        if name in _MODULES:
            return import_module(f"{__name__}.{name}")
        if name not in _HOME_OF:
            msg = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(msg)
        value = getattr(import_module(_HOME_OF[name]), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        """List the names that are not imported yet, too."""
        return sorted({*globals(), *__all__, *_MODULES})
