"""Whether the peer is still there: ask after silence, and give up without an answer.

The loop's clock and word of arriving data come in; pings, and at last one failure, go
out through callbacks. Data that arrives does not touch the timer: it fires too early,
sees when data came, and is armed again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windtunnel._policy.deadline import deadline_at
from windtunnel.errors import ServerTimeoutError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable


class Heartbeat:
    """The heartbeat of one WebSocket.

    Args:
        seconds: Silence after which a ping is sent; half of it is the time for any
            data to come then.
        ceil_threshold: Times this long or longer end at a whole second of the clock.
        loop: Whose clock and timers are used.
        ping: Sends a ping.
        lost: Called with the failure, once.
        is_held: Says whether nobody reads what the peer sends, because too much waits
            already; its silence means nothing then.

    Spec: RFC 6455 section 5.5.2.
    """

    __slots__ = (
        "_ceil_threshold",
        "_is_asking",
        "_is_held",
        "_loop",
        "_lost",
        "_ping",
        "_seconds",
        "_seen_at",
        "_timer",
    )

    def __init__(
        self,
        seconds: float,
        ceil_threshold: float,
        loop: asyncio.AbstractEventLoop,
        *,
        ping: Callable[[], None],
        lost: Callable[[Exception], None],
        is_held: Callable[[], bool],
    ) -> None:
        self._seconds = seconds
        self._ceil_threshold = ceil_threshold
        self._loop = loop
        self._ping = ping
        self._lost = lost
        self._is_held = is_held
        self._is_asking = False
        self._seen_at = loop.time()
        self._timer: asyncio.TimerHandle | None = None
        self._arm(seconds, self._seen_at)

    def data_came(self) -> None:
        """Hear that the peer is alive."""
        self._seen_at = self._loop.time()
        self._is_asking = False

    def stop(self) -> None:
        """Ask no more. Harmless if repeated."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self, seconds: float, start: float) -> None:
        when = deadline_at(start, seconds, self._ceil_threshold)
        self._timer = self._loop.call_at(when, self._tick)

    def _tick(self) -> None:
        self._timer = None
        if self._is_held():
            self.data_came()
        if self._is_asking:
            seconds = self._seconds / 2
            self._lost(ServerTimeoutError(f"No PONG received after {seconds} seconds"))
            return
        now = self._loop.time()
        if deadline_at(self._seen_at, self._seconds, self._ceil_threshold) > now:
            self._arm(self._seconds, self._seen_at)
            return
        self._is_asking = True
        self._arm(self._seconds / 2, now)
        self._ping()
