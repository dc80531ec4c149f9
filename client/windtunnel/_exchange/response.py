"""What the caller gets: the head of a response, and its body when asked for.

An ``Answer`` of the connection and the request it belongs to come in; out go header
maps, bytes, text and JSON. Whatever costs something is made on first use. It must not
know how the bytes arrive: the stream does.
"""

from __future__ import annotations

import json as json_module
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from multidict import CIMultiDict, CIMultiDictProxy

from windtunnel._base.compat import override
from windtunnel._base.typedefs import HttpVersion, HttpVersion10, HttpVersion11
from windtunnel._body.charset import (
    declared_encoding,
    is_expected_type,
    json_text,
    parse_content_type,
)
from windtunnel._body.decoders import DecodeError, make_decoder
from windtunnel._body.stream import StreamReader
from windtunnel._exchange.translate import explain_body
from windtunnel.errors import (
    ClientConnectionError,
    ClientResponseError,
    ContentTypeError,
)

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Generator
    from http.cookies import SimpleCookie
    from types import TracebackType

    from yarl import URL

    from windtunnel._base.typedefs import RequestInfo
    from windtunnel._exchange.lease import Lease
    from windtunnel._exchange.request import Request
    from windtunnel._transport.connection import Connection
    from windtunnel._transport.settings import Answer

_VERSIONS = {0: HttpVersion10, 1: HttpVersion11}


class _Done:
    """What ``release`` returns, so that it may be awaited."""

    __slots__ = ()

    def __await__(self) -> Generator[None, None, None]:
        return
        yield


class _Nobody:
    """The source of a stream that is already complete."""

    __slots__ = ()

    def pause_reading(self) -> None:
        """Nothing comes."""

    def resume_reading(self) -> None:
        """Nothing will."""


_DONE = _Done()
_NOBODY = _Nobody()


