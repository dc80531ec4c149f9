"""The event loop of a simulated world: CPython's own, on a simulated kernel.

In: everything asyncio programs ask of a loop. Out: the shipped transports, flow
control, TLS and servers, on simulated sockets and virtual time. Only what touches the
kernel is overridden here; keep it so, because the rest is what clients meet in
production.
"""

from __future__ import annotations

import asyncio
import gc
import heapq
import itertools
import math
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple, Unpack, cast

from windtunnel_fakeserver.simulation.compat import override
from windtunnel_fakeserver.simulation.cpython import add_sockets, check_private_api
from windtunnel_fakeserver.simulation.executor import THREAD_PREFIX, Jobs
from windtunnel_fakeserver.simulation.names import address_infos, host_text
from windtunnel_fakeserver.simulation.pacer import Budgets, Pacer
from windtunnel_fakeserver.simulation.refusals import RefusingLoop
from windtunnel_fakeserver.simulation.report import describe
from windtunnel_fakeserver.simulation.selector import SimSelector
from windtunnel_fakeserver.simulation.stand_ins import StandIns
from windtunnel_fakeserver.simulation.tasks import SimFuture, SimTask, SimTimer

if TYPE_CHECKING:
    import concurrent.futures
    from collections.abc import Callable, Iterable
    from contextvars import Context

    from windtunnel_fakeserver.simulation.selector import Ready
    from windtunnel_fakeserver.simulation.socket import SimSocket
    from windtunnel_fakeserver.simulation.world import World

__all__ = ["SimLoop"]

_T = TypeVar("_T")
_Args = TypeVarTuple("_Args")

_MUCH_GARBAGE = 50_000  # objects made since the last collection


