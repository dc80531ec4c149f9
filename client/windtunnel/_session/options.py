"""What a request may be asked for, as a type, and the defaults of a session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

from windtunnel._base.typedefs import UNSET, shown
from windtunnel._policy.deadline import DEFAULT_TIMEOUT, ClientTimeout
from windtunnel._transport.settings import ReadSettings
from windtunnel._wire.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
    from ssl import SSLContext

    from yarl import URL

    from windtunnel._exchange.client_request import ClientMiddlewareType
    from windtunnel._exchange.response import ClientResponse
    from windtunnel._policy.auth import BasicAuth
    from windtunnel._transport.tls import TlsSetting
    from windtunnel._websocket.messages import ClientWSTimeout
    from windtunnel.abc import LooseCookies

    Headers = Mapping[str, str] | Iterable[tuple[str, str]]
    StatusCheck = bool | Callable[[ClientResponse], Awaitable[None]]


class RequestOptions(TypedDict, total=False):
    """Keyword arguments of every request; see ``ClientSession.request``."""

    params: Any
    data: Any
    json: Any
    compress: str | bool | None
    headers: Headers | None
    skip_auto_headers: Iterable[str] | None
    timeout: ClientTimeout | float | None
    ssl: TlsSetting | None
    verify_ssl: bool | None
    fingerprint: bytes | None
    ssl_context: SSLContext | None
    server_hostname: str | None
    proxy: str | URL | None
    proxy_auth: BasicAuth | None
    proxy_headers: Mapping[str, str] | None
    raise_for_status: StatusCheck | None
    cookies: LooseCookies | None
    auth: BasicAuth | None
    allow_redirects: bool
    max_redirects: int
    middlewares: Sequence[ClientMiddlewareType] | None
    trace_request_ctx: Any
    read_bufsize: int | None
    auto_decompress: bool | None
    max_line_size: int | None
    max_field_size: int | None
    max_headers: int | None
    max_decoded_size: int | None


class WebSocketOptions(TypedDict, total=False):
    """Keyword arguments of a WebSocket; see ``ClientSession.ws_connect``."""

    method: str
    protocols: Iterable[str]
    timeout: ClientWSTimeout | float | None
    receive_timeout: float | None
    autoclose: bool
    autoping: bool
    heartbeat: float | None
    origin: str | None
    auth: BasicAuth | None
    params: Any
    headers: Headers | None
    ssl: TlsSetting | None
    verify_ssl: bool | None
    fingerprint: bytes | None
    ssl_context: SSLContext | None
    server_hostname: str | None
    proxy: str | URL | None
    proxy_auth: BasicAuth | None
    proxy_headers: Mapping[str, str] | None
    compress: int
    max_msg_size: int
    decode_text: bool


def lower_names(names: Iterable[str] | None) -> frozenset[str]:
    """Put header names into the form in which they are compared."""
    return frozenset() if not names else frozenset(name.lower() for name in names)


def session_timeout(value: object) -> ClientTimeout:
    """Check the timeout of a session; None means the default.

    Raises:
        ValueError: It is no ClientTimeout. Compat: aiohttp raises this type.
    """
    if value is UNSET or value is None:
        return DEFAULT_TIMEOUT
    if isinstance(value, ClientTimeout):
        return value
    msg = f"timeout={shown(value)} of a session is not a ClientTimeout"
    raise ValueError(msg)


def request_timeout(value: ClientTimeout | float | None) -> ClientTimeout:
    """Read a request's timeout; a number is one for everything.

    Compat: it replaces all fields, so that the session's ``sock_connect`` is lost.
    """
    return value if isinstance(value, ClientTimeout) else ClientTimeout(total=value)


def merge_settings(
    base: ReadSettings,
    sock_read: float | None,
    *,
    read_bufsize: int | None = None,
    auto_decompress: bool | None = None,
    max_line_size: int | None = None,
    max_field_size: int | None = None,
    max_headers: int | None = None,
    max_decoded_size: int | None = None,
) -> ReadSettings:
    """Put a request's settings over the session's; None means the session's."""
    limits = base.limits
    return ReadSettings(
        Limits(
            limits.max_line_size if max_line_size is None else max_line_size,
            limits.max_field_size if max_field_size is None else max_field_size,
            limits.max_headers if max_headers is None else max_headers,
        ),
        base.read_bufsize if read_bufsize is None else read_bufsize,
        base.auto_decompress if auto_decompress is None else auto_decompress,
        sock_read,
        base.max_decoded_size if max_decoded_size is None else max_decoded_size,
    )


async def check_status(response: ClientResponse, check: StatusCheck) -> None:
    """Do what ``raise_for_status`` says; a response that is refused is closed."""
    try:
        if check is True:
            response.raise_for_status()
        elif check:
            await check(response)
    except BaseException:
        response.close()
        raise


def utf8(response: ClientResponse, body: bytes) -> str:
    """Name the encoding of a body that does not declare one."""
    return "utf-8"
