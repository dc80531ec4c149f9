"""The public names are those of the compatible API, with its members and parameters.

What is not there is listed here, so that nothing is missing by mistake, and nothing is
listed that is there. ``docs/differences.md`` has the reasons.
"""

from __future__ import annotations

import inspect
from typing import Any

import aiohttp
import pytest
import yarl

import windtunnel

# The server's half.
SERVER = {"GunicornWebWorker", "GunicornUVLoopWebWorker"}
# Steps of sending one request by hand, and constants of another date parser.
ABSENT_MEMBERS = {
    "ClientRequest": {"close", "send", "terminate", "write_bytes"},
    "CookieJar": {
        "DATE_DAY_OF_MONTH_RE",
        "DATE_HMS_TIME_RE",
        "DATE_MONTH_RE",
        "DATE_TOKENS_RE",
        "DATE_YEAR_RE",
        "MAX_TIME",
        "SUB_MAX_TIME",
    },
}
# What only objects have.
OF_OBJECTS = {"ClientRequest": {"session", "ssl"}}
CLASSES = sorted(
    name
    for name in set(aiohttp.__all__) - SERVER
    if inspect.isclass(getattr(aiohttp, name))
)
FUNCTIONS = sorted(
    name
    for name in set(aiohttp.__all__) - SERVER
    if inspect.isroutine(getattr(aiohttp, name))
)


def members(cls: type[object]) -> set[str]:
    """The public names of a class, without those of the standard library."""
    return {
        name
        for name in dir(cls)
        if not name.startswith("_")
        and any(
            name in vars(base)
            for base in cls.__mro__
            if base.__module__.partition(".")[0] in ("aiohttp", "windtunnel")
        )
    }


def parameters(function: Any) -> dict[str, inspect.Parameter]:
    """Names and kinds of the parameters that a caller can give by name."""
    try:
        signature = inspect.signature(function)
    except ValueError:
        return {}
    return {
        name: parameter
        for name, parameter in signature.parameters.items()
        if name != "self"
        and parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
    }


def takes_anything(function: Any) -> bool:
    kinds = {each.kind for each in inspect.signature(function).parameters.values()}
    return inspect.Parameter.VAR_KEYWORD in kinds


def unlike(mine: Any, reference: Any) -> list[str]:
    """Say which parameters of the reference a caller cannot give in the same way."""
    wanted, have = parameters(reference), parameters(mine)
    if not wanted or takes_anything(mine):
        return []
    missing = [name for name in wanted if name not in have]
    needed = [
        name
        for name, each in have.items()
        if each.default is each.empty
        and (name not in wanted or wanted[name].default is not each.empty)
    ]
    positional = [n for n, p in wanted.items() if p.kind is p.POSITIONAL_OR_KEYWORD]
    order = [n for n, p in have.items() if p.kind is p.POSITIONAL_OR_KEYWORD]
    moved = [n for n, m in zip(positional, order, strict=False) if n != m]
    return missing + needed + moved


@pytest.mark.parametrize("name", sorted(set(aiohttp.__all__) - SERVER))
def test_a_name_is_there(name: str) -> None:
    assert name in windtunnel.__all__
    assert hasattr(windtunnel, name)


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_has_the_members_of_the_compatible_one(name: str) -> None:
    mine, reference = getattr(windtunnel, name), getattr(aiohttp, name)
    missing = {each for each in members(reference) if not hasattr(mine, each)}
    missing -= set(inspect.get_annotations(mine)) | OF_OBJECTS.get(name, set[str]())
    assert missing == ABSENT_MEMBERS.get(name, set[str]())


def test_what_only_objects_have_is_there() -> None:
    request = windtunnel.ClientRequest("GET", yarl.URL("http://a.test/"))
    assert {each for each in OF_OBJECTS["ClientRequest"] if hasattr(request, each)} == (
        OF_OBJECTS["ClientRequest"]
    )


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_is_called_like_the_compatible_one(name: str) -> None:
    mine, reference = getattr(windtunnel, name), getattr(aiohttp, name)
    assert unlike(mine.__init__, reference.__init__) == []
    found = {
        each: problems
        for each in sorted(members(reference))
        if inspect.isroutine(getattr(reference, each, None)) and hasattr(mine, each)
        if (problems := unlike(getattr(mine, each), getattr(reference, each)))
    }
    assert found == {}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_called_like_the_compatible_one(name: str) -> None:
    assert unlike(getattr(windtunnel, name), getattr(aiohttp, name)) == []
