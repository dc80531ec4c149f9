from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.conformance import casefile
from windtunnel_conformance.case import Verdict
from windtunnel_conformance.judge import Judgement, judge, roll_up
from windtunnel_conformance.outcome import (
    Outcome,
    SeenConnection,
    SeenRequest,
    Timing,
)

if TYPE_CHECKING:
    from windtunnel_conformance.case import Json

REQUEST = SeenRequest(
    time=0.0,
    raw=b"GET / HTTP/1.1\r\nHost: a.test\r\nX-M: 1\r\nx-m: 2\r\n\r\n",
    line="GET / HTTP/1.1",
    method="GET",
    target="/",
    headers=(("Host", "a.test"), ("X-M", "1"), ("x-m", "2")),
    body=b"",
)
CONNECTION = SeenConnection(0, "a", 0, (REQUEST,))
OK: dict[str, Json] = {"status": 200, "body": "hello", "error": None}


def expectation(got: str = "status = 200", *, more: str = "", sent: str = "") -> str:
    """Return the text of one alternative that passes."""
    return f'[[expect]]\nverdict = "pass"\n{more}\n[expect.got.r]\n{got}\n{sent}\n'


def judged(
    expect: str,
    result: dict[str, Json] | None = None,
    *,
    top: str = "",
    **changes: Any,
) -> Judgement:
    """Judge a run in which the action ``r`` had a result, one connection came."""
    outcome = Outcome(
        results={"r": OK if result is None else result}, connections=(CONNECTION,)
    )
    variant = casefile.variant(expect=expect, top=top)
    return judge(variant, replace(outcome, **changes))


def test_the_first_alternative_that_matches_decides() -> None:
    expect = (
        expectation("status = 204")
        + '[[expect]]\nverdict = "lenient"\nnote = "close"\n'
        + "[expect.got.r]\nstatus = 200\n"
        + expectation("status = 200")
    )
    found = judged(expect)
    assert (found.verdict, found.alternative, found.note) == (
        Verdict.LENIENT,
        1,
        "close",
    )
    assert found.reasons == ("alternative 0: got.r.status: expected 204, got 200",)


def test_no_match_is_a_failure_with_the_nearest_miss_first() -> None:
    found = judged(
        expectation('status = 204\nbody = "x"', more="connections = 2\nreused = true")
        + expectation("status = 201")
    )
    assert found.verdict is Verdict.FAIL
    assert found.reasons == (
        "alternative 1: got.r.status: expected 201, got 200",
        "alternative 0: got.r.status: expected 204, got 200; got.r.body: expected "
        "b'x', got b'hello'; connections: expected 2, got 1; and 1 more",
    )


