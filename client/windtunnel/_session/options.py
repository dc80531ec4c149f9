"""What a request may be asked for: the names of the arguments and their types.

Keyword arguments come in as somebody wrote them; a TypeError goes out where the mistake
was made, before anything is begun.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, TypedDict

from windtunnel._base.typedefs import UNSET

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from ssl import SSLContext

    from yarl import URL

    from windtunnel._exchange.attempt import StatusCheck
    from windtunnel._exchange.client_request import ClientMiddlewareType
    from windtunnel._exchange.headers import Headers
    from windtunnel._exchange.upload_tracker import UploadTracker
    from windtunnel._policy.auth import BasicAuth
    from windtunnel._policy.deadline import ClientTimeout
    from windtunnel._transport.tls import TlsSetting
    from windtunnel._websocket.messages import ClientWSTimeout
    from windtunnel.abc import LooseCookies


class RequestOptions(TypedDict, total=False):
    """Keyword arguments of every request; see ``ClientSession.request``."""

    params: Any
    data: Any
    json: Any
    compress: str | bool | None
    chunked: bool | None
    expect100: bool
    read_until_eof: bool
    upload_tracker: UploadTracker | None
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
    proxy_headers: Headers | None
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
    proxy_headers: Headers | None
    compress: int
    max_msg_size: int
    decode_text: bool


# With these alone a request can be a plain exchange with the session's settings.
PLAIN_NAMES = frozenset(
    {
        "allow_redirects",
        "data",
        "headers",
        "json",
        "max_redirects",
        "params",
        "raise_for_status",
        "skip_auto_headers",
        "ssl",
        "timeout",
        "trace_request_ctx",
    }
)
REQUEST_NAMES = frozenset(RequestOptions.__annotations__)
WEBSOCKET_NAMES = frozenset(WebSocketOptions.__annotations__)

# Arguments of another time, and what to use today. Compat: aiohttp warns of the same.
_AUTHORIZATION = "encode_basic_auth(login, password)"
_OLD = {
    "auth": f"headers={{'Authorization': {_AUTHORIZATION}}}",
    "chunked": "chunked=True, there is no chunk size",
    "conn_timeout": "timeout=ClientTimeout(connect=...)",
    "proxy_auth": f"proxy_headers={{'Proxy-Authorization': {_AUTHORIZATION}}}",
    "read_timeout": "timeout=ClientTimeout(total=...)",
    "ssl_shutdown_timeout": "a connector that was made with it",
}


def check_names(
    function: str, options: Mapping[str, Any], names: frozenset[str] = REQUEST_NAMES
) -> None:
    """Check a call's keyword arguments, and warn its caller's caller of old ones.

    Args:
        function: Name of what was called.
        options: The arguments.
        names: What is allowed.

    Raises:
        TypeError: There is one of another name.
    """
    given = options.keys()
    if given <= PLAIN_NAMES and names is REQUEST_NAMES:
        return
    if not given <= names:
        raise unknown_option(function, options, names)
    if not _OLD.keys().isdisjoint(options):
        for name in ("auth", "proxy_auth"):
            if options.get(name) is not None:
                _warn(name, stacklevel=4)
        if not isinstance(options.get("chunked"), (bool, type(None))):
            _warn("chunked", stacklevel=4)


def unknown_option(
    function: str, options: Iterable[str], names: frozenset[str] = REQUEST_NAMES
) -> TypeError:
    """Make the error for an argument that is none of ``names``."""
    unknown = next(name for name in options if name not in names)
    # Here, because it is only for mistakes.
    from difflib import get_close_matches

    near = get_close_matches(unknown, names, 1)
    advice = f"; did you mean {near[0]!r}?" if near else ""
    msg = f"{function}() got an unexpected keyword argument {unknown!r}"
    return TypeError(msg + advice)


def warn_of_old_defaults(
    auth: object,
    proxy_auth: object,
    read_timeout: object,
    conn_timeout: object,
    ssl_shutdown_timeout: object,
) -> None:
    """Warn the caller of a session's constructor of its old arguments."""
    given = {
        "auth": auth is not None,
        "proxy_auth": proxy_auth is not None,
        "read_timeout": read_timeout is not UNSET,
        "conn_timeout": conn_timeout is not None,
        "ssl_shutdown_timeout": ssl_shutdown_timeout is not UNSET,
    }
    for name in given:
        if given[name]:
            _warn(name, stacklevel=4)


def _warn(name: str, stacklevel: int) -> None:
    warnings.warn(
        f"The {name!r} parameter is deprecated in this form; use {_OLD[name]} instead",
        DeprecationWarning,
        stacklevel=stacklevel,
    )
