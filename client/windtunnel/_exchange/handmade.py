"""Responses that are made by the constructor of the compatible API.

Mock libraries and tests call it, and so does a session for a ``response_class`` of its
user's. What it was given comes in; the few things that a response asks of its request
go out, and responses of that class.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from windtunnel._transport.handle import Connection

if TYPE_CHECKING:
    from collections.abc import Callable

    from yarl import URL

    from windtunnel._base.typedefs import RequestInfo
    from windtunnel._exchange.lease import Lease
    from windtunnel._exchange.request import Request
    from windtunnel._exchange.response import ClientResponse
    from windtunnel._transport.settings import Answer

    Resolver = Callable[[ClientResponse, bytes], str]
    Arrival = tuple[Request, Answer, Lease | None, Resolver]


class HandMade:
    """Facts about a request that nobody sent.

    Attributes:
        info: What the response shows as its request.
        url: Without fragment.
        real_url: With it.
        upload: The task that sends the body, None for none.
        stream_writer: Who knows what was sent.
        tracer: Nobody watches.
    """

    __slots__ = ("info", "real_url", "stream_writer", "upload", "url")

    tracer = None

    def __init__(
        self, info: RequestInfo, url: URL, upload: Any, stream_writer: Any
    ) -> None:
        self.info = info
        self.url = url.with_fragment(None) if url.raw_fragment else url
        self.real_url = url
        self.upload = upload
        self.stream_writer = stream_writer


class _Sent:
    """Stands for the writer that the compatible API shows: how much was sent."""

    __slots__ = ("_request",)

    def __init__(self, request: Request) -> None:
        self._request = request

    @property
    def output_size(self) -> int:
        """Bytes that were sent, head and framing included."""
        from windtunnel._exchange.sent import output_bytes

        return output_bytes(self._request)


async def make_response(
    response_class: type[ClientResponse],
    session: Any,
    request: Request,
    answer: Answer,
    lease: Lease | None,
    resolve_charset: Resolver,
) -> ClientResponse:
    """Make a response of a user's class.

    Args:
        response_class: The class.
        session: What its constructor gets as the session.
        request: What was asked.
        answer: What came.
        lease: The hold on the connection, None if the body has come, too.
        resolve_charset: Names the encoding of a body that does not declare one.
    """

    async def arrival() -> Arrival:
        return request, answer, lease, resolve_charset

    loop = asyncio.get_running_loop()
    handle = Connection(None, request.plan.key, None, loop)
    if lease is not None and answer.stream is not None:
        handle = lease.handle(answer.stream)
    try:
        response = response_class(
            request.plan.method,
            request.real_url,
            writer=request.upload,
            continue100=None,
            timer=None,
            request_info=request.info,
            traces=[],
            loop=loop,
            session=session,
            stream_writer=_Sent(request),
        )
        response.expect(arrival())
        return await response.start(handle)
    except BaseException:
        if lease is not None:
            lease.release()
        raise
