"""The four reports, each read back the way its reader would."""

from __future__ import annotations

import io
import json
import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as Xml

from rich.console import Console

from tests.conformance.worlds import make_case
from windtunnel_conformance.case import Verdict
from windtunnel_conformance.outcome import Outcome, SeenConnection, SeenEvent
from windtunnel_conformance.report.as_html import html_report, write_html
from windtunnel_conformance.report.as_json import json_report
from windtunnel_conformance.report.as_junit import junit_report
from windtunnel_conformance.report.as_table import print_report
from windtunnel_conformance.report.wirelog import log_rows, visible
from windtunnel_conformance.results import (
    CaseResult,
    ClientResult,
    RunResults,
    VariantResult,
)

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    import pytest

NASTY = b"HTTP/1.1 200 OK\r\n</script><b>\x00\xff\\n\r\n"

OUTCOME = Outcome(
    results={
        "r": {
            "status": 200,
            "reason": "OK",
            "body": "b\u00e9",
            "t": [0.0, 2.0],
        },
        "s": {
            "partial": {"b64": "AAE="},
            "error": {"class": "timeout", "raw": "Slow: x"},
            "t": [1.0, 1.5],
        },
        "big": {"body": {"len": 70000, "sha256": "0", "head": {"b64": ""}}},
        "odd": {"body": 7},
    },
    connections=(
        SeenConnection(
            0,
            "a",
            0,
            events=(
                SeenEvent(0.0, "", "open", text="198.18.0.1:50000"),
                SeenEvent(0.5, "in", "data", b"GET / HTTP/1.1\r\n\r\n"),
                SeenEvent(1.0, "out", "data", NASTY),
                SeenEvent(1.5, "in", "eof"),
                SeenEvent(1.5, "out", "reset"),
                SeenEvent(1.5, "", "close"),
            ),
            problem="step 2: never came",
        ),
        SeenConnection(1, "a", None, events=(SeenEvent(1.2, "", "open"),)),
        SeenConnection(2, "a", None, problem="nothing was seen"),
    ),
    stderr="a word of the adapter",
)


def results() -> RunResults:
    """Return two clients with every kind of verdict."""
    one = make_case(id="demo/one")
    two = make_case(id="demo/sub/two", level="should")
    three = make_case(id="demo/sub/three")
    fail = VariantResult(
        "k=1",
        Verdict.FAIL,
        expected=False,
        surprise="expected pass, but it is fail",
        reasons=("alternative 0: got.r.body: expected b'x', got b'\x00'",),
        not_compared=("got.r.http",),
        outcome=OUTCOME,
    )
    fine = VariantResult("", Verdict.PASS, alternative=0, outcome=OUTCOME)
    lenient = VariantResult(
        "k=2", Verdict.LENIENT, alternative=1, note="so so", outcome=OUTCOME
    )
    known = VariantResult(
        "", Verdict.FAIL, reasons=("r",), known="old news", outcome=OUTCOME
    )
    skipped = VariantResult("", Verdict.SKIPPED, reasons=("lacks tls",))
    blocked = VariantResult("", Verdict.BLOCKED, reasons=("demo/one is fail",))
    return RunResults(
        (
            ClientResult(
                "first",
                "1.0",
                "python",
                cases=(
                    CaseResult(one, (lenient, fail)),
                    CaseResult(two, (fine,)),
                    CaseResult(three, (skipped,)),
                ),
                unmatched=("demo/gone",),
                remark="a remark",
            ),
            ClientResult(
                "second",
                cases=(
                    CaseResult(one, (known,)),
                    CaseResult(two, (blocked,)),
                    CaseResult(three, (skipped,)),
                ),
                clock="real",
            ),
            ClientResult("third", problem="cannot be started"),
        ),
        (one, two, three),
        all_variants=True,
    )


def calm() -> RunResults:
    """Return one client that holds no surprise."""
    case = make_case()
    fine = VariantResult("", Verdict.PASS, alternative=0, outcome=OUTCOME)
    client = ClientResult("only", cases=(CaseResult(case, (fine,)),))
    return RunResults((client,), (case,), all_variants=False)


# -- results ------------------------------------------------------------------------


def test_a_case_is_as_bad_as_its_worst_variant_and_shows_the_unexpected_one() -> None:
    case = results().clients[0].cases[0]
    assert case.verdict is Verdict.FAIL
    assert case.telling.key == "k=1"
    assert not case.expected


def test_counts_are_by_family_or_over_all() -> None:
    client = results().clients[0]
    assert client.counts("demo") == {Verdict.FAIL: 1}
    assert client.counts() == {Verdict.FAIL: 1, Verdict.PASS: 1, Verdict.SKIPPED: 1}
    assert results().families == ("demo", "demo/sub")


