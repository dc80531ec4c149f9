"""Several clients at once, each in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.conformance.worlds import make_case
from windtunnel_conformance.adapters.catalogue import open_adapter
from windtunnel_conformance.expectations import Profile
from windtunnel_conformance.runner import Entrant, RunOptions
from windtunnel_conformance.side_by_side import run_side_by_side

if TYPE_CHECKING:
    from windtunnel_conformance.results import CaseResult, ClientResult

ROOT = Path(__file__).parents[2]


def run_command(*words: str) -> Any:
    """Run the command as a user does, without threads around it."""
    done = subprocess.run(
        [sys.executable, "-m", "windtunnel_conformance", "run", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("order", [["windtunnel", "httpx"], ["httpx", "windtunnel"]])
def test_clients_that_run_at_once_are_reported_in_the_order_asked_for(
    order: list[str],
) -> None:
    words = [word for name in order for word in ("--client", name)]
    report = json.loads(
        run_command(*words, "--family", "framing/none", "--format", "json")
    )
    assert [client["name"] for client in report["clients"]] == order
    one, two = (client["cases"] for client in report["clients"])
    assert [each["id"] for each in one] == [each["id"] for each in two]
    assert all(each["verdict"] != "error" for each in (*one, *two))


class Quiet:
    """Notes what a progress listener hears."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def begin(self, client: str, cases: int) -> None:
        self.heard.append(f"begin {client} {cases}")

    def advance(self, client: str, result: CaseResult) -> None:
        self.heard.append(f"advance {client} {result.case.id}")

    def end(self, result: ClientResult) -> None:
        self.heard.append(f"end {result.name}")


def test_one_client_alone_runs_in_this_process() -> None:
    quiet = Quiet()
    entrant = Entrant("windtunnel", open_adapter("windtunnel"), Profile("windtunnel"))
    results = run_side_by_side(
        [entrant], [make_case()], RunOptions(), lambda: nullcontext(quiet)
    )
    assert quiet.heard == [
        "begin windtunnel 1",
        "advance windtunnel demo/one",
        "end windtunnel",
    ]
    assert results.as_expected


PROGRAM = """
import os
from contextlib import nullcontext
from tests.conformance.test_side_by_side import Quiet, Dying
from tests.conformance.worlds import make_case
from windtunnel_conformance.adapters.catalogue import open_adapter
from windtunnel_conformance.expectations import Profile
from windtunnel_conformance.runner import Entrant, RunOptions
from windtunnel_conformance.side_by_side import run_side_by_side

quiet = Quiet()
entrants = [
    Entrant("dying", Dying(), Profile("dying")),
    Entrant("windtunnel", open_adapter("windtunnel"), Profile("windtunnel")),
]
results = run_side_by_side(
    entrants, [make_case()], RunOptions(), lambda: nullcontext(quiet)
)
print(sorted(quiet.heard))
print([(one.name, one.problem, len(one.cases)) for one in results.clients])
"""


class Dying:
    """An adapter that takes its process with it."""

    async def describe(self) -> Any:
        os._exit(3)

    async def run(self, request: Any, signals: Any) -> Any:
        raise NotImplementedError

    async def aclose(self) -> None:
        """Nothing is open."""


def test_a_client_that_takes_its_process_down_leaves_the_others_alone() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout.splitlines() == [
        "['advance windtunnel demo/one', 'begin dying 1', 'begin windtunnel 1', "
        "'end dying', 'end windtunnel']",
        "[('dying', 'its process ended without a result', 0), ('windtunnel', '', 1)]",
    ], done.stderr
