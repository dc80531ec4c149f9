"""What a cookie means: its grammar, its date, which hosts and paths it belongs to.

Field values and parts of URLs come in, plain values go out; the time is an argument.
It must not know the jar, nor ``http.cookies``: only a session that meets a cookie pays
for that import.

Spec: RFC 6265 section 5, with draft-ietf-httpbis-rfc6265bis for prefixes and control
characters. Compat: aiohttp is more lenient about names, and reads quoted strings.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_COOKIES_PER_RESPONSE = 50
_MAX_PAIR_BYTES = 4096
_MAX_ATTRIBUTE_BYTES = 1024
_MAX_ATTRIBUTES = 32
_MOST_SECONDS = 400 * 86400

ATTRIBUTES = frozenset(
    {
        "comment",
        "domain",
        "expires",
        "httponly",
        "max-age",
        "partitioned",
        "path",
        "samesite",
        "secure",
        "version",
    }
)
_FLAGS = frozenset({"secure", "httponly", "partitioned"})

_NAME = re.compile(r"[!#$%&'()*+\-./0-9:<>?@A-Z\[\]^_`a-z{|}~]+")
# Control characters break header lines; lone surrogates are bytes that are no text.
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_QUOTED = re.compile(r'[ \t]*("(?:[^\\"]|\\.)*")[ \t]*(?=;|$)')
_ESCAPE = re.compile(r"\\(?:([0-3][0-7][0-7])|(.))")
_IPV4 = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")

_DATE_TOKEN = re.compile(r"[^\x09\x20-\x2f\x3b-\x40\x5b-\x60\x7b-\x7e]+")
_TIME = re.compile(r"(\d{1,2}):(\d{1,2}):(\d{1,2})(?!\d)")
_DAY = re.compile(r"(\d{1,2})(?!\d)")
_YEAR = re.compile(r"(\d{2,4})(?!\d)")
_MONTH_NAMES = "jan feb mar apr may jun jul aug sep oct nov dec"
_MONTHS = {name: n for n, name in enumerate(_MONTH_NAMES.split(), start=1)}
_UNIX_EPOCH = 719163  # 1970-01-01 in the count of datetime.date
_SECONDS_PER_DAY = 86400
_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]+")


class SetCookie(NamedTuple):
    """One ``Set-Cookie`` field, understood.

    Attributes:
        name: Name of the cookie.
        value: What it stands for, quotes and escapes undone.
        coded_value: The same as it was spelled.
        attributes: Names in lower case; flags are True.
    """

    name: str
    value: str
    coded_value: str
    attributes: dict[str, str | bool]


class Place(NamedTuple):
    """Where a cookie belongs.

    Attributes:
        domain: Host, or the domain whose hosts all get it; empty for every host.
        path: What the path of a URL has to begin with.
        is_host_only: Whether only the host itself gets it.
    """

    domain: str
    path: str
    is_host_only: bool


# --- grammar ------------------------------------------------------------------------


def parse_set_cookie(field: str) -> SetCookie | None:
    """Read one ``Set-Cookie`` field.

    Returns:
        The cookie, or None if the field has to be ignored: it has no name, is longer
        than 4096 bytes, or holds what cannot be sent back.

    Spec: RFC 6265bis section 5.6.
    """
    pairs = _pairs(field)
    name, equals, coded = next(pairs, ("", "", ""))
    if not equals or not _is_sound(name, coded):
        return None
    if len(name) + len(coded.encode()) > _MAX_PAIR_BYTES:
        return None
    attributes: dict[str, str | bool] = {}
    for count, (key, _, value) in enumerate(pairs):
        if _FORBIDDEN.search(value):
            return None
        key, value = key.lower(), unquote(value)
        if count < _MAX_ATTRIBUTES and key in ATTRIBUTES:
            if key in _FLAGS:
                attributes[key] = True
            elif len(value.encode()) <= _MAX_ATTRIBUTE_BYTES:
                attributes[key] = value
    return SetCookie(name, unquote(coded), coded, attributes)


def parse_cookie_header(value: str) -> list[tuple[str, str]]:
    """Read a ``Cookie`` field, as a caller may give one.

    Returns:
        Names and values as they are spelled; what is no cookie is left out.
    """
    return [(name, coded) for name, _, coded in _pairs(value) if _is_sound(name, coded)]


def _is_sound(name: str, coded: str) -> bool:
    return is_name(name) and is_sendable(coded)


def is_name(text: str) -> bool:
    """Say whether a text can name a cookie.

    Compat: aiohttp takes more than tokens, because servers send more.
    """
    return _NAME.fullmatch(text) is not None


def _pairs(text: str) -> Iterator[tuple[str, str, str]]:
    """Give name, equals sign and value of each part between semicolons.

    A semicolon inside a quoted string does not end a part.
    """
    position = 0
    while position < len(text):
        end = text.find(";", position)
        if end < 0:
            end = len(text)
        equals = text.find("=", position, end)
        quoted = None if equals < 0 else _QUOTED.match(text, equals + 1)
        if quoted is not None:
            end = quoted.end()
        name, sign, value = text[position:end].partition("=")
        position = end + 1
        yield name.strip(" \t"), sign, value.strip(" \t")


def unquote(value: str) -> str:
    """Undo the quotes around a value, and the escapes between them."""
    if len(value) < 2 or value[0] != '"' or value[-1] != '"':
        return value
    return _ESCAPE.sub(lambda m: chr(int(m[1], 8)) if m[1] else m[2], value[1:-1])


def is_sendable(value: str) -> bool:
    """Say whether a cookie's text can stand in a header line."""
    return _FORBIDDEN.search(value) is None


