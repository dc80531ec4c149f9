"""What one conformance case is, after its file was read and its variants expanded.

Comes in: nothing; these are plain values, built by ``loader``. Goes out: to the runner
(peers, actions, clock), the judge (alternatives) and the compiler (all of it). Must
not know: TOML, sockets, clients, reports.

The words, from the outside in::

    Case ── Variant ──┬── Origin         names and certificates that exist in the run
                      ├── Action         what the client is asked to do, in order
                      ├── PeerScript     what each accepted connection does
                      │     └── Step     read, send, wait, close, ...
                      └── Alternative    one acceptable outcome, first match decides

A ``Variant`` is complete: every placeholder is replaced, every byte is final.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windtunnel_conformance.acceptable import Alternative

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
"""A value that JSON can carry; what adapters are given and what they answer."""

Scalar: TypeAlias = "bool | int | float | str"
"""A value of one column in ``[vary]``."""

FORMAT = 1
"""Version of the case format; a file says ``format = 1``."""


CAPABILITIES: Mapping[str, str] = {
    "clock.virtual": "runs on the simulated clock and network",
    "named-hosts": "keeps the names of URLs whatever address they resolve to",
    "keepalive": "uses a connection again",
    "stream": "hands out a body while it arrives",
    "multipart": "encodes a multipart form",
    "decode.gzip": "decodes gzip",
    "decode.deflate": "decodes deflate",
    "decode.br": "decodes brotli",
    "decode.zstd": "decodes Zstandard",
    "tls": "speaks TLS and takes a trust root",
    "timeout.total": "bounds the whole request",
    "timeout.connect": "bounds getting a connection",
    "timeout.sock_connect": "bounds one connect to a peer",
    "timeout.sock_read": "bounds the silence between two reads",
    "timeout.pool": "bounds the wait for a free connection",
    "timeout.ceil_threshold": "may round deadlines up to whole clock seconds",
    "redirects": "follows redirects",
    "cookies": "keeps cookies",
    "expect-continue": "asks before it sends a body",
    "auth.basic": "sends Basic credentials",
    "auth.digest": "answers a Digest challenge",
    "proxy": "goes through a proxy",
    "websocket": "speaks WebSocket",
    "ws.deflate": "speaks permessage-deflate",
}
"""What ``needs`` may ask for and an adapter may declare, with its meaning."""


class Verdict(StrEnum):
    """How one client did in one case; the order of ``rank`` is from good to bad."""

    PASS = "pass"
    LENIENT = "lenient"
    INFO = "info"
    SKIPPED = "skipped"
    UNSUPPORTED = "unsupported"
    BLOCKED = "blocked"
    FAIL = "fail"
    ERROR = "error"

    @property
    def rank(self) -> int:
        """Badness, 0 (pass) to 7 (error); variants roll up to the highest."""
        return list(Verdict).index(self)


class Level(StrEnum):
    """How binding the behaviour is: by a specification, a contract, or not at all."""

    MUST = "must"
    SHOULD = "should"
    MAY = "may"
    CONVENTION = "convention"
    INFO = "info"


# --- where -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """The certificate a peer shows.

    Attributes:
        names: Subject alternative names, e.g. ``a.test`` or ``*.a.test``.
        ca: ``"trusted"`` (signed by the run's authority) or ``"untrusted"``.
        common_name: Subject common name; nobody may match against it. None: none.
    """

    names: tuple[str, ...]
    ca: Literal["trusted", "untrusted"] = "trusted"
    common_name: str | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """One scheme, host and port that peers listen on.

    Attributes:
        name: Short name in the case, ``a`` by default.
        scheme: ``http`` or ``https``.
        host: As a URL has it (no brackets around an IPv6 address).
        port: Given or the default of the scheme; the *named* port, which a run over
            loopback maps to a free one.
        tls: Set for ``https``.
        connect: What becomes of a connect: accepted, refused by RST, or never
            answered (only the simulated network can do that).
    """

    name: str
    scheme: Literal["http", "https"]
    host: str
    port: int
    tls: TlsSettings | None = None
    connect: Literal["accept", "refuse", "hang"] = "accept"

    @property
    def authority(self) -> str:
        """Host, and port if it is not the default: what a Host field must say."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        default = 443 if self.scheme == "https" else 80
        return host if self.port == default else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The origin as text without a slash at the end: ``http://a.test``."""
        return f"{self.scheme}://{self.authority}"


@dataclass(frozen=True, slots=True)
class ClockSettings:
    """How time has to run for a case.

    Attributes:
        mode: ``"any"``, or ``"virtual"`` when real time cannot show the behaviour.
        start: Loop time at which the run begins, in seconds; only for virtual time.
        wall: ISO 8601 date and time in UTC for certificates and dates. None: any.
        gap: Smallest difference in case seconds that tells two outcomes apart; a
            scaled run may not shrink it below what the machine can measure. None:
            the case does not depend on time.
    """

    mode: Literal["any", "virtual"] = "any"
    start: float | None = None
    wall: str | None = None
    gap: float | None = None


# --- what the client does ----------------------------------------------------------

Verb: TypeAlias = Literal[
    "request",
    "read",
    "ws",
    "send",
    "recv",
    "close",
    "sleep",
    "wait_for",
    "signal",
    "group",
]
"""What one action does."""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing the client is asked to do.

    Actions run in order. One that fails reports its error and the *next one still
    runs*, except actions whose ``on`` names a failed one: they have no result.

    Attributes:
        name: Key of its result (``as``).
        verb: ``request``, ``read``, ``ws``, ``send``, ``recv``, ``close``, ``sleep``,
            ``wait_for``, ``signal`` or ``group``.
        argument: JSON as the adapter protocol has it.

            ``request``: object with ``method``, ``url`` and optionally

            - ``params``, ``headers``: list of pairs; text, header text is latin-1
            - ``body``: object with one of ``text`` (str), ``bytes`` (``{"b64"}``),
              ``json`` (any), ``form`` (list of pairs of str), ``chunks`` (list of
              ``{"b64"}`` and ``{"wait": seconds}``; the client must not know the sum)
            - ``timeout``: object of ``total connect sock_connect sock_read pool
              ceil_threshold`` in case seconds; those not named are off
            - ``decode``: false leaves the content coding alone
            - ``read_as``: ``"text"`` or ``"json"``: also report ``text`` (str) or
              ``json`` (any) as the client's own decoder gives it; its failure is the
              error of the action
            - ``stream``: true: the action ends when the head is there; no ``body``
            - ``cookies``: list of pairs, for this request beside those that are kept
            - ``auth``: object of ``basic`` or ``digest``: ``[name, password]``

            of ``body`` also ``multipart``: list of objects of ``name``, ``content``
            (``{"b64"}``) and for a file ``filename`` and ``type``.

            ``ws``: object with ``url`` and optionally ``protocols`` (list of str),
            ``compress`` (bool, false if not given), ``max_size`` (bytes): opens a
            WebSocket. ``send``: ``{"on": name}`` with ``text`` (str) or ``bytes``.
            ``recv``: ``{"on": name}``, one message, or with ``"until": "closed"`` all
            that come before the end; reported as ``messages`` (list of objects of
            ``text`` or ``bytes``, latin-1) and, at the end, ``close_code``.
            ``read``: ``{"on": name, "size": n}``, exactly n bytes of a streamed
            response, or up to its end without ``size``; reported as ``body``.
            ``close``: ``{"on": name}``, gives up a streamed response, or closes a
            WebSocket, with ``code`` and ``reason`` if given; reports ``close_code``.
            ``sleep``: case seconds. ``wait_for``, ``signal``: name of an event shared
            with the peer. ``group``: list of lists of actions; the lists run at once.
    """

    name: str
    verb: Verb
    argument: Json

    def to_json(self) -> dict[str, Json]:
        """Return the action as the adapter protocol writes it."""
        return {"as": self.name, self.verb: self.argument}


# --- what the peer does ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Read:
    """Read ``"head"``, ``"request"``, ``"eof"`` or ``"bytes"`` (then ``count``).

    ``"ws"`` is one WebSocket frame.
    """

    what: Literal["head", "request", "bytes", "eof", "ws"]
    count: int = 0


@dataclass(frozen=True, slots=True)
class Send:
    """Send each piece as a segment of its own; usually there is one."""

    pieces: tuple[bytes, ...]

    @property
    def data(self) -> bytes:
        """All pieces joined."""
        return b"".join(self.pieces)


@dataclass(frozen=True, slots=True)
class Wait:
    """Let case seconds pass; ``math.inf`` is until the connection goes away."""

    seconds: float


@dataclass(frozen=True, slots=True)
class WaitFor:
    """Wait for an event that the client or another peer signals."""

    name: str


@dataclass(frozen=True, slots=True)
class Signal:
    """Signal an event."""

    name: str


@dataclass(frozen=True, slots=True)
class Close:
    """End the connection: FIN (after TLS close_notify), RST, or FIN without notify."""

    how: Literal["fin", "rst", "tls-no-notify"]


@dataclass(frozen=True, slots=True)
class HalfClose:
    """Send FIN and keep reading."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Stop taking bytes from the socket, so that the window fills."""


@dataclass(frozen=True, slots=True)
class Resume:
    """Take bytes again."""


@dataclass(frozen=True, slots=True)
class Upgrade:
    """Read a WebSocket handshake and answer it.

    Attributes:
        answer: The whole answer; ``@accept@`` in it stands for the digest of the
            client's key (RFC 6455 section 4.2.2).
    """

    answer: bytes


@dataclass(frozen=True, slots=True)
class StartTls:
    """Do the TLS handshake as server; always the first step, and only on ``https``."""


Step: TypeAlias = (
    Read
    | Send
    | Wait
    | WaitFor
    | Signal
    | Close
    | HalfClose
    | Pause
    | Resume
    | Upgrade
    | StartTls
)
"""One step of a peer script."""


@dataclass(frozen=True, slots=True)
class PeerScript:
    """What one accepted connection does.

    Connections to an origin get its scripts in the order of accept. When the steps
    run out the connection stays open and idle, unless ``end`` is ``"close"``. On an
    ``https`` origin the loader puts ``StartTls`` first, unless the script is ``plain``:
    then no handshake ever happens and the script sees the client's raw TLS bytes.

    Attributes:
        on: Name of the origin.
        steps: In order.
        optional: True: a run in which the connection never came is fine.
        end: What happens after the last step.
    """

    on: str
    steps: tuple[Step, ...]
    optional: bool = False
    end: Literal["open", "close"] = "open"


# --- the whole ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Variant:
    """One run of a case, complete in itself.

    Attributes:
        case: Id of the case.
        key: What makes it different: ``"cut=8"``, ``"tls=true,split=3.17"``; empty if
            the case has one variant only.
        values: The columns of its row, typed.
        origins: By name, ``a`` first.
        actions: In order.
        peers: In the order of the file.
        alternatives: Only those whose ``when`` holds here; at least one.
    """

    case: str
    key: str
    values: Mapping[str, Scalar]
    origins: Mapping[str, Origin]
    actions: tuple[Action, ...]
    peers: tuple[PeerScript, ...]
    alternatives: tuple[Alternative, ...]

    @property
    def id(self) -> str:
        """Case id and key: ``coding/gzip/truncated@cut=8``."""
        return f"{self.case}@{self.key}" if self.key else self.case


@dataclass(frozen=True, slots=True)
class Case:
    """One behaviour, in one or more variants.

    Attributes:
        id: ``family/slug``; equals the path of the file; never reused.
        title: One line.
        level: How binding it is.
        spec: ``document#section``, at least one, each in the section table.
        needs: Capabilities without which a client is skipped.
        depends: Ids of cases that have to pass first, else this one is blocked.
        why: A paragraph or nothing.
        clock: How time runs.
        session: Options of the client session, if given: ``keepalive``, ``decode``
            (bool), ``limit`` (most connections at once), ``cookies`` (bool),
            ``redirects`` (most to follow, 0 for none), ``proxy`` (URL).
        variants: The base run first; never empty.
        source: The text of the file.
    """

    id: str
    title: str
    level: Level
    spec: tuple[str, ...]
    needs: tuple[str, ...]
    depends: tuple[str, ...]
    why: str
    clock: ClockSettings
    session: Mapping[str, Json]
    variants: tuple[Variant, ...]
    source: str = field(repr=False)

    @property
    def family(self) -> str:
        """All of the id before the last slash: ``framing/chunked``."""
        return self.id.rpartition("/")[0]

    @property
    def base(self) -> Variant:
        """The variant of a base run."""
        return self.variants[0]
