"""What the caller gets: the head of a response, and its body when asked for.

An ``Answer`` of the connection and the request it belongs to come in; out go header
maps, bytes, text and JSON. Whatever costs something is made on first use. It must not
know how the bytes arrive: the stream does.
"""

from __future__ import annotations

import asyncio
import json as json_module
import warnings
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Self

from windtunnel._body.charset import (
    declared_encoding,
    is_expected_type,
    json_text,
    parse_content_type,
)
from windtunnel._body.decoders import DecodeError, make_decoder
from windtunnel._body.stream import StreamReader
from windtunnel._exchange.request import Request
from windtunnel._exchange.response_head import ResponseHead
from windtunnel._exchange.translate import explain_body
from windtunnel._wire.head import Head
from windtunnel.errors import (
    ClientConnectionError,
    ClientResponseError,
    ContentTypeError,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator
    from types import TracebackType

    from yarl import URL

    from windtunnel._base.typedefs import RequestInfo
    from windtunnel._exchange.handmade import Arrival, Resolver
    from windtunnel._exchange.lease import Lease
    from windtunnel._transport.connection import Connection, Successor
    from windtunnel._transport.handle import Connection as Handle
    from windtunnel._transport.settings import Answer


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
_NO_HEAD = Head(0, "", 1, [])
_NOBODY = _Nobody()


def _utf8(response: ClientResponse, body: bytes) -> str:
    """Resolve the charset of a response that belongs to no session."""
    return "utf-8"


class ClientResponse(ResponseHead):
    """A response whose head has arrived.

    Sessions make it; the constructor is for mock libraries and for tests, which then
    set ``status``, ``reason``, ``_headers`` and ``content``, and for subclasses that a
    session was given as ``response_class``.

    Args:
        method: Method of the request.
        url: URL of the request.
        writer: Task that sends the request's body, None for none.
        continue100: Not used.
        timer: Not used; the connection owns the deadlines.
        request_info: What the response shows as its request.
        traces: Not used; sessions watch their own responses.
        loop: Not used.
        session: Whose charset resolver is asked, None for UTF-8.
        stream_writer: Whose ``output_size`` is shown, None for 0.

    Attributes:
        is_entered: Whether an ``async with`` will release it.
        ATTRS: Names of the attributes that are not in its dict.

    Compat: aiohttp's ClientResponse.
    """

    __slots__ = (
        "_body",
        "_coding",
        "_content",
        "_encoded",
        "_is_released",
        "_lease",
        "_resolve_charset",
        "is_entered",
    )

    ATTRS: ClassVar[frozenset[str]] = frozenset(ResponseHead.__slots__).union(__slots__)
    _arrival: Awaitable[Arrival] | None = None
    _upload_end: asyncio.Future[None] | None = None

    _resolve_charset: Resolver
    _body: bytes | None
    _content: StreamReader | None
    _lease: Lease | None

    def __init__(
        self,
        method: str,
        url: URL,
        *,
        writer: asyncio.Task[Any] | None,
        continue100: asyncio.Future[bool] | None,
        timer: Any,
        request_info: RequestInfo,
        traces: Any,
        loop: asyncio.AbstractEventLoop,
        session: Any,
        stream_writer: Any = None,
    ) -> None:
        from windtunnel._exchange.handmade import HandMade

        self.method = method
        self.status = 0
        self.reason = None
        self._head = _NO_HEAD
        self._request = HandMade(request_info, url, writer, stream_writer)
        self._resolve_charset = getattr(session, "_resolve_charset", _utf8)
        self._headers = None
        self._lease = None
        self.is_entered = False
        self._is_released = False
        self._coding = ""
        self._encoded = b""
        self._body = None
        self._content = None

    def arrive(
        self,
        request: Request,
        answer: Answer,
        lease: Lease | None,
        resolve_charset: Resolver,
    ) -> None:
        """Become the response to a request; for the client's own layers.

        Args:
            request: What was asked.
            answer: What came.
            lease: The hold on the connection, None if the body has come, too.
            resolve_charset: Names the encoding of a body that does not declare one.
        """
        head = answer.head
        self.method = request.plan.method
        self.status = head.status
        self.reason = head.reason
        self._head = head
        self._request = request
        self._resolve_charset = resolve_charset
        self._headers = None
        self._lease = lease
        self.is_entered = False
        self._is_released = False
        self._coding = answer.coding if request.settings.auto_decompress else ""
        self._encoded = answer.body
        self._content = stream = answer.stream
        if stream is not None:
            self._body = None
            self._prepare(stream, request)
        elif not self._coding and request.tracer is None:
            self._body = answer.body
        else:
            self._body = None

    def expect(self, arrival: Awaitable[Arrival]) -> None:
        """Hear what ``start`` waits for; for the client's own layers."""
        self._arrival = arrival

    async def start(self, connection: Handle) -> Self:
        """Wait for the head of the response; a subclass may do more.

        Args:
            connection: Where it comes from.

        Raises:
            RuntimeError: No session made the response, or it has started.
            ClientError: No acceptable head came.
        """
        arrival, self._arrival = self._arrival, None
        if arrival is None:
            msg = f"start() of a response to {self.url} that nothing is to come for"
            raise RuntimeError(msg)
        self.arrive(*await arrival)
        # So that the methods of a subclass call its own ``read`` for a body, which may
        # be here already.
        self._body = None
        return self

    # --- body -----------------------------------------------------------------------

    @property
    def history(self) -> tuple[ClientResponse, ...]:
        """Redirect responses before this one, oldest first."""
        return self._history

    def follow_up(self, history: tuple[ClientResponse, ...]) -> None:
        """Hear of the redirect responses before this one."""
        self._history = history

    @property
    def content(self) -> StreamReader:
        """The body as a stream."""
        stream = self._content
        if stream is None:
            stream = self._content = StreamReader(_NOBODY, max(len(self._encoded), 1))
            request = self._request
            if isinstance(request, Request):
                self._prepare(stream, request)
            stream.feed(self._encoded)
            stream.feed_eof()
            if self._is_released:
                stream.set_exception(ClientConnectionError("Connection closed"))
        return stream

    @content.setter
    def content(self, stream: StreamReader) -> None:
        self._content = stream

    def _prepare(self, stream: StreamReader, request: Request) -> None:
        # Not a method of the response: the connection keeps the stream, and would keep
        # the response, so that dropping it could not end the exchange.
        stream.explain_with(partial(explain_body, request=request))
        if not self._coding:
            return
        try:
            limit = request.settings.max_decoded_size
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

    async def _read_whole(self) -> bytes:
        """Read by the method that a subclass may have; what the response keeps counts.

        Compat: aiohttp.
        """
        body = await self.read()
        return body if self._body is None else self._body

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
            body = await self._read_whole()
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
            body = await self._read_whole()
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
            message=self.reason or "",
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

    def switch_protocol(self, protocol: Successor) -> tuple[Connection | None, bytes]:
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
        """Give up the rest of the body, and wait until the request's body is let go."""
        self.release()
        if self.is_sending and self._request.upload is not None:
            await asyncio.wait([self._request.upload])

    @property
    def is_sending(self) -> bool:
        """Whether the body of the request is still being sent, or let go of."""
        upload = self._request.upload
        return upload is not None and not upload.done()

    @property
    def connection(self) -> Handle | None:
        """The connection that the body comes from, None once it has come."""
        lease = self._lease
        if lease is None or lease.is_over:
            return None
        return lease.handle(self.content)

    # --- the request, deprecated ----------------------------------------------------

    @property
    def output_size(self) -> int:
        """Bytes that were sent for the request; deprecated."""
        _deprecated("output_size")
        from windtunnel._exchange.sent import output_bytes

        return output_bytes(self._request)

    @property
    def upload_complete(self) -> asyncio.Future[None]:
        """A future that is done when the body of the request is sent; deprecated."""
        _deprecated("upload_complete")
        future = self._upload_end
        if future is None:
            from windtunnel._exchange.sent import sent_in_full

            future = self._upload_end = sent_in_full(self._request.upload)
        return future

    async def __aenter__(self) -> Self:
        self.is_entered = True
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        self.is_entered = False
        self.release()
        if self.is_sending:
            await self.wait_for_close()


def _deprecated(name: str) -> None:
    warnings.warn(
        f"ClientResponse.{name} is deprecated, use UploadTracker instead",
        DeprecationWarning,
        stacklevel=3,
    )