# --- time ---------------------------------------------------------------------------


def expiry(max_age: str, expires: str, now: float) -> float | None:
    """Say when a cookie ends.

    Args:
        max_age: Value of Max-Age, empty without; it goes before Expires.
        expires: Value of Expires, empty without.
        now: The time, in seconds since 1970.

    Returns:
        Seconds since 1970, at most 400 days from now, or None if it lives as long as
        the jar. A moment in the past means that it has ended.

    Spec: RFC 6265 sections 5.2.1, 5.2.2 and 5.3; RFC 6265bis section 5.5 for the 400
    days. Compat: a sign is allowed.
    """
    if _WHOLE_NUMBER.fullmatch(max_age):
        # int() refuses thousands of digits.
        seconds = int(max_age[:20])
        return 0.0 if seconds <= 0 else now + min(seconds, _MOST_SECONDS)
    ends = parse_date(expires) if expires else None
    return None if ends is None else min(ends, now + _MOST_SECONDS)


def parse_date(text: str) -> float | None:
    """Read a date the way cookies write them.

    Returns:
        Seconds since 1970, negative for earlier, None if it is no date.

    Spec: RFC 6265 section 5.1.1.
    """
    time: tuple[int, ...] | None = None
    day = month = year = None
    for token in _DATE_TOKEN.findall(text):
        if time is None and (match := _TIME.match(token)):
            time = tuple(map(int, match.groups()))
        elif day is None and (match := _DAY.match(token)):
            day = int(match[1])
        elif month is None and token[:3].lower() in _MONTHS:
            month = _MONTHS[token[:3].lower()]
        elif year is None and (match := _YEAR.match(token)):
            year = int(match[1])
    if time is None or day is None or month is None or year is None:
        return None
    if year < 70:
        year += 2000
    elif year < 100:
        year += 1900
    return _seconds(year, month, day, time)


def _seconds(year: int, month: int, day: int, time: tuple[int, ...]) -> float | None:
    from datetime import date

    hour, minute, second = time
    if year < 1601 or hour > 23 or minute > 59 or second > 59:
        return None
    try:
        days = date(year, month, day).toordinal() - _UNIX_EPOCH
    except ValueError:
        return None
    return float(days * _SECONDS_PER_DAY + hour * 3600 + minute * 60 + second)


# --- hosts and paths ----------------------------------------------------------------


def is_address(host: str) -> bool:
    """Say whether a host is an IP address rather than a name."""
    return ":" in host or _IPV4.fullmatch(host) is not None


def domain_matches(domain: str, host: str) -> bool:
    """Say whether a host is a domain, or is inside it.

    Spec: RFC 6265 section 5.1.3.
    """
    if host == domain:
        return True
    return host.endswith(f".{domain}") and not is_address(host)


def path_matches(cookie_path: str, path: str) -> bool:
    """Say whether a URL's path is a cookie's path, or below it.

    Spec: RFC 6265 section 5.1.4.
    """
    if path == cookie_path:
        return True
    if not path.startswith(cookie_path):
        return False
    return cookie_path.endswith("/") or path[len(cookie_path)] == "/"


def default_path(path: str) -> str:
    """Say where a cookie belongs that names no path: to the directory of the URL.

    Spec: RFC 6265 section 5.1.4.
    """
    if not path.startswith("/"):
        return "/"
    return path[: path.rfind("/")] or "/"


def place(
    domain: str,
    path: str,
    host: str,
    url_path: str,
    is_public_suffix: Callable[[str], bool] | None = None,
) -> Place | None:
    """Say where a cookie that came from a URL belongs.

    Args:
        domain: Value of its Domain, empty without.
        path: Value of its Path, empty without.
        host: Host of the URL in lower case and ASCII; empty for a cookie that every
            host gets.
        url_path: Path of the URL.
        is_public_suffix: Says of a domain whether anybody can have names in it, such as
            ``co.uk``; None if nobody knows.

    Returns:
        The place, or None if that host must not set this cookie.

    Spec: RFC 6265 section 5.3, steps 4 to 7.
    """
    if not path.startswith("/"):
        path = default_path(url_path)
    # A trailing dot names the root, which no cookie can mean.
    domain = "" if domain.endswith(".") else _canonical(domain.removeprefix("."))
    if not domain or not host:
        return Place(domain or host, path, is_host_only=bool(host))
    if not domain_matches(domain, host):
        return None
    if is_public_suffix is not None and is_public_suffix(domain):
        return Place(host, path, is_host_only=True) if host == domain else None
    return Place(domain, path, is_host_only=False)


def _canonical(domain: str) -> str:
    """Spell a domain as hosts are spelled: in lower case and ASCII."""
    if not domain.isascii():
        # What cannot be encoded is the spelling of no host, so it matches none.
        with suppress(UnicodeError):
            domain = domain.encode("idna").decode("ascii")
    return domain.lower()


def breaks_prefix(name: str, *, is_secure: bool, place: Place, has_path: bool) -> bool:
    """Say whether a cookie's name promises what its attributes do not keep.

    Args:
        name: Name of the cookie.
        is_secure: Whether it has Secure and came over a trustworthy connection.
        place: Where it belongs.
        has_path: Whether it named its path itself.

    Spec: RFC 6265bis section 4.1.3.
    """
    lower = name.lower()
    if lower.startswith("__host-"):
        is_kept = place.is_host_only and has_path and place.path == "/"
        return not (is_secure and is_kept)
    return lower.startswith("__secure-") and not is_secure
