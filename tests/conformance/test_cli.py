"""The command line: what people type, what they read, and the exit status."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING
from xml.etree import ElementTree as Xml

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from tests.conformance.worlds import make_case, program
from windtunnel_conformance.case import Verdict
from windtunnel_conformance.commands import windtunnel
from windtunnel_conformance.progress import open_progress
from windtunnel_conformance.results import CaseResult, ClientResult, VariantResult

if TYPE_CHECKING:
    from pathlib import Path

HEAD = """format = 1
id = "{id}"
title = "A demonstration"
level = "{level}"
spec = ["rfc9112#3"]
"""
BODY = """
[[client]]
as = "r"
request = {{ method = "GET", url = "${{a}}/" }}
[[peer]]
steps = [
  {{ read = "request" }},
  {{ send = "HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok" }},
]
[[expect]]
verdict = "pass"
[expect.got.r]
status = {status}
"""


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A folder with three cases, one of which nobody passes."""
    folder = tmp_path / "cases"
    for name, level, status in (
        ("demo/fine", "must", 200),
        ("demo/sub/also", "should", 200),
        ("other/wrong", "must", 404),
    ):
        path = folder / f"{name}.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        text = HEAD.format(id=name, level=level) + BODY.format(status=status)
        path.write_text(text, encoding="utf-8")
    return folder


def call(*words: str | Path) -> Result:
    """Call the command; an exception that gets out is a failure of the test."""
    runner = CliRunner()
    return runner.invoke(
        windtunnel, [str(word) for word in words], catch_exceptions=False
    )


# -- run ----------------------------------------------------------------------------


def test_a_run_in_which_all_is_as_expected_ends_with_zero(corpus: Path) -> None:
    done = call("run", "--corpus", corpus, "--family", "demo")
    assert done.exit_code == 0
    assert "all as expected" in done.stdout
    assert "windtunnel: 2 cases, 2 variants" in done.stderr


def test_a_run_with_a_surprise_ends_with_one_and_says_why(corpus: Path) -> None:
    done = call("run", "--corpus", corpus, "--client", "aiohttp", "--client", "httpx")
    assert done.exit_code == 1
    assert "got.r.status: expected 404, got 200" in done.stdout
    assert "GET / HTTP/1.1" in done.stdout


def test_a_client_named_twice_runs_once(corpus: Path) -> None:
    done = call(
        *("run", "--corpus", corpus, "--client", "aiohttp", "--client", "aiohttp"),
        *("--case", "demo/fine", "--format", "json"),
    )
    report = json.loads(done.stdout)
    assert [client["name"] for client in report["clients"]] == ["aiohttp"]


def test_json_on_standard_output_is_nothing_but_json(corpus: Path) -> None:
    done = call("run", "--corpus", corpus, "--format", "json", "--variants", "all")
    assert done.exit_code == 1
    report = json.loads(done.stdout)
    assert report["variants"] == "all"
    assert [case["id"] for case in report["clients"][0]["cases"]] == [
        "demo/fine",
        "demo/sub/also",
        "other/wrong",
    ]


def test_junit_on_standard_output_is_xml(corpus: Path) -> None:
    done = call("run", "--corpus", corpus, "--format", "junit", "--level", "must")
    suites = Xml.fromstring(done.stdout)
    assert [suite.get("name") for suite in suites] == [
        "windtunnel: demo",
        "windtunnel: other",
    ]


def test_the_page_is_written_and_its_place_is_said(
    corpus: Path, tmp_path: Path
) -> None:
    done = call("run", "--corpus", corpus, "--html", tmp_path / "page", "--lax")
    assert f"Report: {tmp_path / 'page' / 'index.html'}" in done.stderr
    assert (tmp_path / "page" / "index.html").is_file()


def test_a_page_that_cannot_be_written_is_a_sentence(corpus: Path) -> None:
    place = corpus / "demo" / "fine.toml" / "page"
    done = call("run", "--corpus", corpus, "--case", "demo/fine", "--html", place)
    assert done.exit_code == 2
    assert "the page cannot be written" in done.stderr


def test_a_program_takes_part_under_the_name_it_gives(
    corpus: Path, tmp_path: Path
) -> None:
    body = """
    describe()
    while (message := read()) and message["op"] == "run":
        write({"op": "result", "id": message["id"], "unsupported": "lazy"})
    """
    command = " ".join(program(tmp_path, body))
    done = call("run", "--corpus", corpus, "--command", command, "--format", "json")
    report = json.loads(done.stdout)
    assert [client["name"] for client in report["clients"]] == ["demo"]
    assert report["clients"][0]["counts"] == {"unsupported": 3}


