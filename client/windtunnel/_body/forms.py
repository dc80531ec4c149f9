"""Encode form fields as ``application/x-www-form-urlencoded``.

What comes in: a mapping, a MultiDict, or pairs. What goes out: bytes. This module must
not know how they are sent.

Line ends in values are kept as they are: a program's value is data, and only a browser
that submits a text area turns them into CRLF.

Spec: WHATWG URL standard, section 5.2 (application/x-www-form-urlencoded serializing).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from windtunnel._base.typedefs import shown

__all__ = ("FORM_TYPE", "encode_form", "form_pairs")

FORM_TYPE = "application/x-www-form-urlencoded"

_PLAIN = b"*-._0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ENCODED = [
    "+" if byte == 0x20 else chr(byte) if byte in _PLAIN else f"%{byte:02X}"
    for byte in range(256)
]


def form_pairs(data: object) -> list[tuple[str, str]]:
    """Read form fields from what a caller may give as ``data=``.

    Args:
        data: A mapping (a MultiDict with its repeated keys), or a list or tuple of
            pairs of name and value. Names are str. Values are anything with a useful
            str(), so not None, bytes, a container, or a file; in a mapping a list or
            tuple of such values repeats the name.

    Returns:
        Names and values in their order.

    Raises:
        TypeError: ``data`` or one of its fields is something else.
        ValueError: An item of the list does not have two parts.

    Compat: aiohttp sends None as the word "None"; a field that says nothing is more
    likely a mistake, so it is refused here.
    """
    items: Any = data
    if isinstance(data, Mapping):
        items = _flat(items)
    elif not isinstance(data, (list, tuple)):
        msg = f"form data {_show(data)} is no mapping and no list of pairs"
        raise TypeError(msg)
    return [_field(number, item) for number, item in enumerate(items)]


def _flat(fields: Mapping[Any, Any]) -> Iterator[tuple[Any, Any]]:
    """Give the fields of a mapping, each value of a list as a field of its own."""
    for name, value in fields.items():
        cls = cast("type[object]", type(value))
        if issubclass(cls, (list, tuple)):
            for single in value:
                yield name, single
        else:
            yield name, value


def _field(number: int, item: object) -> tuple[str, str]:
    """Check one field of a form."""
    pair: Any = item
    if not isinstance(item, (list, tuple)):
        msg = f"form field {number} {_show(item)} is not a pair of name and value"
        raise TypeError(msg)
    if len(pair) != 2:
        msg = f"form field {number} {_show(pair)} has {len(pair)} parts, not 2"
        raise ValueError(msg)
    name, value = pair
    if not isinstance(name, str):
        msg = f"name of form field {number} {_show(name)} is not a str"
        raise TypeError(msg)
    if isinstance(value, str):
        return name, value
    if value is None or _is_composite(value):
        msg = (
            f"value of form field {name[:40]!r} {_show(value)} cannot be urlencoded; "
            f"allowed are str, int, float and other single values"
        )
        raise TypeError(msg)
    return name, str(value)


def _is_composite(value: object) -> bool:
    """Tell bytes, containers and files: what str() would turn into nonsense."""
    return isinstance(value, (bytes, bytearray, memoryview, Iterable)) or hasattr(
        value, "read"
    )


def encode_form(pairs: Iterable[tuple[str, str]], charset: str = "utf-8") -> bytes:
    """Encode form fields.

    Args:
        pairs: Names and values in the order in which they are sent.
        charset: Encoding of the characters before they are percent-encoded.

    Returns:
        ASCII bytes, empty for no fields.

    Raises:
        UnicodeEncodeError: A character does not exist in ``charset``.
        LookupError: ``charset`` is unknown.
    """
    return "&".join(
        f"{_percent(name, charset)}={_percent(value, charset)}" for name, value in pairs
    ).encode("ascii")


def _percent(text: str, charset: str) -> str:
    return "".join([_ENCODED[byte] for byte in text.encode(charset)])


def _show(value: object) -> str:
    return f"{shown(value)} of type {type(value).__name__}"