@pytest.mark.parametrize(
    ("expected", "seen"),
    [
        ("status = 200", {"status": 200}),
        ("status = { any_of = [204, 200] }", {"status": 200}),
        ('body = "h\\u00e9"', {"body": "hé"}),
        ('body = "h\\u00e9"', {"body": {"b64": "aOk="}}),
        ('body = { re = "^h.*o$" }', {"body": "hello"}),
        ('body = { prefix = "he" }', {"body": "hello"}),
        ('body = { capture = "x" }', {"body": "hello"}),
        (
            f'body = {{ sha256 = "{hashlib.sha256(b"hello").hexdigest()}", len = 5 }}',
            {"body": "hello"},
        ),
        (
            f'body = {{ sha256 = "{"a" * 64}", len = 9 }}',
            {"body": {"len": 9, "sha256": "a" * 64, "head": {"b64": "aGU="}}},
        ),
        (
            'body = "hello"',
            {"body": {"len": 5, "sha256": hashlib.sha256(b"hello").hexdigest()}},
        ),
        ("trailers = { absent = true }", {}),
        ("reason = { absent = true }", {"reason": None}),
        ("history = [301, 302]", {"history": [301, 302]}),
        (
            'headers = { x-a = ["1", "2"], x-b = "1, 2", x-c = { absent = true } }',
            {"headers": [["X-A", "1"], ["x-b", "1"], ["x-a", "2"], ["X-B", "2"]]},
        ),
        (
            'headers = { x-a = { re = "^1, 2$" }, x-b = { any_of = ["1", "3, 4"] } }',
            {"headers": [["X-A", "1"], ["x-a", "2"], ["X-B", "3"], ["X-B", "4"]]},
        ),
        (
            'headers = { x-a = { any_of = ["2", { re = "^1, 2$" }] } }',
            {"headers": [["X-A", "1"], ["x-a", "2"]]},
        ),
        (
            "json = { a = [1, 2.5], b = true, c = { d = 'x' } }",
            {"json": {"c": {"d": "x"}, "b": True, "a": [1.0, 2.5]}},
        ),
        ('url = "http://a.test/"', {"url": "http://a.test/"}),
        ('text = "é"', {"text": "é"}),
        (
            'error = "timeout"',
            {"error": {"class": "timeout.sock_read"}, "status": 200},
        ),
        (
            'error = { any_of = ["tls", "url.host"] }',
            {"error": {"class": "tls.verify.hostname"}},
        ),
    ],
)
def test_a_result_matches(expected: str, seen: dict[str, Json]) -> None:
    assert judged(expectation(expected), seen).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("expected", "seen", "reason"),
    [
        ("status = 200", {"status": 204}, "got.r.status: expected 200, got 204"),
        ("status = 1", {"status": True}, "got.r.status: expected 1, got True"),
        ("status = 200", {}, "got.r.status: expected 200, got nothing"),
        (
            'body = "a"',
            {"body": {"len": 9, "sha256": "a" * 64}},
            "got.r.body: expected b'a', got 9 bytes with sha256 aaaaaaaaaaaa...",
        ),
        (
            f'body = {{ sha256 = "{"a" * 64}", len = 9 }}',
            {"body": 1},
            "got.r.body: expected 9 bytes with sha256 aaaaaaaaaaaa..., got 1",
        ),
        (
            'body = { prefix = "x" }',
            {"body": {"b64": "?"}},
            "got.r.body: expected something that starts with b'x', got {'b64': '?'}",
        ),
        (
            'body = { re = "x" }',
            {"body": "Ā"},
            "got.r.body: expected a match of 'x', got 'Ā'",
        ),
        (
            "json = { a = true }",
            {"json": {"a": 1}},
            "got.r.json: expected {'a': True}, got {'a': 1}",
        ),
        (
            "json = { a = [1] }",
            {"json": {"a": [1, 2]}},
            "got.r.json: expected {'a': [1]}, got {'a': [1, 2]}",
        ),
        (
            'headers = { x-a = ["1"] }',
            {"headers": [["X-A", "1"], ["X-A", "2"]]},
            "got.r.headers: expected x-a: ['1'], got [['X-A', '1'], ['X-A', '2']]",
        ),
        (
            'headers = { x-a = ["1"] }',
            {"headers": None},
            "got.r.headers: expected x-a: ['1'], got None",
        ),
        (
            "history = [1]",
            {"history": 1},
            "got.r.history: expected [1], got 1",
        ),
        (
            "url = { absent = true }",
            {"url": "x"},
            "got.r.url: expected nothing, got 'x'",
        ),
        (
            "text = { capture = 'x' }",
            {"text": 1},
            "got.r.text: expected any text, got 1",
        ),
        (
            'body = { any_of = ["a", { re = "b" }] }',
            {"body": "c"},
            "got.r.body: expected any of b'a', a match of 'b', got b'c'",
        ),
        (
            "status = 200",
            {"status": 200, "error": {"class": "other", "raw": "Boom"}},
            "got.r.error: expected no error, got other ('Boom')",
        ),
        (
            'error = "timeout"',
            {"status": 200},
            "got.r.error: expected 'timeout', got no error",
        ),
        (
            'error = "timeout"',
            {"error": {"message": "?"}},
            "got.r.error: expected 'timeout', got an error without class ('?')",
        ),
        (
            'error = "timeout"',
            {"error": "broken"},
            "got.r.error: expected 'timeout', got an error without class ('')",
        ),
    ],
)
def test_a_result_that_does_not_match_says_why(
    expected: str, seen: dict[str, Json], reason: str
) -> None:
    found = judged(expectation(expected), seen)
    assert found.verdict is Verdict.FAIL
    assert found.reasons == (f"alternative 0: {reason}",)


