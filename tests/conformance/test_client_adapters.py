"""The three clients in this process: what they are asked, and what they report."""

from __future__ import annotations

import asyncio
import gzip
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.conformance.worlds import GET, PASS, make_case
from windtunnel_conformance.adapters.catalogue import open_adapter
from windtunnel_conformance.case import CAPABILITIES, Action
from windtunnel_conformance.judge import judge
from windtunnel_conformance.outcome import Timing
from windtunnel_conformance.stage import Assignment, run_virtual

if TYPE_CHECKING:
    from windtunnel_conformance.adapters.base import Adapter
    from windtunnel_conformance.case import Case
    from windtunnel_conformance.outcome import Outcome

CLIENTS = ("windtunnel", "aiohttp", "httpx")


@pytest.fixture(params=CLIENTS)
def adapter(request: pytest.FixtureRequest) -> Adapter:
    """Each client in turn."""
    return open_adapter(request.param)


def play(adapter: Adapter, case: Case) -> Outcome:
    """Play the base variant on the simulated network."""
    return run_virtual(Assignment(case, case.base, 1, Timing()), adapter)


def got(outcome: Outcome, name: str = "r") -> Any:
    """Return what was reported for an action."""
    assert outcome.adapter_error is None, outcome
    assert outcome.unsupported is None
    return outcome.results[name]


def request_case(fields: str, *, answer: str = "", head: str = "") -> Case:
    """Return a case with one request and one answer."""
    sent = answer or '"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok"'
    return make_case(
        f'[[client]]\nas = "r"\nrequest = {{ {fields} }}\n'
        f'[[peer]]\nsteps = [{{ read = "request" }}, {{ send = {sent} }}]\n'
        '[[expect]]\nverdict = "pass"\n[expect.got.r]\nstatus = 200\n',
        head=head,
    )


def test_each_client_says_who_it_is_in_words_that_cases_know(adapter: Adapter) -> None:
    about = asyncio.run(adapter.describe())
    asyncio.run(adapter.aclose())
    assert about["clock"] == "virtual"
    assert about["client"]["version"]
    assert about["client"]["runtime"].startswith("python 3.")
    assert set(about["capabilities"]) <= set(CAPABILITIES)
    assert len(set(about["capabilities"])) == len(about["capabilities"])


def test_a_plain_get_is_reported_in_full(adapter: Adapter) -> None:
    case = request_case(
        'method = "GET", url = "${a}/x?y=1"',
        answer='"HTTP/1.1 200 Fine\\r\\nX-Two: 1\\r\\nx-two: \\u00e9\\r\\n'
        'Content-Length: 2\\r\\n\\r\\nok"',
    )
    outcome = play(adapter, case)
    seen = got(outcome)
    assert (seen["status"], seen["reason"], seen["http"]) == (200, "Fine", "1.1")
    assert seen["url"] == "http://a.test/x?y=1"
    assert seen["history"] == []
    assert [value for name, value in seen["headers"] if name.lower() == "x-two"] == [
        "1",
        "\u00e9",
    ]
    assert seen["raw_headers"][0] == ["X-Two", "1"]
    assert seen["body"] == "ok"
    assert outcome.ended_at == pytest.approx(0.0, abs=1e-6)
    assert not any(outcome.leaks.values())


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        pytest.param('{ text = "h\u00e9" }', "h\u00e9".encode(), id="text"),
        pytest.param('{ bytes = "\\u0000\\u00ff" }', b"\x00\xff", id="bytes"),
        pytest.param('{ form = [["a", "1"], ["a", "2 3"]] }', b"a=1&a=2+3", id="form"),
        pytest.param(
            '{ chunks = ["on", { wait = 2.0 }, "e"] }', b"one", id="chunks-with-a-wait"
        ),
    ],
)
def test_bodies_arrive_as_they_were_given(
    adapter: Adapter, body: str, sent: bytes
) -> None:
    case = request_case(f'method = "POST", url = "${{a}}/up", body = {body}')
    outcome = play(adapter, case)
    assert got(outcome)["status"] == 200
    (connection,) = outcome.connections
    (request,) = connection.requests
    assert request.body == sent
    assert request.complete
    assert request.line == "POST /up HTTP/1.1"
    assert outcome.ended_at == pytest.approx(2.0 if sent == b"one" else 0.0, abs=1e-6)


