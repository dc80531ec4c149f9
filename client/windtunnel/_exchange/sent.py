"""What became of the body of a request that has its response already.

A request comes in, how much of it was sent goes out. It is loaded when somebody asks.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from windtunnel._exchange.handmade import HandMade
from windtunnel.errors import UploadAbortedError

if TYPE_CHECKING:
    from windtunnel._exchange.request import Request


def output_bytes(request: Request | HandMade) -> int:
    """Say how many bytes were sent, head and framing included."""
    if isinstance(request, HandMade):
        return int(getattr(request.stream_writer, "output_size", 0))
    return len(request.plan.head)


def sent_in_full(upload: asyncio.Task[None] | None) -> asyncio.Future[None]:
    """Make a future that is done when a body is sent.

    Args:
        upload: The task that sends it, None if it went out with the head.

    Returns:
        Its exception is an ``UploadAbortedError`` if the task was cancelled, or what
        the source of the body raised.
    """
    end: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def settle(task: asyncio.Task[None]) -> None:
        if end.done():
            return
        if task.cancelled():
            end.set_exception(UploadAbortedError("the request ended before its body"))
            # Nobody has to ask.
            end.exception()
        else:
            end.set_result(None)

    if upload is None:
        end.set_result(None)
    else:
        upload.add_done_callback(settle)
    return end
