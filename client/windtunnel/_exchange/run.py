"""One exchange: get a connection, send, wait for the head, once more if that is safe.

A request comes in, a response whose head has come goes out. Each decision is a call
into ``_policy``; this file only acts on them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windtunnel._exchange.lease import Lease
from windtunnel._exchange.response import ClientResponse
from windtunnel._exchange.translate import explain
from windtunnel._policy.reuse import may_retry
from windtunnel._transport.dial import Deadlines
from windtunnel._transport.failures import Disconnected, TransportFailure
from windtunnel._transport.upload import slices, upload
from windtunnel._wire.violation import WireError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from windtunnel._exchange.request import Request
    from windtunnel._transport.connection import Connection
    from windtunnel._transport.connector import BaseConnector
    from windtunnel._transport.settings import Answer

# A body up to this size goes out with the head, in one write and without a task.
_SMALL_BODY_BYTES = 65536


async def run(
    request: Request,
    connector: BaseConnector,
    resolve_charset: Callable[[ClientResponse, bytes], str],
) -> ClientResponse:
    """Exchange one request for one response.

    Raises:
        ClientError: No acceptable response head came.
        TotalTimeoutError: None came in time.
    """
    pool = connector.pool
    may_repeat = True
    while True:
        connection = pool.take(request.key, request.started)
        try:
            if connection is None:
                connection = await _acquire(request, connector)
            token = _begin(request, connection)
            try:
                answer: Answer = await token
            except BaseException:
                connection.abandon(token)
                raise
        except (TransportFailure, WireError) as failure:
            if may_repeat and _is_worth_repeating(failure, request):
                may_repeat = False
                continue
            _close_payload(request)
            error = explain(failure, request)
            raise error from error.__cause__
        except BaseException:
            _close_payload(request)
            raise
        if request.payload is not None:
            _close_payload(request)
        lease = None
        if answer.stream is not None:
            lease = Lease(connection, token)
        return ClientResponse(request, answer, lease, resolve_charset)


async def _acquire(request: Request, connector: BaseConnector) -> Connection:
    deadlines = Deadlines.begin(request.started, request.total_at, request.timeout)
    return await connector.acquire(request.key, deadlines)


def _begin(request: Request, connection: Connection) -> asyncio.Future[Answer]:
    """Send the head and whatever goes with it at once; start an upload for the rest."""
    payload, data, framing = request.payload, request.head, request.framing
    body = None if payload is None else payload.body
    if payload is None or (body is not None and len(body) <= _SMALL_BODY_BYTES):
        if framing.is_chunked:
            data += b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            data += b"0\r\n\r\n"
        elif body:
            data += body[: framing.length]
        return connection.begin(
            data, request.method, request.settings, request.total_at
        )
    token = connection.begin(data, request.method, request.settings, request.total_at)
    request.upload = connection.start_upload(
        upload(
            connection,
            payload.pieces() if body is None else slices(body),
            None if framing.is_chunked else framing.length,
        )
    )
    return token


def _is_worth_repeating(failure: Exception, request: Request) -> bool:
    payload = request.payload
    return isinstance(failure, Disconnected) and may_retry(
        request.method,
        has_answer=failure.has_answer,
        is_replayable=payload is None or payload.replayable,
    )


def _close_payload(request: Request) -> None:
    """Let go of the body, but not while it is still being sent."""
    payload, task = request.payload, request.upload
    if payload is None:
        return
    if task is None or task.done():
        payload.close()
    else:
        task.add_done_callback(lambda _: payload.close())
