"""The arguments of one call, each with its default, and what they make of a session's.

Keyword arguments come in, their values go out. Most calls have none or few, so nothing
is copied and nothing is filled in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from windtunnel._base.typedefs import UNSET, shown
from windtunnel._exchange.way import call_way
from windtunnel._policy.deadline import DEFAULT_TIMEOUT, ClientTimeout
from windtunnel._session.options import PLAIN_NAMES, REQUEST_NAMES, unknown_option
from windtunnel._transport.settings import ReadSettings
from windtunnel._transport.tls import merge_ssl_arguments
from windtunnel._wire.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from ssl import SSLContext

    from yarl import URL

    from windtunnel._base.typedefs import Unset
    from windtunnel._exchange.attempt import StatusCheck
    from windtunnel._exchange.client_request import ClientMiddlewareType
    from windtunnel._exchange.headers import Headers
    from windtunnel._exchange.upload_tracker import UploadTracker
    from windtunnel._exchange.way import Way
    from windtunnel._policy.auth import BasicAuth
    from windtunnel._transport.tls import TlsSetting
    from windtunnel.abc import LooseCookies


class Terms(NamedTuple):
    """What a session sets for all its calls, and a call for itself.

    Attributes:
        timeout: How long things may take.
        settings: How responses are received.
        way: How connections are made, None for the plain way.
        ssl: How TLS is verified.
        is_special: Whether a plain exchange is not enough.
    """

    timeout: ClientTimeout
    settings: ReadSettings
    way: Way | None
    ssl: TlsSetting | None
    is_special: bool


class Call:
    """Keyword arguments of one request, as attributes; see ``ClientSession.request``.

    Args:
        options: Those that were given; it becomes the attributes.
    """

    params: Any = None
    data: Any = None
    json: Any = None
    cookies: LooseCookies | None = None
    headers: Headers | None = None
    skip_auto_headers: Iterable[str] | None = None
    auth: BasicAuth | None = None
    allow_redirects: bool = True
    max_redirects: int = 10
    compress: str | bool | None = None
    chunked: bool | None = None
    expect100: bool = False
    raise_for_status: StatusCheck | None = None
    read_until_eof: bool = True
    proxy: str | URL | None = None
    proxy_auth: BasicAuth | None = None
    proxy_headers: Headers | None = None
    timeout: ClientTimeout | float | Unset | None = UNSET
    verify_ssl: bool | None = None
    fingerprint: bytes | None = None
    ssl_context: SSLContext | None = None
    ssl: TlsSetting | None = True
    server_hostname: str | None = None
    trace_request_ctx: Any = None
    read_bufsize: int | None = None
    auto_decompress: bool | None = None
    max_line_size: int | None = None
    max_field_size: int | None = None
    max_headers: int | None = None
    max_decoded_size: int | None = None
    middlewares: Sequence[ClientMiddlewareType] | None = None
    upload_tracker: UploadTracker | None = None

    def __init__(self, options: dict[str, Any]) -> None:
        self.__dict__ = options

    def terms(self, base: Terms) -> Terms:
        """Put the arguments of the call over the settings of its session.

        Raises:
            TypeError: There is no such argument, or it is of the wrong type.
            ValueError: Arguments contradict each other.
            InvalidURL: The proxy cannot be used.
        """
        options = self.__dict__
        is_plain = options.keys() <= PLAIN_NAMES
        if is_plain and self.timeout is UNSET and self.ssl is True:
            return base
        timeout = self._limits(base.timeout)
        settings, ssl = base.settings, self.ssl
        if is_plain:
            if timeout.sock_read != settings.sock_read:
                settings = self._settings(settings, timeout.sock_read)
            return Terms(timeout, settings, base.way, ssl, base.is_special)
        if not options.keys() <= REQUEST_NAMES:
            raise unknown_option("ClientSession._request", options)
        ssl = merge_ssl_arguments(
            ssl, self.verify_ssl, self.ssl_context, self.fingerprint
        )
        way = call_way(
            base.way,
            self.proxy,
            self.proxy_auth,
            self.proxy_headers,
            self.server_hostname,
        )
        settings = self._settings(settings, timeout.sock_read)
        is_special = way is not None or self._needs_journey()
        return Terms(timeout, settings, way, ssl, is_special)

    def _needs_journey(self) -> bool:
        """Say whether a plain exchange cannot do what is asked."""
        return bool(
            self.cookies
            or self.auth is not None
            or self.middlewares
            or self.compress
            or self.chunked is not None
            or self.expect100
            or self.upload_tracker is not None
        )

    def _limits(self, base: ClientTimeout) -> ClientTimeout:
        """Give the timeouts; a number is one for everything.

        Args:
            base: Those of the session.

        Compat: it replaces all of them, so that the session's ``sock_connect`` is lost.
        """
        value = self.timeout
        if value is UNSET:
            return base
        return value if isinstance(value, ClientTimeout) else ClientTimeout(total=value)

    def _settings(self, base: ReadSettings, sock_read: float | None) -> ReadSettings:
        """Put the call's settings over the session's; None means the session's."""
        limits = base.limits
        return ReadSettings(
            Limits(
                _or(self.max_line_size, limits.max_line_size),
                _or(self.max_field_size, limits.max_field_size),
                _or(self.max_headers, limits.max_headers),
            ),
            _or(self.read_bufsize, base.read_bufsize),
            base.auto_decompress
            if self.auto_decompress is None
            else self.auto_decompress,
            sock_read,
            base.max_decoded_size
            if self.max_decoded_size is None
            else self.max_decoded_size,
            self.read_until_eof,
        )


NO_OPTIONS = Call({})


def _or(value: int | None, default: int) -> int:
    return default if value is None else value


def session_timeout(
    timeout: object, read_timeout: float | Unset | None, conn_timeout: float | None
) -> ClientTimeout:
    """Read the timeout of a session; None means the default.

    Args:
        timeout: The argument of that name.
        read_timeout: Its old form for ``total``.
        conn_timeout: Its old form for ``connect``.

    Raises:
        ValueError: It is no ClientTimeout (Compat: aiohttp raises this type), or
            was given in the old form as well.
    """
    if timeout is UNSET or timeout is None:
        if read_timeout is UNSET and conn_timeout is None:
            return DEFAULT_TIMEOUT
        total = DEFAULT_TIMEOUT.total if read_timeout is UNSET else read_timeout
        return ClientTimeout(
            total=total, connect=conn_timeout, sock_connect=DEFAULT_TIMEOUT.sock_connect
        )
    if read_timeout is not UNSET or conn_timeout is not None:
        name = "conn_timeout" if read_timeout is UNSET else "read_timeout"
        msg = f"{name} and timeout parameters conflict, give timeout only"
        raise ValueError(msg)
    if isinstance(timeout, ClientTimeout):
        return timeout
    msg = f"timeout={shown(timeout)} of a session is not a ClientTimeout"
    raise ValueError(msg)


def utf8(response: object, body: bytes) -> str:
    """Name the encoding of a body that does not declare one."""
    return "utf-8"
