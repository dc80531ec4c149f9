"""A thin, deterministic httpbin: the same paths and JSON shapes as the real one.

Comes in: a recorded request. Goes out: a reply, equal for equal requests. Time costs
nothing in a tunnel, so ``/delay`` and ``/drip`` take any number of seconds, where the
real one stops at ten. Must not know: connections, clocks, tunnels.
"""

from __future__ import annotations

import gzip
import json
import math
import random
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from windtunnel_fakeserver._script.pace import Pause, pause
from windtunnel_fakeserver._script.reply import Reply
from windtunnel_fakeserver.apps import echo

if TYPE_CHECKING:
    from windtunnel_fakeserver._wire.request import Request

_Handler: TypeAlias = Callable[["Request", str], Reply]

_CORS: Final = {
    "access-control-allow-origin": "*",
    "access-control-allow-credentials": "true",
}
_HTML: Final = {"content-type": "text/html; charset=utf-8"}
_MOST_BYTES: Final = 100 * 1024
_MOST_LINES: Final = 100
_READING: Final = ("GET", "HEAD", "OPTIONS")
_ANY: Final = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True, slots=True)
class _Route:
    """One first segment of a path; ``takes`` says if a second one must follow."""

    handler: _Handler
    methods: tuple[str, ...] = _READING
    takes: bool = False


class _BadRequestError(Exception):
    """The request cannot be served; the text becomes the body of a 400."""


def httpbin(request: Request) -> Reply:
    """Answer as ``httpbin.org``.

    Paths: ``/get /post /put /patch /delete /anything /headers /ip /user-agent
    /status/{codes} /redirect/{n} /delay/{s} /drip /stream/{n} /bytes/{n} /gzip
    /deflate /encoding/utf8``. Others are 404, a wrong method is 405, an argument out
    of range is 400. Of several status codes, a draw seeded by the place of the
    request in the journal decides.
    """
    name, _, rest = request.path.strip("/").partition("/")
    route = _ROUTES.get(name)
    if route is None or (bool(rest) != route.takes and name != "anything"):
        return _page(404, "The requested URL was not found on the server.")
    allow = {"allow": ", ".join(route.methods)}
    if request.method not in route.methods:
        return _page(405, "The method is not allowed for the requested URL.", allow)
    if request.method == "OPTIONS" and name != "anything":
        return Reply(200, _HTML | _CORS | allow)
    try:
        return route.handler(request, rest)
    except _BadRequestError as exc:
        return _page(400, str(exc))


def _get(request: Request, _rest: str) -> Reply:
    return _json(echo.visit(request))


def _post(request: Request, _rest: str) -> Reply:
    return _json(echo.delivery(request))


def _anything(request: Request, _rest: str) -> Reply:
    return _json(echo.delivery(request) | {"method": request.method})


def _headers(request: Request, _rest: str) -> Reply:
    return _json({"headers": echo.headers(request)})


def _ip(_request: Request, _rest: str) -> Reply:
    return _json({"origin": echo.ORIGIN})


def _user_agent(request: Request, _rest: str) -> Reply:
    return _json({"user-agent": request.header("user-agent")})


def _status(request: Request, rest: str) -> Reply:
    codes: list[int] = []
    weights: list[float] = []
    for choice in rest.split(","):
        code, _, weight = choice.partition(":")
        codes.append(int(_number(code, "a status code", least=100, most=999)))
        weights.append(_number(weight or "1", "a weight"))
    if not any(weights):
        msg = f"{rest[:40]!r} gives every status code the weight 0"
        raise _BadRequestError(msg)
    place = f"{request.target}/{request.connection}/{request.exchange}"
    # Tests want the same answer in every run, and another one for the next request.
    draw = random.Random(place)  # not for secrets
    return _status_reply(draw.choices(codes, weights)[0])


def _status_reply(code: int) -> Reply:
    if code in (301, 302, 303, 305, 307):
        return Reply(code, _CORS | {"location": "/redirect/1"})
    if code == 401:
        return Reply(code, _CORS | {"www-authenticate": 'Basic realm="Fake Realm"'})
    if code == 418:
        return Reply(code, _CORS, body=b"\n    -=[ teapot ]=-\n")
    return Reply(code, _HTML | _CORS)


def _redirect(_request: Request, rest: str) -> Reply:
    left = int(_number(rest, "a number of redirects", least=1))
    target = "/get" if left == 1 else f"/redirect/{left - 1}"
    return Reply(302, _HTML | _CORS | {"location": target})


def _delay(request: Request, rest: str) -> Reply:
    told = echo.delivery(request)
    del told["json"]
    return _json(told, delay=_number(rest, "a delay in seconds"))