def test_json_bodies_params_and_headers_are_passed_on(adapter: Adapter) -> None:
    case = request_case(
        'method = "POST", url = "${a}/p", params = [["k", "1"], ["k", "2"]], '
        'headers = [["X-One", "1"], ["X-One", "2"]], body = { json = { n = [1] } }'
    )
    (connection,) = play(adapter, case).connections
    (request,) = connection.requests
    assert request.target == "/p?k=1&k=2"
    assert request.body.replace(b" ", b"") == b'{"n":[1]}'
    assert [value for name, value in request.headers if name == "X-One"] == ["1", "2"]


def test_a_streamed_body_is_read_in_the_sizes_of_the_case(adapter: Adapter) -> None:
    case = make_case(
        """
        [[client]]
        as = "r"
        request = { method = "GET", url = "${a}/", stream = true }
        [[client]]
        as = "first"
        read = { on = "r", size = 3 }
        [[client]]
        as = "rest"
        read = { on = "r" }
        [[peer]]
        steps = [
          { read = "request" },
          { send = "HTTP/1.1 200 OK\\r\\nContent-Length: 7\\r\\n\\r\\nab" },
          { wait = 1.0 },
          { send = "cdefg" },
        ]
        [[expect]]
        verdict = "pass"
        [expect.got.first]
        body = "abc"
        [expect.got.rest]
        body = "defg"
        """
    )
    outcome = play(adapter, case)
    assert "body" not in got(outcome)
    assert got(outcome, "first")["body"] == "abc"
    assert got(outcome, "rest")["body"] == "defg"
    assert judge(case.base, outcome).verdict == "pass"


def test_reading_beyond_the_end_gives_what_there_was(adapter: Adapter) -> None:
    case = make_case(
        """
        [[client]]
        as = "r"
        request = { method = "GET", url = "${a}/", stream = true }
        [[client]]
        as = "more"
        read = { on = "r", size = 30 }
        [[peer]]
        steps = [
          { read = "request" },
          { send = "HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok" },
        ]
        """
    )
    assert got(play(adapter, case), "more")["body"] == "ok"


@pytest.mark.parametrize("size", ["", ", size = 6"])
def test_a_broken_body_is_an_error_with_what_came_before_it(
    adapter: Adapter, size: str
) -> None:
    case = make_case(
        f"""
        [[client]]
        as = "r"
        request = {{ method = "GET", url = "${{a}}/", stream = true }}
        [[client]]
        as = "all"
        read = {{ on = "r"{size} }}
        [[peer]]
        steps = [
          {{ read = "request" }},
          {{ send = "HTTP/1.1 200 OK\\r\\nContent-Length: 7\\r\\n\\r\\nabc" }},
          {{ wait = 1.0 }},
          {{ close = "fin" }},
        ]
        """
    )
    seen = got(play(adapter, case), "all")
    assert seen["partial"] == "abc"
    assert "body" not in seen
    assert ":" in seen["error"]["raw"]


def test_what_follows_a_failed_action_on_it_has_no_result(adapter: Adapter) -> None:
    case = make_case(
        """
        [[client]]
        as = "r"
        request = { method = "GET", url = "${a}/", stream = true }
        [[client]]
        as = "lost"
        read = { on = "r" }
        [[client]]
        as = "other"
        sleep = 1.5
        [[peer]]
        steps = [{ read = "request" }, { close = "rst" }]
        [[peer]]
        optional = true
        steps = [{ read = "request" }, { close = "rst" }]
        """
    )
    outcome = play(adapter, case)
    assert "error" in got(outcome)
    assert "lost" not in outcome.results
    assert got(outcome, "other")["t"][1] == pytest.approx(1.5, abs=1e-6)


