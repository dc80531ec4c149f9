"""What a user may send: checked at the call, before anything is on the wire.

Arguments of the user come in, bytes to send go out. Mistakes are errors of Python.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from windtunnel._base.typedefs import shown
from windtunnel._wire.ws_rules import MAX_CONTROL_BYTES, may_be_on_the_wire

if TYPE_CHECKING:
    from windtunnel._wire.ws_mask import Payload

_MIN_BITS: Final = 9
_MAX_BITS: Final = 15


def check_type(data: object, kinds: type | tuple[type, ...], name: str) -> None:
    """Refuse data of another type.

    Raises:
        TypeError: It is of another.
    """
    if not isinstance(data, kinds):
        msg = f"data argument must be {name} ({type(data)!r})"
        raise TypeError(msg)


def check_window(bits: int | None) -> None:
    """Refuse a window for compression that zlib does not have; 0 and None are no wish.

    Raises:
        ValueError: It has not.
    """
    if bits and not _MIN_BITS <= bits <= _MAX_BITS:
        msg = (
            f"compress={shown(bits)} is not 0 or {_MIN_BITS} to {_MAX_BITS}, the "
            "window bits that zlib can compress with"
        )
        raise ValueError(msg)


def octets(data: Payload) -> Payload:
    """Make the length of a view that of its bytes."""
    if isinstance(data, memoryview) and (data.itemsize > 1 or not data.c_contiguous):
        return data.tobytes()
    return data


def _bytes(message: object) -> bytes:
    if isinstance(message, str):
        return message.encode()
    # Of a number, bytes() would make so many zeros.
    check_type(message, (bytes, bytearray, memoryview), "byte-ish")
    return bytes(message)  # type: ignore[call-overload,no-any-return]  # just checked


def control_payload(message: bytes | str) -> bytes:
    """Make the payload of a ping, a pong or a close frame.

    Raises:
        TypeError: It is no bytes-like object and no str.
        ValueError: It is too long.

    Spec: RFC 6455 section 5.5.
    """
    payload = _bytes(message)
    if len(payload) > MAX_CONTROL_BYTES:
        msg = (
            f"message of {len(payload)} bytes in a control frame, allowed are "
            f"{MAX_CONTROL_BYTES} (RFC 6455 section 5.5)"
        )
        raise ValueError(msg)
    return payload


def close_payload(code: int, message: bytes | str) -> bytes:
    """Make the payload of a close frame.

    Raises:
        ValueError: Code or reason may not be on the wire.

    Spec: RFC 6455 sections 5.5.1 and 7.4.
    """
    if not may_be_on_the_wire(code):
        msg = (
            f"code={shown(code)} may not be in a close frame, allowed are 1000 to "
            "1003, 1007 to 1014 and 3000 to 4999 (RFC 6455 section 7.4)"
        )
        raise ValueError(msg)
    reason = _bytes(message)
    try:
        reason.decode()
    except UnicodeDecodeError as exc:
        msg = f"message={shown(message)} of a close frame is not UTF-8"
        raise ValueError(msg) from exc
    return control_payload(int(code).to_bytes(2, "big") + reason)
