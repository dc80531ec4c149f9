"""Short ways to cases, adapters and outcomes for the tests of runner and reports."""

from __future__ import annotations

import json
import re
import sys
import textwrap
from typing import TYPE_CHECKING, final

from windtunnel_conformance.loader import parse_case

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from windtunnel_conformance.adapters.base import (
        ActionResult,
        Description,
        JsonObject,
        RunRequest,
        RunResult,
    )
    from windtunnel_conformance.adapters.signals import Signals
    from windtunnel_conformance.case import Case
    from windtunnel_conformance.results import CaseResult, ClientResult

GET = """
[[client]]
as = "r"
request = { method = "GET", url = "${a}/" }
"""
ANSWER = """
[[peer]]
steps = [
  { read = "request" },
  { send = "HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok" },
]
"""
PASS = """
[[expect]]
verdict = "pass"
[expect.got.r]
status = 200
body = "ok"
"""


def make_case(
    body: str = GET + ANSWER + PASS,
    *,
    id: str = "demo/one",  # noqa: A002  # the word of the format
    level: str = "must",
    head: str = "",
) -> Case:
    """Return a case from the parts of a case file.

    A test that looks at the outcome itself may leave out what the case expects.
    """
    body = textwrap.dedent(body)
    if "[[expect]]" not in body:
        name = re.findall(r'^as = "(\w+)"', body, re.MULTILINE)[0]
        body += f'\n[[expect]]\nverdict = "pass"\n[expect.got.{name}]\nstatus = 200\n'
    text = (
        f'format = 1\nid = "{id}"\ntitle = "A demonstration"\nlevel = "{level}"\n'
        f'spec = ["rfc9112#3"]\n{textwrap.dedent(head)}\n{body}'
    )
    return parse_case(text, f"{id}.toml")


def description(**changes: object) -> Description:
    """Return a description of a client that can do all that the cases ask for."""
    about: dict[str, object] = {
        "op": "describe",
        "id": 0,
        "protocol": 1,
        "client": {"name": "demo", "version": "1.2", "runtime": "test"},
        "capabilities": ["keepalive"],
        "unsupported_fields": [],
        "clock": "virtual",
        "min_timeout_ms": 0,
        "timeout_step_ms": 0,
        "max_parallel": 4,
        "defaults": {},
    }
    about.update(changes)
    return about  # type: ignore[return-value]  # a dict that has exactly these keys


def run_request(*actions: JsonObject, **changes: object) -> RunRequest:
    """Return a request to perform these actions."""
    request: dict[str, object] = {
        "op": "run",
        "id": 1,
        "case": "demo/one",
        "variant": "",
        "scale": 1.0,
        "deadline_ms": 10_000,
        "env": {"resolve": {}, "ca_pem": "", "wall": ""},
        "session": {},
        "actions": list(actions),
    }
    request.update(changes)
    return request  # type: ignore[return-value]  # a dict that has exactly these keys


def result(**results: ActionResult) -> RunResult:
    """Return an answer with these results."""
    return {"op": "result", "id": 1, "results": results}


@final
class ScriptedAdapter:
    """An adapter in this process that does what a function says."""

    def __init__(
        self,
        act: Callable[[RunRequest], RunResult],
        about: Description | None = None,
    ) -> None:
        self._act = act
        self._about = about or description()
        self.closed = 0
        self.runs = 0

    async def describe(self) -> Description:
        return self._about

    async def run(self, request: RunRequest, signals: Signals) -> RunResult:
        self.runs += 1
        return self._act(request)

    async def aclose(self) -> None:
        self.closed += 1


@final
class Listener:
    """Progress that remembers."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def begin(self, client: str, cases: int) -> None:
        self.events.append(f"begin {client} {cases}")

    def advance(self, client: str, result: CaseResult) -> None:
        self.events.append(f"advance {client} {result.case.id} {result.verdict}")

    def end(self, result: ClientResult) -> None:
        self.events.append(f"end {result.name}")


def program(folder: Path, body: str, name: str = "adapter") -> list[str]:
    """Write an adapter program and return its command line.

    ``body`` sees ``read()`` (the next message or None), ``write(object)``, ``describe``
    (a function that answers the first message) and the modules ``sys`` and ``json``.
    """
    about = json.dumps(description(clock="real", capabilities=["keepalive"]))
    text = f"""
import json, os, sys

def read():
    line = sys.stdin.readline()
    return json.loads(line) if line else None

def write(message):
    sys.stdout.write(json.dumps(message) + "\\n")
    sys.stdout.flush()

def describe(**changes):
    read()
    write({{**json.loads({about!r}), **changes}})

{textwrap.dedent(body)}
"""
    path = folder / f"{name}.py"
    path.write_text(text, encoding="utf-8")
    return [sys.executable, "-I", "-S", str(path)]
