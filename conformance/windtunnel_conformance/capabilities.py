"""Says whether a client can be asked to play a case at all.

In: what a case needs, and what an adapter says about its client. Out: nothing, or the
reason why the case is skipped. A skipped case is not a failed one, but it is counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from windtunnel_conformance.adapters.base import Description
    from windtunnel_conformance.case import Action, Case, Json, Variant

_VIRTUAL = "clock.virtual"


def missing_capability(case: Case, about: Description) -> str:
    """Return why the client cannot play any variant of a case; empty if it can."""
    known = set(about["capabilities"])
    is_virtual = about["clock"] == "virtual"
    if is_virtual:
        known.add(_VIRTUAL)
    lacking = [need for need in case.needs if need not in known]
    if lacking:
        return f"the client lacks {', '.join(lacking)}"
    if case.clock.mode == "virtual" and not is_virtual:
        return "the case needs virtual time, the client runs in real time"
    return ""


def unsupported_field(variant: Variant, about: Description) -> str:
    """Return which field of an action the client cannot express; empty if none."""
    refused = set(about["unsupported_fields"])
    found = [path for path in _paths(variant.actions) if path in refused]
    return f"the client has no {found[0]}" if found else ""


def unreachable_origin(variant: Variant) -> str:
    """Return why real sockets cannot show a variant; empty if they can."""
    for origin in variant.origins.values():
        if origin.connect == "hang":
            return f"origin {origin.name} never answers a connect: only simulated"
    return ""


def _paths(actions: Iterable[Action]) -> Iterator[str]:
    """Yield ``request``, ``request.timeout``, ``request.timeout.pool`` and the like."""
    for action in actions:
        yield from _value_paths(action.verb, action.argument)


def _value_paths(path: str, value: Json) -> Iterator[str]:
    yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _value_paths(f"{path}.{key}", inner)
    elif path == "group" and isinstance(value, list):
        for actions in value:
            yield from _group_paths(actions)


def _group_paths(actions: Json) -> Iterator[str]:
    for action in actions if isinstance(actions, list) else [actions]:
        if isinstance(action, dict):
            for verb, argument in action.items():
                yield from _value_paths(verb, argument)
