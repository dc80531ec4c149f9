"""The parts of one attempt: middlewares around it, and the body as it goes out.

A ``ClientRequest`` comes in; what the exchange sends goes out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windtunnel._base.typedefs import HttpVersion11
from windtunnel._body.payload_memory import bytes_payload
from windtunnel._body.payloads import Payload

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from windtunnel._exchange.client_request import (
        ClientHandlerType,
        ClientMiddlewareType,
        ClientRequest,
    )
    from windtunnel._exchange.response import ClientResponse
    from windtunnel._exchange.upload_tracker import UploadTracker

    StatusCheck = bool | Callable[[ClientResponse], Awaitable[None]]


def bind(
    middlewares: Iterable[ClientMiddlewareType], handler: ClientHandlerType
) -> ClientHandlerType:
    """Put middlewares around a handler; the first of them is the outermost."""

    def around(
        middleware: ClientMiddlewareType, inner: ClientHandlerType
    ) -> ClientHandlerType:
        def call(request: ClientRequest) -> Awaitable[ClientResponse]:
            return middleware(request, inner)

        return call

    for middleware in reversed(tuple(middlewares)):
        handler = around(middleware, handler)
    return handler


async def check_status(response: ClientResponse, check: StatusCheck) -> None:
    """Do what ``raise_for_status`` says; a response that is refused is closed."""
    try:
        if callable(check):
            await check(response)
        else:
            response.raise_for_status()
    except BaseException:
        response.close()
        raise


async def body_to_send(
    request: ClientRequest, tracker: UploadTracker | None
) -> Payload | None:
    """Give the body as it goes out: tracked, compressed, or read to its end.

    HTTP/1.0 has no chunked coding, so there the length must be known before.

    Raises:
        ValueError: The content coding cannot be applied.
    """
    payload = request.body
    if not isinstance(payload, Payload):
        return None
    is_old = request.version < HttpVersion11
    if tracker is not None and not is_old:
        payload = _tracked(payload, tracker)
    if request.compress:
        # Here, because few requests are compressed.
        from windtunnel._body.encoders import CompressedPayload

        payload = CompressedPayload(payload, request.compress)
    if is_old and payload.size is None:
        payload = bytes_payload(await payload.as_bytes(), payload.content_type)
    if tracker is not None and is_old:
        payload = _tracked(payload, tracker)
    return payload


def _tracked(payload: Payload, tracker: UploadTracker) -> Payload:
    from windtunnel._exchange.upload_tracker import TrackedPayload

    return TrackedPayload(payload, tracker)
