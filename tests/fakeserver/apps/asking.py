"""Build recorded requests by hand and read replies, so apps are tested without I/O."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from windtunnel_fakeserver import Reply, Request
from windtunnel_fakeserver.apps import httpbin

if TYPE_CHECKING:
    from collections.abc import Mapping


def request(
    method: str,
    target: str,
    body: bytes = b"",
    *,
    server: str = "http://httpbin.org",
    exchange: int = 0,
    fields: Mapping[str, str] | None = None,
) -> Request:
    headers = [("Host", server.partition("://")[2]), *(fields or {}).items()]
    return Request(
        method=method,
        target=target,
        version="HTTP/1.1",
        headers=headers,
        body=body,
        raw=b"",
        server=server,
        exchange=exchange,
    )


def ask(method: str, target: str, body: bytes = b"", **headers: str) -> Reply:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpbin(request(method, target, body, fields=fields))


def told(reply: Reply) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(reply.body)
    return value


def field(reply: Reply, name: str) -> str | None:
    return dict(reply.headers).get(name)
