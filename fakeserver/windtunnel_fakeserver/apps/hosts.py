"""Small public hosts that examples like to talk to: one function per host.

Comes in: a request. Goes out: the same reply every time. Must not know: time, seeds.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from windtunnel_fakeserver._script.reply import Reply

if TYPE_CHECKING:
    from windtunnel_fakeserver._wire.request import Request

_HTML: Final = {"content-type": "text/html; charset=utf-8"}


def _event(number: int, kind: str, login: str, repository: str) -> dict[str, object]:
    """Return one entry of the public time-line, in the shape of the real API."""
    return {
        "id": str(22_249_084_000 + number),
        "type": kind,
        "actor": {
            "id": 500 + number,
            "login": login,
            "url": f"https://api.github.com/users/{login}",
        },
        "repo": {
            "id": 9_000 + number,
            "name": repository,
            "url": f"https://api.github.com/repos/{repository}",
        },
        "payload": {"action": "started", "note": "ein Grüß Gott aus dem Windkanal"},
        "public": True,
        "created_at": f"2026-01-01T00:00:{number:02d}Z",
    }


_EVENTS: Final = json.dumps(
    [
        _event(1, "PushEvent", "octavia", "octavia/wing"),
        _event(2, "WatchEvent", "bernoulli", "octavia/wing"),
        _event(3, "IssuesEvent", "prandtl", "bernoulli/boundary-layer"),
    ],
    ensure_ascii=False,
).encode()


def github_api(request: Request) -> Reply:
    """Answer as ``api.github.com``: the public time-line under ``/events``."""
    headers = {"content-type": "application/json; charset=utf-8"}
    if request.path != "/events":
        return Reply(404, headers, body=b'{"message": "Not Found", "status": "404"}')
    return Reply(200, headers, body=_EVENTS)


def python_org(request: Request) -> Reply:
    """Answer as ``python.org``: a front page at ``/`` and nothing else."""
    if request.path != "/":
        return Reply(404, _HTML, body=b"<h1>Error 404: File not found</h1>\n")
    page = (
        "<!doctype html>\n<title>Welcome to Python.org</title>\n"
        + "<p>Whitespace is a virtue.</p>\n" * 100
    )
    return Reply(200, _HTML, body=page.encode())


def example_com(request: Request) -> Reply:
    """Answer as ``example.com``: every path gives a page that names its target.

    The target is shown as it came, so a client's quoting can be seen in the page.
    """
    page = (
        "<!doctype html>\n<title>Example Domain</title>\n<h1>Example Domain</h1>\n"
        f"<p>You asked for <code>{request.target}</code>.</p>\n"
    )
    return Reply(200, _HTML, body=page.encode("latin-1", "replace"))
