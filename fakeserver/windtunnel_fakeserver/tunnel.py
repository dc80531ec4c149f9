"""The tunnel: hosts on a simulated network and clock, one for each test.

Comes in: a seed and the author's words. Goes out: a simulated loop to run clients on,
a journal, a verdict. The only module that knows both the simulation and the server.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar, cast

from windtunnel_fakeserver._serve.server import FakeServer, Origin
from windtunnel_fakeserver._serve.venue import Venue
from windtunnel_fakeserver._wire.compat import override
from windtunnel_fakeserver.simulation import World

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable, Iterable
    from types import TracebackType
    from typing import Self

    from windtunnel_fakeserver._journal.record import ConnectionRecord
    from windtunnel_fakeserver.simulation import Clock, Network, SimLoop, Trace
    from windtunnel_fakeserver.simulation.shape import Latency, Split

_T = TypeVar("_T")

_DEFAULT_HOST = "http://server.test"
# How long clients get, in virtual time, to finish closing what they have let go.
_GRACE_SECONDS = 0.5


class Tunnel(Venue):
    """One test's network, clock, hosts, journal and verdict.

    ``run(main)`` is the whole way without any test framework. Inside a loop made by
    ``loop_factory``, ``async with`` the tunnel instead. Hosts can be declared before
    and while a loop runs.

    Args:
        seed: Equal seeds give equal runs.
        latency: One-way delay of the network in seconds; a number, ``(low, high)``,
            or a function of a random stream.
        start: Loop time at the start.
        split: How writes are cut into segments: None for whole, a largest size in
            bytes, ``"random"``, or a function of a random stream and a length.
        strict: False leaves ``verify()`` to the test.
        max_virtual: Virtual seconds after which a run is given up.
        max_real: Real seconds after which it is; None for no limit.

    Raises:
        ValueError: A setting is out of range.
    """

    def __init__(
        self,
        seed: int | str = 0,
        *,
        latency: Latency = 0.0001,
        start: float = 1000.0,
        split: Split = None,
        strict: bool = True,
        max_virtual: float = 86_400.0,
        max_real: float | None = 120.0,
    ) -> None:
        self.world = World(
            seed,
            latency=latency,
            start=start,
            split=split,
            max_virtual=max_virtual,
            max_real=max_real,
        )
        self._sim_loop: SimLoop | None = None
        super().__init__(lambda: self.world.clock.elapsed, strict=strict)

    # -- the parts ----------------------------------------------------------------

    @property
    def seed(self) -> int | str:
        """Where all random choices come from."""
        return self.world.seed

    @property
    def clock(self) -> Clock:
        """Virtual time."""
        return self.world.clock

    @property
    def network(self) -> Network:
        """Addresses, names and connect rules; ``network.dns`` is the zone."""
        return self.world.network

    @property
    def trace(self) -> Trace:
        """What happened on the network, with a digest to compare runs by."""
        return self.world.trace

    @property
    def server(self) -> FakeServer:
        """The default host, ``http://server.test``, made on first use."""
        return self.host(_DEFAULT_HOST)

    @property
    def left_open(self) -> list[ConnectionRecord]:
        """Connections whose client has not closed its end.

        The server alone cannot tell: the end stands behind data that it does not read.
        """
        open_ends = self.network.open_clients()
        return [
            record
            for record in self.journal.connections
            if record.client_open and record.peer in open_ends
        ]

    # -- running ------------------------------------------------------------------

    def loop_factory(self) -> SimLoop:
        """Make the simulated loop; for ``asyncio.Runner`` and async test plugins.

        Raises:
            RuntimeError: The tunnel has an open loop already.
        """
        loop = self._sim_loop = self.world.new_loop()
        self._start_soon()
        return loop

    def run(self, main: Callable[[Self], Awaitable[_T]] | Awaitable[_T]) -> _T:
        """Run a program on the simulated loop, close everything, and verify.

        Args:
            main: An async function that is called with the tunnel, or an awaitable.

        Returns:
            What the program returns.

        Raises:
            VerificationError: Something was unmatched, unmet, unused or left open,
                and the tunnel is strict.
            SimulationError: The run could not go on; the text says who waits where.
        """
        error: BaseException | None = None
        try:
            with asyncio.Runner(loop_factory=self.loop_factory) as runner:
                return runner.run(self._main(main))
        except BaseException as exc:
            error = exc
            raise
        finally:
            self.world.close()
            self.conclude(error)

    async def _main(self, main: Callable[[Self], Awaitable[_T]] | Awaitable[_T]) -> _T:
        task = asyncio.current_task()
        if task is not None:
            # For the waiter table, when nobody can move.
            task.set_name(f"main {getattr(main, '__name__', 'program')}")
        await self._started()
        try:
            result = await (main(self) if callable(main) else main)
        except BaseException:
            await super().aclose()
            raise
        await self.aclose()
        self._leaks += self._left("pending task")
        return result

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        if getattr(loop, "world", None) is not self.world:
            msg = (
                f"async with Tunnel(...) runs on {loop!r:.80}, which is not its own "
                "loop: use Tunnel(...).run(main), or asyncio.Runner with "
                "loop_factory=tunnel.loop_factory; Loopback is for real sockets"
            )
            raise RuntimeError(msg)
        await self._started()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()
        self.conclude(error)

    @override
    async def aclose(self) -> None:
        """Note what the client left open, then stop and close everything.

        Clients get up to half a virtual second to finish closing. Twice is once.
        """
        if self._closed:
            return
        self._ended = self.journal.now
        await self._grace()
        self._leaks += [
            f"connection {record.number} to {record.server}, opened by the client at "
            f"t={record.opened:.3f}: close the session or response that owns it"
            for record in self.left_open
        ]
        was_clean = not self._leaks
        await super().aclose()
        await self._grace()
        if was_clean:
            # Else these are the client's ends of the connections named above.
            self._leaks += self._left("open socket")

    def _left(self, kind: str) -> list[str]:
        return [leak for leak in self.world.leaks() if leak.startswith(kind)]

    async def _grace(self) -> None:
        """Let everything arrive that is under way, and clients finish closing."""
        end = self.clock.time() + _GRACE_SECONDS
        await self.clock.settle()
        while self.clock.time() < end:
            arrival = self.network.next_arrival()
            if arrival is not None and arrival < end:
                await self.clock.advance(max(arrival - self.clock.time(), 0.0))
            elif self.left_open:
                await self.clock.advance(end - self.clock.time())
            else:
                return

    # -- for the base -------------------------------------------------------------

    @override
    def _seed(self) -> int | str | None:
        return self.seed

    @override
    def _loop(self) -> asyncio.AbstractEventLoop | None:
        return self._sim_loop

    @override
    def _listen(
        self, origin: Origin, addresses: Iterable[str] | None
    ) -> tuple[Origin, list[socket.socket]]:
        dns = self.network.dns
        if addresses is None:
            places = [dns.declare(origin.host)]
        else:
            places = list(addresses)
            dns.add(origin.host, places)
        sockets = [self.network.listen(place, origin.port) for place in places]
        port = cast("int", sockets[0].getsockname()[1])
        listening = cast("list[socket.socket]", sockets)
        return Origin(origin.scheme, origin.host, port), listening
