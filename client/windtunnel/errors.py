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

import ssl
import warnings
from typing import TYPE_CHECKING, Any, cast

from multidict import CIMultiDict, CIMultiDictProxy, MultiDict, MultiDictProxy

from windtunnel._base.compat import override

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from yarl import URL

    from windtunnel._base.typedefs import ConnectionKey, RequestInfo

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


class ClientError(Exception):
    """Base of everything that goes wrong between this client and its peer."""


# --- a response came, and it is not what was wanted ---------------------------------


def _portable(value: Any) -> tuple[str, Any]:
    """Turn a header mapping into something pickle takes, and say what it was."""
    cls = cast("type[object]", type(value))
    if issubclass(cls, CIMultiDictProxy):
        return "ci", CIMultiDict(value)
    if issubclass(cls, MultiDictProxy):
        return "cs", MultiDict(value)
    return "", value


def _original(kind: str, value: Any) -> Any:
    """Undo ``_portable``."""
    if kind == "ci":
        return CIMultiDictProxy(value)
    return MultiDictProxy(value) if kind == "cs" else value


def _rebuild_response_error(
    cls: Callable[..., ClientResponseError],
    info_cls: Callable[..., RequestInfo] | None,
    info: Any,
    headers: tuple[str, Any],
    state: dict[str, Any],
) -> ClientResponseError:
    """Make a ``ClientResponseError`` again from what ``__reduce__`` gave to pickle."""
    if info_cls is not None:
        info = info_cls(*(_original(*field) for field in info))
    state["headers"] = _original(*headers)
    error = cls(info, (), status=state["status"], message=state["message"])
    error.__dict__.update(state)
    return error


