"""The tunnel of a test: a ``Tunnel`` that can also make sessions of our own client.

Comes in: the settings of one test. Goes out: what the ``windtunnel`` fixture gives.
Must not know: pytest. Imported when the first simulated test is set up; the client is
imported when the first session is made, so that users of other clients never load it.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Any, TypeVar

from windtunnel_fakeserver import Tunnel

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping
    from typing import Self

    from typing_extensions import override

    import windtunnel
    from windtunnel_fakeserver import App, FakeServer, Tls
else:

    def override(method):  # noqa: ANN001, ANN201  # typed for checkers by the branch above
        """Mark a replaced method; the standard one came with Python 3.12."""
        return method


_T = TypeVar("_T")


class WindTunnel(Tunnel):
    """What the ``windtunnel`` fixture gives: the tunnel of one test.

    Everything of ``Tunnel`` is there; on top, ``session()`` makes sessions of the
    reference client. Other clients use ``host(...).url()`` and, for TLS,
    ``authority.client_context()``.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._home: asyncio.AbstractEventLoop | None = None
        self._resident: asyncio.Task[Any] | None = None
        self._sessions: list[windtunnel.ClientSession] = []
        self._trust: ssl.SSLContext | None = None
        self._trusted = False

    async def board(self) -> None:
        """Open the tunnel on its loop, which runs and stays open until ``aclose``.

        The task that calls this is the async plugin's: it may outlive the test and is
        no leak.

        Raises:
            RuntimeError: The running loop is not the one of this tunnel.
        """
        await self.__aenter__()
        self._home = asyncio.get_running_loop()
        self._resident = asyncio.current_task()

    @override
    def host(
        self,
        origin: str,
        /,
        *,
        tls: Tls | None = None,
        app: App | None = None,
        addresses: Iterable[str] | None = None,
    ) -> FakeServer:
        """Declare a host as ``Tunnel`` does; sessions trust it if it serves TLS."""
        server = super().host(origin, tls=tls, app=app, addresses=addresses)
        self._load_trust()
        return server

    def session(
        self,
        base_url: str | None = None,
        *,
        connector: windtunnel.BaseConnector | None = None,
        **options: Any,
    ) -> windtunnel.ClientSession:
        """Make a session of the reference client; the end of the test closes it.

        Args:
            base_url: As for ``windtunnel.ClientSession``.
            connector: One of your own; without it the session gets a connector that
                trusts the authority of this tunnel and nobody else.
            options: Anything else that ``windtunnel.ClientSession`` takes.

        Raises:
            RuntimeError: There is no simulated loop for it to live on, or the running
                loop is another one.
        """
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            if self._home is None:
                msg = (
                    "session() needs the simulated loop and none is running; make the "
                    "test an `async def`, or call session() in windtunnel.run(main)"
                )
                raise RuntimeError(msg) from None
            making = self._make_session(base_url, connector, options)
            return self._home.run_until_complete(making)
        if getattr(loop, "world", None) is not self.world:
            msg = (
                f"session() was called on {loop!r:.80}, which is not the simulated "
                f"loop of this test; give the calling fixture function loop scope"
            )
            raise RuntimeError(msg)
        return self._session(base_url, connector, options)

    @override
    def run(self, main: Callable[[Self], Awaitable[_T]] | Awaitable[_T]) -> _T:
        """Run a program as ``Tunnel.run`` does; its sessions are closed before."""

        async def closing(tunnel: Self) -> _T:
            try:
                return await (main(tunnel) if callable(main) else main)
            finally:
                await self._close_sessions()

        return super().run(closing)

    @override
    async def aclose(self) -> None:
        """Close the sessions, then the tunnel, and note tasks that were left behind."""
        await self._close_sessions()
        await super().aclose()
        if self._home is not None:
            resident = self._resident.get_name() if self._resident else ""
            self._leaks += [
                leak
                for leak in self.world.leaks()
                if leak.startswith("pending task")
                and not leak.startswith(f"pending task: {resident}:")
            ]
            await _abort_transports(self._home)

    async def _close_sessions(self) -> None:
        while self._sessions:
            await self._sessions.pop().close()

    async def _make_session(
        self,
        base_url: str | None,
        connector: windtunnel.BaseConnector | None,
        options: dict[str, Any],
    ) -> windtunnel.ClientSession:
        return self._session(base_url, connector, options)

    def _session(
        self,
        base_url: str | None,
        connector: windtunnel.BaseConnector | None,
        options: dict[str, Any],
    ) -> windtunnel.ClientSession:
        import windtunnel  # late: users of other clients never load it

        if connector is None:
            if self._trust is None:
                self._trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                self._load_trust()
            connector = windtunnel.TCPConnector(ssl=self._trust)
        session = windtunnel.ClientSession(base_url, connector=connector, **options)
        self._sessions.append(session)
        return session

    def _load_trust(self) -> None:
        """Let the sessions trust the authority, once somebody serves TLS.

        Making the authority costs a third of a second, so a test without TLS hosts
        never asks for it.
        """
        if self._trust is None or self._trusted:
            return
        if not any(server.origin.startswith("https:") for server in self.hosts):
            return
        self._trust.load_verify_locations(cadata=self.authority.ca_pem)
        self._trusted = True


async def _abort_transports(loop: asyncio.AbstractEventLoop) -> None:
    """Abort what is left open; the verdict has told it already.

    Otherwise the finalizer of each transport warns at some later time, which is in the
    middle of another test, and fails that one where warnings are errors.
    """
    # CPython's own table; there is no public way to find them.
    table: Mapping[int, asyncio.Transport] = getattr(loop, "_transports", {})
    for transport in list(table.values()):
        transport.abort()
    await asyncio.sleep(0)