# -- wire log -----------------------------------------------------------------------


def test_both_ends_are_merged_in_order_of_time() -> None:
    rows = [(row.time, row.who, row.text) for row in log_rows(OUTCOME, max_bytes=99)]
    texts = [text for _, _, text in rows]
    assert [time for time, _, _ in rows] == sorted(time for time, _, _ in rows)
    assert texts[:3] == ["r begins", "big begins", "odd begins"]
    assert rows[-1] == (2.0, "client", 'r ends: 200 OK, body "b\\xe9"')
    assert 's ends: partial "\\x00\\x01", error timeout: Slow: x' in texts
    assert "open to a (no script expects it)" in texts
    assert "script: step 2: never came" in texts
    assert {"FIN", "RST", "close"} <= set(texts)


def test_no_byte_hides() -> None:
    assert visible(b"a\r\nb\tc\\n\x00\xff", 99) == "a\\r\\n\nb\\tc\\\\n\\x00\\xff"
    assert visible(b"end\r\n", 99) == "end\\r\\n"
    assert visible(b"abcdef", 2) == "ab\n... 4 more bytes"


# -- table --------------------------------------------------------------------------


def table(found: RunResults) -> str:
    out = io.StringIO()
    print_report(found, Console(file=out, width=140))
    return out.getvalue()


def test_the_table_counts_and_then_tells_each_surprise_with_its_log() -> None:
    text = table(results())
    assert "1 fail" in text
    assert "demo/one@k=1" in text
    assert "expected pass, but it is fail" in text
    assert "GET / HTTP/1.1\\r\\n" in text
    assert "third: cannot be started" in text
    assert "a remark" in text
    assert "expectation without a result: demo/gone" in text
    assert "3 surprises" in text.splitlines()[-1]


def test_the_table_of_a_calm_run_ends_with_one_line() -> None:
    assert table(calm()).splitlines()[-1] == "1 case, 1 client, 1 run: all as expected"


def test_long_stories_are_cut_and_say_so() -> None:
    case = make_case()
    many = OUTCOME.connections[0].events * 20
    outcome = Outcome(connections=(SeenConnection(0, "a", 0, events=many),))
    fail = VariantResult("", Verdict.FAIL, expected=False, outcome=outcome)
    quiet = VariantResult("x", Verdict.FAIL, expected=False)
    cases = tuple(
        CaseResult(make_case(id=f"demo/n{number}"), (fail, quiet))
        for number in range(25)
    )
    found = RunResults((ClientResult("c", cases=cases),), (case,), all_variants=False)
    text = table(found)
    assert "... 5 more surprises" in text
    assert "and 1 more of its variants" in text
    assert re.search(r"\.\.\. \d+ more lines", text)


def test_a_surprise_that_was_never_run_has_no_log() -> None:
    blocked = VariantResult("", Verdict.BLOCKED, expected=False, reasons=("because",))
    client = ClientResult("c", cases=(CaseResult(make_case(), (blocked,)),))
    text = table(RunResults((client,), (make_case(),), all_variants=False))
    assert "because" in text
    assert "t=0" not in text


