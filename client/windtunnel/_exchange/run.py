"""One exchange: get a connection, send, wait for the head, once more if that is safe.

A request comes in, a response whose head has come goes out. Each decision is a call
into ``_policy``; this file only acts on them.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from windtunnel._exchange.lease import Lease
from windtunnel._exchange.response import ClientResponse
from windtunnel._exchange.translate import explain
from windtunnel._policy.reuse import may_retry
from windtunnel._transport.dial import Deadlines
from windtunnel._transport.failures import Disconnected, TransportFailure
from windtunnel._transport.upload import slices, upload
from windtunnel._wire.violation import WireError
from windtunnel.hdrs import UPGRADE

if TYPE_CHECKING:
    from collections.abc import Callable

    from windtunnel._body.payloads import Payload
    from windtunnel._exchange.request import Request
    from windtunnel._transport.connection import Connection
    from windtunnel._transport.connector import BaseConnector
    from windtunnel._transport.settings import Answer

# A body up to this size goes out with the head, in one write and without a task.
_SMALL_BODY_BYTES = 65536
_NO_CHUNKS = b"0\r\n\r\n"


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
    plan = request.plan
    may_repeat = True
    while True:
        connection = pool.take(plan.key, request.started)
        try:
            if connection is None:
                connection = await _acquire(request, connector)
            if request.payload is None:
                token = connection.begin(
                    plan.head, plan.method, request.settings, request.total_at
                )
            else:
                token = _begin_with_body(request, request.payload, connection)
            try:
                answer: Answer = await token
            except BaseException:
                connection.abandon(token)
                raise
        except (TransportFailure, WireError) as failure:
            if may_repeat and _is_worth_repeating(failure, request):
                may_repeat = False
                continue
            await _close_payload(request)
            error = explain(failure, request)
            raise error from error.__cause__
        except BaseException:
            await _close_payload(request)
            raise
        if request.payload is not None:
            await _close_payload(request)
        lease = None
        if answer.stream is not None:
            lease = _lease(request, answer, Lease(connection, token))
        return ClientResponse(request, answer, lease, resolve_charset)


def _lease(request: Request, answer: Answer, lease: Lease) -> Lease:
    """Check that who asks for no other protocol gets none."""
    if answer.head.status == 101 and UPGRADE not in request.info.headers:
        raise explain(lease.refuse_switch(), request)
    return lease


async def _acquire(request: Request, connector: BaseConnector) -> Connection:
    deadlines = Deadlines.begin(request.started, request.total_at, request.timeout)
    return await connector.acquire(request.plan.key, deadlines)


def _begin_with_body(
    request: Request, payload: Payload, connection: Connection
) -> asyncio.Future[Answer]:
    """Send the head and a small body at once; start an upload for any other."""
    plan = request.plan
    data, framing, body = plan.head, plan.framing, payload.body
    is_small = body is not None and len(body) <= _SMALL_BODY_BYTES
    if body is not None and is_small:
        if framing.is_chunked:
            data += b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if body else _NO_CHUNKS
        else:
            data += body[: framing.length]
    token = connection.begin(data, plan.method, request.settings, request.total_at)
    if not is_small:
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
        request.plan.method,
        has_answer=failure.has_answer,
        is_replayable=payload is None or payload.replayable,
    )


async def _close_payload(request: Request) -> None:
    """Let go of the body, but not while it is still being sent."""
    payload, task = request.payload, request.upload
    if payload is None or not payload.closes:
        return
    if task is None or task.done():
        await payload.close()
    else:
        task.add_done_callback(lambda _: asyncio.ensure_future(payload.close()))
