"""The printed story: what did not fit, the nearest expectation, what to write.

Comes in: requests, routes, problems. Goes out: text. Must not know: sockets, loops.
Values of secret fields are masked by the matchers and never asked for here.
"""

from __future__ import annotations

import json
import traceback
from typing import TYPE_CHECKING

from windtunnel_fakeserver._script.match import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from windtunnel_fakeserver._journal.record import Exchange
    from windtunnel_fakeserver._script.routes import Route, Routes
    from windtunnel_fakeserver._verify.facts import Facts, Failure, UnfiredFault
    from windtunnel_fakeserver._wire.request import Request

_HEADLINES = {
    "script": ("1 script failed", "{} scripts failed"),
    "answer": ("1 answer failed", "{} answers failed"),
    "unmatched": ("1 request matched nothing", "{} requests matched nothing"),
    "unmet": ("1 expectation was not met", "{} expectations were not met"),
    "unused": ("1 thing was not used", "{} things were not used"),
    "unfired": ("1 fault did not fire", "{} faults did not fire"),
    "leak": ("1 thing was left open", "{} things were left open"),
}
_MIN_TIMELINE = 8


# -- the 501 reply -------------------------------------------------------------


def unmatched_reason(request: Request) -> str:
    """Return one line for the ``windtunnel-reason`` header, plain ASCII."""
    line = f"nothing answers {request.method[:20]} {request.target[:60]}"
    return ascii(line)[1:-1]


def unmatched_text(request: Request, routes: Routes) -> str:
    """Return the body of the 501: what was asked, and the nearest expectation."""
    lines = [unmatched_reason(request), *nearest_lines(request, routes)]
    return "\n".join(lines) + "\n"


# -- parts of the story --------------------------------------------------------


def nearest_lines(request: Request, routes: Routes) -> list[str]:
    """Return the nearest route with the result of each of its criteria."""
    nearest = routes.nearest(request)
    if nearest is None:
        return ["closest    none: no route is defined on this server"]
    route, results = nearest
    lines = [f"closest    {route.describe()}  defined at {route.place}"]
    width = max(len(result.name) for result in results)
    for result in results:
        name = result.name.ljust(width)
        if result.ok:
            lines.append(f"   {name}  ok")
        else:
            lines.append(f"   {name}  expected {result.expected}   got {result.got}")
    return lines


def unmatched_lines(exchange: Exchange, routes: Routes) -> list[str]:
    """Return the block for one request that nothing took."""
    request = exchange.request
    where = (
        f"(connection {request.connection}, exchange {request.exchange}, "
        f"t={request.time:.3f})"
    )
    target = request.target[:80] if request.target.startswith("/") else ""
    shown = f"{request.server}{target}" if target else request.target[:80]
    return [
        f"unmatched  #{exchange.number} {request.method} {shown}   {where}",
        *nearest_lines(request, routes),
        f"to accept it:  {expectation_for(request)}",
    ]


def expectation_for(request: Request) -> str:
    """Return an expectation that takes this request, ready to paste."""
    query = f"?{request.query_string}" if request.query_string else ""
    parts = [quoted(request.method), quoted(f"{request.path}{query}"[:80])]
    if request.body:
        parts.append(_body_argument(request))
    return f"server.expect({', '.join(parts)}).reply(Reply(200))"


def _body_argument(request: Request) -> str:
    if "json" in request.media_type:
        try:
            text = repr(json.loads(request.body))
        except ValueError:
            text = ""
        if 0 < len(text) <= 60:
            return f"json={text}"
    if len(request.body) <= 40:
        return f"body={request.body!r}"
    return f"where=lambda request: len(request.body) == {len(request.body)}"


def unmet_line(route: Route, origin: str) -> str:
    """Return the line for an expectation that still owes calls."""
    return (
        f"not met    {route.describe()} of {origin}: {route.count} of {route.wanted} "
        f"calls came, defined at {route.place}"
    )


def unfired_line(fault: UnfiredFault) -> str:
    """Return the line for a fault that was armed and never came to pass."""
    place = "" if fault.place is None else f", given at {fault.place}"
    return f"not fired  {fault.fault} on {fault.where}: {fault.reason}{place}"


def failure_lines(failure: Failure) -> list[str]:
    """Return the block for an exception out of the author's code."""
    error = failure.error
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.name == failure.name] or list(frames)
    text = f"{type(error).__name__}: {error}".rstrip(": ").split("\n")
    lines = [
        f"{failure.kind:<9}  {failure.name} on connection {failure.connection} "
        f"({failure.server}) raised {text[0][:120]}"
    ]
    if own:
        lines.append(
            f"   at {own[-1].filename}:{own[-1].lineno}   {own[-1].line or ''}"
        )
    return lines


# -- the whole story -----------------------------------------------------------


def headline(kinds: Sequence[str], facts: Facts) -> str:
    """Count the kinds of problems in one line, with seed and time span."""
    counts: list[str] = []
    for kind, (one, many) in _HEADLINES.items():
        number = kinds.count(kind)
        if number:
            counts.append(one if number == 1 else many.format(number))
    seed = "" if facts.seed is None else f"   seed={facts.seed}"
    return f"windtunnel: {', '.join(counts)}{seed}   t=0.000..{facts.until:.3f}"


def join_story(
    head: str, blocks: Sequence[Sequence[str]], facts: Facts, limit: int
) -> str:
    """Put headline, blocks and timeline into ``limit`` lines.

    The first blocks are shown whole, as long as there is room for a short timeline;
    of the rest, how many were left out.
    """
    room = limit - 1 - _MIN_TIMELINE - 1
    lines = [head]
    for shown, block in enumerate(blocks):
        if len(block) > room and shown:
            lines.append(f"  ... {len(blocks) - shown} more left out")
            break
        lines += [f"  {line}" for line in block[: max(room, 1)]]
        room -= len(block)
    rest = limit - len(lines)
    timeline = facts.journal.timeline(rest) or ["nothing happened"]
    for index, line in enumerate(timeline):
        lines.append(f"  {'timeline' if index == 0 else '        '}   {line}")
    return "\n".join(line.rstrip() for line in lines)
