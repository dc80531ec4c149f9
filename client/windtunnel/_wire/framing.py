"""Where the body of a response ends, and whether the connection outlives it.

In come the fields of a head, out goes a ``Framing``. Reading the body is the work of
the connection; this file only decides.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final, TypeAlias

from windtunnel._wire.violation import WireError, seen

if TYPE_CHECKING:
    from collections.abc import Sequence

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


# How the end of the body is found; its bytes, 0 unless kind is LENGTH; whether the
# connection may serve another request afterwards; the Content-Encoding fields, each
# after a comma, often empty. A plain tuple, since there is one for every response.
Framing: TypeAlias = tuple[BodyKind, int, bool, str]


def response_framing(
    method: str,
    status: int,
    minor: int,
    fields: Sequence[tuple[str, str]],
    offset: int = 0,
) -> Framing:
    """Say how the end of one response body is found.

    Args:
        method: Method of the request being answered.
        status: Final status code, 200..999; the caller drops 1xx.
        minor: Minor version of HTTP/1.x in the status line.
        fields: The header fields.
        offset: Where the head began, for errors; they say which field it is.

    Returns:
        Kind, length, keep_alive and coding; see ``Framing``.

    Raises:
        WireError: The fields contradict each other, or cannot be understood. Length
            and transfer coding together are refused, not resolved: whichever wins, a
            proxy on the way may have chosen the other.

    Spec: RFC 9112 section 6.3 rules 1 to 5 and 8; section 9.3 for keep-alive.
    """
    lengths, transfer, connection, coding = _framing_fields(fields)
    keep_alive = minor > 0
    if connection is not None:
        keep_alive = wants_keep_alive(connection, keep_alive)
    if method == "HEAD" or status in _WITHOUT_BODY:
        return BodyKind.NONE, 0, keep_alive, ""
    if transfer is not None:
        check_transfer_coding(transfer, lengths, fields, offset)
        # HTTP/1.0 knows no chunks; what follows such a body cannot be trusted.
        return BodyKind.CHUNKED, 0, keep_alive and minor > 0, coding
    if lengths is None:
        return BodyKind.CLOSE, 0, False, coding
    return BodyKind.LENGTH, parse_length(lengths, fields, offset), keep_alive, coding


def _framing_fields(
    fields: Sequence[tuple[str, str]],
) -> tuple[str | None, str | None, str | None, str]:
    """Find the values of the fields that matter here, repeats joined by commas."""
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
    return lengths, transfer, connection, coding


def wants_keep_alive(connection: str, default: bool) -> bool:
    """Read the Connection options; ``close`` beats ``keep-alive``.

    Spec: RFC 9112 section 9.3.
    """
    options = {option.strip(" \t") for option in connection.lower().split(",")}
    if "close" in options:
        return False
    return default or "keep-alive" in options


def check_transfer_coding(
    transfer: str,
    lengths: str | None,
    fields: Sequence[tuple[str, str]],
    offset: int,
) -> None:
    """Accept exactly one coding, chunked, and no length beside it.

    Raises:
        WireError: Anything else.

    Spec: RFC 9112 sections 6.1, 6.3 rule 3, and 7.
    """
    # lower() maps characters outside of ASCII into it, such as the sign for Kelvin.
    if not transfer.isascii() or transfer.lower().strip(" \t") != "chunked":
        raise WireError(
            f"Transfer-Encoding {_seen(transfer)} cannot be decoded, "
            "only one 'chunked' can",
            rule="RFC 9112 section 6.1",
            offset=offset,
            field=_numbers(fields, "transfer-encoding")[-1],
        )
    if lengths is not None:
        raise WireError(
            f"Content-Length {_seen(lengths)} beside Transfer-Encoding "
            f"{_seen(transfer)}, allowed is one of them",
            rule="RFC 9112 section 6.3",
            offset=offset,
            field=_numbers(fields, "content-length")[0],
        )


def parse_length(lengths: str, fields: Sequence[tuple[str, str]], offset: int) -> int:
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
    numbers = _numbers(fields, "content-length")
    number = numbers[0]
    if len(values) > 1:
        problem = "has values that disagree"
        first = fields[number][1]
        number = next((n for n in numbers if fields[n][1] != first), number)
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
        field=number,
    )


def _numbers(fields: Sequence[tuple[str, str]], name: str) -> list[int]:
    """Say which fields have a name."""
    return [n for n, field in enumerate(fields) if field[0].lower() == name]


def _seen(value: str) -> str:
    return seen(value.encode("utf-8", "surrogateescape"))[1:]