def _drip(request: Request, _rest: str) -> Reply:
    asked = dict(request.query)
    duration = _number(asked.get("duration", "2"), "duration")
    count = int(_number(asked.get("numbytes", "10"), "numbytes", 1, _MOST_BYTES))
    code = int(_number(asked.get("code", "200"), "code", least=200, most=599))
    delay = _number(asked.get("delay", "2"), "delay")
    pieces: list[bytes | Pause] = []
    for _ in range(count):
        pieces += [b"*", pause(duration / count)]
    headers = {
        "content-type": "application/octet-stream",
        "content-length": str(count),
    }
    return Reply(code, _CORS | headers, chunks=pieces, delay=delay)


def _stream(request: Request, rest: str) -> Reply:
    count = int(_number(rest, "a number of lines", most=_MOST_LINES))
    told = echo.visit(request)
    lines = [json.dumps(told | {"id": n}).encode() + b"\n" for n in range(count)]
    return Reply(200, _CORS | {"content-type": "application/json"}, chunks=lines)


def _bytes(request: Request, rest: str) -> Reply:
    count = int(_number(rest, "a number of bytes", most=_MOST_BYTES))
    seed = int(_number(dict(request.query).get("seed", "0"), "seed"))
    # The real one draws the same bytes from the same seed, in the same way.
    draw = random.Random(seed)  # not for secrets
    body = bytes(draw.randint(0, 255) for _ in range(count))
    return Reply(200, _CORS | {"content-type": "application/octet-stream"}, body=body)


def _gzip(request: Request, _rest: str) -> Reply:
    return _packed(request, "gzip", "gzipped")


def _deflate(request: Request, _rest: str) -> Reply:
    return _packed(request, "deflate", "deflated")


def _packed(request: Request, coding: str, flag: str) -> Reply:
    told = {
        flag: True,
        "headers": echo.headers(request),
        "method": request.method,
        "origin": echo.ORIGIN,
    }
    plain = _dump(told)
    # mtime=0: the time of day must not get into the bytes.
    body = gzip.compress(plain, mtime=0) if coding == "gzip" else zlib.compress(plain)
    headers = {"content-type": "application/json", "content-encoding": coding}
    return Reply(200, _CORS | headers, body=body)


def _encoding(_request: Request, rest: str) -> Reply:
    if rest != "utf8":
        return _page(404, "The requested URL was not found on the server.")
    page = (
        "<h1>Unicode demo</h1>\n<pre>\n"
        "Mathematics: ∮ E⋅da = Q, n → ∞, ∑ f(i) = ∏ g(i)\n"
        "Greek: Οὐχὶ ταὐτά\nRussian: Тест\nThai: สวัสดี\nBraille: ⡌⠁⠧⠑\n"
        "Outside the basic plane: 🌬️ 𝄞\n</pre>\n"
    )
    return Reply(200, _HTML | _CORS, body=page.encode())


def _number(text: str, what: str, least: float = 0, most: float = math.inf) -> float:
    """Read a number of a path or query; a bad one ends in a 400 that names it."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not least <= value <= most or math.isinf(value):
        upper = "" if math.isinf(most) else f"..{most:g}"
        msg = f"{text[:40]!r} is not {what}, a number in {least:g}{upper or ' or more'}"
        raise _BadRequestError(msg)
    return value


def _json(told: dict[str, Any], delay: float = 0.0) -> Reply:
    headers = _CORS | {"content-type": "application/json"}
    return Reply(200, headers, body=_dump(told), delay=delay)


def _dump(told: dict[str, Any]) -> bytes:
    return (json.dumps(told, indent=2, sort_keys=True) + "\n").encode()


def _page(status: int, text: str, headers: dict[str, str] | None = None) -> Reply:
    title = f"{status} {HTTPStatus(status).phrase}"
    page = f"<!doctype html>\n<title>{title}</title>\n<p>{text}</p>\n"
    return Reply(status, _HTML | _CORS | (headers or {}), body=page.encode())


_ROUTES: Final[dict[str, _Route]] = {
    "get": _Route(_get),
    "post": _Route(_post, ("POST", "OPTIONS")),
    "put": _Route(_post, ("PUT", "OPTIONS")),
    "patch": _Route(_post, ("PATCH", "OPTIONS")),
    "delete": _Route(_post, ("DELETE", "OPTIONS")),
    "anything": _Route(_anything, _ANY),
    "headers": _Route(_headers),
    "ip": _Route(_ip),
    "user-agent": _Route(_user_agent),
    "status": _Route(_status, _ANY, takes=True),
    "redirect": _Route(_redirect, takes=True),
    "delay": _Route(_delay, _ANY, takes=True),
    "drip": _Route(_drip),
    "stream": _Route(_stream, takes=True),
    "bytes": _Route(_bytes, takes=True),
    "gzip": _Route(_gzip),
    "deflate": _Route(_deflate),
    "encoding": _Route(_encoding, takes=True),
}
