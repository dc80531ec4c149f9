"""Serving one connection from routes: read a request, answer it, again.

Comes in: a link and something that answers requests. Goes out: replies on the wire
and exchanges in the journal. Must not know: how an answer is found, TLS, scripts.

Spec: RFC 9112 section 9.3 (persistence), RFC 9110 section 10.1.1 (100-continue).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from windtunnel_fakeserver._wire.reply_writer import CONTINUE

if TYPE_CHECKING:
    from windtunnel_fakeserver._journal.journal import Journal
    from windtunnel_fakeserver._journal.record import Exchange
    from windtunnel_fakeserver._script.plan import Plan
    from windtunnel_fakeserver._serve.link import Link
    from windtunnel_fakeserver._wire.request import Request


class Answerer(Protocol):
    """What finds the answer to a request."""

    async def answer(self, exchange: Exchange) -> tuple[Plan, float]:
        """Return the plan and the seconds to wait before its first byte.

        Sets ``exchange.answered_by`` and ``exchange.outcome``.
        """
        ...


async def serve_routes(link: Link, journal: Journal, answerer: Answerer) -> None:
    """Serve requests until either side ends the connection.

    Raises:
        WireClosedError: The client left while a reply was being sent.
    """
    while True:
        exchange = await _read_exchange(link, journal)
        if exchange is None:
            return
        plan, delay = await answerer.answer(exchange)
        if delay:
            await asyncio.sleep(delay)
        await _play(link, journal, exchange, plan)
        if plan.close or link.reader.broken:
            return


async def _read_exchange(link: Link, journal: Journal) -> Exchange | None:
    reader = link.reader
    request = reader.take_head()
    while request is None:
        if link.ended:
            return None
        await link.more()
        request = reader.take_head()
    exchange = journal.exchange(request, link.record)
    if not reader.pending:
        return exchange
    whole = reader.take_request()
    if whole is None and _expects_continue(request):
        exchange.sent.append(CONTINUE)
        await link.send(CONTINUE)
    while whole is None:
        if link.ended:
            exchange.request = reader.cut_request() or request
            exchange.outcome = "cut"
            return None
        await link.more()
        whole = reader.take_request()
    exchange.request = whole
    return exchange


def _expects_continue(request: Request) -> bool:
    expectations = ",".join(request.header_values("expect")).lower()
    return "100-continue" in expectations and request.version != "HTTP/1.0"


async def _play(link: Link, journal: Journal, exchange: Exchange, plan: Plan) -> None:
    exchange.reply_status = plan.status
    exchange.replied = journal.now
    exchange.reply_mark = len(link.record.events)
    for piece in plan.pieces:
        if isinstance(piece, bytes):
            exchange.sent.append(piece)
            await link.send(piece)
        else:
            await asyncio.sleep(piece.seconds)
