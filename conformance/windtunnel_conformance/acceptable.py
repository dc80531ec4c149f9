"""What outcomes a case accepts: alternatives, and the operators in their values.

Comes in: nothing; these are plain values, built by ``expecting``. Goes out: to the
judge and the compiler. Must not know: how anything is compared.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windtunnel_conformance.case import Json, Verdict


@dataclass(frozen=True, slots=True)
class CaptureRef:
    """Stands for bytes that an earlier operator of the same alternative captured."""

    name: str


@dataclass(frozen=True, slots=True)
class Equal:
    """The value itself; ``bytes`` where the field is one of bytes."""

    value: bytes | bool | int | float | str | None


@dataclass(frozen=True, slots=True)
class EqualJson:
    """A JSON value, compared as JSON: ``1`` and ``1.0`` are equal, ``true`` is not."""

    value: Json


@dataclass(frozen=True, slots=True)
class Fields:
    """Field lines by lower-case name.

    A text is all values of a name joined by a comma and a blank, ``Items`` are the
    values one by one, ``Absent`` is no such line.
    """

    lines: Mapping[str, Matcher]


@dataclass(frozen=True, slots=True)
class Items:
    """A list, item by item, of the same length."""

    items: tuple[Matcher, ...]


@dataclass(frozen=True, slots=True)
class Pattern:
    """``{ re }``: a regular expression that is searched; named groups are captured."""

    pattern: str


@dataclass(frozen=True, slots=True)
class Prefix:
    """``{ prefix }``: the value starts with these bytes."""

    prefix: bytes


@dataclass(frozen=True, slots=True)
class Digest:
    """``{ sha256, len }``: only the digest of a big body is known."""

    sha256: str
    length: int


@dataclass(frozen=True, slots=True)
class AnyOf:
    """``{ any_of }``: the first option that matches."""

    options: tuple[Matcher, ...]


@dataclass(frozen=True, slots=True)
class Capture:
    """``{ capture }``: anything; remembered by name."""

    name: str


@dataclass(frozen=True, slots=True)
class Absent:
    """``{ absent = true }``: the key is not there, or null."""


Matcher: TypeAlias = (
    Equal
    | EqualJson
    | Fields
    | Items
    | Pattern
    | Prefix
    | Digest
    | AnyOf
    | Capture
    | Absent
)
"""One expected value."""


@dataclass(frozen=True, slots=True)
class OptionalHeaders:
    """In ``body_like``: any of these field lines, in any order, or none."""

    names: tuple[str, ...]


BodyPart: TypeAlias = bytes | CaptureRef | OptionalHeaders | Pattern
"""One stretch of a ``body_like`` template."""


@dataclass(frozen=True, slots=True)
class SentRequest:
    """One request that has to be seen on the wire.

    Attributes:
        peer: Name of the origin it arrived at. None: any.
        line: Whole request line without its line end.
        method: Method token.
        target: Request target.
        headers: Lower-case name to all values of that name in order.
        once: Lower-case name to the value of the one field line of that name.
        absent: Lower-case names with no field line.
        body: Decoded body.
        body_like: Template for the decoded body. Empty: not compared.
        raw: All bytes of the request.
    """

    peer: str | None = None
    line: Matcher | None = None
    method: Matcher | None = None
    target: Matcher | None = None
    headers: Mapping[str, Matcher] = field(default_factory=dict[str, "Matcher"])
    once: Mapping[str, Matcher] = field(default_factory=dict[str, "Matcher"])
    absent: tuple[str, ...] = ()
    body: Matcher | None = None
    body_like: tuple[BodyPart, ...] = ()
    raw: Matcher | None = None


@dataclass(frozen=True, slots=True)
class SentFrame:
    """What one WebSocket frame of the client has to look like; None: any.

    Attributes:
        op: Name of the opcode.
        fin: The bit that ends a message.
        rsv: The reserved bits as a number.
        masked: Whether it is masked.
        payload: Without its mask.
    """

    op: str
    fin: bool | None = None
    rsv: int | None = None
    masked: bool | None = None
    payload: Matcher | None = None


@dataclass(frozen=True, slots=True)
class Alternative:
    """One acceptable outcome; the first of a variant that matches gives the verdict.

    Attributes:
        verdict: ``PASS``, ``LENIENT`` or ``INFO``.
        note: What this outcome means; never empty for ``LENIENT`` and ``INFO``.
        at: Case second at which the last client action ended. None: any time.
        within: Tolerance of ``at`` in case seconds.
        got: Action name to result key to expected value.
        sent: All requests on the wire, in order of arrival. None: not compared.
        connections: Number of accepted connections. None: not compared.
        reused: Whether some connection carried more than one request.
        bytes_after: Point (``"tls"``) to application bytes that arrived after it.
        extra_connections: True: connections without a script are tolerated.
        frames: All frames of the client, over all connections. None: not compared.
    """

    verdict: Literal[Verdict.PASS, Verdict.LENIENT, Verdict.INFO]
    note: str = ""
    at: float | None = None
    within: float = 0.0
    got: Mapping[str, Mapping[str, Matcher]] = field(
        default_factory=dict[str, "Mapping[str, Matcher]"]
    )
    sent: tuple[SentRequest, ...] | None = None
    connections: int | None = None
    reused: bool | None = None
    bytes_after: Mapping[str, int] = field(default_factory=dict[str, int])
    extra_connections: bool = False
    frames: tuple[SentFrame, ...] | None = None