def test_without_a_console_the_table_goes_to_standard_output(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_report(calm())
    assert "all as expected" in capsys.readouterr().out


# -- json ---------------------------------------------------------------------------


def test_the_json_report_has_stable_keys_and_no_surprise_of_its_own() -> None:
    report = json.loads(json_report(results()))
    assert json_report(results()) == json_report(results())
    assert list(report) == ["format", "as_expected", "variants", "machine", "clients"]
    assert report["variants"] == "all"
    assert json.loads(json_report(calm()))["variants"] == "base"
    first = report["clients"][0]
    assert first["counts"] == {"fail": 1, "pass": 1, "skipped": 1}
    assert first["unmatched_expectations"] == ["demo/gone"]
    case = first["cases"][0]
    assert (case["id"], case["verdict"], case["expected"]) == (
        "demo/one",
        "fail",
        False,
    )
    assert case["variants"][1]["not_compared"] == ["got.r.http"]
    assert case["variants"][1]["reasons"]


# -- junit --------------------------------------------------------------------------


def test_the_junit_report_fails_exactly_the_surprises() -> None:
    root = Xml.fromstring(junit_report(results()))
    suites = {suite.get("name"): suite for suite in root}
    assert list(suites) == [
        "first: demo",
        "first: demo/sub",
        "second: demo",
        "second: demo/sub",
        "third",
    ]
    first = suites["first: demo"]
    assert (first.get("tests"), first.get("failures")) == ("2", "1")
    failure = first.find("testcase/failure")
    assert failure is not None
    assert failure.get("message") == "expected pass, but it is fail"
    assert "\ufffd" in (failure.text or "")
    names = [(t.get("classname"), t.get("name")) for t in root.iter("testcase")]
    assert names[0] == ("first.demo", "one@k=2")
    verdicts = [
        p.get("value") for p in first.iter("property") if p.get("name") == "verdict"
    ]
    assert verdicts == ["lenient", "fail"]
    skipped = [node.get("message") for node in root.iter("skipped")]
    assert skipped == ["lacks tls", "old news", "demo/one is fail", "lacks tls"]
    error = suites["third"].find("testcase/error")
    assert error is not None


# -- html ---------------------------------------------------------------------------


def page_data(page: str) -> Any:
    """Return the object that the page carries for its script."""
    found = re.search(
        r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL
    )
    assert found is not None
    return json.loads(found[1])


def test_the_page_needs_nothing_but_itself(tmp_path: Path) -> None:
    path = write_html(results(), tmp_path / "deep" / "report")
    page = path.read_text(encoding="utf-8")
    assert path.name == "index.html"
    assert not re.search(r'(src|href)="', page)
    assert "@import" not in page
    assert "http:" not in re.sub(r"<script type=.*?</script>", "", page, flags=re.S)


def test_each_cell_of_the_page_has_its_verdict_and_its_story() -> None:
    page = html_report(results())
    data = page_data(page)
    assert data["clients"] == ["first", "second", "third"]
    cells = data["cells"]["demo/one"]
    assert [cell and cell["verdict"] for cell in cells] == ["fail", "fail", None]
    telling, other = cells[0]["variants"]
    assert telling["key"] == "k=1"
    assert telling["surprise"]
    assert telling["blind"] == ["got.r.http"]
    assert telling["stderr"] == "a word of the adapter"
    assert other["note"] == "so so"
    assert other["alternative"] == 1
    assert cells[1]["variants"][0]["known"] == "old news"
    assert page.count('class="cell') == 6
    assert page.count('class="cell fail unexpected"') == 1


def test_equal_logs_are_stored_once_and_bytes_of_peers_stay_text() -> None:
    page = html_report(results())
    data = page_data(page)
    assert len(data["logs"]) == 1
    assert any("</script><b>\\x00" in row[3] for row in data["logs"][0])
    assert page.count("</script>") == 2


def test_only_telling_variants_of_a_case_carry_a_log() -> None:
    def variant(number: int, verdict: Verdict) -> VariantResult:
        events = (SeenEvent(float(number), "", "open"),)
        outcome = Outcome(connections=(SeenConnection(0, "a", 0, events=events),))
        return VariantResult(f"n={number}", verdict, outcome=outcome)

    passes = [variant(number, Verdict.PASS) for number in range(50)]
    fails = [variant(number, Verdict.FAIL) for number in range(50, 60)]
    case = make_case()
    client = ClientResult("c", cases=(CaseResult(case, (*passes, *fails)),))
    data = page_data(html_report(RunResults((client,), (case,), all_variants=True)))
    cell = data["cells"]["demo/one"][0]
    shown = [one for one in cell["variants"] if "log" in one]
    assert len(data["logs"]) == 4
    assert {one["verdict"] for one in shown} == {"fail"}
    assert len(cell["variants"]) == 60


def test_a_variant_that_only_passed_is_its_key_alone() -> None:
    quiet = [VariantResult(f"n={n}", Verdict.PASS, alternative=0) for n in range(3)]
    case = make_case()
    client = ClientResult("c", cases=(CaseResult(case, tuple(quiet)),))
    data = page_data(html_report(RunResults((client,), (case,), all_variants=True)))
    first, *others = data["cells"]["demo/one"][0]["variants"]
    assert first["key"] == "n=0"
    assert others == ["n=1", "n=2"]


def test_a_log_of_very_many_events_is_cut_in_the_middle() -> None:
    events = tuple(
        SeenEvent(float(n), "", "note", text=f"event {n}") for n in range(99)
    )
    outcome = Outcome(connections=(SeenConnection(0, "a", 0, events=events),))
    case = make_case()
    fail = VariantResult("", Verdict.FAIL, outcome=outcome)
    client = ClientResult("c", cases=(CaseResult(case, (fail,)),))
    data = page_data(html_report(RunResults((client,), (case,), all_variants=True)))
    (rows,) = data["logs"]
    assert len(rows) == 81
    assert rows[40][3] == "... 19 events are left out here"
    assert rows[-1][3] == "note event 98"


def test_a_page_of_a_calm_run_says_so() -> None:
    page = html_report(calm())
    assert "Everything is as expected" in page
    assert "base variants" in page
