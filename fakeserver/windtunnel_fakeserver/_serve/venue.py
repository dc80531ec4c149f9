"""A venue: virtual hosts, one journal, one verdict. The base of Tunnel and Loopback.

Comes in: URLs of hosts. Goes out: servers that listen, and the verdict on what
happened. Must not know: which event loop runs it, what a listening socket is made of.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from windtunnel_fakeserver._journal.journal import Journal
from windtunnel_fakeserver._serve.authority import Authority, Tls, process_authority
from windtunnel_fakeserver._serve.gate import Gate
from windtunnel_fakeserver._serve.server import FakeServer, Origin, parse_origin
from windtunnel_fakeserver._verify.facts import Facts
from windtunnel_fakeserver._verify.verdict import Verdict, judge
from windtunnel_fakeserver.errors import VerificationError

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterable

    from windtunnel_fakeserver._script.reply import App
    from windtunnel_fakeserver._serve.link import Link

# Real seconds (loopback) or virtual ones (tunnel) that closing may take.
_CLOSE_SECONDS = 5.0


class Venue:
    """Hosts, journal and verdict, on any event loop.

    Args:
        now: Gives seconds since the start, for the journal.
        strict: False leaves ``verify()`` to the test.

    Attributes:
        journal: Connections and exchanges of all hosts.
        strict: Whether the end of the venue calls ``verify()``.
    """

    def __init__(self, now: Callable[[], float], *, strict: bool) -> None:
        self.journal = Journal(now)
        self.strict = strict
        self._hosts: dict[str, FakeServer] = {}
        self._sockets: list[tuple[FakeServer, socket.socket]] = []
        self._servers: list[asyncio.Server] = []
        self._starting: list[asyncio.Task[None]] = []
        self._leaks: list[str] = []
        self._stuck: list[asyncio.Task[None]] = []
        self._closed = False
        self._ended: float | None = None

    @property
    def authority(self) -> Authority:
        """The certificate authority that vouches for https hosts."""
        return process_authority()

    @property
    def hosts(self) -> tuple[FakeServer, ...]:
        """All hosts, in the order of declaring."""
        return tuple(self._hosts.values())

    def host(
        self,
        origin: str,
        /,
        *,
        tls: Tls | None = None,
        app: App | None = None,
        addresses: Iterable[str] | None = None,
    ) -> FakeServer:
        """Declare a virtual host, or return the one that has this origin already.

        Args:
            origin: ``http://name[:port]`` or ``https://name[:port]``.
            tls: The certificate of an https host; None makes a good one.
            app: Answers requests that no route takes.
            addresses: IP addresses of the name; None takes a fresh one per name.

        Raises:
            ValueError: The URL is not that of a host, or the origin exists and is
                declared differently now.
            RuntimeError: The venue is closed.
        """
        place = parse_origin(origin)
        known = self._hosts.get(str(place))
        if known is not None:
            _check_same(known, tls, app, addresses)
            return known
        if self._closed:
            msg = f"host({origin!r}) after the end of the {type(self).__name__}"
            raise RuntimeError(msg)
        if tls is not None and place.scheme != "https":
            msg = f"host({origin!r}, tls=...): only https hosts have a certificate"
            raise ValueError(msg)
        place, sockets = self._listen(place, addresses)
        server = FakeServer(place, self.journal, tls=tls, app=app)
        self._hosts[str(place)] = server
        self._sockets += [(server, sock) for sock in sockets]
        self._start_soon()
        return server

    def gate(self, name: str = "") -> Gate:
        """Make a gate, closed, for ``Reply(hold=gate)`` or between ``chunks``.

        Args:
            name: For reports.
        """
        return Gate(name)

    def facts(self) -> Facts:
        """Return what the verdict is made from."""
        return Facts(
            journal=self.journal,
            servers=tuple(server.facts() for server in self.hosts),
            failures=tuple(f for server in self.hosts for f in server.failures),
            leaks=(*self._leaks, *map(_say_stuck, self._stuck)),
            seed=self._seed(),
            until=self.journal.now if self._ended is None else self._ended,
        )

    def verdict(self) -> Verdict:
        """Return what is missing or extra so far; no problems means all is well."""
        return judge(self.facts())

    def verify(self) -> None:
        """Check that everything expected happened and nothing else did.

        Raises:
            VerificationError: It did not; the message is the story. Its cause is the
                first exception out of a script, where there was one.
        """
        self.verdict().check()

    async def aclose(self) -> None:
        """Stop listening, end scripts, close all connections. Twice is once.

        Takes at most 5 s of loop time; what is still open then is aborted and named
        in ``verdict()``.
        """
        if self._closed:
            return
        self._closed = True
        if self._ended is None:
            self._ended = self.journal.now
        await self._started()
        for server in self._servers:
            server.close()
        self._servers.clear()
        for _, sock in self._sockets:
            # Declared, and never served: no loop ever ran.
            sock.close()
        self._sockets.clear()
        # A connection that was just accepted may get its protocol one pass later.
        await asyncio.sleep(0)
        while links := self._links():
            await self._cut(links)

    def _links(self) -> list[Link]:
        links = [link for server in self.hosts for link in server.links]
        return [link for link in links if link.task not in self._stuck]

    async def _cut(self, links: list[Link]) -> None:
        for link in links:
            link.task.cancel()
            # A graceful TLS close would wait for a client that may be gone.
            link.abort()
        tasks = [link.task for link in links]
        waiting = [*tasks, *(link.gone for link in links)]
        await asyncio.wait(waiting, timeout=_CLOSE_SECONDS)
        # The callbacks that take a link off its list run after those of wait().
        await asyncio.sleep(0)
        self._stuck += [task for task in tasks if not task.done()]

    # -- for the two kinds of venue --------------------------------------------

    def _listen(
        self, origin: Origin, addresses: Iterable[str] | None
    ) -> tuple[Origin, list[socket.socket]]:
        """Make listening sockets for a host; the origin may get its port here."""
        raise NotImplementedError

    def _loop(self) -> asyncio.AbstractEventLoop | None:
        """Return the loop that serves, None as long as there is none."""
        raise NotImplementedError

    def _seed(self) -> int | str | None:
        return None

    async def _started(self) -> None:
        """Wait until every declared host is served."""
        self._start_soon()
        while self._starting:
            # gather always yields; a finished task, awaited alone, would not, and
            # then nothing ever took it off the list.
            await asyncio.gather(*self._starting)

    def conclude(self, error: BaseException | None) -> None:
        """Verify if the author wants it; a failure that came first stays first."""
        if not self.strict:
            return
        if error is None:
            self.verify()
        elif not (isinstance(error, VerificationError) or self.verdict().ok):
            error.add_note(self.verdict().render())

    def _start_soon(self) -> None:
        """Serve the sockets that are not served yet, as soon as a loop can."""
        loop = self._loop()
        if loop is None or not self._sockets:
            return
        if not loop.is_running():
            loop.call_soon(self._start_soon)
            return
        for server, sock in self._sockets:
            task = loop.create_task(
                self._start(server, sock), name=f"server start {server.origin}"
            )
            self._starting.append(task)
            task.add_done_callback(self._starting.remove)
        self._sockets.clear()

    async def _start(self, server: FakeServer, sock: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        self._servers.append(await loop.create_server(server.make_link, sock=sock))


def _say_stuck(task: asyncio.Task[None]) -> str:
    return f"{task.get_name()} did not end when it was cancelled"


def _check_same(
    known: FakeServer, tls: Tls | None, app: App | None, addresses: Iterable[str] | None
) -> None:
    if addresses is not None:
        msg = f"host({known.origin!r}, addresses=...): it has its addresses already"
        raise ValueError(msg)
    if (tls is not None and tls != known.tls) or (app is not None and app != known.app):
        msg = f"host({known.origin!r}): it was declared with another tls or app before"
        raise ValueError(msg)
