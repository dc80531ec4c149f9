"""One virtual host: the author's words, and what answers its connections.

Comes in: routes, scripts, an app. Goes out: a served connection, facts for the
verdict. Must not know: how it is listened for, which event loop this is.
"""

from __future__ import annotations

import functools
import inspect
import os
import sys
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast
from urllib.parse import urlsplit

from windtunnel_fakeserver._script.fault import Armed, Fault
from windtunnel_fakeserver._script.match import make_matcher
from windtunnel_fakeserver._script.plan import Plan, plan_raw, plan_reply
from windtunnel_fakeserver._script.reply import Answer, App, RawReply, Reply
from windtunnel_fakeserver._script.routes import Place, Route, Routes
from windtunnel_fakeserver._serve.authority import (
    AskingContext,
    Tls,
    process_authority,
)
from windtunnel_fakeserver._serve.link import Link
from windtunnel_fakeserver._serve.routed import Serving
from windtunnel_fakeserver._serve.strike import await_hello, strike
from windtunnel_fakeserver._serve.wire import Script, Wire
from windtunnel_fakeserver._verify.facts import (
    Failure,
    ServerFacts,
    UnfiredFault,
    UnusedScript,
)
from windtunnel_fakeserver._verify.render import unmatched_reason, unmatched_text
from windtunnel_fakeserver._wire.compat import override
from windtunnel_fakeserver.errors import WireClosedError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from windtunnel_fakeserver._journal.journal import Journal
    from windtunnel_fakeserver._journal.record import Exchange
    from windtunnel_fakeserver._script.match import BytesLike, QueryLike, Text, Where

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port of a virtual host.

    ``str()`` leaves the port out where it is the scheme's own.
    """

    scheme: str
    host: str
    port: int

    @property
    def authority(self) -> str:
        """Host and port, the port always there: ``a.test:80``."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @override
    def __str__(self) -> str:
        host, _, port = self.authority.rpartition(":")
        usual = _DEFAULT_PORTS[self.scheme] == self.port
        return f"{self.scheme}://{host}" if usual else f"{self.scheme}://{host}:{port}"


def parse_origin(url: str) -> Origin:
    """Read the URL of a virtual host.

    Raises:
        ValueError: It is not ``http(s)://name[:port]`` alone.
    """
    parts = urlsplit(url)
    host = parts.hostname
    if parts.scheme not in _DEFAULT_PORTS or not host:
        msg = f"host({url[:60]!r}): give http://name[:port] or https://name[:port]"
        raise ValueError(msg)
    if parts.path not in ("", "/") or parts.query or parts.fragment or parts.username:
        msg = f"host({url[:60]!r}): a host has no path, query, fragment or user"
        raise ValueError(msg)
    port = parts.port
    return Origin(
        parts.scheme, host, _DEFAULT_PORTS[parts.scheme] if port is None else port
    )


@dataclass(frozen=True, slots=True)
class _Slot:
    script: Script | None
    place: Place
    armed: Armed | None = None


