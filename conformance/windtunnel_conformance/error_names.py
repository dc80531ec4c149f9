"""Gives each reported error its class of the error tree.

In: an outcome as the adapter reported it, the client's profile, and what the adapter
says itself. Out: the outcome with a ``class`` in each error. The profile comes first:
it is data of this project and can be reviewed; the adapter's own words come second.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from windtunnel_conformance.errors import ERROR_CLASSES
from windtunnel_conformance.expectations import Profile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windtunnel_conformance.adapters.base import Description
    from windtunnel_conformance.case import Json
    from windtunnel_conformance.outcome import Outcome

_UNKNOWN = "other"


def classified(outcome: Outcome, profile: Profile, about: Description) -> Outcome:
    """Return the outcome with a class in each error."""
    own = Profile(profile.name, errors=about.get("errors", {}))
    results = {
        name: _with_class(result, profile, own)
        for name, result in outcome.results.items()
    }
    return replace(outcome, results=results)


def _with_class(
    result: Mapping[str, Json], profile: Profile, own: Profile
) -> Mapping[str, Json]:
    error = result.get("error")
    if not isinstance(error, dict):
        return result
    raw, said = error.get("raw"), error.get("class")
    name = _UNKNOWN
    if isinstance(raw, str):
        name = profile.classify(raw)
        if name == _UNKNOWN and not (isinstance(said, str) and said in ERROR_CLASSES):
            name = own.classify(raw)
    if name == _UNKNOWN and isinstance(said, str) and said in ERROR_CLASSES:
        name = said
    return {**result, "error": {**error, "class": name}}
