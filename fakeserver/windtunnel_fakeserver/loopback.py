"""The fake server on real 127.0.0.1 sockets, in the running asyncio loop.

Comes in: the same words as for a ``Tunnel``. Goes out: listening sockets on ports
that the system chose. Must not know: the simulation. Time is real here.
"""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

from windtunnel_fakeserver._serve.server import FakeServer, Origin
from windtunnel_fakeserver._serve.venue import Venue
from windtunnel_fakeserver._wire.compat import override

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType
    from typing import Self

_LAST_PASSES = 20
_ADDRESS = "127.0.0.1"
_LOCAL_NAMES = frozenset({"127.0.0.1", "localhost"})


class Loopback(Venue):
    """Virtual hosts on 127.0.0.1, for clients that need real sockets.

    ``async with Loopback() as venue`` serves; its end closes everything and, unless
    ``strict`` is False or the block raised, calls ``verify()``.

    A host with a name, ``venue.host("http://a.test")``, listens on some port:
    ``resolve`` says which. A client must be told to go there. A host
    ``http://127.0.0.1:0`` (the ``server`` attribute is one) gets its port into its
    ``url()``, so that any client can use that as it is.

    Args:
        strict: False leaves ``verify()`` to the test.
    """

    def __init__(self, *, strict: bool = True) -> None:
        self._began: float | None = None
        self._running: asyncio.AbstractEventLoop | None = None
        self._addresses: dict[str, tuple[str, int]] = {}
        super().__init__(self._elapsed, strict=strict)

    @property
    def server(self) -> FakeServer:
        """A default host, ``http://127.0.0.1:PORT``, made on first use."""
        for known in self.hosts:
            if known.host.scheme == "http" and known.host.host == _ADDRESS:
                return known
        return self.host(f"http://{_ADDRESS}:0")

    @property
    def resolve(self) -> dict[str, str]:
        """Where each host listens: ``{"a.test:80": "127.0.0.1:41001"}``."""
        return {
            name: f"{address}:{port}"
            for name, (address, port) in self._addresses.items()
        }

    def address(self, server: FakeServer) -> tuple[str, int]:
        """Return address and port on which a host of this venue listens."""
        return self._addresses[server.host.authority]

    async def start(self) -> None:
        """Serve, in the running loop; hosts declared later are served at once."""
        if self._running is None:
            self._running = asyncio.get_running_loop()
            self._began = self._running.time()
        await self._started()

    @override
    async def aclose(self) -> None:
        """Stop and close everything, within 5 s. Twice is once."""
        if not self._closed:
            # What clients have already sent is in the kernel: let it be accepted and
            # read, or scripts and the journal would miss the end of the story.
            for _ in range(_LAST_PASSES):
                await asyncio.sleep(0)
        await super().aclose()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()
        self.conclude(error)

    def _elapsed(self) -> float:
        if self._running is None or self._began is None:
            return 0.0
        return round(self._running.time() - self._began, 9)

    @override
    def _loop(self) -> asyncio.AbstractEventLoop | None:
        return self._running

    @override
    def _listen(
        self, origin: Origin, addresses: Iterable[str] | None
    ) -> tuple[Origin, list[socket.socket]]:
        if addresses is not None:
            msg = "host(addresses=...): every host of a Loopback is on 127.0.0.1"
            raise ValueError(msg)
        is_local = origin.host in _LOCAL_NAMES
        sock = socket.create_server((_ADDRESS, origin.port if is_local else 0))
        sock.setblocking(False)
        port: int = sock.getsockname()[1]
        if is_local:
            origin = Origin(origin.scheme, origin.host, port)
        self._addresses[origin.authority] = (_ADDRESS, port)
        return origin, [sock]
