"""Faults as values: what goes wrong, at which moment, after how many bytes.

Comes in: the author's words. Goes out: immutable values that the server plays, and
``Armed``, which remembers whether one was played. Must not know: connections, plans.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

from windtunnel_fakeserver._wire.compat import override

Moment: TypeAlias = Literal[
    "connect",
    "tls",
    "request_head",
    "request_body",
    "response_head",
    "response_body",
    "response_end",
]
MOMENTS: tuple[Moment, ...] = get_args(Moment)
_POINTS = ("connect", "response_end")
_NOISE_BYTES = 64

# RFC 8446 section 6, with two names that older versions of TLS had.
_ALERTS = {
    "unexpected_message": 10,
    "bad_record_mac": 20,
    "record_overflow": 22,
    "handshake_failure": 40,
    "bad_certificate": 42,
    "unsupported_certificate": 43,
    "certificate_revoked": 44,
    "certificate_expired": 45,
    "certificate_unknown": 46,
    "illegal_parameter": 47,
    "unknown_ca": 48,
    "access_denied": 49,
    "decode_error": 50,
    "decrypt_error": 51,
    "protocol_version": 70,
    "insufficient_security": 71,
    "internal_error": 80,
    "unrecognized_name": 112,
    "certificate_required": 116,
    "no_application_protocol": 120,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What goes wrong with one connection; the base of the effects.

    ``response_*`` moments go on a reply, ``Reply(fault=...)``. Any moment can be given
    to the next connection, ``server.on_connect(...)``. A fault that was armed and
    never came to pass fails the test.

    Attributes:
        at: The moment. ``connect``: accepted, nothing read. ``tls``: instead of the
            server's side of the handshake. ``request_head``, ``request_body``: while
            these arrive. ``response_head``, ``response_body``: while these are sent.
            ``response_end``: behind the whole reply.
        after: Bytes of the moment that pass before it, >= 0, as they are on the wire
            (chunked framing counts). For ``tls`` and ``request_head`` at least one
            byte has come. Must be 0 for ``connect`` and ``response_end``.

    Raises:
        ValueError: A value is out of range.
    """

    at: Moment
    after: int = 0

    def __post_init__(self) -> None:
        name = type(self).__name__
        if self.at not in MOMENTS:
            msg = f"{name}(at={self.at!r}): must be one of {', '.join(MOMENTS)}"
            raise ValueError(msg)
        if not self.after >= 0:
            msg = f"{name}(after={self.after!r}): must be >= 0 bytes"
            raise ValueError(msg)
        if self.after and self.at in _POINTS:
            msg = f"{name}(at={self.at!r}, after={self.after!r}): has no bytes to count"
            raise ValueError(msg)

    @property
    def in_response(self) -> bool:
        """Whether it happens while, or right behind, a reply is sent."""
        return self.at.startswith("response_")

    @override
    def __repr__(self) -> str:
        """Show what would be typed to get it."""
        after = f", after={self.after}" if self.after else ""
        return f'{type(self).__name__}({self._extra()}at="{self.at}"{after})'

    def _extra(self) -> str:
        return ""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Eof(Fault):
    """The server closes: what was sent arrives, then FIN.

    Attributes:
        close_notify: False leaves out TLS's closure alert, which makes the end a
            truncation; without TLS it changes nothing.
    """

    close_notify: bool = True

    @override
    def _extra(self) -> str:
        return "" if self.close_notify else "close_notify=False, "


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Reset(Fault):
    """The server resets: RST. The client may lose bytes that it has not read yet."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class HalfClose(Fault):
    """The server ends its sending direction and goes on reading. Not inside TLS."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Stall(Fault):
    """Nothing more happens; the connection stays open until the test ends."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Garbage(Fault):
    """Bytes without meaning, the same for the same seed.

    In ``response_head`` and ``response_body`` they replace what is left of it, byte
    by byte, and the connection goes on as it would have. Behind a reply they are
    added. At other moments they are sent, and the connection is closed.

    Attributes:
        seed: Chooses the bytes.
        size: How many bytes, >= 1; None takes all that are left of a response's
            part, else 64.
    """

    seed: int = field(default=0, kw_only=False)
    size: int | None = None

    @override
    def __post_init__(self) -> None:
        Fault.__post_init__(self)
        if self.size is not None and not self.size >= 1:
            msg = f"Garbage(size={self.size!r}): must be >= 1 bytes"
            raise ValueError(msg)

    def noise(self, size: int | None = None) -> bytes:
        """Return ``size`` bytes of it; None takes ``self.size``, else 64."""
        wanted = size if size is not None else self.size or _NOISE_BYTES
        return hashlib.shake_128(b"garbage %d" % self.seed).digest(wanted)

    @override
    def _extra(self) -> str:
        size = "" if self.size is None else f"size={self.size}, "
        return f"{self.seed}, {size}"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class TlsAlert(Fault):
    """The server answers the ClientHello with a fatal alert, and closes.

    Attributes:
        name: Of the alert, ``handshake_failure`` and others of RFC 8446 section 6.
    """

    name: str = field(default="handshake_failure", kw_only=False)
    at: Moment = "tls"

    @override
    def __post_init__(self) -> None:
        Fault.__post_init__(self)
        if self.at != "tls":
            msg = f'TlsAlert(at={self.at!r}): must be "tls"'
            raise ValueError(msg)
        if self.name not in _ALERTS:
            msg = f"TlsAlert({self.name!r:.40}): must be one of {', '.join(_ALERTS)}"
            raise ValueError(msg)

    @property
    def record(self) -> bytes:
        """The alert as a TLS record. Spec: RFC 8446 sections 5.1 and 6."""
        return bytes((21, 3, 3, 0, 2, 2, _ALERTS[self.name]))

    @override
    def _extra(self) -> str:
        return f'"{self.name}", '


@dataclass(slots=True)
class Armed:
    """A fault that waits for its moment.

    Attributes:
        fault: What is to happen.
        where: Words for the connection or the reply that it was given to.
        fired: Whether it came to pass, at least once.
        reason: Why it did not, as far as that is known.
    """

    fault: Fault
    where: str
    fired: bool = False
    reason: str = ""

    def is_due(self, moment: Moment, size: int) -> bool:
        """Say whether it happens now, ``size`` bytes into a moment of a request."""
        fault = self.fault
        if self.fired or fault.at != moment:
            return False
        if size >= fault.after:
            return True
        self.reason = f"only {size} bytes of the {moment} came"
        return False


def check_reply_fault(fault: object) -> Fault | None:
    """Return what ``Reply(fault=...)`` was given.

    Raises:
        TypeError: It is no fault.
        ValueError: Its moment is over when a reply is chosen.
    """
    if fault is None:
        return None
    if not isinstance(fault, Fault):
        msg = f"Reply(fault={fault!r:.40}): must be Eof(...), Reset(...) or another"
        raise TypeError(msg)
    if not fault.in_response:
        msg = (
            f"Reply(fault={fault!r}): {fault.at} is over when a reply is chosen; "
            f"give it to the connection: server.on_connect({fault!r})"
        )
        raise ValueError(msg)
    return fault
