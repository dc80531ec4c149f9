"""A fault put into its place among the bytes of a reply.

Comes in: a ``Plan`` and a ``Fault`` of a response's moment. Goes out: the plan that
ends, or changes, at that byte. Must not know: connections, how a fault is played.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from windtunnel_fakeserver._script.fault import Fault, Garbage

if TYPE_CHECKING:
    from windtunnel_fakeserver._script.plan import Piece, Plan


def struck(plan: Plan, fault: Fault) -> Plan:
    """Return the plan with the fault as one of its pieces.

    The fault comes instead of a byte, so pauses before that byte come before it, and
    nothing behind it is sent; ``Garbage`` changes bytes and leaves the rest.

    Returns:
        The plan; unchanged but for ``unfired``, which says why, when the reply does
        not have that many bytes.
    """
    total = sum(len(piece) for piece in plan.pieces if isinstance(piece, bytes))
    spans = {
        "response_head": (plan.head_at, plan.body_at),
        "response_body": (plan.body_at, total),
        "response_end": (total, total),
    }
    start, end = spans[fault.at]
    place = start + fault.after
    is_end = fault.at == "response_end"
    if isinstance(fault, Garbage) and not is_end:
        if place < end:
            return _garbled(plan, fault, place, end)
        return _unfired(plan, fault, end - start)
    if place > end:
        return _unfired(plan, fault, end - start)
    if is_end or place == total:
        tail = (fault.noise(),) if isinstance(fault, Garbage) else ()
        return replace(plan, pieces=(*plan.pieces, fault, *tail))
    return replace(plan, pieces=_cut(plan.pieces, fault, place))


def _unfired(plan: Plan, fault: Fault, size: int) -> Plan:
    return replace(plan, unfired=f"the {fault.at} had {size} bytes")


def _cut(pieces: tuple[Piece, ...], fault: Fault, place: int) -> tuple[Piece, ...]:
    kept: list[Piece] = []
    left = place
    for piece in pieces:
        if isinstance(piece, bytes):
            if left < len(piece):
                if left:
                    kept.append(piece[:left])
                break
            left -= len(piece)
        kept.append(piece)
    return (*kept, fault)


def _garbled(plan: Plan, fault: Garbage, place: int, end: int) -> Plan:
    if fault.size is not None:
        end = min(end, place + fault.size)
    noise = fault.noise(end - place)
    pieces: list[Piece] = []
    position = 0
    for piece in plan.pieces:
        if not isinstance(piece, bytes):
            pieces.append(piece)
            continue
        low = max(place - position, 0)
        high = min(end - position, len(piece))
        if low < high:
            if position + low == place:
                pieces.append(fault)
            begin = position + low - place
            new = noise[begin : begin + high - low]
            pieces.append(piece[:low] + new + piece[high:])
        else:
            pieces.append(piece)
        position += len(piece)
    return replace(plan, pieces=tuple(pieces))
