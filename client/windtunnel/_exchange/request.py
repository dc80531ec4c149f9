"""One request, ready to be sent: its bytes, its body, and what to expect.

A method, a target, headers and a payload come in; out go the bytes of the head and the
decision how the body is framed. It does no I/O.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from multidict import CIMultiDict, CIMultiDictProxy

from windtunnel._base.typedefs import ConnectionKey, HttpVersion11, RequestInfo
from windtunnel._exchange.headers import check_fields

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Set as AbstractSet

    from yarl import URL

    from windtunnel._base.typedefs import HttpVersion, ProxyRoute
    from windtunnel._body.payloads import Payload
    from windtunnel._exchange.headers import HeaderBlock
    from windtunnel._exchange.target import Target
    from windtunnel._exchange.upload_tracker import UploadTracker
    from windtunnel._policy.deadline import ClientTimeout
    from windtunnel._transport.channel import Channel
    from windtunnel._transport.settings import ReadSettings
    from windtunnel._transport.tls import TlsSetting

# Methods whose requests have no body unless one is given (RFC 9110 section 8.6).
WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_WITH_TYPE = frozenset({"POST", "PUT", "PATCH"})
LAST_CHUNK = b"0\r\n\r\n"
_DEFAULT_TYPE = "Content-Type: application/octet-stream\r\n"


class Framing:
    """How a request's body is delimited.

    Attributes:
        lines: The header lines that say so, and the type of the body.
        is_chunked: Whether the chunked coding is used.
        length: Bytes of the body that are sent at most, if it is not chunked.
    """

    __slots__ = ("is_chunked", "length", "lines")

    def __init__(self, lines: str, is_chunked: bool, length: int) -> None:
        self.lines = lines
        self.is_chunked = is_chunked
        self.length = length


def frame_body(method: str, payload: Payload | None, block: HeaderBlock) -> Framing:
    """Decide how the end of a request's body is marked.

    Raises:
        ValueError: The caller's Content-Length is more than the body has, or the type
            of the body would not stay in its line.

    Spec: RFC 9112 section 6; RFC 9110 section 8.6 for the zero of an empty body.
    Compat: aiohttp truncates a body that is longer than the caller's Content-Length,
    and labels even a missing body of POST, PUT and PATCH.
    """
    length = block.content_length
    size = 0 if payload is None else payload.size
    names = block.names
    lines = ""
    is_chunked = block.is_chunked or (size is None and length is None)
    if length is not None and size is not None and length > size:
        msg = f"Content-Length {length} in headers, but the body has {size} bytes"
        raise ValueError(msg)
    if not is_chunked and length is None:
        length = size
        if payload is not None or method not in WITHOUT_BODY:
            lines = f"Content-Length: {size}\r\n"
    has_type = "content-type" in names
    if payload is not None:
        if not has_type:
            kind = payload.content_type
            # Most are constants of ours: this asks as little as possible of them.
            if not kind.isprintable():
                check_fields([("Content-Type", kind)])
            lines += f"Content-Type: {kind}\r\n"
            has_type = True
        if extra := payload.extra_headers:
            lines += _more_lines(extra, names)
    if is_chunked and not block.is_chunked:
        lines += "Transfer-Encoding: chunked\r\n"
    if not has_type and method in _WITH_TYPE:
        lines += _DEFAULT_TYPE
    return Framing(lines, is_chunked, length or 0)


def _more_lines(fields: list[tuple[str, str]], names: AbstractSet[str]) -> str:
    """Print the fields that a payload brings, unless the caller gave them.

    Raises:
        ValueError: One of them would not stay in its line.
    """
    check_fields(fields)
    return "".join(
        [f"{name}: {text}\r\n" for name, text in fields if name.lower() not in names]
    )


class Plan:
    """What equal requests have in common: everything but time and body.

    Attributes:
        method: As sent.
        target: The URL in its forms.
        block: The header block it was made with.
        ssl: The ``ssl`` argument, as the connector understands it.
        key: What the connection must match.
        head: The bytes of the head, with the empty line; without a body, all there is
            to send.
        framing: How the body is delimited.
        expects: Whether the body waits until the server asks for it.
    """

    __slots__ = (
        "block",
        "expects",
        "framing",
        "head",
        "key",
        "method",
        "ssl",
        "target",
    )

    def __init__(
        self,
        method: str,
        target: Target,
        block: HeaderBlock,
        payload: Payload | None,
        *,
        ssl: TlsSetting,
        force_close: bool,
        proxy: ProxyRoute | None = None,
        server_hostname: str | None = None,
        version: HttpVersion = HttpVersion11,
    ) -> None:
        self.method = method
        self.target = target
        self.block = block
        self.ssl = ssl
        self.expects = block.expects and payload is not None
        self.key = ConnectionKey(
            target.host,
            target.port,
            target.is_ssl,
            ssl,
            proxy,
            None,
            None,
            server_hostname,
        )
        framing = self.framing = frame_body(method, payload, block)
        host = target.host_field if block.host is None else block.host
        line_end = target.line_end
        if proxy is not None and not proxy.is_tunnel:
            line_end = target.absolute_line_end()
        if version != HttpVersion11:
            line_end = f"{line_end[:-5]}{version[0]}.{version[1]}\r\n"
        text = f"{method}{line_end}Host: {host}\r\n{block.text}"
        if target.authorization:
            if "authorization" in block.names:
                msg = "credentials in the URL and an Authorization header; give one"
                raise ValueError(msg)
            text += f"Authorization: {target.authorization}\r\n"
        if (
            proxy is not None
            and proxy.authorization
            and not proxy.is_tunnel
            and "proxy-authorization" not in block.names
        ):
            text += f"Proxy-Authorization: {proxy.authorization}\r\n"
        text += framing.lines
        if "connection" not in block.names:
            text += _connection_line(version, force_close)
        self.head = f"{text}\r\n".encode()
        if payload is None and framing.is_chunked:
            self.head += LAST_CHUNK


def _connection_line(version: HttpVersion, force_close: bool) -> str:
    """Say what becomes of the connection, if that is not the default.

    Spec: RFC 9112 section 9.3.
    """
    if version < HttpVersion11:
        return "" if force_close else "Connection: keep-alive\r\n"
    return "Connection: close\r\n" if force_close else ""


class Request:
    """One exchange: a plan, with its body and its time.

    Attributes:
        plan: What is sent.
        payload: The body, None without one.
        settings: How to receive the response.
        timeout: The timeouts in force.
        started: When the exchange began, on the loop's clock.
        total_at: When it must be over.
        upload: The task that sends the body, if it needs one.
        is_closed: Whether the body was let go of.
        is_repeatable: Whether it failed in a way that allows to send it again.
        keeps_payload: Whether the body may be needed again afterwards.
        tracer: Who watches, None if nobody does.
        sent: What counts the bytes of a body that a task sends; their number when it is
            done.
        progress: Who wants to know how much of the body is sent, None if nobody does.
    """

    __slots__ = (
        "_info",
        "is_closed",
        "is_repeatable",
        "keeps_payload",
        "payload",
        "plan",
        "progress",
        "sent",
        "settings",
        "started",
        "timeout",
        "total_at",
        "tracer",
        "upload",
    )

    def __init__(
        self,
        plan: Plan,
        payload: Payload | None,
        settings: ReadSettings,
        timeout: ClientTimeout,
        started: float,
        total_at: float,
    ) -> None:
        self.plan = plan
        self.payload = payload
        self.settings = settings
        self.timeout = timeout
        self.started = started
        self.total_at = total_at
        self.upload: asyncio.Task[Exception | None] | None = None
        self.is_closed = False
        self.is_repeatable = False
        self.keeps_payload = False
        self.tracer: Any = None
        self.sent: Channel | int = 0
        self.progress: UploadTracker | None = None
        self._info: RequestInfo | None = None

    @property
    def url(self) -> URL:
        """URL without fragment."""
        return self.plan.target.url

    @property
    def real_url(self) -> URL:
        """URL with its fragment."""
        return self.plan.target.real_url

    @property
    def info(self) -> RequestInfo:
        """What responses and errors show of the request; made when asked for."""
        info = self._info
        if info is None:
            plan = self.plan
            headers: CIMultiDict[str] = CIMultiDict()
            for line in plan.head.decode().split("\r\n")[1:-2]:
                name, _, value = line.partition(": ")
                headers.add(name, value)
            info = self._info = RequestInfo(
                plan.target.url,
                plan.method,
                CIMultiDictProxy(headers),
                plan.target.real_url,
            )
        return info
