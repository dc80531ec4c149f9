"""Build recorded requests by hand and read replies, so apps are tested without I/O."""

from __future__ import annotations

import json
from typing import Any

from windtunnel_fakeserver import Reply, Request
from windtunnel_fakeserver.apps import httpbin


def request(
    method: str,
    target: str,
    body: bytes = b"",
    *,
    server: str = "http://httpbin.org",
    exchange: int = 0,
    **headers: str,
) -> Request:
    fields = [("Host", server.partition("://")[2])]
    fields += [(name.replace("_", "-"), value) for name, value in headers.items()]
    return Request(
        method=method,
        target=target,
        version="HTTP/1.1",
        headers=fields,
        body=body,
        raw=b"",
        server=server,
        exchange=exchange,
    )


def ask(method: str, target: str, body: bytes = b"", **headers: str) -> Reply:
    return httpbin(request(method, target, body, **headers))


def told(reply: Reply) -> dict[str, Any]:
    value = json.loads(reply.body)
    assert isinstance(value, dict)
    return value


def field(reply: Reply, name: str) -> str | None:
    return dict(reply.headers).get(name)
