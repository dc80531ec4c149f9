"""What a request may be asked for, as a type, and the defaults of a session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping
    from ssl import SSLContext

    from windtunnel._exchange.response import ClientResponse
    from windtunnel._policy.deadline import ClientTimeout

    Headers = Mapping[str, str] | Iterable[tuple[str, str]]
    StatusCheck = bool | Callable[[ClientResponse], Awaitable[None]]


class RequestOptions(TypedDict, total=False):
    """Keyword arguments of every request; see ``ClientSession.request``."""

    params: Any
    data: Any
    json: Any
    headers: Headers | None
    skip_auto_headers: Iterable[str] | None
    timeout: ClientTimeout | float | None
    ssl: SSLContext | bool | None
    raise_for_status: StatusCheck | None
    read_bufsize: int | None
    auto_decompress: bool | None
    max_line_size: int | None
    max_field_size: int | None
    max_headers: int | None
