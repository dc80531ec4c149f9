"""The contract between the runner and a client under test.

In: one described conversation (``RunRequest``). Out: what the client saw
(``RunResult``). Both are plain JSON objects, so that an adapter may be a coroutine
in this process or a program in any language that reads a line and writes a line.

An adapter only reports. It never sees the peer's script or the expectations, and
it never judges: mapping a library's own errors to the normalised tree is data of
the runner (``clients/NAME.toml``).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import TYPE_CHECKING, Literal, NotRequired, Protocol, TypeAlias, TypedDict

if TYPE_CHECKING:
    from windtunnel_conformance.adapters.signals import Signals
    from windtunnel_conformance.case import Json

PROTOCOL_VERSION = 1

MAX_LINE_BYTES = 8 * 1024 * 1024
"""Longest line an adapter may write; bigger bodies travel as a digest."""

DIGEST_ABOVE_BYTES = 64 * 1024
"""Byte values longer than this are reported as length, digest and first bytes."""

_HEAD_BYTES = 256

JsonObject: TypeAlias = "dict[str, Json]"


class Base64Bytes(TypedDict):
    """Bytes that travel as base64."""

    b64: str


class DigestBytes(TypedDict):
    """Bytes too many to travel: their number, SHA-256 in hex, and the first of them."""

    len: int
    sha256: str
    head: Base64Bytes


ReportedBytes: TypeAlias = "str | Base64Bytes | DigestBytes"
"""A string stands for its latin-1 bytes."""

Phase = Literal["connect", "send", "head", "body", "close"]

ErrorReport = TypedDict(
    "ErrorReport",
    {
        "class": NotRequired[str],
        "raw": NotRequired[str],
        "message": NotRequired[str],
        "phase": NotRequired[Phase],
    },
)
"""One failure: ``class`` is a name of the error tree if the adapter maps errors
itself, ``raw`` is ``"ClassName: message"`` of the library's own error."""


class ActionResult(TypedDict, total=False):
    """What the client reported for one named action.

    A key that the library does not expose is left out, which is not the same as
    null. ``t`` is ``[start, end]`` in seconds since the action list began, in the
    adapter's own (scaled) time.
    """

    status: int
    reason: str
    http: str
    url: str
    history: list[int]
    headers: list[list[str]]
    raw_headers: list[list[str]]
    trailers: list[list[str]]
    body: ReportedBytes
    partial: ReportedBytes
    text: str
    json: Json
    messages: list[Json]
    close_code: int | None
    close_reason: str
    protocol: str
    reused: bool
    error: ErrorReport | None
    t: list[float]


class ClientFacts(TypedDict):
    """Which client answered."""

    name: str
    version: str
    runtime: str


class Description(TypedDict):
    """An adapter's answer to ``describe``."""

    op: Literal["describe"]
    id: int
    protocol: int
    client: ClientFacts
    capabilities: list[str]
    unsupported_fields: list[str]
    clock: Literal["virtual", "real"]
    min_timeout_ms: float
    timeout_step_ms: float
    max_parallel: int
    defaults: JsonObject
    errors: NotRequired[dict[str, str]]


class Environment(TypedDict):
    """What the world around one run looks like.

    ``resolve`` maps ``"name:port"`` to ``"address:port"``; it is empty when names
    resolve by themselves (the simulated network). ``ca_pem`` is the trust root.
    """

    resolve: dict[str, str]
    ca_pem: str
    wall: str


class RunRequest(TypedDict):
    """One conversation to perform. Times are case seconds: multiply by ``scale``."""

    op: Literal["run"]
    id: int
    case: str
    variant: str
    scale: float
    deadline_ms: float
    env: Environment
    session: JsonObject
    actions: list[JsonObject]


class RunResult(TypedDict):
    """What happened, by action name; ``unsupported`` says why nothing was tried."""

    op: Literal["result"]
    id: int
    results: dict[str, ActionResult]
    unsupported: NotRequired[str]
    leaks: NotRequired[dict[str, int]]


class Adapter(Protocol):
    """One client under test."""

    async def describe(self) -> Description:
        """Say which client this is and what it can do."""
        ...

    async def run(self, request: RunRequest, signals: Signals) -> RunResult:
        """Perform one conversation in a session of its own, closed at the end.

        Raises:
            AdapterError: The adapter itself broke; never because a client failed.
        """
        ...

    async def aclose(self) -> None:
        """Give back what the adapter holds, for example its process. Idempotent."""
        ...


class AdapterError(Exception):
    """The adapter, not the client, failed.

    Attributes:
        kind: ``adapter.crash``, ``adapter.hang`` or ``adapter.protocol``.
        detail: Last lines of the adapter's error output, or a waiter table.
        may_repeat: Another run may be to blame, so one repeat alone is fair.
    """

    def __init__(
        self, kind: str, message: str, detail: str = "", *, may_repeat: bool = False
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.detail = detail
        self.may_repeat = may_repeat


class AdapterUnavailableError(Exception):
    """This machine cannot run the adapter; the message says what to install."""


class UnsupportedActionError(Exception):
    """The client has no way to express what the case asks for."""


def report_bytes(data: bytes) -> ReportedBytes:
    """Give bytes the form in which they are reported.

    Returns:
        A latin-1 string up to 64 KiB, a digest above that.
    """
    if len(data) <= DIGEST_ABOVE_BYTES:
        return data.decode("latin-1")
    head = base64.b64encode(data[:_HEAD_BYTES]).decode("ascii")
    digest = hashlib.sha256(data).hexdigest()
    return {"len": len(data), "sha256": digest, "head": {"b64": head}}


def given_bytes(value: Json) -> bytes:
    """Read a byte value of an action.

    Args:
        value: A string (latin-1) or ``{"b64": "..."}``.

    Raises:
        ValueError: It is neither, or the base64 or the text is not valid.
    """
    match value:
        case str():
            return _latin1(value)
        case {"b64": str(text)}:
            try:
                return base64.b64decode(text, validate=True)
            except binascii.Error as exc:
                raise ValueError(f"base64 text {text[:40]!r}: {exc}") from exc
        case _:
            raise ValueError(
                f"byte value {str(value)[:40]!r}: give a string of characters up to "
                "U+00FF or {'b64': '...'}"
            )


def _latin1(text: str) -> bytes:
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError as exc:
        wide = text[exc.start]
        raise ValueError(
            f"byte string {text[:40]!r} has {wide!r} at {exc.start}: "
            "characters above U+00FF are not bytes"
        ) from exc