def test_a_long_value_is_cut_and_its_size_told() -> None:
    (reason,) = judged(expectation('body = "x"'), {"body": "y" * 500}).reasons
    assert reason.endswith("yyyyy... (500 bytes)")
    assert len(reason) < 160


def test_an_expected_error_does_not_ask_what_is_not_exposed() -> None:
    found = judged(
        expectation('status = 200\nerror = "timeout"\npartial = "abc"'),
        {"error": {"class": "timeout.total"}},
    )
    assert found.verdict is Verdict.PASS
    assert found.not_compared == ("got.r.status", "got.r.partial")


def test_an_action_without_result_is_a_mismatch() -> None:
    found = judged(expectation(), results={})
    assert found.reasons == (
        "alternative 0: got.r: expected a result, got none; an earlier action failed",
    )


@pytest.mark.parametrize(
    "sent",
    [
        'line = "GET / HTTP/1.1"\nmethod = "GET"\ntarget = { re = "^/$" }\nbody = ""',
        'peer = "a"\nonce = { host = "a.test" }\nabsent = ["x-z"]',
        'headers = { x-m = ["1", "2"], x-z = { absent = true } }',
        'raw = { re = "X-M: 1" }',
    ],
)
def test_a_request_on_the_wire_matches(sent: str) -> None:
    expect = expectation(sent=f"[[expect.sent]]\n{sent}")
    assert judged(expect).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (
            'line = "GET /x HTTP/1.1"',
            "sent[0].line: expected 'GET /x HTTP/1.1', got 'GET / HTTP/1.1'",
        ),
        (
            'once = { x-m = "1" }',
            "sent[0].once.x-m: expected one field line, got ['1', '2']",
        ),
        (
            'once = { host = "b.test" }',
            "sent[0].once.host: expected 'b.test', got 'a.test'",
        ),
        (
            'absent = ["host"]',
            "sent[0].absent.host: expected no field line, got ['a.test']",
        ),
        (
            'headers = { x-m = "2, 1" }',
            "sent[0].headers.x-m: expected '2, 1', got '1, 2'",
        ),
        (
            'body_like = ["x"]',
            "sent[0].body_like: expected a body like b'x', got b''",
        ),
    ],
)
def test_a_request_that_does_not_match_says_why(sent: str, reason: str) -> None:
    found = judged(expectation(sent=f"[[expect.sent]]\n{sent}"))
    assert found.reasons == (f"alternative 0: {reason}",)


def test_the_list_of_requests_is_complete_and_in_order_of_arrival() -> None:
    late = replace(REQUEST, time=2.0, line="GET /late HTTP/1.1")
    connections = (
        SeenConnection(0, "a", 0, (late,)),
        SeenConnection(1, "b", None, (REQUEST,)),
    )
    found = judged(
        expectation(
            more="extra_connections = true",
            sent='[[expect.sent]]\npeer = "a"\nline = "GET /late HTTP/1.1"',
        ),
        connections=connections,
    )
    assert [one.text for one in found.mismatches[0]] == [
        "sent: expected 1 requests, got 2: 'GET / HTTP/1.1', 'GET /late HTTP/1.1'",
        "sent[0].peer: expected 'a', got 'b'",
        "sent[0].line: expected 'GET /late HTTP/1.1', got 'GET / HTTP/1.1'",
    ]


def test_nothing_sent_can_be_asked_for() -> None:
    found = judged(expectation(more="sent = []"))
    assert found.reasons == (
        "alternative 0: sent: expected 0 requests, got 1: 'GET / HTTP/1.1'",
    )


def test_a_body_template_uses_what_was_captured_before() -> None:
    body = b"--xyz\r\nContent-Type: a/b\r\n\r\nfile\n--xyz--\r\n"
    request = replace(
        REQUEST, headers=(("Content-Type", "m; boundary=xyz"),), body=body
    )
    expect = expectation(
        sent="""
[[expect.sent]]
once = { content-type = { re = "boundary=(?P<b>[a-z]+)(?P<more>;)?$" } }
body_like = [
  "--${b}\\r\\n", { optional_headers = ["Content-Length", "content-type"] },
  "\\r\\n", { re = "f.*" }, "--${b}--\\r\\n",
]
"""
    )
    found = judged(
        expect,
        top='[let]\nb = { capture = "b" }',
        connections=(SeenConnection(0, "a", 0, (request,)),),
    )
    assert found.verdict is Verdict.PASS


