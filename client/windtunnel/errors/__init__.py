"""Every error that a caller of the client can catch, as one tree.

What comes in: facts about one failed exchange. What goes out: an exception whose
fields carry those facts, so that no caller has to parse its text. This module must not
know how a failure is found; one table in ``_exchange`` turns inner errors into these.

::

    ClientError
    ├ ClientResponseError             a response came, and it is not what was wanted
    │   ├ ContentTypeError  ├ WSServerHandshakeError
    │   ├ ClientHttpProxyError  └ TooManyRedirects
    ├ ClientConnectionError           the connection could not be made or kept
    │   ├ ClientConnectionResetError  (ConnectionResetError)
    │   ├ ClientOSError               (OSError)
    │   │   └ ClientConnectorError
    │   │       ├ ClientConnectorDNSError  ├ ClientProxyConnectionError
    │   │       ├ UnixClientConnectorError
    │   │       └ ClientSSLError
    │   │           ├ ClientConnectorSSLError          (ssl.SSLError)
    │   │           └ ClientConnectorCertificateError  (ssl.CertificateError)
    │   └ ServerConnectionError
    │       ├ ServerDisconnectedError  ├ ServerFingerprintMismatch
    │       └ ServerTimeoutError      (TimeoutError)
    │           ├ ConnectionTimeoutError  └ SocketTimeoutError
    ├ ClientPayloadError              the body ended early or cannot be decoded
    ├ UploadAbortedError              the request body was not sent to its end
    ├ InvalidURL                      (ValueError)
    │   └ InvalidUrlClientError ── InvalidUrlRedirectClientError
    ├ NonHttpUrlClientError ── NonHttpUrlRedirectClientError
    └ RedirectClientError             base of the two Redirect errors above
    TotalTimeoutError                 (TimeoutError) no ClientError, as users expect
    WSMessageTypeError (TypeError)   WebSocketError   EofStream

Every one of them can be pickled, with its fields. Live responses cannot travel, so a
pickled copy of a response error has an empty history.

Compat: aiohttp 3.14 has the same names, bases, constructor signatures and texts.
"""

from __future__ import annotations

from windtunnel.errors.connection import (
    ClientConnectionError,
    ClientConnectionResetError,
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientConnectorSSLError,
    ClientOSError,
    ClientProxyConnectionError,
    ClientSSLError,
    ConnectionTimeoutError,
    ServerConnectionError,
    ServerDisconnectedError,
    ServerFingerprintMismatch,
    ServerTimeoutError,
    SocketTimeoutError,
    UnixClientConnectorError,
)
from windtunnel.errors.exchange import (
    ClientPayloadError,
    EofStream,
    InvalidURL,
    InvalidUrlClientError,
    InvalidUrlRedirectClientError,
    NonHttpUrlClientError,
    NonHttpUrlRedirectClientError,
    RedirectClientError,
    TotalTimeoutError,
    UploadAbortedError,
    WebSocketError,
    WSMessageTypeError,
)
from windtunnel.errors.response import (
    ClientError,
    ClientHttpProxyError,
    ClientResponseError,
    ContentTypeError,
    TooManyRedirects,
    WSServerHandshakeError,
)

__all__ = (
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
    "ClientResponseError",
    "ClientSSLError",
    "ConnectionTimeoutError",
    "ContentTypeError",
    "EofStream",
    "InvalidURL",
    "InvalidUrlClientError",
    "InvalidUrlRedirectClientError",
    "NonHttpUrlClientError",
    "NonHttpUrlRedirectClientError",
    "RedirectClientError",
    "ServerConnectionError",
    "ServerDisconnectedError",
    "ServerFingerprintMismatch",
    "ServerTimeoutError",
    "SocketTimeoutError",
    "TooManyRedirects",
    "TotalTimeoutError",
    "UnixClientConnectorError",
    "UploadAbortedError",
    "WSMessageTypeError",
    "WSServerHandshakeError",
    "WebSocketError",
)