class ClientResponseError(ClientError):
    """A response arrived and is not acceptable.

    Attributes:
        request_info: What was asked; None only in tests of callers.
        history: The redirect responses before it, oldest first.
        status: Status code, 0 if there was none.
        message: Reason phrase of the response, or what is wrong with it.
        headers: Header fields of the response, None if there was none.
        rule: What a malformed response broke, as "RFC 9112 section 4"; else empty.
        offset: Where, in bytes from the first byte of the answer; else -1.
    """

    rule: str = ""
    offset: int = -1

    def __init__(
        self,
        request_info: RequestInfo | None,
        history: tuple[Any, ...],
        *,
        code: int | None = None,
        status: int | None = None,
        message: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Store the facts; ``code`` is the old name of ``status``.

        Raises:
            ValueError: Both ``code`` and ``status`` were given.
        """
        if code is not None:
            if status is not None:
                msg = f"code={code!r} and status={status!r} mean the same: give status"
                raise ValueError(msg)
            warnings.warn(
                "code argument is deprecated, use status instead",
                DeprecationWarning,
                stacklevel=2,
            )
            status = code
        super().__init__(request_info, history)
        self.request_info = request_info
        self.history = history
        self.status = 0 if status is None else status
        self.message = message
        self.headers = headers

    @property
    def code(self) -> int:
        """The status; deprecated since users of the compatible API have ``status``."""
        warnings.warn(
            "code property is deprecated, use status instead",
            DeprecationWarning,
            stacklevel=2,
        )
        return self.status

    @code.setter
    def code(self, value: int) -> None:
        warnings.warn(
            "code property is deprecated, use status instead",
            DeprecationWarning,
            stacklevel=2,
        )
        self.status = value

    @override
    def __str__(self) -> str:
        info = self.request_info
        url = str(info.real_url) if info is not None else None
        return f"{self.status}, message={self.message!r}, url={url!r}"

    @override
    def __repr__(self) -> str:
        facts = f"{self.request_info!r}, {self.history!r}"
        if self.status != 0:
            facts += f", status={self.status!r}"
        if self.message != "":
            facts += f", message={self.message!r}"
        if self.headers is not None:
            facts += f", headers={self.headers!r}"
        return f"{type(self).__name__}({facts})"

    @override
    def __reduce__(self) -> tuple[Any, ...]:
        state = dict(self.__dict__, history=(), request_info=None)
        state.pop("headers")
        info: Any = self.request_info
        info_cls = None
        if info is not None:
            # RequestInfo is a tuple with a header proxy in it, which pickle refuses.
            info_cls = cast("type[object]", type(info))
            info = [_portable(field) for field in info]
        state.pop("request_info")
        headers = _portable(self.headers)
        return _rebuild_response_error, (type(self), info_cls, info, headers, state)


class ContentTypeError(ClientResponseError):
    """The body is not of the media type that the caller asked to have decoded."""


class WSServerHandshakeError(ClientResponseError):
    """The answer to a WebSocket handshake is not a valid one."""


class ClientHttpProxyError(ClientResponseError):
    """The proxy answered CONNECT with another status than 200."""


class TooManyRedirects(ClientResponseError):  # noqa: N818  # the compatible name
    """The chain of redirects is longer than ``max_redirects`` allows."""


# --- the connection could not be made or kept ---------------------------------------


class ClientConnectionError(ClientError):
    """Base of the errors of the connection itself."""


class ClientConnectionResetError(ClientConnectionError, ConnectionResetError):
    """The connection was reset while this side wrote to it."""


class ClientOSError(ClientConnectionError, OSError):
    """The operating system reported an error for this connection."""


class ClientConnectorError(ClientOSError):
    """The connection could not be made.

    Attributes:
        errno: Number of ``os_error``, None if it has none.
        strerror: Text of ``os_error``.
    """

    def __init__(self, connection_key: ConnectionKey, os_error: OSError) -> None:
        super().__init__(os_error.errno, os_error.strerror)
        self._connection_key = connection_key
        self._os_error = os_error
        # pickle calls the class with args, so they must be the constructor's.
        self.args: tuple[Any, ...] = (connection_key, os_error)

    @property
    def os_error(self) -> OSError:
        """What the operating system, the resolver or the TLS library reported."""
        return self._os_error

    @property
    def host(self) -> str:
        """Host name or address as the request had it."""
        return self._connection_key.host

    @property
    def port(self) -> int | None:
        """Port number, None for a Unix socket."""
        return self._connection_key.port

    @property
    def ssl(self) -> Any:
        """The request's ``ssl`` argument: True, False, a context or a fingerprint."""
        return self._connection_key.ssl

    @override
    def __str__(self) -> str:
        tls = "default" if self.ssl is True else self.ssl
        return (
            f"Cannot connect to host {self.host}:{self.port} ssl:{tls} "
            f"[{_reason(self._os_error)}]"
        )

    # OSError has a __reduce__ of its own that would keep only errno and strerror.
    @override
    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self.args


def _reason(os_error: OSError) -> str:
    """Return what went wrong; some errors have no strerror, only arguments."""
    return os_error.strerror or str(os_error) or type(os_error).__name__


class ClientConnectorDNSError(ClientConnectorError):
    """The host name could not be resolved."""


class ClientProxyConnectionError(ClientConnectorError):
    """The connection to the proxy could not be made."""


class UnixClientConnectorError(ClientConnectorError):
    """The connection to a Unix socket could not be made."""

    def __init__(
        self, path: str, connection_key: ConnectionKey, os_error: OSError
    ) -> None:
        super().__init__(connection_key, os_error)
        self._path = path
        self.args = (path, connection_key, os_error)

    @property
    def path(self) -> str:
        """Path of the socket in the file system."""
        return self._path

    @override
    def __str__(self) -> str:
        tls = "default" if self.ssl is True else self.ssl
        return (
            f"Cannot connect to unix socket {self._path} ssl:{tls} "
            f"[{_reason(self._os_error)}]"
        )


class ClientSSLError(ClientConnectorError):
    """Base of the errors of the TLS handshake."""


class ClientConnectorSSLError(ClientSSLError, ssl.SSLError):
    """The TLS handshake failed."""


class ClientConnectorCertificateError(ClientSSLError, ssl.CertificateError):
    """The certificate of the peer is not acceptable."""

    def __init__(
        self, connection_key: ConnectionKey, certificate_error: Exception
    ) -> None:
        known = certificate_error if isinstance(certificate_error, OSError) else None
        super().__init__(connection_key, known or OSError())
        self._certificate_error = certificate_error
        self.args = (connection_key, certificate_error)

    @property
    def certificate_error(self) -> Exception:
        """What the check of the certificate reported."""
        return self._certificate_error

    @property
    @override
    def ssl(self) -> bool:
        """Whether the connection was to be encrypted.

        Compat: aiohttp gives ``is_ssl`` of the key here, unlike in the base class.
        """
        return self._connection_key.is_ssl

    @override
    def __str__(self) -> str:
        error = self._certificate_error
        return (
            f"Cannot connect to host {self.host}:{self.port} ssl:{self.ssl} "
            f"[{type(error).__name__}: {error.args}]"
        )


class ServerConnectionError(ClientConnectionError):
    """Base of the errors that the server's behaviour on the connection causes."""


class ServerDisconnectedError(ServerConnectionError):
    """The server closed the connection before it sent a response head.

    Attributes:
        message: What was seen; «Server disconnected» if nothing more is known.
    """

    def __init__(self, message: object = None) -> None:
        message = "Server disconnected" if message is None else message
        super().__init__(message)
        self.message = message


class ServerTimeoutError(ServerConnectionError, TimeoutError):
    """The server took too long."""


class ConnectionTimeoutError(ServerTimeoutError):
    """No connection within ``connect`` or ``sock_connect`` seconds."""


class SocketTimeoutError(ServerTimeoutError):
    """No byte from the server for ``sock_read`` seconds."""


class ServerFingerprintMismatch(ServerConnectionError):  # noqa: N818  # same
    """The certificate of the server is another one than the pinned one.

    Attributes:
        expected: Digest that the caller pinned.
        got: Digest of the certificate that the server showed.
        host: Host that was connected to.
        port: Port that was connected to.
    """

    def __init__(self, expected: bytes, got: bytes, host: str, port: int) -> None:
        super().__init__(expected, got, host, port)
        self.expected = expected
        self.got = got
        self.host = host
        self.port = port

    @override
    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__} expected={self.expected!r} got={self.got!r} "
            f"host={self.host!r} port={self.port!r}>"
        )


