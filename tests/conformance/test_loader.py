from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from tests.conformance import casefile
from windtunnel_conformance.acceptable import (
    Absent,
    AnyOf,
    Capture,
    CaptureRef,
    Digest,
    Equal,
    EqualJson,
    Fields,
    Items,
    OptionalHeaders,
    Pattern,
    Prefix,
)
from windtunnel_conformance.case import (
    Close,
    HalfClose,
    Level,
    Pause,
    Read,
    Resume,
    Send,
    Signal,
    StartTls,
    Verdict,
    Wait,
    WaitFor,
)
from windtunnel_conformance.errors import CorpusError
from windtunnel_conformance.loader import load_case, load_corpus, parse_case

if TYPE_CHECKING:
    from pathlib import Path


def test_a_case_has_the_facts_of_its_file() -> None:
    case = casefile.case(
        top="""
needs = ["tls"]
depends = ["basic/get-200"]
why = \"\"\"
Because.\"\"\"
[clock]
mode = "virtual"
start = 3.5
wall = "2026-01-15T12:00:00Z"
gap = 1
[session]
keepalive = false
decode = true
limit = 2
"""
    )
    assert (case.id, case.family, case.title) == ("family/slug", "family", "A title")
    assert case.level is Level.MUST
    assert (case.needs, case.depends, case.why) == (
        ("tls",),
        ("basic/get-200",),
        "Because.",
    )
    assert (case.clock.mode, case.clock.start, case.clock.gap) == ("virtual", 3.5, 1.0)
    assert case.clock.wall == "2026-01-15T12:00:00Z"
    assert case.session == {"keepalive": False, "decode": True, "limit": 2}
    assert case.source.startswith(casefile.HEAD)


def test_every_kind_of_action_becomes_json_of_the_adapter_protocol() -> None:
    actions = casefile.variant(
        client="""
[[client]]
as = "r"
[client.request]
method = "POST"
url = "${a}/"
params = [["a", "1"]]
headers = [["X", "\\u00e9"]]
timeout = { total = 2, pool = 1.5 }
decode = false
read_as = "json"
stream = true
[[client]]
as = "some"
read = { on = "r", size = 3 }
[[client]]
sleep = 2
[[client]]
signal = "go"
[[client]]
wait_for = "gone"
[[client]]
close = { on = "r" }
[[client]]
as = "g"
group = [
  [
    { as = "x", request = { method = "PUT", url = "${a}/", body = { chunks = [
      "a", { wait = 1 }, { hex = "00" },
    ] } } },
  ],
  [{ as = "y", sleep = 1 }],
]
"""
    ).actions
    assert [action.to_json() for action in actions] == [
        {
            "as": "r",
            "request": {
                "method": "POST",
                "url": "http://a.test/",
                "params": [["a", "1"]],
                "headers": [["X", "é"]],
                "timeout": {"total": 2.0, "pool": 1.5},
                "decode": False,
                "read_as": "json",
                "stream": True,
            },
        },
        {"as": "some", "read": {"on": "r", "size": 3}},
        {"as": "sleep_2", "sleep": 2.0},
        {"as": "signal_3", "signal": "go"},
        {"as": "wait_for_4", "wait_for": "gone"},
        {"as": "close_5", "close": {"on": "r"}},
        {
            "as": "g",
            "group": [
                [
                    {
                        "as": "x",
                        "request": {
                            "method": "PUT",
                            "url": "http://a.test/",
                            "body": {
                                "chunks": [
                                    {"b64": "YQ=="},
                                    {"wait": 1.0},
                                    {"b64": "AA=="},
                                ]
                            },
                        },
                    }
                ],
                [{"as": "y", "sleep": 1.0}],
            ],
        },
    ]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{ text = "é" }', {"text": "é"}),
        ('{ bytes = "\\u00ff" }', {"bytes": {"b64": "/w=="}}),
        (
            '{ json = { a = [1, 2.5, true, "x"] } }',
            {"json": {"a": [1, 2.5, True, "x"]}},
        ),
        ('{ form = [["a", "b"]] }', {"form": [["a", "b"]]}),
    ],
)
def test_a_body_is_written_in_one_of_five_ways(body: str, expected: object) -> None:
    client = f"""
[[client]]
as = "r"
request = {{ method = "POST", url = "${{a}}/", body = {body} }}
"""
    argument = casefile.variant(client=client).actions[0].argument
    assert isinstance(argument, dict)
    assert argument["body"] == expected


