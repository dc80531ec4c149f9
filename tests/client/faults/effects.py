"""Ways in which a peer can fail, as steps of a script, and what each is called.

A wire comes in, at some moment of an exchange; the connection goes on no further.
"""

from __future__ import annotations

import contextlib
from enum import Enum
from typing import TYPE_CHECKING

from windtunnel_fakeserver import Garbage, WireClosedError

if TYPE_CHECKING:
    from windtunnel_fakeserver import Wire


class Effect(Enum):
    """What a peer does instead of going on; the value completes «the peer ...»."""

    CLOSE = "closes"
    HALF_CLOSE = "ends its direction and goes on reading"
    ABORT = "closes without saying goodbye in TLS"
    RESET = "resets"
    STALL = "says no more"
    GARBAGE = "sends noise and says no more"

    @property
    def is_end(self) -> bool:
        """Whether the client sees an orderly end of the connection."""
        return self in (Effect.CLOSE, Effect.HALF_CLOSE, Effect.ABORT)


async def strike(wire: Wire, effect: Effect) -> None:
    """Let it happen."""
    match effect:
        case Effect.CLOSE:
            wire.close()
        case Effect.HALF_CLOSE:
            wire.eof()
        case Effect.ABORT:
            wire.abort()
        case Effect.RESET:
            wire.reset()
        case Effect.GARBAGE:
            await wire.send(Garbage(at="connect").noise(100))
        case Effect.STALL:
            """Nothing is what it does."""
    with contextlib.suppress(WireClosedError):
        await wire.read_until_eof()
