from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conformance import casefile
from windtunnel_conformance.case import Level, Verdict
from windtunnel_conformance.errors import CaseError, CorpusError
from windtunnel_conformance.lint import (
    case_problems,
    check_corpus,
    load_specs,
)
from windtunnel_conformance.loader import Corpus, load_corpus, parse_case

if TYPE_CHECKING:
    from pathlib import Path

    from windtunnel_conformance.case import Case

SPECS = {"rfc9112": {"3": "Request Line"}}
WHY = 'why = "Because."'


def problems(case: Case, *others: Case) -> list[str]:
    """Return what the linter says of a case among others."""
    corpus = Corpus({one.id: one for one in (case, *others)})
    return list(case_problems(case, corpus, SPECS))


def other(case_id: str, *depends: str) -> Case:
    """Return a good case with another id."""
    names = ", ".join(f'"{name}"' for name in depends)
    text = casefile.text(top=f"depends = [{names}]\n{WHY}")
    return parse_case(text.replace("family/slug", case_id), f"{case_id}.toml")


@pytest.fixture(scope="module")
def shipped() -> Corpus:
    return load_corpus()


def test_the_shipped_corpus_is_in_order(shipped: Corpus) -> None:
    check_corpus(shipped, load_specs())


def test_the_shipped_corpus_is_wide_enough_for_its_first_milestone(
    shipped: Corpus,
) -> None:
    assert len(shipped.cases) >= 42
    assert len({case.split("/")[0] for case in shipped.cases}) >= 12


def test_a_binding_case_that_tolerates_something_says_what(shipped: Corpus) -> None:
    for case in shipped.cases.values():
        if case.level in (Level.MUST, Level.SHOULD):
            verdicts = [one.verdict for one in case.base.alternatives]
            assert verdicts[0] is Verdict.PASS, case.id


def test_a_good_case_has_no_problems() -> None:
    assert problems(casefile.case(top=WHY)) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param(
            ('title = "A title"', 'title = "A title."'),
            "title: must have 1 to 100 characters and no full stop",
            id="full-stop",
        ),
        pytest.param(
            ('title = "A title"', f'title = "{"x" * 101}"'),
            "title: must have 1 to 100 characters and no full stop",
            id="long-title",
        ),
        pytest.param(
            (WHY, ""),
            "why: is missing; say what goes wrong in a client that fails here",
            id="no-why",
        ),
        pytest.param(
            ("rfc9112#3", "rfc9113#3"),
            "spec: no document 'rfc9113'; did you mean 'rfc9112'?",
            id="document",
        ),
        pytest.param(
            ("rfc9112#3", "rfc9112#3.9"),
            "spec: rfc9112 has no section '3.9' in specs.toml",
            id="section",
        ),
        pytest.param(
            (WHY, f'depends = ["family/slog"]\n{WHY}'),
            "depends: no case 'family/slog'; did you mean 'family/slug'?",
            id="depends",
        ),
        pytest.param(
            (WHY, f'{WHY}\n[clock]\nmode = "virtual"'),
            "needs: lacks 'clock.virtual', because its clock has to be virtual",
            id="virtual",
        ),
        pytest.param(
            (WHY, f'{WHY}\n[origins]\na = {{ url = "https://a.test" }}'),
            "needs: lacks 'tls', because the origin a is https",
            id="tls",
        ),
        pytest.param(
            (
                WHY,
                f'{WHY}\n[origins]\na = {{ url = "http://a" }}\n'
                'b = { url = "http://b", connect = "hang" }',
            ),
            "needs: lacks 'clock.virtual', because only a simulated connect can hang",
            id="hang",
        ),
        pytest.param(
            ('url = "${a}/"', 'url = "${a}/", stream = true'),
            "needs: lacks 'stream', because a request is streamed",
            id="stream",
        ),
        pytest.param(
            ('url = "${a}/"', 'url = "${a}/", timeout = { total = 1 }'),
            "needs: lacks 'timeout.total', because a request sets total",
            id="timeout",
        ),
        pytest.param(
            ("[[peer]]", '[[client]]\nwait_for = "x"\n[[peer]]'),
            "wait_for: nobody signals 'x'",
            id="unsignalled",
        ),
        pytest.param(
            ('{ read = "request" }', '{ signal = "x" }'),
            "signal: nobody waits for 'x'",
            id="unheard",
        ),
        pytest.param(
            ('verdict = "pass"', 'verdict = "lenient"\nnote = "x"'),
            "expect[0]: the first alternative is lenient; start with the best outcome",
            id="lenient-first",
        ),
        pytest.param(
            ('"pass"\n[expect.got.r]\nstatus = 200', '"pass"\nsent = []\nat = 1'),
            "expect[0].at: says when, but not with which result",
            id="bare-time",
        ),
    ],
)
def test_the_linter_finds_what_the_loader_cannot(
    change: tuple[str, str], expected: str
) -> None:
    text = casefile.text(top=WHY)
    assert change[0] in text
    case = parse_case(text.replace(*change), casefile.FILE)
    assert problems(case) == [expected]


def test_needs_are_found_inside_groups() -> None:
    case = casefile.case(
        top=WHY,
        client="""
[[client]]
as = "g"
group = [
  [{ as = "r", request = { method = "GET", url = "${a}/", timeout = { pool = 1 } } }],
  [{ sleep = 1 }],
]
""",
    )
    assert problems(case) == [
        "needs: lacks 'timeout.pool', because a request sets pool"
    ]


def test_signals_between_client_and_peer_are_paired() -> None:
    case = casefile.case(
        top=WHY,
        client=casefile.CLIENT + '[[client]]\nsignal = "a"\n[[client]]\nwait_for = "b"',
        peer='[[peer]]\nsteps = [{ wait_for = "a" }, { signal = "b" }]',
    )
    assert problems(case) == []


def test_dependencies_that_go_in_a_circle_are_found() -> None:
    one = other("x/one", "x/two")
    two = other("x/two", "x/three", "x/three")
    three = other("x/three", "x/one", "x/two")
    assert problems(one, two, three) == ["depends: goes in a circle back to this case"]


def test_dependencies_that_meet_again_are_fine() -> None:
    assert (
        problems(
            other("x/one", "x/two", "x/three"),
            other("x/two", "x/three"),
            other("x/three"),
        )
        == []
    )


def test_all_problems_of_a_corpus_are_told_at_once() -> None:
    case = casefile.case()
    with pytest.raises(CorpusError) as caught:
        check_corpus(Corpus({case.id: case}), SPECS)
    assert str(caught.value).startswith(
        "1 problem in the corpus\nfamily/slug.toml: why"
    )


def test_a_wrong_section_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "specs.toml"
    path.write_text('[rfc1]\ntitle = "x"\nurl = ""\nsection = {}', encoding="utf-8")
    with pytest.raises(CaseError, match="did you mean 'sections'"):
        load_specs(path)