def test_every_step_of_a_peer_is_read() -> None:
    peer = """
[[peer]]
optional = true
end = "close"
steps = [
  { read = "head" }, { read = "bytes:12" }, { read = "eof" },
  { send = ["a", { hex = "00" }] },
  { wait = 1.5 }, { wait = "forever" }, { wait_for = "x" }, { signal = "y" },
  { half_close = true }, { pause = true }, { resume = true }, { close = "rst" },
]
"""
    (script,) = casefile.variant(peer=peer).peers
    assert script.optional
    assert script.end == "close"
    assert script.steps == (
        Read("head"),
        Read("bytes", 12),
        Read("eof"),
        Send((b"a\0",)),
        Wait(1.5),
        Wait(math.inf),
        WaitFor("x"),
        Signal("y"),
        HalfClose(),
        Pause(),
        Resume(),
        Close("rst"),
    )


@pytest.mark.parametrize(
    ("url", "steps", "plain", "expected"),
    [
        pytest.param(
            "https://a.test",
            "[]",
            "false",
            (StartTls(),),
            id="handshake-comes-by-itself",
        ),
        pytest.param(
            "https://a.test", "[]", "true", (), id="a-plain-script-sees-raw-bytes"
        ),
        pytest.param(
            "https://a.test",
            '[{ tls = "server" }]',
            "false",
            (StartTls(),),
            id="a-written-handshake-is-the-only-one",
        ),
        pytest.param(
            "http://a.test",
            '[{ tls = "server" }]',
            "false",
            (),
            id="no-handshake-in-the-clear",
        ),
    ],
)
def test_tls_follows_the_scheme_of_the_origin(
    url: str, steps: str, plain: str, expected: object
) -> None:
    variant = casefile.variant(
        top=f'[origins]\na = {{ url = "{url}" }}',
        peer=f"[[peer]]\nplain = {plain}\nsteps = {steps}",
    )
    assert variant.peers[0].steps == expected


def test_origins_have_certificates_ports_and_ways_to_fail() -> None:
    variant = casefile.variant(
        top="""
[origins]
b = { url = "http://b.test:8080", connect = "refuse" }
c = { url = "http://[::1]:80" }
d = { url = "https://d.test" }
[origins.a]
url = "https://a.test"
tls = { names = ["*.a.test"], ca = "untrusted", common_name = "x" }
""",
        client="""
[[client]]
as = "r"
request = { method = "GET", url = "${b}/${b.authority}/${b.port}/${b.host}/$$" }
""",
    )
    b, c, d, a = variant.origins.values()
    assert a.tls is not None
    assert (a.tls.names, a.tls.ca, a.tls.common_name, a.port) == (
        ("*.a.test",),
        "untrusted",
        "x",
        443,
    )
    assert (b.url, b.connect, c.url, c.authority) == (
        "http://b.test:8080",
        "refuse",
        "http://[::1]",
        "[::1]",
    )
    assert d.tls is not None
    assert d.tls.names == ("d.test",)
    assert isinstance(variant.actions[0].argument, dict)
    assert (
        variant.actions[0].argument["url"]
        == "http://b.test:8080/b.test:8080/8080/b.test/$"
    )


