"""Names and numbers of the WebSocket protocol, and the error for breaking its rules.

Only values; nothing is done here.
"""

from __future__ import annotations

from typing import Final

from windtunnel._wire.violation import WireError

CONTINUATION: Final = 0
TEXT: Final = 1
BINARY: Final = 2
CLOSE: Final = 8
PING: Final = 9
PONG: Final = 10

FIN: Final = 0x80
RSV1: Final = 0x40

MAX_CONTROL_BYTES: Final = 125

NORMAL: Final = 1000
PROTOCOL_ERROR: Final = 1002
#: What a close frame without a code means; never on the wire.
NO_STATUS: Final = 1005
INVALID_DATA: Final = 1007
TOO_BIG: Final = 1009


class FrameError(WireError):
    """The peer broke a rule of RFC 6455 or RFC 7692, or exceeded a limit.

    Attributes:
        code: Close code that tells the peer so.
        text: As in ``WireError``, like the rest.
        rule: As there.
        offset: Of the frame, or of the part of its payload that shows it, in bytes from
            the first byte after the handshake.
    """

    def __init__(self, code: int, text: str, *, rule: str, offset: int) -> None:
        super().__init__(text, rule=rule, offset=offset)
        self.code = code


def may_be_on_the_wire(code: int) -> bool:
    """Say whether a close frame may carry this code.

    Spec: RFC 6455 section 7.4 and the IANA registry: 1004 has no meaning, 1005, 1006
    and 1015 are for local use, 1016 to 2999 are unassigned.
    """
    return 1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999
