"""What a whole run showed: clients, cases, variants, and whether all was as expected.

Comes in: built by the runner. Goes out: to the command line and to every report. Plain
values; must not know how anything was found out or how it will look.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from windtunnel_conformance.case import Case, Verdict
    from windtunnel_conformance.outcome import Outcome


@dataclass(frozen=True, slots=True)
class VariantResult:
    """One variant on one client.

    Attributes:
        key: Key of the variant, empty for the only one.
        verdict: What the judge said, or why nothing was run.
        expected: False: the client's profile says otherwise.
        surprise: What the profile expected instead; empty if ``expected``.
        alternative: Index of the alternative that matched. None: none did.
        note: What that alternative means.
        reasons: Why it is not a pass, nearest miss first.
        known: Reason of the known difference that covers this result, or empty.
        not_compared: What the case wanted compared and the adapter cannot see.
        outcome: The evidence. None if it was not run.
    """

    key: str
    verdict: Verdict
    expected: bool = True
    surprise: str = ""
    alternative: int | None = None
    note: str = ""
    reasons: tuple[str, ...] = ()
    known: str = ""
    not_compared: tuple[str, ...] = ()
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One case on one client; never without a variant."""

    case: Case
    variants: tuple[VariantResult, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst verdict of the variants."""
        return max((one.verdict for one in self.variants), key=lambda v: v.rank)

    @property
    def expected(self) -> bool:
        """Whether every variant came out as the client's profile says."""
        return all(one.expected for one in self.variants)

    @property
    def telling(self) -> VariantResult:
        """The variant to show first: an unexpected one, else the worst."""
        return max(self.variants, key=lambda one: (not one.expected, one.verdict.rank))


@dataclass(frozen=True, slots=True)
class ClientResult:
    """One client over all selected cases.

    Attributes:
        name: As it was asked for.
        version: Version of the library, may be empty.
        runtime: Language and its version, may be empty.
        clock: ``"virtual"`` or ``"real"``.
        cases: In the order of the corpus.
        problem: Why the client could not be run at all; empty if it was.
        unmatched: Entries of its profile that are about no case.
        remark: A sentence for the reader; may be empty.
    """

    name: str
    version: str = ""
    runtime: str = ""
    clock: str = "virtual"
    cases: tuple[CaseResult, ...] = ()
    problem: str = ""
    unmatched: tuple[str, ...] = ()
    remark: str = ""

    @property
    def as_expected(self) -> bool:
        """Whether nothing about this client is news."""
        return (
            not self.problem
            and not self.unmatched
            and all(case.expected for case in self.cases)
        )

    def counts(self, family: str | None = None) -> Mapping[Verdict, int]:
        """Count the cases by verdict, of one family or of all."""
        return Counter(
            case.verdict
            for case in self.cases
            if family is None or case.case.family == family
        )

    def surprises(self) -> Iterator[CaseResult]:
        """Yield the cases that did not come out as expected."""
        return (case for case in self.cases if not case.expected)


@dataclass(frozen=True, slots=True)
class RunResults:
    """Everything.

    Attributes:
        clients: In the order in which they were asked for.
        cases: The selected cases in the order of the corpus.
        all_variants: False: the base variant of each case only.
    """

    clients: tuple[ClientResult, ...]
    cases: tuple[Case, ...]
    all_variants: bool

    @property
    def as_expected(self) -> bool:
        """Whether every client came out as its profile says."""
        return all(client.as_expected for client in self.clients)

    @property
    def families(self) -> tuple[str, ...]:
        """Families of the selected cases, each once, in order."""
        return tuple(dict.fromkeys(case.family for case in self.cases))
