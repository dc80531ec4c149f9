"""What httpbin says about a request: args, form, files, data, json, headers, url.

Comes in: a recorded request. Goes out: plain JSON values in the shapes of the real
httpbin. Must not know: routes, replies.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, Final

from windtunnel_fakeserver.apps.multipart import parts_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from windtunnel_fakeserver._wire.request import Request

ORIGIN: Final = "192.0.2.1"
"""The address every visitor seems to come from (documentation range, RFC 5737)."""

_FORM: Final = "application/x-www-form-urlencoded"
_MULTIPART: Final = "multipart/form-data"


def visit(request: Request) -> dict[str, Any]:
    """Return what ``/get`` tells: args, headers, origin and url."""
    return {
        "args": args(request),
        "headers": headers(request),
        "origin": ORIGIN,
        "url": url(request),
    }


def delivery(request: Request) -> dict[str, Any]:
    """Return what ``/post`` tells: as ``visit``, and the body in all its readings.

    Of ``data``, ``form`` and ``files`` only the one that fits the Content-Type is
    filled; ``json`` is the body read as JSON whatever its type, or None.
    """
    kind = request.media_type
    form: list[tuple[str, str]] = []
    files: list[tuple[str, str]] = []
    data = ""
    if kind == _FORM:
        form = request.form()
    elif kind == _MULTIPART:
        parts = parts_of(request.body, request.header("content-type") or "")
        form = [(p.name, _text(p.content)) for p in parts if p.filename is None]
        files = [(p.name, _text(p.content)) for p in parts if p.filename is not None]
    else:
        data = _text(request.body)
    return visit(request) | {
        "data": data,
        "files": grouped(files),
        "form": grouped(form),
        "json": _json(data),
    }


def args(request: Request) -> dict[str, str | list[str]]:
    """Return the query: a name that came once has a value, else a list of them."""
    return grouped(request.query)


def headers(request: Request) -> dict[str, str]:
    """Return the fields, Names-Like-This; lines of one name are joined by commas."""
    joined: dict[str, str] = {}
    for name, value in request.headers:
        title = "-".join(word.capitalize() for word in name.split("-"))
        joined[title] = f"{joined[title]},{value}" if title in joined else value
    return joined


def url(request: Request) -> str:
    """Return the address that was asked for: scheme, Host field, and the target."""
    scheme, _, netloc = request.server.partition("://")
    query = f"?{request.query_string}" if request.query_string else ""
    return f"{scheme}://{request.header('host') or netloc}{request.path}{query}"


def grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, str | list[str]]:
    """Turn pairs into a mapping; only a repeated name has a list."""
    lists: dict[str, list[str]] = {}
    for name, value in pairs:
        lists.setdefault(name, []).append(value)
    return {name: v if len(v) > 1 else v[0] for name, v in lists.items()}


def _text(content: bytes) -> str:
    """Read bytes as UTF-8; others become a data URL, as the real httpbin has it."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        encoded = base64.b64encode(content).decode("ascii")
        return f"data:application/octet-stream;base64,{encoded}"


def _json(data: str) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return None
