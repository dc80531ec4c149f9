"""Errors of the connection itself: it could not be made, or was not kept.

What comes in: where the connection was to go, and what the system or the TLS library
reported. What goes out: exceptions that are also those of the standard library.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

from windtunnel._base.compat import override
from windtunnel.errors.response import ClientError

if TYPE_CHECKING:
    from windtunnel._base.typedefs import ConnectionKey


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
