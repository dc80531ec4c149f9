"""WebSocket frames, written for a peer and read from what a client sent.

Comes in: a ``frame`` table of a case, or the bytes of one side of a connection. Goes
out: bytes, or frames. Must not know: handshakes, connections, whether a frame is
allowed; a case may want any that is not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from windtunnel_conformance.outcome import SeenFrame
from windtunnel_conformance.values import resolve_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windtunnel_conformance.reading import Node
    from windtunnel_conformance.values import Lets

OPCODES: Final[Mapping[str, int]] = {
    "continuation": 0,
    "text": 1,
    "binary": 2,
    "close": 8,
    "ping": 9,
    "pong": 10,
}
"""Names that a case uses; others are written as a number."""

_NAMES: Final = {code: name for name, code in OPCODES.items()}
_KEYS: Final = (
    "op", "fin", "rsv", "masked", "payload", "code", "reason", "length_bytes",
)  # fmt: skip
_MASK: Final = b"\x01\x02\x03\x04"
_WIDEST: Final = {0: 125, 2: 0xFFFF, 8: 0x7FFF_FFFF_FFFF_FFFF}


def frame_bytes(node: Node, lets: Lets) -> bytes:
    """Write the frame that a table describes.

    ``op`` is a name or a number; ``fin`` is true if not given, ``rsv`` the three bits
    as a number 0..7; ``payload`` is bytes, or ``code`` and ``reason`` those of a close
    frame; ``length_bytes`` (0, 2, 8) writes the length in more bytes than it needs.

    Raises:
        CaseError: A key is wrong, or the length does not fit.

    Spec: RFC 6455 section 5.2.
    """
    table = node.table(_KEYS, required=("op",))
    payload = resolve_bytes(table["payload"], lets) if "payload" in table else b""
    if "code" in table:
        payload = table["code"].integer(low=0, high=0xFFFF).to_bytes(2, "big") + payload
    if "reason" in table:
        payload += table["reason"].text().encode()
    fin = table["fin"].flag() if "fin" in table else True
    rsv = table["rsv"].integer(low=0, high=7) if "rsv" in table else 0
    masked = "masked" in table and table["masked"].flag()
    size = len(payload)
    width = 0 if size <= _WIDEST[0] else 2 if size <= _WIDEST[2] else 8
    if "length_bytes" in table:
        width = table["length_bytes"].integer(low=width, high=8)
        if width not in _WIDEST:
            raise table["length_bytes"].error(f"is {width}, but must be 0, 2 or 8")
    code = {0: size, 2: 126, 8: 127}[width]
    head = bytes([fin << 7 | rsv << 4 | _opcode(table["op"]), masked << 7 | code])
    head += size.to_bytes(width, "big") if width else b""
    return head + (_MASK + _unmasked(payload, _MASK) if masked else payload)


def _opcode(node: Node) -> int:
    if isinstance(node.value, int):
        return node.integer(low=0, high=15)
    return OPCODES[node.choice(OPCODES)]


def read_frames(data: bytes) -> tuple[SeenFrame, ...]:
    """Read all whole frames from the start of some bytes."""
    frames: list[SeenFrame] = []
    at = 0
    while (found := _frame_at(data, at)) is not None:
        frame, at = found
        frames.append(frame)
    return tuple(frames)


def _frame_at(data: bytes, at: int) -> tuple[SeenFrame, int] | None:
    if len(data) < at + 2:
        return None
    first, second = data[at : at + 2]
    width = {126: 2, 127: 8}.get(second & 0x7F, 0)
    masked = bool(second & 0x80)
    start = at + 2 + width + 4 * masked
    size = second & 0x7F
    if width:
        size = int.from_bytes(data[at + 2 : at + 2 + width], "big")
    if len(data) < start + size:
        return None
    payload = data[start : start + size]
    if masked:
        payload = _unmasked(payload, data[start - 4 : start])
    code = first & 0x0F
    frame = SeenFrame(
        _NAMES.get(code, str(code)), bool(first & 0x80), first >> 4 & 7, masked, payload
    )
    return frame, start + size


def _unmasked(payload: bytes, key: bytes) -> bytes:
    return bytes(byte ^ key[index % 4] for index, byte in enumerate(payload))
