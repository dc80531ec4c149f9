"""Runs the corpus on the clients of this process and holds their profiles to it."""

from __future__ import annotations

import gc
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from windtunnel_conformance.adapters.catalogue import open_adapter
from windtunnel_conformance.case import Level, Verdict
from windtunnel_conformance.expectations import Profile, load_profile
from windtunnel_conformance.loader import load_corpus
from windtunnel_conformance.runner import Entrant, RunOptions, run_cases

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windtunnel_conformance.case import Case
    from windtunnel_conformance.results import CaseResult, ClientResult

# aiohttp warns that a large body may block the loop, which is its users' business, and
# drops connections of its own that it did not close.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:Unclosed connection:ResourceWarning"),
]

CORPUS = load_corpus()
PEERS = ("aiohttp", "httpx")


@pytest.fixture(autouse=True)
def find_what_was_dropped() -> Iterator[None]:
    """Have dropped connections warn here, where it is expected, and not anywhere."""
    yield
    gc.collect()


class Silent:
    """Progress that nobody watches."""

    def begin(self, client: str, cases: int) -> None: ...

    def advance(self, client: str, result: CaseResult) -> None: ...

    def end(self, result: ClientResult) -> None: ...


def run(name: str, cases: list[Case], profile: Profile) -> ClientResult:
    """Run every variant of some cases on one client."""
    entrant = Entrant(name, open_adapter(name), profile)
    return run_cases([entrant], cases, RunOptions(all_variants=True), Silent()).clients[
        0
    ]


def covered(profile: Profile, index: int) -> list[Case]:
    """Return the cases that one entry is about, free of their dependencies."""
    known = profile.known[index]
    return [
        replace(case, depends=())
        for case in CORPUS.cases.values()
        if any(known.covers(variant.id) for variant in case.variants)
    ]


def base_only(case: Case) -> Case:
    """Return a case without the many variants of a split."""
    if any("split=" in variant.key for variant in case.variants):
        return replace(case, variants=case.variants[:2])
    return case


@pytest.mark.parametrize("name", PEERS)
def test_a_peer_comes_out_as_its_profile_says(name: str) -> None:
    cases = [base_only(case) for case in CORPUS.cases.values()]
    result = run(name, cases, load_profile(name))
    news = {case.case.id: case.telling.reasons for case in result.surprises()}
    assert news == {}


def test_the_reference_passes_every_binding_case() -> None:
    cases = [base_only(case) for case in CORPUS.cases.values()]
    result = run("windtunnel", cases, load_profile("windtunnel"))
    short = {
        case.case.id: str(case.verdict)
        for case in result.cases
        if case.case.level in (Level.MUST, Level.SHOULD)
        and case.verdict is not Verdict.PASS
    }
    assert short == {}
    assert result.as_expected


@pytest.mark.parametrize(
    ("name", "index"),
    [
        pytest.param(name, index, id=f"{name}-{index}")
        for name in PEERS
        for index in range(len(load_profile(name).known))
    ],
)
def test_a_profile_without_one_of_its_entries_makes_the_run_fail(
    name: str, index: int
) -> None:
    profile = load_profile(name)
    rest = replace(profile, known=profile.known[:index] + profile.known[index + 1 :])
    cases = covered(profile, index)
    assert run(name, cases, profile).as_expected
    assert not run(name, cases, rest).as_expected