# --- bodies and uploads -------------------------------------------------------------


class ClientPayloadError(ClientError):
    """The body of the response ended early or cannot be decoded.

    Attributes:
        partial: What the read that raised had decoded until then.
        rule: What a malformed body broke, as "RFC 9112 section 7.1"; else empty.
        offset: Where, in bytes from the first byte of the answer; else -1.
    """

    partial: bytes = b""
    rule: str = ""
    offset: int = -1


class UploadAbortedError(ClientError):
    """The request was over before its body was sent to the end."""


# --- URLs ---------------------------------------------------------------------------


class InvalidURL(ClientError, ValueError):  # noqa: N818  # the compatible name
    """A URL that no request can be made of."""

    def __init__(self, url: str | URL, description: str | None = None) -> None:
        self._url = url
        self._description = description
        if description is None:
            super().__init__(url)
        else:
            super().__init__(url, description)

    @property
    def url(self) -> str | URL:
        """The URL as it was given."""
        return self._url

    @property
    def description(self) -> str | None:
        """What is wrong with it, None if there is nothing more to say."""
        return self._description

    @override
    def __str__(self) -> str:
        if self._description is None:
            return str(self._url)
        return f"{self._url} - {self._description}"

    @override
    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self}>"


class InvalidUrlClientError(InvalidURL):
    """The URL of the request is not usable."""


class RedirectClientError(ClientError):
    """Base of the errors of a redirect target."""


class NonHttpUrlClientError(ClientError):
    """The scheme of the URL is none that this client speaks."""


class InvalidUrlRedirectClientError(InvalidUrlClientError, RedirectClientError):
    """The target of a redirect is not usable."""


class NonHttpUrlRedirectClientError(NonHttpUrlClientError, RedirectClientError):
    """The target of a redirect has a scheme that this client does not speak."""


# --- beside the tree ----------------------------------------------------------------


class TotalTimeoutError(TimeoutError):
    """The whole exchange took longer than ``total`` seconds.

    It is no ``ClientError``: the compatible API raises a bare ``TimeoutError`` here,
    and nobody's ``except`` may start to catch something else.

    Attributes:
        method: Method of the request that was cut.
        url: Its URL.
        phase: What was going on, such as "waiting for the response head".
        seconds: The ``total`` that ran out.
    """

    def __init__(self, method: str, url: str | URL, phase: str, seconds: float) -> None:
        super().__init__(method, url, phase, seconds)
        self.args: tuple[Any, ...] = (method, url, phase, seconds)
        self.method = method
        self.url = url
        self.phase = phase
        self.seconds = seconds

    @override
    def __str__(self) -> str:
        return (
            f"{self.method} {self.url} was cut after {self.seconds:g} s (total "
            f"timeout) while {self.phase}"
        )

    # OSError would keep only errno, strerror and a file name.
    @override
    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self.args


class WSMessageTypeError(TypeError):
    """A WebSocket message is not of the type that the caller asked for."""


class WebSocketError(Exception):
    """The peer broke the WebSocket protocol.

    Attributes:
        code: Close code that says how.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(code, message)
        self.code = code

    @override
    def __str__(self) -> str:
        return str(self.args[1])


class EofStream(Exception):  # noqa: N818  # the compatible name
    """A queue was read after its end."""
