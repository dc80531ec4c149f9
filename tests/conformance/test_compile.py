from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.conformance import casefile
from windtunnel_conformance.compile import case_json, compile_corpus, main
from windtunnel_conformance.loader import Corpus, load_corpus

if TYPE_CHECKING:
    import pytest


def test_a_compiled_case_needs_no_toml_and_no_generator() -> None:
    case = casefile.case(
        top="""
needs = ["tls"]
why = "Because."
[vary]
table = [{ v = "x" }, { v = "y" }]
[clock]
gap = 1.0
[origins]
a = { url = "https://a.test", tls = { names = ["a.test"], common_name = "z" } }
b = { url = "http://b.test", connect = "hang" }
[let]
c = { capture = "c" }
""",
        client="""
[[client]]
as = "r"
request = { method = "GET", url = "${a}/${v}" }
[[client]]
signal = "go"
""",
        peer="""
[[peer]]
end = "close"
steps = [
  { read = "head" }, { read = "bytes:3" }, { send = "\\u00ff" }, { wait = 2 },
  { wait = "forever" }, { wait_for = "go" }, { signal = "x" }, { half_close = true },
  { pause = true }, { resume = true },
  { close = "fin" },
]
""",
        expect=f"""
[[expect]]
verdict = "lenient"
note = "so"
at = 1.5
connections = 1
[expect.got.r]
status = {{ any_of = [200, 204] }}
headers = {{ x = ["1", {{ re = "2" }}] }}
body = {{ prefix = "a" }}
partial = {{ sha256 = "{"a" * 64}", len = 3 }}
text = {{ capture = "t" }}
url = {{ absent = true }}
json = {{ a = 1 }}
[[expect.sent]]
peer = "a"
line = "GET /"
headers = {{ x-m = "1" }}
once = {{ host = "a.test" }}
absent = ["x-z"]
body_like = ["a${{c}}", {{ re = "x" }}, {{ optional_headers = ["A"] }}]
""",
    )
    found = case_json(case)
    assert (found["id"], found["level"], found["clock"]) == (
        "family/slug",
        "must",
        {"mode": "any", "gap": 1.0},
    )
    variants = found["variants"]
    assert isinstance(variants, list)
    first, second = variants
    assert isinstance(second, dict)
    assert (second["key"], second["values"]) == ("v=y", {"v": "y"})
    assert first == {
        "key": "v=x",
        "values": {"v": "x"},
        "origins": {
            "a": {
                "url": "https://a.test",
                "connect": "accept",
                "tls": {"names": ["a.test"], "ca": "trusted", "common_name": "z"},
            },
            "b": {"url": "http://b.test", "connect": "hang"},
        },
        "client": [
            {"as": "r", "request": {"method": "GET", "url": "https://a.test/x"}},
            {"as": "signal_1", "signal": "go"},
        ],
        "peer": [
            {
                "on": "a",
                "optional": False,
                "end": "close",
                "steps": [
                    {"tls": True},
                    {"read": "head"},
                    {"read": "bytes:3"},
                    {"send": [{"b64": "/w=="}]},
                    {"wait": 2.0},
                    {"wait": "forever"},
                    {"wait_for": "go"},
                    {"signal": "x"},
                    {"half_close": True},
                    {"pause": True},
                    {"resume": True},
                    {"close": "fin"},
                ],
            }
        ],
        "expect": [
            {
                "verdict": "lenient",
                "note": "so",
                "at": 1.5,
                "within": 0.0,
                "connections": 1,
                "bytes_after": {},
                "extra_connections": False,
                "got": {
                    "r": {
                        "status": {"any_of": [200, 204]},
                        "headers": {"fields": {"x": ["1", {"re": "2"}]}},
                        "body": {"prefix": {"b64": "YQ=="}},
                        "partial": {"sha256": "a" * 64, "len": 3},
                        "text": {"capture": "t"},
                        "url": {"absent": True},
                        "json": {"json": {"a": 1}},
                    }
                },
                "sent": [
                    {
                        "peer": "a",
                        "line": "GET /",
                        "headers": {"x-m": "1"},
                        "once": {"host": "a.test"},
                        "absent": ["x-z"],
                        "body_like": [
                            {"b64": "YQ=="},
                            {"captured": "c"},
                            {"re": "x"},
                            {"optional_headers": ["A"]},
                        ],
                    }
                ],
            }
        ],
    }


def test_a_compiled_corpus_has_a_line_for_each_case_and_its_revision() -> None:
    case = casefile.case(expect=casefile.EXPECT.replace("status = 200", 'body = "x"'))
    text = compile_corpus(Corpus({case.id: case}), "abc123")
    assert len(text.splitlines()) == 3
    found = json.loads(text)
    assert (found["format"], found["revision"]) == (1, "abc123")
    assert found["cases"] == [case_json(case)]
    assert '"body": {"b64": "eA=="}' in text


def test_the_shipped_corpus_is_written_by_the_command(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["r1"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["revision"] == "r1"
    assert [case["id"] for case in found["cases"]] == list(load_corpus().cases)
