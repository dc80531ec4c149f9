"""Which connections exist, which are free, and who waits for one.

In come requests for a place and connections that are done; out go idle connections and
permissions to dial. It knows the loop's clock and one timer, but nothing of sockets.

A *place* is the right to use one connection. Idle connections hold none: ``limit``
counts what is in use or being made. Waiters get places in the order they came; one
whose host is at its own limit is passed over until a place of that host is free.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from windtunnel._policy.deadline import NEVER, deadline_at
from windtunnel._policy.reuse import is_fresh
from windtunnel._transport.failures import ClosedHere, Phase, TimedOut

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from windtunnel._base.typedefs import ConnectionKey
    from windtunnel._transport.connection import Connection

# What the kernel hands over in one call, at most.
_READ_BYTES = 2**18


class _Waiter(NamedTuple):
    key: ConnectionKey
    give_up_at: float
    kind: str


class Pool:
    """The connections of one connector, all on one event loop.

    Args:
        loop: The loop of every connection.
        limit: Places in total, 0 for no limit.
        limit_per_host: Places with equal key, 0 for no limit.
        keepalive_seconds: How long an idle connection may be used again, None for
            as long as the server keeps it.
        force_close: Never use a connection again.
        ceil_threshold: From how many seconds on the clean-up waits for a whole one.

    Attributes:
        buffer: Where every connection reads into; used only within one callback.
        ceil_threshold: As given; also for the heartbeat of WebSockets.
        view: The same memory, for slices without a copy.
    """

    __slots__ = (
        "_dials",
        "_force_close",
        "_idle",
        "_in_use",
        "_in_use_by_key",
        "_keepalive",
        "_limit",
        "_limit_per_host",
        "_live",
        "_loop",
        "_lost_all",
        "_timer",
        "_timer_at",
        "_uploads",
        "_waiters",
        "buffer",
        "ceil_threshold",
        "is_closed",
        "view",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        limit: int,
        limit_per_host: int,
        keepalive_seconds: float | None,
        force_close: bool,
        ceil_threshold: float = 5,
    ) -> None:
        self._loop = loop
        self._limit = limit
        self._limit_per_host = limit_per_host
        self._keepalive = NEVER if keepalive_seconds is None else keepalive_seconds
        self._force_close = force_close
        self.ceil_threshold = ceil_threshold
        self._idle: dict[ConnectionKey, deque[Connection]] = {}
        self._in_use = 0
        self._in_use_by_key: dict[ConnectionKey, int] = {}
        self._waiters: OrderedDict[asyncio.Future[None], _Waiter] = OrderedDict()
        self._live: set[Connection] = set()
        # Around each connection that is being made, and when it has to be there.
        self._dials: dict[asyncio.Timeout, float] = {}
        self._uploads: set[asyncio.Task[Any]] = set()
        self._lost_all: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = NEVER
        self.is_closed = False
        self.buffer = bytearray(_READ_BYTES)
        self.view = memoryview(self.buffer)

    @property
    def has_idle(self) -> bool:
        """Whether any connection is kept for later."""
        return bool(self._idle)

    def idle_connections(self) -> list[Connection]:
        """List the connections that are kept for later."""
        return [each for idle in self._idle.values() for each in idle]

    # --- places ---------------------------------------------------------------------

    def take(self, key: ConnectionKey, now: float) -> Connection | None:
        """Take a place and an idle connection, if both are free right now."""
        if key not in self._idle or self._waiters or not self._has_place(key):
            return None
        connection = self.pop_idle(key, now)
        if connection is not None:
            self._occupy(key)
        return connection

    def pop_idle(self, key: ConnectionKey, now: float) -> Connection | None:
        """Take the connection that has idled longest, closing what became useless."""
        idle = self._idle.get(key)
        while idle:
            connection = idle.popleft()
            if not idle:
                del self._idle[key]
            fresh = is_fresh(connection.idle_since, now, self._keepalive)
            if fresh and connection.is_usable():
                return connection
            connection.shut(ClosedHere("Connection closed"))
        return None

    def must_wait(self, key: ConnectionKey) -> bool:
        """Say whether there is no place at once."""
        return bool(self._waiters) or not self._has_place(key)

    def reserve_now(self, key: ConnectionKey) -> bool:
        """Take a place if one is free; whoever gets it must ``vacate`` it some time."""
        if self.is_closed or self.must_wait(key):
            return False
        self._occupy(key)
        return True

    async def reserve(self, key: ConnectionKey, give_up_at: float, kind: str) -> None:
        """Wait for a place, after ``reserve_now`` found none.

        Args:
            key: What the place is for.
            give_up_at: When to stop waiting, on the loop's clock.
            kind: Which timeout that is.

        Raises:
            TimedOut: It is that time.
            ClosedHere: The pool was closed.
        """
        if self.is_closed:
            raise ClosedHere("Connector is closed.")
        place: asyncio.Future[None] = self._loop.create_future()
        self._waiters[place] = _Waiter(key, give_up_at, kind)
        if give_up_at < self._timer_at:
            self._arm(give_up_at)
        # A place may be free for this host although others wait for theirs.
        self._grant()
        try:
            await place
        except asyncio.CancelledError:
            was_waiting = self._waiters.pop(place, None) is not None
            if not was_waiting and not place.cancelled() and not place.exception():
                # The place came at the same moment; somebody else shall have it.
                self.vacate(key)
            raise

    def vacate(self, key: ConnectionKey) -> None:
        """Give a place back; the next waiter gets it."""
        self._in_use -= 1
        if self._limit_per_host:
            left = self._in_use_by_key[key] - 1
            if left:
                self._in_use_by_key[key] = left
            else:
                del self._in_use_by_key[key]
        if self._waiters:
            self._grant()

    def _has_place(self, key: ConnectionKey) -> bool:
        if self._limit and self._in_use >= self._limit:
            return False
        per_host = self._limit_per_host
        return not per_host or self._in_use_by_key.get(key, 0) < per_host

    def _occupy(self, key: ConnectionKey) -> None:
        self._in_use += 1
        if self._limit_per_host:
            self._in_use_by_key[key] = self._in_use_by_key.get(key, 0) + 1

    def _grant(self) -> None:
        """Give the free places to those who wait, first come first served."""
        while (place := self._next_in_line()) is not None:
            waiter = self._waiters.pop(place)
            if not place.done():
                self._occupy(waiter.key)
                place.set_result(None)

    def _next_in_line(self) -> asyncio.Future[None] | None:
        if self._limit and self._in_use >= self._limit:
            return None
        for place, waiter in self._waiters.items():
            if place.done() or self._has_place(waiter.key):
                return place
        return None

    # --- dials ----------------------------------------------------------------------

    def limit_dial(self, limit: asyncio.Timeout, when: float) -> None:
        """Let a timeout run out at ``when`` on the loop's clock, or when this closes.

        Most dials end long before, and a timer for each of them is a cost.
        """
        self._dials[limit] = when
        if when < self._timer_at:
            self._arm(when)

    def dial_ended(self, limit: asyncio.Timeout) -> None:
        """Forget that timeout."""
        self._dials.pop(limit, None)

    def _end_dials(self, now: float) -> float:
        """Let what is due run out; say when the next is."""
        soonest = NEVER
        for limit, when in self._dials.items():
            if limit.expired():
                continue
            if when <= now:
                limit.reschedule(self._loop.time())
            else:
                soonest = min(soonest, when)
        return soonest

    # --- connections ----------------------------------------------------------------

    def put_back(self, connection: Connection) -> None:
        """Keep a clean connection for the next request, and free its place."""
        key = connection.key
        if self._force_close or self.is_closed:
            connection.shut(ClosedHere("Connection closed"))
        else:
            connection.idle_since = now = self._loop.time()
            idle = self._idle.get(key)
            if idle is None:
                self._idle[key] = deque((connection,))
            else:
                idle.append(connection)
            if now + self._keepalive < self._timer_at:
                clean_up_at = self._clean_up_at(now)
                if clean_up_at < self._timer_at:
                    self._arm(clean_up_at)
        self.vacate(key)

    def remove_idle(self, connection: Connection) -> None:
        """Forget a connection that closed while nobody used it."""
        idle = self._idle.get(connection.key)
        if idle is None:
            return
        with suppress(ValueError):
            idle.remove(connection)
        if not idle:
            del self._idle[connection.key]

    def add_live(self, connection: Connection) -> None:
        """Count a connection whose transport is open."""
        self._live.add(connection)

    def remove_live(self, connection: Connection) -> None:
        """Count it no more: its transport is closed."""
        self._live.discard(connection)
        lost_all = self._lost_all
        if not self._live and lost_all is not None and not lost_all.done():
            lost_all.set_result(None)

    def add_upload(self, upload: asyncio.Task[Any]) -> None:
        """Keep the task of a body until it is over, so that ``close`` can wait."""
        self._uploads.add(upload)
        upload.add_done_callback(self._uploads.discard)

    # --- time and the end -----------------------------------------------------------

    def _arm(self, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = when
        self._timer = self._loop.call_at(when, self._tick)

    def _clean_up_at(self, idle_since: float) -> float:
        return deadline_at(idle_since, self._keepalive, self.ceil_threshold)

    def _tick(self) -> None:
        """Fail who waited too long, close what idled too long, and wake up again."""
        self._timer = None
        self._timer_at = NEVER
        now = self._loop.time()
        for place, waiter in list(self._waiters.items()):
            if now >= waiter.give_up_at and not place.done():
                del self._waiters[place]
                place.set_exception(TimedOut(waiter.kind, Phase.POOL))
        self._close_stale(now)
        give_up = min((w.give_up_at for w in self._waiters.values()), default=NEVER)
        give_up = min(give_up, self._end_dials(now))
        if self._idle and self._keepalive != NEVER:
            oldest = min(idle[0].idle_since for idle in self._idle.values())
            give_up = min(give_up, self._clean_up_at(oldest))
        if give_up != NEVER:
            self._arm(give_up)

    def _close_stale(self, now: float) -> None:
        for key in list(self._idle):
            idle = self._idle[key]
            while idle and not is_fresh(idle[0].idle_since, now, self._keepalive):
                connection = idle.popleft()
                connection.shut(ClosedHere("Connection closed"))
            if not idle:
                # The last one that was shut may have seen to it.
                self._idle.pop(key, None)

    def close(self, *, politely: bool = False) -> Coroutine[Any, Any, None]:
        """Close every connection and fail every waiter, at once.

        Args:
            politely: Say goodbye on idle TLS connections, rather than cut them.

        Returns:
            What to await until all is closed.
        """
        self.drop(politely=politely)
        return self._wait_closed()

    async def _wait_closed(self) -> None:
        uploads = list(self._uploads)
        if uploads:
            await asyncio.wait(uploads)
        if self._live:
            if self._lost_all is None:
                self._lost_all = self._loop.create_future()
            await asyncio.shield(self._lost_all)

    def drop(self, *, politely: bool = False) -> None:
        """Do what ``close`` does, without waiting."""
        self.is_closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for place in list(self._waiters):
            if not place.done():
                place.set_exception(ClosedHere("Connector is closed."))
        self._waiters.clear()
        self._end_dials(NEVER)
        # At once: each would search for itself among all the others.
        self._idle.clear()
        for connection in list(self._live):
            if politely and connection.is_usable():
                connection.leave()
            else:
                connection.shut(ClosedHere("Connector is closed."))
                connection.cut()
