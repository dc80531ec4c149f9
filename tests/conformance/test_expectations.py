from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from windtunnel_conformance.case import Level, Verdict
from windtunnel_conformance.errors import ERROR_CLASSES, CaseError, is_error
from windtunnel_conformance.expectations import (
    PROFILE_FOLDER,
    News,
    Profile,
    load_profile,
    parse_profile,
)
from windtunnel_conformance.loader import load_corpus

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from windtunnel_conformance.case import Json

HEAD = '[client]\nname = "x"\n'
KNOWN = """
[[known]]
cases = ["a/one", "a/two@row=*"]
got = { status = 200, error = "timeout" }
reason = "It does so."
link = "issue 7"
"""
TIMEOUT: Mapping[str, Mapping[str, Json]] = {
    "r": {"status": 200, "error": {"class": "timeout.total"}}
}
NOTHING: Mapping[str, Mapping[str, Json]] = {}


def profile(text: str = "") -> Profile:
    """Return the profile of a file with this behind its head."""
    return parse_profile(HEAD + text, "x.toml")


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("Plain", "other"),
        ("Timeout", "timeout"),
        ("TimeoutX", "other"),
        ("Timeout: on read", "timeout.sock_read"),
        ("Timeout: on write", "timeout"),
        ("Broken: [a] * text about chunks\nand more", "protocol.chunk"),
        ("Broken: text", "protocol"),
    ],
)
def test_a_raw_error_gets_the_class_of_the_longest_key_that_fits(
    raw: str, expected: str
) -> None:
    text = """
[errors]
"Timeout" = "timeout"
"Timeout: on r" = "timeout.sock_read"
"Broken" = "protocol"
"Broken: [a] *chunk*" = "protocol.chunk"
"""
    assert profile(text).classify(raw) == expected


@pytest.mark.parametrize(
    ("bounds", "version", "expected"),
    [
        ("", "1.0", True),
        (">=3.14,<3.15", "3.14.5", True),
        (">=3.14,<3.15", "3.14", True),
        (">=3.14,<3.15", "3.15.0", False),
        (">=3.14, <3.15", "3.13.9", False),
        ("==1.2", "1.2.0", True),
        ("!=1.2", "1.2.0", False),
        ("<=2", "2.0.1", False),
        (">2", "2.0.1rc1", True),
        (">2", "", True),
    ],
)
def test_versions_are_compared_as_numbers(
    bounds: str, version: str, expected: bool
) -> None:
    assert Profile("x", versions=bounds).covers_version(version) is expected


def test_entries_of_other_versions_are_left_out() -> None:
    text = """
[[known]]
cases = ["a/old"]
versions = "<7"
reason = "old"
[[flaky]]
cases = ["a/new"]
versions = ">=7"
reason = "new"
[[flaky]]
cases = ["a/all"]
reason = "all"
"""
    seen = profile(text).for_version("7.1")
    assert seen.known == ()
    assert [entry.reason for entry in seen.flaky] == ["new", "all"]


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        (Verdict.PASS, True),
        (Verdict.LENIENT, True),
        (Verdict.INFO, True),
        (Verdict.SKIPPED, True),
        (Verdict.UNSUPPORTED, True),
        (Verdict.BLOCKED, True),
        (Verdict.FAIL, False),
        (Verdict.ERROR, False),
    ],
)
def test_without_an_entry_only_failures_are_news(
    verdict: Verdict, expected: bool
) -> None:
    news = profile().compare("a/one", Level.MUST, verdict, NOTHING)
    assert news.expected is expected
    if not expected:
        assert news.surprise == f"expected pass, lenient or info, but it is {verdict}"


@pytest.mark.parametrize(
    ("level", "verdict", "expected"),
    [
        (Level.MUST, Verdict.PASS, True),
        (Level.MUST, Verdict.SKIPPED, True),
        (Level.MUST, Verdict.LENIENT, False),
        (Level.MUST, Verdict.BLOCKED, False),
        (Level.MUST, Verdict.UNSUPPORTED, False),
        (Level.MAY, Verdict.LENIENT, True),
        (Level.MAY, Verdict.BLOCKED, True),
    ],
)
def test_a_strict_profile_wants_passes(
    level: Level, verdict: Verdict, expected: bool
) -> None:
    strict = parse_profile(f'{HEAD}strict = ["must"]', "x.toml")
    news = strict.compare("a/one", level, verdict, NOTHING)
    assert news.expected is expected
    if not expected:
        assert news.surprise == f"expected pass, but it is {verdict}"


@pytest.mark.parametrize("variant", ["a/one", "a/one@cut=3", "a/two@row=x"])
def test_a_known_failure_is_no_news(variant: str) -> None:
    news = profile(KNOWN).compare(variant, Level.MUST, Verdict.FAIL, TIMEOUT)
    assert news == News(known="It does so.")


def test_a_variant_outside_the_pattern_is_news() -> None:
    news = profile(KNOWN).compare("a/two@x=1", Level.MUST, Verdict.FAIL, TIMEOUT)
    assert not news.expected


