"""One exchange: get a connection, send, wait for the head, once more if that is safe.

A request comes in, a response whose head has come goes out. Each decision is a call
into ``_policy``; this file only acts on them.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from windtunnel._exchange.lease import Lease
from windtunnel._exchange.request import LAST_CHUNK
from windtunnel._exchange.response import ClientResponse
from windtunnel._exchange.translate import explain
from windtunnel._policy.reuse import may_retry
from windtunnel._transport.dial import Deadlines
from windtunnel._transport.failures import ClosedHere, Disconnected, TransportFailure
from windtunnel._transport.upload import slices, upload
from windtunnel._wire.violation import WireError
from windtunnel.hdrs import UPGRADE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from windtunnel._body.payloads import Payload
    from windtunnel._exchange.handmade import Resolver
    from windtunnel._exchange.request import Request
    from windtunnel._transport.connection import Connection
    from windtunnel._transport.connector import BaseConnector
    from windtunnel._transport.settings import Answer

    Maker = Callable[
        [Request, Answer, Lease | None, Resolver], Awaitable[ClientResponse]
    ]

# A body up to this size goes out with the head, in one write and without a task.
_SMALL_BODY_BYTES = 65536


async def run(
    request: Request,
    connector: BaseConnector,
    resolve_charset: Callable[[ClientResponse, bytes], str],
    *,
    may_repeat: bool = True,
    make: Maker | None = None,
) -> ClientResponse:
    """Exchange one request for one response.

    Args:
        request: What is asked.
        connector: Where connections come from.
        resolve_charset: Names the encoding of a body that does not declare one.
        may_repeat: Whether a broken connection is tried once more.
        make: Makes a response of another class, None for the usual one.

    Raises:
        ClientError: No acceptable response head came.
        TotalTimeoutError: None came in time.
    """
    pool = connector.pool
    plan = request.plan
    while True:
        connection = pool.take(plan.key, request.started)
        try:
            if connection is None:
                connection = await connector.acquire(
                    plan.key,
                    Deadlines.begin(request.started, request.total_at, request.timeout),
                    request.tracer,
                )
            elif request.tracer is not None:
                connection = await _show_reuse(request, connector, connection)
            token = (
                connection.begin(
                    plan.head, plan.method, request.settings, request.total_at
                )
                if request.payload is None
                else _begin_with_body(request, request.payload, connection)
            )
            connection.is_last = plan.block.closes
            try:
                answer: Answer = await (
                    token if request.tracer is None else _watch_sending(request, token)
                )
            except BaseException:
                connection.abandon(token)
                raise
        except (TransportFailure, WireError) as failure:
            request.is_repeatable = _is_worth_repeating(failure, request)
            if may_repeat and request.is_repeatable:
                may_repeat = False
                continue
            await _release_payload(request)
            error = explain(failure, request)
            raise error from error.__cause__
        except BaseException:
            await _release_payload(request)
            raise
        if request.payload is not None:
            await _release_payload(request)
        lease = (
            None
            if answer.stream is None
            else _lease(request, answer, Lease(connection, token))
        )
        if make is not None:
            return await make(request, answer, lease, resolve_charset)
        response: ClientResponse = object.__new__(ClientResponse)
        response.arrive(request, answer, lease, resolve_charset)
        return response


def _lease(request: Request, answer: Answer, lease: Lease) -> Lease:
    """Check that who asks for no other protocol gets none."""
    if answer.head.status == 101 and UPGRADE not in request.info.headers:
        raise explain(lease.refuse_switch(), request)
    return lease


async def _show_reuse(
    request: Request, connector: BaseConnector, connection: Connection
) -> Connection:
    """Tell the tracer of an idle connection, unless it ends meanwhile."""
    try:
        await request.tracer.emit("connection_reuseconn")
    except BaseException:
        connector.pool.put_back(connection)
        raise
    if not connection.is_usable():
        # The server closed it while the handlers ran.
        connector.pool.vacate(request.plan.key)
        raise Disconnected(None, has_answer=False)
    return connection


async def _watch_sending(request: Request, token: asyncio.Future[Answer]) -> Answer:
    """Tell the tracer what went out at once, then wait for the answer."""
    info, payload, tracer = request.info, request.payload, request.tracer
    await tracer.emit("request_headers_sent", info.method, info.url, info.headers)
    if payload is not None and request.upload is None and payload.body:
        await tracer.emit("request_chunk_sent", info.method, info.url, payload.body)
    return await token


async def _watched(
    pieces: AsyncIterator[bytes], request: Request, tracer: Any
) -> AsyncIterator[bytes]:
    """Give pieces on, and tell the tracer of each that was sent."""
    info = request.info
    async for piece in pieces:
        yield piece
        await tracer.emit("request_chunk_sent", info.method, info.url, piece)


def _begin_with_body(
    request: Request, payload: Payload, connection: Connection
) -> asyncio.Future[Answer]:
    """Send the head and a small body at once; start an upload for any other."""
    plan = request.plan
    data, framing, body = plan.head, plan.framing, payload.body
    is_small = body is not None and len(body) <= _SMALL_BODY_BYTES and not plan.expects
    if body is not None and is_small:
        if framing.is_chunked:
            if body:
                data += b"%x\r\n%b\r\n" % (len(body), body)
            data += LAST_CHUNK
        else:
            data += body[: framing.length]
    token = connection.begin(data, plan.method, request.settings, request.total_at)
    if not is_small:
        pieces = payload.pieces() if body is None else slices(body)
        if request.tracer is not None:
            pieces = _watched(pieces, request, request.tracer)
        if request.progress is not None:
            request.progress.watch(connection.unsent_bytes)
        asked = connection.expect_continue() if plan.expects else None
        request.sent = connection
        request.upload = connection.start_upload(
            _upload(request, connection, pieces, asked)
        )
    return token


async def _upload(
    request: Request,
    connection: Connection,
    pieces: AsyncIterator[bytes],
    asked: asyncio.Future[None] | None,
) -> Exception | None:
    """Send the body, once the server asked for it if it has to.

    Returns:
        What the source of the body raised, None if it was sent.

    Spec: RFC 9110 section 10.1.1.
    """
    framing = request.plan.framing
    length = None if framing.is_chunked else framing.length
    is_whole = False
    try:
        if asked is not None:
            await asked
        failure = await upload(connection, pieces, length)
        is_whole = failure is None
    except asyncio.CancelledError:
        # Half a request leaves the connection useless.
        connection.shut(ClosedHere("Connection closed"))
        raise
    else:
        return failure
    finally:
        request.sent = connection.sent_bytes
        if request.progress is not None:
            request.progress.end(is_whole=is_whole)
        # The response may have come before the end of the body.
        await _release_payload(request)


def _is_worth_repeating(failure: Exception, request: Request) -> bool:
    payload = request.payload
    return isinstance(failure, Disconnected) and may_retry(
        request.plan.method,
        has_answer=failure.has_answer,
        is_replayable=payload is None or payload.replayable,
    )


async def _release_payload(request: Request) -> None:
    if not request.keeps_payload:
        await close_payload(request)


async def close_payload(request: Request) -> None:
    """Let go of the body, but not while it is still being sent."""
    payload, task = request.payload, request.upload
    request.keeps_payload = False
    if payload is None or request.is_closed or not payload.closes:
        return
    if task is None or task.done() or task is asyncio.current_task():
        request.is_closed = True
        await payload.close()