class ClientResponse:
    """A response whose head has arrived.

    Attributes:
        method: Method of the request.
        status: Status code, 100..999.
        reason: Reason phrase, often empty.
        history: Redirect responses before this one, oldest first.
        is_entered: Whether an ``async with`` will release it.

    Compat: aiohttp's ClientResponse, without its constructor.
    """

    __slots__ = (
        "__weakref__",
        "_body",
        "_coding",
        "_content",
        "_cookies",
        "_encoded",
        "_fields",
        "_headers",
        "_is_released",
        "_lease",
        "_minor",
        "_request",
        "_resolve_charset",
        "history",
        "is_entered",
        "method",
        "reason",
        "status",
    )

    def __init__(
        self,
        request: Request,
        answer: Answer,
        lease: Lease | None,
        resolve_charset: Callable[[ClientResponse, bytes], str],
    ) -> None:
        head = answer.head
        self.method = request.plan.method
        self.status = head.status
        self.reason = head.reason
        self.history: tuple[ClientResponse, ...] = ()
        self._minor = head.minor
        self._fields = head.fields
        self._request = request
        self._resolve_charset = resolve_charset
        self._headers: CIMultiDictProxy[str] | None = None
        self._cookies: SimpleCookie | None = None
        self._lease = lease
        self.is_entered = False
        self._is_released = False
        self._coding = answer.coding if request.settings.auto_decompress else ""
        self._encoded = answer.body
        self._body: bytes | None = None
        self._content = stream = answer.stream
        if stream is not None:
            self._prepare(stream)
        elif not self._coding and request.tracer is None:
            self._body = answer.body

    @override
    def __repr__(self) -> str:
        reason = None
        if self.reason:
            reason = self.reason.encode("ascii", "backslashreplace").decode("ascii")
        return f"<ClientResponse({self.url}) [{self.status} {reason}]>\n{self.headers}"

    # --- head -----------------------------------------------------------------------

    @property
    def version(self) -> HttpVersion:
        """Version in the status line."""
        return _VERSIONS.get(self._minor) or HttpVersion(1, self._minor)

    @property
    def url(self) -> URL:
        """URL of the request, without fragment."""
        return self._request.plan.target.url

    @property
    def real_url(self) -> URL:
        """URL of the request, with its fragment."""
        return self._request.plan.target.real_url

    @property
    def host(self) -> str:
        """Host of the URL."""
        return self.url.host or ""

    @property
    def request_info(self) -> RequestInfo:
        """What was asked."""
        return self._request.info

    @property
    def headers(self) -> CIMultiDictProxy[str]:
        """Header fields; bytes that are not UTF-8 are surrogate escapes."""
        headers = self._headers
        if headers is None:
            headers = self._headers = CIMultiDictProxy(CIMultiDict(self._fields))
        return headers

    @property
    def raw_headers(self) -> tuple[tuple[bytes, bytes], ...]:
        """Header fields in wire order and original case, without blanks around."""
        return tuple(
            (name.encode("utf-8"), value.encode("utf-8", "surrogateescape"))
            for name, value in self._fields
        )

    def set_cookie_fields(self) -> list[str]:
        """Give the values of ``Set-Cookie``; for the client's own layers."""
        return [
            value
            for name, value in self._fields
            if len(name) == 10 and name.lower() == "set-cookie"
        ]

    @property
    def cookies(self) -> SimpleCookie:
        """The cookies that this response sets."""
        cookies = self._cookies
        if cookies is None:
            from windtunnel._policy.morsels import response_cookies

            cookies = self._cookies = response_cookies(self.set_cookie_fields())
        return cookies

    @property
    def ok(self) -> bool:
        """Whether the status is below 400."""
        return self.status < 400

    @property
    def content_type(self) -> str:
        """Media type in lower case; ``application/octet-stream`` if there is none."""
        return parse_content_type(self.headers.get("Content-Type")).name

    @property
    def charset(self) -> str | None:
        """The charset parameter of Content-Type, None if absent."""
        return parse_content_type(self.headers.get("Content-Type")).charset

    @property
    def content_length(self) -> int | None:
        """Value of Content-Length, None if absent or no number."""
        value = self.headers.get("Content-Length", "")
        return int(value) if value.isascii() and value.isdigit() else None

    # --- body -----------------------------------------------------------------------

    @property
    def content(self) -> StreamReader:
        """The body as a stream."""
        stream = self._content
        if stream is None:
            stream = self._content = StreamReader(_NOBODY, max(len(self._encoded), 1))
            self._prepare(stream)
            stream.feed(self._encoded)
            stream.feed_eof()
            if self._is_released:
                stream.set_exception(ClientConnectionError("Connection closed"))
        return stream

    def _prepare(self, stream: StreamReader) -> None:
        # Not a method of the response: the connection keeps the stream, and would keep
        # the response, so that dropping it could not end the exchange.
        stream.explain_with(partial(explain_body, request=self._request))
        if not self._coding:
            return
        try:
            limit = self._request.settings.max_decoded_size
            decoder = make_decoder(self._coding, limit)
        except DecodeError as exc:
            stream.fail(exc)
            return
        if decoder is not None:
            stream.decode_with(decoder)

    async def read(self) -> bytes:
        """Read the whole decoded body; a second call returns it again.

        Raises:
            ClientPayloadError: It broke off or cannot be decoded; ``partial`` of the
                error is what had been decoded.
            ClientConnectionError: The response was released before.
        """
        if self._is_released:
            msg = "Connection closed"
            raise ClientConnectionError(msg)
        body = self._body
        if body is None:
            try:
                body = self._body = await self.content.read()
                if self._request.tracer is not None:
                    await self._request.tracer.emit(
                        "response_chunk_received", self.method, self.url, body
                    )
            except BaseException:
                self.close()
                raise
        return body

    def get_encoding(self) -> str:
        """Say which encoding ``text`` uses.

        Raises:
            RuntimeError: The body is needed to guess it, and was not read yet.
        """
        media = parse_content_type(self.headers.get("Content-Type"))
        encoding = declared_encoding(media)
        if encoding is not None:
            return encoding
        if self._body is None:
            msg = "Cannot compute fallback encoding of a not yet read body"
            raise RuntimeError(msg)
        return self._resolve_charset(self, self._body)

    async def text(self, encoding: str | None = None, errors: str = "strict") -> str:
        """Read the body as text.

        Args:
            encoding: Which encoding it has; None asks the response.
            errors: What to do with bytes that are not text, as in ``bytes.decode``.

        Raises:
            UnicodeDecodeError: With errors="strict", the body is not text.
            ClientError: As in ``read``.
        """
        body = self._body
        if body is None:
            body = await self.read()
        return body.decode(encoding or self.get_encoding(), errors)

    async def json(
        self,
        *,
        encoding: str | None = None,
        loads: Callable[[str], Any] = json_module.loads,
        content_type: str | None = "application/json",
    ) -> Any:
        """Read the body as JSON; a blank body gives None.

        Args:
            encoding: Which encoding the text has; None asks the response.
            loads: Turns text into a value.
            content_type: What the response has to be; "application/json" also takes
                "application/problem+json" and the like, None takes anything.

        Raises:
            ContentTypeError: It is of another type.
            ValueError: It is not JSON, as ``loads`` says it.
            ClientError: As in ``read``.
        """
        body = self._body
        if body is None:
            body = await self.read()
        if not is_expected_type(self.content_type, content_type):
            raise ContentTypeError(
                self.request_info,
                self.history,
                status=self.status,
                message=(
                    "Attempt to decode JSON with unexpected mimetype: "
                    f"{self.headers.get('Content-Type', '')}"
                ),
                headers=self.headers,
            )
        if not body.strip():
            return None
        if encoding is None:
            return loads(json_text(body, self.get_encoding()))
        return loads(body.decode(encoding))

    def raise_for_status(self) -> None:
        """Raise if the status is 400 or above.

        Outside ``async with`` the response is released first, so its body is lost.

        Raises:
            ClientResponseError: It is.
        """
        if self.status < 400:
            return
        if not self.is_entered:
            self.release()
        raise ClientResponseError(
            self.request_info,
            self.history,
            status=self.status,
            message=self.reason,
            headers=self.headers,
        )

    # --- end ------------------------------------------------------------------------

    @property
    def closed(self) -> bool:
        """Whether the response needs its connection no more."""
        return self._is_released or self._lease is None or self._lease.is_over

    def release(self) -> _Done:
        """Give up the rest of the body; a body that is not read ends its connection.

        Returns:
            Something that may be awaited, and need not.
        """
        if not self._is_released:
            self._is_released = True
            if self._content is not None and self._content.exception() is None:
                self._content.set_exception(ClientConnectionError("Connection closed"))
            lease, self._lease = self._lease, None
            if lease is not None:
                lease.release()
        return _DONE

    def close(self) -> None:
        """Do what ``release`` does."""
        self.release()

    def switch_protocol(
        self, protocol: asyncio.BufferedProtocol
    ) -> tuple[Connection | None, bytes]:
        """Give the connection of a 101 response to another protocol; for our layers.

        Returns:
            The connection, None if it closed meanwhile; and what came after the head.
        """
        data = b""
        lease, self._lease = self._lease, None
        stream = self._content
        if lease is None or stream is None:
            return None, data
        if stream.exception() is None:
            data = stream.read_nowait()
        return lease.hand_over(protocol), data

    async def wait_for_close(self) -> None:
        """Give up the rest of the body.

        Compat: aiohttp waits for the task of the request body here; ours ends with the
        exchange, and the connector waits for it.
        """
        self.release()

    async def __aenter__(self) -> Self:
        self.is_entered = True
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.is_entered = False
        self.release()
