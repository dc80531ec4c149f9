"""Write and read Content-Disposition.

Names and values come in, a field value goes out, and the other way round. It must not
know what is done with a file name: one from the network can contain a path.

Spec: RFC 6266, RFC 8187, RFC 2231 (continuations), RFC 7578 section 4.2 and WHATWG HTML
("multipart/form-data encoding algorithm") for form fields.
"""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, unquote_to_bytes

from windtunnel._base.typedefs import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = (
    "BadContentDispositionHeader",
    "BadContentDispositionParam",
    "content_disposition_filename",
    "content_disposition_header",
    "parse_content_disposition",
)

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_EXTENDED = re.compile(r"([!#$%&+\-^_`{}~0-9A-Za-z]+)'([^']*)'([^']*)")
_PARAMETER = re.compile(
    r"""[ \t]*([!#$%&'*+\-.^_`|~0-9A-Za-z]*)[ \t]*=[ \t]*"""
    r"""(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))[ \t]*(?:;|\Z)"""
)
_QUOTED_PAIR = re.compile(r"\\(.)")
_NOT_QUOTABLE = re.compile(r"[^\t\x20-\x7e]")
# What would end the quoted string, or the line.
_FORM_ESCAPES = {0x22: "%22", 0x0D: "%0D", 0x0A: "%0A"}
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class BadContentDispositionHeader(RuntimeWarning):
    """A Content-Disposition cannot be read, and is ignored."""


class BadContentDispositionParam(RuntimeWarning):
    """A parameter of a Content-Disposition cannot be read, and is ignored."""


def content_disposition_header(
    disptype: str,
    quote_fields: bool = True,
    _charset: str = "utf-8",
    params: Mapping[str, str] | None = None,
) -> str:
    r"""Write a Content-Disposition.

    Args:
        disptype: Its type, a token.
        quote_fields: False to escape only ``"`` and the backslash in values, each with
            a backslash.
        _charset: Encoding of what is percent-encoded.
        params: Names, which are tokens, and values.

    Returns:
        The value of the field. In form data ``"``, CR and LF are percent-encoded and
        everything else stands as it is. In any other type a value that is not
        printable ASCII goes into an extended parameter, ``filename*=utf-8''...``.

    Raises:
        ValueError: A name is not a token, or a value has a control character that
            cannot be escaped.

    Spec: WHATWG HTML, "multipart/form-data encoding algorithm"; RFC 6266 section 4.3.
    Compat: aiohttp percent-encodes file names whole, which servers show as they are.
    """
    out = [_checked_token(disptype)]
    for name, value in (params or {}).items():
        _checked_token(name)
        if not quote_fields:
            text = value.replace("\\", "\\\\").replace('"', '\\"')
        elif disptype.lower() == "form-data":
            text = value.translate(_FORM_ESCAPES)
        elif _NOT_QUOTABLE.search(value):
            out.append(f"{name}*={_charset}''{quote(value, '', encoding=_charset)}")
            continue
        else:
            text = value.replace("\\", "\\\\").replace('"', '\\"')
        if _CONTROL.search(text):
            msg = f"parameter {name} {shown(value)} has a control character"
            raise ValueError(msg)
        out.append(f'{name}="{text}"')
    return "; ".join(out)


def _checked_token(name: str) -> str:
    if _TOKEN.fullmatch(name) is None:
        msg = f"{shown(name)} of a Content-Disposition is not a token (RFC 6266)"
        raise ValueError(msg)
    return name


def parse_content_disposition(
    header: str | None,
) -> tuple[str | None, dict[str, str]]:
    """Read a Content-Disposition.

    Args:
        header: Value of the field, None if there is none.

    Returns:
        The type in lower case, and the parameters with names in lower case, such as
        "filename" or "filename*" (decoded). (None, {}) if the field cannot be read,
        with a ``BadContentDispositionHeader`` warning; a single parameter that cannot
        is left out, with a ``BadContentDispositionParam`` warning.

    Compat: aiohttp, but for percent signs and backslashes in file names: as in RFC 6266
    a backslash escapes what follows.
    """
    if not header:
        return None, {}
    disptype, semicolon, rest = header.partition(";")
    disptype = disptype.strip(" \t")
    if _TOKEN.fullmatch(disptype) is None:
        return _bad_header(header)
    if semicolon and not rest:
        warnings.warn(BadContentDispositionHeader(header), stacklevel=2)
    params: dict[str, str] = {}
    pos = 0
    while pos < len(rest):
        match = _PARAMETER.match(rest, pos)
        if match is None:
            return _bad_header(header)
        pos = match.end()
        name, quoted, plain = match[1].lower(), match[2], match[3]
        if name in params:
            return _bad_header(header)
        value = plain if quoted is None else _QUOTED_PAIR.sub(r"\1", quoted)
        is_plain = quoted is None and "*" not in name
        if name and is_plain and _TOKEN.fullmatch(value) is None:
            return _bad_header(header)
        decoded = _decoded(name, value, is_quoted=quoted is not None)
        if decoded is None:
            warnings.warn(BadContentDispositionParam(match[0]), stacklevel=2)
        else:
            params[name] = decoded
    return disptype.lower(), params


def _bad_header(header: str) -> tuple[None, dict[str, str]]:
    warnings.warn(BadContentDispositionHeader(header), stacklevel=3)
    return None, {}


def _decoded(name: str, value: str, *, is_quoted: bool) -> str | None:
    """Check one parameter, and decode an extended one; None if it is malformed."""
    if not name:
        return None
    if name.endswith("*") and "*" not in name[:-1]:
        match = None if is_quoted else _EXTENDED.fullmatch(value)
        if match is None:
            return None
        try:
            return unquote(match[3], match[1], "strict")
        except (UnicodeDecodeError, LookupError):
            return None
    return value


def content_disposition_filename(
    params: Mapping[str, str], name: str = "filename"
) -> str | None:
    """Find the file name in the parameters of a Content-Disposition.

    Args:
        params: What ``parse_content_disposition`` gave.
        name: Name of the parameter.

    Returns:
        The value of ``name*``, else of ``name``, else of the continuations ``name*0``,
        ``name*1`` and so on. None if there is none, or it cannot be decoded. It may
        contain a path: never write to it unseen.

    Spec: RFC 6266 section 4.3, RFC 2231 sections 3 and 4.1.
    """
    for key in (f"{name}*", name):
        if key in params:
            return params[key]
    parts: list[str] = []
    while True:
        key = f"{name}*{len(parts)}"
        value = params.get(f"{key}*", params.get(key))
        if value is None:
            break
        parts.append(value)
    if not parts:
        return None
    if f"{name}*0*" not in params:
        return "".join(parts)
    charset, _, rest = parts[0].partition("'")
    parts[0] = rest.partition("'")[2]
    data = b"".join(
        unquote_to_bytes(part) if f"{name}*{number}*" in params else part.encode()
        for number, part in enumerate(parts)
    )
    try:
        return data.decode(charset or "utf-8")
    except (UnicodeDecodeError, LookupError):
        return None
