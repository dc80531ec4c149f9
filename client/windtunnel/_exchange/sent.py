"""What became of the body of a request that has its response already.

A request comes in, how much of it was sent goes out. It is loaded when somebody asks.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from windtunnel._exchange.handmade import HandMade
from windtunnel._exchange.request import LAST_CHUNK
from windtunnel.errors import UploadAbortedError

if TYPE_CHECKING:
    from windtunnel._exchange.request import Request


def output_bytes(request: Request | HandMade) -> int:
    """Say how many bytes were sent so far, head and framing included."""
    if isinstance(request, HandMade):
        return int(getattr(request.stream_writer, "output_size", 0))
    plan, payload, sent = request.plan, request.payload, request.sent
    size = len(plan.head) + (sent if isinstance(sent, int) else sent.sent_bytes)
    if payload is None or request.upload is not None:
        return size
    # It went out with the head.
    body = len(payload.body or b"")
    if not plan.framing.is_chunked:
        return size + min(body, plan.framing.length)
    return size + len(LAST_CHUNK) + (len(b"%x\r\n\r\n" % body) + body if body else 0)


def sent_in_full(
    upload: asyncio.Task[Exception | None] | None,
) -> asyncio.Future[None]:
    """Make a future that is done when a body is sent.

    Args:
        upload: The task that sends it, None if it went out with the head.

    Returns:
        Its exception is an ``UploadAbortedError`` if the rest was not wanted, or what
        the source of the body raised.
    """
    end: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def settle(task: asyncio.Task[Exception | None]) -> None:
        if end.done():
            return
        failure: Exception | None = UploadAbortedError(
            "The request body was not sent to its end"
        )
        if not task.cancelled():
            failure = task.result()
        if failure is None:
            end.set_result(None)
            return
        end.set_exception(failure)
        # Nobody has to ask.
        end.exception()

    if upload is None:
        end.set_result(None)
    else:
        upload.add_done_callback(settle)
    return end
