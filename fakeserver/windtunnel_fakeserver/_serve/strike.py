"""Playing a reply and its faults on a connection.

Comes in: a plan, or a fault whose moment has come. Goes out: bytes, pauses, and what
goes wrong. Must not know: how an answer is found, when a fault is due.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from windtunnel_fakeserver._script.fault import (
    Eof,
    Fault,
    Garbage,
    HalfClose,
    Reset,
    TlsAlert,
)
from windtunnel_fakeserver._script.pace import Hold, Pause

if TYPE_CHECKING:
    from collections.abc import Sequence

    from windtunnel_fakeserver._journal.journal import Journal
    from windtunnel_fakeserver._journal.record import Exchange
    from windtunnel_fakeserver._script.fault import Armed
    from windtunnel_fakeserver._script.plan import Plan
    from windtunnel_fakeserver._serve.link import Link


async def play(
    link: Link,
    journal: Journal,
    exchange: Exchange,
    plan: Plan,
    arms: Sequence[Armed] = (),
) -> bool:
    """Send one reply.

    Args:
        link: Where to.
        journal: Gets what happened.
        exchange: Gets status, time and bytes.
        plan: What to send.
        arms: The faults that are among its pieces.

    Returns:
        Whether a further request may be answered on the connection.

    Raises:
        WireClosedError: The client left.
    """
    before_head = plan.head_at
    for piece in plan.pieces:
        if isinstance(piece, bytes):
            if before_head > 0:
                before_head -= len(piece)
            elif exchange.replied is None:
                exchange.reply_status = plan.status
                exchange.replied = journal.now
                exchange.reply_mark = len(link.record.events)
            exchange.sent.append(piece)
            await link.send(piece)
        elif isinstance(piece, Pause):
            await asyncio.sleep(piece.seconds)
        elif isinstance(piece, Hold):
            await _held(link, piece)
        elif not await strike(link, journal, _armed(piece, arms)):
            return False
    return not plan.close


async def _held(link: Link, hold: Hold) -> None:
    # The name shows in the waiter table when nobody can move.
    task, name = link.task, link.task.get_name()
    task.set_name(f"{name} held at gate {hold.name}".rstrip())
    try:
        await hold.wait()
    finally:
        task.set_name(name)


def _armed(fault: Fault, arms: Sequence[Armed]) -> Armed:
    return next(armed for armed in arms if armed.fault is fault)


async def strike(link: Link, journal: Journal, armed: Armed) -> bool:
    """Let a fault happen.

    Returns:
        Whether the connection goes on.

    Raises:
        RuntimeError: A half-close inside TLS.
        WireClosedError: The client left before it.
    """
    fault = armed.fault
    armed.fired = True
    journal.event(link.record, "", "note", b"", f"fault {fault!r}")
    if isinstance(fault, Garbage):
        if fault.in_response:
            # The garbage itself is among the pieces of the plan.
            return True
        await link.send(fault.noise())
    elif isinstance(fault, TlsAlert):
        await link.send(fault.record)
    elif isinstance(fault, Eof):
        if not fault.close_notify:
            link.abort()
    elif isinstance(fault, Reset):
        link.reset()
    elif isinstance(fault, HalfClose):
        link.send_eof()
        await _discard(link)
    else:
        await _stall(link, fault)
    link.close()
    return False


async def await_hello(link: Link, size: int) -> int:
    """Wait for ``size`` bytes of a client's handshake, at least one.

    Returns:
        How many came; fewer when the client left.
    """
    link.resume_reading()
    while len(link.reader.buffer) < max(size, 1) and not link.ended:
        await link.more()
    return len(link.reader.buffer)


async def _discard(link: Link) -> None:
    while not link.ended:
        link.reader.take_some(len(link.reader.buffer))
        await link.more()


async def _stall(link: Link, fault: Fault) -> None:
    # The name shows in the waiter table when nobody can move.
    link.task.set_name(f"{link.task.get_name()} fault {fault!r}")
    await asyncio.wait([link.gone])
