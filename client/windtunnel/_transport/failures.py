"""What can go wrong below the exchange, in the transport's own words.

These never reach a caller: ``_exchange.translate`` turns each into the public error
tree, in one table.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from windtunnel._base.typedefs import ConnectionKey
    from windtunnel._wire.head import Head


class Phase(Enum):
    """What a request was doing when it was cut; the value completes «while ...»."""

    POOL = "waiting for a free connection"
    RESOLVE = "resolving the host name"
    CONNECT = "connecting"
    TUNNEL = "asking the proxy for a tunnel"
    CONTINUE = "waiting for the server to ask for the request body"
    UPLOAD = "sending the request body"
    HEAD = "waiting for the response head"
    BODY = "reading the response body"


class TransportFailure(Exception):  # noqa: N818  # never seen by a caller
    """Base of what the transport reports."""


class TimedOut(TransportFailure):
    """A deadline passed.

    Attributes:
        kind: Field of ClientTimeout that ran out.
        phase: What was being done.
    """

    def __init__(self, kind: str, phase: Phase) -> None:
        super().__init__(kind, phase)
        self.kind = kind
        self.phase = phase


class Disconnected(TransportFailure):
    """The connection ended before the response did.

    Attributes:
        error: What the operating system or TLS reported; None for an orderly close.
        has_answer: Whether any byte of an answer had come.
        missing: Bytes of the body that did not come, None if nobody can know.
    """

    def __init__(
        self, error: Exception | None, *, has_answer: bool, missing: int | None = None
    ) -> None:
        super().__init__(error)
        self.error = error
        self.has_answer = has_answer
        self.missing = missing


class DialFailed(TransportFailure):
    """No connection could be made.

    Attributes:
        error: What the resolver, the operating system or TLS reported.
        key: What was to be connected to: the target, or the proxy before it.
        is_dns: Whether the name could not be resolved.
        is_proxy: Whether it was the proxy that could not be used.
        path: Of the socket in the file system, if it was one.
    """

    def __init__(
        self,
        error: OSError,
        key: ConnectionKey,
        *,
        is_dns: bool = False,
        is_proxy: bool = False,
        path: str | None = None,
    ) -> None:
        super().__init__(error)
        self.error = error
        self.key = key
        self.is_dns = is_dns
        self.is_proxy = is_proxy
        self.path = path


class ProxyRefused(TransportFailure):
    """The proxy made no tunnel.

    Attributes:
        head: Its answer to CONNECT.
    """

    def __init__(self, head: Head) -> None:
        super().__init__(head.status)
        self.head = head


class UploadFailed(TransportFailure):
    """The source of the request body raised.

    Attributes:
        error: What it raised.
    """

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error


class ClosedHere(TransportFailure):
    """This side closed: the response was released, or the connector closed.

    Attributes:
        text: What was closed.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text