def test_every_key_and_operator_of_an_expectation_is_read() -> None:
    digest = "0" * 64
    variant = casefile.variant(
        top='[let]\nname = { capture = "name" }\nplain = "abc"',
        expect=f"""
[[expect]]
verdict = "info"
note = "why"
at = 3
within = 0.5
connections = 2
reused = true
bytes_after = {{ tls = 0 }}
extra_connections = true
[expect.got.r]
status = {{ any_of = [200, 204] }}
reason = "OK"
raw_headers = {{ absent = true }}
body = {{ use = "plain" }}
partial = {{ prefix = "ab" }}
history = [303]
json = {{ a = [1] }}
text = {{ capture = "t" }}
error = {{ any_of = ["timeout", "tls.verify"] }}
[expect.got.r.headers]
x-a = ["1", {{ re = "^2$" }}]
x-b = "1, 2"
x-c = {{ absent = true }}
x-d = {{ utf8 = "é" }}
[[expect.sent]]
peer = "a"
line = "GET / HTTP/1.1"
method = "GET"
target = "/"
headers = {{ x-m = ["1"] }}
once = {{ host = "a.test" }}
absent = ["x-z"]
raw = {{ prefix = "GET" }}
body = {{ sha256 = "{digest}", len = 5 }}
[[expect.sent]]
body_like = [
  "--${{name}}--", {{ optional_headers = ["A"] }}, {{ re = "x+" }},
  {{ use = "plain" }},
]
""",
    )
    (one,) = variant.alternatives
    assert (one.verdict, one.note, one.at, one.within) == (Verdict.INFO, "why", 3, 0.5)
    assert (one.connections, one.reused, one.bytes_after, one.extra_connections) == (
        2,
        True,
        {"tls": 0},
        True,
    )
    assert one.got["r"] == {
        "status": AnyOf((Equal(200), Equal(204))),
        "reason": Equal("OK"),
        "headers": Fields(
            {
                "x-a": Items((Equal("1"), Pattern("^2$"))),
                "x-b": Equal("1, 2"),
                "x-c": Absent(),
                "x-d": Equal("Ã©"),
            }
        ),
        "raw_headers": Absent(),
        "body": Equal(b"abc"),
        "partial": Prefix(b"ab"),
        "history": Items((Equal(303),)),
        "json": EqualJson({"a": [1]}),
        "text": Capture("t"),
        "error": AnyOf((Equal("timeout"), Equal("tls.verify"))),
    }
    assert one.sent is not None
    first, second = one.sent
    assert (first.peer, first.line, first.method, first.target) == (
        "a",
        Equal("GET / HTTP/1.1"),
        Equal("GET"),
        Equal("/"),
    )
    assert first.headers == {"x-m": Items((Equal("1"),))}
    assert (first.once, first.absent) == ({"host": Equal("a.test")}, ("x-z",))
    assert (first.raw, first.body) == (Prefix(b"GET"), Digest(digest, 5))
    assert second.body_like == (
        b"--",
        CaptureRef("name"),
        b"--",
        OptionalHeaders(("A",)),
        Pattern("x+"),
        b"abc",
    )


def test_only_alternatives_whose_condition_holds_belong_to_a_variant() -> None:
    case = casefile.case(
        top='[vary]\ntable = [{ m = "GET" }, { m = "POST" }]',
        expect="""
[[expect]]
verdict = "pass"
when = { m = "GET" }
[expect.got.r]
status = 200
[[expect]]
verdict = "pass"
when = { m = ["POST", "PUT"] }
[expect.got.r]
status = 201
""",
    )
    statuses = [
        [one.got["r"]["status"] for one in variant.alternatives]
        for variant in case.variants
    ]
    assert statuses == [[Equal(200)], [Equal(201)]]


def test_a_corpus_lists_every_wrong_file_at_once(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "a.toml").write_text("format = 1", encoding="utf-8")
    (tmp_path / "one" / "b.toml").write_bytes(b"\xff")
    with pytest.raises(CorpusError) as caught:
        load_corpus(tmp_path)
    assert caught.value.problems == (
        "one/a.toml: the key 'id' is missing",
        "one/b.toml: is not UTF-8 at byte 0",
    )
    assert str(caught.value).startswith("2 problems in the corpus\none/a.toml")


def test_a_corpus_is_loaded_from_any_folder(tmp_path: Path) -> None:
    (tmp_path / "family").mkdir()
    path = tmp_path / "family" / "slug.toml"
    path.write_text(casefile.text(), encoding="utf-8")
    corpus = load_corpus(tmp_path)
    assert list(corpus.cases) == ["family/slug"]
    assert corpus.families == ("family",)
    assert load_case(path, tmp_path) == corpus.cases["family/slug"]


def test_a_missing_folder_is_an_error_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no folder"):
        load_corpus(tmp_path / "nothing")


def test_a_case_without_peers_is_possible() -> None:
    case = parse_case(casefile.text(peer=""), casefile.FILE)
    assert case.base.peers == ()
