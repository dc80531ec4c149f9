"""The header block of a request: the caller's fields, and the automatic ones.

Mappings come in, text to send goes out. Everything a caller can give is checked here,
before a byte is sent: a line end in a value would start a field, or a request, of its
own.

Order on the wire: Host, the caller's fields with the session's defaults merged in,
Accept, Accept-Encoding, User-Agent, Cookie, Content-Encoding, Authorization, and then
what the body needs.
Compat: aiohttp sends the same fields in the same order.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from multidict import CIMultiDict

from windtunnel._base.typedefs import shown
from windtunnel._base.version import USER_AGENT
from windtunnel._body.decoders import ACCEPT_ENCODING
from windtunnel._wire.framing import wants_keep_alive
from windtunnel.hdrs import METH_ALL

if TYPE_CHECKING:
    from collections.abc import Iterable, Set as AbstractSet

    from multidict import istr

    # A mapping is invariant in its keys, so names such as those of hdrs are told apart.
    Headers = Mapping[str, str] | Mapping[istr, str] | Iterable[tuple[str, str]]

AUTOMATIC = (
    ("Accept", "*/*"),
    ("Accept-Encoding", ACCEPT_ENCODING),
    ("User-Agent", USER_AGENT),
)
CONTINUE = "100-continue"
AUTOMATIC_NAMES = frozenset(name.lower() for name, _ in AUTOMATIC)
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class HeaderBlock:
    """Fields of a request that do not depend on its URL and body.

    Attributes:
        host: The caller's own Host value, None to use that of the URL.
        text: The lines, each with its CRLF.
        names: Names of all fields in it, and of those not to be sent, in lower case.
        closes: Whether the caller asked for the connection to be closed.
        content_length: The caller's own value, None if the body decides.
        is_chunked: Whether the caller asked for the chunked coding.
        expects: Whether the body has to wait until the server asks for it.
    """

    __slots__ = (
        "closes",
        "content_length",
        "expects",
        "host",
        "is_chunked",
        "names",
        "text",
    )

    def __init__(self, fields: CIMultiDict[str], skip: AbstractSet[str]) -> None:
        pairs = [(name, value) for name, value in fields.items() if not is_host(name)]
        check_fields(fields.items())
        self.host = fields.get("Host")
        self.names = frozenset(name.lower() for name, _ in pairs) | skip
        pairs += [pair for pair in AUTOMATIC if pair[0].lower() not in self.names]
        # Joined, not formatted: of a member of an enum of str, its value is sent.
        self.text = "".join([": ".join(pair) + "\r\n" for pair in pairs])
        connection = ",".join(fields.getall("Connection", ()))
        self.closes = bool(connection) and not wants_keep_alive(connection, True)
        self.expects = fields.get("Expect", "").lower() == CONTINUE
        self.content_length = checked_length(fields.getall("Content-Length", ()))
        self.is_chunked = checked_coding(fields.getall("Transfer-Encoding", ()))
        if self.is_chunked and self.content_length is not None:
            msg = "Content-Length and Transfer-Encoding in headers, allowed is one"
            raise ValueError(msg)


def lower_names(names: Iterable[str] | None) -> frozenset[str]:
    """Put header names into the form in which they are compared."""
    return frozenset() if not names else frozenset(name.lower() for name in names)


def is_host(name: str) -> bool:
    """Tell the field that has a place of its own."""
    return len(name) == 4 and name.lower() == "host"


def merge_headers(
    defaults: CIMultiDict[str], given: Headers | None
) -> CIMultiDict[str]:
    """Put a request's fields over the session's.

    The first field of a name replaces the default, further ones are added.

    Raises:
        TypeError: ``given`` is neither a mapping nor made of pairs.
    """
    merged = CIMultiDict(defaults)
    if not given:
        return merged
    items: Iterable[tuple[str, str]]
    if isinstance(given, Mapping):
        items = cast("Mapping[str, str]", given).items()
    else:
        items = given
    seen: set[str] = set()
    for name, value in items:
        lower = name.lower()
        if lower in seen:
            merged.add(name, value)
        else:
            merged[name] = value
            seen.add(lower)
    return merged


def check_fields(fields: Iterable[tuple[str, object]]) -> None:
    """Refuse what would not stay inside its header line.

    Raises:
        TypeError: A value is not a str.
        ValueError: A name is not a token, or a value has a control character other
            than a tab.

    Spec: RFC 9110 sections 5.1 and 5.5.
    """
    for name, value in fields:
        if not isinstance(value, str):
            kind = type(value).__name__
            msg = f"value {shown(value)} of header {name!r} is a {kind}, not a str"
            raise TypeError(msg)
        if _TOKEN.fullmatch(name) is None:
            msg = f"header name {shown(name)} is not a token (RFC 9110 section 5.1)"
            raise ValueError(msg)
        if _CONTROL.search(value):
            msg = (
                f"value {shown(value)} of header {name!r} has a control character; "
                "allowed is only the tab (RFC 9110 section 5.5)"
            )
            raise ValueError(msg)


def checked_method(method: str) -> str:
    """Return a method as it is sent: the standard ones in upper case.

    Raises:
        ValueError: It is not a token.

    Spec: RFC 9110 section 9.1, methods are case-sensitive. Compat: aiohttp sends every
    method in upper case; a method of one's own has to keep its case.
    """
    if _TOKEN.fullmatch(method) is None:
        msg = f"method {shown(method)} is not a token (RFC 9110 section 9.1)"
        raise ValueError(msg)
    upper = method.upper()
    return upper if upper in METH_ALL else method


def checked_length(values: Iterable[str]) -> int | None:
    """Read the caller's Content-Length.

    Raises:
        ValueError: It is not a number of ASCII digits, or there are several.
    """
    distinct = {value.strip(" \t") for value in values}
    if not distinct:
        return None
    value = distinct.pop()
    if distinct or not (value.isascii() and value.isdigit()):
        msg = f"Content-Length {shown(value)} in headers is not one number of digits"
        raise ValueError(msg)
    return int(value)


def checked_coding(values: Iterable[str]) -> bool:
    """Say whether the caller's Transfer-Encoding asks for chunks.

    Raises:
        ValueError: It asks for anything else, which nobody would apply.
    """
    codings = list(values)
    if not codings:
        return False
    if len(codings) > 1 or codings[0].strip(" \t").lower() != "chunked":
        msg = f"Transfer-Encoding {shown(codings)} in headers, allowed is 'chunked'"
        raise ValueError(msg)
    return True
