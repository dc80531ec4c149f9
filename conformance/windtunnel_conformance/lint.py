"""What is wrong with a corpus although every file of it can be loaded.

Comes in: a ``Corpus`` and the section table ``specs.toml``. Goes out: problems, one
line each. Must not know: how cases are run.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from windtunnel_conformance.actions import TIMEOUT_KEYS
from windtunnel_conformance.case import (
    Signal,
    Verdict,
    WaitFor,
)
from windtunnel_conformance.errors import CorpusError, suggestion
from windtunnel_conformance.reading import parse_toml

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from windtunnel_conformance.case import (
        Case,
        Json,
        Variant,
    )
    from windtunnel_conformance.loader import Corpus

SPECS_FILE: Final = Path(__file__).parent / "specs.toml"
"""The shipped section table."""

_MAX_TITLE = 100


def load_specs(path: Path = SPECS_FILE) -> dict[str, dict[str, str]]:
    """Load the section table.

    Returns:
        Document id to section to heading.

    Raises:
        CaseError: The file is wrong.
    """
    root = parse_toml(path.read_text(encoding="utf-8"), path.name)
    specs: dict[str, dict[str, str]] = {}
    for name, node in root.table(None).items():
        table = node.table(
            ("title", "url", "sections"), required=("title", "url", "sections")
        )
        specs[name] = {
            section: heading.text()
            for section, heading in table["sections"].table(None).items()
        }
    return specs


def check_corpus(corpus: Corpus, specs: Mapping[str, Mapping[str, str]]) -> None:
    """Check all cases together.

    Raises:
        CorpusError: There are problems; it has one line for each.
    """
    problems = [
        f"{case.id}.toml: {problem}"
        for case in corpus.cases.values()
        for problem in case_problems(case, corpus, specs)
    ]
    if problems:
        raise CorpusError(problems)


def case_problems(
    case: Case, corpus: Corpus, specs: Mapping[str, Mapping[str, str]]
) -> Iterator[str]:
    """Yield what is wrong with one case, key path first."""
    yield from _text_problems(case)
    yield from _spec_problems(case.spec, specs)
    yield from _depends_problems(case, corpus)
    for need, why in sorted(_implied_needs(case)):
        if need not in case.needs:
            yield f"needs: lacks {need!r}, because {why}"
    for variant in case.variants[:1]:
        yield from _event_problems(variant)
        yield from _verdict_problems(variant)


def _text_problems(case: Case) -> Iterator[str]:
    if not case.title or len(case.title) > _MAX_TITLE or case.title.endswith("."):
        yield f"title: must have 1 to {_MAX_TITLE} characters and no full stop"
    if not case.why:
        yield "why: is missing; say what goes wrong in a client that fails here"


def _spec_problems(
    cited: Iterable[str], specs: Mapping[str, Mapping[str, str]]
) -> Iterator[str]:
    for reference in cited:
        document, _, section = reference.partition("#")
        if document not in specs:
            yield f"spec: no document {document!r}{suggestion(document, specs)}"
        elif section not in specs[document]:
            known = specs[document]
            yield (
                f"spec: {document} has no section {section!r}"
                f"{suggestion(section, known)} in specs.toml"
            )


def _depends_problems(case: Case, corpus: Corpus) -> Iterator[str]:
    for name in case.depends:
        if name not in corpus.cases:
            yield f"depends: no case {name!r}{suggestion(name, corpus.cases)}"
    seen: set[str] = set()
    ahead = list(case.depends)
    while ahead:
        name = ahead.pop()
        if name == case.id:
            yield "depends: goes in a circle back to this case"
            return
        if name not in seen and name in corpus.cases:
            seen.add(name)
            ahead.extend(corpus.cases[name].depends)


def _implied_needs(case: Case) -> set[tuple[str, str]]:
    needs: set[tuple[str, str]] = set()
    if case.clock.mode == "virtual":
        needs.add(("clock.virtual", "its clock has to be virtual"))
    for origin in case.base.origins.values():
        if origin.tls is not None:
            needs.add(("tls", f"the origin {origin.name} is https"))
        if origin.connect == "hang":
            needs.add(("clock.virtual", "only a simulated connect can hang"))
    for fields in _requests([action.to_json() for action in case.base.actions]):
        if fields.get("stream"):
            needs.add(("stream", "a request is streamed"))
        needs |= _request_needs(fields)
        timeout = fields.get("timeout")
        for key in timeout if isinstance(timeout, dict) else ():
            if key in TIMEOUT_KEYS:
                needs.add((f"timeout.{key}", f"a request sets {key}"))
    return needs | _session_needs(case)


def _session_needs(case: Case) -> set[tuple[str, str]]:
    needs: set[tuple[str, str]] = set()
    if "proxy" in case.session:
        needs.add(("proxy", "the session has one"))
    for action in case.base.actions:
        if action.verb == "ws" and isinstance(action.argument, dict):
            needs.add(("websocket", "a WebSocket is opened"))
            if action.argument.get("compress"):
                needs.add(("ws.deflate", "compression is offered"))
    return needs


def _request_needs(fields: Mapping[str, Json]) -> set[tuple[str, str]]:
    needs: set[tuple[str, str]] = set()
    auth, body = fields.get("auth"), fields.get("body")
    for kind in auth if isinstance(auth, dict) else ():
        needs.add((f"auth.{kind}", f"a request has {kind} credentials"))
    if isinstance(body, dict) and "multipart" in body:
        needs.add(("multipart", "a body is multipart"))
    if "cookies" in fields:
        needs.add(("cookies", "a request has some"))
    return needs


def _requests(actions: Iterable[Json]) -> Iterator[dict[str, Json]]:
    for action in actions:
        match action:
            case {"request": dict(fields)}:
                yield fields
            case {"group": list(branches)}:
                for branch in branches:
                    yield from _requests(branch if isinstance(branch, list) else ())
            case _:
                pass


def _event_problems(variant: Variant) -> Iterator[str]:
    """Refuse waits for an event that nobody signals: the run would hang."""
    signalled: set[str] = set()
    awaited: set[str] = set()
    for action in variant.actions:
        if action.verb in ("signal", "wait_for"):
            names = signalled if action.verb == "signal" else awaited
            names.add(str(action.argument))
    for peer in variant.peers:
        signalled |= {step.name for step in peer.steps if isinstance(step, Signal)}
        awaited |= {step.name for step in peer.steps if isinstance(step, WaitFor)}
    for name in sorted(awaited - signalled):
        yield f"wait_for: nobody signals {name!r}"
    for name in sorted(signalled - awaited):
        yield f"signal: nobody waits for {name!r}"


def _verdict_problems(variant: Variant) -> Iterator[str]:
    if variant.alternatives[0].verdict is Verdict.LENIENT:
        yield "expect[0]: the first alternative is lenient; start with the best outcome"
    for index, one in enumerate(variant.alternatives):
        if one.at is not None and not one.got:
            yield f"expect[{index}].at: says when, but not with which result"