def test_connections_are_counted_and_matched_with_their_peers() -> None:
    extra = SeenConnection(1, "a", None, problem="it was reset")
    found = judged(
        expectation(more="reused = true\nbytes_after = { tls = 0 }"),
        connections=(replace(CONNECTION, peer=None, bytes_after={"tls": 7}), extra),
    )
    assert [one.text for one in found.mismatches[0]] == [
        "reused: expected True, got False",
        "bytes_after.tls: expected 0, got 7",
        "extra_connections: expected none, got connection 0, 1",
        "peer[0]: expected a connection, got none came",
    ]
    assert found.note == "connection 1: it was reset"


def test_what_stays_open_after_the_session_fails_every_alternative() -> None:
    found = judged(expectation(), leaks={"sockets": 0, "tasks": 2})
    assert found.reasons == (
        "alternative 0: leaks.tasks: expected 0 after the session is closed, got 2",
    )


@pytest.mark.parametrize(
    ("at", "within", "ended", "verdict"),
    [
        pytest.param(3.0, 0.0, 3.0000005, Verdict.PASS, id="within-a-microsecond"),
        pytest.param(3.0, 0.0, 3.00001, Verdict.FAIL, id="late"),
        pytest.param(3.0, 0.0, 2.9, Verdict.FAIL, id="early"),
        pytest.param(3.0, 0.5, 3.4, Verdict.PASS, id="tolerance"),
        pytest.param(3.0, 0.0, None, Verdict.FAIL, id="unknown"),
    ],
)
def test_virtual_time_is_exact(
    at: float, within: float, ended: float | None, verdict: Verdict
) -> None:
    found = judged(expectation(more=f"at = {at}\nwithin = {within}"), ended_at=ended)
    assert found.verdict is verdict


@pytest.mark.parametrize(
    ("ended", "verdict"),
    [
        pytest.param(0.2, Verdict.PASS, id="in-time"),
        pytest.param(0.199, Verdict.PASS, id="one-step-early"),
        pytest.param(0.197, Verdict.FAIL, id="early"),
        pytest.param(0.289, Verdict.PASS, id="late-by-three-times-the-jitter"),
        pytest.param(0.3, Verdict.LENIENT, id="later"),
    ],
)
def test_real_time_has_a_window_and_lateness_is_tolerated(
    ended: float, verdict: Verdict
) -> None:
    timing = Timing(virtual=False, scale=0.02, jitter=0.03, step=0.002)
    found = judged(expectation(more="at = 10"), ended_at=ended, timing=timing)
    assert found.verdict is verdict
    if verdict is Verdict.LENIENT:
        assert found.note == "late: at 15 s instead of 10 s"


def test_lateness_is_added_to_a_note_and_keeps_a_recorded_choice() -> None:
    timing = Timing(virtual=False)
    expect = """
[[expect]]
verdict = "info"
note = "so"
at = 1
[expect.got.r]
status = 200
"""
    found = judged(expect, ended_at=2.0, timing=timing)
    assert (found.verdict, found.note) == (
        Verdict.INFO,
        "so; late: at 2 s instead of 1 s",
    )


@pytest.mark.parametrize(
    ("change", "verdict", "note"),
    [
        (
            {"unsupported": "no such timer"},
            Verdict.UNSUPPORTED,
            "no such timer",
        ),
        (
            {"adapter_error": ("adapter.crash", "exit code 139")},
            Verdict.ERROR,
            "adapter.crash: exit code 139",
        ),
        (
            {"adapter_error": ("adapter.hang", "waits for a read")},
            Verdict.FAIL,
            "adapter.hang: waits for a read",
        ),
    ],
)
def test_what_the_adapter_says_about_itself_comes_first(
    change: dict[str, Any], verdict: Verdict, note: str
) -> None:
    found = judged(expectation(), **change)
    assert (found.verdict, found.note) == (verdict, note)


def test_a_case_is_as_good_as_its_worst_variant() -> None:
    assert roll_up([Verdict.PASS, Verdict.FAIL, Verdict.LENIENT]) is Verdict.FAIL
    with pytest.raises(ValueError, match="empty"):
        roll_up([])
