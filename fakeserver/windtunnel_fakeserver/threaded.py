"""``Loopback`` for blocking clients: served by a thread, used without ``await``.

Comes in: the same words as for a ``Loopback``. Goes out: hosts on 127.0.0.1 that answer
while the caller blocks. Must not know: the simulation. Time is real here.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from typing import TYPE_CHECKING, Any, TypeVar

from windtunnel_fakeserver._serve.gate import Gate
from windtunnel_fakeserver._wire.compat import override
from windtunnel_fakeserver.loopback import Loopback

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from types import TracebackType
    from typing import Self

    from windtunnel_fakeserver._journal.journal import Journal
    from windtunnel_fakeserver._script.reply import App
    from windtunnel_fakeserver._serve.authority import Authority, Tls
    from windtunnel_fakeserver._serve.server import FakeServer
    from windtunnel_fakeserver._verify.verdict import Verdict

_T = TypeVar("_T")

# Closing takes at most 5 s (see Venue.aclose); the rest is room for a busy machine.
_JOIN_SECONDS = 15.0


class ThreadedLoopback:
    """Virtual hosts on 127.0.0.1, for clients that block and for other programs.

    ``with ThreadedLoopback() as venue`` serves; its end closes everything and, unless
    ``strict`` is False or the block raised, verifies what was expected. Routes and
    hosts can be declared at any time. Scripts, apps and reply functions run in the
    thread of the server.

    Args:
        strict: False leaves ``verify()`` to the test.
    """

    def __init__(self, *, strict: bool = True) -> None:
        self._venue = Loopback(strict=strict)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._over = asyncio.Event()
        self._thread: threading.Thread | None = None

    # -- its life --------------------------------------------------------------

    def __enter__(self) -> Self:
        serving: concurrent.futures.Future[asyncio.AbstractEventLoop]
        serving = concurrent.futures.Future()
        # A daemon, so that a server that hangs cannot keep the process alive.
        self._thread = threading.Thread(
            target=self._run, args=(serving,), name="windtunnel loopback", daemon=True
        )
        self._thread.start()
        self._loop = serving.result()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
        self._venue.conclude(error)

    def close(self) -> None:
        """Stop and close everything. Twice is once.

        Raises:
            RuntimeError: A script or an app blocks the thread of the server.
        """
        loop, self._loop = self._loop, None
        if loop is None or self._thread is None:
            return
        loop.call_soon_threadsafe(self._over.set)
        self._thread.join(_JOIN_SECONDS)
        if self._thread.is_alive():
            msg = (
                f"the thread of the server did not end within {_JOIN_SECONDS:g} s; a "
                "script, an app or a reply function blocks it"
            )
            raise RuntimeError(msg)

    def _run(
        self, serving: concurrent.futures.Future[asyncio.AbstractEventLoop]
    ) -> None:
        with asyncio.Runner() as runner:
            runner.run(self._serve(serving))

    async def _serve(
        self, serving: concurrent.futures.Future[asyncio.AbstractEventLoop]
    ) -> None:
        await self._venue.start()
        serving.set_result(asyncio.get_running_loop())
        await self._over.wait()
        await self._venue.aclose()

    # -- the author's words ----------------------------------------------------

    @property
    def server(self) -> FakeServer:
        """A default host, ``http://127.0.0.1:PORT``, made on first use."""

        async def declare() -> FakeServer:
            server = self._venue.server
            await self._venue.start()
            return server

        return self._call(declare())

    def host(
        self, origin: str, /, *, tls: Tls | None = None, app: App | None = None
    ) -> FakeServer:
        """Declare a virtual host, as ``Loopback.host`` does; it serves at once.

        Args:
            origin: ``http://127.0.0.1:0`` takes a free port into its ``url()``; where
                a host with a name listens, ``resolve`` says.
            tls: The certificate of an https host; None makes a good one.
            app: Answers requests that no route takes.

        Raises:
            ValueError: The URL is not that of a host, or the origin exists and is
                declared differently now.
            RuntimeError: The venue is not open.
        """

        async def declare() -> FakeServer:
            server = self._venue.host(origin, tls=tls, app=app)
            await self._venue.start()
            return server

        return self._call(declare())

    def gate(self, name: str = "") -> ThreadedGate:
        """Make a gate for ``Reply(hold=gate)`` that the blocking side can work.

        Args:
            name: For reports.
        """
        return ThreadedGate(name, self._call)

    def address(self, server: FakeServer) -> tuple[str, int]:
        """Return address and port on which a host listens."""
        return self._venue.address(server)

    @property
    def resolve(self) -> dict[str, str]:
        """Where each host listens: ``{"a.test:80": "127.0.0.1:41001"}``."""
        return self._venue.resolve

    @property
    def authority(self) -> Authority:
        """The certificate authority that vouches for https hosts."""
        return self._venue.authority

    # -- what happened ---------------------------------------------------------

    @property
    def journal(self) -> Journal:
        """Connections and exchanges of all hosts, as far as the server saw them."""
        if self._loop is not None:
            # One pass of its loop: what the client was just answered is written down.
            self._call(asyncio.sleep(0))
        return self._venue.journal

    def verdict(self) -> Verdict:
        """Return what is missing or extra so far; no problems means all is well."""
        return self._venue.verdict()

    def verify(self) -> None:
        """Check that everything expected happened and nothing else did.

        Raises:
            VerificationError: It did not; the message is the story.
        """
        self._venue.verify()

    def _call(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Have the thread of the server do something, and wait for it."""
        if self._loop is None:
            work.close()
            msg = "the ThreadedLoopback is not open; use it as `with ... as venue:`"
            raise RuntimeError(msg)
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


class ThreadedGate(Gate):
    """A gate whose words can be used, and block, outside the thread of the server.

    Made by ``ThreadedLoopback.gate``.
    """

    __slots__ = ("_call",)

    def __init__(
        self, name: str, call: Callable[[Coroutine[Any, Any, None]], None]
    ) -> None:
        super().__init__(name)
        self._call = call

    def wait_for_arrivals(self, n: int = 1) -> None:
        """Block until ``n`` have arrived, counted from the first ever."""
        self._call(self.arrived(n))

    @override
    def release(self, n: int | None = None) -> None:
        """Let go on who is held, as ``Gate.release`` does."""

        async def let_go() -> None:
            Gate.release(self, n)

        self._call(let_go())