@pytest.mark.parametrize(
    ("kind", "sent", "value"),
    [
        pytest.param("json", '{\\"a\\": [1]}', {"a": [1]}, id="json"),
        pytest.param("text", "h\\u00c3\\u00a9", "h\u00e9", id="text"),
    ],
)
def test_the_client_decodes_what_the_case_wants_decoded(
    adapter: Adapter, kind: str, sent: str, value: object
) -> None:
    media = {"json": "application/json", "text": "text/plain; charset=utf-8"}[kind]
    case = request_case(
        f'method = "GET", url = "${{a}}/", read_as = "{kind}"',
        answer=f'["HTTP/1.1 200 OK\\r\\nContent-Type: {media}\\r\\nContent-Length: ", '
        f'{{ len = "{sent}" }}, "\\r\\n\\r\\n{sent}"]',
    )
    seen = got(play(adapter, case))
    assert seen[kind] == value
    assert "body" in seen


def test_json_that_is_broken_is_an_error_of_the_action(adapter: Adapter) -> None:
    case = request_case(
        'method = "GET", url = "${a}/", read_as = "json"',
        answer='"HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\n'
        'Content-Length: 2\\r\\n\\r\\n[1"',
    )
    assert got(play(adapter, case))["error"]["raw"].startswith("JSONDecodeError")


@pytest.mark.parametrize("place", ["request", "session"])
def test_decoding_can_be_turned_off(adapter: Adapter, place: str) -> None:
    packed = gzip.compress(b"plain", mtime=0)
    fields = 'method = "GET", url = "${a}/"'
    case = request_case(
        fields + (", decode = false" if place == "request" else ""),
        answer='["HTTP/1.1 200 OK\\r\\nContent-Encoding: gzip\\r\\nContent-Length: '
        f'{len(packed)}\\r\\n\\r\\n", {{ hex = "{packed.hex()}" }}]',
        head="[session]\ndecode = false" if place == "session" else "",
    )
    assert got(play(adapter, case))["body"] == packed.decode("latin-1")


def test_a_read_timeout_fires_at_its_virtual_second(adapter: Adapter) -> None:
    case = request_case(
        'method = "GET", url = "${a}/", timeout = { sock_read = 5.0 }',
        answer='"HTTP/1.1 200 OK\\r\\n"',
    )
    outcome = play(adapter, case)
    assert "error" in got(outcome)
    assert outcome.ended_at == pytest.approx(5.0, abs=1e-6)


def test_a_timer_that_a_client_does_not_have_is_unsupported_and_not_failed() -> None:
    total = request_case('method = "GET", url = "${a}/", timeout = { total = 5.0 }')
    pool = request_case('method = "GET", url = "${a}/", timeout = { pool = 5.0 }')
    assert "total" in str(play(open_adapter("httpx"), total).unsupported)
    assert "pool" in str(play(open_adapter("aiohttp"), pool).unsupported)
    assert got(play(open_adapter("aiohttp"), total))["status"] == 200
    assert got(play(open_adapter("httpx"), pool))["status"] == 200


def test_without_keep_alive_each_request_has_its_connection(adapter: Adapter) -> None:
    two = GET.replace('"r"', '"one"') + GET.replace('"r"', '"two"')
    peer = """
    [[peer]]
    steps = [
      { read = "request" },
      { send = "HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n" },
      { read = "request" },
      { send = "HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n" },
    ]
    """
    kept = make_case(two + peer.replace("\n    ", "\n"))
    apart = make_case(
        two + (peer + peer).replace("\n    ", "\n"),
        head="[session]\nkeepalive = false\nlimit = 3",
    )
    assert len(play(adapter, kept).connections) == 1
    assert len(play(adapter, apart).connections) == 2


def test_concurrent_actions_and_shared_events_are_ordered_without_sleeping(
    adapter: Adapter,
) -> None:
    case = make_case(
        """
        [[client]]
        as = "both"
        group = [
          [{ as = "r", request = { method = "GET", url = "${a}/" } }],
          [{ as = "asked", wait_for = "asked" }, { as = "go", signal = "go" }],
        ]
        [[peer]]
        steps = [
          { read = "head" },
          { signal = "asked" },
          { wait_for = "go" },
          { send = "HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok" },
        ]
        """
        + PASS.replace("\n", "\n        ")
    )
    outcome = play(adapter, case)
    assert got(outcome)["body"] == "ok"
    assert set(outcome.results) == {"both", "r", "asked", "go"}


