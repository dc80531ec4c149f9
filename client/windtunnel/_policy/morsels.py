"""Cookies as the objects of ``http.cookies``, which the compatible API hands out.

``Set-Cookie`` fields come in, a ``SimpleCookie`` goes out. Import it only when there is
a cookie: it brings ``http.cookies`` along.
"""

from __future__ import annotations

from http.cookies import Morsel, SimpleCookie
from typing import TYPE_CHECKING, Any, cast

from windtunnel._policy.cookie_rules import (
    MAX_COOKIES_PER_RESPONSE,
    SetCookie,
    is_sendable,
    parse_cookie_header,
    parse_set_cookie,
    unquote,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def morsel(
    name: str,
    value: str,
    coded_value: str,
    attributes: Mapping[str, str | bool] | None = None,
) -> Morsel[str]:
    """Make a morsel of text that has been checked.

    ``Morsel.set`` refuses names that servers do send, such as ``path``.
    """
    made: Morsel[str] = Morsel()
    cast("Any", made).__setstate__(
        {"key": name, "value": value, "coded_value": coded_value}
    )
    for key, attribute in (attributes or {}).items():
        # Which ones a morsel knows depends on the version of Python.
        if key in made:
            made[key] = attribute
    return made


def from_set_cookie(fields: Iterable[str]) -> list[Morsel[str]]:
    """Read the ``Set-Cookie`` fields of one response, at most 50 cookies."""
    morsels: list[Morsel[str]] = []
    for field in fields:
        cookie = parse_set_cookie(field)
        if cookie is not None:
            morsels.append(_from_cookie(cookie))
            if len(morsels) == MAX_COOKIES_PER_RESPONSE:
                break
    return morsels


def _from_cookie(cookie: SetCookie) -> Morsel[str]:
    return morsel(cookie.name, cookie.value, cookie.coded_value, cookie.attributes)


def response_cookies(fields: Iterable[str]) -> SimpleCookie:
    """Gather the cookies that one response sets."""
    cookies = SimpleCookie()
    for each in from_set_cookie(fields):
        cookies[each.key] = each
    return cookies


def from_caller(cookies: Any) -> list[Morsel[str]]:
    """Read cookies in any form in which the compatible API takes them.

    Args:
        cookies: A mapping of names to values or morsels, or pairs of the same.

    Raises:
        http.cookies.CookieError: A name is not one.
        ValueError: A value has a control character.
    """
    items: Iterable[tuple[str, Any]]
    items = cookies.items() if hasattr(cookies, "items") else cookies
    return [_from_item(name, value) for name, value in items]


def _from_item(name: str, value: Any) -> Morsel[str]:
    if isinstance(value, Morsel):
        # The jar writes into its morsels, and this one is the caller's.
        mine: Any = cast("Morsel[str]", value).copy()
        return cast("Morsel[str]", mine)
    text = value if isinstance(value, str) else str(value)
    if not is_sendable(text):
        msg = (
            f"value {text[:40]!r} of cookie {name!r} has a control character "
            "(RFC 6265 section 4.1.1)"
        )
        raise ValueError(msg)
    made: Morsel[str] = Morsel()
    made.set(name, text, SimpleCookie().value_encode(text)[1])
    return made


def from_cookie_header(value: str) -> list[Morsel[str]]:
    """Read a ``Cookie`` field that the caller wrote."""
    return [
        morsel(name, unquote(coded), coded)
        for name, coded in parse_cookie_header(value)
    ]


def to_send(each: Morsel[str], *, quotes: bool) -> Morsel[str]:
    """Spell a cookie for a request, without its attributes.

    Args:
        each: The cookie.
        quotes: Whether to quote by the rules of ``http.cookies``; a value that the
            server quoted keeps its spelling then.

    Compat: aiohttp's ``quote_cookie``.
    """
    coded = each.coded_value
    if not quotes:
        coded = each.value
    elif not coded.startswith('"'):
        coded = SimpleCookie().value_encode(each.value)[1]
    return morsel(each.key, each.value, coded)


def header_value(cookies: Mapping[str, Morsel[str]]) -> str:
    """Write a ``Cookie`` field.

    Compat: aiohttp sorts by name.
    """
    return "; ".join(
        [f"{name}={cookies[name].coded_value}" for name in sorted(cookies)]
    )