class FakeServer:
    """One virtual host. Made by ``Tunnel.host`` and ``Loopback.host``.

    Order of asking for an answer: the newest ``expect`` that still owes a call, then
    older ones, then the newest ``on``, then what ``enqueue`` has left, then the app.
    Nothing found: 501, and the test fails.

    Attributes:
        host: Its origin in parts.
        app: Answers what no route takes; None answers 501.
        tls: Its certificate, None for http.
        links: Connections that are open, or whose script still runs.
        failures: Exceptions out of scripts, apps and reply functions.
    """

    def __init__(
        self, host: Origin, journal: Journal, *, tls: Tls | None, app: App | None
    ) -> None:
        self.host = host
        self.app = app
        self.tls = (tls or Tls()) if host.scheme == "https" else None
        self.failures: list[Failure] = []
        self.links: list[Link] = []
        self._whole_journal = journal
        self._journal = journal.view(str(host))
        self._routes = Routes()
        self._scripts: deque[_Slot] = deque()
        self._armed: list[tuple[Armed, Place | None]] = []
        # By reply, which is kept alive so that its id stays its own.
        self._on_replies: dict[int, tuple[Reply, Armed]] = {}
        self._otherwise: Script | None = None
        self._context: ssl.SSLContext | None = None

    @override
    def __repr__(self) -> str:
        return f"<FakeServer {self.origin}>"

    @property
    def origin(self) -> str:
        """Scheme, host, and the port where it is not the usual one."""
        return str(self.host)

    @property
    def journal(self) -> Journal:
        """The live part of the tunnel's journal that is about this server."""
        return self._journal

    def url(self, path: str = "/") -> str:
        """Return the URL of a path on this server.

        Raises:
            ValueError: The path does not begin with ``/``.
        """
        if not path.startswith("/"):
            msg = f"url({path[:40]!r}): must begin with '/'"
            raise ValueError(msg)
        return self.origin + path

    # -- the author's words ----------------------------------------------------

    def on(
        self,
        method: Text | None,
        path: Text | None,
        *,
        headers: Mapping[str, Text] | None = None,
        query: QueryLike | None = None,
        json: Any = ...,
        body: BytesLike | None = None,
        where: Where | None = None,
    ) -> Route:
        """Answer such requests, any number of times.

        Args:
            method: Text, compiled pattern (whole match), callable, or None for any.
            path: The same; text with a ``?`` is compared with the query too. Text may
                be written unquoted: ``/a b`` takes ``/a%20b``.
            headers: Fields that must be there; text, pattern or callable on a value.
            query: All query pairs, in any order; a list as value repeats the name.
            json: The body as JSON, exactly, or ``subset({...})``.
            body: The whole body: bytes, text, pattern on bytes, or callable.
            where: Any further question about the request.
        """
        matcher = make_matcher(
            method,
            path,
            headers=headers,
            query=query,
            json=json,
            body=body,
            where=where,
        )
        return self._added(Route("on", matcher, _caller()))

    def expect(
        self,
        method: Text | None,
        path: Text | None,
        *,
        headers: Mapping[str, Text] | None = None,
        query: QueryLike | None = None,
        json: Any = ...,
        body: BytesLike | None = None,
        where: Where | None = None,
        times: int | None = None,
    ) -> Route:
        """Like ``on``, and the test fails if the calls do not come.

        Args:
            method: As for ``on``.
            path: As for ``on``.
            headers: As for ``on``.
            query: As for ``on``.
            json: As for ``on``.
            body: As for ``on``.
            where: As for ``on``.
            times: Calls that must come, >= 1; None means one per reply given.
        """
        matcher = make_matcher(
            method,
            path,
            headers=headers,
            query=query,
            json=json,
            body=body,
            where=where,
        )
        return self._added(Route("expect", matcher, _caller(), times))

    def enqueue(self, *replies: Reply) -> None:
        """Answer whatever comes next and fits no route, one reply per request.

        When they are used up, such a request fails with 501; it never hangs. Replies
        that nothing asked for fail the test.

        Raises:
            TypeError: Something is no ``Reply``.
        """
        for reply in cast("tuple[object, ...]", replies):
            if not isinstance(reply, Reply):
                msg = f"enqueue({reply!r:.40}): must be Reply(...)"
                raise TypeError(msg)
        self._routes.queue.extend(replies)

    def on_connect(
        self, *scripts: Script | Fault, otherwise: Script | None = None
    ) -> None:
        """Give the next connections to scripts or faults, one each, in order.

        Args:
            scripts: ``async def script(wire)``, for the next connection without one.
                Or a fault, such as ``Reset(at="connect")``: that connection is served
                by the routes until its moment comes.
            otherwise: For all connections after those, however many there are;
                without it they are served by the routes.

        Raises:
            TypeError: Something cannot be called, and is no fault; or nothing was
                given.
            ValueError: A fault of the moment ``tls`` on a host without TLS.
        """
        if not scripts and otherwise is None:
            msg = "on_connect() without anything: give scripts, faults or otherwise="
            raise TypeError(msg)
        place = _caller()
        slots = [self._slot(item, place) for item in scripts]
        self._scripts.extend(slots)
        self._armed += [(slot.armed, place) for slot in slots if slot.armed]
        if otherwise is not None:
            self._otherwise = otherwise

    def _slot(self, item: Script | Fault, place: Place) -> _Slot:
        if isinstance(item, Fault):
            if item.at == "tls" and self.tls is None:
                msg = f"on_connect({item!r}): {self.origin} has no TLS"
                raise ValueError(msg)
            where = f"a connection to {self.origin}"
            return _Slot(None, place, Armed(item, where, reason="none came"))
        if not callable(cast("object", item)):
            msg = f"on_connect({item!r:.40}): must be an async def script(wire)"
            raise TypeError(msg)
        return _Slot(item, place)

    def _added(self, route: Route) -> Route:
        self._routes.routes.append(route)
        return route

    # -- for the venue and the verdict -----------------------------------------

    def make_link(self) -> Link:
        """Return the protocol for one accepted connection."""
        script, armed = self._next()
        if armed is not None:
            armed.reason = "it did not get that far"
        serve = functools.partial(self._serve, script, armed)
        secure = self.tls is not None
        return Link(self._whole_journal, self.origin, serve, self.links, secure=secure)

    def facts(self) -> ServerFacts:
        """Return what the verdict needs to know."""
        unused = tuple(
            UnusedScript(_name(slot.script), slot.place)
            for slot in self._scripts
            if slot.script is not None
        )
        on_replies = [(armed, None) for _, armed in self._on_replies.values()]
        unfired = tuple(
            UnfiredFault(repr(armed.fault), armed.where, armed.reason, place)
            for armed, place in (*self._armed, *on_replies)
            if not armed.fired
        )
        return ServerFacts(self.origin, self._routes, unused, unfired)

    # -- serving ---------------------------------------------------------------

    def _next(self) -> tuple[Script | None, Armed | None]:
        # Given out when a connection is accepted, so that a failed handshake, or one
        # that takes longer, does not change who gets which.
        if not self._scripts:
            return self._otherwise, None
        slot = self._scripts.popleft()
        return slot.script, slot.armed

    async def _serve(
        self, script: Script | None, armed: Armed | None, link: Link
    ) -> None:
        try:
            if armed is not None and await self._is_struck(armed, link):
                return
            if self.tls is not None:
                await link.start_tls(self._server_context())
            if script is None:
                await Serving(link, self._whole_journal, self, armed).run()
            else:
                await self._play(script, link)
        except WireClosedError:
            # The journal has it: a failed handshake, or a client that left early.
            return
        except Exception as exc:  # noqa: BLE001  # a task's exception is easily lost
            self._failed("answer", link.record.number, "the reply", exc)

    async def _is_struck(self, armed: Armed, link: Link) -> bool:
        """Play a fault that comes before any request; say whether it was one."""
        moment = armed.fault.at
        if moment == "tls":
            size = await await_hello(link, armed.fault.after)
            if not (size and armed.is_due("tls", size)):
                return True
        elif moment != "connect":
            return False
        await strike(link, self._whole_journal, armed)
        return True

    def _server_context(self) -> ssl.SSLContext:
        context = self._context
        if context is None:
            tls = self.tls or Tls()
            context = process_authority().server_context(tls, self.host.host)
            if not isinstance(context, AskingContext):
                self._context = context
        return context

    async def _play(self, script: Script, link: Link) -> None:
        name = _name(script)
        link.record.scripted = name
        link.task.set_name(f"{link.task.get_name()} script {name}")
        wire = Wire(link, self._whole_journal, self._server_context)
        try:
            await script(wire)
        except WireClosedError as exc:
            if exc.during == "read":
                self._failed("script", link.record.number, name, exc)
        except Exception as exc:  # noqa: BLE001  # the author's code may raise anything
            self._failed("script", link.record.number, name, exc)

    async def answer(self, exchange: Exchange) -> tuple[Plan, Armed | None]:
        """Find and make the answer to a request, 501 when nothing fits."""
        request = exchange.request
        found = self._routes.find(request)
        if found is None and self.app is not None:
            found = self.app, f"app {_name(self.app)}"
        if found is None:
            exchange.outcome = "unmatched"
            reply = Reply(
                501,
                {"windtunnel-reason": unmatched_reason(request)},
                text=unmatched_text(request, self._routes),
            )
            return plan_reply(reply, request), None
        answer, exchange.answered_by = found
        exchange.outcome = "replied"
        if isinstance(answer, RawReply):
            return plan_raw(answer, request), None
        reply = await self._made(answer, exchange)
        plan = plan_reply(reply, request)
        if reply.fault is None:
            return plan, None
        where = f"the reply of {exchange.answered_by}"
        armed = Armed(reply.fault, where, reason="it was not sent that far")
        _, armed = self._on_replies.setdefault(id(reply), (reply, armed))
        armed.reason = plan.unfired or armed.reason
        return plan, armed

    async def _made(self, answer: Answer, exchange: Exchange) -> Reply:
        if isinstance(answer, Reply):
            return answer
        assert not isinstance(answer, RawReply)
        name = _name(answer)
        try:
            made = answer(exchange.request)
            reply = await made if inspect.isawaitable(made) else made
            return _checked(reply, name)
        except Exception as exc:  # noqa: BLE001  # the author's code may raise anything
            exchange.outcome = "failed"
            self._failed("answer", exchange.connection, name, exc)
            return Reply(500, text=f"{name} raised {type(exc).__name__}: {exc}\n")

    def _failed(
        self,
        kind: Literal["script", "answer"],
        connection: int,
        name: str,
        error: BaseException,
    ) -> None:
        self.failures.append(Failure(kind, self.origin, connection, name, error))


def _checked(reply: object, name: str) -> Reply:
    if not isinstance(reply, Reply):
        msg = f"{name} returned {type(reply).__name__}, must return a Reply"
        raise TypeError(msg)
    return reply


def _name(function: object) -> str:
    return str(getattr(function, "__name__", type(function).__name__))


def _caller() -> Place:
    """Say where the author called ``on``, ``expect`` or ``on_connect``."""
    frame = sys._getframe(2)  # pyright: ignore[reportPrivateUsage]  # inspect.stack reads files
    return Place(_short(frame.f_code.co_filename), frame.f_lineno)


def _short(file: str) -> str:
    here = os.getcwd() + os.sep  # a prefix of text, not a path to walk
    return file.removeprefix(here)
