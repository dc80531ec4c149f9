"""Plays the peers of a case: each accepted connection follows its script.

In: peer scripts, and wires of a fake server, whatever network they are on. Out: bytes
on those wires, and a ``Seat`` for each connection that says which script played there
and why it stopped. Knows nothing of clients and expectations.
"""

from __future__ import annotations

import base64
import hashlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never, final

from windtunnel_conformance.case import (
    Close,
    HalfClose,
    Pause,
    Read,
    Resume,
    Send,
    Signal,
    StartTls,
    Upgrade,
    Wait,
    WaitFor,
)
from windtunnel_fakeserver import WireClosedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from windtunnel_conformance.adapters.signals import Signals
    from windtunnel_conformance.case import PeerScript, Step
    from windtunnel_fakeserver import Wire

# Long enough for a kernel to send one small segment by itself, short enough for a case
# with hundreds of cuts. Best effort: what gates is the simulated network.
_REAL_GAP_SECONDS = 0.001
# RFC 6455 section 1.3.
_KEY_SUFFIX = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


@dataclass(slots=True)
class Seat:
    """One connection and the script that it was given.

    Attributes:
        peer: Index of the script in the variant; None: nobody expected it.
        problem: Why the script could not be played to its end.
        cut: Bytes of a request that ended early, after what was read of it.
        upgraded: Whether a WebSocket handshake was answered.
    """

    peer: int | None
    problem: str | None = None
    cut: bytes = b""
    upgraded: bool = False


@final
class Cast:
    """The scripts of one origin, given out in the order in which connections came.

    Args:
        origin: Name of the origin in the case.
        scripts: Index in the variant and script, for this origin only.
        signals: Events shared with the client.
        scale: Real or virtual seconds for one second of the case.
        real: True: segment boundaries need a pause of their own.
    """

    def __init__(
        self,
        origin: str,
        scripts: Sequence[tuple[int, PeerScript]],
        signals: Signals,
        *,
        scale: float,
        real: bool,
    ) -> None:
        self.origin = origin
        self._scripts = scripts
        self._signals = signals
        self._scale = scale
        self._real = real
        self._seats: dict[int, Seat] = {}

    @property
    def seats(self) -> Mapping[int, Seat]:
        """Seats by number of the connection, for those whose script has begun."""
        return self._seats

    def peer_for(self, place: int) -> int | None:
        """Return the index of the script for the origin's connection ``place``."""
        return self._scripts[place][0] if place < len(self._scripts) else None

    async def serve(self, wire: Wire, place: int) -> None:
        """Play one connection; it is the origin's connection ``place``, from 0."""
        seat = self._seats[wire.connection] = Seat(self.peer_for(place))
        if seat.peer is None:
            wire.reset()
            return
        player = _Player(wire, seat, self)
        await player.play(self._scripts[place][1])

    async def wait_for(self, name: str) -> None:
        """Wait for a shared event."""
        await self._signals.wait(name)

    def signal(self, name: str) -> None:
        """Raise a shared event."""
        self._signals.set(name)

    async def sleep(self, wire: Wire, case_seconds: float) -> None:
        """Wait on a wire, in case seconds."""
        await wire.sleep(case_seconds * self._scale)

    async def send(self, wire: Wire, pieces: Sequence[bytes]) -> None:
        """Send pieces, each as a segment of its own."""
        for number, piece in enumerate(pieces):
            if number and self._real:
                await wire.sleep(_REAL_GAP_SECONDS)
            await wire.send(piece)


@final
class _Player:
    """One script on one wire."""

    def __init__(self, wire: Wire, seat: Seat, cast: Cast) -> None:
        self._wire = wire
        self._seat = seat
        self._cast = cast
        self._raw = False
        self._paused = False

    async def play(self, script: PeerScript) -> None:
        """Follow the steps; then stay open and idle unless the script ends."""
        for number, step in enumerate(script.steps):
            try:
                await self._step(step)
            except WireClosedError as exc:
                if exc.during == "read":
                    self._seat.problem = f"step {number + 1}: {exc}"
                    self._keep_cut(exc)
                return
        if script.end == "open":
            await self._idle()

    async def _step(self, step: Step) -> None:
        match step:
            case Read():
                await self._read(step)
            case Send():
                await self._cast.send(self._wire, step.pieces)
            case Wait() | WaitFor() | Signal():
                await self._time(step)
            case Close():
                self._close(step)
            case StartTls():
                if not self._wire.tls:
                    await self._wire.start_tls()
            case Upgrade():
                await self._upgrade(step)
            case HalfClose() | Pause() | Resume():
                self._turn(step)
            case _:
                assert_never(step)

    async def _time(self, step: Wait | WaitFor | Signal) -> None:
        match step:
            case Wait():
                await self._wait(step.seconds)
            case WaitFor():
                await self._cast.wait_for(step.name)
            case Signal():
                self._cast.signal(step.name)
            case _:
                assert_never(step)

    def _turn(self, step: HalfClose | Pause | Resume) -> None:
        match step:
            case HalfClose():
                self._wire.eof()
            case Pause():
                self._paused = True
                self._wire.pause()
            case Resume():
                self._paused = False
                self._wire.resume()
            case _:
                assert_never(step)

    async def _read(self, step: Read) -> None:
        wire = self._wire
        match step.what:
            case "head":
                await wire.read_head()
            case "request":
                await wire.read_request()
            case "bytes":
                self._raw = True
                await wire.read_exactly(step.count)
            case "eof":
                self._raw = True
                await wire.read_until_eof()
            case "ws":
                await self._read_frame()
            case _:
                assert_never(step.what)

    async def _upgrade(self, step: Upgrade) -> None:
        request = await self._wire.read_request()
        key = request.header("sec-websocket-key") or ""
        digest = hashlib.sha1(key.encode() + _KEY_SUFFIX).digest()
        answer = step.answer.replace(b"@accept@", base64.b64encode(digest))
        await self._cast.send(self._wire, (answer,))
        self._raw = self._seat.upgraded = True

    async def _read_frame(self) -> None:
        """Read one frame of a client, which is masked (RFC 6455 section 5.2)."""
        wire = self._wire
        code = (await wire.read_exactly(2))[1] & 0x7F
        width = {126: 2, 127: 8}.get(code, 0)
        size = int.from_bytes(await wire.read_exactly(width), "big") if width else code
        await wire.read_exactly(4 + size)

    async def _wait(self, seconds: float) -> None:
        if math.isinf(seconds):
            await self._idle()
        else:
            await self._cast.sleep(self._wire, seconds)

    def _close(self, step: Close) -> None:
        match step.how:
            case "fin":
                self._wire.close()
            case "rst":
                self._wire.reset()
            case "tls-no-notify":
                self._wire.abort()
            case _:
                assert_never(step.how)

    async def _idle(self) -> None:
        """Answer nothing more, but see what the client sends until it leaves."""
        if self._paused:
            await self._wire.stall()
        try:
            if self._raw:
                await self._wire.read_until_eof()
            async for _ in self._wire.requests():
                pass
        except WireClosedError as exc:
            self._keep_cut(exc)

    def _keep_cut(self, error: WireClosedError) -> None:
        if not self._raw:
            self._seat.cut = error.partial
