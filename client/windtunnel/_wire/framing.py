"""Where the body of a response ends, and whether the connection outlives it.

In come the fields of a head, out goes a ``Framing``. Reading the body is the work of
the connection; this file only decides.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

from windtunnel._wire.violation import WireError, seen

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_LENGTH: Final = 2**63 - 1
# Every decimal number with fewer digits is below MAX_LENGTH.
_SAFE_DIGITS: Final = 18
# Names of any other length cannot matter here: cheaper than lower() on each name.
_NAME_LENGTHS: Final = frozenset(
    map(len, ("connection", "content-length", "content-encoding", "transfer-encoding"))
)

_WITHOUT_BODY: Final = frozenset({204, 304})


class BodyKind(Enum):
    """How the end of a body is found."""

    NONE = "there is no body"
    LENGTH = "after so many bytes"
    CHUNKED = "with the last chunk"
    CLOSE = "when the server closes the connection"


class Framing:
    """The decision about one response.

    Attributes:
        kind: How the end of the body is found.
        length: Bytes of the body; 0 unless kind is LENGTH.
        keep_alive: Whether the connection may serve another request afterwards.
        coding: The Content-Encoding fields, each after a comma; often empty.
    """

    __slots__ = ("coding", "keep_alive", "kind", "length")

    def __init__(
        self, kind: BodyKind, length: int, keep_alive: bool, coding: str
    ) -> None:
        self.kind = kind
        self.length = length
        self.keep_alive = keep_alive
        self.coding = coding


def response_framing(
    method: str,
    status: int,
    minor: int,
    fields: Iterable[tuple[str, str]],
    offset: int = 0,
) -> Framing:
    """Say how the end of one response body is found.

    Args:
        method: Method of the request being answered.
        status: Final status code, 200..999; the caller drops 1xx.
        minor: Minor version of HTTP/1.x in the status line.
        fields: The header fields.
        offset: Where the head began, for errors.

    Raises:
        WireError: The fields contradict each other, or cannot be understood. Length
            and transfer coding together are refused, not resolved: whichever wins, a
            proxy on the way may have chosen the other.

    Spec: RFC 9112 section 6.3 rules 1 to 5 and 8; section 9.3 for keep-alive.
    """
    lengths = transfer = connection = None
    coding = ""
    for name, value in fields:
        if len(name) in _NAME_LENGTHS:
            lower = name.lower()
            if lower == "content-length":
                lengths = value if lengths is None else f"{lengths},{value}"
            elif lower == "connection":
                connection = f"{connection or ''},{value}"
            elif lower == "transfer-encoding":
                transfer = value if transfer is None else f"{transfer},{value}"
            elif lower == "content-encoding":
                coding = f"{coding},{value}"
    keep_alive = minor > 0
    if connection is not None:
        keep_alive = wants_keep_alive(connection, keep_alive)
    if method == "HEAD" or status in _WITHOUT_BODY:
        return Framing(BodyKind.NONE, 0, keep_alive, "")
    return _body_framing(minor, lengths, transfer, keep_alive, coding, offset)


def _body_framing(
    minor: int,
    lengths: str | None,
    transfer: str | None,
    keep_alive: bool,
    coding: str,
    offset: int,
) -> Framing:
    if transfer is not None:
        check_transfer_coding(transfer, lengths, offset)
        # HTTP/1.0 knows no chunks; what follows such a body cannot be trusted.
        return Framing(BodyKind.CHUNKED, 0, keep_alive and minor > 0, coding)
    if lengths is None:
        return Framing(BodyKind.CLOSE, 0, False, coding)
    return Framing(BodyKind.LENGTH, parse_length(lengths, offset), keep_alive, coding)


def wants_keep_alive(connection: str, default: bool) -> bool:
    """Read the Connection options; ``close`` beats ``keep-alive``.

    Spec: RFC 9112 section 9.3.
    """
    options = {option.strip(" \t") for option in connection.lower().split(",")}
    if "close" in options:
        return False
    return default or "keep-alive" in options


def check_transfer_coding(transfer: str, lengths: str | None, offset: int) -> None:
    """Accept exactly one coding, chunked, and no length beside it.

    Raises:
        WireError: Anything else.

    Spec: RFC 9112 sections 6.1, 6.3 rule 3, and 7.
    """
    if transfer.lower().strip(" \t") != "chunked":
        raise WireError(
            f"Transfer-Encoding {_seen(transfer)} cannot be decoded, "
            "only one 'chunked' can",
            rule="RFC 9112 section 6.1",
            offset=offset,
        )
    if lengths is not None:
        raise WireError(
            f"Content-Length {_seen(lengths)} beside Transfer-Encoding "
            f"{_seen(transfer)}, allowed is one of them",
            rule="RFC 9112 section 6.3",
            offset=offset,
        )


def parse_length(lengths: str, offset: int) -> int:
    """Read the value of all Content-Length fields, joined by commas.

    Proxies repeat this field. Equal repeats are legal (rule 5); a disagreement can be
    request smuggling, so that is refused.

    Raises:
        WireError: Values disagree, are no ASCII digits, or exceed 2**63 - 1.

    Spec: RFC 9112 section 6.3 rule 5; RFC 9110 section 8.6.
    """
    if len(lengths) <= _SAFE_DIGITS and lengths.isascii() and lengths.isdigit():
        return int(lengths)
    values = {value.strip(" \t") for value in lengths.split(",")}
    if len(values) > 1:
        problem = "has values that disagree"
    else:
        value = values.pop()
        if not (value.isascii() and value.isdigit()):
            problem = "is not a number of ASCII digits"
        elif len(digits := value.lstrip("0")) > _SAFE_DIGITS + 1 or (
            int(digits or "0") > MAX_LENGTH
        ):
            problem = f"is more than {MAX_LENGTH}"
        else:
            return int(digits or "0")
    raise WireError(
        f"Content-Length {_seen(lengths)} {problem}",
        rule="RFC 9112 section 6.3",
        offset=offset,
    )


def _seen(value: str) -> str:
    return seen(value.encode("utf-8", "surrogateescape"))[1:]