def test_a_program_that_breaks_is_a_result_and_not_a_traceback(
    corpus: Path, tmp_path: Path
) -> None:
    command = " ".join(program(tmp_path, "print('rubbish')"))
    done = call("run", "--corpus", corpus, "--command", command)
    assert done.exit_code == 1
    assert "'rubbish" in done.stdout
    assert "Traceback" not in done.output


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        pytest.param(
            ["--client", "nobody"], "client 'nobody' is not known", id="client"
        ),
        pytest.param(["--command", "'"], "No closing quotation", id="quotes"),
        pytest.param(["--command", ""], "command is empty", id="no-command"),
        pytest.param(["--family", "dem"], "did you mean 'demo'", id="family"),
        pytest.param(["--case", "demo/fin"], "did you mean 'demo/fine'", id="case"),
        pytest.param(
            ["--case", "demo/fine", "--level", "may"], "no case fits", id="nothing"
        ),
        pytest.param(["--level", "maybe"], "is not one of", id="level"),
        pytest.param(["--format", "pdf"], "is not one of", id="format"),
    ],
)
def test_a_wrong_word_is_answered_with_what_is_allowed(
    corpus: Path, words: list[str], sentence: str
) -> None:
    done = call("run", "--corpus", corpus, *words)
    assert done.exit_code == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.output


def test_a_wrong_case_file_is_named_with_its_key(corpus: Path) -> None:
    path = corpus / "demo" / "fine.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("[[peer]]", "[[pear]]"))
    for words in (["run"], ["list"], ["show", "demo/fine"]):
        done = call(*words, "--corpus", corpus)
        assert done.exit_code == 2
        assert "demo/fine.toml" in done.stderr
        assert "pear" in done.stderr


# -- list and show ------------------------------------------------------------------


def test_the_list_has_a_line_for_each_case(corpus: Path) -> None:
    done = call("list", "--corpus", corpus, "--family", "demo")
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert len(lines) == 2
    assert lines[0].split() == [
        *("demo/fine", "must", "1", "variant", "A", "demonstration"),
    ]
    assert "2 cases" in done.stderr


def test_the_list_can_be_read_by_a_machine(corpus: Path) -> None:
    done = call("list", "--corpus", corpus, "--format", "json", "--level", "should")
    (case,) = json.loads(done.stdout)
    assert case["id"] == "demo/sub/also"
    assert case["variants"] == [""]


def test_show_prints_the_case_as_it_is_written() -> None:
    done = call("show", "framing/chunked/every-split")
    assert done.exit_code == 0
    assert "level must, rests on" in done.stdout
    assert "variants: split=whole, split=bytes, " in done.stdout
    assert ", ..." in done.stdout
    assert "[[expect]]" in done.stdout


def test_show_says_what_a_case_needs(corpus: Path) -> None:
    path = corpus / "demo" / "fine.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("\nspec", '\nneeds = ["tls"]\nspec'))
    done = call("show", "demo/fine", "--corpus", corpus)
    assert "needs tls" in done.stdout
    assert "variants:" not in done.stdout


# -- help and the door --------------------------------------------------------------


@pytest.mark.parametrize("words", [[], ["run"], ["list"], ["show"]])
def test_help_has_examples(words: list[str]) -> None:
    done = call(*words, "--help")
    assert done.exit_code == 0
    assert "Example" in done.stdout
    assert "\b" not in done.stdout


def test_the_command_runs_as_a_program() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "windtunnel_conformance", "show", "basic/get-200"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "basic/get-200" in done.stdout


@pytest.mark.parametrize(
    ("module", "words"),
    [
        pytest.param("click", ["list"], id="click"),
        pytest.param("rich", ["run"], id="rich"),
        pytest.param("trustme", ["run"], id="trustme"),
        pytest.param("jinja2", ["run", "--html", "x"], id="jinja2"),
    ],
)
def test_a_missing_package_is_a_sentence_with_what_to_install(
    tmp_path: Path, module: str, words: list[str]
) -> None:
    script = f"""
import sys
from importlib.machinery import PathFinder

class Without(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.partition(".")[0] == {module!r}:
            return None
        return super().find_spec(name, path, target)

sys.meta_path[:] = [Without if one is PathFinder else one for one in sys.meta_path]
from windtunnel_conformance.cli import main
sys.argv = ["windtunnel", *{words!r}]
main()
"""
    path = tmp_path / "without.py"
    path.write_text(script, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    assert done.returncode == 2, done.stderr
    assert f"needs the package '{module}'" in done.stderr
    assert "pip install 'windtunnel[conformance]'" in done.stderr
    assert "Traceback" not in done.stderr


# -- progress -----------------------------------------------------------------------


def test_progress_is_a_bar_on_a_terminal_and_a_line_elsewhere() -> None:
    case = make_case()
    done = CaseResult(case, (VariantResult("", Verdict.PASS),))
    client = ClientResult("demo", cases=(done,))

    def shown(*, terminal: bool) -> str:
        out = io.StringIO()
        console = Console(file=out, force_terminal=terminal, width=80)
        with open_progress(console) as progress:
            progress.begin("demo", 1)
            progress.advance("demo", done)
            progress.end(client)
        return out.getvalue()

    assert "demo: 1 cases, 1 variants" in shown(terminal=False)
    bar = shown(terminal=True)
    assert "1/1" in bar
    assert "demo/one" in bar
