"""The way of one call: cookies, credentials, middlewares, redirects, one after another.

What a call asks for and what its session remembers come in, the final response goes
out. Each decision is a call into ``_policy``; each attempt is one ``run``. Requests
that need none of it do not come here unless their response does.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from multidict import CIMultiDict

from windtunnel._exchange.client_request import ClientRequest, bind
from windtunnel._exchange.request import Request
from windtunnel._exchange.run import close_payload, run
from windtunnel._exchange.target import Target
from windtunnel._policy.redirect import dropped_fields, is_over, kept_fields, next_hop
from windtunnel.errors import ClientError, ClientPayloadError, TooManyRedirects

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from windtunnel._body.payloads import Payload
    from windtunnel._exchange.client_request import ClientMiddlewareType
    from windtunnel._exchange.response import ClientResponse
    from windtunnel._exchange.way import Way
    from windtunnel._policy.deadline import ClientTimeout
    from windtunnel._policy.redirect import Hop
    from windtunnel._transport.connector import BaseConnector
    from windtunnel._transport.settings import ReadSettings
    from windtunnel._transport.tls import TlsSetting
    from windtunnel.abc import AbstractCookieJar


@dataclass(slots=True)
class Journey:
    """What one call asks for; most of it changes from hop to hop.

    Attributes:
        connector: Where connections come from.
        resolve_charset: Names the encoding of a body that does not declare one.
        session: Shown to middlewares.
        method: As sent.
        target: The URL.
        fields: The caller's header fields, with the session's merged in.
        skip: Names of automatic fields that are not sent, in lower case.
        payload: The body, None without.
        ssl: How TLS is verified.
        way: How connections are made, None for the plain way.
        settings: How to receive responses.
        timeout: The timeouts in force.
        total_at: When all must be over, on the loop's clock.
        jar: The cookies of the session.
        cookies: Those of this call, None without.
        authorization: Credentials, empty without; they stay on the first origin.
        middlewares: Around each attempt, the outermost first.
        tracer: Who watches, None if nobody does.
        follows: Whether redirects are followed.
        max_redirects: The limit, 0 for none.
        requotes: Whether redirect targets are put into normal form.
        may_retry: Whether a broken connection is tried once more.
    """

    connector: BaseConnector
    resolve_charset: Callable[[ClientResponse, bytes], str]
    session: Any
    method: str
    target: Target
    fields: CIMultiDict[str]
    skip: frozenset[str]
    payload: Payload | None
    ssl: TlsSetting
    way: Way | None
    settings: ReadSettings
    timeout: ClientTimeout
    total_at: float
    jar: AbstractCookieJar
    cookies: AbstractCookieJar | None
    authorization: str
    middlewares: Sequence[ClientMiddlewareType]
    tracer: Any
    follows: bool
    max_redirects: int
    requotes: bool
    may_retry: bool
    _last: Request | None = field(default=None, init=False)
    _found: str = field(default="", init=False)

    async def travel(
        self, response: ClientResponse | None = None, request: Request | None = None
    ) -> ClientResponse:
        """Go all the way.

        Args:
            response: The first response, if it is here already.
            request: What it is the response to.

        Raises:
            ClientError: An attempt failed, or a redirect cannot be followed.
            TooManyRedirects: The limit was reached.
        """
        self._last = request
        tracer = self.tracer
        if tracer is None:
            return await self._arrive(response)
        url, method = self.target.url, self.method
        await tracer.start(method, url, self.fields)
        try:
            final = await self._arrive(response)
        except BaseException as exc:
            await tracer.fail(method, url, self.fields, exc)
            raise
        try:
            await tracer.emit(
                "request_end", self.method, self.target.url, self.fields, final
            )
        except BaseException:
            final.close()
            raise
        return final

    async def _arrive(self, response: ClientResponse | None) -> ClientResponse:
        """Follow to the end, and let go of the body whatever happens."""
        try:
            final = await self._follow(response)
        except BaseException:
            await self._let_go()
            raise
        try:
            await self._let_go()
        except BaseException:
            final.close()
            raise
        return final

    async def _follow(self, response: ClientResponse | None) -> ClientResponse:
        history: list[ClientResponse] = []
        while True:
            if response is None:
                if self.way is not None:
                    self._found = await self._look_around(self.way)
                response = await self._attempt()
            try:
                hop = await self._take(response, history)
            except BaseException:
                response.close()
                raise
            if hop is None:
                return response
            response.close()
            if is_over(len(history), self.max_redirects):
                raise TooManyRedirects(history[0].request_info, tuple(history))
            await self._move(hop)
            response = None

    async def _take(
        self, response: ClientResponse, history: list[ClientResponse]
    ) -> Hop | None:
        """Keep what a response says, and decide where it leads; None if it is final.

        Raises:
            ClientError: It leads nowhere.
        """
        if found := response.set_cookie_fields():
            self.jar.update_cookies_from_headers(found, response.url)
        hop = self._next(response) if self.follows else None
        if hop is None:
            response.follow_up(tuple(history))
            return None
        history.append(response)
        if self.tracer is not None:
            await self.tracer.emit(
                "request_redirect", self.method, self.target.url, self.fields, response
            )
        return hop

    def _next(self, response: ClientResponse) -> Hop | None:
        headers = response.headers
        return next_hop(
            response.status,
            self.method,
            self.target.real_url,
            headers.get("Location", headers.get("URI")),
            requote=self.requotes,
        )

    async def _move(self, hop: Hop) -> None:
        """Become the request that a redirect asks for."""
        await self._stop_upload()
        payload = self.payload
        if payload is not None and not hop.has_body:
            await payload.close()
            self.payload = None
        elif payload is not None and not payload.replayable:
            msg = (
                f"redirect to {hop.url} asks for the body again, which cannot be sent "
                "twice; give bytes or a file, or allow_redirects=False"
            )
            raise ClientPayloadError(msg)
        self.method = hop.method
        self.target = target = Target(hop.url)
        self.fields = CIMultiDict(kept_fields(self.fields.items(), dropped_fields(hop)))
        if hop.is_new_origin:
            self.cookies = None
            self.authorization = ""
        self.authorization = target.authorization or self.authorization

    async def _stop_upload(self) -> None:
        """End the sending of a body that was answered early; it may be sent again."""
        task = None if self._last is None else self._last.upload
        if task is not None and not task.done():
            task.cancel()
            await asyncio.wait([task])

    async def _let_go(self) -> None:
        last, payload = self._last, self.payload
        if last is not None:
            await close_payload(last)
        if payload is not None and (last is None or last.payload is not payload):
            await payload.close()

    # --- one attempt ----------------------------------------------------------------

    async def _look_around(self, way: Way) -> str:
        """Ask the environment for credentials, unless there are better ones."""
        if self.authorization or "Authorization" in self.fields:
            return ""
        return await way.credentials(self.target.url)

    async def _attempt(self) -> ClientResponse:
        if not self.middlewares:
            return await self._send(self._request())
        handler = bind(self.middlewares, self._send)
        try:
            return await handler(self._request())
        except ClientError:
            last = self._last
            if not self.may_retry or last is None or not last.is_repeatable:
                raise
        # Compat: the middlewares see the second attempt as well.
        return await handler(self._request())

    def _request(self) -> ClientRequest:
        fields = self.fields
        written = fields.get("Cookie")
        cookie = self._cookie(written)
        if written is not None:
            fields = CIMultiDict(fields)
            del fields["Cookie"]
        return ClientRequest(
            self.method,
            self.target,
            fields,
            self.payload,
            skip=self.skip,
            cookie=cookie,
            authorization=self.authorization or self._found,
            ssl=self.ssl,
            session=self.session,
        )

    def _cookie(self, written: str | None) -> str:
        """Merge the caller's field, the cookies of the jar and those of the call."""
        if written is None and not self.jar and self.cookies is None:
            return ""
        from windtunnel._policy.morsels import from_cookie_header, header_value

        merged = {each.key: each for each in from_cookie_header(written or "")}
        for source in (self.jar, self.cookies):
            if source is not None:
                merged.update(source.filter_cookies(self.target.url))
        return header_value(merged)

    async def _send(self, wanted: ClientRequest) -> ClientResponse:
        connector = self.connector
        started = connector.loop.time()
        way = self.way
        if way is None:
            plan = wanted.plan(force_close=connector.force_close)
        else:
            plan = wanted.plan(
                force_close=connector.force_close,
                proxy=await way.route(wanted.url),
                server_hostname=way.server_hostname,
            )
        request = Request(
            plan,
            wanted.payload,
            self.settings,
            self.timeout,
            started,
            self.total_at,
        )
        request.keeps_payload = True
        request.tracer = self.tracer
        await self._stop_upload()
        self._last = request
        may_repeat = self.may_retry and not self.middlewares
        return await run(
            request, connector, self.resolve_charset, may_repeat=may_repeat
        )
