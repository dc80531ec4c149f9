"""What is run, skipped, blocked and repeated, and what counts as a surprise."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.conformance.worlds import (
    GET,
    Listener,
    ScriptedAdapter,
    description,
    make_case,
    program,
    result,
)
from windtunnel_conformance.adapters.base import AdapterError
from windtunnel_conformance.adapters.process import ProcessAdapter
from windtunnel_conformance.case import Level, Verdict
from windtunnel_conformance.expectations import Known, Profile
from windtunnel_conformance.runner import (
    Entrant,
    RunOptions,
    in_order_of_need,
    run_cases,
)

if TYPE_CHECKING:
    from pathlib import Path

    from windtunnel_conformance.adapters.base import (
        Adapter,
        Description,
        RunRequest,
        RunResult,
    )
    from windtunnel_conformance.case import Case
    from windtunnel_conformance.results import ClientResult, VariantResult

BASE = RunOptions()
EXPECT = '[[expect]]\nverdict = "pass"\n[expect.got.r]\nstatus = 200\n'


def case(
    name: str, head: str = "", body: str = GET + EXPECT, level: str = "must"
) -> Case:
    """Return a case without a peer: a scripted adapter needs none."""
    return make_case(body, id=f"demo/{name}", head=head, level=level)


def status(code: int) -> ScriptedAdapter:
    """Return an adapter that reports one status for everything."""
    return ScriptedAdapter(lambda _: result(r={"status": code, "t": [0.0, 0.0]}))


def run(
    adapter: Adapter,
    *cases: Case,
    profile: Profile | None = None,
    options: RunOptions = BASE,
) -> ClientResult:
    """Run cases on one client."""
    entrant = Entrant("demo", adapter, profile or Profile("demo"))
    return run_cases([entrant], cases, options, Listener()).clients[0]


def only(client: ClientResult) -> VariantResult:
    """Return the only variant of the only case."""
    (one,) = client.cases
    (variant,) = one.variants
    return variant


def test_a_case_that_goes_as_it_should_is_a_pass_and_no_surprise() -> None:
    adapter, listener = status(200), Listener()
    results = run_cases(
        [Entrant("demo", adapter, Profile("demo"))], [case("one")], BASE, listener
    )
    assert results.as_expected
    assert results.families == ("demo",)
    (client,) = results.clients
    assert (client.name, client.version, client.runtime) == ("demo", "1.2", "test")
    assert only(client).verdict is Verdict.PASS
    assert only(client).alternative == 0
    assert only(client).outcome is not None
    assert adapter.closed == 1
    assert listener.events == [
        "begin demo 1",
        "advance demo demo/one pass",
        "end demo",
    ]


def test_a_failure_is_a_surprise_with_the_judges_reasons() -> None:
    client = run(status(500), case("one"))
    assert only(client).verdict is Verdict.FAIL
    assert not client.as_expected
    assert "got.r.status: expected 200, got 500" in only(client).reasons[0]
    assert "it is fail" in only(client).surprise
    assert list(client.surprises()) == [client.cases[0]]


def test_a_known_failure_is_no_surprise_until_it_is_gone() -> None:
    known = Known(("demo/one",), Verdict.FAIL, {}, "answers 500")
    profile = Profile("demo", known=(known,))
    assert run(status(500), case("one"), profile=profile).as_expected
    gone = run(status(200), case("one"), profile=profile)
    assert not gone.as_expected
    assert "known as fail" in only(gone).surprise
    lax = run(status(200), case("one"), profile=profile, options=RunOptions(lax=True))
    assert lax.as_expected
    assert only(lax).known == "answers 500"


def test_an_entry_about_no_case_is_stale_unless_nobody_looks() -> None:
    known = Known(("demo/gone",), Verdict.FAIL, {}, "long ago")
    profile = Profile("demo", known=(known,))
    corpus = ("demo/one",)
    strict = run(
        status(200), case("one"), profile=profile, options=RunOptions(corpus=corpus)
    )
    assert strict.unmatched == ("demo/gone",)
    assert not strict.as_expected
    for options in (RunOptions(lax=True, corpus=corpus), RunOptions()):
        assert run(
            status(200), case("one"), profile=profile, options=options
        ).as_expected


def test_known_differences_of_another_version_are_not_applied() -> None:
    known = Known(("demo/one",), Verdict.FAIL, {}, "answers 500")
    profile = Profile("demo", versions=">=2", known=(known,))
    client = run(status(500), case("one"), profile=profile)
    assert not client.as_expected
    assert "this is 1.2" in client.remark


@pytest.mark.parametrize(
    ("head", "about", "words"),
    [
        pytest.param('needs = ["tls"]', description(), "lacks tls", id="capability"),
        pytest.param(
            'needs = ["clock.virtual"]',
            description(clock="real"),
            "lacks clock.virtual",
            id="needs-virtual-time",
        ),
        pytest.param(
            '[clock]\nmode = "virtual"',
            description(clock="real"),
            "needs virtual time",
            id="virtual-mode",
        ),
        pytest.param(
            "[clock]\ngap = 0.001",
            description(clock="real", min_timeout_ms=50),
            "real time cannot tell",
            id="too-fine-for-real-time",
        ),
        pytest.param(
            '[origins]\na = { url = "http://a.test", connect = "hang" }',
            description(clock="real"),
            "never answers a connect",
            id="unreachable",
        ),
    ],
)
def test_what_a_client_cannot_play_is_skipped(
    head: str, about: Description, words: str
) -> None:
    adapter = ScriptedAdapter(lambda _: result(), about)
    client = run(adapter, case("one", head))
    assert only(client).verdict is Verdict.SKIPPED
    assert words in only(client).reasons[0]
    assert client.as_expected
    assert adapter.runs == 0


def test_virtual_time_in_this_process_is_a_capability_by_itself() -> None:
    assert only(run(status(200), case("one", 'needs = ["clock.virtual"]'))).expected


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        pytest.param("timeout = { pool = 1.0 }", "request.timeout.pool", id="timer"),
        pytest.param("decode = false", "request.decode", id="plain"),
    ],
)
@pytest.mark.parametrize("clock", ["virtual", "real"])
@pytest.mark.parametrize("grouped", [True, False])
def test_a_field_that_the_client_does_not_have_is_unsupported(
    request_: str, field: str, clock: str, *, grouped: bool
) -> None:
    action = f'request = {{ method = "GET", url = "${{a}}/", {request_} }}'
    if grouped:
        action = f'group = [[{{ as = "r", {action} }}]]'
    body = f'[[client]]\nas = "{"g" if grouped else "r"}"\n{action}\n{EXPECT}'
    about = description(unsupported_fields=[field], clock=clock)
    client = run(ScriptedAdapter(lambda _: result(), about), case("one", body=body))
    assert only(client).verdict is Verdict.UNSUPPORTED
    assert field in only(client).reasons[0]


def test_a_case_whose_need_failed_is_blocked_wherever_it_stands() -> None:
    def act(request: RunRequest) -> RunResult:
        code = 500 if request["case"] == "demo/need" else 200
        return result(r={"status": code})

    first = case("first", 'depends = ["demo/need"]')
    second = case("second", 'depends = ["demo/first"]')
    need = case("need", 'depends = ["demo/elsewhere"]')
    client = run(ScriptedAdapter(act), second, first, need)
    assert [one.case.id for one in client.cases] == [
        "demo/second",
        "demo/first",
        "demo/need",
    ]
    assert [one.verdict for one in client.cases] == ["blocked", "blocked", "fail"]
    assert client.cases[1].variants[0].reasons == ("demo/need is fail",)


def test_cases_come_after_their_needs_and_a_circle_ends() -> None:
    one = case("one", 'depends = ["demo/two"]')
    two = case("two", 'depends = ["demo/one"]')
    three = case("three", 'depends = ["demo/nowhere"]')
    order = [found.id for found in in_order_of_need([one, two, three])]
    assert order == ["demo/two", "demo/one", "demo/three"]


def test_all_variants_run_only_when_asked_for() -> None:
    varied = case(
        "one",
        '[vary]\nmatrix = { path = ["x", "y"] }',
        GET.replace('${a}/"', '${a}/${path}"') + EXPECT,
    )
    base = run(status(200), varied)
    full = run(status(200), varied, options=RunOptions(all_variants=True))
    assert [one.key for one in base.cases[0].variants] == ["path=x"]
    assert [one.key for one in full.cases[0].variants] == ["path=x", "path=y"]


def test_raw_errors_get_their_class_from_the_profile_then_from_the_adapter() -> None:
    about = description(errors={"Slow": "timeout.total"})
    body = GET + '[[expect]]\nverdict = "pass"\n[expect.got.r]\nerror = "timeout"\n'
    profile = Profile("demo", errors={"Fast": "timeout.connect"})

    def classes(error: dict[str, str]) -> object:
        def act(request: RunRequest) -> RunResult:
            return result(r={"error": error})  # type: ignore[typeddict-item]  # as sent

        outcome = only(
            run(ScriptedAdapter(act, about), case("one", body=body), profile=profile)
        ).outcome
        assert outcome is not None
        found = outcome.results["r"]["error"]
        assert isinstance(found, dict)
        return found["class"]

    assert classes({"raw": "Fast: x", "class": "other"}) == "timeout.connect"
    assert classes({"raw": "Slow: x"}) == "timeout.total"
    assert classes({"raw": "Odd", "class": "tls.verify"}) == "tls.verify"
    assert classes({"class": "tls.verify"}) == "tls.verify"
    assert classes({"raw": "Odd", "class": "no.such"}) == "other"


def test_a_broken_adapter_is_an_error_and_the_next_case_still_runs() -> None:
    def act(request: RunRequest) -> RunResult:
        if request["case"] == "demo/one":
            raise AdapterError("adapter.protocol", "what was that", "tail")
        return result(r={"status": 200})

    client = run(ScriptedAdapter(act), case("one"), case("two"))
    assert [one.verdict for one in client.cases] == ["error", "pass"]
    assert "what was that" in client.cases[0].variants[0].reasons[0]


def test_a_client_that_cannot_say_what_it_is_has_a_problem_and_no_cases(
    tmp_path: Path,
) -> None:
    broken = ProcessAdapter(program(tmp_path, "sys.stderr.write('oh')\nsys.exit(4)"))
    client = run(broken, case("one"))
    assert "exit code 4" in client.problem
    assert client.problem.endswith("oh")
    assert not client.as_expected
    assert "cannot be started" in run(ProcessAdapter(["/no/such"]), case("one")).problem


@pytest.mark.parametrize(
    ("name", "known"), [("demo", "demo"), ("../demo", "../demo"), ("node", "node")]
)
def test_a_program_takes_its_name_from_its_description(name: str, known: str) -> None:
    about = description(client={"name": name, "version": "", "runtime": ""})
    adapter = ScriptedAdapter(lambda _: result(r={"status": 200}), about)
    entrant = Entrant("./adapter --flag", adapter, None)
    results = run_cases([entrant], [case("one")], BASE, Listener())
    assert results.clients[0].name == known
    assert results.as_expected


# -- real time -----------------------------------------------------------------------

LATE = """
[[expect]]
verdict = "pass"
at = 1.0
[expect.got.r]
status = 200
"""


def test_a_missed_window_is_repeated_once_alone() -> None:
    ends = iter([9.0, 0.02])

    def act(request: RunRequest) -> RunResult:
        return result(r={"status": 200, "t": [0.0, next(ends)]})

    adapter = ScriptedAdapter(act, description(clock="real"))
    client = run(adapter, case("one", body=GET + LATE))
    assert adapter.runs == 2
    assert only(client).verdict is Verdict.PASS


def test_a_window_that_is_missed_twice_counts() -> None:
    adapter = ScriptedAdapter(
        lambda _: result(r={"status": 200, "t": [0.0, 9.0]}), description(clock="real")
    )
    client = run(adapter, case("one", body=GET + LATE))
    assert adapter.runs == 2
    assert only(client).verdict is Verdict.LENIENT
    assert "late" in only(client).note


def test_a_run_that_another_one_took_down_is_repeated_alone(tmp_path: Path) -> None:
    body = """
    while (message := read()) and message["op"] != "bye":
        if message["op"] == "describe":
            about = json.loads(os.environ.get("ABOUT", "{}"))
            write({"op": "describe", "id": 0, "protocol": 1, "max_parallel": 4,
                   "client": {"name": "demo"}, "capabilities": []})
        elif message["case"] == "demo/crash":
            sys.exit(5)
        elif message["case"] == "demo/slow" and message["id"] < 4:
            pass
        else:
            write({"op": "result", "id": message["id"],
                   "results": {"r": {"status": 200}}})
    """
    adapter = ProcessAdapter(program(tmp_path, body))
    client = run(adapter, case("slow"), case("fine"), case("crash"))
    assert [one.verdict for one in client.cases] == ["pass", "pass", "error"]
    assert "exit code 5" in client.cases[2].variants[0].reasons[0]


def test_real_time_is_measured_with_a_plain_case_when_a_case_depends_on_it() -> None:
    adapter = ScriptedAdapter(
        lambda _: result(r={"status": 200, "t": [0.0, 0.001]}),
        description(clock="real"),
    )
    warm_up = case("warm")
    options = RunOptions(warm_up=warm_up)
    timed = case("timed", "[clock]\ngap = 100.0")
    client = run(adapter, timed, options=options)
    assert adapter.runs == 51
    assert only(client).verdict is Verdict.PASS
    lacking = replace(warm_up, needs=("tls",))
    run(adapter, timed, options=RunOptions(warm_up=lacking))
    assert adapter.runs == 52


def test_a_strict_level_wants_nothing_but_a_pass() -> None:
    body = (
        GET
        + '[[expect]]\nverdict = "lenient"\nnote = "so so"\n'
        + "[expect.got.r]\nstatus = 200\n"
    )
    profile = Profile("demo", strict=frozenset({Level.MUST}))
    client = run(status(200), case("one", body=body), profile=profile)
    assert only(client).verdict is Verdict.LENIENT
    assert only(client).note == "so so"
    assert not client.as_expected


def test_a_judge_that_fails_is_an_error_of_the_harness_and_not_of_the_run() -> None:
    from windtunnel_conformance.acceptable import Pattern  # one use

    broken = case("one")
    (alternative,) = broken.base.alternatives
    bad = replace(alternative, got={"r": {"body": Pattern("(")}})
    variant = replace(broken.base, alternatives=(bad,))
    adapter = ScriptedAdapter(lambda _: result(r={"status": 200, "body": "x"}))
    client = run(adapter, replace(broken, variants=(variant,)), case("two"))
    assert [one.verdict for one in client.cases] == ["error", "pass"]
    assert "harness" in client.cases[0].variants[0].reasons[-1]
