"""The opening handshake: what is asked for, and whether the answer agrees.

Settings and the fields of a response come in; header values, or the terms that both
sides agreed on, go out. Random bytes for the key are given by the caller, and it sends
the request: this is only about what the fields say.
"""

from __future__ import annotations

import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from windtunnel._wire.head import TOKEN_CHARACTERS
from windtunnel._wire.ws_deflate import MAX_WINDOW_BITS, DeflateParameters

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

KEY_BYTES: Final = 16
# RFC 6455 section 1.3.
WS_KEY: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_DEFLATE: Final = "permessage-deflate"
_PARAMETER = re.compile(
    rf"[ \t]*([{TOKEN_CHARACTERS}]+)[ \t]*"
    rf'(?:=[ \t]*(?:([{TOKEN_CHARACTERS}]+)|"([{TOKEN_CHARACTERS}]+)")[ \t]*)?'
)
# zlib cannot compress with 8.
_BITS: Final = {str(bits): bits for bits in range(8, MAX_WINDOW_BITS + 1)}
_MIN_OWN_BITS: Final = 9


class HandshakeError(Exception):
    """The server's answer does not open a WebSocket.

    Attributes:
        text: What was wrong.
        rule: The rule.
    """

    def __init__(self, text: str, *, rule: str = "RFC 6455 section 4.1") -> None:
        super().__init__(text, rule)
        self.text = text
        self.rule = rule


@dataclass(frozen=True, slots=True)
class Terms:
    """What both sides agreed on.

    Attributes:
        protocol: The sub-protocol, None without one.
        deflate: How messages are compressed, None if they are not.
    """

    protocol: str | None
    deflate: DeflateParameters | None


def make_key(randomness: bytes) -> str:
    """Write the value of Sec-WebSocket-Key.

    Args:
        randomness: 16 bytes that nobody can foresee.

    Spec: RFC 6455 section 4.1, item 7.
    """
    return binascii.b2a_base64(randomness, newline=False).decode()


def accept_for(key: str) -> str:
    """Say which Sec-WebSocket-Accept proves that the server read our key.

    Spec: RFC 6455 section 4.2.2, item 5.4.
    """
    digest = hashlib.sha1(key.encode() + WS_KEY, usedforsecurity=False).digest()
    return binascii.b2a_base64(digest, newline=False).decode()


def deflate_offer(bits: int) -> str:
    """Write the value of Sec-WebSocket-Extensions.

    Args:
        bits: Base-two logarithm of the largest window for both directions, 9..15.

    Spec: RFC 7692 section 7.1.
    Compat: aiohttp offers the same, and names 15 by leaving it out.
    """
    if bits < MAX_WINDOW_BITS:
        return f"{_DEFLATE}; client_max_window_bits; server_max_window_bits={bits}"
    return f"{_DEFLATE}; client_max_window_bits"


def check_answer(
    minor: int, fields: Iterable[tuple[str, str]], key: str
) -> dict[str, list[str]]:
    """Check that a response of status 101 switches to WebSocket.

    Args:
        minor: Minor version of its HTTP/1.x.
        fields: Its header fields.
        key: The key that was sent.

    Returns:
        The values of each field by its name in lower case.

    Raises:
        HandshakeError: It does not.

    Spec: RFC 6455 section 4.1, items 2 to 4 for the response.
    """
    values: dict[str, list[str]] = {}
    for name, value in fields:
        values.setdefault(name.lower(), []).append(value)
    if minor == 0:
        raise HandshakeError("Invalid HTTP version: 1.0 cannot switch protocols")
    upgrade = values.get("upgrade", [])
    if [value.lower() for value in upgrade] != ["websocket"]:
        raise HandshakeError("Invalid upgrade header")
    options = [item.lower() for item in _items(values.get("connection", ()))]
    if "upgrade" not in options:
        raise HandshakeError("Invalid connection header")
    if values.get("sec-websocket-accept", []) != [accept_for(key)]:
        raise HandshakeError("Invalid challenge response")
    return values


def _items(values: Iterable[str]) -> Iterator[str]:
    for value in values:
        for item in value.split(","):
            if item := item.strip(" \t"):
                yield item


def agree(
    values: dict[str, list[str]], protocols: Sequence[str], offered_bits: int
) -> Terms:
    """Read what the server chose.

    Args:
        values: Of its fields, as ``check_answer`` returns them.
        protocols: The sub-protocols that were offered.
        offered_bits: The window that was offered for compression, 0 for no offer.

    Raises:
        HandshakeError: It chose something that was not offered.

    Spec: RFC 6455 section 4.1, items 5 and 6; RFC 7692 sections 5.1 and 7.1.
    """
    chosen = list(_items(values.get("sec-websocket-protocol", ())))
    protocol = next((name for name in chosen if name in protocols), None)
    if chosen and protocol is None:
        raise HandshakeError(f"Invalid protocol: {chosen[0]!r:.40} was not offered")
    deflate = None
    for extension in _items(values.get("sec-websocket-extensions", ())):
        name, *parameters = extension.split(";")
        if name.strip(" \t") != _DEFLATE or not offered_bits:
            raise HandshakeError(
                f"Invalid extension: {extension!r:.60} was not offered",
                rule="RFC 6455 section 9.1",
            )
        if deflate is not None:
            raise HandshakeError(f"Invalid extension: {_DEFLATE} was accepted twice")
        deflate = _deflate_parameters(parameters, offered_bits)
    return Terms(protocol, deflate)


def _deflate_parameters(parts: list[str], offered_bits: int) -> DeflateParameters:
    found: dict[str, str | None] = {}
    for part in parts:
        match = _PARAMETER.fullmatch(part)
        if match is None or match[1] in found:
            raise _bad_parameter(part)
        found[match[1]] = match[2] or match[3]
    client_bits = _window(found, "client_max_window_bits", offered_bits)
    server_bits = _window(found, "server_max_window_bits", offered_bits)
    flags = [
        _flag(found, f"{side}_no_context_takeover") for side in ("client", "server")
    ]
    for name in found:
        raise _bad_parameter(name)
    return DeflateParameters(client_bits, server_bits, *flags)


def _flag(found: dict[str, str | None], name: str) -> bool:
    if name not in found:
        return False
    value = found.pop(name)
    if value is not None:
        raise _bad_parameter(f"{name}={value}")
    return True


def _window(found: dict[str, str | None], name: str, offered_bits: int) -> int:
    """Take one of the window parameters out of those that were found."""
    is_own = name.startswith("client")
    if name not in found:
        # Without a word about its own window, a server that was asked for a smaller
        # one has declined the offer (section 7.1.2.1).
        if not is_own and offered_bits < MAX_WINDOW_BITS:
            raise _bad_parameter(f"no {name}")
        return MAX_WINDOW_BITS
    value = found.pop(name)
    bits = _BITS.get(value or "", 0)
    if not bits or (bits < _MIN_OWN_BITS if is_own else bits > offered_bits):
        raise _bad_parameter(f"{name}={value}")
    return bits


def _bad_parameter(text: str) -> HandshakeError:
    return HandshakeError(
        f"Invalid extension: {_DEFLATE} with {text.strip()!r:.60}",
        rule="RFC 7692 section 7.1",
    )
