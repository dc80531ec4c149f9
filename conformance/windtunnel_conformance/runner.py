"""Runs cases on one client after the other and compares with what is known of them.

In: cases, named clients and their profiles. Out: ``RunResults``, and a word to the
progress listener after each case. Decides what is skipped, blocked, run and repeated;
how one run goes is ``stage``'s, what it means is ``judge``'s.

A client in this process plays each variant in a simulated world of its own. A client
behind a process plays in real time: its runs overlap, and a run that may have failed
because of others (a broken process, a missed time window) is repeated once alone.
"""

from __future__ import annotations

import asyncio
import itertools
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, final

from windtunnel_conformance.adapters.base import AdapterError, AdapterUnavailableError
from windtunnel_conformance.capabilities import (
    missing_capability,
    unreachable_origin,
    unsupported_field,
)
from windtunnel_conformance.case import Case, Verdict
from windtunnel_conformance.clock import (
    Resolution,
    measure_lateness,
    percentile,
    scaled_timing,
)
from windtunnel_conformance.error_names import classified
from windtunnel_conformance.expectations import Profile, load_profile
from windtunnel_conformance.judge import Judgement, judge
from windtunnel_conformance.lanes import Lanes
from windtunnel_conformance.outcome import Outcome, Timing
from windtunnel_conformance.results import (
    CaseResult,
    ClientResult,
    RunResults,
    VariantResult,
)
from windtunnel_conformance.stage import Assignment, run_real, run_virtual
from windtunnel_fakeserver.simulation import install_time_shim

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from windtunnel_conformance.adapters.base import Adapter, Description
    from windtunnel_conformance.case import Variant

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
_PARALLEL = 4
_ROUND_TRIPS = 50
_BLOCKING = frozenset({Verdict.FAIL, Verdict.ERROR, Verdict.BLOCKED})
_UNTIMED = Resolution(jitter=0.0, min_timeout=0.0, step=0.0)
_MAY_BE_LATE = frozenset({Verdict.FAIL, Verdict.LENIENT})


class Progress(Protocol):
    """Whoever wants to know how far a run is."""

    def begin(self, client: str, cases: int) -> None:
        """A client begins; it has this many cases."""
        ...

    def advance(self, client: str, result: CaseResult) -> None:
        """A case of a client is done."""
        ...

    def end(self, result: ClientResult) -> None:
        """A client is done."""
        ...


