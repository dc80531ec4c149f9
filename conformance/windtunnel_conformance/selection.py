"""Picks cases out of a corpus by family, id and level.

In: a corpus and what is wanted. Out: cases in the order of the corpus, or a sentence
about a word that names nothing. Knows nothing of command lines.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from windtunnel_conformance.errors import suggestion

if TYPE_CHECKING:
    from windtunnel_conformance.case import Case, Level
    from windtunnel_conformance.loader import Corpus


class SelectionError(ValueError):
    """A family or case that does not exist, or nothing that fits all wishes."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which cases; an empty part leaves the choice open.

    Attributes:
        families: ``framing`` also means ``framing/chunked``.
        ids: Ids of cases.
        levels: Levels.
    """

    families: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    levels: tuple[Level, ...] = ()


def select(corpus: Corpus, wanted: Wanted) -> list[Case]:
    """Return the cases that fit.

    Raises:
        SelectionError: A family or id names nothing, or no case fits.
    """
    for name in wanted.families:
        if not any(_is_in(case, name) for case in corpus.cases.values()):
            raise SelectionError(
                f"family {name!r} has no cases{suggestion(name, corpus.families)}"
            )
    for name in wanted.ids:
        if name not in corpus.cases:
            raise SelectionError(
                f"case {name!r} does not exist{suggestion(name, corpus.cases)}"
            )
    found = [case for case in corpus.cases.values() if _fits(case, wanted)]
    if not found:
        raise SelectionError("no case fits all of --family, --case and --level")
    return found


def _fits(case: Case, wanted: Wanted) -> bool:
    return (
        (not wanted.families or any(_is_in(case, name) for name in wanted.families))
        and (not wanted.ids or case.id in wanted.ids)
        and (not wanted.levels or case.level in wanted.levels)
    )


def _is_in(case: Case, family: str) -> bool:
    return case.id.startswith(f"{family.rstrip('/')}/")
