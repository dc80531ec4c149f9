"""The way of one call: cookies, credentials, middlewares, redirects, one after another.

What a call asks for and what its session remembers come in, the final response goes
out. Each decision is a call into ``_policy``; each attempt is one ``run``. Requests
that need none of it do not come here unless their response does.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from multidict import CIMultiDict

from windtunnel._body.payloads import Payload
from windtunnel._exchange.attempt import bind, body_to_send, check_status
from windtunnel._exchange.request import Request
from windtunnel._exchange.response import ClientResponse
from windtunnel._exchange.run import close_payload, run
from windtunnel._exchange.target import Target
from windtunnel._exchange.way import NO_PROXY
from windtunnel._policy.auth import BasicAuth
from windtunnel._policy.deadline import NEVER
from windtunnel._policy.redirect import dropped_fields, is_over, kept_fields, next_hop
from windtunnel.errors import (
    ClientError,
    ClientPayloadError,
    TooManyRedirects,
    TotalTimeoutError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from http.cookies import Morsel

    from windtunnel._base.typedefs import HttpVersion
    from windtunnel._exchange.attempt import StatusCheck
    from windtunnel._exchange.client_request import (
        ClientHandlerType,
        ClientMiddlewareType,
        ClientRequest,
    )
    from windtunnel._exchange.upload_tracker import UploadTracker
    from windtunnel._exchange.way import ProxyWish, Way
    from windtunnel._policy.deadline import ClientTimeout
    from windtunnel._policy.redirect import Hop
    from windtunnel._transport.connector import BaseConnector
    from windtunnel._transport.settings import ReadSettings
    from windtunnel._transport.tls import TlsSetting
    from windtunnel.abc import AbstractCookieJar


class Home(NamedTuple):
    """What all journeys of a session share.

    Attributes:
        session: Shown to middlewares.
        connector: Where connections come from.
        resolve_charset: Names the encoding of a body that does not declare one.
        jar: The cookies.
        requotes: Whether redirect targets are put into normal form.
        may_retry: Whether a broken connection is tried once more.
        version: Of the protocol.
        request_class: What middlewares see.
        response_class: What the answer becomes.
    """

    session: Any
    connector: BaseConnector
    resolve_charset: Callable[[ClientResponse, bytes], str]
    jar: AbstractCookieJar
    requotes: bool
    may_retry: bool
    version: HttpVersion
    request_class: type[ClientRequest]
    response_class: type[ClientResponse]


class Sending(NamedTuple):
    """How the body of a call is sent.

    Attributes:
        compress: Its content coding, None without.
        chunked: True for the chunked coding; otherwise where the length is unknown.
        expects: Whether it waits until the server asks for it.
        tracker: Who counts it, None if nobody does.
    """

    compress: str | bool | None
    chunked: bool | None
    expects: bool
    tracker: UploadTracker | None


@dataclass(slots=True)
class Journey:
    """What one call asks for; most of it changes from hop to hop.

    Attributes:
        home: What its session says.
        method: As sent.
        target: The URL.
        fields: The caller's header fields, with the session's merged in.
        skip: Names of automatic fields that are not sent, in lower case.
        payload: The body, None without one.
        sending: How the body is sent.
        ssl: How TLS is verified.
        way: How connections are made, None for the plain way.
        settings: How to receive responses.
        timeout: The timeouts in force.
        total_at: When all must be over, on the loop's clock.
        cookies: Those of this call, None without.
        authorization: Credentials, empty without; they stay on the first origin.
        middlewares: Around each attempt, the outermost first.
        tracer: Who watches, None if nobody does.
        follows: Whether redirects are followed.
        max_redirects: The limit, 0 for none.
        check: What is done to the final response, None for nothing.
    """

    home: Home
    method: str
    target: Target
    fields: CIMultiDict[str]
    skip: frozenset[str]
    payload: Payload | None
    sending: Sending
    ssl: TlsSetting
    way: Way | None
    settings: ReadSettings
    timeout: ClientTimeout
    total_at: float
    cookies: AbstractCookieJar | None
    authorization: str
    middlewares: Sequence[ClientMiddlewareType]
    tracer: Any
    follows: bool
    max_redirects: int
    check: StatusCheck
    _last: Request | None = field(default=None, init=False)
    _asked: ClientRequest | None = field(default=None, init=False)
    _proxy: ProxyWish = field(default=NO_PROXY, init=False)
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
            TotalTimeoutError: It took too long.
            RuntimeError: The tracker has another request.
        """
        self._last = request
        tracker, error = self.sending.tracker, None
        if tracker is not None:
            tracker.bind()
        try:
            return await self._tell(response)
        except BaseException as exc:
            error = exc
            raise
        finally:
            if tracker is not None:
                tracker.finish(self._upload(), error)

    async def _tell(self, response: ClientResponse | None) -> ClientResponse:
        """Tell whoever watches of begin and end."""
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
            final = await self._follow_in_time(response)
        except BaseException:
            await self._let_go()
            raise
        try:
            await self._let_go()
            if self.check:
                await check_status(final, self.check)
        except BaseException:
            final.close()
            raise
        return final

    async def _follow_in_time(self, response: ClientResponse | None) -> ClientResponse:
        """Follow, and mind the time of what is no exchange.

        A connection minds it by itself, but what callers and the environment do on the
        way counts as well.
        """
        if self.total_at == NEVER or not (self.middlewares or self.way):
            return await self._follow(response)
        limit = asyncio.timeout_at(self.total_at)
        try:
            async with limit:
                return await self._follow(response)
        except TimeoutError as exc:
            if type(exc) is not TimeoutError or not limit.expired():
                raise
            phase = "asking the environment for a proxy"
            if self.middlewares:
                phase = "running middlewares"
            raise TotalTimeoutError(
                self.method, self.target.url, phase, self.timeout.total or 0.0
            ) from None

    async def _follow(self, response: ClientResponse | None) -> ClientResponse:
        history: list[ClientResponse] = []
        while True:
            if response is None:
                if self.way is not None:
                    await self._look_around(self.way)
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
            self.home.jar.update_cookies_from_headers(found, response.url)
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
            requote=self.home.requotes,
        )

    async def _move(self, hop: Hop) -> None:
        """Become the request that a redirect asks for."""
        await self._stop_upload()
        payload = self._body()
        if payload is not None and not hop.has_body:
            await payload.close()
            self.payload = None
        elif payload is not None and not payload.replayable:
            msg = (
                f"redirect to {hop.url} asks for the body again, which cannot be sent "
                "twice; give bytes or a file, or allow_redirects=False"
            )
            raise ClientPayloadError(msg)
        else:
            self.payload = payload
        self.method = hop.method
        self.target = target = Target(hop.url)
        self.fields = CIMultiDict(kept_fields(self.fields.items(), dropped_fields(hop)))
        if hop.is_new_origin:
            self.cookies = None
            self.authorization = ""
        self.authorization = target.authorization or self.authorization

    def _body(self) -> Payload | None:
        """Give the body as it was asked for last: a middleware may have changed it."""
        asked = self._asked
        if asked is None:
            return self.payload
        return asked.body if isinstance(asked.body, Payload) else None

    def _upload(self) -> asyncio.Task[Exception | None] | None:
        return None if self._last is None else self._last.upload

    async def _stop_upload(self) -> None:
        """End the sending of a body that was answered early; it may be sent again."""
        task = self._upload()
        if task is not None and not task.done():
            task.cancel()
            await asyncio.wait([task])

    async def _let_go(self) -> None:
        last = self._last
        if last is not None:
            await close_payload(last)
        task, body = self._upload(), self._body()
        is_sent = task is None or task.done()
        for payload in (self.payload, body):
            if payload is not None and (is_sent or payload is not body):
                await payload.close()

    # --- one attempt ----------------------------------------------------------------

    async def _look_around(self, way: Way) -> None:
        """Find the proxy of a hop; and credentials, unless there are better ones."""
        url = self.target.url
        self._proxy = await way.proxy_for(url)
        self._found = ""
        if not self.authorization and "Authorization" not in self.fields:
            self._found = await way.credentials(url)

    async def _attempt(self) -> ClientResponse:
        handler: ClientHandlerType = self._send
        if self.middlewares:
            handler = bind(self.middlewares, handler)
        try:
            return await handler(self._request())
        except ClientError:
            last = self._last
            if not self.home.may_retry or last is None or not last.is_repeatable:
                raise
        # Compat: the middlewares see the second attempt as well.
        return await handler(self._request())

    def _request(self) -> ClientRequest:
        home, sending, way, proxy = self.home, self.sending, self.way, self._proxy
        authorization = self.authorization or self._found
        self._asked = asked = home.request_class(
            self.method,
            self.target.real_url,
            headers=self.fields,
            skip_auto_headers=self.skip,
            data=self.payload,
            cookies=self._cookies(),
            auth=BasicAuth.decode(authorization) if authorization else None,
            version=home.version,
            compress=sending.compress,
            chunked=sending.chunked,
            expect100=sending.expects,
            loop=home.connector.loop,
            response_class=home.response_class,
            proxy=proxy.url,
            proxy_auth=proxy.auth,
            session=home.session,
            ssl=self.ssl,
            proxy_headers=proxy.headers,
            trust_env=way is not None and way.trusts_env,
            server_hostname=None if way is None else way.server_hostname,
        )
        return asked

    def _cookies(self) -> dict[str, Morsel[str]]:
        """Give the cookies of the jar and those of the call, which win."""
        merged: dict[str, Morsel[str]] = {}
        for source in (self.home.jar, self.cookies):
            if source:
                merged.update(source.filter_cookies(self.target.url))
        return merged

    async def _send(self, asked: ClientRequest) -> ClientResponse:
        await self._stop_upload()
        home, tracker = self.home, self.sending.tracker
        connector = home.connector
        started = connector.loop.time()
        payload = await body_to_send(asked, tracker)
        if tracker is not None:
            tracker.begin(has_body=payload is not None)
        self._last = request = Request(
            asked.plan(payload, connector),
            payload,
            self.settings,
            self.timeout,
            started,
            self.total_at,
        )
        request.keeps_payload = True
        request.tracer = self.tracer
        request.progress = tracker
        make = None
        if asked.response_class is not ClientResponse:
            # Here, because few sessions have a class of their own.
            from windtunnel._exchange.handmade import make_response

            make = partial(make_response, asked.response_class, home.session)
        response = await run(
            request, connector, home.resolve_charset, may_repeat=False, make=make
        )
        asked.response = response
        return response
