"""Say which characters the bytes of a body are, and of which media type it is.

What comes in: the Content-Type of a response, and its body. What goes out: names of
media types and of Python codecs, and text. This module must not know what the text is
for.

Spec: RFC 9110 section 8.3, RFC 8259 section 8.1.
"""

from __future__ import annotations

import codecs
import re
from functools import lru_cache
from typing import NamedTuple

__all__ = (
    "DEFAULT_TYPE",
    "MediaType",
    "declared_encoding",
    "is_expected_type",
    "json_text",
    "media_parameter",
    "parse_content_type",
    "usable_charset",
)

DEFAULT_TYPE = "application/octet-stream"

# Types whose text is UTF-8 by their own definition.
_UTF8_TYPES = frozenset({"application/json", "application/rdap+json"})
# Python codecs that are no character encodings in the sense of a charset label.
_NO_CHARSETS = frozenset(
    {"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"}
)

_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_TYPE = re.compile(rf"[ \t]*({_TOKEN}/{_TOKEN})[ \t]*(?:;|\Z)")
_PARAMETER = re.compile(
    rf"""[ \t]*({_TOKEN})[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^;]*))[^;]*(?:;|\Z)"""
)
_QUOTED_PAIR = re.compile(r"\\(.)")
_JSON = re.compile(r"application/(?:[\w.+-]+?\+)?json", re.IGNORECASE)


class MediaType(NamedTuple):
    """A parsed Content-Type field.

    Attributes:
        name: Type and subtype in lower case.
        charset: The first ``charset`` parameter, as it was spelled; None if absent.
    """

    name: str
    charset: str | None


@lru_cache(maxsize=64)
def parse_content_type(value: str | None) -> MediaType:
    """Read a Content-Type field.

    Args:
        value: The field's value, None if the response has no such field.

    Returns:
        The media type; ``application/octet-stream`` if the field is missing or has no
        valid type. Parameters that cannot be read are skipped.

    Spec: RFC 9110 sections 8.3.1 and 5.6.6.
    """
    match = _TYPE.match(value or "")
    name = match[1].lower() if match else DEFAULT_TYPE
    charset = media_parameter(value, "charset")
    charset = charset.strip(" \t'") if charset else None
    return MediaType(name, charset or None)


def media_parameter(value: str | None, wanted: str) -> str | None:
    """Find a parameter of a Content-Type field.

    Args:
        value: The field's value, None if there is no such field.
        wanted: Name of the parameter in lower case.

    Returns:
        The value of the first one that is not empty, unquoted; None if there is none.

    Spec: RFC 9110 section 5.6.6.
    """
    match = _TYPE.match(value or "")
    pos = match.end() if match else (value or "").find(";") + 1
    while value and pos and pos < len(value):
        parameter = _PARAMETER.match(value, pos)
        if parameter is None:
            pos = value.find(";", pos) + 1
            continue
        pos = parameter.end()
        quoted, plain = parameter[2], parameter[3]
        text = plain if quoted is None else _QUOTED_PAIR.sub(r"\1", quoted)
        if text and parameter[1].lower() == wanted:
            return text.strip(" \t") if quoted is None else text
    return None


@lru_cache(maxsize=64)
def usable_charset(label: str | None) -> str | None:
    """Return the Python codec for a charset label, None if there is none.

    Labels come from the network: one that is unknown, malformed, or names a codec that
    is no character encoding (``hex``, ``unicode_escape``) counts as absent.
    """
    if not label:
        return None
    try:
        codec = codecs.lookup(label)
        # Only this refuses the codecs that turn bytes into bytes.
        bytes(4).decode(label)
    except (LookupError, ValueError):
        return None
    return None if codec.name.replace("_", "-") in _NO_CHARSETS else codec.name


def declared_encoding(media: MediaType) -> str | None:
    """Say which encoding a response declares for its text.

    Returns:
        The codec of the charset label if it is usable; "utf-8" for the types that
        are defined so; None if the caller has to guess.

    Compat: aiohttp asks its ``fallback_charset_resolver`` then, by default "utf-8".
    """
    declared = usable_charset(media.charset)
    if declared is None and media.name in _UTF8_TYPES:
        return "utf-8"
    return declared


def is_expected_type(name: str, expected: str | None) -> bool:
    """Tell whether a response's media type is the one that the caller decodes.

    Args:
        name: Media type of the response.
        expected: What the caller wants. "application/json" also takes its
            relatives such as "application/problem+json"; another type may be a part of
            ``name``; None and "" take everything.

    Compat: aiohttp compares in the same way.
    """
    if not expected:
        return True
    if expected == "application/json":
        return _JSON.match(name) is not None
    return expected.lower() in name.lower()


def json_text(body: bytes, encoding: str) -> str:
    """Decode the text of a JSON body.

    JSON is UTF-8 whatever the label says (RFC 8259 section 8.1), and labels that come
    from a server's default are often wrong; so the label counts only if the body is
    not UTF-8. A byte order mark is dropped, as section 8.1 allows.

    Args:
        body: The body.
        encoding: The encoding that the response declares.

    Raises:
        UnicodeDecodeError: The body is neither UTF-8 nor in ``encoding``.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        text = body.decode(encoding)
    return text.removeprefix("\ufeff")
