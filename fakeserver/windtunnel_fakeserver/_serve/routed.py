"""Serving one connection from routes: read a request, answer it, again.

Comes in: a link and something that answers requests. Goes out: replies on the wire
and exchanges in the journal. Must not know: how an answer is found, TLS, scripts.

Spec: RFC 9112 section 9.3 (persistence), RFC 9110 section 10.1.1 (100-continue).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from windtunnel_fakeserver._script.strike import struck
from windtunnel_fakeserver._serve.strike import play, strike
from windtunnel_fakeserver._wire.reply_writer import CONTINUE

if TYPE_CHECKING:
    from windtunnel_fakeserver._journal.journal import Journal
    from windtunnel_fakeserver._journal.record import Exchange
    from windtunnel_fakeserver._script.fault import Armed, Moment
    from windtunnel_fakeserver._script.plan import Plan
    from windtunnel_fakeserver._serve.link import Link
    from windtunnel_fakeserver._wire.request import Request


class Answerer(Protocol):
    """What finds the answer to a request."""

    async def answer(self, exchange: Exchange) -> tuple[Plan, Armed | None]:
        """Return the plan, and the fault that is among its pieces.

        Sets ``exchange.answered_by`` and ``exchange.outcome``.
        """
        ...


class Serving:
    """One connection that is served from routes.

    Args:
        link: The connection.
        journal: Gets its exchanges.
        answerer: Finds the answers.
        armed: A fault that the connection itself was given, None for none.
    """

    __slots__ = ("_answerer", "_armed", "_journal", "_link")

    def __init__(
        self, link: Link, journal: Journal, answerer: Answerer, armed: Armed | None
    ) -> None:
        self._link = link
        self._journal = journal
        self._answerer = answerer
        self._armed = armed

    async def run(self) -> None:
        """Serve requests until either side, or a fault, ends the connection.

        Raises:
            WireClosedError: The client left while a reply was being sent.
        """
        link = self._link
        while True:
            exchange = await self._read_exchange()
            if exchange is None:
                return
            plan, on_reply = await self._answerer.answer(exchange)
            arms = [] if on_reply is None else [on_reply]
            armed = self._armed
            if armed is not None and armed.fault.in_response and not armed.fired:
                plan = struck(plan, armed.fault)
                armed.reason = plan.unfired
                arms.append(armed)
            goes_on = await play(link, self._journal, exchange, plan, arms)
            if not goes_on or link.reader.broken:
                return

    async def _read_exchange(self) -> Exchange | None:
        request = await self._read_head()
        if request is None:
            return None
        link, reader = self._link, self._link.reader
        exchange = self._journal.exchange(request, link.record)
        head_size = len(request.raw)
        owes_continue = _expects_continue(request)
        while reader.pending:
            whole = reader.take_request()
            if whole is not None:
                exchange.request = whole
                break
            if await self._is_struck("request_body", len(reader.buffer)):
                return None
            if link.ended:
                exchange.request = reader.cut_request() or request
                exchange.outcome = "cut"
                return None
            if owes_continue:
                owes_continue = False
                exchange.sent.append(CONTINUE)
                await link.send(CONTINUE)
            await link.more()
        size = len(exchange.request.raw) - head_size
        return None if await self._is_struck("request_body", size) else exchange

    async def _read_head(self) -> Request | None:
        link, reader = self._link, self._link.reader
        while True:
            request = reader.take_head()
            size = len(reader.buffer) if request is None else len(request.raw)
            if size and await self._is_struck("request_head", size):
                return None
            if request is not None or link.ended:
                return request
            await link.more()

    async def _is_struck(self, moment: Moment, size: int) -> bool:
        armed = self._armed
        if armed is None or not armed.is_due(moment, size):
            return False
        await strike(self._link, self._journal, armed)
        return True


def _expects_continue(request: Request) -> bool:
    expectations = ",".join(request.header_values("expect")).lower()
    return "100-continue" in expectations and request.version != "HTTP/1.0"