def test_a_streamed_response_can_be_given_up(adapter: Adapter) -> None:
    case = make_case(
        """
        [[client]]
        as = "r"
        request = { method = "GET", url = "${a}/", stream = true }
        [[client]]
        as = "end"
        close = { on = "r" }
        [[peer]]
        steps = [
          { read = "request" },
          { send = "HTTP/1.1 200 OK\\r\\nContent-Length: 7\\r\\n\\r\\nab" },
          { wait = "forever" },
        ]
        """
    )
    outcome = play(adapter, case)
    assert "error" not in got(outcome, "end")
    assert not any(outcome.leaks.values())


def test_a_response_left_open_is_closed_with_the_session(adapter: Adapter) -> None:
    case = make_case(
        """
        [[client]]
        as = "r"
        request = { method = "GET", url = "${a}/", stream = true }
        [[peer]]
        steps = [
          { read = "request" },
          { send = "HTTP/1.1 200 OK\\r\\nContent-Length: 7\\r\\n\\r\\nab" },
        ]
        """
    )
    assert not any(play(adapter, case).leaks.values())


def test_a_tls_origin_is_trusted_through_the_runs_own_authority(
    adapter: Adapter,
) -> None:
    case = make_case(
        GET
        + """
[[peer]]
steps = [
  { read = "request" },
  { send = "HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok" },
]
"""
        + PASS,
        head='[origins]\na = { url = "https://a.test" }',
    )
    outcome = play(adapter, case)
    assert got(outcome)["body"] == "ok"
    (connection,) = outcome.connections
    assert connection.bytes_after["tls"] == len(connection.requests[0].raw)


@pytest.mark.parametrize(
    ("session", "statuses"),
    [
        pytest.param("redirects = 0", (302,), id="not-followed"),
        pytest.param("redirects = 3", (200,), id="followed"),
    ],
)
@pytest.mark.parametrize("name", ["aiohttp", "httpx"])
def test_redirects_are_a_choice_of_the_session(
    name: str, session: str, statuses: tuple[int, ...]
) -> None:
    case = make_case(
        GET
        + """
[[peer]]
steps = [
  { read = "request" },
  { send = "HTTP/1.1 302 Found\\r\\nLocation: /b\\r\\nContent-Length: 0\\r\\n\\r\\n" },
  { read = "request" },
  { send = "HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok" },
]
""",
    )
    changed = {"redirects": int(session[-1])}
    work = Assignment(_with_session(case, changed), case.base, 1, Timing())
    seen = got(run_virtual(work, open_adapter(name)))
    assert (seen["status"],) == statuses
    assert seen["history"] == ([302] if statuses == (200,) else [])


@pytest.mark.parametrize("name", ["aiohttp", "httpx"])
@pytest.mark.parametrize("kept", [True, False])
def test_cookies_are_a_choice_of_the_session(name: str, *, kept: bool) -> None:
    answer = "HTTP/1.1 200 OK\\r\\nSet-Cookie: a=1\\r\\nContent-Length: 0\\r\\n\\r\\n"
    case = make_case(
        GET.replace('"r"', '"one"')
        + GET.replace('"r"', '"two"')
        + f"""
[[peer]]
steps = [
  {{ read = "request" }}, {{ send = "{answer}" }},
  {{ read = "request" }}, {{ send = "{answer}" }},
]
""",
    )
    work = Assignment(_with_session(case, {"cookies": kept}), case.base, 1, Timing())
    (connection,) = run_virtual(work, open_adapter(name)).connections
    second = dict(connection.requests[1].headers)
    assert ("cookie" in {key.lower() for key in second}) is kept


def _with_session(case: Case, options: dict[str, Any]) -> Case:
    return replace(case, session=options)


def test_a_body_that_no_client_knows_is_unsupported(adapter: Adapter) -> None:
    case = request_case('method = "POST", url = "${a}/"')
    fields: Any = {"method": "POST", "url": "http://a.test/", "body": {"smoke": 1}}
    variant = replace(case.base, actions=(Action("r", "request", fields),))
    outcome = run_virtual(Assignment(case, variant, 1, Timing()), adapter)
    assert "smoke" in str(outcome.unsupported)