class SimLoop(RefusingLoop):
    """An event loop in a simulated world; made by ``World.new_loop``.

    Attributes:
        world: The world that it runs.
        simulated_clock: The clock of that world; the time shim looks for this name.
    """

    def __init__(self, world: World, budgets: Budgets) -> None:
        self.world = world
        self.simulated_clock = world.clock
        self._network = world.network
        self._orders = itertools.count(1)
        self._task_numbers = itertools.count(1)
        self._tickets = itertools.count()
        self._wakeup = threading.Event()
        self._jobs = Jobs(self._wakeup, self._note_unsure_order)
        self._stand_ins = StandIns(self._network)
        selector = SimSelector(self._network.sockets, self._network.readable)
        super().__init__(selector)
        check_private_api(self)
        # A timer must be due once the clock stands on its time, however coarse floats
        # are at the latest time of this world; otherwise the loop spins for ever.
        latest = world.clock.start + budgets.virtual
        self._clock_resolution = max(1e-9, 2 * math.ulp(latest))
        self._pacer = Pacer(
            self,
            self.simulated_clock,
            self._network,
            selector,
            self._jobs,
            self._wakeup,
            budgets,
        )
        selector.pace = self._pace
        self.simulated_clock.attach(self)
        self._gc_was_enabled = gc.isenabled()
        gc.disable()

    @override
    def close(self) -> None:
        """Close the loop, and collect garbage so that what leaked speaks up now."""
        if self.is_closed():
            return
        self.world.note_pending(self.pending_tasks())
        self._jobs.abandon()
        super().close()
        self.simulated_clock.attach(None)
        gc.collect(0)
        if self._gc_was_enabled:
            gc.enable()

    # -- time and order --------------------------------------------------------------

    @override
    def time(self) -> float:
        """Read the virtual clock."""
        return self.simulated_clock.instant

    @override
    def call_at(
        self,
        when: float,
        callback: Callable[[Unpack[_Args]], object],
        *args: *_Args,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Arm a timer; those for the same time fire in the order of arming."""
        self._check_closed()
        if self._debug:
            self._check_thread()
            self._check_callback(callback, "call_at")
        timer = SimTimer(next(self._tickets), when, callback, args, self, context)
        heapq.heappush(self._scheduled, timer)
        timer.mark_scheduled()
        return timer

    @override
    def create_future(self) -> asyncio.Future[Any]:
        """Make a future with a deterministic hash."""
        return SimFuture(next(self._orders), self)

    @override
    def create_task(self, coro: Any, **kwargs: Any) -> asyncio.Task[Any]:
        """Make a task with a deterministic hash and name."""
        # Not a task factory: some releases reset the name after calling one.
        if self._task_factory is not None:
            return super().create_task(coro, **kwargs)
        self._check_closed()
        if kwargs.get("name") is None:
            kwargs["name"] = f"Task-{next(self._task_numbers)}"
        return SimTask(next(self._orders), coro, loop=self, **kwargs)

    # -- the pacer's questions -------------------------------------------------------

    def is_busy(self) -> bool:
        """Whether a callback is ready or the loop was told to stop."""
        return bool(self._ready) or self._stopping

    def next_timer(self) -> float | None:
        """Loop time of the first timer; None if there is none."""
        return self._scheduled[0].when() if self._scheduled else None

    def pending_tasks(self) -> list[asyncio.Task[Any]]:
        """Tasks that are not done, oldest first."""
        return sorted(asyncio.all_tasks(self), key=hash)

    def describe(self) -> str:
        """Tell who waits where."""
        return describe(self.pending_tasks(), self._network)

    def cancel_tasks(self) -> None:
        """Cancel every task that is not done."""
        for task in self.pending_tasks():
            task.cancel()

    def collect_garbage(self) -> None:
        """Collect cyclic garbage if there may be much of it.

        Automatic collection is off while the loop is open: it would run finalizers at
        moments that depend on everything else in the process.
        """
        if gc.get_count()[0] > _MUCH_GARBAGE:
            gc.collect(0)

    def wake(self) -> None:
        """Make a waiting loop look again; callable from any thread."""
        self._wakeup.set()

    def _pace(self, timeout: float | None) -> Ready:
        if self._stand_ins:
            self._stand_ins.reap()
        return self._pacer.pace(timeout)

    @override
    def _make_self_pipe(self) -> None:
        self._ssock = self._csock = None

    @override
    def _close_self_pipe(self) -> None:
        pass

    @override
    def _write_to_self(self) -> None:
        self._wakeup.set()

    # -- sockets ---------------------------------------------------------------------

    @override
    async def _connect_sock(
        self,
        exceptions: list[list[OSError]],
        addr_info: tuple[Any, ...],
        local_addr_infos: list[tuple[Any, ...]] | None = None,
    ) -> SimSocket:
        mine: list[OSError] = []
        exceptions.append(mine)
        client = self._network.socket(addr_info[0])
        try:
            for family, *_, local in local_addr_infos or ():
                if family == client.family:
                    client.bind(local)
                    break
            await self.sock_connect(client, addr_info[4])
        except BaseException as exc:
            client.close()
            if isinstance(exc, OSError):
                mine.append(exc)
            raise
        finally:
            # The exception's traceback holds this frame: break the cycle.
            del exceptions, mine
        return client

    @override
    async def sock_connect(self, sock: Any, address: Any) -> None:
        """Connect a simulated socket, or the stand-in of a kernel's socket."""
        client = self._sim(sock)
        try:
            await super().sock_connect(client, address)
        except BaseException:
            self._stand_ins.drop(sock)
            raise

    @override
    async def sock_recv(self, sock: Any, n: int) -> bytes:
        """Receive on a simulated socket or a stand-in."""
        return await super().sock_recv(self._sim(sock), n)

    @override
    async def sock_recv_into(self, sock: Any, buf: Any) -> int:
        """Receive on a simulated socket or a stand-in."""
        return await super().sock_recv_into(self._sim(sock), buf)

    @override
    async def sock_sendall(self, sock: Any, data: Any) -> None:
        """Send on a simulated socket or a stand-in."""
        await super().sock_sendall(self._sim(sock), data)

    @override
    async def sock_accept(self, sock: Any) -> Any:
        """Accept on a simulated socket or a stand-in."""
        return await super().sock_accept(self._sim(sock))

    @override
    def _make_socket_transport(
        self, sock: Any, protocol: Any, waiter: Any = None, **kwargs: Any
    ) -> asyncio.Transport:
        adopted = self._stand_ins.adopt(sock)
        return super()._make_socket_transport(adopted, protocol, waiter, **kwargs)

    @override
    def _make_ssl_transport(
        self,
        rawsock: Any,
        protocol: Any,
        sslcontext: Any,
        waiter: Any = None,
        **kwargs: Any,
    ) -> asyncio.Transport:
        adopted = self._stand_ins.adopt(rawsock)
        return super()._make_ssl_transport(
            adopted, protocol, sslcontext, waiter, **kwargs
        )

    @override
    async def create_server(
        self,
        protocol_factory: Any,
        host: Any = None,
        port: Any = None,
        *,
        sock: Any = None,
        backlog: int = 100,
        start_serving: bool = True,
        family: int = 0,
        flags: int = 0,
        reuse_address: bool | None = None,
        reuse_port: bool | None = None,
        keep_alive: bool | None = None,
        **kwargs: Any,
    ) -> Any:
        """Serve on simulated addresses, or on a listening simulated socket."""
        if sock is not None:
            if host is not None or port is not None:
                raise ValueError("host/port and sock can not be specified together")
            listening = [self._stand_ins.adopt(sock)]
        else:
            listening = await self._listen(host, port, family)
        # Stock code serves one given socket; hand it the first, then add the others.
        server = await super().create_server(
            protocol_factory,
            sock=cast("Any", listening[0]),
            backlog=backlog,
            start_serving=False,
            **kwargs,
        )
        add_sockets(server, listening[1:])
        if start_serving:
            await server.start_serving()
        return server

    async def _listen(self, host: Any, port: Any, family: int) -> list[SimSocket]:
        hosts: Iterable[Any] = [host] if host is None or isinstance(host, str) else host
        listening: list[SimSocket] = []
        taken: set[Any] = set()
        try:
            for one in hosts:
                infos = await self.getaddrinfo(
                    one or None, port, family=family, flags=socket.AI_PASSIVE
                )
                for kind, _, _, _, address in infos:
                    if address in taken:
                        continue
                    taken.add(address)
                    listening.append(self._network.socket(kind))
                    listening[-1].bind(address)
        except BaseException:
            for made in listening:
                made.close()
            raise
        return listening

    def _sim(self, sock: Any) -> Any:
        # Any, because typeshed wants a socket of the kernel where this goes.
        return self._stand_ins.of(sock)

    # -- names -----------------------------------------------------------------------

    @override
    async def getaddrinfo(
        self,
        host: Any,
        port: Any,
        *,
        family: int = 0,
        type: int = 0,  # noqa: A002 - asyncio's name
        proto: int = 0,
        flags: int = 0,
    ) -> Any:
        """Look a name up in the zone of the world, after its virtual delay.

        Raises:
            UnknownHostError: Nobody declared the name.
            socket.gaierror: The zone says so, or no address has the family.
        """
        name = host_text(host)
        if name is None or not self._network.is_name(name):
            return address_infos([name], port, family, type, flags)
        self._network.note_look_up(name)
        answer = self._network.dns.look_up(name)
        if answer.delay:
            await asyncio.sleep(answer.delay)
        if answer.error is not None:
            raise answer.error
        return address_infos(answer.addresses, port, family, type, flags)

    @override
    async def getnameinfo(self, sockaddr: Any, flags: int = 0) -> tuple[str, str]:
        """Return the address itself: the zone has no names for addresses."""
        return sockaddr[0], str(sockaddr[1])

    # -- threads ---------------------------------------------------------------------

    @override
    def run_in_executor(
        self,
        executor: concurrent.futures.Executor | None,
        func: Callable[[Unpack[_Args]], _T],
        *args: *_Args,
    ) -> asyncio.Future[_T]:
        """Run a thread job; virtual time stands still until all jobs are done."""
        self._check_closed()
        if self._debug:
            self._check_callback(func, "run_in_executor")
        waiter = self.create_future()
        self._jobs.submit(executor or self._threads(), waiter, func, args)
        return waiter

    @override
    async def shutdown_default_executor(
        self,
        timeout: float | None = None,  # noqa: ASYNC109 - asyncio's signature
    ) -> None:
        """Let the threads end; those that never will are left alone.

        The stock method arms a timer, which virtual time would let expire at once.
        """
        self._executor_shutdown_called = True
        executor, self._default_executor = self._default_executor, None
        if executor is not None:
            executor.shutdown(wait=not self._pacer.is_draining, cancel_futures=True)

    def _threads(self) -> ThreadPoolExecutor:
        if self._executor_shutdown_called:
            raise RuntimeError("Executor shutdown has been called")
        if self._default_executor is None:
            self._default_executor = ThreadPoolExecutor(
                thread_name_prefix=THREAD_PREFIX
            )
        return self._default_executor

    def _note_unsure_order(self) -> None:
        self.world.trace.add("note", text="order of thread results is not certain")