@dataclass(frozen=True, slots=True)
class Entrant:
    """One client that takes part.

    Attributes:
        name: For reports.
        adapter: The way to it.
        profile: What is known of it. None: the one under the name that it says it has.
    """

    name: str
    adapter: Adapter
    profile: Profile | None


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What is run, and how strictly it is compared.

    Attributes:
        all_variants: False: the base variant of each case only.
        lax: True: a known difference that is gone, or shows differently, is no news.
        corpus: Ids of all variants of the corpus that the profiles are about; entries
            about none of them are stale. Empty: not checked.
        warm_up: A plain case; its round trips show how steady real time is here.
    """

    all_variants: bool = False
    lax: bool = False
    corpus: tuple[str, ...] = ()
    warm_up: Case | None = None


def run_cases(
    entrants: Sequence[Entrant],
    cases: Sequence[Case],
    options: RunOptions,
    progress: Progress,
) -> RunResults:
    """Run all cases on all clients.

    Args:
        entrants: In the order of the report; their adapters are closed at the end.
        cases: In the order of the report.
        options: What and how strictly.
        progress: Is told after each case.

    Returns:
        The results; a client that cannot run at all has a ``problem`` instead.
    """
    clients: list[ClientResult] = []
    for entrant in entrants:
        progress.begin(entrant.name, len(cases))
        with asyncio.Runner() as loop:
            result = _run_client(loop, entrant, cases, options, progress)
        progress.end(result)
        clients.append(result)
    return RunResults(tuple(clients), tuple(cases), options.all_variants)


def _run_client(
    loop: asyncio.Runner,
    entrant: Entrant,
    cases: Sequence[Case],
    options: RunOptions,
    progress: Progress,
) -> ClientResult:
    """Run all cases on one client; ``loop`` is where its process lives, if any."""
    try:
        about = loop.run(entrant.adapter.describe())
    except (AdapterError, AdapterUnavailableError) as exc:
        detail = f"\n{exc.detail}" if isinstance(exc, AdapterError) else ""
        return ClientResult(entrant.name, problem=f"{exc}{detail}".rstrip())
    run = _ClientRun(entrant, about, options, progress)
    try:
        if about["clock"] == "virtual":
            install_time_shim()
            results = run.all_virtual(cases)
        else:
            results = loop.run(run.all_real(cases))
    finally:
        loop.run(entrant.adapter.aclose())
    client = about["client"]
    return ClientResult(
        name=entrant.name if entrant.profile is not None else client["name"],
        version=client["version"],
        runtime=client["runtime"],
        clock=about["clock"],
        cases=tuple(results[case.id] for case in cases),
        unmatched=()
        if options.lax
        else run.profile.stale(options.corpus)
        if options.corpus
        else (),
        remark=run.remark,
    )


@final
class _ClientRun:
    """All cases on one client whose description is known."""

    def __init__(
        self,
        entrant: Entrant,
        about: Description,
        options: RunOptions,
        progress: Progress,
    ) -> None:
        self._name = entrant.name
        self._adapter = entrant.adapter
        self._about = about
        self._options = options
        self._progress = progress
        self._numbers = itertools.count(1)
        self._done: dict[str, CaseResult] = {}
        self.profile = entrant.profile or _profile_of(about["client"]["name"])
        self.remark = ""
        version = about["client"]["version"]
        if version and not self.profile.covers_version(version):
            self.remark = (
                f"what is known of {self._name} is about {self.profile.versions}, this "
                f"is {version}: no known difference is applied"
            )
            self.profile = replace(self.profile, known=(), flaky=())
        self.profile = self.profile.for_version(version)

    # -- virtual time ------------------------------------------------------------------

    def all_virtual(self, cases: Sequence[Case]) -> Mapping[str, CaseResult]:
        """Run case after case, each variant in a world of its own."""
        for case in in_order_of_need(cases):
            results = self._refused(case) or tuple(
                self._refused_variant(case, variant)
                or self._judged(case, variant, self._play_virtual(case, variant))
                for variant in self._variants(case)
            )
            self._keep(CaseResult(case, results))
        return self._done

    def _play_virtual(self, case: Case, variant: Variant) -> Outcome:
        work = Assignment(case, variant, next(self._numbers), Timing())
        return run_virtual(work, self._adapter)

    # -- real time ---------------------------------------------------------------------

    async def all_real(self, cases: Sequence[Case]) -> Mapping[str, CaseResult]:
        """Run cases in real time, some at once, none before what it depends on."""
        lanes = Lanes(min(self._about["max_parallel"], _PARALLEL))
        is_timed = any(case.clock.gap is not None for case in cases)
        resolution = await self._calibrated() if is_timed else _UNTIMED
        tasks: dict[str, asyncio.Task[None]] = {}
        async with asyncio.TaskGroup() as group:
            for case in in_order_of_need(cases):
                needed = [tasks[one] for one in case.depends if one in tasks]
                tasks[case.id] = group.create_task(
                    self._case_real(case, needed, resolution, lanes)
                )
        return self._done

    async def _case_real(
        self,
        case: Case,
        needed: Sequence[asyncio.Task[None]],
        resolution: Resolution,
        lanes: Lanes,
    ) -> None:
        await asyncio.gather(*needed)
        results = self._refused(case)
        timing = scaled_timing(case.clock, resolution)
        if not results and timing is None:
            reason = "clock: real time cannot tell its outcomes apart"
            results = self._all(case, Verdict.SKIPPED, reason)
        if not results and timing is not None:
            runs = [
                self._variant_real(case, variant, timing, lanes)
                for variant in self._variants(case)
            ]
            results = tuple(await asyncio.gather(*runs))
        self._keep(CaseResult(case, results))

    async def _variant_real(
        self, case: Case, variant: Variant, timing: Timing, lanes: Lanes
    ) -> VariantResult:
        reason = unreachable_origin(variant)
        if reason:
            return self._not_run(case, variant, Verdict.SKIPPED, reason)
        if refused := self._refused_variant(case, variant):
            return refused
        async with lanes.shared():
            outcome, may_repeat = await self._play_real(case, variant, timing)
        result = self._judged(case, variant, outcome)
        if may_repeat or _may_be_late(variant, result):
            async with lanes.alone():
                outcome, _ = await self._play_real(case, variant, timing)
            result = self._judged(case, variant, outcome)
        return result

    async def _play_real(
        self, case: Case, variant: Variant, timing: Timing
    ) -> tuple[Outcome, bool]:
        work = Assignment(case, variant, next(self._numbers), timing)
        return await run_real(work, self._adapter)

    async def _calibrated(self) -> Resolution:
        """Find out how steady this machine and this client are right now."""
        jitter = await measure_lateness()
        warm_up = self._options.warm_up
        if warm_up is not None and not missing_capability(warm_up, self._about):
            timing = Timing(virtual=False)
            ends: list[float] = []
            for _ in range(_ROUND_TRIPS):
                outcome, _ = await self._play_real(warm_up, warm_up.base, timing)
                ends.append(outcome.ended_at or 0.0)
            jitter = max(jitter, percentile(ends, 0.99) - percentile(ends, 0.5))
        return Resolution(
            jitter=jitter,
            min_timeout=self._about["min_timeout_ms"] / 1000,
            step=self._about["timeout_step_ms"] / 1000,
        )

    # -- both --------------------------------------------------------------------------

    def _variants(self, case: Case) -> Sequence[Variant]:
        return case.variants if self._options.all_variants else (case.base,)

    def _refused(self, case: Case) -> tuple[VariantResult, ...]:
        """Return results if the case is not run at all, else nothing."""
        if reason := missing_capability(case, self._about):
            return self._all(case, Verdict.SKIPPED, reason)
        for needed in case.depends:
            if needed in self._done and self._done[needed].verdict in _BLOCKING:
                reason = f"{needed} is {self._done[needed].verdict}"
                return self._all(case, Verdict.BLOCKED, reason)
        return ()

    def _refused_variant(self, case: Case, variant: Variant) -> VariantResult | None:
        reason = unsupported_field(variant, self._about)
        if not reason:
            return None
        return self._not_run(case, variant, Verdict.UNSUPPORTED, reason)

    def _all(
        self, case: Case, verdict: Verdict, reason: str
    ) -> tuple[VariantResult, ...]:
        return tuple(
            self._not_run(case, variant, verdict, reason)
            for variant in self._variants(case)
        )

    def _not_run(
        self, case: Case, variant: Variant, verdict: Verdict, reason: str
    ) -> VariantResult:
        news = self.profile.compare(variant.id, case.level, verdict, {})
        return VariantResult(
            key=variant.key,
            verdict=verdict,
            expected=news.expected,
            surprise=news.surprise,
            reasons=(reason,),
            known=news.known,
        )

    def _judged(self, case: Case, variant: Variant, raw: Outcome) -> VariantResult:
        outcome = classified(raw, self.profile, self._about)
        judgement = _judgement(variant, outcome)
        news = self.profile.compare(
            variant.id, case.level, judgement.verdict, outcome.results
        )
        is_expected = news.expected or (self._options.lax and bool(news.known))
        return VariantResult(
            key=variant.key,
            verdict=judgement.verdict,
            expected=is_expected,
            surprise="" if is_expected else news.surprise,
            alternative=judgement.alternative,
            note=judgement.note if judgement.alternative is not None else "",
            reasons=_reasons(judgement),
            known=news.known,
            not_compared=judgement.not_compared,
            outcome=outcome,
        )

    def _keep(self, result: CaseResult) -> None:
        self._done[result.case.id] = result
        self._progress.advance(self._name, result)


def _profile_of(name: str) -> Profile:
    # The name comes from outside and becomes part of a path.
    return load_profile(name) if _NAME.fullmatch(name) else Profile(name)


def in_order_of_need(cases: Sequence[Case]) -> Iterator[Case]:
    """Yield each case after those it depends on, otherwise in the given order.

    Dependencies that are not among ``cases`` are left out; a circle is broken where it
    is entered.
    """
    by_id = {case.id: case for case in cases}
    begun: set[str] = set()

    def visit(case: Case) -> Iterator[Case]:
        if case.id in begun:
            return
        begun.add(case.id)
        for needed in case.depends:
            if needed in by_id:
                yield from visit(by_id[needed])
        yield case

    for case in cases:
        yield from visit(case)


def _judgement(variant: Variant, outcome: Outcome) -> Judgement:
    try:
        return judge(variant, outcome)
    except Exception as exc:  # noqa: BLE001  # one bad pattern must not end the run
        words = f"harness: the judge failed: {type(exc).__name__}: {exc}"
        return Judgement(Verdict.ERROR, note=words)


def _reasons(judgement: Judgement) -> tuple[str, ...]:
    """Say why it is not a pass: the judge's comparisons, then what else is known."""
    if judgement.alternative is not None or not judgement.note:
        return judgement.reasons
    return (*judgement.reasons, judgement.note)


def _may_be_late(variant: Variant, result: VariantResult) -> bool:
    timed = any(one.at is not None for one in variant.alternatives)
    return timed and result.verdict in _MAY_BE_LATE
