"""Comparing what a run showed with what a case accepts.

Comes in: a ``Variant`` and its ``Outcome``. Goes out: a ``Judgement``, which is the
verdict of the first alternative that matches in full, or says for each alternative why
it did not. Must not know: which client it was, or what anybody expected of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from windtunnel_conformance.case import Verdict
from windtunnel_conformance.matching import Comparison, Mismatch, show
from windtunnel_conformance.seen import compare_frames, compare_got, compare_sent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from windtunnel_conformance.acceptable import Alternative
    from windtunnel_conformance.case import Variant
    from windtunnel_conformance.outcome import Outcome

EXACT_SECONDS = 1e-6
"""Virtual time is compared to a microsecond."""

LEAST_WINDOW_SECONDS = 0.05
"""A real timer may always be this late."""

_SHOWN_REASONS = 3


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict on one run.

    Attributes:
        verdict: Of the alternative that matched, else ``FAIL``; ``UNSUPPORTED`` and
            ``ERROR`` come from the adapter.
        alternative: Index in ``variant.alternatives`` of the one that matched.
        note: What the alternative means, or what the adapter said.
        mismatches: For each alternative that did not match, all reasons.
        not_compared: Paths that the case wanted compared and the adapter cannot see.
    """

    verdict: Verdict
    alternative: int | None = None
    note: str = ""
    mismatches: tuple[tuple[Mismatch, ...], ...] = ()
    not_compared: tuple[str, ...] = ()

    @property
    def reasons(self) -> tuple[str, ...]:
        """One line for each alternative that did not match, nearest miss first."""
        nearest = sorted(enumerate(self.mismatches), key=lambda pair: len(pair[1]))
        return tuple(
            f"alternative {index}: "
            + "; ".join(one.text for one in found[:_SHOWN_REASONS])
            + (
                f"; and {len(found) - _SHOWN_REASONS} more"
                if len(found) > _SHOWN_REASONS
                else ""
            )
            for index, found in nearest
        )


def judge(variant: Variant, outcome: Outcome) -> Judgement:
    """Judge one run.

    Args:
        variant: What was run.
        outcome: All evidence, with ``class`` in each error.

    Returns:
        A judgement; it never raises for what a client or adapter did.
    """
    if outcome.adapter_error is not None:
        kind, words = outcome.adapter_error
        verdict = Verdict.FAIL if kind == "adapter.hang" else Verdict.ERROR
        return Judgement(verdict, note=f"{kind}: {words}")
    if outcome.unsupported is not None:
        return Judgement(Verdict.UNSUPPORTED, note=outcome.unsupported)
    missed: list[tuple[Mismatch, ...]] = []
    for index, alternative in enumerate(variant.alternatives):
        comparison = Comparison()
        late = _compare(variant, alternative, outcome, comparison)
        if not comparison.mismatches:
            found = Judgement(
                alternative.verdict,
                index,
                alternative.note,
                tuple(missed),
                tuple(comparison.not_compared),
            )
            return _as_late(found, late) if late else found
        missed.append(tuple(comparison.mismatches))
    return Judgement(Verdict.FAIL, note=_problems(outcome), mismatches=tuple(missed))


def roll_up(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the worst verdict; a case is as good as its worst variant.

    Raises:
        ValueError: There is none.
    """
    return max(verdicts, key=lambda verdict: verdict.rank)


def _compare(
    variant: Variant, alternative: Alternative, outcome: Outcome, into: Comparison
) -> str:
    """Compare everything; return in words how late a real timer was, or nothing."""
    for name, expected in alternative.got.items():
        compare_got(name, expected, outcome.results.get(name), into)
    if alternative.sent is not None:
        compare_sent(alternative.sent, outcome.connections, into)
    if alternative.frames is not None:
        compare_frames(alternative.frames, outcome.connections, into)
    _compare_connections(variant, alternative, outcome, into)
    for kind, count in outcome.leaks.items():
        if count:
            into.differ(f"leaks.{kind}", "0 after the session is closed", str(count))
    return _compare_time(alternative, outcome, into)


def _compare_connections(
    variant: Variant, alternative: Alternative, outcome: Outcome, into: Comparison
) -> None:
    seen = outcome.connections
    if alternative.connections not in (None, len(seen)):
        into.differ("connections", str(alternative.connections), str(len(seen)))
    reused = any(len(connection.requests) > 1 for connection in seen)
    if alternative.reused not in (None, reused):
        into.differ("reused", show(alternative.reused), show(reused))
    for point, count in alternative.bytes_after.items():
        total = sum(connection.bytes_after.get(point, 0) for connection in seen)
        if total != count:
            into.differ(f"bytes_after.{point}", str(count), str(total))
    extra = [connection.number for connection in seen if connection.peer is None]
    if extra and not alternative.extra_connections:
        numbers = ", ".join(str(number) for number in extra)
        into.differ("extra_connections", "none", f"connection {numbers}")
    played = {connection.peer for connection in seen}
    for index, peer in enumerate(variant.peers):
        if not peer.optional and index not in played:
            into.differ(f"peer[{index}]", "a connection", "none came")


def _compare_time(alternative: Alternative, outcome: Outcome, into: Comparison) -> str:
    if alternative.at is None:
        return ""
    if outcome.ended_at is None:
        into.differ("at", f"{alternative.at:g} s", "no end was reported")
        return ""
    timing = outcome.timing
    difference = outcome.ended_at - alternative.at * timing.scale
    slack = alternative.within * timing.scale
    shown = f"{outcome.ended_at / timing.scale:.9g} s"
    if timing.virtual:
        if abs(difference) > slack + EXACT_SECONDS:
            into.differ("at", f"{alternative.at:g} s", shown)
        return ""
    if difference < -(slack + timing.step):
        into.differ("at", f"not before {alternative.at:g} s", shown)
        return ""
    if difference > slack + max(3 * timing.jitter, LEAST_WINDOW_SECONDS):
        return f"late: at {shown} instead of {alternative.at:g} s"
    return ""


def _as_late(found: Judgement, late: str) -> Judgement:
    """Tolerate lateness: a busy machine cannot be told from a slow client."""
    verdict = Verdict.LENIENT if found.verdict is Verdict.PASS else found.verdict
    note = f"{found.note}; {late}" if found.note else late
    return replace(found, verdict=verdict, note=note)


def _problems(outcome: Outcome) -> str:
    """Return what kept peer scripts from being played, for the reader of a failure."""
    return "; ".join(
        f"connection {connection.number}: {connection.problem}"
        for connection in outcome.connections
        if connection.problem
    )
