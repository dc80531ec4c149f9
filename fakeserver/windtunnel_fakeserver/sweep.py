"""Sweeps: one scenario with every cut of a reply, or every way to split it.

Comes in: a reply, and a program that is run in a tunnel of its own for each variation.
Goes out: how many there were, or the smallest that failed. Must not know: which client
is used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from windtunnel_fakeserver._script.fault import Eof, Fault, Moment, Reset, Stall
from windtunnel_fakeserver._script.plan import plain_plan
from windtunnel_fakeserver._wire.compat import override
from windtunnel_fakeserver.errors import SweepError
from windtunnel_fakeserver.tunnel import Tunnel

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator
    from random import Random

    from windtunnel_fakeserver._script.reply import Reply

    Program: TypeAlias = Callable[[Tunnel, Reply], Awaitable[object]]
    Effect: TypeAlias = type[Fault] | Callable[..., Fault]

_SHOWN = 24


@dataclass(frozen=True, slots=True)
class Cut:
    """One variation of a reply.

    Attributes:
        reply: The reply to give, with its fault.
        offset: Byte of the reply, as it is on the wire, at which it happens.
        total: Bytes of the whole reply.
        before: The last bytes before that, for a reader.
        settings: How the tunnel of this variation is made.
    """

    reply: Reply
    offset: int
    total: int
    before: bytes
    settings: tuple[tuple[str, Any], ...] = ()

    @override
    def __str__(self) -> str:
        fault = self.reply.fault
        what = f"split into {self.offset} + {self.total - self.offset} bytes"
        if fault is not None:
            what = f"{type(fault).__name__} at byte {self.offset} of {self.total}"
        return f"{what}, behind {self.before!r}"

    @property
    def recipe(self) -> str:
        """What to write to have this variation alone."""
        if self.reply.fault is not None:
            return f"Reply(..., fault={self.reply.fault!r})"
        return f"Tunnel(split=split_at({self.offset}))"


def cuts(
    reply: Reply, effects: Iterable[Effect] = (Eof, Reset, Stall), every: int = 1
) -> tuple[Cut, ...]:
    """Make a variation for each byte of a reply and each effect, smallest cut first.

    Args:
        reply: As it is sent to a GET of HTTP/1.1. One without a fault of its own.
        effects: Kinds of faults, or functions that make one from ``at`` and ``after``.
        every: Take each so many bytes only, >= 1.

    Raises:
        ValueError: ``every`` is below 1, or the reply has a fault already.
    """
    _check(reply, every)
    plan = plain_plan(reply)
    data = b"".join(piece for piece in plan.pieces if isinstance(piece, bytes))
    made: list[Cut] = []
    for offset in range(plan.head_at, len(data), every):
        at: Moment = "response_head" if offset < plan.body_at else "response_body"
        start = plan.head_at if at == "response_head" else plan.body_at
        for effect in effects:
            varied = reply.with_fault(effect(at=at, after=offset - start))
            made.append(Cut(varied, offset, len(data), _before(data, offset)))
    return tuple(made)


def splits(reply: Reply, every: int = 1) -> tuple[Cut, ...]:
    """Make a variation for each way to deliver a reply in two segments.

    The request, and all that is written later, falls into two at the same place.

    Args:
        reply: As it is sent to a GET of HTTP/1.1.
        every: Take each so many bytes only, >= 1.

    Raises:
        ValueError: ``every`` is below 1, or the reply has a fault.
    """
    _check(reply, every)
    plan = plain_plan(reply)
    data = b"".join(piece for piece in plan.pieces if isinstance(piece, bytes))
    return tuple(
        Cut(
            reply,
            offset,
            len(data),
            _before(data, offset),
            (("split", split_at(offset)),),
        )
        for offset in range(1, len(data), every)
    )


def split_at(offset: int) -> Callable[[Random, int], Iterator[int]]:
    """Make a ``split`` for a tunnel: each write falls into two at this byte, >= 1."""

    def sizes(stream: Random, length: int) -> Iterator[int]:
        yield offset

    return sizes


def sweep(
    program: Program,
    variations: Iterable[Cut],
    *,
    tunnel: Callable[..., Tunnel] = Tunnel,
    **settings: Any,
) -> int:
    """Run a program once for each variation, each in a tunnel of its own.

    Args:
        program: ``async def program(tunnel, reply)``: gives the reply to a route, has
            the client ask for it, and fails if the client does not do as it should.
            Time is virtual, so a client that waits for a timeout costs nothing.
        variations: ``cuts(reply)``, ``splits(reply)``, or both.
        tunnel: Makes the tunnels.
        settings: For each tunnel, such as ``seed=7``.

    Returns:
        How many variations there were.

    Raises:
        SweepError: The program failed for at least one; the message names the
            smallest, how often it failed, and what to write to have that one alone.
            Its cause is the error of that one.
        ValueError: There are no variations.
    """
    failed: list[tuple[Cut, BaseException]] = []
    count = 0
    for cut in variations:
        count += 1
        try:
            _run(program, cut, tunnel, settings)
        except BaseException as exc:
            # Not only Exception: what pytest.fail raises is none.
            if isinstance(exc, KeyboardInterrupt | SystemExit):
                raise
            failed.append((cut, exc))
    if not count:
        msg = "sweep() got no variations: the reply has no bytes to cut"
        raise ValueError(msg)
    if failed:
        raise SweepError(tell(failed, count)) from failed[0][1]
    return count


def tell(failed: list[tuple[Cut, BaseException]], count: int) -> str:
    """Say which variation is the smallest that failed, and how to have it alone.

    Args:
        failed: At least one variation with its error.
        count: How many were tried.
    """
    cut, error = min(failed, key=lambda pair: pair[0].offset)
    reason = f"{type(error).__name__}: {error}".partition("\n")[0]
    return (
        f"{len(failed)} of {count} variations failed, the smallest: {cut}\n"
        f"  {reason}\n"
        f"  to run it alone: {cut.recipe}"
    )


def _run(
    program: Program,
    cut: Cut,
    make: Callable[..., Tunnel],
    settings: dict[str, Any],
) -> None:
    async def main(tunnel: Tunnel) -> None:
        await program(tunnel, cut.reply)

    make(**{**settings, **dict(cut.settings)}).run(main)


def _check(reply: Reply, every: int) -> None:
    if every < 1:
        msg = f"every={every!r}: must be >= 1 bytes"
        raise ValueError(msg)
    if reply.fault is not None:
        msg = f"{reply!r} has a fault already; the sweep gives it one"
        raise ValueError(msg)


def _before(data: bytes, offset: int) -> bytes:
    return data[max(0, offset - _SHOWN) : offset]
