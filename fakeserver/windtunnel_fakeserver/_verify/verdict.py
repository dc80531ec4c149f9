"""The verdict: what is missing or extra after a run.

Comes in: ``Facts``. Goes out: a ``Verdict`` with one ``Problem`` each. Must not know:
sockets, event loops.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from windtunnel_fakeserver._verify.render import (
    failure_lines,
    headline,
    join_story,
    unfired_line,
    unmatched_lines,
    unmet_line,
)
from windtunnel_fakeserver.errors import VerificationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windtunnel_fakeserver._verify.facts import Facts, ServerFacts

ProblemKind: TypeAlias = Literal[
    "script", "answer", "unmatched", "unmet", "unused", "unfired", "leak"
]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        kind: What sort of thing.
        lines: Words for a reader, first line first.
        cause: The exception behind it, where there is one.
    """

    kind: ProblemKind
    lines: tuple[str, ...]
    cause: BaseException | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of a run.

    Attributes:
        problems: In the order of importance; empty when all is well.
        facts: What it was made from.
    """

    problems: tuple[Problem, ...]
    facts: Facts

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def render(self, limit: int = 40) -> str:
        """Return the story, at most ``limit`` lines: problems, then the timeline."""
        if self.ok:
            return "windtunnel: all expectations were met"
        head = headline([problem.kind for problem in self.problems], self.facts)
        return join_story(head, [p.lines for p in self.problems], self.facts, limit)

    def check(self) -> None:
        """Do nothing if all is well.

        Raises:
            VerificationError: With the story; its cause is the first exception out
                of the author's own code, the others are notes on it.
        """
        if self.ok:
            return
        causes = [p.cause for p in self.problems if p.cause is not None]
        raise VerificationError(self.render()) from (causes[0] if causes else None)


def judge(facts: Facts) -> Verdict:
    """Compare what happened with what was promised."""
    return Verdict(tuple(_problems(facts)), facts)


def _problems(facts: Facts) -> Iterator[Problem]:
    for failure in facts.failures:
        yield Problem(failure.kind, tuple(failure_lines(failure)), failure.error)
    servers = {server.origin: server for server in facts.servers}
    for exchange in facts.journal.exchanges:
        if exchange.outcome == "unmatched":
            routes = servers[exchange.request.server].routes
            yield Problem("unmatched", tuple(unmatched_lines(exchange, routes)))
    for server in facts.servers:
        yield from _unused(server)
    for leak in facts.leaks:
        yield Problem("leak", (f"left open  {leak}",))


def _unused(server: ServerFacts) -> Iterator[Problem]:
    for route in server.routes.routes:
        if route.owes:
            yield Problem("unmet", (unmet_line(route, server.origin),))
    for script in server.unused_scripts:
        line = f"unused     script {script.name} of {server.origin}: no connection came"
        yield Problem("unused", (f"{line}, given at {script.place}",))
    left = len(server.routes.queue)
    if left:
        line = f"unused     {left} of the replies given to enqueue() of {server.origin}"
        yield Problem("unused", (line,))
    for fault in server.unfired:
        yield Problem("unfired", (unfired_line(fault),))