def test_a_known_failure_that_passes_is_news() -> None:
    news = profile(KNOWN).compare("a/one", Level.MUST, Verdict.PASS, TIMEOUT)
    assert news == News(
        False,
        "known as fail, but it is pass; the entry has to go or to change",
        "It does so.",
    )


@pytest.mark.parametrize(
    "results",
    [
        {"r": {"status": 204, "error": {"class": "timeout"}}},
        {"r": {"status": 200, "error": {"class": "tls"}}},
        {"r": {"status": 200}},
        {"r": {"status": 200, "error": {"raw": "x"}}},
        {"r": {"error": {"class": "timeout"}}},
        {"r": {"status": 200}, "s": {"error": {"class": "timeout"}}},
        {},
    ],
)
def test_a_known_failure_that_fails_in_another_way_is_news(
    results: Mapping[str, Mapping[str, Json]],
) -> None:
    news = profile(KNOWN).compare("a/one", Level.MUST, Verdict.FAIL, results)
    assert news.surprise == (
        "known to show status = 200, error = 'timeout', but no action does"
    )


def test_a_known_case_that_did_not_run_keeps_its_reason() -> None:
    news = profile(KNOWN).compare("a/one", Level.MUST, Verdict.BLOCKED, NOTHING)
    assert news == News(known="It does so.")


def test_a_known_difference_can_be_another_verdict() -> None:
    text = '[[known]]\ncases = ["a/*"]\nverdict = "error"\nreason = "r"'
    news = profile(text).compare("a/one", Level.MUST, Verdict.ERROR, NOTHING)
    assert news.expected


@pytest.mark.parametrize("verdict", [Verdict.PASS, Verdict.FAIL])
def test_a_flaky_case_may_come_out_either_way(verdict: Verdict) -> None:
    flaky = profile('[[flaky]]\ncases = ["a/one@*"]\nreason = "kernel"')
    assert flaky.compare("a/one@k=1", Level.MUST, verdict, NOTHING) == News(
        known="kernel"
    )


def test_patterns_that_fit_nothing_are_stale() -> None:
    text = f'{KNOWN}\n[[flaky]]\ncases = ["b/*"]\nreason = "r"'
    assert profile(text).stale(["a/one@k=1", "a/two"]) == ("a/two@row=*", "b/*")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[client]\nname = 'y'", "x.toml: client.name: must be 'x'"),
        (f"{HEAD}versions = '3.14'", "client.versions: '3.14' is no bound such as"),
        (f"{HEAD}strict = ['shall']", "client.strict[0]: is 'shall'"),
        (
            f"{HEAD}[errors]\nA = 'timeuot'",
            "errors.A: 'timeuot' is no class of the error tree; did you mean "
            "'timeout'?",
        ),
        (
            f"{HEAD}[[known]]\ncases = []\nreason = 'r'",
            "known[0].cases: names no case",
        ),
        (
            f"{HEAD}[[known]]\ncases = ['a']\nreason = ' '",
            "known[0].reason: is empty; a known difference is explained",
        ),
        (f"{HEAD}[[known]]\ncases = ['a']", "known[0]: the key 'reason' is missing"),
        (
            f"{HEAD}[[known]]\ncases = ['a']\nreason = 'r'\ngot = {{ error = 'x' }}",
            "known[0].got.error: 'x' is no class",
        ),
        (
            f"{HEAD}[[flaky]]\ncases = ['a']\nreason = 'r'\nversions = 'x'",
            "flaky[0].versions: 'x' is no bound",
        ),
        (
            f"{HEAD}[[known]]\ncases = ['a']\nreason = 'r'\nverdict = 'x'",
            "known[0].verdict: is 'x'",
        ),
    ],
)
def test_a_wrong_profile_is_refused(text: str, message: str) -> None:
    with pytest.raises(CaseError) as caught:
        parse_profile(text, "x.toml")
    assert message in str(caught.value)


def test_a_client_without_a_file_has_an_empty_profile(tmp_path: Path) -> None:
    assert load_profile("nobody", tmp_path) == Profile("nobody")


@pytest.mark.parametrize(
    "path", sorted(PROFILE_FOLDER.glob("*.toml")), ids=lambda path: str(path.stem)
)
def test_every_shipped_profile_is_about_cases_that_exist(path: Path) -> None:
    variants = [
        variant.id for case in load_corpus().cases.values() for variant in case.variants
    ]
    assert load_profile(path.stem).stale(variants) == ()


def test_the_error_tree_knows_what_lies_below_what() -> None:
    assert is_error("tls.verify.hostname", "tls.verify")
    assert is_error("tls", "tls")
    assert not is_error("tls", "tls.verify")
    assert not is_error("timeouts", "timeout")
    assert {"ws.handshake.accept", "tls.verify", "status", "adapter.hang"} <= (
        ERROR_CLASSES
    )
