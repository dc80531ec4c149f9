"""The README keeps its word: links lead somewhere, commands exist, examples run."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.repo.project import ROOT
from windtunnel_fakeserver import Tunnel
from windtunnel_fakeserver.apps import simulated_internet

if TYPE_CHECKING:
    from pathlib import Path

PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    *(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md")),
]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS: list[str] = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
TESTS = {
    match.group(1): block
    for block in BLOCKS
    if (match := re.match(r"# (test_\w+\.py)\n", block))
}
SCRIPTS = [block for block in BLOCKS if "__main__" in block]


@pytest.mark.parametrize("page", PAGES)
def test_each_link_of_a_page_leads_to_a_file(page: str) -> None:
    folder = (ROOT / page).parent
    text = (ROOT / page).read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
    assert [link for link in links if not (folder / link).exists()] == []


def test_each_make_command_of_the_pages_is_a_target() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = {
        word
        for page in PAGES
        for word in re.findall(
            r"(?:^|`)make (\w+)",
            (ROOT / page).read_text(encoding="utf-8"),
            re.MULTILINE,
        )
    }
    assert {
        word for word in named if not re.search(rf"^{word}:", makefile, re.M)
    } == set()


def test_each_python_block_is_run_by_a_test_below() -> None:
    assert len(BLOCKS) == len(TESTS) + len(SCRIPTS)


@pytest.mark.parametrize("name", TESTS)
def test_an_example_for_pytest_passes_as_printed(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(TESTS[name], encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", name],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    expected = len(re.findall(r"^async def test_", TESTS[name], re.MULTILINE))
    assert f"{expected} passed" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("script", SCRIPTS, ids=["client"])
def test_an_example_program_runs_as_printed_on_the_simulated_internet(
    script: str, capsys: pytest.CaptureFixture[str]
) -> None:
    names: dict[str, Any] = {"__name__": "example"}
    exec(compile(script, "README.md", "exec"), names)  # the page is ours

    async def main(tunnel: Tunnel) -> None:
        await names["main"]()

    tunnel = Tunnel()
    simulated_internet(tunnel)
    tunnel.run(main)
    assert capsys.readouterr().out.startswith("200\n{")
