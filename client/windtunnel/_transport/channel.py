"""The side of a connection that has nothing to do with HTTP: writing, pausing, time.

Bytes to send, upload tasks and deadlines come in; transport calls and one ``shut`` when
time is over go out. It is the lower half of ``Connection`` and not used alone.

There is one timer, armed for the earliest deadline. Deadlines that move away do not
touch it: it fires too early, looks at the clock, and is armed again. So a request that
is answered in time costs no timer at all.
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from windtunnel._base.compat import override
from windtunnel._policy.deadline import NEVER
from windtunnel._transport.failures import (
    Phase,
    TimedOut,
    TransportFailure,
    UploadFailed,
)
from windtunnel._transport.settings import ReadSettings

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from windtunnel._base.typedefs import ConnectionKey
    from windtunnel._transport.pool import Pool
    from windtunnel._wire.violation import WireError

_DEFAULT_SETTINGS = ReadSettings()


class Channel(asyncio.BufferedProtocol):
    """Transport, flow control, upload and timer of a connection.

    Attributes:
        key: What it is connected to.
        sent_bytes: Bytes of the last body that was sent by a task, with its framing.
        transport: The asyncio transport, None until the connection is made.
        drain: Done when the transport's buffer has room again; None while it has.
    """

    __slots__ = (
        "__weakref__",
        "_is_paused",
        "_loop",
        "_pool",
        "_read_at",
        "_settings",
        "_timer",
        "_timer_at",
        "_total_at",
        "_upload",
        "drain",
        "key",
        "sent_bytes",
        "transport",
    )

    def __init__(
        self, pool: Pool, key: ConnectionKey, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._pool = pool
        self.key = key
        self.sent_bytes = 0
        self._loop = loop
        self.transport: asyncio.Transport | None = None
        self._is_paused = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = NEVER
        self._total_at = NEVER
        self._read_at = NEVER
        self._settings = _DEFAULT_SETTINGS
        self._upload: asyncio.Task[Exception | None] | None = None
        self.drain: asyncio.Future[None] | None = None

    # --- what Connection knows ------------------------------------------------------

    @abstractmethod
    def shut(self, failure: TransportFailure | WireError) -> None:
        """Close for good and tell whoever waits why."""

    @abstractmethod
    def phase(self) -> Phase | None:
        """Say what the current request is doing, None if there is none."""

    # --- sending --------------------------------------------------------------------

    def start_upload(
        self, upload: Coroutine[Any, Any, Exception | None]
    ) -> asyncio.Task[Exception | None]:
        """Send the body of the current request in a task beside the response."""
        self.sent_bytes = 0
        self._upload = task = self._loop.create_task(upload)
        self._pool.add_upload(task)
        # The server may be silent for as long as it is being sent to.
        self._read_at = NEVER
        return task

    def end_upload(self) -> None:
        """Hear from that task that everything was sent."""
        self._upload = None
        self._await_data()

    def fail_upload(self, error: Exception) -> None:
        """Hear from that task that the source of the body failed."""
        # So it is not cancelled below: it has still to let go of the body.
        self._upload = None
        self.shut(UploadFailed(error))

    def write(self, *parts: bytes) -> None:
        """Send parts in one go; after the end of the connection, drop them.

        Joined and not by ``writelines``: from CPython 3.12.0 to 3.12.8 and in 3.13.0
        and 3.13.1 that never pauses the writer (CVE-2024-12254), so a whole upload
        would pile up in the transport.
        """
        if self.transport is not None and not self.transport.is_closing():
            data = parts[0] if len(parts) == 1 else b"".join(parts)
            self.sent_bytes += len(data)
            self.transport.write(data)

    def unsent_bytes(self) -> int | None:
        """Say how many bytes wait for the kernel to take them, None if it will not."""
        transport = self.transport
        if transport is None or transport.is_closing():
            return None
        return transport.get_write_buffer_size()

    @override
    def pause_writing(self) -> None:
        self.drain = self._loop.create_future()

    @override
    def resume_writing(self) -> None:
        drain, self.drain = self.drain, None
        if drain is not None and not drain.done():
            drain.set_result(None)

    # --- receiving ------------------------------------------------------------------

    @override
    def get_buffer(self, sizehint: int) -> memoryview:
        # The loop reads into it and calls buffer_updated before anything else runs, so
        # all connections of a pool can share one.
        return self._pool.view

    def pause_reading(self) -> None:
        """Let the stream's reader catch up; silence does not count meanwhile."""
        if not self._is_paused and self.transport is not None:
            self._is_paused = True
            self._read_at = NEVER
            self.transport.pause_reading()

    def resume_reading(self) -> None:
        """Read again."""
        if self._is_paused and self.transport is not None:
            self._is_paused = False
            self.transport.resume_reading()
            self._await_data()

    # --- time -----------------------------------------------------------------------

    def _await_data(self) -> None:
        """Start to count silence, if it matters and a response is awaited."""
        seconds = self._settings.sock_read
        if seconds and self.phase() is not None:
            self._read_at = self._loop.time() + seconds
            self._arm(self._read_at)

    def _arm(self, when: float) -> None:
        """Wake up at ``when``, unless the timer fires before anyway."""
        if when < self._timer_at:
            if self._timer is not None:
                self._timer.cancel()
            self._timer_at = when
            self._timer = self._loop.call_at(when, self._tick)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._timer_at = NEVER

    def _tick(self) -> None:
        self._timer = None
        self._timer_at = NEVER
        phase = self.phase()
        if phase is None:
            return
        now = self._loop.time()
        if now >= self._total_at:
            self.shut(TimedOut("total", phase))
        elif now >= self._read_at:
            self.shut(TimedOut("sock_read", phase))
        else:
            self._arm(min(self._total_at, self._read_at))

    # --- the end --------------------------------------------------------------------

    def leave(self) -> None:
        """Close politely: with TLS, say goodbye and wait for the peer's answer."""
        if self.transport is not None:
            self.transport.close()

    def cut(self) -> None:
        """Do not wait for the peer to say goodbye."""
        if self.transport is not None:
            self.transport.abort()

    def _stop(self) -> None:
        """Let go of timer and upload; nothing is sent or awaited any more."""
        self._disarm()
        self.resume_writing()
        upload, self._upload = self._upload, None
        if upload is not None:
            upload.cancel()
